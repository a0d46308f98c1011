# SPDX-License-Identifier: Apache-2.0
"""ECR against moto: what boto3 sees is what the files say, and how often AWS is asked."""
import hashlib
import json
import os
import unittest

import peer

REPOSITORIES, IMAGES = 6, 120


def manifest(i):
    # Bytes that no JSON writer of ours would make.
    return '{ "schemaVersion":2,\n\t"mediaType" : "application/vnd.docker.distribution.manifest.v2+json", ' \
           '"config":{"size":%d,"digest":"sha256:%064d"},"layers":[{"size":1,"digest":"sha256:%064d"}] }' % (i + 1, i, i)


def digest(i):
    return "sha256:" + hashlib.sha256(manifest(i).encode()).hexdigest()


class Ecr(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = cls.enter(peer.Moto())
        cls.ecr = peer.client(cls.moto.url, "ecr")
        for r in range(REPOSITORIES):
            cls.ecr.create_repository(repositoryName="team/r%d" % r)
        for i in range(IMAGES):
            cls.ecr.put_image(repositoryName="team/r0", imageManifest=manifest(i), imageTag="v%d" % i, imageDigest=digest(i))
        cls.proxy = cls.enter(peer.Proxy(cls.moto.url))

    @classmethod
    def enter(cls, context):
        value = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return value

    def setUp(self):
        self.proxy.reset()
        self.mount = peer.Mount(self.proxy.url, "stale=30,allow_delete")
        self.mount.__enter__()
        self.addCleanup(self.mount.__exit__, None, None, None)

    def tearDown(self):
        self.assertEqual(self.proxy.unclean(), [])

    def sh(self, script):
        done = self.mount.sh(script)
        self.assertEqual((done.returncode, done.stderr), (0, ""), script)
        return done.stdout

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


if __name__ == "__main__":
    peer.need_proxy()
    peer.main()
