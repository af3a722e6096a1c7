"""Check the conditions of policies: those that gen-infra renders, and wherever an action or a service needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.check.rules.rule import Accepted, Rule, rule, rule_beyond
from gen_infra.terraform.policy_documents import (
    allowing,
    conditions,
    has_condition,
    is_bound_to_account,
    listed,
    may_be_anything,
    named,
    services,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gen_infra.terraform.source import Resource

_CONDITIONS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
_IDENTITY_POLICIES = ("aws_iam_policy", "aws_iam_role_policy")

_SOURCE = ("aws:sourceaccount", "aws:sourcearn")
_TOPIC = "kms:encryptioncontext:aws:sns:topicarn"

TRUST: Mapping[str, tuple[str, ...]] = {
    "ec2": (),  # they send no source
    "lambda": (),
    **dict.fromkeys(
        ("batch", "codebuild", "ecs-tasks", "scheduler", "spotfleet", "states", "vpc-flow-logs"),
        _SOURCE,
    ),
}
"""The conditions with which each service may assume a role; see the page about the confused deputy."""

KEY: Mapping[str, tuple[str, ...]] = {
    "budgets": ("aws:sourceaccount", _TOPIC),
    "cloudwatch": (_TOPIC,),
    "delivery": _SOURCE,
    "events": (_TOPIC,),
    "logs": ("kms:encryptioncontext:aws:logs:arn",),
}
"""Those with which it may use a key."""

TOPIC: Mapping[str, tuple[str, ...]] = {"budgets": _SOURCE, "cloudwatch": _SOURCE, "events": ("aws:sourcearn",)}
"""Those with which it may publish to a topic."""


def policy_of(resource: Resource) -> Any:
    """Return a resource's policy; of a role, who may assume it."""
    return resource.values.get("assume_role_policy" if resource.kind == "aws_iam_role" else "policy")


