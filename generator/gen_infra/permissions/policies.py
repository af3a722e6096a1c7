"""Make the policy documents of a role: its commands' calls, one statement for each scope."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from gen_infra.errors import UsageError
from gen_infra.manifest.job_policies import Statement, policy_document
from gen_infra.permissions.calls import ROLES, calls
from gen_infra.permissions.scope import iam_arn
from gen_infra.permissions.scopes import protected, scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.manifest import Manifest

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: characters of a managed policy without
# whitespace, and managed policies of a role.
POLICY_LIMIT = 6144
MOST_POLICIES = 10
# What changes roles and policies. The role `apply` is denied these on the access roles, whatever else it is allowed.
_CHANGES_OF_ROLES = (
    "iam:AttachRolePolicy",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:TagPolicy",
    "iam:TagRole",
    "iam:UntagPolicy",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)


def statements(manifest: Manifest, role: str) -> list[Statement]:
    """Return what a role may do in an environment: submit, operate, plan, apply or image.

    Raises:
        UsageError: the role `apply` needs a permissions boundary, or `image` instances, and the manifest has none.
    """
    if role == "apply" and not manifest.iam.permissions_boundary:
        raise UsageError(
            "the role apply requires iam.permissions_boundary: without it, it could create a role with more rights "
            "than its own",
            hint="add iam: {permissions_boundary: ARN} to the manifest; docs/access.md has a policy for it",
        )
    if role == "image" and not manifest.uses_ec2:
        raise UsageError("every compute environment is on Fargate, which runs no machine image")
    where, actions = scopes(manifest), defaultdict[str, set[str]](set)
    for command in ROLES[role]:
        for each in calls(manifest, command):
            if each.scope in where:
                actions[each.scope].update(each.actions)
    for scope in actions.keys() - {"region"}:
        actions[scope] -= actions["region"]  # which allows them on every resource
    found = [
        Statement(_sid(scope), tuple(sorted(actions[scope])), where[scope].arns, where[scope].conditions)
        for scope in where
        if actions[scope]
    ]
    return [*found, *(_denials(manifest) if role == "apply" else ())]


def _denials(manifest: Manifest) -> Iterator[Statement]:
    """Yield what keeps the role that applies a manifest from raising itself, whatever the manifest says."""
    yield Statement("KeepAccessRoles", _CHANGES_OF_ROLES, protected(manifest), effect="Deny")
    roles = (iam_arn(manifest, "role/*"),)
    yield Statement("KeepBoundaries", ("iam:DeleteRolePermissionsBoundary",), roles, effect="Deny")


def _sid(scope: str) -> str:
    return "".join(word.capitalize() for word in scope.split("-"))


def policies(manifest: Manifest, role: str) -> list[list[Statement]]:
    """Return the statements of a role in as many policies as IAM's limit of their size requires."""
    parts: list[list[Statement]] = [[]]
    for statement in statements(manifest, role):
        for part in _fitting(statement):
            if parts[-1] and size([*parts[-1], part]) > POLICY_LIMIT:
                parts.append([])
            parts[-1].append(part)
    return parts


def _fitting(statement: Statement) -> Iterator[Statement]:
    """Yield a statement, or as many with some of its resources as the limit requires."""
    if size([statement]) <= POLICY_LIMIT or len(statement.resources) == 1:
        yield statement
        return
    middle = len(statement.resources) // 2
    halves = (statement.resources[:middle], statement.resources[middle:])
    for letter, resources in zip("AB", halves, strict=True):
        yield from _fitting(statement._replace(sid=f"{statement.sid}{letter}", resources=resources))


def size(several: Iterable[Statement]) -> int:
    """Return the characters of a policy as IAM counts them."""
    return len(json.dumps(policy_document([*several]), separators=(",", ":")).replace(" ", ""))


def documents(manifest: Manifest, role: str) -> list[dict[str, object]]:
    """Return the policy documents of a role, each within IAM's limit."""
    return [policy_document(part) for part in policies(manifest, role)]
