#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A session of the AWS CLI and boto3 against ecs-local: every answer is held against botocore's models,
here for boto3, and by the proxy of ECSFS_SHARED for the CLI too; their waiters finish.

  session.py ECS-LOCAL      exit status 77 (skipped) where there is no Python with boto3, or no AWS CLI
"""
import base64
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

SKIP, KEY, SECRET = 77, "AKIDEXAMPLELOCAL0001", "local/secret+for=tests"


def find_boto3():
    """Goes on in the Python that has boto3: this one, or the one the AWS CLI is written for."""
    left = os.environ.get("ECSFS_SESSION_PYTHONS")
    others = [shutil.which("python3"), script_python("aws"), script_python("moto_server")] if left is None else left.split(":")
    others = [path for path in others if path]
    if others:
        os.environ["ECSFS_SESSION_PYTHONS"] = ":".join(others[1:])
        os.execv(others[0], [others[0], "-B", *sys.argv])
    print("SKIP: no python3 here has boto3")
    sys.exit(SKIP)


def script_python(program):
    path = shutil.which(program)
    with contextlib.suppress(OSError, UnicodeDecodeError):
        with open(path or "/dev/null") as file:
            first = file.readline()
        if first.startswith("#!/") and "python" in first:
            return first[2:].split()[0]
    return None


try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:
    find_boto3()

from answers import Judge
from served import Served

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}}
FAST = {"Delay": 1, "MaxAttempts": 60}


class Proxy:
    """The checking proxy, when there is one: judges requests and answers of all clients."""

    def __init__(self, upstream):
        self.url, self.process = upstream, None
        shared = os.environ.get("ECSFS_SHARED", "")
        program = os.path.join(shared, "tools", "awsproxy.py")
        if not shared or not os.path.exists(program):
            print("NOTE: ECSFS_SHARED names no proxy: the answers to the AWS CLI are not held against the models")
            return
        self.process = subprocess.Popen(
            [sys.executable, "-B", program, "--listen", "127.0.0.1:0", "--upstream", upstream, "--cred",
             f"{KEY}:{SECRET}", "--check-responses", "--max-seconds", "280"],
            stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split("listening on ")[1].split()[0]

    def problems(self):
        if not self.process:
            return []
        entries = json.load(urllib.request.urlopen(self.url + "/_proxy/problems", timeout=10))["entries"]
        return [(e["op"], e["problems"]) for e in entries]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()


class Session:
    def __init__(self, url, folder):
        self.url = url
        self.env = dict({k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
                        HOME=folder, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET,
                        AWS_DEFAULT_REGION="us-east-1", AWS_ENDPOINT_URL=url, AWS_PAGER="",
                        AWS_EC2_METADATA_DISABLED="true", AWS_MAX_ATTEMPTS="1")
        config = botocore.config.Config(retries={"max_attempts": 0})
        self.ecs, self.ecr, self.logs, self.sts = (
            boto3.client(name, endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY,
                         aws_secret_access_key=SECRET, config=config) for name in ("ecs", "ecr", "logs", "sts"))
        self.judge = Judge(self.ecs, self.ecr, self.logs, self.sts)
        self.cli_calls = set()

    def cli(self, service, command, *arguments):
        run = subprocess.run(["aws", "--endpoint-url", self.url, "--output", "json", service, command, *arguments],
                             env=self.env, capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, (service, command, run.stderr)
        self.cli_calls.add(f"{service} {command}")
        return json.loads(run.stdout) if run.stdout.strip() else None

    @staticmethod
    def refused(code, do, **members):
        try:
            do(**members)
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == code, error
            return
        raise AssertionError(f"{do.__name__} was not refused with {code}")


def register(ecs, family, image="nginx", **container):
    return ecs.register_task_definition(
        family=family, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
        executionRoleArn="arn:aws:iam::123456789012:role/x",
        containerDefinitions=[dict({"name": "app", "image": image}, **container)])["taskDefinition"]["taskDefinitionArn"]


def clusters(s):
    ecs = s.ecs
    ecs.create_cluster(clusterName="prod", tags=[{"key": "stage", "value": "prod"}])
    ecs.create_cluster()
    ecs.update_cluster(cluster="prod", settings=[{"name": "containerInsights", "value": "enabled"}])
    ecs.update_cluster_settings(cluster="prod", settings=[{"name": "containerInsights", "value": "disabled"}])
    ecs.put_cluster_capacity_providers(cluster="prod", capacityProviders=["FARGATE", "FARGATE_SPOT"],
                                       defaultCapacityProviderStrategy=[])
    assert ecs.describe_clusters(clusters=["prod", "none"], include=["TAGS", "SETTINGS", "STATISTICS"])["failures"]
    assert len(s.cli("ecs", "list-clusters")["clusterArns"]) == 2
    ecs.describe_capacity_providers()
    ecs.create_capacity_provider(name="own", autoScalingGroupProvider={
        "autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/a"})
    ecs.update_capacity_provider(name="own", autoScalingGroupProvider={"managedScaling": {"status": "DISABLED"}})
    ecs.delete_capacity_provider(capacityProvider="own")
    ecs.put_account_setting(name="containerInsights", value="enabled")
    ecs.put_account_setting_default(name="containerInsights", value="disabled")
    ecs.list_account_settings()
    ecs.delete_account_setting(name="containerInsights")
    s.refused("ClusterNotFoundException", ecs.list_services, cluster="absent")


def definitions(s):
    ecs = s.ecs
    for _ in range(3):
        register(ecs, "web")
    s.cli("ecs", "register-task-definition", "--family", "job", "--network-mode", "awsvpc", "--cpu", "256", "--memory", "512",
          "--requires-compatibilities", "FARGATE", "--container-definitions",
          json.dumps([{"name": "app", "image": "busybox", "command": ["sh", "-c", "echo done; exit 3"]}]))
    assert ecs.describe_task_definition(taskDefinition="web", include=["TAGS"])["taskDefinition"]["revision"] == 3
    pages = ecs.get_paginator("list_task_definitions").paginate(PaginationConfig={"PageSize": 2})
    assert len([arn for page in pages for arn in page["taskDefinitionArns"]]) == 4
    assert s.cli("ecs", "list-task-definition-families")["families"] == ["job", "web"]
    ecs.deregister_task_definition(taskDefinition="web:1")
    ecs.delete_task_definitions(taskDefinitions=["web:1"])
    s.refused("ClientException", ecs.describe_task_definition, taskDefinition="absent")
    s.refused("ClientException", ecs.register_task_definition, family="bad", containerDefinitions=[{"name": "x", "image": "y"}])


def services(s):
    ecs = s.ecs
    arn = ecs.create_service(cluster="prod", serviceName="web", taskDefinition="web:2", desiredCount=3, launchType="FARGATE",
                             networkConfiguration=NETWORK, clientToken="once",
                             tags=[{"key": "team", "value": "a"}])["service"]["serviceArn"]
    ecs.get_waiter("services_stable").wait(cluster="prod", services=["web"], WaiterConfig=FAST)
    s.cli("ecs", "update-service", "--cluster", "prod", "--service", "web", "--task-definition", "web:3", "--desired-count", "2")
    s.cli("ecs", "wait", "services-stable", "--cluster", "prod", "--services", "web")
    described = s.cli("ecs", "describe-services", "--cluster", "prod", "--services", "web", "--include", "TAGS")["services"][0]
    assert described["runningCount"] == 2 and described["taskDefinition"].endswith("web:3"), described
    assert ecs.list_services(cluster="prod")["serviceArns"] == [arn]
    history = ecs.list_service_deployments(cluster="prod", service="web")["serviceDeployments"]
    shown = ecs.describe_service_deployments(serviceDeploymentArns=[history[0]["serviceDeploymentArn"]])["serviceDeployments"][0]
    assert shown["status"] == "SUCCESSFUL", shown
    ecs.describe_service_revisions(serviceRevisionArns=[shown["targetServiceRevision"]["arn"]])
    ecs.list_services_by_namespace(namespace="none")
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "more", "value": "b"}])
    assert len(ecs.list_tags_for_resource(resourceArn=arn)["tags"]) == 2
    ecs.untag_resource(resourceArn=arn, tagKeys=["more"])
    s.refused("InvalidParameterException", ecs.delete_service, cluster="prod", service="web")
    s.refused("ServiceNotFoundException", ecs.update_service, cluster="prod", service="absent", desiredCount=1)


def tasks(s):
    ecs = s.ecs
    run = s.cli("ecs", "run-task", "--cluster", "prod", "--task-definition", "web", "--launch-type", "FARGATE",
                "--network-configuration", json.dumps(NETWORK), "--count", "2", "--enable-ecs-managed-tags")
    arns = [task["taskArn"] for task in run["tasks"]]
    s.cli("ecs", "wait", "tasks-running", "--cluster", "prod", "--tasks", *arns)
    ecs.get_waiter("tasks_running").wait(cluster="prod", tasks=arns, WaiterConfig=FAST)
    running = s.cli("ecs", "describe-tasks", "--cluster", "prod", "--tasks", *arns)["tasks"]
    assert {task["lastStatus"] for task in running} == {"RUNNING"}, running
    one = ecs.list_tasks(cluster="prod", serviceName="web")["taskArns"][0]
    ecs.update_task_protection(cluster="prod", tasks=[one], protectionEnabled=True, expiresInMinutes=5)
    assert ecs.get_task_protection(cluster="prod", tasks=[one])["protectedTasks"][0]["protectionEnabled"]
    ecs.update_task_protection(cluster="prod", tasks=[one], protectionEnabled=False)
    ecs.stop_task(cluster="prod", task=arns[0], reason="enough")
    s.cli("ecs", "stop-task", "--cluster", "prod", "--task", arns[1])
    s.cli("ecs", "wait", "tasks-stopped", "--cluster", "prod", "--tasks", *arns)
    job = ecs.run_task(cluster="prod", taskDefinition="job", launchType="FARGATE", networkConfiguration=NETWORK,
                       overrides={"containerOverrides": [{"name": "app", "environment": [{"name": "A", "value": "1"}]}]})
    job = [job["tasks"][0]["taskArn"]]
    ecs.get_waiter("tasks_stopped").wait(cluster="prod", tasks=job, WaiterConfig=FAST)
    ended = ecs.describe_tasks(cluster="prod", tasks=job)["tasks"][0]
    assert ended["stopCode"] == "EssentialContainerExited" and ended["containers"][0]["exitCode"] == 3, ended
    assert ecs.describe_tasks(cluster="prod", tasks=["0" * 32])["failures"][0]["reason"] == "MISSING"


def instances(s):
    ecs = s.ecs
    size = [{"name": "CPU", "type": "INTEGER", "integerValue": 2048}, {"name": "MEMORY", "type": "INTEGER", "integerValue": 4096}]
    one, two = (ecs.register_container_instance(cluster="prod", totalResources=size)["containerInstance"]["containerInstanceArn"]
                for _ in range(2))
    ecs.register_task_definition(family="ec2", networkMode="bridge", containerDefinitions=[
        {"name": "app", "image": "nginx", "memory": 256, "cpu": 128, "portMappings": [{"containerPort": 80}]}])
    started = ecs.start_task(cluster="prod", taskDefinition="ec2", containerInstances=[one])["tasks"][0]["taskArn"]
    ecs.get_waiter("tasks_running").wait(cluster="prod", tasks=[started], WaiterConfig=FAST)
    ports = ecs.describe_tasks(cluster="prod", tasks=[started])["tasks"][0]["containers"][0]["networkBindings"]
    assert ports[0]["containerPort"] == 80 and ports[0]["hostPort"] >= 32768, ports
    assert len(ecs.list_container_instances(cluster="prod")["containerInstanceArns"]) == 2
    shown = s.cli("ecs", "describe-container-instances", "--cluster", "prod", "--container-instances", one)["containerInstances"][0]
    left = {row["name"]: row.get("integerValue") for row in shown["remainingResources"]}
    assert (left["CPU"], left["MEMORY"]) == (2048 - 128, 4096 - 256), left
    ecs.put_attributes(cluster="prod", attributes=[{"name": "stack", "value": "a", "targetId": one}])
    assert ecs.list_attributes(cluster="prod", targetType="container-instance", attributeName="stack")["attributes"]
    ecs.delete_attributes(cluster="prod", attributes=[{"name": "stack", "targetId": one}])
    ecs.update_container_instances_state(cluster="prod", containerInstances=[two], status="DRAINING")
    ecs.deregister_container_instance(cluster="prod", containerInstance=two)
    ecs.deregister_container_instance(cluster="prod", containerInstance=one, force=True)


def task_sets(s):
    ecs = s.ecs
    ecs.create_service(cluster="prod", serviceName="sets", desiredCount=4, deploymentController={"type": "EXTERNAL"})
    made = ecs.create_task_set(cluster="prod", service="sets", taskDefinition="web:3", launchType="FARGATE",
                               networkConfiguration=NETWORK, scale={"value": 50, "unit": "PERCENT"})["taskSet"]
    assert made["computedDesiredCount"] == 2, made
    ecs.update_task_set(cluster="prod", service="sets", taskSet=made["id"], scale={"value": 100, "unit": "PERCENT"})
    ecs.update_service_primary_task_set(cluster="prod", service="sets", primaryTaskSet=made["id"])
    ecs.get_waiter("services_stable")  # of task sets it does not tell
    for _ in range(100):
        shown = ecs.describe_task_sets(cluster="prod", service="sets", taskSets=[made["id"]])["taskSets"][0]
        if shown["stabilityStatus"] == "STEADY_STATE":
            break
        time.sleep(0.1)
    assert shown["runningCount"] == 4 and shown["status"] == "PRIMARY", shown
    assert ecs.describe_services(cluster="prod", services=["sets"])["services"][0]["taskSets"]
    ecs.delete_task_set(cluster="prod", service="sets", taskSet=made["id"], force=True)
    ecs.delete_service(cluster="prod", service="sets", force=True)


def images(s):
    ecr = s.ecr
    arn = ecr.create_repository(repositoryName="team/web", imageScanningConfiguration={"scanOnPush": True})["repository"]["repositoryArn"]
    layer = os.urandom(1000)
    digest = "sha256:" + hashlib.sha256(layer).hexdigest()
    assert ecr.batch_check_layer_availability(repositoryName="team/web", layerDigests=[digest])["layers"][0]["layerAvailability"] == "UNAVAILABLE"
    upload = ecr.initiate_layer_upload(repositoryName="team/web")["uploadId"]
    ecr.upload_layer_part(repositoryName="team/web", uploadId=upload, partFirstByte=0, partLastByte=999, layerPartBlob=layer)
    ecr.complete_layer_upload(repositoryName="team/web", uploadId=upload, layerDigests=[digest])
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": {"digest": digest, "size": 1000, "mediaType": "application/vnd.oci.image.config.v1+json"},
                           "layers": [{"digest": digest, "size": 1000, "mediaType": "application/vnd.oci.image.layer.v1.tar"}]})
    pushed = ecr.put_image(repositoryName="team/web", imageManifest=manifest, imageTag="v1")["image"]["imageId"]
    assert pushed["imageDigest"] == "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    assert ecr.batch_get_image(repositoryName="team/web", imageIds=[{"imageTag": "v1"}])["images"][0]["imageManifest"] == manifest
    assert s.cli("ecr", "describe-images", "--repository-name", "team/web")["imageDetails"][0]["imageTags"] == ["v1"]
    assert urllib.request.urlopen(ecr.get_download_url_for_layer(repositoryName="team/web", layerDigest=digest)["downloadUrl"]).read() == layer
    s.cli("ecr", "wait", "image-scan-complete", "--repository-name", "team/web", "--image-id", "imageTag=v1")
    findings = ecr.describe_image_scan_findings(repositoryName="team/web", imageId={"imageTag": "v1"})["imageScanFindings"]
    assert sum(findings.get("findingSeverityCounts", {}).values()) == len(findings["findings"])
    ecr.list_images(repositoryName="team/web")
    assert s.cli("ecr", "describe-repositories")["repositories"][0]["repositoryArn"] == arn
    ecr.put_image_tag_mutability(repositoryName="team/web", imageTagMutability="IMMUTABLE")
    ecr.put_image_scanning_configuration(repositoryName="team/web", imageScanningConfiguration={"scanOnPush": False})
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    ecr.set_repository_policy(repositoryName="team/web", policyText=policy)
    ecr.get_repository_policy(repositoryName="team/web")
    ecr.delete_repository_policy(repositoryName="team/web")
    rules = {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
                        "action": {"type": "expire"}}]}
    ecr.put_lifecycle_policy(repositoryName="team/web", lifecyclePolicyText=json.dumps(rules))
    ecr.get_lifecycle_policy(repositoryName="team/web")
    ecr.start_lifecycle_policy_preview(repositoryName="team/web")
    ecr.get_lifecycle_policy_preview(repositoryName="team/web")
    ecr.delete_lifecycle_policy(repositoryName="team/web")
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "b"}])
    ecr.list_tags_for_resource(resourceArn=arn)
    ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
    ecr.put_registry_policy(policyText=policy)
    ecr.get_registry_policy()
    ecr.delete_registry_policy()
    ecr.describe_registry()
    ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])
    ecr.get_registry_scanning_configuration()
    ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="public", upstreamRegistryUrl="public.ecr.aws")
    ecr.describe_pull_through_cache_rules()
    ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix="public")
    password = subprocess.run(["aws", "--endpoint-url", s.url, "ecr", "get-login-password"], env=s.env, text=True,
                              capture_output=True, check=True, timeout=60).stdout.strip()
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:") and password
    log_in(s, password, f"/v2/team/web/blobs/{digest}")
    ecr.batch_delete_image(repositoryName="team/web", imageIds=[pushed])
    s.refused("RepositoryNotFoundException", ecr.list_images, repositoryName="absent")
    ecr.delete_repository(repositoryName="team/web", force=True)


def log_in(s, password, blob):
    """The registry under --verify: by the password of a token alone, and only as it was handed out."""
    def status(path, login=None):
        own = s.served.connect()
        own.request("GET", path, None, login and {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} or {})
        answer = own.getresponse()
        answer.read()
        assert answer.status != 401 or "service=\"ecr.amazonaws.com\"" in answer.getheader("WWW-Authenticate"), answer.headers
        own.close()
        return answer.status

    changed = password[:20] + ("0" if password[20] != "0" else "1") + password[21:]
    later = "f" + password[1:]
    signed = s.ecr.get_download_url_for_layer(repositoryName="team/web", layerDigest=blob.rsplit("/", 1)[1])["downloadUrl"]
    signed = signed[signed.index("/v2/"):]
    for path, login, expected in (
        ("/v2/", None, 401), ("/v2/", f"AWS:{password}", 200), ("/v2/", f"me:{password}", 401), ("/v2/", "AWS:x", 401),
        ("/v2/", f"AWS:{changed}", 401), ("/v2/", f"AWS:{later}", 401), ("/v2/", "", 401),
        (blob, None, 401), (blob, f"AWS:{password}", 200), (signed, None, 200), (signed.replace("until=1", "until=9"), None, 401),
        (signed[:-1] + ("0" if signed[-1] != "0" else "1"), None, 401),
    ):
        assert status(path, login) == expected, (path, login, status(path, login))


def log_streams(s):
    logs = s.logs
    logs.create_log_group(logGroupName="/a")
    logs.create_log_stream(logGroupName="/a", logStreamName="s")
    logs.put_retention_policy(logGroupName="/a", retentionInDays=7)
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName="/a", logStreamName="s", logEvents=[{"timestamp": now, "message": "hello"}])
    assert s.cli("logs", "get-log-events", "--log-group-name", "/a", "--log-stream-name", "s")["events"][0]["message"] == "hello"
    assert logs.filter_log_events(logGroupName="/a")["events"]
    logs.describe_log_groups()
    logs.describe_log_streams(logGroupName="/a")
    logs.delete_log_stream(logGroupName="/a", logStreamName="s")
    logs.delete_log_group(logGroupName="/a")


def ending(s):
    s.sts.get_caller_identity()
    s.sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session")
    assert s.cli("sts", "get-caller-identity")["Account"] == "123456789012"
    s.ecs.update_service(cluster="prod", service="web", desiredCount=0)
    s.ecs.delete_service(cluster="prod", service="web")
    s.ecs.get_waiter("services_inactive").wait(cluster="prod", services=["web"], WaiterConfig=FAST)
    for _ in range(100):  # its tasks are on their way
        with contextlib.suppress(s.ecs.exceptions.ClusterContainsTasksException):
            s.ecs.delete_cluster(cluster="prod")
            return
        time.sleep(0.1)
    raise AssertionError("the cluster cannot be deleted")


def main(program):
    if not shutil.which("aws"):
        print("SKIP: the AWS CLI is not here")
        return SKIP
    with tempfile.TemporaryDirectory() as folder, \
            Served(program, "--speed", "10", "--verify", f"{KEY}:{SECRET}") as served, \
            Proxy("http://" + served.address) as proxy:
        s = Session(proxy.url, folder)
        s.served = served
        for part in (clusters, definitions, services, tasks, instances, task_sets, images, log_streams, ending):
            part(s)
        problems = s.judge.problems + proxy.problems()
        assert not problems, json.dumps(problems, indent=1)
        counts = served.control("GET", "calls")[1]
    asked = sum(row["calls"] for row in counts.values())
    assert len(set(s.judge.seen)) >= 60, len(set(s.judge.seen))
    print(f"{len(set(s.judge.seen))} operations by boto3, {len(s.cli_calls)} commands of the AWS CLI, {asked} calls: all answers valid")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
