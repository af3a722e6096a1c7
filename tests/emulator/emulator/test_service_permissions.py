"""What AWS services do by themselves, with the roles and the policies of the account, and how it fails without them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.job_helpers import follow
from tests.emulator.probes import Lab

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator

PLACE = "us-east-1:123456789012"
REPOSITORY = f"arn:aws:ecr:{PLACE}:repository/aligner"
GROUP = f"arn:aws:logs:{PLACE}:log-group:/lab/aligner"
WORKER = {
    "ecs:DiscoverPollEndpoint": "*",
    "ecs:Poll": "*",
    "ecs:RegisterContainerInstance": f"arn:aws:ecs:{PLACE}:cluster/*",
    "ecs:SubmitContainerStateChange": "*",
    "ecs:SubmitTaskStateChange": "*",
    "ecr:BatchGetImage": REPOSITORY,
    "ecr:GetAuthorizationToken": "*",
    "ecr:GetDownloadUrlForLayer": REPOSITORY,
    "logs:CreateLogStream": f"{GROUP}:*",
    "logs:PutLogEvents": f"{GROUP}:*",
}


@pytest.fixture(scope="module")
def lab(aws: Emulator) -> Lab:
    return Lab(aws.endpoint)


def role(lab: Lab, service: str, permissions: dict[str, str], **condition: Any) -> str:
    """Make a role that trusts a service, and may do these actions; return its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust |= {"Condition": condition} if condition else {}
    name = lab.name("role")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = lab.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for action, resource in permissions.items():
        lab.allow(name, action, resource)
    return str(arn)


def without(permissions: dict[str, str], action: str) -> dict[str, str]:
    return {name: resource for name, resource in permissions.items() if name != action}


@pytest.fixture(scope="module")
def image(lab: Lab) -> str:
    lab.client("ecr").create_repository(repositoryName="aligner")
    lab.client("logs").create_log_group(logGroupName="/lab/aligner")
    return "123456789012.dkr.ecr.us-east-1.amazonaws.com/aligner:1"


def submit(lab: Lab, image: str, instance_role: str, **container: Any) -> str:
    resources = lab.resources()
    profile = resources["instanceRole"].rpartition("/")[2]
    lab.client("iam").add_role_to_instance_profile(
        InstanceProfileName=profile, RoleName=instance_role.rpartition("/")[2]
    )
    queue = lab.queue(lab.environment(computeResources=resources))
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/lab/aligner"}}
    definition = lab.definition({"image": image, "logConfiguration": log, **container})
    made = lab.client("batch").submit_job(jobName="a", jobQueue=queue, jobDefinition=definition)
    return str(made["jobId"])


def test_a_task_needs_each_permission_of_its_roles(lab: Lab, image: str) -> None:
    secret = lab.client("secretsmanager").create_secret(Name=lab.name("token"), SecretString="x")["ARN"]
    fetches = {"secretsmanager:GetSecretValue": secret, "ssm:GetParameters": f"arn:aws:ssm:{PLACE}:parameter/lab/*"}
    worker = role(lab, "ec2", WORKER)
    secrets = [{"name": "A", "valueFrom": secret}, {"name": "B", "valueFrom": "/lab/token"}]

    def with_secrets(execution: str) -> dict[str, Any]:
        return {"secrets": secrets, "executionRoleArn": execution}

    jobs = {
        action: submit(lab, image, role(lab, "ec2", without(WORKER, action)))
        for action in WORKER
        if action.startswith(("ecr:", "logs:"))
    }
    for action in fetches:
        execution = role(lab, "ecs-tasks", without(fetches, action))
        jobs[action] = submit(lab, image, worker, **with_secrets(execution))
    stranger = role(lab, "ecs-tasks", {}, StringEquals={"aws:SourceAccount": "999999999999"})
    jobs["sts:AssumeRole"] = submit(lab, image, worker, jobRoleArn=stranger)
    own = role(lab, "ecs-tasks", {}, ArnLike={"aws:SourceArn": f"arn:aws:ecs:{PLACE}:*"})
    good = submit(lab, image, worker, jobRoleArn=own, **with_secrets(role(lab, "ecs-tasks", fetches)))
    for action, job in jobs.items():
        found = follow(lab, job)[0]
        reason = found["attempts"][-1]["container"]["reason"]
        if action == "sts:AssumeRole":
            assert reason.startswith(f"ECS was unable to assume the role '{stranger}'")
        else:
            assert f"is not authorized to perform: {action} on resource" in reason or f"{action} because" in reason
            assert reason.startswith(START[action.partition(":")[0]]), reason
    assert follow(lab, good)[0]["status"] == "SUCCEEDED"


START = {
    "ecr": "CannotPull",
    "logs": "CannotStartContainerError: Error response from daemon: failed to initialize logging driver",
    "secretsmanager": "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed: unable to retrieve secret from asm",
    "ssm": "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secrets from ssm",
}


def test_an_instance_that_may_not_join_the_cluster_runs_no_job(lab: Lab, image: str) -> None:
    jobs = [
        submit(lab, image, role(lab, "ec2", without(WORKER, action))) for action in WORKER if action.startswith("ecs:")
    ]
    jobs.append(submit(lab, image, role(lab, "batch", WORKER)))  # it does not trust EC2
    good = submit(lab, image, role(lab, "ec2", WORKER))
    assert follow(lab, good)[0]["status"] == "SUCCEEDED"
    found = lab.client("batch").describe_jobs(jobs=jobs)["jobs"]
    assert [job["status"] for job in found] == ["RUNNABLE"] * len(jobs)
