"""Accounts with unusual contents: adopt says in plain words what it does with them, and what it does not.

The tests run in this order, on one account, to which each adds something.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gen_infra.manifest import load
from tests.cli import gen_infra
from tests.emulator.adopt.built import (
    MODULES_TAGS,
    Builder,
    build_of_terraform_aws_batch,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session

ECHO: dict[str, Any] = {
    "image": "public.ecr.aws/docker/library/busybox:1.36",
    "command": ["echo"],
    "resourceRequirements": [{"type": "MEMORY", "value": "512"}, {"type": "VCPU", "value": "1"}],
}


TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
TASK = {
    "RoleName": "stackTask",
    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [TRUST]},
}
CONTAINER = {
    "Image": "public.ecr.aws/docker/library/busybox:1.36",
    "JobRoleArn": {"Fn::GetAtt": ["Task", "Arn"]},
    "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": "512"}],
    "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": {"Ref": "Group"}}},
}
ORDER = {
    "Order": 1,
    "ComputeEnvironment": "arn:aws:batch:us-east-1:123456789012:compute-environment/ec2-20260108215819000100000001",
}
OF_THE_STACK = {
    "Task": {"Type": "AWS::IAM::Role", "Properties": TASK},
    "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/lab/stack"}},
    "Job": {
        "Type": "AWS::Batch::JobDefinition",
        "Properties": {"Type": "container", "RetryStrategy": {"Attempts": 1}, "ContainerProperties": CONTAINER},
    },
    "Queue": {
        "Type": "AWS::Batch::JobQueue",
        "Properties": {"JobQueueName": "stackQueue", "Priority": 3, "ComputeEnvironmentOrder": [ORDER]},
    },
}


def adopt(aws: Emulator, *arguments: str) -> subprocess.CompletedProcess[str]:
    return gen_infra("adopt", "--name", "lab", *arguments, environ=aws.environ)


@pytest.fixture(scope="module")
def lab(session: Session) -> Iterator[Emulator]:
    with session.seeded() as running:
        yield running


@pytest.fixture(scope="module")
def built(lab: Emulator) -> Builder:
    return Builder(lab)


def test_an_account_without_queues(lab: Emulator) -> None:
    done = adopt(lab)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: account 123456789012 has no job queue in us-east-1\n" in done.stderr
    assert adopt(lab, "--queue", "high").stderr.endswith('error: unknown queue "high" in us-east-1; there is none\n')


def test_a_queue_that_shares_its_environment(lab: Emulator, built: Builder) -> None:
    profile = built.profile("hosts_of.everyone")
    service = built.role("svc@lab", "batch", "service-role/AWSBatchServiceRole")
    resources = {"type": "EC2", "minvCpus": 0, "maxvCpus": 8, "instanceTypes": ["optimal"], "instanceRole": profile}
    compute = built.compute("1st_Compute", resources, serviceRole=service)
    built.queue("9__Odd-Queue", 1, compute)
    built.queue("odd", 2, compute)
    done = adopt(lab, "--queue", "odd")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "error: job queue 9__Odd-Queue uses the compute environment 1st_Compute too, as odd does, and is not "
        "adopted: AWS never deletes what a queue uses\n" in done.stderr
    )
    assert "hint: add --queue 9__Odd-Queue" in done.stderr
    assert adopt(lab, "--queue", "odd", "--queue", "9__Odd-Queue").returncode == 0


def test_odd_names_and_200_revisions(lab: Emulator, built: Builder, tmp_path: Path) -> None:
    task = built.role("task", "ecs-tasks", "AdministratorAccess")
    built.iam.put_role_policy(
        RoleName="task",
        PolicyName="foreign",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        ),
    )
    for number in range(200):
        built.definition("7-" + "x" * 60, {**ECHO, "jobRoleArn": task, "command": ["echo", str(number)]})
    built.definition("root", {**ECHO, "privileged": True})
    built.definition("nf-task", ECHO)
    done = adopt(lab)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "lab.yaml"
    path.write_text(done.stdout)
    load(path)
    existing = yaml.safe_load(done.stdout)["existing"]
    key = f"job-7-{'x' * 34}"
    assert existing["jobs"][key] == f"7-{'x' * 60}:200"
    assert existing["queues"] == {"queue-9__Odd-Queue": "9__Odd-Queue", "odd": "odd"}
    assert existing["compute"] == {"compute-1st_Compute": "1st_Compute"}
    assert (existing["roles"], existing["instance_profiles"]) == (["svc@lab", "task"], ["hosts_of.everyone"])
    assert f"jobs.{key}: 200 ACTIVE revisions; the newest is adopted" in done.stderr
    assert "not adopted: job definition nf-task: a workflow engine registers it" in done.stderr


def test_an_invalid_environment(lab: Emulator, built: Builder) -> None:
    built.iam.detach_role_policy(
        RoleName="svc@lab", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSBatchServiceRole"
    )
    built.iam.delete_role(RoleName="svc@lab")
    built.batch.update_compute_environment(computeEnvironment="1st_Compute", computeResources={"maxvCpus": 9})
    done = adopt(lab)
    assert done.returncode == 0, done.stderr
    assert "compute-1st_Compute: AWS reports it INVALID (" in done.stderr
    assert "remove existing.compute.compute-1st_Compute to replace it" in done.stderr
    assert "role svc@lab: compute environment 1st_Compute names it, but it does not exist" in done.stderr


def test_two_owners(lab: Emulator, built: Builder) -> None:
    """What a stack and another Terraform manage is named, until they release it."""
    build_of_terraform_aws_batch(built)
    stacks = built.stack("LabStack", OF_THE_STACK)
    done = adopt(lab)
    assert (done.returncode, done.stdout) == (1, "")
    assert "14 resources have an owner already, and two owners undo each other's changes:\n" in done.stderr
    definition = stacks.describe_stack_resource(StackName="LabStack", LogicalResourceId="Job")
    name = definition["StackResourceDetail"]["PhysicalResourceId"].rpartition("/")[2].partition(":")[0]
    owned = f"job queue stackQueue, job definition {name}, log group /lab/stack, role stackTask"
    assert f"  CloudFormation stack LabStack: {owned}\n" in done.stderr
    assert "hint: CloudFormation: set DeletionPolicy: Retain on each of them" in done.stderr
    stacks.delete_stack(StackName="LabStack")
    built.logs.tag_log_group(logGroupName="/lab/stack", tags={"gen-infra:environment": "prod"})
    done = adopt(lab)
    assert "11 resources have an owner already" in done.stderr, "the stack is gone, and its resources have stayed"
    assert "  environment prod (tag gen-infra:environment): log group /lab/stack\n" in done.stderr
    built.logs.untag_log_group(logGroupName="/lab/stack", tags=["gen-infra:environment"])
    assert f"  Terraform (tag Repository={MODULES_TAGS['Repository']}): job queue LowPriorityEc2" in done.stderr
    assert "removed { from = ADDRESS  lifecycle { destroy = false } }" in done.stderr
    answer = json.loads(adopt(lab, "--released", "--json").stdout)
    assert answer["imports"]["aws_batch_scheduling_policy.HighPriorityEc2"].endswith(
        "scheduling-policy/HighPriorityEc2"
    )
    for key, value in MODULES_TAGS.items():
        assert answer["manifest"]["queues"]["LowPriorityEc2"]["tags"][key] == value
