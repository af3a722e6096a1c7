"""IAM: the names of service-linked roles, and the quotas of a role."""

from __future__ import annotations

from typing import Any

from moto.iam import models
from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch
from gen_infra.emulator.validation.policies import size

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html, each service's page
ROLE_NAMES = {
    "batch": "Batch",
    "ecs": "ECS",
    "elasticfilesystem": "AmazonElasticFileSystem",
    "spot": "EC2Spot",
    "spotfleet": "EC2SpotFleet",
}
MAX_POLICIES = 10
MAX_INLINE = 10_240


@moto_patch(
    moto="5.2.5 names the role of batch.amazonaws.com AWSServiceRoleForbatch",
    aws="uses AWSServiceRoleForBatch, and likewise ECS, EC2Spot and EC2SpotFleet",
)
def service_linked_role_names() -> None:
    """Add the names to moto's table."""
    models.SERVICE_NAME_CONVERSION.update(ROLE_NAMES)


@moto_patch(
    moto="5.2.5 accepts any number of managed policies and any size of inline policies for a role",
    aws="accepts 10 managed policies, and inline policies of 10,240 characters together",
)
def role_quotas() -> None:
    """Count before a policy is added.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """

    @around(IAMBackend, "attach_role_policy")
    def attach_role_policy(original: Any, backend: IAMBackend, policy_arn: str, role_name: str) -> None:
        attached = backend.get_role(role_name).managed_policies
        if policy_arn not in attached and len(attached) >= MAX_POLICIES:
            raise LimitExceededException(f"Cannot exceed quota for PoliciesPerRole: {MAX_POLICIES}")
        original(backend, policy_arn, role_name)

    @around(IAMBackend, "put_role_policy")
    def put_role_policy(original: Any, backend: IAMBackend, role_name: str, policy_name: str, policy_json: str) -> None:
        others = {name: text for name, text in backend.get_role(role_name).policies.items() if name != policy_name}
        if sum(size(text) for text in (*others.values(), policy_json)) > MAX_INLINE:
            raise LimitExceededException(f"Maximum policy size of {MAX_INLINE} bytes exceeded for role {role_name}")
        original(backend, role_name, policy_name, policy_json)


PATCHES: tuple[MotoPatch, ...] = (
    service_linked_role_names,
    role_quotas,
)
