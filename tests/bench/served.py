#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures ecs-local: requests a second beside moto's in the same run, and how soon a large state is served.

  served.py ECS-LOCAL REQUESTS

Prints a table; fails only when something cannot be measured. Without moto_server its half is left out, aloud.
"""
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peer"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit", "local"))
import peer  # noqa: E402
from served import Served  # noqa: E402

TARGET = "AmazonEC2ContainerServiceV20141113."
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
CONTAINER = {"name": "app", "image": "nginx", "essential": True, "memory": 128}
ASKED = (("DescribeServices", {"cluster": "bench", "services": ["svc-0"]}), ("ListClusters", {}),
         ("DescribeTaskDefinition", {"taskDefinition": "web:1"}))
# The world of the goal, and how fast its tasks come up.
CLUSTERS, SERVICES, TASKS, REVISIONS, SPEED = 50, 100, 20000, 10000, 20


def row(what, measured, goal=""):
    print("| %s | %s | %s |" % (what, measured, goal), flush=True)


class Caller:
    """One kept connection to port."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __call__(self, operation, **members):
        self.connection.request("POST", "/", json.dumps(members), {
            "X-Amz-Target": TARGET + operation, "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/ecs/aws4_request, "
                             "SignedHeaders=host, Signature=00"})
        answer = self.connection.getresponse()
        body = json.loads(answer.read())
        assert answer.status == 200, (operation, body)
        return body


def small_world(port):
    call = Caller(port)
    call("CreateCluster", clusterName="bench")
    call("RegisterTaskDefinition", family="web", containerDefinitions=[CONTAINER])
    call("CreateService", cluster="bench", serviceName="svc-0", taskDefinition="web:1", desiredCount=0)


def cpu_seconds(pid):
    """Of all its threads, user and system."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(program, port, seconds, pid=None):
    """A second: [requests, p50, p99 in microseconds, requests a second of the server's CPU (of a pid)]."""
    rates = []
    for operation, members in ASKED:
        before = cpu_seconds(pid) if pid else 0
        out = subprocess.run([program, str(port), "16", str(seconds), TARGET + operation, json.dumps(members)],
                             check=True, capture_output=True, text=True).stdout.split()
        rates.append([float(text) for text in out[:3]])
        if pid:
            rates[-1].append(rates[-1][0] * seconds / (cpu_seconds(pid) - before))
    return rates


def rates(ecs_local, program):
    with Served(ecs_local) as served:
        port = int(served.address.rsplit(":", 1)[1])
        small_world(port)
        mine = measure(program, port, 2, served.process.pid)
    theirs = [None] * len(ASKED)
    if peer.boto3 is not None:
        with peer.Moto() as moto:
            port = int(moto.url.rsplit(":", 1)[1])
            small_world(port)
            theirs = measure(program, port, 2)
    else:
        print("(no boto3 and moto here: ecs-local alone)")
    for (operation, _), own, other in zip(ASKED, mine, theirs):
        beside = " ; moto %.0f, p99 %.1f ms: %.0fx" % (other[0], other[2] / 1e3, own[0] / other[0]) if other else ""
        row("%s, 16 connections" % operation, "%.0f requests/s, p99 %.1f ms, %.0f a second of its CPU%s" % (own[0], own[2] / 1e3, own[3], beside), ">= 10,000")


def in_threads(port, jobs, many=4):
    """jobs: functions of a Caller."""
    failures = []

    def work(part):
        call = Caller(port)
        try:
            for job in part:
                job(call)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)
    threads = [threading.Thread(target=work, args=(jobs[i::many],)) for i in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def fill(port):
    """The large world, by its API."""
    fargate = dict(networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512", containerDefinitions=[CONTAINER])
    families = REVISIONS // 100
    in_threads(port, [lambda call, i=i: [call("RegisterTaskDefinition", family="f%d" % i, **fargate) for _ in range(100)]
                      for i in range(families)])
    in_threads(port, [lambda call, i=i: call("CreateCluster", clusterName="c%d" % i) for i in range(CLUSTERS)])
    in_threads(port, [lambda call, i=i, j=j: call("CreateService", cluster="c%d" % i, serviceName="s%d" % j, taskDefinition="f%d:%d" % (i, j + 1),
                                                  launchType="FARGATE", networkConfiguration=NETWORK, desiredCount=TASKS // CLUSTERS // SERVICES)
                      for i in range(CLUSTERS) for j in range(SERVICES)])


def running(port):
    call = Caller(port)
    clusters = ["c%d" % i for i in range(CLUSTERS)]
    return sum(c["runningTasksCount"] for c in call("DescribeClusters", clusters=clusters)["clusters"])


def large(ecs_local):
    with tempfile.TemporaryDirectory(prefix="ecsfs-bench-") as home:
        state = home + "/state"
        began = time.perf_counter()
        with Served(ecs_local):
            row("from the command to its first answer, no state", "%.0f ms" % ((time.perf_counter() - began) * 1e3), "<= 50 ms")
        with Served(ecs_local, "--state", state, "--speed", str(SPEED)) as served:
            port = int(served.address.rsplit(":", 1)[1])
            began = time.perf_counter()
            fill(port)
            while running(port) < TASKS and time.perf_counter() - began < 300:
                time.sleep(0.2)
            took, there = time.perf_counter() - began, running(port)
        row("making %d x %d services, %d revisions and their %d tasks, kept in a file" % (CLUSTERS, SERVICES, REVISIONS, there), "%.1f s" % took, "seconds")
        began = time.perf_counter()
        with Served(ecs_local, "--state", state) as served:
            row("starting again with all of it (%.0f MB)" % (os.path.getsize(state) / 1e6), "%.2f s" % (time.perf_counter() - began), "seconds")
            port = int(served.address.rsplit(":", 1)[1])
            assert running(port) >= there, (running(port), there)


if __name__ == "__main__":
    print("| what | measured | goal |\n|---|---|---|")
    rates(sys.argv[1], sys.argv[2])
    large(sys.argv[1])
