# SPDX-License-Identifier: Apache-2.0
"""A working session against moto: look around, search, archive, scale, deploy, and be refused."""
import os

import peer


class Session(peer.Case):
    @classmethod
    def setUpClass(cls):
        cls.moto = cls.enter(peer.Moto())
        url = cls.moto.url
        cls.ecs = peer.client(url)
        for name in ("prod", "staging"):
            cls.ecs.create_cluster(clusterName=name)
        peer.family(cls.ecs, "web", 3)
        peer.family(cls.ecs, "worker", 2)
        for name, definition, count in (("web", "web:2", 2), ("api", "web:3", 1), ("front", "web:3", 1), ("worker", "worker:2", 4)):
            peer.service(cls.ecs, "prod", name, definition, count)
        peer.service(cls.ecs, "staging", "web", "web:3", 1)
        cls.proxy = None
        if os.path.exists(peer.PROXY):
            cls.proxy = cls.enter(peer.Proxy(url))
            url = cls.proxy.url
        else:
            print("no proxy (ECSFS_SHARED is not set): the calls are not checked")
        cls.mount = cls.enter(peer.Mount(url))

    def sh(self, script):
        done = self.mount.sh(script)
        self.assertEqual(done.returncode, 0, "%s\n%s%s\n%s" % (script, done.stdout, done.stderr, self.mount.said()))
        return done.stdout

    def ours(self, name, cluster="prod"):
        return self.ecs.describe_services(cluster=cluster, services=[name])["services"][0]

    def updates(self):
        return [e["params"] for e in self.proxy.log("UpdateService")] if self.proxy else None

    def setUp(self):
        if self.proxy:
            self.proxy.reset()

    def tearDown(self):
        if self.proxy:
            self.assertEqual(self.proxy.unclean(), [])

    def test_ls(self):
        self.assertEqual(self.sh("ls clusters").split(), ["prod", "staging"])
        self.assertEqual(self.sh("ls clusters/prod/services").split(), ["api", "front", "web", "worker"])
        self.assertEqual(self.sh("ls task-definitions").split(), ["web", "worker"])
        self.assertLessEqual({"1.json", "2.json", "3.json", "latest.json"}, set(self.sh("ls task-definitions/web").split()))
        self.sh("ls -lR . > /dev/null")

    def test_cat(self):
        at = "clusters/prod/services/worker/"
        self.assertEqual(self.sh("cat %sdesired-count %srunning-count %stask-definition %sstatus" % (at, at, at, at)),
                         "4\n4\nworker:2\nACTIVE\n")
        self.assertEqual(self.sh("cat %sarn" % at), self.ours("worker")["serviceArn"] + "\n")
        self.assertEqual(self.sh("cat clusters/*/services/web/desired-count"), "2\n1\n")
        self.assertIn("worker", self.sh("cat clusters/prod/overview"))

    def test_grep(self):
        found = self.sh("grep -rl '\"example.com/web:v3\"' task-definitions").split()
        self.assertIn("task-definitions/web/3.json", found)
        self.assertFalse([f for f in found if "/worker/" in f or f.endswith("/2.json")])
        self.assertEqual(self.sh("grep -rlx web:3 clusters --include=task-definition | sort").split(),
                         ["clusters/prod/services/api/task-definition", "clusters/prod/services/front/task-definition",
                          "clusters/staging/services/web/task-definition"])

    def test_find_and_tar_see_the_same(self):
        self.assertEqual(len(self.sh("find clusters -name desired-count").split()), 5)
        found = self.sh("find clusters task-definitions ! -type d | sort")
        # Write-only files cannot be archived by the user who may not read them; root may, and gets nothing.
        taken = self.sh("tar cf - clusters task-definitions | tar tf - | grep -v '/$' | sort")
        self.assertEqual(found, taken)

    def test_scale(self):
        self.sh("cat clusters/prod/services/web/desired-count")
        self.setUp()
        self.sh("echo 5 > clusters/prod/services/web/desired-count")
        if self.proxy:
            (params,) = self.updates()
            self.assertEqual({k: v.split("/")[-1] if isinstance(v, str) else v for k, v in params.items()},
                             {"cluster": "prod", "service": "web", "desiredCount": 5})
        self.assertEqual(self.ours("web")["desiredCount"], 5)
        self.assertEqual(self.sh("cat clusters/prod/services/web/{desired,running}-count"), "5\n5\n")

    def test_deploy(self):
        at = "clusters/prod/services/front/"
        self.addCleanup(self.sh, "echo web:3 > %stask-definition" % at)
        self.sh("echo web:1 > %stask-definition" % at)
        self.assertEqual(self.ours("front")["taskDefinition"].split("/")[-1], "web:1")
        self.assertEqual(self.sh("cat %stask-definition" % at), "web:1\n")
        self.sh("echo web > %stask-definition" % at)
        if self.proxy:  # moto itself takes "web" for the name of a revision
            self.assertEqual(self.ours("front")["taskDefinition"].split("/")[-1], "web:3")
            self.assertEqual(self.sh("cat %stask-definition" % at), "web:3\n")
            self.assertEqual([sorted(p) for p in self.updates()], [["cluster", "service", "taskDefinition"]] * 2)

    def test_refused(self):
        at = "clusters/prod/services/worker/"
        for value in ("many", "-1", "3.5", "99999999999999999999"):
            done = self.mount.sh("echo %s > %sdesired-count" % (value, at))
            self.assertNotEqual(done.returncode, 0, value)
            self.assertIn("Invalid argument", done.stderr)
        if self.proxy:
            self.assertEqual(self.updates(), [])
        self.assertEqual(self.ours("worker")["desiredCount"], 4)
        done = self.mount.sh("echo worker:99 > %stask-definition" % at)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("task-definition", self.sh("tail -n 1 .ecsfs/errors"))
        self.assertEqual(self.sh("cat %stask-definition" % at), "worker:2\n")
        for script in ("cat clusters/none/arn", "cat clusters/prod/services/none/desired-count", "ls task-definitions/none"):
            done = self.mount.sh(script)
            self.assertIn("No such file or directory", done.stderr)


if __name__ == "__main__":
    peer.main()
