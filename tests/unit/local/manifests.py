#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manifests and lifecycle policies in ECR: what is none is refused, and what an index names goes only after it."""
import base64
import hashlib
import json
import sys

from served import Refused, Served

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker.distribution."
BLOB = b"layer"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


def refused(code, function, *words):
    try:
        function()
    except Refused as error:
        assert error.code == code, error
        assert all(word in str(error) for word in words), error
        return
    raise AssertionError(f"not refused with {code}")


class Repository:
    def __init__(self, served, name):
        self.served, self.name = served, name
        self.call("CreateRepository")
        upload = self.call("InitiateLayerUpload")["uploadId"]
        self.call("UploadLayerPart", uploadId=upload, partFirstByte=0, partLastByte=len(BLOB) - 1,
                  layerPartBlob=base64.b64encode(BLOB).decode())
        self.call("CompleteLayerUpload", uploadId=upload, layerDigests=[digest_of(BLOB)])

    def call(self, operation, **members):
        return self.served.call("ecr", operation, repositoryName=self.name, **members)

    def put(self, tree, tag=None, **members):
        """The digest."""
        if tag:
            members["imageTag"] = tag
        text = tree if isinstance(tree, str) else json.dumps(tree)
        return self.call("PutImage", imageManifest=text, **members)["image"]["imageId"]["imageDigest"]

    def delete(self, **image):
        return self.call("BatchDeleteImage", imageIds=[image])

    def digests(self):
        return {row["imageDigest"] for row in self.call("ListImages")["imageIds"]}


