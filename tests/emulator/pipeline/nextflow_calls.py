"""The calls that Nextflow makes of AWS, replayed: those of its head, and those of its tasks.

From https://github.com/nextflow-io/nextflow, plugins/nf-amazon, versions of 2020 to 2023, with the AWS SDK 1:
AwsBatchTaskHandler.groovy (jobs) and AwsBatchHelper.groovy (instances and logs); 26.08 makes the same ones, with SDK 2.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.permissions.environments import role_with
from tests.permissions.uses import client_of
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_infra.emulator import Emulator
    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.engine import EngineName

IMAGE = "quay.io/biocontainers/samtools:1.21"
DEFINITION = "nf-quay-io-biocontainers-samtools-1-21"


class Place(NamedTuple):
    """What an engine uses of its environment: as its head is configured, or of the environment beside it."""

    queue: str
    worker: str
    log_group: str
    bucket: str
    prefix: str


def place_of(manifest: Manifest, engine: EngineName) -> Place:
    """Return what the configuration of an engine names."""
    bucket = manifest.work_bucket(engine)
    return Place(
        manifest.suffixed(manifest.given_engines[engine].queue or next(iter(manifest.queues))),
        manifest.engine_role_arn(engine, "worker"),
        manifest.job_log_group(engine),
        bucket.name,
        bucket.prefix or "",
    )


def definition(place: Place, name: str = DEFINITION, **container: Any) -> dict[str, Any]:
    """Return a request that registers the definition of a container image."""
    return {
        "jobDefinitionName": name,
        "type": "container",
        "parameters": {"nf-token": "0f6e3b1a5b1c4f439a537d2cbb1f3c11"},
        "tags": {"nextflow.io/createdAt": "2026-11-29T09:00:00Z", "nextflow.io/version": "25.04.6"},
        "containerProperties": {
            "image": IMAGE,
            "command": ["true"],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "1024"}],
            "jobRoleArn": place.worker,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-region": "us-east-1", "awslogs-group": place.log_group},
            },
            "mountPoints": [{"sourceVolume": "aws-cli", "containerPath": "/opt/aws-cli", "readOnly": True}],
            "volumes": [{"name": "aws-cli", "host": {"sourcePath": "/opt/aws-cli"}}],
            **container,
        },
    }


def task(place: Place, job_definition: str, labels: dict[str, str]) -> dict[str, Any]:
    """Return a request that submits a task, with the process's labels as tags."""
    launcher = f"/opt/aws-cli/bin/aws s3 cp s3://{place.bucket}/{place.prefix}ab/cd/.command.run - | bash"
    return {
        "jobName": "STATS_1",
        "jobQueue": place.queue,
        "jobDefinition": job_definition,
        "tags": labels,
        "propagateTags": True,
        "retryStrategy": {
            "attempts": 5,
            "evaluateOnExit": [
                {"action": "RETRY", "onStatusReason": "Host EC2*"},
                {"action": "EXIT", "onReason": "*"},
            ],
        },
        "timeout": {"attemptDurationSeconds": 3600},
        "containerOverrides": {
            "command": ["bash", "-o", "pipefail", "-c", launcher],
            "resourceRequirements": [{"type": "MEMORY", "value": "2048"}, {"type": "VCPU", "value": "2"}],
            "environment": [{"name": "AWS_RETRY_MODE", "value": "standard"}],
        },
    }


def run_pipeline(aws: Emulator, head: str, place: Place, labels: dict[str, str]) -> Mapping[str, Any]:
    """Run one task as the head and its task do, from the first look at the queue on; return the running job."""
    batch, s3, logs = (client_of(aws, head, service) for service in ("batch", "s3", "logs"))
    (queue,) = batch.describe_job_queues(jobQueues=[place.queue])["jobQueues"]
    names = [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]]
    [cluster] = {
        each["ecsClusterArn"]
        for each in batch.describe_compute_environments(computeEnvironments=names)["computeEnvironments"]
    }
    files = f"{place.prefix}ab/cd/"
    s3.put_object(Bucket=place.bucket, Key=f"{files}.command.run", Body=b"#!/bin/bash\n", Tagging="nextflow.io=true")
    assert batch.describe_job_definitions(jobDefinitionName=DEFINITION)["jobDefinitions"] == []
    made = batch.register_job_definition(**definition(place))
    job = batch.submit_job(**task(place, f"{DEFINITION}:{made['revision']}", labels))["jobId"]
    wait_until(lambda: "taskArn" in described(batch, job)["container"])
    running: Mapping[str, Any] = described(batch, job)
    assert running["tags"] == labels
    _describe_instance(client_of(aws, head, "ecs"), cluster, running["container"])

    worker = client_of(aws, place.worker, "s3")
    worker.get_object(Bucket=place.bucket, Key=f"{files}.command.run")
    for name in (".command.log", ".exitcode", "flagstat.txt"):
        worker.put_object(Bucket=place.bucket, Key=f"{files}{name}", Body=b"0")
    worker.put_object_tagging(  # Fusion's
        Bucket=place.bucket, Key=f"{files}flagstat.txt", Tagging={"TagSet": [{"Key": "nextflow.io", "Value": "true"}]}
    )

    aws.client("logs").create_log_stream(logGroupName=place.log_group, logStreamName="STATS_1/default/1")
    logs.get_log_events(logGroupName=place.log_group, logStreamName="STATS_1/default/1")
    client_of(aws, head, "ec2").describe_instances()
    assert {each["Key"] for each in s3.list_objects_v2(Bucket=place.bucket, Prefix=files)["Contents"]} >= {
        f"{files}.exitcode"
    }
    source = {"Bucket": place.bucket, "Key": f"{files}flagstat.txt"}
    s3.copy_object(Bucket=place.bucket, Key=f"{place.prefix}results/flagstat.txt", CopySource=source)
    s3.delete_object(**source)
    return running


