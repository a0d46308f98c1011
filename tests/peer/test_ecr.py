# SPDX-License-Identifier: Apache-2.0
"""ECR against moto: what boto3 sees is what the files say, and how often AWS is asked."""
import base64
import hashlib
import json
import os
import sys

import peer

REPOSITORIES, IMAGES = 6, 120


def manifest(i):
    # Bytes that no JSON writer of ours would make.
    return '{ "schemaVersion":2,\n\t"mediaType" : "application/vnd.docker.distribution.manifest.v2+json", ' \
           '"config":{"size":%d,"digest":"sha256:%064d"},"layers":[{"size":1,"digest":"sha256:%064d"}] }' % (i + 1, i, i)


def digest(i):
    return "sha256:" + hashlib.sha256(manifest(i).encode()).hexdigest()


class Ecr(peer.Case):
    @classmethod
    def setUpClass(cls):
        cls.moto = cls.enter(peer.Moto())
        cls.ecr = peer.client(cls.moto.url, "ecr")
        for r in range(REPOSITORIES):
            cls.ecr.create_repository(repositoryName="team/r%d" % r)
        for i in range(IMAGES):
            cls.ecr.put_image(repositoryName="team/r0", imageManifest=manifest(i), imageTag="v%d" % i, imageDigest=digest(i))
        cls.proxy = cls.enter(peer.Proxy(cls.moto.url))

    def setUp(self):
        self.proxy.reset()
        self.mount = peer.Mount(self.proxy.url, "stale=30,allow_delete")
        self.mount.__enter__()
        self.addCleanup(self.mount.__exit__, None, None, None)

    def tearDown(self):
        self.assertEqual(self.proxy.unclean(), [])

    def count(self, op):
        return self.proxy.ops().count(op)

    def test_a_walk_asks_by_the_thousand_and_the_hundred(self):
        self.sh("cat repositories/team/r0/images/*/pushed-at repositories/team/r0/images/*/image-tags > /dev/null")
        self.assertEqual(self.count("DescribeRepositories"), 1)
        self.assertEqual(self.count("DescribeImages"), 1)
        self.assertEqual(self.proxy.log("DescribeImages")[0]["params"]["maxResults"], 1000)
        out = self.sh("cd repositories/team/r0/images && sha256sum */manifest.json")
        self.assertEqual(sorted(line.split()[0] for line in out.splitlines()), sorted(digest(i)[7:] for i in range(IMAGES)))
        self.assertLessEqual(self.count("BatchGetImage"), (IMAGES + 99) // 100 + 1)
        self.assertEqual(self.count("DescribeImages"), 1)

    def test_the_whole_account_costs_a_listing_each(self):
        self.sh("find repositories -name severity > /dev/null; ls -l repositories/team/*/image-tags > /dev/null")
        self.assertEqual(self.count("DescribeRepositories"), 1)
        self.assertEqual(self.count("DescribeImages"), REPOSITORIES)
        self.assertEqual(self.count("GetAuthorizationToken") + self.count("GetDownloadUrlForLayer"), 0)

    def test_what_the_endpoint_cannot_tell_is_not_listed(self):
        self.sh("ls -lR repositories/team/r0 > /dev/null")  # moto knows nothing of signing

    def test_what_is_critical_and_what_runs_is_answered_from_lists(self):
        self.proxy.reset()
        self.sh("grep -sl CRITICAL repositories/team/*/images/*/severity; ls repositories/team/r0/images/*/in-use-by > /dev/null")
        self.assertEqual(self.count("DescribeRepositories"), 1)
        self.assertEqual(self.count("DescribeImages"), REPOSITORIES)
        self.assertEqual([op for op in self.proxy.ops() if op.startswith(("BatchGet", "GetDown", "GetAuth", "DescribeImageScan"))], [])
        self.assertEqual(self.count("ListClusters"), 1)

    def test_retagging_is_one_put_with_the_manifests_own_bytes(self):
        tags = "repositories/team/r0/image-tags"
        self.sh("ln -s ../images/%s %s/stable" % (digest(3), tags))
        self.proxy.reset()
        self.sh("ln -sfn ../images/%s %s/stable" % (digest(7), tags))
        puts = self.proxy.log("PutImage")
        self.assertEqual(len(puts), 1)
        self.assertEqual(puts[0]["params"]["imageManifest"], manifest(7))
        self.assertEqual(os.readlink(self.mount.path(tags, "stable")), "../images/" + digest(7))
        there = self.ecr.describe_images(repositoryName="team/r0", imageIds=[{"imageTag": "stable"}])
        self.assertEqual(there["imageDetails"][0]["imageDigest"], digest(7))
        listed = self.ecr.list_images(repositoryName="team/r0", maxResults=1000)["imageIds"]
        self.assertEqual([i["imageTag"] for i in listed if i.get("imageTag", "").startswith("Cu")], [])
        self.sh("rm %s/stable" % tags)
        self.assertNotIn("stable", self.mount.ls(tags))

    def test_policies_are_what_boto3_says(self):
        at = self.mount.path("repositories/team/r1/policy.json")
        self.assertFalse(os.path.exists(at))
        policy = {"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Principal": "*",
                                                          "Action": ["ecr:BatchGetImage"]}]}
        with open(at, "w") as f:
            json.dump(policy, f)
        self.assertEqual(json.loads(self.ecr.get_repository_policy(repositoryName="team/r1")["policyText"]), policy)
        self.assertEqual(self.mount.json("repositories/team/r1/policy.json"), policy)
        os.unlink(at)
        with self.assertRaises(self.ecr.exceptions.RepositoryPolicyNotFoundException):
            self.ecr.get_repository_policy(repositoryName="team/r1")

    def test_repositories_come_and_go(self):
        os.mkdir(self.mount.path("repositories/shop"))
        os.mkdir(self.mount.path("repositories/shop/web"))
        self.mount.echo('{"imageTagMutability": "IMMUTABLE"}', "repositories/shop/web/repository.json")
        there = self.ecr.describe_repositories(repositoryNames=["shop/web"])["repositories"][0]
        self.assertEqual(there["imageTagMutability"], "IMMUTABLE")
        self.assertEqual(self.mount.cat("repositories/shop/web/uri"), there["repositoryUri"] + "\n")
        os.rmdir(self.mount.path("repositories/shop/web"))
        self.assertEqual(peer.Mount.failing(lambda: os.rmdir(self.mount.path("repositories/team/r0"))), "ENOTEMPTY")
        os.rmdir(self.mount.path("repositories/shop"))

    def test_a_login_is_asked_for_each_time(self):
        login = self.mount.json("registry/auth.json")
        self.assertEqual(list(login["auths"]), [self.mount.cat("registry/uri").strip()])
        self.assertEqual(len(self.mount.cat("registry/password").split()), 1)
        self.assertEqual(self.count("GetAuthorizationToken"), 2)


