# SPDX-License-Identifier: Apache-2.0
"""Every value that the mount shows, compared with what boto3 says of the same world."""
import contextlib
import datetime
import importlib.util
import io
import json
import os
import re

import peer

TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$")


def seconds(value):
    """A time of the mount ("2026-11-23T18:20:00Z") or of boto3, in seconds; None for anything else."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, str) and (m := TIME.match(value)):
        whole = datetime.datetime.fromisoformat(m.group(1) + "+00:00").timestamp()
        return whole + float(m.group(2) or 0)
    return None


def differences(shown, said, at=""):
    """Where the mount's document departs from boto3's, as lines."""
    if seconds(said) is not None and isinstance(said, datetime.datetime):
        have = seconds(shown)
        if have is None or abs(have - seconds(said)) > 0.002:
            yield "%s: %r is not the time %s" % (at, shown, said)
    elif isinstance(said, dict) and isinstance(shown, dict):
        for key in sorted(set(said) | set(shown)):
            if key not in shown or key not in said:
                yield "%s.%s: %s" % (at, key, "not shown" if key in said else "not at AWS")
            else:
                yield from differences(shown[key], said[key], at + "." + key)
    elif isinstance(said, list) and isinstance(shown, list) and len(said) == len(shown):
        order = lambda v: json.dumps(v, sort_keys=True, default=str)
        plain = all(not isinstance(v, (dict, list)) for v in said)
        pairs = zip(sorted(shown, key=order), sorted(said, key=order)) if plain or keyed(said) else zip(shown, said)
        for i, (a, b) in enumerate(pairs):
            yield from differences(a, b, "%s[%d]" % (at, i))
    elif shown != said:
        yield "%s: %r, at AWS %r" % (at, shown, said)


def keyed(items):
    """Sets, as AWS treats them: their order says nothing."""
    return all(isinstance(i, dict) and ("name" in i or "key" in i) for i in items)


def short(arn):
    return arn.rsplit("/", 1)[-1]


class Oracle(peer.Case):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.moto = cls.enter(peer.Moto())
        spec = importlib.util.spec_from_file_location("seed", os.path.join(peer.SHARED, "tools", "seed.py"))
        seed = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(seed)
        with contextlib.redirect_stdout(io.StringIO()):
            options = seed.parser().parse_args(["--endpoint", cls.moto.url, "--clusters", "3", "--services", "12",
                                                "--revisions", "4", "--tasks", "3", "--repos", "0"])
            cls.world = seed.build(options)
        cls.proxy = cls.enter(peer.Proxy(cls.moto.url))
        cls.ecs = peer.client(cls.proxy.url)
        cls.mount = cls.enter(peer.Mount(cls.proxy.url, "stale=600"))

    def same(self, path, said):
        found = list(differences(self.mount.json(path), said))
        self.assertEqual(found, [], path)

    def scalars(self, at, values):
        for name, value in values.items():
            if value is None:
                self.assertFalse(os.path.lexists(self.mount.path(at, name)), "%s/%s" % (at, name))
            elif value == "":  # moto says so of what AWS leaves out
                self.assertEqual(self.mount.cat("%s/%s" % (at, name)).strip(), "", "%s/%s" % (at, name))
            else:
                self.assertEqual(self.mount.cat("%s/%s" % (at, name)), "%s\n" % value, "%s/%s" % (at, name))

    def test_clusters(self):
        self.assertEqual(self.mount.ls("clusters"), sorted(self.world["clusters"]))
        said = self.ecs.describe_clusters(clusters=list(self.world["clusters"]),
                                          include=["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"])["clusters"]
        for c in said:
            at = "clusters/" + c["clusterName"]
            self.same(at + "/describe.json", c)
            self.scalars(at, {"arn": c["clusterArn"], "status": c["status"], "running-tasks": c["runningTasksCount"],
                              "pending-tasks": c["pendingTasksCount"], "active-services": c["activeServicesCount"],
                              "container-instances-count": c["registeredContainerInstancesCount"]})

    def test_services(self):
        for cluster, c in self.world["clusters"].items():
            names = sorted(c["services"])
            self.assertEqual(self.mount.ls("clusters/%s/services" % cluster), names)
            for i in range(0, len(names), 10):
                for s in self.ecs.describe_services(cluster=cluster, services=names[i:i + 10], include=["TAGS"])["services"]:
                    at = "clusters/%s/services/%s" % (cluster, s["serviceName"])
                    self.same(at + "/describe.json", s)
                    primary = next(d for d in s["deployments"] if d["status"] == "PRIMARY")
                    self.scalars(at, {"arn": s["serviceArn"], "status": s["status"], "desired-count": s["desiredCount"],
                                      "running-count": s["runningCount"], "pending-count": s["pendingCount"],
                                      "launch-type": s["launchType"], "task-definition": short(s["taskDefinition"]),
                                      "rollout-state": primary["rolloutState"]})
                    mine = {t for t, d in c["tasks"].items() if d["service"] == s["serviceName"] and d["status"] == "RUNNING"}
                    self.assertEqual(set(self.mount.ls(at + "/tasks")), mine)

    def test_tasks(self):
        for cluster, c in self.world["clusters"].items():
            ids = sorted(c["tasks"])
            self.assertEqual([t for t in self.mount.ls("clusters/%s/tasks" % cluster)], ids)
            for t in self.ecs.describe_tasks(cluster=cluster, tasks=ids, include=["TAGS"])["tasks"]:
                at = "clusters/%s/tasks/%s" % (cluster, short(t["taskArn"]))
                self.same(at + "/describe.json", t)
                self.scalars(at, {"arn": t["taskArn"], "status": t["lastStatus"], "desired-status": t["desiredStatus"],
                                  "task-definition": short(t["taskDefinitionArn"]), "group": t.get("group"),
                                  "started-by": t.get("startedBy"), "launch-type": t.get("launchType"),
                                  "stopped-reason": t.get("stoppedReason")})
                for k in t["containers"]:
                    inner = "%s/containers/%s" % (at, k["name"])
                    self.same(inner + "/describe.json", k)
                    self.scalars(inner, {"status": k.get("lastStatus"), "image": k.get("image"), "exit-code": k.get("exitCode")})

    def test_container_instances(self):
        for cluster, c in self.world["clusters"].items():
            self.assertEqual(self.mount.ls("clusters/%s/container-instances" % cluster), sorted(map(short, c["instances"])))
            for i in self.ecs.describe_container_instances(cluster=cluster, containerInstances=c["instances"],
                                                           include=["TAGS", "CONTAINER_INSTANCE_HEALTH"])["containerInstances"]:
                at = "clusters/%s/container-instances/%s" % (cluster, short(i["containerInstanceArn"]))
                self.same(at + "/describe.json", i)
                self.scalars(at, {"arn": i["containerInstanceArn"], "status": i["status"], "ec2-instance-id": i["ec2InstanceId"]})

    def test_task_definitions(self):
        self.assertEqual(self.mount.ls("task-definitions"), sorted(self.world["families"]))
        for name, f in self.world["families"].items():
            active = [r for r in range(1, f["latest"] + 1) if r not in f["inactive"]]
            names = self.mount.ls("task-definitions/" + name)
            self.assertEqual([n for n in names if re.fullmatch(r"\d+\.json", n)], ["%d.json" % r for r in active])
            self.assertEqual(self.mount.ls("task-definitions/%s/describe" % name), ["%d.json" % r for r in active])
            for r in active:
                said = self.ecs.describe_task_definition(taskDefinition="%s:%d" % (name, r))["taskDefinition"]
                shown = self.mount.json("task-definitions/%s/%d.json" % (name, r))
                filled = {"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt",
                          "registeredBy", "deregisteredAt", "deleteRequestedAt"}
                self.assertFalse(filled & set(shown))
                # The document for the editor may leave out what is empty and the name that is in its path.
                want = {k: v for k, v in said.items() if k not in filled}
                for key in set(want) - set(shown):
                    self.assertTrue(key == "family" or want[key] in ([], {}, None, ""), key)
                    want.pop(key)
                self.assertEqual(set(shown), set(want))
                for container in shown["containerDefinitions"]:
                    names = [e["name"] for e in container.get("environment", [])]
                    self.assertEqual(names, sorted(names), "sets are sorted by name")
            text = self.mount.cat("task-definitions/%s/latest.json" % name)
            self.assertEqual(text, json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n")
            self.assertEqual(text, self.mount.cat("task-definitions/%s/%d.json" % (name, f["latest"])))

    def test_sizes_are_true(self):
        for folder, _, files in os.walk(self.mount.at):
            for name in files:
                path = os.path.join(folder, name)
                st = os.lstat(path)
                if st.st_mode & 0o400 and st.st_size and os.path.isfile(path) and "/.ecsfs/" not in path:
                    with open(path, "rb") as f:
                        self.assertEqual(len(f.read()), st.st_size, path)

    def test_times(self):
        for name, f in self.world["families"].items():
            said = self.ecs.describe_task_definition(taskDefinition="%s:%d" % (name, f["latest"]))["taskDefinition"]
            for file in ("%d.json" % f["latest"], "latest.json", "describe/%d.json" % f["latest"]):
                at = self.mount.path("task-definitions", name, file)
                self.assertAlmostEqual(os.stat(at).st_mtime, said["registeredAt"].timestamp(), delta=0.01, msg=at)

    @classmethod
    def tearDownClass(cls):
        unclean = cls.proxy.unclean()
        assert unclean == [], unclean


if __name__ == "__main__":
    peer.need_proxy()
    peer.main()