def missing(statement: dict[str, Any], needed: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield each service that a statement admits without a condition that it needs, and the condition."""
    for service in services(statement):
        for key in needed.get(service, ()):
            is_account = key == "aws:sourceaccount"
            if not (is_bound_to_account(statement, frozenset({key})) if is_account else has_condition(statement, key)):
                yield service, key


_EXACTLY = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:requestedregion",
        "aws:sourceaccount",
        "aws:sourcearn",
        "ec2:authorizedservice",
        "ec2:createaction",
        "ec2:subnet",
        "ecs:cluster",
        "ecs:createaction",
        "elasticfilesystem:accesspointarn",
        "iam:awsservicename",
        "iam:passedtoservice",
        "iam:permissionsboundary",
        "iam:policyarn",
        "kms:calleraccount",
        "kms:viaservice",
        "sts:externalid",
    }
)
_EXACTLY_BELOW = ("aws:requesttag/", "aws:resourcetag/", "ec2:attribute/", "kms:encryptioncontext:", "ssm:resourcetag/")
_OF_TOKENS = (":aud", ":sub")
_TESTS: Mapping[str, frozenset[str]] = {
    "Bool": frozenset({"ec2:encrypted", "kms:grantisforawsresource"}),
    "BoolIfExists": frozenset({"batch:privileged"}),
    "ForAllValues:StringEquals": frozenset({"aws:tagkeys"}),
    "Null": frozenset({"kms:resourcealiases", "s3:prefix"}),
    "StringEqualsIfExists": frozenset({"aws:resourcetag/gen-infra:environment"}),
    "StringLike": frozenset({"aws:requesttag/name", "aws:resourcetag/name", "s3:prefix"}),
}


def _restricts(operator: str, key: str) -> bool:
    if operator in {"ArnEquals", "ArnLike", "StringEquals"}:
        return key in _EXACTLY or key.startswith(_EXACTLY_BELOW) or key.endswith(_OF_TOKENS)
    return key in _TESTS.get(operator, ()) or (operator == "Null" and key.startswith("aws:resourcetag/"))


@rule(
    "GI_IAM_13",
    *_IDENTITY_POLICIES,
    "aws_iam_role",
    "aws_kms_key",
    "aws_*_policy",
    severity="high",
    title="Conditions are those that gen-infra renders",
    remedy="use the operator and the key of the module that renders the statement",
    source=_CONDITIONS,
    privilege=True,
)
def conditions_restrict(resource: Resource) -> Iterator[str]:
    """Refuse other operators and keys: with ``…IfExists``, ``…Not…`` or another key they may restrict nothing."""
    for statement in allowing(policy_of(resource)):
        for operator, key, values in conditions(statement):
            if key and not _restricts(operator, key):
                yield f"{named(statement)} has the condition {operator} {key}"
            elif "*" in values:
                yield f"{named(statement)} accepts any {key}"


_TAGGED = ("aws:resourcetag/",)
_NAMED_TAG = ("aws:resourcetag/name",)
NEEDED: Mapping[str, tuple[str, ...]] = {
    "batch:CancelJob": _TAGGED,
    "batch:TerminateJob": _TAGGED,
    "ec2:CreateLaunchTemplate": ("aws:requesttag/name",),
    "ec2:CreateLaunchTemplateVersion": _NAMED_TAG,
    "ec2:CreateNetworkInterfacePermission": ("ec2:authorizedservice", "ec2:subnet"),
    "ec2:DeleteLaunchTemplate": _NAMED_TAG,
    "ec2:DeleteNetworkInterface": ("ec2:subnet",),
    "ec2:DeleteTags": _NAMED_TAG,
    "ec2:ModifyLaunchTemplate": _NAMED_TAG,
    "ec2:StopInstances": _TAGGED,
    "ec2:TerminateInstances": _TAGGED,
    "ecs:Poll": ("ecs:cluster",),
    "ecs:StartTelemetrySession": ("ecs:cluster",),
    "ecs:TagResource": ("ecs:createaction",),
    "ecs:UpdateContainerInstancesState": ("ecs:cluster",),
    "iam:AttachRolePolicy": ("iam:policyarn",),
    "iam:CreateServiceLinkedRole": ("iam:awsservicename",),
    "iam:DetachRolePolicy": ("iam:policyarn",),
    "iam:PassRole": ("iam:passedtoservice",),
    "kms:CreateGrant": ("kms:grantisforawsresource",),
    "kms:CreateKey": ("aws:requesttag/name",),
    "kms:Encrypt": ("kms:viaservice",),
    "kms:PutKeyPolicy": _NAMED_TAG,
    "kms:ReEncryptFrom": ("kms:viaservice",),
    "kms:ReEncryptTo": ("kms:viaservice",),
    "kms:ScheduleKeyDeletion": _NAMED_TAG,
    "kms:TagResource": _NAMED_TAG,
    "kms:UntagResource": _NAMED_TAG,
    "s3:ListBucketVersions": ("s3:prefix",),
}
"""The conditions without which an action reaches more than the environment."""

_BOUNDED = frozenset(
    f"iam:{name}"
    for name in (
        *("AttachRolePolicy", "CreateRole", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePermissionsBoundary"),
        "PutRolePolicy",
    )
)


@rule_beyond(
    "GI_IAM_14",
    *_IDENTITY_POLICIES,
    severity="high",
    title="Actions have the conditions that keep them within the environment",
    remedy="add the condition, as the module that renders the statement does",
    source="https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
)
def actions_have_their_conditions(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Require a condition wherever resources alone do not limit an action; roles are made with the boundary only."""
    for statement in allowing(resource.values.get("policy")):
        for action in listed(statement.get("Action")):
            needed = NEEDED.get(str(action), ())
            if accepted.boundary and action in _BOUNDED:
                needed = (*needed, "iam:permissionsboundary")
            registers = action == "batch:RegisterJobDefinition" and resource.kind == "aws_iam_role_policy"
            if registers and not (accepted.registers_privileged or _refuses_privileged(statement)):
                yield f"{named(statement)} allows privileged containers, which control their instance"
            for key in needed:
                if not _is_limited_by(statement, key):
                    yield f"{named(statement)} allows {action} without a condition on {key}"


def _is_limited_by(statement: dict[str, Any], key: str) -> bool:
    is_absent = any(
        operator == "Null" and name.startswith(key) and values == ["true"]
        for operator, name, values in conditions(statement)
    )
    return is_absent or has_condition(statement, key)


def _refuses_privileged(statement: dict[str, Any]) -> bool:
    """Return whether it does; ``…IfExists``, because a request does not have the key unless it sets the setting."""
    return may_be_anything(statement) or any(
        operator in {"Bool", "BoolIfExists"} and key == "batch:privileged" and values == ["false"]
        for operator, key, values in conditions(statement)
    )


RULES: tuple[Rule, ...] = (conditions_restrict, actions_have_their_conditions)
