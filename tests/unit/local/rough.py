#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rough treatment of ecs-local: clients that break the rules of HTTP or come in crowds, a disk that is full, files
that are no state. It goes on serving, loses nothing it answered, and touches no file of others."""
import hashlib
import http.client
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading

from served import Refused, Served

TARGET = b"X-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n"
LIST = b"POST / HTTP/1.1\r\nHost: x\r\n" + TARGET + b"Content-Length: 2\r\n\r\n{}"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dial(served):
    host, port = served.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 60)


def say(served, data, count=1):
    """The answers, as "200 body". With a count of 0 the client is gone before one comes."""
    answers = []
    with dial(served) as wire, wire.makefile("rb") as stream:
        wire.sendall(data)
        for _ in range(count):
            response = http.client.HTTPResponse(Kept(stream))
            response.begin()
            answers.append(f"{response.status} {response.read().decode()}")
    return "\n".join(answers)


class Kept:
    """For HTTPResponse: the stream, which it may not close."""

    def __init__(self, stream):
        self.stream = stream

    def makefile(self, _):
        return self

    def close(self):
        pass

    def __getattr__(self, name):
        return getattr(self.stream, name)


def broken_requests(served):
    head = b"POST / HTTP/1.1\r\nHost: x\r\n" + TARGET
    for name, data, status in (
        ("chunks", head + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "200"),
        ("no chunk", head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "400"),
        ("endless chunk", head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}", "413"),
        ("negative length", head + b"Content-Length: -5\r\n\r\n{}", "400"),
        ("half a body", head + b"Content-Length: 20\r\n\r\n{}", None),
        ("a TLS client", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10, None),
        ("long header", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 70000 + b"\r\n\r\n", "431"),
        ("deep JSON", head + b"Content-Length: 200000\r\n\r\n" + b"[" * 200000, "400"),
        ("no UTF-8", head + b"Content-Length: 20\r\n\r\n" + b'{"nextToken":"\xff\xfe12"}', "400"),
        ("HTTP/1.0", LIST.replace(b"HTTP/1.1", b"HTTP/1.0"), "200"),
    ):
        answer = say(served, data, 1 if status else 0)
        assert answer.startswith(f"{status} " if status else ""), (name, answer)
    assert say(served, LIST * 3, 3).count("200 ") == 3, "one after the other on one connection"
    large = head + b"Content-Length: %d\r\n\r\n" % (50 << 20) + b" " * (50 << 20)
    answer = say(served, large)
    assert answer.startswith("413") and "RequestEntityTooLargeException" in answer, answer


def crowd(served):
    """More connections than MHD would take by itself, all open at once."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = 1100 if hard == resource.RLIM_INFINITY or hard > 1200 else hard // 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard) if hard != resource.RLIM_INFINITY else 4096, hard))
    wires = [dial(served) for _ in range(count)]
    slow = dial(served)
    slow.sendall(LIST[:40])  # and one that never finishes
    for wire in wires:
        wire.sendall(LIST)
    for wire in wires:
        assert b"200 OK" in wire.recv(4096)
    for wire in [*wires, slow]:
        wire.close()


def registry(served):
    layer = os.urandom(600_000)
    served.call("ecr", "CreateRepository", repositoryName="rough")

    def ask(method, path, body=None, **headers):
        wire = served.connect()
        wire.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = wire.getresponse()
        data = response.read()
        wire.close()
        return response, data

    def upload():
        return ask("POST", "/v2/rough/blobs/uploads/")[0].getheader("Location")

    def push():
        at = upload()
        assert ask("PATCH", at, layer[:250_000])[0].status == 202
        assert ask("PATCH", at, layer[250_000:])[0].status == 202
        assert ask("PUT", f"{at}?digest={digest_of(layer)}")[0].status == 201

    pushes = [threading.Thread(target=push) for _ in range(4)]  # the same layer by four at a time
    for thread in pushes:
        thread.start()
    for thread in pushes:
        thread.join()
    blob = f"/v2/rough/blobs/{digest_of(layer)}"
    assert ask("GET", blob)[1] == layer
    head, nothing = ask("HEAD", blob)
    assert (head.status, head.getheader("Content-Length"), nothing) == (200, "600000", b"")
    for given, status, part in (
        ("bytes=10-19", 206, layer[10:20]), ("bytes=599990-", 206, layer[-10:]), ("bytes=-7", 206, layer[-7:]),
        ("bytes=5-9999999", 206, layer[5:]), ("bytes=9-5", 200, layer), ("lines=1-2", 200, layer),
        ("bytes=0-1,5-6", 200, layer), ("bytes=600000-", 416, b""), ("bytes=-0", 416, b""),
    ):
        response, data = ask("GET", blob, Range=given)
        assert (response.status, data) == (status, part), (given, response.status, len(data))
    at = upload()
    assert ask("PATCH", at, layer[:100], Content_Range="0-99")[0].status == 202
    assert ask("PATCH", at, layer[300:400], Content_Range="300-399")[0].status == 416
    assert ask("GET", at)[0].getheader("Range") == "0-99"
    assert ask("PUT", f"{at}?digest={digest_of(layer)}", layer[100:], Content_Range="100-599999")[0].status == 201
    at = upload()
    assert ask("PUT", f"{at}?digest={digest_of(layer)}", layer[1:])[0].status == 400, "another digest"
    assert ask("PATCH", at, b"x")[0].status == 404, "it is gone then"
    at = upload()
    assert ask("DELETE", at)[0].status == 204 and ask("GET", at)[0].status == 404
    for method, path in (("DELETE", blob), ("POST", blob), ("DELETE", "/v2/rough/manifests/v1"), ("PUT", "/v2/"), ("PATCH", "/v2/rough/tags/list")):
        response, data = ask(method, path)
        assert response.status == 405 and b"UNSUPPORTED" in data, (method, path, response.status)
    assert ask("GET", "/v2/../../etc/passwd/manifests/x")[0].status == 404
    assert ask("GET", "/v2/rough/manifests/")[0].status == 404
    assert ask("POST", "/v2/rough/blobs/uploads")[0].status == 202, "without its slash"


