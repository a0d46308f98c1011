#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every fault against every kind of operation, on a real mount before ecs-local.

  test_matrix.py [--recording] ECSFS ECS_LOCAL [FAULT...]

Each cell: the errno that a program gets, how long it took, and what the server did. What must hold in each:
the errno is the right one, nobody waits beyond the deadline, nothing is done twice, what was shown is shown on,
a document that was refused is kept in .ecsfs/rejected, and once the trouble is over the file tells the truth.
"lasting": each answer goes wrong. "once": only the first does.

The faults are made by fault_proxy.py; with --recording by the proxy of ECSFS_SHARED, which checks each call too.
"""
import concurrent.futures
import errno
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer  # noqa: E402

TIMEOUT = 3  # seconds; -o timeout=
BOUND = TIMEOUT + 6  # the FUSE face's own deadline comes 5 s after the backend's
AT_ONCE = 16  # faults, each in a world of its own: mostly they wait
FAULT_PROXY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fault_proxy.py")
WEB = "clusters/prod/services/web/"
LATEST = "task-definitions/web/latest.json"
OPERATIONS = {"list": "ListServices", "describe": "DescribeServices", "update": "UpdateService",
              "register": "RegisterTaskDefinition", "run": "RunTask"}
WRITES = ("update", "register", "run")

# name, the proxy's fault, errno while it lasts, what heals by itself when it happens once:
#   "all"    refused for certain, or a read: any call is sent again
#   "look"   reads are sent again; a write whose answer was lost is looked for first
#   "writes" a broken answer: a read fails, a write is looked for
#   "none"   another try would not help, or has no time
FAULTS = (
    ("throttle", {"kind": "throttle"}, "EBUSY", "all"),
    ("500", {"kind": "http500"}, "EIO", "look"),
    ("503 of AWS", {"kind": "unavailable"}, "EIO", "all"),
    ("503 of a proxy", {"kind": "http503", "retry_after": 0}, "EIO", "look"),
    ("502 HTML", {"kind": "html502"}, "EIO", "look"),
    ("reset", {"kind": "reset"}, "EIO", "look"),
    ("reset after", {"kind": "reset_after"}, "EIO", "look"),
    ("close", {"kind": "close"}, "EIO", "look"),
    ("close after", {"kind": "close_after"}, "EIO", "look"),
    ("hang", {"kind": "hang", "seconds": 30}, "ETIMEDOUT", "none"),
    ("hang after", {"kind": "hang_after", "seconds": 30}, "ETIMEDOUT", "none"),
    ("slow body", {"kind": "slow", "seconds": 60, "pieces": 60}, "ETIMEDOUT", "none"),
    ("cut off", {"kind": "truncate"}, "EIO", "look"),
    ("truncated JSON", {"kind": "truncate_json"}, "EPROTO", "writes"),
    ("empty reply", {"kind": "empty"}, "EPROTO", "writes"),
    ("duplicate keys", {"kind": "dupkeys"}, "EPROTO", "writes"),
    ("giant body", {"kind": "pad", "bytes": 8 << 20}, "EPROTO", "writes"),
    ("deep JSON", {"kind": "garbage", "body": '{"a":' * 1000 + "1" + "}" * 1000}, "EPROTO", "writes"),
    ("wrong types", {"kind": "array"}, "EPROTO", "writes"),
    ("HTML", {"kind": "garbage", "body": "<html>hello</html>"}, "EPROTO", "writes"),
    ("redirect", {"kind": "redirect"}, "EPROTO", "none"),
    ("expired token", {"kind": "expired_token"}, "EKEYEXPIRED", "none"),
    ("access denied", {"kind": "access_denied"}, "EACCES", "none"),
    ("clock skew", "clock", None, "all"),
    ("dropped keep-alive", {"kind": "keepalive_close"}, None, "all"),
)


class Local:
    """ecs-local with a cluster, a service and a family."""

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        port = peer.free_port()
        self.url = "http://127.0.0.1:%d" % port
        self.process = subprocess.Popen([self.program, "--listen", "127.0.0.1:%d" % port], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=peer.end_with_me)
        if not peer.until(self.answers, 20):
            raise RuntimeError("ecs-local does not start")
        self.ask("CreateCluster", clusterName="prod")
        self.ask("RegisterTaskDefinition", family="web", containerDefinitions=[
            {"name": "app", "image": "example.com/web:v1", "essential": True, "memory": 128}])
        self.ask("RegisterTaskDefinition", family="job", requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256",
                 memory="512", containerDefinitions=[{"name": "app", "image": "example.com/job:v1", "essential": True}])
        self.ask("CreateService", cluster="prod", serviceName="web", taskDefinition="web:1", desiredCount=0)
        return self

    def __exit__(self, *_):
        peer.stop(self.process)

    def answers(self):
        try:
            return urllib.request.urlopen(self.url + "/_local/health", timeout=5).status == 200
        except OSError:
            return False

    def ask(self, operation, **input):
        request = urllib.request.Request(self.url, data=json.dumps(input).encode(), headers={
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonEC2ContainerServiceV20141113." + operation})
        return json.load(urllib.request.urlopen(request, timeout=20))

    # what there is now
    def count(self, operation):
        if operation == "update":
            return self.ask("DescribeServices", cluster="prod", services=["web"])["services"][0]["desiredCount"]
        if operation == "register":
            return len(self.ask("ListTaskDefinitions", familyPrefix="web")["taskDefinitionArns"])
        return sum(len(self.ask("ListTasks", cluster="prod", desiredStatus=s)["taskArns"]) for s in ("RUNNING", "STOPPED"))


class World:
    """The server, the proxy where there is one, and how a fault is made."""

    def __init__(self, program):
        self.local = Local(program)
        self.proxy = None

    def __enter__(self):
        self.local.__enter__()
        if RECORDING:
            self.proxy = peer.Proxy(self.local.url, "--mode", "flag")
            self.proxy.command.remove("--fidelity")
        else:
            self.proxy = peer.Proxy(self.local.url)
            self.proxy.command = [sys.executable, FAULT_PROXY, "--upstream", self.local.url]
        self.proxy.__enter__()
        self.url = self.proxy.url
        return self

    def __exit__(self, *_):
        self.proxy.__exit__()
        self.local.__exit__()

    def hurt(self, fault, operation, times):
        if fault[1] == "clock":
            self.proxy.config(mode="enforce", clock_offset=3600)
        else:
            self.proxy.fault(op=OPERATIONS[operation], **dict(fault[1], times=times))

    def heal(self):
        self.proxy.config(mode="flag", clock_offset=0)
        self.proxy.reset()


def document(mount, number):
    """As an editor saves: a temporary file, renamed over the name."""
    text = json.dumps({"containerDefinitions": [{"name": "app", "image": "example.com/web:n%d" % number, "essential": True,
                                                 "memory": 128}]})
    temporary = mount.path("task-definitions/web/.latest.json.swp")
    with open(temporary, "w") as f:
        f.write(text)
    os.rename(temporary, mount.path(LATEST))


def run_task(mount):
    fd = os.open(mount.path("clusters/prod/tasks/run"), os.O_RDWR)
    try:
        os.write(fd, json.dumps({"taskDefinition": "job:1", "launchType": "FARGATE", "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d"]}}}).encode() + b"\n")
        return os.read(fd, 4096)
    finally:
        os.close(fd)


class Cell:
    """One operation under one fault."""

    def __init__(self, world, mount, fault, operation, once, number):
        self.world, self.mount, self.fault, self.operation, self.once, self.number = world, mount, fault, operation, once, number
        self.problems = []

    def do(self):
        mount = self.mount
        if self.operation == "list":
            os.listdir(mount.path("clusters/prod/services"))
        elif self.operation == "describe":
            mount.cat(WEB + "desired-count")
        elif self.operation == "update":
            mount.echo(str(self.number), WEB + "desired-count")
        elif self.operation == "register":
            document(mount, self.number)
        else:
            run_task(mount)

    def wanted(self):
        """The errno's names that are right; None is success."""
        name, _, error, heals = self.fault
        writes = self.operation in WRITES
        if error is None:
            return (None,)
        if self.once and (heals == "all" or heals == "look" or (heals == "writes" and writes)):
            return (None,)
        # While it lasts: a write that was done is found by looking, whatever its answer was.
        done = name in ("reset after", "close after", "hang after", "slow body", "cut off", "truncated JSON", "duplicate keys", "giant body")
        if writes and done:
            return (None, error)
        if writes and self.once and name in ("hang",):
            return (None, error)
        return (error,)

    def shown(self):
        """What the mount shows of it, without asking anew."""
        return self.mount.cat(LATEST if self.operation == "register" else WEB + "desired-count")

    def run(self):
        world, mount, operation = self.world, self.mount, self.operation
        if operation in WRITES:
            old = self.shown()
            before = world.local.count(operation)
        else:
            mount.echo("/", ".ecsfs/refresh")
        kept = len(mount.ls(".ecsfs/rejected"))
        world.hurt(self.fault, operation, 1 if self.once else -1)
        began = time.monotonic()
        error = peer_failing(self.do)
        took = time.monotonic() - began
        if operation in WRITES and error is not None and self.shown() != old:
            # it may tell the truth already: then the server has it
            if operation == "update" and world.local.count(operation) != self.number:
                self.problems.append("shows what is not so")
        world.heal()
        if took > BOUND:
            self.problems.append("took %.1f s" % took)
        if error not in self.wanted():
            self.problems.append("%s, wanted %s" % (error, "/".join(str(w) for w in self.wanted())))
        effects = ""
        if operation in WRITES:
            effects = self.effects(error, before, kept)
        elif error is not None:
            self.told(mount, error)
        healed = peer_failing(lambda: (mount.echo("/", ".ecsfs/refresh"), mount.cat(WEB + "desired-count"), mount.cat(LATEST),
                                       os.listdir(mount.path("clusters/prod/services"))))
        if healed:
            self.problems.append("does not heal: %s" % healed)
        elif operation == "update":
            truth = world.local.count("update")
            if mount.cat(WEB + "desired-count") != "%d\n" % truth:
                self.problems.append("after all shows %s, is %d" % (mount.cat(WEB + "desired-count").strip(), truth))
        return "%s%s %.1fs" % (error or "ok", effects, took)

    def told(self, mount, error):
        lines = mount.cat(".ecsfs/errors").splitlines()
        if not lines:
            self.problems.append("no word in .ecsfs/errors")

    def effects(self, error, before, kept):
        after = self.world.local.count(self.operation)
        if self.operation == "update":
            done = 1 if after == self.number else 0
            if after not in (before, self.number):
                self.problems.append("desired count %d, neither %d nor %d" % (after, before, self.number))
        else:
            done = after - before
        if done > 1:
            self.problems.append("done %d times" % done)
        if error is None and done != 1:
            self.problems.append("said to be done, done %d times" % done)
        if error is not None:
            self.told(self.mount, error)
            if self.operation == "register" and not done and len(self.mount.ls(".ecsfs/rejected")) <= kept and kept < 64:
                self.problems.append("the text is lost")
        return "/%d" % done


