#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ecs-local's HTTP face: protocol, faults and counters, logs."""
import http.client
import socket
import subprocess
import sys
import time

from served import Refused, Served


def refused(code, function):
    try:
        function()
    except Refused as error:
        assert error.code == code, error
        return error
    raise AssertionError(f"not refused with {code}")


def raw(served, method, path, body, headers):
    connection = served.connect()
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def protocol(served):
    status, body = raw(served, "POST", "/", "{", {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"})
    assert status == 400 and "SerializationException" in body, body
    status, body = raw(served, "POST", "/", "{}", {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.NoSuch"})
    assert status == 400 and "UnknownOperationException" in body, body
    status, body = raw(served, "POST", "/", "{}", {})
    assert status == 400, body
    status, body = raw(
        served, "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
    assert status == 200 and "<Account>123456789012</Account>" in body, body


def unknown_members(served):
    """They are ignored, as AWS does: nothing of them is kept."""
    made = served.ecs("RegisterTaskDefinition", family="u", nonsense=1, containerDefinitions=[
        {"name": "a", "image": "x", "memory": 10, "nonsense": {"a": 1}, "environment": [{"name": "A", "value": "1", "nonsense": 1}]}])
    assert "nonsense" not in str(made), made
    assert made["taskDefinition"]["containerDefinitions"][0]["environment"] == [{"name": "A", "value": "1"}], made


def broken(function):
    try:
        function()
    except (ConnectionError, http.client.HTTPException, socket.timeout):
        return
    raise AssertionError("the connection held")


def faults(served):
    def ask(timeout=10):
        connection = served.connect(timeout)
        return served.ecs("ListClusters", connection)

    served.control("DELETE", "calls")
    for spec, code in (
        ({"kind": "throttle", "times": 1}, "ThrottlingException"),
        ({"kind": "error", "code": "ClusterNotFoundException", "status": 400, "times": 1}, "ClusterNotFoundException"),
    ):
        served.control("POST", "faults", dict(spec, operation="ecs.List*"))
        refused(code, ask)
        ask()
    served.control("POST", "faults", {"kind": "reset", "times": 1, "operation": "ecs.ListClusters"})
    broken(ask)
    served.control("POST", "faults", {"kind": "latency", "ms": 300, "times": 1})
    begin = time.monotonic()
    ask()
    assert time.monotonic() - begin >= 0.29
    served.control("POST", "faults", {"kind": "hang", "times": 1})
    broken(lambda: ask(0.5))
    served.control("POST", "faults", {"kind": "hang", "ms": 200, "times": 1})
    broken(lambda: ask(5))
    served.control("POST", "faults", {"kind": "lost", "times": 1, "operation": "*.CreateCluster"})
    broken(lambda: served.ecs("CreateCluster", clusterName="lost"))
    assert any(arn.endswith("/lost") for arn in ask()["clusterArns"])
    served.control("POST", "faults", {"kind": "corrupt", "times": 1})
    try:
        ask()
        raise AssertionError("the answer was whole")
    except ValueError:
        pass
    assert served.control("POST", "faults", {"kind": "nonsense"})[0] == 400
    assert served.control("POST", "faults", {"kind": "reset", "nonsense": 1})[0] == 400
    assert served.control("POST", "faults", {"kind": "reset", "operation": "ecs.Foo"})[0] == 400
    for operation in ("ecs.Describe*", "*", "*.CreateCluster", "registry.*", "registry.GETManifest", "sts.*", "ecr-public.PutImage", "ecs.ExecuteCommand"):
        assert served.control("POST", "faults", {"kind": "reset", "operation": operation, "times": 0})[0] == 200, operation
    counts = served.control("GET", "calls")[1]["ecs.ListClusters"]
    assert counts["faults"] == 7 and counts["calls"] == 10, counts
    served.control("DELETE", "faults")
    assert served.control("GET", "faults")[1] == []
    assert ask()


def logs(served):
    options = {"awslogs-group": "/ecs/t", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}
    served.ecs("CreateCluster")
    served.ecs(
        "RegisterTaskDefinition", family="t", networkMode="awsvpc", cpu="256", memory="512",
        requiresCompatibilities=["FARGATE"], executionRoleArn="arn:aws:iam::123456789012:role/x",
        containerDefinitions=[
            {"name": "app", "image": "busybox", "command": ["sh", "-c", "echo one; sleep 1; echo two words; exit 3"],
             "logConfiguration": {"logDriver": "awslogs", "options": options}}
        ],
    )
    task = served.ecs(
        "RunTask", taskDefinition="t", launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["s"]}},
    )["tasks"][0]["taskArn"]
    for _ in range(100):
        time.sleep(0.1)
        if served.ecs("DescribeTasks", tasks=[task])["tasks"][0]["lastStatus"] == "STOPPED":
            break
    stream = "p/app/" + task.rsplit("/", 1)[1]
    found = served.call("logs", "DescribeLogStreams", logGroupName="/ecs/t")["logStreams"]
    assert [row["logStreamName"] for row in found] == [stream], found
    page = served.call("logs", "GetLogEvents", logGroupName="/ecs/t", logStreamName=stream, startFromHead=True, limit=1)
    assert [e["message"] for e in page["events"]] == ["one"], page
    page = served.call("logs", "GetLogEvents", logGroupName="/ecs/t", logStreamName=stream, nextToken=page["nextForwardToken"])
    assert [e["message"] for e in page["events"]] == ["two words"], page
    last = served.call("logs", "GetLogEvents", logGroupName="/ecs/t", logStreamName=stream, nextToken=page["nextForwardToken"])
    assert last["events"] == [] and last["nextForwardToken"] == page["nextForwardToken"], last
    hits = served.call("logs", "FilterLogEvents", logGroupName="/ecs/t", filterPattern="words")["events"]
    assert len(hits) == 1 and hits[0]["logStreamName"] == stream, hits
    refused("ResourceNotFoundException", lambda: served.call("logs", "DescribeLogStreams", logGroupName="none"))
    refused("ResourceAlreadyExistsException", lambda: served.call("logs", "CreateLogGroup", logGroupName="/ecs/t"))
    served.call("logs", "DeleteLogGroup", logGroupName="/ecs/t")
    refused("ResourceNotFoundException", lambda: served.call("logs", "DescribeLogStreams", logGroupName="/ecs/t"))


def buckets(program):
    with Served(program, "--pacing") as served:
        for i in range(20):
            served.ecs("CreateCluster", clusterName=f"c{i}")
        assert refused("ThrottlingException", lambda: served.ecs("CreateCluster", clusterName="x")).status == 400
        served.ecs("ListClusters")


def steps(program):
    """Time that stands still, and passes on demand: a service is made and an hour goes by in no time."""
    with Served(program, "--still") as served:
        served.ecs("CreateCluster")
        served.ecs("RegisterTaskDefinition", family="t", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256",
                   memory="512", containerDefinitions=[{"name": "app", "image": "nginx"}])
        served.ecs("CreateService", serviceName="s", taskDefinition="t", desiredCount=3, launchType="FARGATE",
                   networkConfiguration={"awsvpcConfiguration": {"subnets": ["s"]}})
        time.sleep(0.2)
        running = lambda: served.ecs("DescribeServices", services=["s"])["services"][0]["runningCount"]
        assert running() == 0 and served.control("GET", "time")[1]["still"]
        before = served.control("GET", "time")[1]["now"]
        assert served.control("POST", "step", {"ms": 5000})[0] == 200
        assert running() == 3
        task = served.ecs("ListTasks")["taskArns"][0]
        served.ecs("StopTask", task=task)
        served.control("POST", "step", {"ms": 3600 * 1000})
        assert served.ecs("DescribeTasks", tasks=[task])["tasks"][0]["lastStatus"] == "STOPPED"
        served.control("POST", "step", {"ms": 3600 * 1000})
        assert served.ecs("DescribeTasks", tasks=[task])["failures"], "stopped tasks are forgotten after an hour"
        assert served.control("GET", "time")[1]["now"] > before
        for wrong in (["--verify", "key:secret", "--nope"], ["--fault", "kind=reset", "more"], {"ms": -1}, {"ms": "1"}, {}, {"ms": 1e18}, []):
            assert served.control("POST", "step", wrong)[0] == 400, wrong
        assert served.control("POST", "lag", {"ms": 5000})[1] == {"ms": 5000}
        desired = lambda: served.ecs("DescribeServices", services=["s"])["services"][0]["desiredCount"]
        assert desired() == 3
        served.ecs("UpdateService", service="s", desiredCount=0)
        assert desired() == 3, "an old answer"
        served.control("POST", "step", {"ms": 6000})
        assert desired() == 0
    with Served(program, "--lag", "60000") as served:
        served.ecs("CreateCluster")
        assert served.ecs("ListClusters")["clusterArns"] == [] and served.control("GET", "lag")[1] == {"ms": 60000}
        assert served.control("POST", "lag", {"ms": 0})[0] == 200 and served.ecs("ListClusters")["clusterArns"]


def options(program):
    for wrong in (["--fault", "kind=none"], ["--fault", "kind=error,status=9999"], ["--fault", "kind=error,message=" + "m" * 256], ["--fault", "kind=hang,ms=1e300"], ["--verify", "x"], ["--speed", "-1"], ["--speed", "inf"], ["--speed", "nan"], ["--speed", "1e300"], ["--speed", "1e-300"], ["--account", "12"], ["more"], ["--nope"], ["--lag", "soon"]):
        run = subprocess.run([program, *wrong], capture_output=True, text=True, timeout=10)
        assert run.returncode == 2 and run.stderr, (wrong, run)
    for pattern in ("ecs.Foo", "ECS.*", "ListClusters", "registry.GETNothing", "ecs.List"):
        run = subprocess.run([program, "--fault", "kind=error,operation=" + pattern], capture_output=True, text=True, timeout=10)
        assert run.returncode == 2 and "operation matches none" in run.stderr, (pattern, run)
    run = subprocess.run([program, "--listen", "127.0.0.1:99999"], capture_output=True, text=True, timeout=10)
    assert run.returncode == 1 and "cannot listen" in run.stderr, run
    assert "Usage" in subprocess.run([program, "--help"], capture_output=True, text=True, timeout=10).stdout


def addresses(program):
    for listen, host in ((":0", "127.0.0.1"), ("0.0.0.0:0", "0.0.0.0"), ("localhost:0", None)):
        with Served(program, "--listen", listen) as served:
            assert host is None or served.address.rsplit(":", 1)[0] == host, (listen, served.address)
            assert served.ecs("ListClusters") == {"clusterArns": []}


def main(program):
    with Served(program, "--speed", "4") as served:
        protocol(served)
        unknown_members(served)
        faults(served)
        logs(served)
    buckets(program)
    steps(program)
    options(program)
    addresses(program)


if __name__ == "__main__":
    main(sys.argv[1])