class Emulator(peer.Case):
    """The same, and more, where images are scanned and tasks run: counted by ecs-local itself."""

    def setUp(self):
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit", "local"))
        from served import Served
        self.server = Served(os.environ["ECS_LOCAL"], "--speed", "50").__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)

    def fill(self):
        """Two repositories of 150 images, every image scanned; a task runs one of them."""
        layer = hashlib.sha256(b"layer").hexdigest()
        for name in ("team/app", "team/other"):
            made = self.server.call("ecr", "CreateRepository", repositoryName=name,
                                    imageScanningConfiguration={"scanOnPush": True})["repository"]
            upload = self.server.call("ecr", "InitiateLayerUpload", repositoryName=name)["uploadId"]
            self.server.call("ecr", "UploadLayerPart", repositoryName=name, uploadId=upload, partFirstByte=0, partLastByte=4,
                             layerPartBlob=base64.b64encode(b"layer").decode())
            self.server.call("ecr", "CompleteLayerUpload", repositoryName=name, uploadId=upload, layerDigests=["sha256:" + layer])
            connection = self.server.connect()
            for i in range(150):
                self.server.call("ecr", "PutImage", connection, repositoryName=name, imageTag="v%d" % i, imageManifest=json.dumps(
                    {"schemaVersion": 2, "config": {"digest": "sha256:" + layer, "size": 5},
                     "layers": [{"digest": "sha256:" + layer, "size": 5}], "annotations": {"n": name + str(i)}}))
            connection.close()
        self.server.ecs("CreateCluster", clusterName="prod")
        self.server.ecs("RegisterTaskDefinition", family="app", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256",
                        memory="512", executionRoleArn="arn:aws:iam::123456789012:role/x",
                        containerDefinitions=[{"name": "app", "image": made["repositoryUri"].replace("other", "app") + ":v7"}])
        task = self.server.ecs("RunTask", cluster="prod", taskDefinition="app", launchType="FARGATE",
                               networkConfiguration={"awsvpcConfiguration": {"subnets": ["s"]}})["tasks"][0]["taskArn"]
        peer.until(lambda: self.server.ecs("DescribeTasks", cluster="prod", tasks=[task])["tasks"][0]["lastStatus"] == "RUNNING", 60)
        return task.rsplit("/", 1)[1]

    def calls(self):
        counted = {name: row["calls"] for name, row in self.server.control("GET", "calls")[1].items()}
        self.server.control("DELETE", "calls")
        return counted

    def test_across_the_account_within_the_budget(self):
        task = self.fill()
        self.calls()
        with peer.Mount("http://" + self.server.address, "stale=60,pacing=off") as mount:
            found = mount.sh("grep -l CRITICAL repositories/team/*/images/*/severity | wc -l").stdout
            self.assertGreater(int(found), 0)
            cost = self.calls()
            self.assertEqual({n: c for n, c in cost.items() if n.startswith("ecr.")},
                             {"ecr.DescribeRepositories": 1, "ecr.DescribeImages": 2})
            running = mount.sh("ls -d repositories/team/app/images/*/in-use-by/* | wc -l; ls repositories/team/app/images/*/in-use-by").stdout
            self.assertEqual(running.split()[0], "1")
            self.assertIn("prod:" + task, running)
            cost = self.calls()
            self.assertEqual({n: c for n, c in cost.items() if n.startswith("ecr.") and "SigningConf" not in n and "Registry" not in n
                              and "PullThrough" not in n}, {})
            self.assertLessEqual(sum(c for n, c in cost.items() if n.startswith("ecs.")), 6)
            mount.sh("ls -lR repositories > /dev/null")  # a walk: by the thousand, the hundred, and the repository
            cost = self.calls()
            self.assertLessEqual(cost.pop("ecr.BatchGetImage"), 2 * 3)
            self.assertEqual(cost.get("ecr.DescribeImageScanFindings", 0) + cost.get("ecr.GetDownloadUrlForLayer", 0) +
                             cost.get("ecr.GetAuthorizationToken", 0) + cost.get("ecr.DescribeImageReplicationStatus", 0), 0)
            self.assertLessEqual(sum(c for n, c in cost.items() if n.startswith("ecr.")), 20, cost)

    def test_the_logins_open_the_registry(self):
        """As --authfile and docker login use them, against a registry that checks."""
        from served import Served
        with Served(os.environ["ECS_LOCAL"], "--verify", peer.KEY + ":" + peer.SECRET) as server, \
                peer.Mount("http://" + server.address, "pacing=off") as mount:
            os.mkdir(mount.path("repositories/app"))
            (auth,) = mount.json("registry/auth.json")["auths"].values()
            login = base64.b64encode(("AWS:" + mount.cat("registry/password").strip()).encode()).decode()
            for name, secret in (("auth.json", auth["auth"]), ("password", login), ("none", "QVdTOnBhc3M=")):
                at = os.path.join(mount.home, name)
                with open(at, "w") as f:  # the emulator stands at another address than the one ECR has
                    json.dump({"auths": {server.address: {"auth": secret}}}, f)
                asked = mount.sh("skopeo list-tags --tls-verify=false --authfile %s docker://%s/app" % (at, server.address))
                if asked.returncode == 127:
                    self.skipTest("skopeo is not here")
                self.assertEqual(asked.returncode == 0, name != "none", asked.stderr)

    def test_retagging_is_one_put_with_the_manifests_own_bytes(self):
        self.fill()
        with peer.Mount("http://" + self.server.address, "stale=60,pacing=off") as mount:
            tags = mount.path("repositories/team/app/image-tags")
            target = os.readlink(tags + "/v3")
            mount.sh("ls repositories/team/app/image-tags > /dev/null")
            self.calls()
            done = mount.sh("ln -sfn %s repositories/team/app/image-tags/stable" % target)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            cost = self.calls()
            self.assertEqual(cost["ecr.PutImage"], 1)
            image = self.server.call("ecr", "BatchGetImage", repositoryName="team/app", imageIds=[{"imageTag": "stable"}])["images"][0]
            self.assertEqual("../images/" + image["imageId"]["imageDigest"], target)
            self.assertEqual("sha256:" + hashlib.sha256(image["imageManifest"].encode()).hexdigest(), image["imageId"]["imageDigest"])
            listed = self.server.call("ecr", "ListImages", repositoryName="team/app", maxResults=1000)["imageIds"]
            self.assertEqual(len(listed), 151)


if __name__ == "__main__":
    peer.need_proxy()
    peer.main()