def full_disk(program, folder):
    """A file may not grow beyond half a MiB, as good as a full disk: what was answered stays, what was not is gone."""
    state = os.path.join(folder, "full.db")
    most = 512 * 1024

    def bound():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    answered = []
    with Served(program, "--state", state, preexec_fn=bound) as served:
        served.call("ecr", "CreateRepository", repositoryName="full")
        wire = served.connect()
        wire.request("POST", "/v2/full/blobs/uploads/")
        response = wire.getresponse()
        response.read()
        at, layer = response.getheader("Location"), os.urandom(2 << 20)
        statuses = []
        for method, path, body in (("PATCH", at, layer), ("PUT", f"{at}?digest={digest_of(layer)}", None),
                                   ("GET", f"/v2/full/blobs/{digest_of(layer)}", None)):
            wire.request(method, path, body)
            response = wire.getresponse()
            response.read()
            statuses.append(response.status)
        assert statuses == [500, 404, 404], f"no half of a layer: {statuses}"
        refusals = 0
        for i in range(400):
            try:
                served.ecs("RegisterTaskDefinition", wire, family=f"f{i}", containerDefinitions=[
                    {"name": "a", "image": "x", "memory": 10, "environment": [{"name": "A", "value": "y" * 3000}]}])
                answered.append(f"f{i}")
            except Refused as error:
                assert error.status == 500 and "cannot write its state" in str(error), error
                refusals += 1
                if refusals > 5:
                    break
        assert answered and refusals > 5, (len(answered), refusals)
        there = served.ecs("ListTaskDefinitionFamilies")["families"]  # reads go on
        assert set(answered) <= set(there) and len(there) <= len(answered) + 1, (len(there), len(answered))
    with Served(program, "--state", state) as served:
        there = served.ecs("ListTaskDefinitionFamilies")["families"]
        assert set(answered) <= set(there) and len(there) <= len(answered) + 1, (len(there), len(answered))
        served.ecs("CreateCluster")


def no_state(program, folder):
    def start(name, content):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content)
        run = subprocess.run([program, "--listen", "127.0.0.1:0", "--state", path], capture_output=True, text=True, timeout=30)
        with open(path, "rb") as file:
            assert file.read() == content, f"{name} was changed"
        assert sorted(n for n in os.listdir(folder) if n.startswith(name)) == [name], os.listdir(folder)
        assert run.returncode == 1 and not run.stdout, run
        return run.stderr

    assert "not a state file" in start("garbage", os.urandom(5000))
    assert "not a state file" in start("text", b"hello\n")
    path = os.path.join(folder, "mine")
    with Served(program, "--state", path) as served:
        served.ecs("CreateCluster")
    with open(path, "rb") as file:
        good = file.read()
    assert "damaged" in start("torn", good[: len(good) // 2])
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with open(path, "rb") as file:
        assert "newer ecsfs" in start("newer", file.read())
    with sqlite3.connect(os.path.join(folder, "other")) as db:
        db.execute("CREATE TABLE mine(a)")
    db.close()
    with open(os.path.join(folder, "other"), "rb") as file:
        assert "not a state file" in start("others", file.read())
    run = subprocess.run([program, "--state", folder], capture_output=True, text=True, timeout=30)
    assert run.returncode == 1 and "cannot open" in run.stderr, run


def unreadable_record(program, folder):
    """A record that contradicts itself: the state is not served, and what could be read of it is not written back."""
    path = os.path.join(folder, "record")
    with Served(program, "--state", path) as served:
        served.ecs("CreateCluster")
        served.ecs("RegisterTaskDefinition", family="f", containerDefinitions=[{"name": "a", "image": "x", "memory": 10}])
        served.ecs("CreateService", serviceName="s", taskDefinition="f", desiredCount=0)

    def records():
        db = sqlite3.connect(path)
        rows = db.execute("SELECT kind, key, body FROM record ORDER BY id").fetchall()
        db.close()
        return rows

    db = sqlite3.connect(path)
    assert db.execute("UPDATE record SET body = json_set(body, '$.deployments[0].revision', 'none') WHERE kind = 'service'").rowcount == 1
    db.commit()
    db.close()
    before = records()
    run = subprocess.run([program, "--listen", "127.0.0.1:0", "--state", path], capture_output=True, text=True, timeout=30)
    assert run.returncode == 1 and "cannot read the state" in run.stderr, run
    assert records() == before, "what could be read was written back"


def main(program):
    with Served(program) as served:
        broken_requests(served)
        crowd(served)
        registry(served)
        assert served.ecs("ListClusters") == {"clusterArns": []}
    with tempfile.TemporaryDirectory() as folder:
        full_disk(program, folder)
        no_state(program, folder)
        unreadable_record(program, folder)


if __name__ == "__main__":
    main(sys.argv[1])
