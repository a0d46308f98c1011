#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the goals of doc/PERFORMANCE.md: ratios of one run, on this machine, as a table.

  bench.py ECSFS ECS-LOCAL WALK [--services N] [MEASURE...]

Never fails on a time; only when something cannot be measured at all does it say so. What needs moto or the AWS
CLI is left out, aloud, where they are not.
"""
import argparse
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

FILES = ("arn", "status", "desired-count", "running-count", "task-definition")
DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "demo")


def row(what, measured, goal=""):
    print("| %s | %s | %s |" % (what, measured, goal), flush=True)


def note(text):
    print("(%s)" % text, flush=True)


def seconds(do, rounds=1):
    """The best of some rounds."""
    best = None
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        took = time.perf_counter() - began
        best = took if best is None else min(best, took)
    return best


def run(*command, **how):
    return subprocess.run(command, check=True, capture_output=True, text=True, **how).stdout


def calls(mount):
    return mount.json(".ecsfs/status.json")["backend"]["calls"]


def build(mount, services):
    """The world of the cached reads: one cluster, many services, made through the mount."""
    os.mkdir(mount.path("clusters/bench"))
    os.mkdir(mount.path("task-definitions/web"))
    shutil.copyfile(DEMO + "/task-definition.json", mount.path("task-definitions/web/latest.json"))
    with open(DEMO + "/service.json") as f:
        service = dict(json.load(f), desiredCount=0)
    began = time.perf_counter()
    for i in range(services):
        at = mount.path("clusters/bench/services/svc-%04d" % i)
        os.mkdir(at)
        with open(at + "/service.json", "w") as f:
            json.dump(service, f)
    row("making a service through the mount", "%.2f ms" % ((time.perf_counter() - began) * 1e3 / services))


def cached(args):
    """Reads of what is known, against tmpfs."""
    with tempfile.TemporaryDirectory(prefix="ecsfs-bench-") as home, \
            tempfile.TemporaryDirectory(prefix="ecsfs-bench-", dir="/dev/shm") as memory:
        source = "local:%s/state" % home
        with peer.Mount(None, "stale=3600", source=source) as mount:
            build(mount, args.services)
            tree = mount.path("clusters/bench/services")
            copy = memory + "/services"
            subprocess.run(["cp", "-r", "--no-preserve=all", tree, copy], check=True)
            compare("read-write", mount, tree, copy, {"stat": 0.75, "ls-l": 0.95, "read": 0.12}, args)
        with peer.Mount(None, "stale=3600,ro", source=source) as mount:
            compare("ro", mount, mount.path("clusters/bench/services"), copy,
                    {"stat": 0.75, "ls-l": 0.95, "read": 0.6, "grep -r": 1.5}, args)


def compare(kind, mount, tree, copy, goals, args):
    scans = {"grep -r": ["grep", "-r", "no such text anywhere", "."], "find": ["find", ".", "-name", "no-such"],
             "ls -l": ["ls", "-l"]}

    def scan(command, at):
        return lambda: subprocess.run(command, cwd=at, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    for command in scans.values():  # warm
        scan(command, tree)()
        scan(command, copy)()
    before = calls(mount)
    ours = dict(line.split() for line in run(args.walk, tree, *FILES).splitlines())
    theirs = dict(line.split() for line in run(args.walk, copy, *FILES).splitlines())
    for name, ns in ours.items():
        goal = ">= %.2fx" % goals[name] if name in goals else ""
        row("%s: %s" % (kind, name), "%.2fx tmpfs (%.1f us)" % (float(theirs[name]) / float(ns), float(ns) / 1e3), goal)
    for name, command in scans.items():
        mine, other = seconds(scan(command, tree), 3), seconds(scan(command, copy), 3)
        goal = "<= %.1fx tmpfs's time" % goals[name] if name in goals else ""
        row("%s: %s of the tree" % (kind, name), "%.1fx tmpfs's time (%.0f ms)" % (mine / other, mine * 1e3), goal)
    row("%s: API calls made by all of that" % kind, calls(mount) - before, "0")


def start(args):
    """From the command to the first value."""
    with tempfile.TemporaryDirectory(prefix="ecsfs-bench-") as at:
        began = time.perf_counter()
        subprocess.run([peer.ECSFS, "local", at], check=True)
        usable = time.perf_counter()
        try:
            os.listdir(at + "/clusters")
            first = time.perf_counter()
        finally:
            subprocess.run(["fusermount3", "-u", at], check=True)
        row("command to usable mount", "%.0f ms" % ((usable - began) * 1e3), "<= 100 ms")
        row("and its first ls clusters", "%.1f ms" % ((first - usable) * 1e3))


def command_line(args):
    """20 cats against 20 calls of the AWS CLI, on the same server."""
    if not shutil.which("aws") or not shutil.which("moto_server") or peer.boto3 is None:
        return note("cat against the AWS CLI: no aws, or no moto_server, here")
    with peer.Moto() as moto:
        ecs = peer.client(moto.url)
        ecs.create_cluster(clusterName="bench")
        peer.family(ecs, "web", 1)
        names = ["svc-%02d" % i for i in range(20)]
        for name in names:
            peer.service(ecs, "bench", name, "web:1", 1)
        with peer.Mount(moto.url, "stale=3600") as mount:
            at = mount.path("clusters/bench/services/%s/desired-count")
            first = seconds(lambda: run("cat", at % names[0]))
            cats = "for s in %s; do cat %s; done" % (" ".join(names), at % "$s")
            subprocess.run(["sh", "-c", cats], check=True, stdout=subprocess.DEVNULL)
            mine = seconds(lambda: run("sh", "-c", cats), 3)
            cli = "for s in %s; do aws --endpoint-url %s --region %s ecs describe-services --cluster bench --services $s --query 'services[0].desiredCount'; done"
            keys = {k: v for k, v in mount.env.items() if k.startswith("AWS_")}
            other = seconds(lambda: run("sh", "-c", cli % (" ".join(names), moto.url, peer.REGION), env=dict(os.environ, **keys)))
        row("first cat after the mount, from moto", "%.0f ms" % (first * 1e3))
        row("20 cats, 20 AWS CLI calls", "%.0fx faster (%.0f ms, %.1f s)" % (other / mine, mine * 1e3, other), ">= 300x")


def cold(args):
    """Every desired-count of many services, cold, from a server 30 ms away: ecs-local, with that latency."""
    with Served(args.ecs_local) as served:
        one = served.connect()
        served.ecs("CreateCluster", one, clusterName="bench")
        served.ecs("RegisterTaskDefinition", one, family="web",
                   containerDefinitions=[{"name": "app", "image": "nginx", "memory": 128}])
        for i in range(args.services):
            served.ecs("CreateService", one, cluster="bench", serviceName="svc-%04d" % i, taskDefinition="web:1",
                       desiredCount=0)
        one.close()
        served.control("POST", "faults", {"kind": "latency", "operation": "*", "ms": 30})
        served.control("DELETE", "calls")
        with peer.Mount("http://" + served.address, "stale=3600,pacing=off") as mount:
            cat = "cat %s/*/desired-count" % mount.path("clusters/bench/services")
            took = [seconds(lambda: run("sh", "-c", cat)) for _ in range(2)]
        n = sum(counts["calls"] for counts in served.control("GET", "calls")[1].values())
        row("cold: desired-count of %d services at 30 ms, pacing=off" % args.services,
            "%d calls, %.2f s (known: %.2f s)" % (n, took[0], took[1]), "<= 112 calls, <= 0.5 s")


MEASURES = {"start": start, "cached": cached, "cli": command_line, "cold": cold}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("ecsfs")
    a.add_argument("ecs_local")
    a.add_argument("walk")
    a.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    a.add_argument("--services", type=int, default=1000)
    args = a.parse_args()
    peer.ECSFS = os.path.abspath(args.ecsfs)
    print("| what | measured | goal |\n|---|---|---|")
    for name in args.measures or MEASURES:
        MEASURES[name](args)


if __name__ == "__main__":
    main()
