#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a cold walk over 5000 services under AWS's documented throttle, which ecs-local --pacing applies.

  throttle.py ECSFS ECS_LOCAL [--services N]

The bucket of reading services holds 100 and gains 20 a second (AWS-FACTS: "service read 100/20"), so N calls of it
cannot take less than (N - 100) / 20 seconds, and who asks faster is throttled. In the middle of the walk a service is
scaled: that is another bucket, and must not wait behind the reads. Prints a table; no verdict on times, but fails
when calls, throttles or what was read are not what they should be.
"""
import argparse
import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peer"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit", "local"))
import peer  # noqa: E402
from served import Served  # noqa: E402

BURST, RATE = 100, 20  # of the bucket of DescribeServices and ListServices
READS = ("ecs.ListServices", "ecs.DescribeServices")
THREADS = 4


def row(what, measured, goal=""):
    print("| %s | %s | %s |" % (what, measured, goal), flush=True)


def fill(state, services):
    """Made without the throttle, or it would take a quarter of an hour."""
    with Served(ECS_LOCAL, "--state", state) as served:
        served.ecs("CreateCluster", clusterName="prod")
        served.ecs("RegisterTaskDefinition", family="web", containerDefinitions=[
            {"name": "app", "image": "example.com/web:v1", "essential": True, "memory": 128}])

        def make(first):
            connection = served.connect()
            for i in range(first, services, THREADS):
                served.ecs("CreateService", connection, cluster="prod", serviceName="svc-%04d" % i, taskDefinition="web:1",
                           desiredCount=0)
        threads = [threading.Thread(target=make, args=(i,)) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class Walk(threading.Thread):
    """cat clusters/prod/services/*/desired-count"""

    def __init__(self, mount):
        super().__init__()
        self.mount, self.read, self.took, self.names = mount, 0, None, []

    def run(self):
        began = time.perf_counter()
        self.names = self.mount.ls("clusters/prod/services")
        for name in self.names:
            self.read += self.mount.cat("clusters/prod/services/%s/desired-count" % name) in ("0\n", "7\n")
        self.took = time.perf_counter() - began


def timed(do):
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1e3


def measure(served, services):
    with peer.Mount("http://" + served.address, "timeout=120,stale=120") as mount:
        walk = Walk(mount)
        walk.start()
        bucket = (services // 100 + services // 10 - BURST) / RATE
        time.sleep(max(bucket / 2, 0.5))
        assert walk.is_alive(), "the walk was over before the middle"
        busy = walk.read
        write_ms = timed(lambda: mount.echo("7", "clusters/prod/services/svc-%04d/desired-count" % (services - 1)))
        assert walk.is_alive()
        walk.join()
        calls = {name: n for name, n in served.control("GET", "calls")[1].items() if name.startswith("ecs.")}
        status = mount.json(".ecsfs/status.json")["backend"]
        truth = served.ecs("DescribeServices", cluster="prod", services=["svc-%04d" % (services - 1)])["services"][0]
    return walk, bucket, busy, write_ms, calls, status, truth


def main():
    global ECS_LOCAL
    parser = argparse.ArgumentParser()
    parser.add_argument("ecsfs")
    parser.add_argument("ecs_local")
    parser.add_argument("--services", type=int, default=5000)
    arguments = parser.parse_args()
    peer.ECSFS, ECS_LOCAL = os.path.abspath(arguments.ecsfs), os.path.abspath(arguments.ecs_local)
    services = arguments.services
    with tempfile.TemporaryDirectory(prefix="ecsfs-bench-") as home:
        fill(home + "/state", services)
        with Served(ECS_LOCAL, "--state", home + "/state", "--pacing") as served:
            walk, bucket, busy, write_ms, calls, status, truth = measure(served, services)
    reads = sum(n["calls"] for name, n in calls.items() if name != "ecs.UpdateService")
    of_bucket = sum(calls[name]["calls"] for name in READS)
    least = (of_bucket - BURST) / RATE
    most = 1 + 1 + services // 100 + services // 10 + 1
    print("| what | measured | goal |\n|---|---|---|")
    row("desired-count of %d services, cold, under AWS's throttle" % services, "%d calls" % reads, "<= %d" % most)
    row("throttled", status["throttled"], "<= 1")
    row("time", "%.2f s: %+.1f %% of what the bucket needs for them, %.2f s" % (walk.took, 100 * (walk.took / least - 1), least), "within 3 %")
    row("a write in the middle, %d services read" % busy, "%.0f ms" % write_ms, "not behind the reads")
    print("(calls: %s)" % ", ".join("%s %d" % (name[4:], n["calls"]) for name, n in sorted(calls.items())))
    wrong = [why for why, so in (
        ("not all services were read", walk.read != services or len(walk.names) != services),
        ("the write is not there", truth["desiredCount"] != 7 or calls["ecs.UpdateService"]["calls"] != 1),
        ("too many calls", reads > most), ("throttled", status["throttled"] > 1),
        ("the write waited for the reads", write_ms > bucket * 1e3 / 4)) if so]
    for why in wrong:
        print("FAIL", why)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
