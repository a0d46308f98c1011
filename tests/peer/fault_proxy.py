#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fault_proxy.py --listen HOST:PORT --upstream URL: hands AWS's calls on, and hurts those it is told to hurt.

Port 0 is a free one; "listening on URL" is its first line. Of one operation at a time it is told, by POST:

  /_proxy/faults  {"kind": "reset", "op": "UpdateService", "times": 1}   times -1: each; KINDS below
  /_proxy/config  {"clock_offset": 3600}   AWS's clock: other signatures are refused, as AWS does
  /_proxy/reset   {}                       no faults

It tells nothing by itself: what was done is asked of the server behind it.
"""
import argparse
import datetime
import email.utils
import http.client
import http.server
import json
import re
import socket
import struct
import threading
import time
import urllib.parse

JSON = "application/x-amz-json-1.1"
ALLOWED = 300  # seconds that a signature's time may be off


def refusal(status, code, message):
    return status, JSON, json.dumps({"__type": "com.amazonaws#" + code, "message": message}).encode(), {}


# Answered without the call going on.
INSTEAD = {
    "throttle": lambda f: refusal(400, "ThrottlingException", "Rate exceeded"),
    "http500": lambda f: refusal(500, "ServerException", "An unexpected server error occurred."),
    "unavailable": lambda f: refusal(503, "ServiceUnavailableException", "Service is unavailable"),
    "http503": lambda f: (503, "text/plain", b"Service Unavailable\n", {"Retry-After": str(f.get("retry_after", 1))}),
    "html502": lambda f: (502, "text/html", b"<html><title>502 Bad Gateway</title></html>", {}),
    "redirect": lambda f: (307, JSON, b"", {"Location": "http://127.0.0.1:9/"}),
    "garbage": lambda f: (200, JSON, f["body"].encode(), {}),
    "empty": lambda f: (200, JSON, b"", {}),
    "array": lambda f: (200, JSON, b"[]", {}),
    "expired_token": lambda f: refusal(400, "ExpiredTokenException", "The security token included in the request is expired"),
    "access_denied": lambda f: refusal(400, "AccessDeniedException", "You are not authorized to perform this action"),
}
# What the true answer becomes.
CHANGED = {
    "dupkeys": lambda f, body: re.sub(rb'\A\{\s*("[^"]*")', rb'{\1: [], \1', body),
    "pad": lambda f, body: b" " * f["bytes"] + body,
    "truncate_json": lambda f, body: body[:max(1, len(body) // 2)],
}
# Without an answer, or with part of one. "_after": the call went on.
BROKEN = ("reset", "reset_after", "close", "close_after", "hang", "hang_after", "truncate", "slow", "keepalive_close")
KINDS = (*INSTEAD, *CHANGED, *BROKEN)


class State:
    lock = threading.Lock()
    faults = []
    clock_offset = 0

    @classmethod
    def take(cls, operation):
        with cls.lock:
            for fault in cls.faults:
                if fault["op"] == operation and fault["times"]:
                    fault["times"] -= 1  # below zero: for ever
                    return fault
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(time.time() + State.clock_offset, usegmt=True)

    def answer(self, status, kind, body, headers=(), length=None):
        self.send_response(status)
        for name, value in {"Content-Type": kind, **dict(headers)}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def control(self, what, given):
        with State.lock:
            if what == "faults":
                if given["kind"] not in KINDS:
                    return self.answer(400, "text/plain", b"unknown kind\n")
                State.faults.append(dict({"times": -1}, **given))
            elif what == "config":
                State.clock_offset = given.get("clock_offset", State.clock_offset)
            elif what == "reset":
                State.faults.clear()
        return self.answer(200, "application/json", b"{}")

    def off(self):
        """Whether the signature's time is not ours."""
        signed = datetime.datetime.strptime(self.headers.get("X-Amz-Date", "19700101T000000Z"), "%Y%m%dT%H%M%S%z").timestamp()
        return State.clock_offset and abs(signed - time.time() - State.clock_offset) > ALLOWED

    def forward(self, body):
        connection = http.client.HTTPConnection(UPSTREAM.hostname, UPSTREAM.port, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            response = connection.getresponse()
            return response.status, response.headers.get("Content-Type", JSON), response.read()
        finally:
            connection.close()

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/_proxy/"):
            return self.control(self.path.split("/")[2], json.loads(body))
        if self.off():
            return self.answer(*refusal(403, "InvalidSignatureException", "Signature not yet current, or expired"))
        fault = State.take(self.headers.get("X-Amz-Target", "").split(".")[-1])
        kind = fault["kind"] if fault else None
        if kind in INSTEAD:
            return self.answer(*INSTEAD[kind](fault))
        if kind in ("reset", "close", "hang"):
            return self.end(kind, fault)
        status, content_type, answer = self.forward(body)
        if kind in CHANGED:
            answer = CHANGED[kind](fault, answer)
        if kind in ("reset_after", "close_after", "hang_after"):
            return self.end(kind[:-len("_after")], fault)
        if kind == "truncate":
            self.answer(status, content_type, answer[:len(answer) // 2], length=len(answer))
            return self.end("close", fault)
        if kind == "slow":
            return self.dribble(status, content_type, answer, fault)
        self.answer(status, content_type, answer)
        if kind == "keepalive_close":  # promised to stay, and gone
            self.close_connection = True
        return None

    def end(self, how, fault):
        if how == "hang":
            time.sleep(fault["seconds"])
        self.close_connection = True
        if how == "reset":
            self.reset()

    def dribble(self, status, content_type, answer, fault):
        self.answer(status, content_type, b"", length=len(answer))
        step = max(1, len(answer) // fault["pieces"])
        for at in range(0, len(answer), step):
            time.sleep(fault["seconds"] / fault["pieces"])
            self.wfile.write(answer[at:at + step])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # the client is gone: that is what the tests are about


def main():
    global UPSTREAM
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--upstream", required=True)
    arguments = parser.parse_args()
    UPSTREAM = urllib.parse.urlsplit(arguments.upstream)
    host, port = arguments.listen.rsplit(":", 1)
    with Server((host, int(port)), Handler) as server:
        print("listening on http://%s:%d" % server.server_address, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
