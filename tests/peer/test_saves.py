# SPDX-License-Identifier: Apache-2.0
"""Saves against moto, behind a proxy that counts and loses answers: one save is one revision, one run one set of
tasks, whatever the network does; and every call is one that AWS takes."""
import json
import os
import signal
import subprocess
import time

import peer

EDITORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mount", "editors.test")
LOST = ("reset_after", "close_after")


class Saves(peer.Case):
    @classmethod
    def setUpClass(cls):
        cls.moto = cls.enter(peer.Moto())
        cls.ecs = peer.client(cls.moto.url)
        cls.proxy = cls.enter(peer.Proxy(cls.moto.url))
        cls.ecs.create_cluster(clusterName="prod")
        peer.family(cls.ecs, "app", 2)
        peer.service(cls.ecs, "prod", "app", "app:2", 2)

    def setUp(self):
        self.proxy.reset()

    def tearDown(self):
        self.assertEqual(self.proxy.unclean(), [])
        self.proxy.reset()

    def mount(self, options="stale=1"):
        mount = peer.Mount(self.proxy.url, options)
        mount.__enter__()
        self.addCleanup(mount.__exit__, None, None, None)
        return mount

    def count(self, op):
        return len(self.proxy.log(op))

    def revisions(self, family):
        return self.ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]

    def save(self, mount, path, change):
        document = mount.json(path)
        change(document)
        text = json.dumps(document) + "\n"
        with open(mount.path(path), "w") as f:
            f.write(text)

    def test_editors(self):
        environment = dict(os.environ, ECSFS=peer.ECSFS, ECSFS_EDITORS_ENDPOINT=self.proxy.url,
                           AWS_ACCESS_KEY_ID=peer.KEY, AWS_SECRET_ACCESS_KEY=peer.SECRET)
        run = subprocess.run(["bash", EDITORS], env=environment, capture_output=True, text=True, timeout=280)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        saves = run.stdout.count("_") - run.stdout.count("SKIPPED")
        self.assertGreater(saves, 30)
        self.assertEqual(self.count("RegisterTaskDefinition"), len(self.revisions("web")))

    def test_lost_registration(self):
        path = "task-definitions/app/latest.json"
        mount = self.mount()
        for kind in LOST:
            before = len(self.revisions("app"))
            self.proxy.reset()
            self.proxy.fault(kind, op="RegisterTaskDefinition", times=1)
            self.save(mount, path, lambda d, kind=kind: d["containerDefinitions"][0].update(image="lost:" + kind))
            self.assertEqual(len(self.revisions("app")), before + 1, kind)
            self.assertEqual(self.count("RegisterTaskDefinition"), 1, kind)
            self.assertEqual(mount.json(path)["containerDefinitions"][0]["image"], "lost:" + kind)
            self.assertIn("%d.json" % (before + 1), mount.ls("task-definitions/app"))

    def test_interrupted(self):
        """Ctrl-C ends a save whose answer hangs; saving again finds what was done, and does it once."""
        path = "task-definitions/app/latest.json"
        mount = self.mount()
        document = mount.json(path)
        document["containerDefinitions"][0]["image"] = "interrupted:1"
        with open(mount.home + "/new.json", "w") as f:
            json.dump(document, f)
        before = len(self.revisions("app"))
        self.proxy.fault("hang_after", op="RegisterTaskDefinition", times=1, seconds=4)
        copy = ["cp", mount.home + "/new.json", mount.path(path)]
        first = subprocess.Popen(copy, stderr=subprocess.DEVNULL)
        self.assertTrue(peer.until(lambda: len(self.revisions("app")) > before))
        began = time.monotonic()
        first.send_signal(signal.SIGINT)
        first.wait(30)
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual(subprocess.run(copy, timeout=60).returncode, 0)
        self.assertEqual(len(self.revisions("app")), before + 1)
        self.assertEqual(mount.json(path)["containerDefinitions"][0]["image"], "interrupted:1")

    def test_lost_before_it_arrived(self):
        path = "task-definitions/app/latest.json"
        mount = self.mount()
        before = len(self.revisions("app"))
        self.proxy.fault("reset", op="RegisterTaskDefinition", times=1)
        self.save(mount, path, lambda d: d["containerDefinitions"][0].update(image="lost:before"))
        self.assertEqual(len(self.revisions("app")), before + 1)

    def test_lost_update(self):
        mount = self.mount()
        for n, kind in enumerate(LOST):
            self.proxy.reset()
            self.proxy.fault(kind, op="UpdateService", times=1)
            path = "clusters/prod/services/app/service.json"
            self.save(mount, path, lambda d, n=n: d.update(taskDefinition="app:1" if n else "app:2", desiredCount=4 + n))
            self.assertEqual(self.count("UpdateService"), 1, kind)
            self.assertEqual(mount.cat("clusters/prod/services/app/desired-count"), "%d\n" % (4 + n))

    def test_lost_creation(self):
        mount = self.mount()
        os.mkdir(mount.path("clusters/prod/services/new"))
        self.proxy.fault("reset_after", op="CreateService", times=1)
        def create():
            with open(mount.path("clusters/prod/services/new/service.json"), "w") as f:
                f.write('{"taskDefinition": "app:1", "desiredCount": 1}\n')
        mount.failing(create)  # moto does not know tokens: to it, the second try is another creation
        calls = self.proxy.log("CreateService")
        self.assertEqual(len(calls), 2)
        self.assertEqual(calls[0]["params"], calls[1]["params"], "tried again with the same token")
        self.assertEqual(mount.cat("clusters/prod/services/new/desired-count"), "1\n")

    def test_lost_run(self):
        mount = self.mount()
        self.proxy.fault("reset_after", op="RunTask", times=1)
        document = {"taskDefinition": "app:1", "launchType": "FARGATE",
                    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}}}
        fd = os.open(mount.path("clusters/prod/tasks/run"), os.O_RDWR)
        self.addCleanup(os.close, fd)
        mount.failing(lambda: os.write(fd, json.dumps(document).encode()))
        calls = self.proxy.log("RunTask")
        self.assertEqual(len(calls), 2)
        self.assertEqual(calls[0]["params"], calls[1]["params"], "tried again with the same token, which AWS knows")
        self.assertEqual(len(calls[0]["params"]["clientToken"]), 32)

    def test_only_what_differs(self):
        mount = self.mount()
        path = "clusters/prod/services/app/service.json"
        text = mount.cat(path)
        with open(mount.path(path), "w") as f:
            f.write(text)
        self.assertEqual(self.count("UpdateService"), 0)
        self.save(mount, path, lambda d: d.update(desiredCount=7))
        self.assertEqual([e["params"] for e in self.proxy.log("UpdateService")],
                         [{"cluster": "prod", "service": "app", "desiredCount": 7}])

    def test_refused_without_a_verdict(self):
        path = "task-definitions/app/latest.json"
        mount = self.mount()
        old = mount.cat(path)
        for kind, name in (("access_denied", "EACCES"), ("expired_token", "EKEYEXPIRED"), ("http500", "EIO")):
            self.proxy.reset()
            self.proxy.fault(kind, op="RegisterTaskDefinition")
            change = lambda d, kind=kind: d["containerDefinitions"][0].update(image="refused:" + kind)
            self.assertEqual(mount.failing(lambda: self.save(mount, path, change)), name, kind)
            self.assertEqual(mount.cat(path), old)
            self.assertIn("refused:" + kind, "".join(mount.cat(".ecsfs/rejected/" + n) for n in mount.ls(".ecsfs/rejected")))
        self.proxy.reset()
        self.save(mount, path, change)
        self.assertEqual(self.count("RegisterTaskDefinition"), 1, "not remembered: it is tried again")


if __name__ == "__main__":
    peer.need_proxy()
    peer.main()
