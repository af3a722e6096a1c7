"""Service-linked roles that a call creates where the account has none, which needs ``iam:CreateServiceLinkedRole``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
https://docs.aws.amazon.com/batch/latest/userguide/using-service-linked-roles.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.iam import models

from gen_infra.emulator.authorization.callers import backend

if TYPE_CHECKING:
    from collections.abc import Mapping

# By action: the service whose role it creates, and a parameter that names another role instead.
_CREATED_BY: Mapping[str, tuple[str, str]] = {
    "autoscaling:CreateAutoScalingGroup": ("autoscaling.amazonaws.com", "ServiceLinkedRoleARN"),
    "batch:CreateComputeEnvironment": ("batch.amazonaws.com", "serviceRole"),
    "elasticfilesystem:CreateMountTarget": ("elasticfilesystem.amazonaws.com", ""),
    "ecs:CreateCluster": ("ecs.amazonaws.com", ""),
    "ec2:RequestSpotInstances": ("spot.amazonaws.com", ""),
}


def linked_role_name(service: str) -> str:
    """Return the name of the service-linked role of a service, such as ``AWSServiceRoleForBatch``."""
    prefix = service.partition(".")[0]
    return f"AWSServiceRoleFor{models.SERVICE_NAME_CONVERSION.get(prefix, prefix)}"


def missing_linked_role(action: str, parameters: Mapping[str, Any], partition: str) -> str:
    """Return the service whose role a call would create; empty if it creates none, or the account has it."""
    service, instead = _CREATED_BY.get(action, ("", ""))
    if not service or parameters.get(instead):
        return ""
    name = linked_role_name(service)
    return "" if any(role.name == name for role in [*backend(ACCOUNT_ID, partition).roles.values()]) else service
