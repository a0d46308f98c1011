# SPDX-License-Identifier: Apache-2.0
"""An ecs-local of a test's own, and calls to it with nothing but the standard library."""
import http.client
import json
import subprocess

TARGETS = {
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "ecr-public": "SpencerFrontendService",
    "logs": "Logs_20140328",
}


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code = status, code


class Served:
    def __init__(self, program, *options, preexec_fn=None):
        self.process = subprocess.Popen(
            [program, "--listen", "127.0.0.1:0", *options], stdout=subprocess.PIPE, text=True, preexec_fn=preexec_fn
        )
        line = self.process.stdout.readline()
        assert "listening on" in line, f"ecs-local did not start: {line!r}"
        self.address = line.rsplit(" ", 1)[1].strip()

    def connect(self, timeout=60):
        host, port = self.address.rsplit(":", 1)
        return http.client.HTTPConnection(host, int(port), timeout=timeout)

    def call(self, service_, operation, connection=None, **members):
        own = connection or self.connect()
        own.request(
            "POST",
            "/",
            json.dumps(members),
            {
                "X-Amz-Target": f"{TARGETS[service_]}.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
                "Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/ecs/aws4_request, "
                "SignedHeaders=host, Signature=00",
            },
        )
        response = own.getresponse()
        body = json.loads(response.read() or b"{}")
        if not connection:
            own.close()
        if response.status != 200:
            raise Refused(response.status, body.get("__type"), body.get("message"))
        return body

    def ecs(self, operation, connection=None, **members):
        return self.call("ecs", operation, connection, **members)

    def control(self, method, path, body=None):
        own = self.connect()
        own.request(method, f"/_local/{path}", json.dumps(body) if body is not None else None)
        response = own.getresponse()
        tree = json.loads(response.read())
        own.close()
        return response.status, tree

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(50)  # a lost SIGTERM shows: the loop waits a minute at most

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if kind:
            self.kill()
        else:
            assert self.stop() == 0
