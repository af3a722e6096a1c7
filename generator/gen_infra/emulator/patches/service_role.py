"""What Batch does with the service role of a compute environment, and its messages where a policy refuses it.

Batch assumes the role, and calls ECS, EC2, Auto Scaling and IAM with it, from time to time. While it may not, the
compute environment is INVALID, or its jobs do not leave RUNNABLE. The calls are those of the managed policy:
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBatchServiceRole.html
The messages: https://github.com/hashicorp/terraform-provider-aws/pull/21281 and issues/34145 there.
The service-linked role is not evaluated: its policy is AWS's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.authorization.callers import principal_of_role
from gen_infra.emulator.patches.compute_environments import SERVICE, is_fargate, is_linked

if TYPE_CHECKING:
    from moto.batch.models import BatchBackend, ComputeEnvironment

    from gen_infra.emulator.authorization.acts import Actor
    from gen_infra.emulator.job import EmulatedJob

_SESSION = "aws-batch"
_ASSUME = "sts:AssumeRole"
_ABSENT = (  # https://docs.aws.amazon.com/batch/latest/userguide/invalid_compute_environment.html
    "Not authorized to perform sts:AssumeRole (Service: AWSSecurityTokenService; Status Code: 403; "
    "Error Code: AccessDenied)"
)


class _ServiceError(NamedTuple):
    """How a service reports a refusal, in the words of AWS's SDK for Java, in which Batch quotes it."""

    service: str
    status: int
    code: str


_ERRORS = {
    "autoscaling": _ServiceError("AmazonAutoScaling", 403, "AccessDenied"),
    "ec2": _ServiceError("AmazonEC2", 403, "UnauthorizedOperation"),
    "ecs": _ServiceError("AmazonECS", 400, "AccessDeniedException"),
    "iam": _ServiceError("AmazonIdentityManagement", 403, "AccessDenied"),
    "sts": _ServiceError("AWSSecurityTokenService", 403, "AccessDenied"),
}


class _BatchCall(NamedTuple):
    action: str
    resource: str = "*"
    passed_to: str = ""


def environment_problem(backend: BatchBackend, environment: ComputeEnvironment) -> str:
    """Return AWS's message for the first call that keeps a compute environment INVALID; empty if Batch may make all."""
    return _problem(backend, environment, _of_environment(backend, environment))


def deletion_problem(backend: BatchBackend, environment: ComputeEnvironment) -> str:
    """Return AWS's message for the first call that keeps Batch from deleting it; empty if Batch may make all."""
    return _problem(backend, environment, _of_deletion(environment))


def runs_tasks(backend: BatchBackend, environment: ComputeEnvironment, job: EmulatedJob) -> bool:
    """Return whether Batch may start the tasks of a job in a compute environment, and pass them the job's roles."""
    return not _problem(backend, environment, _of_job(environment, job))


def _problem(backend: BatchBackend, environment: ComputeEnvironment, calls: Iterator[_BatchCall]) -> str:
    given = environment.service_role
    if is_linked(given):
        return ""
    role = next((each for each in [*backend.iam_backend.roles.values()] if given in (each.arn, each.name)), None)
    if role is None:
        return _ABSENT
    batch = acts.service(SERVICE, backend.region_name, environment.arn)
    if acts.refusal(batch, _ASSUME, role.arn):
        return _quoted(_ASSUME, f"User: {SERVICE} is not authorized to perform: {_ASSUME} on resource: {role.arn}")
    session = acts.Actor(principal_of_role(role.arn, _SESSION, backend.account_id), backend.region_name)
    return next((said for each in calls if (said := _refusal(session, each))), "")


def _refusal(actor: Actor, call: _BatchCall) -> str:
    passed_to = {"iam:passedtoservice": (call.passed_to,)} if call.passed_to else {}
    said = acts.refusal(actor, call.action, call.resource, passed_to)
    return _quoted(call.action, said) if said else ""


def _quoted(action: str, message: str) -> str:
    error = _ERRORS[action.partition(":")[0]]
    return f"{message} (Service: {error.service}; Status Code: {error.status}; Error Code: {error.code})"


def _of_environment(backend: BatchBackend, environment: ComputeEnvironment) -> Iterator[_BatchCall]:
    yield _BatchCall("ecs:CreateCluster")
    yield _BatchCall("ecs:DescribeClusters", environment.ecs_arn)
    resources = environment.compute_resources or {}
    if not resources or is_fargate(environment):
        return
    profile = str(resources.get("instanceRole", ""))
    for each in [*backend.iam_backend.instance_profiles.values()]:
        if profile in (each.arn, each.name):
            yield _BatchCall("iam:GetInstanceProfile", str(each.arn))
            yield from (_BatchCall("iam:PassRole", str(role.arn), "ec2.amazonaws.com") for role in each.roles)
    for name in ("DescribeImages", "DescribeLaunchTemplateVersions", "DescribeSecurityGroups", "DescribeSubnets"):
        yield _BatchCall(f"ec2:{name}")
    if _is_spot_fleet(environment):
        yield from (_BatchCall(f"ec2:{name}") for name in ("DescribeSpotFleetRequests", "RequestSpotFleet"))
        return
    yield _BatchCall("autoscaling:DescribeAutoScalingGroups")
    group = _scaling_group(environment)
    yield from (
        _BatchCall(f"autoscaling:{name}", group) for name in ("CreateAutoScalingGroup", "UpdateAutoScalingGroup")
    )


def _of_deletion(environment: ComputeEnvironment) -> Iterator[_BatchCall]:
    if environment.compute_resources and not is_fargate(environment):
        if _is_spot_fleet(environment):
            yield _BatchCall("ec2:CancelSpotFleetRequests")
        else:
            yield _BatchCall("autoscaling:DeleteAutoScalingGroup", _scaling_group(environment))
    yield _BatchCall("ecs:DeleteCluster", environment.ecs_arn)


def _of_job(environment: ComputeEnvironment, job: EmulatedJob) -> Iterator[_BatchCall]:
    place, cluster = environment.ecs_arn.split(":cluster/")
    family = f"{place}:task-definition/{job.log_prefix}:1"
    yield _BatchCall("ecs:RegisterTaskDefinition", family)
    roles = (task.get(key, "") for task, _ in job.tasks for key in ("taskRoleArn", "jobRoleArn", "executionRoleArn"))
    yield from (_BatchCall("iam:PassRole", role, "ecs-tasks.amazonaws.com") for role in roles if role)
    yield _BatchCall("ecs:RunTask", family)
    yield _BatchCall("ecs:DescribeTasks", f"{place}:task/{cluster}/*")


def _is_spot_fleet(environment: ComputeEnvironment) -> bool:
    resources = environment.compute_resources or {}
    return resources.get("type") == "SPOT" and resources.get("allocationStrategy", "BEST_FIT") == "BEST_FIT"


def _scaling_group(environment: ComputeEnvironment) -> str:
    """Return the ARN of its Auto Scaling group, whose name begins with that of the compute environment."""
    place = environment.arn.replace(":batch:", ":autoscaling:").partition(":compute-environment/")[0]
    return f"{place}:autoScalingGroup:*:autoScalingGroupName/AWSBatch-{environment.name}-asg-*"