def peer_failing(do):
    """The errno's name, or None."""
    try:
        do()
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e.errno))
    return None


number = 0
lock = threading.Lock()


def next_number():
    global number
    with lock:
        number += 1
        return number


def row(fault, once):
    """One fault, in a world of its own -> ({operation: text}, problems)."""
    cells, problems = {}, []
    with World(LOCAL) as world, peer.Mount(world.url, "stale=1,timeout=%d" % TIMEOUT) as mount:
        for operation in OPERATIONS:
            cell = Cell(world, mount, fault, operation, once, next_number())
            cells[operation] = cell.run()
            problems += ["%s %s %s: %s" % (fault[0], "once" if once else "lasting", operation, p) for p in cell.problems]
        if mount.process.poll() is not None:
            problems.append("%s: the daemon is gone" % fault[0])
    return cells, problems


def main():
    global RECORDING, LOCAL
    arguments = sys.argv[1:]
    RECORDING = "--recording" in arguments
    if RECORDING:
        arguments.remove("--recording")
    if len(arguments) < 2:
        sys.exit(__doc__)
    peer.ECSFS, LOCAL = os.path.abspath(arguments[0]), os.path.abspath(arguments[1])
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        print("SKIP: /dev/fuse cannot be opened here")
        sys.exit(1 if os.environ.get("ECSFS_TESTS_MUST_MOUNT") == "1" else 77)
    if RECORDING:
        peer.need_proxy()
    faults = [f for f in FAULTS if (not RECORDING or f[1] != {"kind": "unavailable"}) and (not arguments[2:] or f[0] in arguments[2:])]
    print("%d faults, made by %s" % (len(faults), "the recording proxy" if RECORDING else "fault_proxy.py"))
    print("%-19s %-8s%s" % ("", "", "".join("%-19s" % o for o in OPERATIONS)))
    good = every = 0
    failed = []
    rows = [(i, once) for i in range(len(faults)) for once in (True, False)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        slow_first = sorted(rows, key=lambda r: (faults[r[0]][2] != "ETIMEDOUT", r[1]))
        made = {(i, once): pool.submit(row, faults[i], once) for i, once in slow_first}
        for i, once in rows:
            fault, (cells, problems) = faults[i], made[i, once].result()
            print("%-19s %-8s%s" % (fault[0], "once" if once else "lasting", "".join("%-19s" % c for c in cells.values())), flush=True)
            every += len(cells)
            good += len(cells) - len({p.split(":")[0] for p in problems})
            failed += problems
    print("(errno or ok / how often it was done at the server, how long)")
    for problem in failed:
        print("FAIL", problem)
    print("mount fault matrix %d/%d" % (good, every))
    sys.exit(bool(failed) or not every)


if __name__ == "__main__":
    main()
