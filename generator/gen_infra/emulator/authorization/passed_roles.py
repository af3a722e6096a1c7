"""Which roles a call passes to a service, which needs ``iam:PassRole`` on each.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class PassedRole(NamedTuple):
    """A role, or an instance profile whose role is meant, and the service that gets it."""

    name: str
    service: str


# By action: the members that hold a role, wherever they stand in the call, and the service.
_MEMBERS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "autoscaling:CreateAutoScalingGroup": (("ServiceLinkedRoleARN",), "autoscaling.amazonaws.com"),
    "batch:CreateComputeEnvironment": (("instanceRole",), "ec2.amazonaws.com"),
    "batch:RegisterJobDefinition": (("jobRoleArn", "taskRoleArn", "executionRoleArn"), "ecs-tasks.amazonaws.com"),
    "batch:UpdateComputeEnvironment": (("instanceRole",), "ec2.amazonaws.com"),
    "codebuild:CreateProject": (("serviceRole",), "codebuild.amazonaws.com"),
    "codebuild:UpdateProject": (("serviceRole",), "codebuild.amazonaws.com"),
    "ec2:CreateFlowLogs": (("DeliverLogsPermissionArn",), "vpc-flow-logs.amazonaws.com"),
    "ec2:RunInstances": (("IamInstanceProfile",), "ec2.amazonaws.com"),
    "events:PutTargets": (("RoleArn",), "events.amazonaws.com"),
    "lambda:CreateFunction": (("Role",), "lambda.amazonaws.com"),
    "lambda:UpdateFunctionConfiguration": (("Role",), "lambda.amazonaws.com"),
    "scheduler:CreateSchedule": (("RoleArn",), "scheduler.amazonaws.com"),
    "scheduler:UpdateSchedule": (("RoleArn",), "scheduler.amazonaws.com"),
    "states:CreateStateMachine": (("roleArn",), "states.amazonaws.com"),
    "states:UpdateStateMachine": (("roleArn",), "states.amazonaws.com"),
}
# Members of a compute environment that go to other services.
_OF_COMPUTE = {"serviceRole": "batch.amazonaws.com", "spotIamFleetRole": "spotfleet.amazonaws.com"}


def passed_roles(action: str, parameters: Mapping[str, Any]) -> Iterator[PassedRole]:
    """Yield the roles that a call passes."""
    members, service = _MEMBERS.get(action, ((), ""))
    for name, value in _members(parameters):
        if name in members:
            yield PassedRole(value, service)
        elif action.endswith("ComputeEnvironment") and name in _OF_COMPUTE and action.startswith("batch:"):
            yield PassedRole(value, _OF_COMPUTE[name])


def _members(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in nested members with the name of its member; a profile's text has the profile's name."""
    if isinstance(value, str) and value:
        yield name, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _members(each, name if name == "IamInstanceProfile" else key)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _members(each, name)
