# SPDX-License-Identifier: Apache-2.0
"""What the tests against moto stand on: a moto_server, the recording proxy before it, and a mount.

All of them are context managers that leave nothing behind; should the test itself be killed, the kernel
ends its children (PR_SET_PDEATHSIG), and an ecsfs that is told to end unmounts.
"""
import contextlib
import ctypes
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

try:
    import boto3
    import botocore.config
except ImportError:  # the benchmarks of the emulator do without
    boto3 = None

KEY, SECRET, REGION = "AKIDEXAMPLEPEER00001", "peer/secret+for=tests", "us-east-1"
SHARED = os.environ.get("ECSFS_SHARED", "")
PROXY = os.path.join(SHARED, "tools", "awsproxy.py") if SHARED else ""
libc = ctypes.CDLL(None, use_errno=True)


def end_with_me():
    libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(true, seconds=10.0, every=0.05):
    """Waits until true() is; its last value."""
    end = time.monotonic() + seconds
    while not (value := true()) and time.monotonic() < end:
        time.sleep(every)
    return value


def post(url, what):
    request = urllib.request.Request(url, data=json.dumps(what).encode(), headers={"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).read()


def stop(process, seconds=5):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Moto:
    def __enter__(self):
        port = free_port()
        self.url = "http://127.0.0.1:%d" % port
        self.log = tempfile.TemporaryFile("w+")
        # Not the shim in PATH but its module: one process, whose pid is ours to end.
        code = "import sys; from moto.server import main; main(sys.argv[1:])"
        self.process = subprocess.Popen([sys.executable, "-c", code, "-H", "127.0.0.1", "-p", str(port)],
                                        stdout=self.log, stderr=self.log, preexec_fn=end_with_me)

        def answers():
            if self.process.poll() is not None:
                return True
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(self.url + "/moto-api/", timeout=5).status == 200
        if not until(answers, 60) or self.process.poll() is not None:
            stop(self.process)
            self.log.seek(0)
            raise RuntimeError("moto_server does not start:\n" + self.log.read())
        self.freeze()
        return self

    def freeze(self):
        """moto moves a task on towards STOPPED whenever it is described; not here."""
        post(self.url + "/moto-api/state-manager/set-transition",
             {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 10 ** 9}})

    def __exit__(self, *_):
        stop(self.process)
        self.log.close()


class Proxy:
    """The recording proxy: checks what passes, counts it, and hurts it when told to."""

    def __init__(self, upstream, *arguments):
        self.command = [sys.executable, PROXY, "--listen", "127.0.0.1:0", "--upstream", upstream, "--cred",
                        "%s:%s" % (KEY, SECRET), "--fidelity", "--mode", "enforce", "--max-seconds", "900", *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_me)
        self.url = self.process.stdout.readline().split("listening on ")[1].split()[0]
        return self

    def __exit__(self, *_):
        stop(self.process)
        self.process.stdout.close()

    def get(self, path):
        try:
            return json.load(urllib.request.urlopen(self.url + "/_proxy/" + path, timeout=10))
        except urllib.error.HTTPError as e:
            return json.load(e)

    def reset(self):
        post(self.url + "/_proxy/reset", {})

    def fault(self, kind, **how):
        post(self.url + "/_proxy/faults", dict({"kind": kind, "times": -1}, **how))

    def config(self, **settings):
        post(self.url + "/_proxy/config", settings)

    def log(self, op="*"):
        """The calls since the last reset: {"op", "params", "status", "problems", ...}."""
        return self.get("log?op=" + op)["entries"]

    def ops(self):
        return [e["op"] for e in self.log()]

    def unclean(self):
        """What AWS would have found wrong with our requests."""
        return [(e["op"], e["problems"]) for e in self.get("assert-clean")["entries"]]


class Mount:
    """`ecsfs aws` (or another source) on a fresh directory, in the foreground."""

    def __init__(self, endpoint, options="", key=KEY, secret=SECRET, source="aws", **environment):
        self.endpoint, self.options, self.source = endpoint, options, source
        self.environment = dict(environment)
        if key:
            self.environment.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="ecsfs-peer-")
        self.at = os.path.join(self.home, "mnt")
        os.mkdir(self.at, 0o700)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.env = dict(kept, HOME=self.home, XDG_CACHE_HOME=self.home + "/cache", XDG_STATE_HOME=self.home + "/state",
                        AWS_EC2_METADATA_DISABLED="true", AWS_REGION=REGION, AWS_ENDPOINT_URL=self.endpoint or "",
                        **self.environment)
        self.log = open(self.home + "/log", "w+")
        self.process = subprocess.Popen([ECSFS, self.source, self.at, "-f"] + (["-o", self.options] if self.options else []),
                                        env=self.env, stdout=self.log, stderr=self.log, preexec_fn=end_with_me)
        until(lambda: self.mounted() or self.process.poll() is not None)
        if not self.mounted():
            said = self.said()
            self.__exit__()
            raise RuntimeError("ecsfs does not mount:\n" + said)
        return self

    def mounted(self):
        with open("/proc/self/mounts") as f:
            return any(line.split()[1] == self.at for line in f)

    def said(self):
        self.log.flush()
        with open(self.log.name) as f:
            return f.read()

    def __exit__(self, *_):
        left = os.path.exists("/proc/self/mounts") and self.mounted()
        if left and subprocess.run(["fusermount3", "-u", self.at], capture_output=True).returncode:
            subprocess.run(["fusermount3", "-uz", self.at], capture_output=True)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("ecsfs did not end after its unmount:\n" + self.said())
        finally:
            self.log.close()
            shutil.rmtree(self.home, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.at, *parts)

    def ls(self, path):
        return sorted(os.listdir(self.path(path)))

    def cat(self, path):
        with open(self.path(path), "rb") as f:
            return f.read().decode()

    def json(self, path):
        return json.loads(self.cat(path))

    def echo(self, text, path):
        """As the shell does: open with O_TRUNC, one write."""
        fd = os.open(self.path(path), os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(fd, (text + "\n").encode())
        finally:
            os.close(fd)

    def error(self, path, seconds=60):
        """The errno's name of reading the path."""
        return self.failing(lambda: self.cat(path) if not os.path.isdir(self.path(path)) else self.ls(path), seconds)

    @staticmethod
    def failing(do, seconds=60):
        with alarm(seconds):
            try:
                do()
            except OSError as e:
                return errno.errorcode.get(e.errno, str(e.errno))
        return None

    def sh(self, script, seconds=120):
        """A bash script in the mount -> CompletedProcess with text."""
        return subprocess.run(["bash", "-c", script], cwd=self.at, env=self.env, text=True, capture_output=True, timeout=seconds)


@contextlib.contextmanager
def alarm(seconds):
    """A read that hangs is a failure of the test, not its end."""
    def ring(*_):
        raise TimeoutError(errno.ETIME, "still waiting after %s s" % seconds)
    old = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def client(url, service="ecs"):
    config = botocore.config.Config(retries={"max_attempts": 1}, max_pool_connections=16)
    return boto3.client(service, endpoint_url=url, region_name=REGION, aws_access_key_id=KEY,
                        aws_secret_access_key=SECRET, config=config)


def family(ecs, name, revisions):
    for i in range(1, revisions + 1):
        ecs.register_task_definition(family=name, containerDefinitions=[
            {"name": "app", "image": "example.com/%s:v%d" % (name, i), "essential": True, "memory": 128,
             "environment": [{"name": "REV", "value": str(i)}]}])


def service(ecs, cluster, name, definition, count):
    ecs.create_service(cluster=cluster, serviceName=name, taskDefinition=definition, desiredCount=count)
    ecs.update_service(cluster=cluster, service=name, desiredCount=count)  # moto: sets runningCount


class Case(unittest.TestCase):
    """A test whose class owns servers, and whose `mount` is a Mount."""

    @classmethod
    def enter(cls, context):
        value = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return value

    def sh(self, script):
        """What the script prints; it must succeed and say nothing else."""
        done = self.mount.sh(script)
        self.assertEqual((done.returncode, done.stderr), (0, ""), "%s\n%s" % (script, self.mount.said()))
        return done.stdout


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def need_proxy():
    if not os.path.exists(PROXY):
        skip("ECSFS_SHARED names no folder with tools/awsproxy.py: calls are neither checked nor counted")


ECSFS = None


def main():
    """ECSFS is the first argument of every test, the rest is unittest's."""
    global ECSFS
    if len(sys.argv) < 2:
        sys.exit("usage: %s ECSFS [UNITTEST ARGUMENT...]" % sys.argv[0])
    ECSFS = os.path.abspath(sys.argv.pop(1))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    sys.stdout.flush()
    sys.exit(not program.result.wasSuccessful())
