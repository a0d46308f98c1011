#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ECR and its registry: an image is pushed with skopeo and pulled back with equal digests; a service
runs it, and one whose image is missing is rolled back. ECR's API by hand, byte for byte."""
import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from served import Refused, Served

SKIP = 77


class Failed(Exception):
    """What skopeo says."""


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """A small OCI image layout of one random layer."""

    def __init__(self, folder, size):
        self.blobs = os.path.join(folder, "blobs", "sha256")
        os.makedirs(self.blobs)
        self.layer = gzip.compress(os.urandom(size))
        self.config = json.dumps(
            {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest_of(self.layer)]}}
        ).encode()
        # Two spaces here and there: what is hashed is bytes, not JSON.
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": self.row("application/vnd.oci.image.config.v1+json", self.config),
                "layers": [self.row("application/vnd.oci.image.layer.v1.tar+gzip", self.layer)],
            },
            indent=2,
        ).encode()
        index = {"schemaVersion": 2, "manifests": [self.row("application/vnd.oci.image.manifest.v1+json", self.manifest)]}
        index["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
        with open(os.path.join(folder, "index.json"), "w") as file:
            json.dump(index, file)
        with open(os.path.join(folder, "oci-layout"), "w") as file:
            json.dump({"imageLayoutVersion": "1.0.0"}, file)

    def row(self, media_type, data):
        with open(os.path.join(self.blobs, digest_of(data)[7:]), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def refused(code, function):
    try:
        function()
    except Refused as error:
        assert error.code == code, error
        return
    raise AssertionError(f"not refused with {code}")


class Home:
    """A home for skopeo: its logins, its cache of blobs and its temporary files are nobody else's."""

    def __init__(self, folder):
        kept = {k: v for k, v in os.environ.items()
                if not k.startswith(("XDG_", "REGISTRY_", "DOCKER_", "STORAGE_")) and not k.lower().endswith("_proxy")}
        Home.tmp = os.path.join(folder, "tmp")
        os.makedirs(Home.tmp)
        Home.env = dict(kept, HOME=folder, XDG_RUNTIME_DIR=folder, XDG_DATA_HOME=folder, XDG_CONFIG_HOME=folder,
                        TMPDIR=Home.tmp)


def skopeo(*arguments):
    run = subprocess.run(["skopeo", "--insecure-policy", "--tmpdir", Home.tmp, "--command-timeout", "100s", *arguments],
                         env=Home.env, capture_output=True, timeout=120)
    if run.returncode:
        raise Failed(run.stderr.decode())


def push_and_pull(served, folder):
    layout = Layout(os.path.join(folder, "out"), 3_000_000)
    there = f"docker://{served.address}/team/web:v1"
    refused("RepositoryNotFoundException", lambda: served.call("ecr", "DescribeImages", repositoryName="team/web"))
    served.call("ecr", "CreateRepository", repositoryName="team/web")
    skopeo("copy", "--dest-tls-verify=false", "--preserve-digests", f"oci:{folder}/out:v1", there)
    detail = served.call("ecr", "DescribeImages", repositoryName="team/web")["imageDetails"][0]
    assert detail["imageDigest"] == digest_of(layout.manifest), detail
    assert detail["imageTags"] == ["v1"] and detail["imageSizeInBytes"] == len(layout.layer), detail
    got = served.call("ecr", "BatchGetImage", repositoryName="team/web", imageIds=[{"imageTag": "v1"}])["images"][0]
    assert got["imageManifest"].encode() == layout.manifest
    skopeo("copy", "--src-tls-verify=false", "--preserve-digests", there, f"oci:{folder}/back:v1")
    for data in (layout.layer, layout.config, layout.manifest):
        with open(os.path.join(folder, "back", "blobs", "sha256", digest_of(data)[7:]), "rb") as file:
            assert file.read() == data
    skopeo("copy", "--dest-tls-verify=false", f"oci:{folder}/out:v1", f"docker://{served.address}/team/web:v2")
    tags = served.call("ecr", "DescribeImages", repositoryName="team/web")["imageDetails"][0]["imageTags"]
    assert sorted(tags) == ["v1", "v2"], tags
    try:
        skopeo("copy", "--dest-tls-verify=false", f"oci:{folder}/out:v1", f"docker://{served.address}/none:v1")
        raise AssertionError("a push made a repository")
    except Failed as error:
        assert "does not exist" in str(error), error


def api(served):
    layer = os.urandom(700_000)
    served.call("ecr", "CreateRepository", repositoryName="api", imageTagMutability="IMMUTABLE")
    refused("RepositoryAlreadyExistsException", lambda: served.call("ecr", "CreateRepository", repositoryName="api"))
    refused("InvalidParameterException", lambda: served.call("ecr", "CreateRepository", repositoryName="Bad//"))
    upload = served.call("ecr", "InitiateLayerUpload", repositoryName="api")["uploadId"]
    for at in range(0, len(layer), 300_000):
        part = layer[at : at + 300_000]
        served.call(
            "ecr", "UploadLayerPart", repositoryName="api", uploadId=upload, partFirstByte=at,
            partLastByte=at + len(part) - 1, layerPartBlob=base64.b64encode(part).decode(),
        )
    # what is no base64 is no part, however it is written
    for blob in ("A" * 99_999 + "!", "A" * 100_000 + "\"", "\u00e9" * 90_000):
        refused("SerializationException", lambda: served.call(
            "ecr", "UploadLayerPart", repositoryName="api", uploadId=upload, partFirstByte=len(layer),
            partLastByte=len(layer) + 75_000 - 1, layerPartBlob=blob))
    served.call("ecr", "CompleteLayerUpload", repositoryName="api", uploadId=upload, layerDigests=[digest_of(layer)])
    manifest = '{ "schemaVersion":2,"config":{"digest":"%s"},"layers":[{"digest":"%s"}] }' % ((digest_of(layer),) * 2)
    put = lambda text, **more: served.call("ecr", "PutImage", repositoryName="api", imageManifest=text, **more)
    assert put(manifest, imageTag="a")["image"]["imageId"]["imageDigest"] == digest_of(manifest.encode())
    refused("ImageAlreadyExistsException", lambda: put(manifest, imageTag="a"))
    refused("ImageTagAlreadyExistsException", lambda: put(manifest + " ", imageTag="a"))
    refused("LayersNotFoundException", lambda: put(manifest.replace(digest_of(layer), "sha256:" + "0" * 64)))
    refused("RepositoryNotEmptyException", lambda: served.call("ecr", "DeleteRepository", repositoryName="api"))
    put(manifest + "\n")
    part = served.call("ecr", "LocalReadLayerPart", repositoryName="api", layerDigest=digest_of(layer), offset=0)
    assert base64.b64decode(part["data"]) == layer[: len(base64.b64decode(part["data"]))] and part["size"] == len(layer)
    policy = json.dumps(
        {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
                    "action": {"type": "expire"}},
                   {"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                    "action": {"type": "expire"}}]}
    )
    served.call("ecr", "StartLifecyclePolicyPreview", repositoryName="api", lifecyclePolicyText=policy)
    for _ in range(50):
        preview = served.call("ecr", "GetLifecyclePolicyPreview", repositoryName="api")
        if preview["status"] == "COMPLETE":
            break
        time.sleep(0.05)
    assert [row["imageTags"] for row in preview["previewResults"]] == [["a"]], preview
    refused("LifecyclePolicyNotFoundException", lambda: served.call("ecr", "GetLifecyclePolicy", repositoryName="api"))
    refused("RepositoryPolicyNotFoundException", lambda: served.call("ecr", "GetRepositoryPolicy", repositoryName="api"))
    served.call("ecr", "BatchDeleteImage", repositoryName="api", imageIds=[{"imageTag": "a"}])
    assert len(served.call("ecr", "ListImages", repositoryName="api")["imageIds"]) == 1
    served.call("ecr", "DeleteRepository", repositoryName="api", force=True)
    token = served.call("ecr", "GetAuthorizationToken")["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")


def pages(served):
    """By name, whatever comes and goes between two pages; a token is none but the one that was given."""
    names = ["page/" + c for c in "dbeac"] + ["page/" + "n" * 251]
    for name in names:
        served.call("ecr", "CreateRepository", repositoryName=name)
    ask = lambda **more: served.call("ecr", "DescribeRepositories", maxResults=2, **more)
    shown = lambda reply: [row["repositoryName"] for row in reply["repositories"]]
    first = ask()
    assert shown(first) == ["page/a", "page/b"] and "page" not in first["nextToken"], first
    served.call("ecr", "DeleteRepository", repositoryName="page/b")
    second = ask(nextToken=first["nextToken"])
    assert shown(second) == ["page/c", "page/d"], second
    third = ask(nextToken=second["nextToken"])
    assert shown(third) == ["page/e", names[-1]] and "nextToken" not in third, third
    token = first["nextToken"]
    for junk in ("page/b", "x", "0", token[:-1], token[:-2], token + "00", token.upper() + "A", "0" * len(token), "f" * 5000):
        refused("InvalidParameterException", lambda: ask(nextToken=junk))
    images = served.call("ecr", "DescribeRepositories", maxResults=1)["nextToken"]
    refused("InvalidParameterException", lambda: served.call("ecr", "ListImages", repositoryName="page/a", nextToken=images))
    for name in names:
        if name != "page/b":
            served.call("ecr", "DeleteRepository", repositoryName=name)


def public(served):
    """ECR Public: a registry of its own, in no region."""
    call = lambda operation, **more: served.call("ecr-public", operation, **more)
    made = call("CreateRepository", repositoryName="open/api", catalogData={"description": "for all", "architectures": ["ARM 64"]})
    assert made["repository"]["repositoryArn"] == "arn:aws:ecr-public::123456789012:repository/open/api", made
    assert "imageTagMutability" not in made["repository"] and made["catalogData"]["description"] == "for all", made
    registry = call("DescribeRegistries")["registries"][0]
    assert made["repository"]["repositoryUri"] == registry["registryUri"] + "/open/api", registry
    assert registry["aliases"][0]["status"] == "ACTIVE", registry
    assert call("PutRegistryCatalogData", displayName="Us") == call("GetRegistryCatalogData")
    put = call("PutRepositoryCatalogData", repositoryName="open/api", catalogData={"aboutText": "# About", "logoImageBlob": "AA=="})
    assert put["catalogData"]["aboutText"] == "# About" and "description" not in put["catalogData"], put
    assert put["catalogData"]["logoUrl"].startswith("https://"), put
    assert put == call("GetRepositoryCatalogData", repositoryName="open/api")
    assert [r["repositoryName"] for r in call("DescribeRepositories")["repositories"]] == ["open/api"]
    assert [r["repositoryName"] for r in served.call("ecr", "DescribeRepositories")["repositories"]] == []
    refused("RepositoryNotFoundException", lambda: served.call("ecr", "DescribeImages", repositoryName="open/api"))
    call("TagResource", resourceArn=made["repository"]["repositoryArn"], tags=[{"Key": "a", "Value": "b"}])
    assert call("ListTagsForResource", resourceArn=made["repository"]["repositoryArn"])["tags"] == [{"Key": "a", "Value": "b"}]
    refused("InvalidParameterException", lambda: call("DescribeRepositories", maxResults=5000))
    refused("UnknownOperationException", lambda: call("BatchGetImage", repositoryName="open/api", imageIds=[]))
    assert base64.b64decode(call("GetAuthorizationToken")["authorizationData"]["authorizationToken"]).startswith(b"AWS:")


def push_public(served, folder):
    layout = Layout(os.path.join(folder, "open"), 10_000)
    alias = served.call("ecr-public", "DescribeRegistries")["registries"][0]["aliases"][0]["name"]
    there = f"docker://{served.address}/{alias}/open/api:v1"
    skopeo("copy", "--dest-tls-verify=false", "--preserve-digests", f"oci:{folder}/open:v1", there)
    tags = served.call("ecr-public", "DescribeImageTags", repositoryName="open/api")["imageTagDetails"]
    assert [(t["imageTag"], t["imageDetail"]["imageDigest"]) for t in tags] == [("v1", digest_of(layout.manifest))], tags
    images = served.call("ecr-public", "DescribeImages", repositoryName="open/api")["imageDetails"]
    assert [i["imageTags"] for i in images] == [["v1"]] and "lastRecordedPullTime" not in images[0], images
    skopeo("copy", "--src-tls-verify=false", there, f"oci:{folder}/open-back:v1")


def wait_for(served, condition):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        service = served.ecs("DescribeServices", services=["web"])["services"][0]
        if condition(service):
            return service
        time.sleep(0.05)
    raise AssertionError(json.dumps(service, indent=1))


def run_service(served):
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    served.ecs("CreateCluster")
    for tag in ("v1", "v9"):
        served.ecs(
            "RegisterTaskDefinition", family="web", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256",
            memory="512", executionRoleArn="arn:aws:iam::123456789012:role/x",
            containerDefinitions=[{"name": "app", "image": f"{host}/team/web:{tag}"}],
        )
    served.ecs(
        "CreateService", serviceName="web", taskDefinition="web:1", desiredCount=2, launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["s"]}},
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    wait_for(served, lambda s: s["runningCount"] == 2 and s["deployments"][0]["rolloutState"] == "COMPLETED")
    tasks = served.ecs("ListTasks")["taskArns"]
    container = served.ecs("DescribeTasks", tasks=tasks)["tasks"][0]["containers"][0]
    pushed = served.call("ecr", "DescribeImages", repositoryName="team/web")["imageDetails"][0]["imageDigest"]
    assert container["imageDigest"] == pushed, container
    served.ecs("UpdateService", service="web", taskDefinition="web:2")
    service = wait_for(served, lambda s: any("rolling back" in e["message"] for e in s["events"]))
    service = wait_for(served, lambda s: len(s["deployments"]) == 1 and s["deployments"][0]["rolloutState"] == "COMPLETED")
    assert service["taskDefinition"].endswith("web:1") and service["runningCount"] == 2, service


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        state = os.path.join(folder, "state.db")
        with Served(program, "--speed", "8", "--state", state) as served:
            api(served)
            pages(served)
            public(served)
            if not shutil.which("skopeo"):
                print("SKIP: skopeo is not here: nothing is pushed")
                return SKIP
            Home(os.path.join(folder, "home"))
            push_and_pull(served, folder)
            push_public(served, folder)
            run_service(served)
        with Served(program, "--state", state) as served:
            assert served.call("ecr-public", "GetRepositoryCatalogData", repositoryName="open/api")["catalogData"]["aboutText"]
            skopeo("copy", "--src-tls-verify=false", f"docker://{served.address}/team/web:v2", f"oci:{folder}/again:v2")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