def described(batch: Any, job: str) -> Any:
    """Return a job as AWS Batch describes it."""
    [found] = batch.describe_jobs(jobs=[job])["jobs"]
    return found


def _describe_instance(ecs: Any, cluster: str, container: Mapping[str, str]) -> None:
    """Look up the instance of a task; the emulator answers that it is missing, since only AWS Batch knows it."""
    ecs.describe_tasks(cluster=cluster, tasks=[container["taskArn"]])
    ecs.describe_container_instances(cluster=cluster, containerInstances=[container["containerInstanceArn"]])


def assert_refused(call: Callable[[], object]) -> None:
    """Assert that IAM refuses a call."""
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def head_beside(aws: Emulator, manifest: Manifest) -> str:
    """Create the head role of Nextflow in a second environment of the account; return its ARN.

    Its policies are those of the head role that Terraform made, for an environment with another name and work prefix.
    """
    iam, name = aws.client("iam"), manifest.engine_role_name("nextflow", "head")
    policies = []
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        text = json.dumps(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
        for own, beside in (
            (f"nextflow-{manifest.name}", "ENGINE"),
            (f"-{manifest.name}", "-beside"),
            (f"/{manifest.name}/", "/beside/"),
            (f'"{manifest.name}"', '"beside"'),
            (str(manifest.work_bucket("nextflow").prefix), "beside/"),
            ("ENGINE", "nextflow-beside"),
        ):
            text = text.replace(own, beside)
        policies.append(json.loads(text))
    return role_with(aws, "nextflow-beside-head", *policies)


def assert_beside_cannot_reach(aws: Emulator, head: str, place: Place, running: Mapping[str, Any]) -> None:
    """Assert that the same engine of another environment, whose definitions have the same names, reaches nothing.

    Args:
        aws: the account.
        head: the ARN of the other environment's head role.
        place: what the engine of this environment uses.
        running: a job of this environment.
    """
    batch, container = client_of(aws, head, "batch"), running["container"]
    theirs = definition(place)
    del theirs["containerProperties"]["jobRoleArn"]
    assert batch.register_job_definition(**theirs)["revision"] > 1, "it may register revisions of its own"
    theirs["containerProperties"]["privileged"] = True
    assert_refused(lambda: batch.register_job_definition(**theirs))
    assert_refused(lambda: batch.register_job_definition(**definition(place)))
    assert_refused(lambda: batch.deregister_job_definition(jobDefinition=running["jobDefinition"]))
    assert_refused(lambda: batch.submit_job(**task(place, DEFINITION, {})))
    assert_refused(lambda: batch.terminate_job(jobId=running["jobId"], reason="Job killed by NF"))
    ecs, cluster = client_of(aws, head, "ecs"), container["taskArn"].split("/")[1]
    assert_refused(lambda: ecs.describe_tasks(cluster=cluster, tasks=[container["taskArn"]]))
    logs, s3 = client_of(aws, head, "logs"), client_of(aws, head, "s3")
    assert_refused(lambda: logs.get_log_events(logGroupName=place.log_group, logStreamName="any"))
    assert_refused(lambda: s3.get_object(Bucket=place.bucket, Key=f"{place.prefix}ab/cd/.command.run"))


def assert_cannot_reach(aws: Emulator, head: str, own: Place, other: Place, labels: dict[str, str]) -> None:
    """Assert that a head and its tasks reach nothing of the environment beside theirs."""
    batch, s3, logs = (client_of(aws, head, service) for service in ("batch", "s3", "logs"))
    theirs = aws.client("batch").submit_job(
        jobName="theirs", jobQueue=other.queue, jobDefinition=DEFINITION, tags={"gen-infra:environment": "other"}
    )["jobId"]
    assert_refused(lambda: batch.register_job_definition(**definition(other)))  # passes the other worker role
    assert_refused(lambda: batch.register_job_definition(**definition(own, "rules-snakemake")))
    assert_refused(lambda: batch.deregister_job_definition(jobDefinition="rules-snakemake:1"))
    assert_refused(lambda: batch.submit_job(**task(other, DEFINITION, labels)))
    assert_refused(lambda: batch.submit_job(**task(own, "rules-snakemake", labels)))
    assert_refused(lambda: batch.submit_job(**task(own, DEFINITION, {**labels, "gen-infra:environment": "other"})))
    assert_refused(lambda: batch.terminate_job(jobId=theirs, reason="Job killed by NF"))
    assert_refused(lambda: logs.get_log_events(logGroupName=other.log_group, logStreamName="any"))
    for files in (s3, client_of(aws, own.worker, "s3")):
        key = {"Bucket": other.bucket, "Key": f"{other.prefix}reads"}
        assert_refused(lambda files=files, key=key: files.put_object(**key, Body=b"0"))  # type: ignore[misc]
        assert_refused(lambda files=files, key=key: files.get_object(**key))  # type: ignore[misc]
        assert_refused(lambda files=files, key=key: files.delete_object(**key))  # type: ignore[misc]
    aws.client("batch").terminate_job(jobId=theirs, reason="test")
