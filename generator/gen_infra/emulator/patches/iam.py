"""IAM: the names of service-linked roles, and the quotas of a role."""

from __future__ import annotations

import re
from inspect import signature
from typing import Any

from moto.iam import models
from moto.iam.exceptions import (
    DeleteConflictException,
    EntityAlreadyExists,
    InvalidInput,
    LimitExceededException,
    MalformedPolicyDocument,
    NotFoundException,
)
from moto.iam.models import IAMBackend

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch
from gen_infra.emulator.validation.policies import account_principals, size

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


@moto_patch(
    moto="5.2.5 deletes a managed policy that is attached to a role",
    aws="refuses that with DeleteConflict",
)
def attached_policies() -> None:
    """Look for roles with the policy before it is deleted.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
    """

    @around(IAMBackend, "delete_policy")
    def delete_policy(original: Any, backend: IAMBackend, policy_arn: str) -> None:
        if any(policy_arn in role.managed_policies for role in backend.roles.values()):
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        original(backend, policy_arn)


@moto_patch(
    moto="5.2.5 accepts a trust policy or a permissions boundary that names an entity which does not exist",
    aws="refuses the trust policy with MalformedPolicyDocument, and the boundary with NoSuchEntity",
)
def entities_of_roles() -> None:
    """Look up the account's roles, users and policies that a new role names."""

    @around(IAMBackend, "create_role")
    def create_role(original: Any, backend: IAMBackend, *args: Any, **kwargs: Any) -> Any:
        given = signature(original).bind(backend, *args, **kwargs).arguments
        boundary = given.get("permissions_boundary")
        if boundary and f":{backend.account_id}:" in boundary and boundary not in backend.managed_policies:
            raise NotFoundException(f"Scope ARN: {boundary} does not exist or is not attachable.")
        _check_trust(backend, given["assume_role_policy_document"])
        return original(backend, *args, **kwargs)

    @around(IAMBackend, "update_assume_role_policy")
    def update_trust(original: Any, backend: IAMBackend, *args: Any, **kwargs: Any) -> None:
        given = signature(original).bind(backend, *args, **kwargs).arguments
        _check_trust(backend, given["policy_document"])
        original(backend, *args, **kwargs)


def _check_trust(backend: IAMBackend, trust: str) -> None:
    for principal in absent_principals(backend, trust):
        raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{principal}"')


def absent_principals(backend: IAMBackend, policy: str | None) -> list[str]:
    """Return the roles and users of the account that a policy names as principals, and that do not exist."""
    known = {role.arn for role in backend.roles.values()} | {user.arn for user in backend.users.values()}
    entity = re.compile(rf"arn:[a-z-]+:iam::{backend.account_id}:(role|user)/.+")
    return [each for each in account_principals(policy) if entity.fullmatch(each) and each not in known]


@moto_patch(
    moto="5.2.5 answers a second creation of a service-linked role with EntityAlreadyExists",
    aws="answers it with InvalidInput: the name has been taken",
)
def taken_service_linked_roles() -> None:
    """Put AWS's error in its place.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html
    """

    @around(IAMBackend, "create_service_linked_role")
    def create(original: Any, backend: IAMBackend, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(backend, *args, **kwargs)
        except EntityAlreadyExists as error:
            found = re.search(r"AWSServiceRoleFor\S+", str(error.message))
            name = found[0] if found else "AWSServiceRole"
            raise InvalidInput(
                f"Service role name {name} has been taken in this account, please try a different suffix."
            ) from error


PATCHES: tuple[MotoPatch, ...] = (
    service_linked_role_names,
    role_quotas,
    attached_policies,
    entities_of_roles,
    taken_service_linked_roles,
)