def image(mark=""):
    row = {"digest": digest_of(BLOB), "size": len(BLOB)}
    return {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": row, "layers": [row], "annotations": {"m": mark}}


def index(*digests, mark=""):
    return {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "annotations": {"m": mark},
            "manifests": [{"mediaType": OCI + "manifest.v1+json", "digest": digest, "size": 1} for digest in digests]}


def what_an_index_names_stays(served):
    home = Repository(served, "many")
    arm, amd, other = home.put(image("arm")), home.put(image("amd"), "amd"), home.put(image("other"))
    both = home.put(index(arm, amd), "both")
    outer = home.put(index(both), "outer")
    for ids, digest, holder in (({"imageDigest": arm}, arm, both), ({"imageTag": "amd"}, amd, both), ({"imageTag": "both"}, both, outer)):
        reply = home.delete(**ids)
        assert reply["imageIds"] == [] and len(reply["failures"]) == 1, reply
        assert reply["failures"][0]["failureCode"] == "ImageReferencedByManifestList", reply
        assert reply["failures"][0]["imageId"]["imageDigest"] == digest and holder in reply["failures"][0]["failureReason"], reply
    assert home.digests() == {arm, amd, other, both, outer}, home.digests()
    # a tag that is not its last one can go
    home.put(image("amd"), "amd2")
    assert home.delete(imageTag="amd2")["failures"] == []
    assert home.delete(imageDigest=other)["failures"] == []
    assert home.delete(imageTag="outer")["failures"] == []
    # after the index, in the same call too
    reply = home.call("BatchDeleteImage", imageIds=[{"imageTag": "both"}, {"imageDigest": arm}, {"imageTag": "amd"}])
    assert reply["failures"] == [] and home.digests() == set(), reply


def what_is_no_manifest(served):
    home = Repository(served, "strict")
    good, layer = image(), {"digest": digest_of(BLOB)}
    without = lambda tree, *names, **more: {**{k: v for k, v in tree.items() if k not in names}, **more}
    bad = [
        "", "{", "{}", "[]", "null", '"x"', '{ "a": 1 }',
        without(good, "schemaVersion"), without(good, schemaVersion=1), without(good, schemaVersion="2"),
        without(good, "config"), without(good, config={}), without(good, config={"digest": "sha256:0"}),
        without(good, "layers"), without(good, layers={}), without(good, layers=[layer, {}]), without(good, layers=["x"]),
        without(good, mediaType="application/json"), without(good, mediaType=""), without(good, mediaType=3),
        without(good, mediaType=OCI + "index.v1+json"), without(good, manifests=[]),
        index(digest_of(b"x"), "nothing"), without(index(), "manifests"), without(index(), layers=[]),
        without(index(), mediaType=DOCKER + "manifest.v2+json"),
    ]
    for tree in bad:
        refused("InvalidParameterException", lambda: home.put(tree, "v1"))
    for stated in ("application/json", "x", OCI + "index.v1+json", DOCKER + "manifest.v2+json"):
        refused("InvalidParameterException", lambda: home.put(good, "v1", imageManifestMediaType=stated))
    for tag in ("-x", ".x", "a/b", "a:b", "a b", "\u00e9", "sha256:" + "0" * 64):
        refused("InvalidParameterException", lambda: home.put(good, tag), "imageTag")
    assert home.digests() == set(), home.digests()
    plain = without(good, "mediaType")
    types = {
        home.put(plain, "v1"): DOCKER + "manifest.v2+json",
        home.put(without(plain, x=1), imageManifestMediaType=OCI + "manifest.v1+json"): OCI + "manifest.v1+json",
        home.put(good, "_V1.0-x"): OCI + "manifest.v1+json",
        home.put(without(index(), "mediaType"), "a" * 300): OCI + "index.v1+json",
        home.put(without(index(), mediaType=DOCKER + "manifest.list.v2+json")): DOCKER + "manifest.list.v2+json",
    }
    shown = home.call("DescribeImages")["imageDetails"]
    assert {row["imageDigest"]: row["imageManifestMediaType"] for row in shown} == types, shown


def push(served, reference, body, media_type):
    """The status, and the first error's code."""
    connection = served.connect()
    connection.request("PUT", "/v2/pushed/manifests/" + reference, body, {"Content-Type": media_type} if media_type else {})
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    return reply.status, json.loads(text)["errors"][0]["code"] if reply.status >= 400 else None


def what_is_no_push(served):
    home, good, oci = Repository(served, "pushed"), json.dumps(image()), OCI + "manifest.v1+json"
    for body, media_type in (("{}", oci), ("{}", "application/json"), ("{}", None), ("", oci), ("[]", oci), (b"\xff", oci),
                             (good, "text/plain"), (good, DOCKER + "manifest.v2+json"), (good, OCI + "index.v1+json")):
        assert push(served, "v1", body, media_type) == (400, "MANIFEST_INVALID"), (body, media_type)
    for tag in ("-x", ".x", "a:b", "a" * 301):
        assert push(served, tag, good, oci) == (400, "TAG_INVALID"), tag
    assert push(served, "sha256:" + "0" * 64, good, oci) == (400, "DIGEST_INVALID")
    assert home.digests() == set(), home.digests()
    for reference, media_type in (("v1", oci), (digest_of(good), oci), ("v2", None), ("v3", oci.upper() + "; charset=utf-8")):
        assert push(served, reference, good, media_type) == (201, None), reference
    (row,) = home.call("DescribeImages")["imageDetails"]
    assert row["imageManifestMediaType"] == oci and sorted(row["imageTags"]) == ["v1", "v2", "v3"], row


def expire(count, status="untagged", **more):
    selection = {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": count} | more
    return {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}


def what_is_no_policy(served):
    home, rule, since = Repository(served, "policy"), expire(1), {"countType": "sinceImagePushed", "countUnit": "days"}
    bad = [
        (expire(1, "sometimes"), "tagStatus"), (expire(1, None), "tagStatus"), (expire(1, "tagged"), "tagPrefixList"),
        (expire(1, "tagged", tagPrefixList=[]), "tagPrefixList"), (expire(1, "tagged", tagPrefixList=["a"], tagPatternList=["b"]), "exclude"),
        (expire(1, countType="sinceImagePushed"), "countUnit"), (expire(1, **dict(since, countUnit="weeks")), "countUnit"),
        (expire(1, countType="sinceBirth"), "countType"), (expire(0), "countNumber"), (expire("1"), "countNumber"),
        (dict(rule, action={"type": "keep"}), "action"), (dict(rule, action={}), "action"), (dict(rule, rulePriority=0), "rulePriority"),
    ]
    for operation in ("PutLifecyclePolicy", "StartLifecyclePolicyPreview"):
        put = lambda *rules: home.call(operation, lifecyclePolicyText=json.dumps({"rules": rules}).ljust(100))
        for wrong, word in bad:
            refused("InvalidParameterException", lambda: put(wrong), word)
            refused("InvalidParameterException", lambda: put(dict(rule, rulePriority=7), wrong), word)
        refused("InvalidParameterException", lambda: put(rule, dict(rule, rulePriority=2), expire(5)), "unique")
        refused("InvalidParameterException", put, "empty")
    refused("LifecyclePolicyNotFoundException", lambda: home.call("GetLifecyclePolicy"))
    good = [expire(1), expire(1, "tagged", tagPrefixList=["v"]), expire(1, "tagged", tagPatternList=["v*"]), expire(1, "any", **since)]
    put = [dict(rule, rulePriority=i + 1) for i, rule in enumerate(good)]
    home.call("PutLifecyclePolicy", lifecyclePolicyText=json.dumps({"rules": put}))
    assert json.loads(home.call("GetLifecyclePolicy")["lifecyclePolicyText"])["rules"] == put


def what_a_policy_spares(served):
    home = Repository(served, "life")
    children = [home.put(image(str(i))) for i in range(3)]
    lone = [home.put(image("lone" + str(i))) for i in range(2)]
    kept = home.put(index(*children[:2], mark="kept"), "kept")
    stale = home.put(index(children[2], children[1], mark="stale"))
    home.call("PutLifecyclePolicy", lifecyclePolicyText=json.dumps({"rules": [expire(1)]}))
    # newest first, the stale index is the one that is kept: with it all that it names
    assert preview(home) == set(lone), preview(home)
    last = home.put(image("last"))
    # the index goes, and with it what no other one names
    assert preview(home) == set(lone) | {stale, children[2]}, preview(home)
    assert served.control("POST", "step", {"ms": 11_000})[0] == 200
    assert home.digests() == {kept, *children[:2], last}, home.digests()


def preview(home):
    home.call("StartLifecyclePolicyPreview")
    home.served.control("POST", "step", {"ms": 1_000})
    reply = home.call("GetLifecyclePolicyPreview")
    assert reply["status"] == "COMPLETE", reply
    return {row["imageDigest"] for row in reply["previewResults"]}


def main(program):
    with Served(program, "--still") as served:
        what_is_no_manifest(served)
        what_is_no_push(served)
        what_an_index_names_stays(served)
        what_is_no_policy(served)
        what_a_policy_spares(served)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
