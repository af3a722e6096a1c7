"""Check whom roles and policies trust: services, named principals, and this account only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_infra.check.rules.rule import Accepted, Rule, rule_beyond
from gen_infra.terraform.policy_documents import (
    accounts,
    allowing,
    conditions,
    has_condition,
    listed,
    may_be_anything,
    named,
)
from gen_infra.terraform.source import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.terraform.source import Resource


_PRACTICES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"


@rule_beyond(
    "GI_IAM_3",
    "aws_iam_role",
    severity="high",
    title="Only AWS services and named people and CI assume the environment's roles",
    remedy="name a service principal, or use access in the manifest, which names principals and pins OIDC subjects",
    source=_PRACTICES,
)
def roles_are_for_services(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Refuse other principals, such as whole accounts, patterns, and tokens that any repository could present."""
    for statement in allowing(resource.values.get("assume_role_policy")):
        principal = statement.get("Principal")
        if not isinstance(principal, dict) or "*" in listed(principal.get("Service")):
            yield "it can be assumed by any principal"
        else:
            yield from (f"it can be assumed {problem}" for problem in _problems(principal, statement, accepted))


def _problems(principal: dict[str, Any], statement: dict[str, Any], accepted: Accepted) -> Iterator[str]:
    for service in listed(principal.get("Service")):
        if isinstance(service, str) and not _SERVICE.fullmatch(service):
            yield f"by {service}"
    others = sorted(str(kind) for kind in principal if kind not in {"Service", "AWS", "Federated"})
    if others:
        yield f"by principals of type {', '.join(others)}"
    for arn in listed(principal.get("AWS")):
        if problem := _problem_with_principal(arn, statement, accepted):
            yield f"by {problem}"
    if "Federated" in principal:
        yield from _problems_with_tokens(principal["Federated"], statement, accepted)


def _problems_with_tokens(providers: Any, statement: dict[str, Any], accepted: Accepted) -> Iterator[str]:
    if not _pins_tokens(statement):
        yield "with tokens whose audience or repository is not pinned"
    for provider in listed(providers):
        if isinstance(provider, str) and accepted.account and provider.split(":")[4:5] != [accepted.account]:
            yield f"with tokens of {provider}"
    for subject in _subjects(statement):
        if accepted.trusted is not None and subject not in accepted.trusted:
            yield f"by {subject}"


# The services that the environment's roles are for.
_SERVICE = re.compile(
    r"(?:batch|codebuild|ec2|ecs-tasks|lambda|scheduler|spotfleet|states|vpc-flow-logs)\.amazonaws\.com(?:\.cn)?",
    re.ASCII,
)
_PRINCIPAL = re.compile(r"arn:[\w-]+:iam::([0-9]{12}):(?:role|user)/[^*?]+", re.ASCII)
# A repository or project by its name, and what runs in it.
_SUBJECT = re.compile(r"(?:repo|project_path):[^:*?]+:[^*?]+[^:]*", re.ASCII)


def _problem_with_principal(arn: object, statement: dict[str, Any], accepted: Accepted) -> str:
    """Return which principal may not assume a role; empty for one that may, and for one that is not known."""
    if not isinstance(arn, str):
        return ""
    found = _PRINCIPAL.fullmatch(arn)
    if not found:
        return f"the principal {arn}"
    if accepted.trusted is not None and arn not in accepted.trusted:
        return f"{arn}, which the manifest does not name"
    is_foreign = accepted.account and found[1] != accepted.account
    return f"{arn} without an external id" if is_foreign and not has_condition(statement, "sts:externalid") else ""


def _subjects(statement: dict[str, Any]) -> Iterator[str]:
    """Yield the subjects of the tokens that a trust policy accepts."""
    for _, key, values in conditions(statement):
        if key.endswith(":sub"):
            yield from (value for value in values if isinstance(value, str))


def _pins_tokens(statement: dict[str, Any]) -> bool:
    """Return whether tokens must have one audience, and the subject of one repository."""
    if may_be_anything(statement):
        return True
    pinned = {
        key.rpartition(":")[2]
        for operator, key, values in conditions(statement)
        if values
        and (
            (key.endswith(":aud") and operator == "StringEquals")
            or (
                key.endswith(":sub")
                and operator in {"StringEquals", "StringLike"}
                and all(not isinstance(value, str) or _SUBJECT.fullmatch(value) for value in values)
            )
        )
    }
    return pinned == {"aud", "sub"}


@rule_beyond(
    "GI_IAM_10",
    "aws_iam_role",
    severity="high",
    title="Every role has the manifest's permissions boundary",
    remedy="set permissions_boundary to iam.permissions_boundary of the manifest",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
)
def roles_have_the_boundary(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Require the boundary on all roles: one without it may do what the boundary forbids."""
    boundary = resource.values.get("permissions_boundary")
    if resource.address.startswith("aws_iam_role.existing["):
        return  # it existed before the environment, which leaves it as it is
    if accepted.boundary and not isinstance(boundary, Unknown) and boundary != accepted.boundary:
        yield f"its boundary is {boundary}" if boundary else "it has none"


@rule_beyond(
    "GI_IAM_11",
    "aws_kms_key",
    "aws_kms_key_policy",
    "aws_iam_role",
    "aws_*_policy",
    severity="high",
    title="Policies for keys, resources and trust name this account only",
    remedy="name the environment's account in principals and conditions",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html",
)
def policies_name_this_account(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Refuse other accounts as principals of keys and in conditions, which would admit them."""
    if not accepted.account or resource.kind in {"aws_iam_policy", "aws_iam_role_policy"}:
        return
    is_trust = resource.kind == "aws_iam_role"
    for statement in allowing(resource.values.get("assume_role_policy" if is_trust else "policy")):
        foreign = set() if is_trust else accounts(statement)
        for _, key, values in conditions(statement):
            if key.startswith(_ACCOUNT_KEYS):
                foreign |= {_account(value) for value in values if isinstance(value, str)}
        for account in sorted(foreign - {accepted.account}):
            yield f"{named(statement)} admits account {account}"


_ACCOUNT_KEYS = (
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "kms:calleraccount",
    "kms:encryptioncontext:",
)
_ARN = re.compile(r"arn:(?:[^:]*:){3}([^:]*):.*", re.ASCII | re.DOTALL)


def _account(value: str) -> str:
    """Return the account of an ARN, or the value that stands for one."""
    found = _ARN.fullmatch(value)
    return found[1] if found else value


RULES: tuple[Rule, ...] = (roles_are_for_services, roles_have_the_boundary, policies_name_this_account)
