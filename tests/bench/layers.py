#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A large layer up and down through oci/, beside skopeo talking to the registry itself, in one run: seconds, and what the
daemon's memory grew to.

  layers.py ECSFS ECS-LOCAL [MIB]

Both talk to the same ecs-local, which keeps its state in a file. Fails only when something cannot be measured.
"""
import contextlib
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peer"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit", "local"))
import peer  # noqa: E402
from served import Served  # noqa: E402

TYPE = "application/vnd.oci.image."


def row(what, measured, goal=""):
    print("| %s | %s | %s |" % (what, measured, goal), flush=True)


def put_blob(layout, data, media):
    digest = hashlib.sha256(data).hexdigest()
    with open("%s/blobs/sha256/%s" % (layout, digest), "wb") as f:
        f.write(data)
    return {"mediaType": TYPE + media, "digest": "sha256:" + digest, "size": len(data)}


def make_layout(layout, mib, salt):
    """One layer of bytes that do not compress, in gzip's form."""
    os.makedirs(layout + "/blobs/sha256")
    whole, plain, at = hashlib.sha256(), hashlib.sha256(), layout + "/layer"

    class Tee:
        def __init__(self, file):
            self.file = file

        def write(self, data):
            whole.update(data)
            return self.file.write(data)

        def flush(self):
            self.file.flush()
    with open(at, "wb") as file, gzip.GzipFile(fileobj=Tee(file), mode="wb", compresslevel=0, mtime=0) as packed:
        for _ in range(mib):
            block = os.urandom(1 << 20)
            plain.update(block)
            packed.write(block)
    os.rename(at, "%s/blobs/sha256/%s" % (layout, whole.hexdigest()))
    layer = {"mediaType": TYPE + "layer.v1.tar+gzip", "digest": "sha256:" + whole.hexdigest(),
             "size": os.path.getsize("%s/blobs/sha256/%s" % (layout, whole.hexdigest()))}
    config = put_blob(layout, json.dumps({"architecture": "amd64", "os": "linux", "created": salt, "config": {},
                                          "rootfs": {"type": "layers", "diff_ids": ["sha256:" + plain.hexdigest()]}}).encode(),
                      "config.v1+json")
    manifest = put_blob(layout, json.dumps({"schemaVersion": 2, "mediaType": TYPE + "manifest.v1+json", "config": config,
                                            "layers": [layer]}).encode(), "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    with open(layout + "/index.json", "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
    with open(layout + "/oci-layout", "w") as f:
        json.dump({"imageLayoutVersion": "1.0.0"}, f)
    return layer["digest"]


def memory(pid, what):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith(what + ":"))


def processor(pid):
    """Seconds of CPU so far."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(command, env):
    began = time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit("%s: %s" % (" ".join(command), done.stderr))
    return time.perf_counter() - began


def main(ecsfs, ecs_local, mib):
    peer.ECSFS = os.path.abspath(ecsfs)
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="ecsfs-bench-", dir="/var/tmp"))
        env = dict(os.environ, HOME=home, TMPDIR=home, XDG_RUNTIME_DIR=home)
        digest = make_layout(home + "/src", mib, "2026-01-01T00:00:00Z")
        served = stack.enter_context(Served(ecs_local, "--state", home + "/state"))
        for name in ("direct", "ours"):
            served.call("ecr", "CreateRepository", repositoryName=name)
        mount = stack.enter_context(peer.Mount("http://" + served.address, "stale=60,cache_dir=none"))
        pid, skopeo = mount.process.pid, ["skopeo", "--insecure-policy", "copy", "-q", "--preserve-digests"]
        before, there = memory(pid, "VmRSS"), "docker://%s/direct:v1" % served.address
        oci = "oci:%s:v1" % mount.path("repositories/ours/oci")
        print("| %d MiB, one layer | measured | goal |\n|---|---|---|" % mib)

        def compare(what, theirs, mine):
            a = timed(skopeo + theirs, env)
            spent = processor(pid), processor(served.process.pid)
            b = timed(skopeo + mine, env)
            row(what, "%.2fx skopeo alone (%.1f s, %.0f MiB/s; %.1f s, %.0f MiB/s)" % (a / b, b, mib / b, a, mib / a))
            row("CPU of that: the daemon, ecs-local", "%.1f s, %.1f s" % (processor(pid) - spent[0], processor(served.process.pid) - spent[1]))
        compare("up", ["--dest-tls-verify=false", "oci:%s/src:v1" % home, there], ["oci:%s/src:v1" % home, oci])
        row("daemon's memory", "%.0f MiB before, %.0f at most" % (before, memory(pid, "VmHWM")), "flat")
        compare("down", ["--src-tls-verify=false", there, "oci:%s/a:v1" % home], [oci, "oci:%s/b:v1" % home])
        row("daemon's memory", "%.0f MiB at most" % memory(pid, "VmHWM"), "flat")
        for to in "ab":
            with open("%s/%s/blobs/sha256/%s" % (home, to, digest[7:]), "rb") as f:
                assert hashlib.file_digest(f, "sha256").hexdigest() == digest[7:]
            shutil.rmtree("%s/%s" % (home, to))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1024)
