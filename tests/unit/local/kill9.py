#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills ecs-local under load again and again: what was answered is there after the restart, and
nothing is half made. KILLS sets how often (default 100), KILL_SECONDS how long at most (default 50)."""
import contextlib
import http.client
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time

from served import Refused, Served

DEFINITION = dict(
    networkMode="awsvpc",
    requiresCompatibilities=["FARGATE"],
    cpu="256",
    memory="512",
    containerDefinitions=[{"name": "app", "image": "nginx", "command": ["sleep", "60"]}],
)
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


class Load(threading.Thread):
    """Changes things until the connection breaks, and remembers what was answered."""

    def __init__(self, served, name):
        super().__init__()
        self.served, self.prefix = served, name
        self.revisions, self.services, self.counts, self.tasks = [], [], {}, []

    def run(self):
        connection = self.served.connect()
        try:
            for i in range(100000):
                self.step(connection, i)
        except (OSError, http.client.HTTPException, ValueError):
            pass

    def step(self, connection, i):
        kind = random.randrange(4)
        if kind == 0:
            reply = self.served.ecs("RegisterTaskDefinition", connection, family=self.prefix, **DEFINITION)
            self.revisions.append(reply["taskDefinition"]["taskDefinitionArn"])
        elif kind == 1 and self.revisions:
            name = f"{self.prefix}-{i}"
            self.counts[name] = None  # from now on it may be there
            self.served.ecs(
                "CreateService", connection, cluster="c", serviceName=name, taskDefinition=self.revisions[-1],
                desiredCount=0, launchType="FARGATE", networkConfiguration=NETWORK,
            )
            self.services.append(name)
            self.counts[name] = 0
        elif kind == 2 and self.services:
            name, count = random.choice(self.services), random.randrange(3)
            self.counts[name] = None
            self.served.ecs("UpdateService", connection, cluster="c", service=name, desiredCount=count)
            self.counts[name] = count
        elif self.revisions:
            reply = self.served.ecs(
                "RunTask", connection, cluster="c", taskDefinition=self.revisions[-1], launchType="FARGATE",
                networkConfiguration=NETWORK,
            )
            self.tasks.append(reply["tasks"][0]["taskArn"])


def check(served, load):
    for arn in load.revisions[-20:]:
        assert served.ecs("DescribeTaskDefinition", taskDefinition=arn)["taskDefinition"]["status"] == "ACTIVE"
    for name in load.services[-30:]:
        service = served.ecs("DescribeServices", cluster="c", services=[name])["services"][0]
        assert service["status"] == "ACTIVE" and len(service["deployments"]) == 1, service
        if load.counts[name] is not None:
            assert service["desiredCount"] == load.counts[name], (name, service["desiredCount"], load.counts[name])
    for at in range(0, len(load.tasks), 100):
        failures = served.ecs("DescribeTasks", cluster="c", tasks=load.tasks[at : at + 100])["failures"]
        assert not failures, failures


def check_whole(served):
    """Everything listed can be described, and revisions have no gaps."""
    for family in served.ecs("ListTaskDefinitionFamilies")["families"]:
        arns, token = [], {}
        while True:
            page = served.ecs("ListTaskDefinitions", familyPrefix=family, **token)
            arns += page["taskDefinitionArns"]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        numbers = [int(arn.rsplit(":", 1)[1]) for arn in arns]
        assert numbers == list(range(1, len(numbers) + 1)), (family, numbers[-5:])


def integrity(state):
    with contextlib.closing(sqlite3.connect(state)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def main(program):
    kills, seconds = int(os.environ.get("KILLS", "100")), float(os.environ.get("KILL_SECONDS", "50"))
    end = time.monotonic() + seconds
    total = done = 0
    with tempfile.TemporaryDirectory() as folder:
        loads, state = [], None
        while done < kills and (time.monotonic() < end or done < 10):
            if done % 10 == 0:  # a world that grew through ten kills has seen enough
                loads, state = [], os.path.join(folder, f"state-{done // 10}.db")
            served = Served(program, "--state", state, "--speed", "5")
            for load in loads:
                check(served, load)
            if loads:
                check_whole(served)
            served.ecs("CreateCluster", clusterName="c")
            loads = [Load(served, f"r{done}-{i}") for i in range(2)]
            for load in loads:
                load.start()
            time.sleep(random.uniform(0.01, 0.25))
            served.kill()
            for load in loads:
                load.join()
                total += len(load.revisions) + len(load.services) + len(load.tasks)
            done += 1
            if done % 10 == 0:
                with Served(program, "--state", state, "--speed", "5") as last:
                    for load in loads:
                        check(last, load)
                    check_whole(last)
                integrity(state)
    print(f"{done} kills, {total} answered changes, all there")


if __name__ == "__main__":
    main(sys.argv[1])
