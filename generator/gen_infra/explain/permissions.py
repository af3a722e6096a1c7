"""Finds what a plan newly allows, and what it no longer allows.

A policy is taken apart into what IAM decides by: who may do which action on what, under which conditions. Something is
added only where nothing that was allowed before covers it, so that a policy written otherwise is no change.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.iam.matching import is_like
from gen_infra.terraform.policy_documents import listed, statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.terraform.plan import ResourceChange

# Where terraform's resources keep a policy, and the owner of the policy.
POLICY_ATTRIBUTES = {
    "aws_ecr_repository_policy": "policy",
    "aws_iam_policy": "policy",
    "aws_iam_role": "assume_role_policy",
    "aws_iam_role_policy": "policy",
    "aws_kms_key": "policy",
    "aws_s3_bucket_policy": "policy",
    "aws_sns_topic_policy": "policy",
    "aws_sqs_queue_policy": "policy",
}
_NAMED = "aws_iam_role_policy_attachment"  # a policy that is kept elsewhere, by its ARN
_ROLE_OF = {"aws_iam_role_policy", _NAMED}
_EXCLUDED = "all but "


class Grant(NamedTuple):
    """One action that is allowed or denied; each text but the effect may have wildcards."""

    effect: str
    action: str
    resource: str
    principal: str
    condition: str

    def __str__(self) -> str:
        denied = "deny " if self.effect == "Deny" else ""
        who = f" by {self.principal}" if self.principal else ""
        what = f" on {self.resource}" if self.resource not in {"", "*"} else ""
        when = f" if {self.condition}" if self.condition else ""
        return f"{denied}{self.action}{what}{who}{when}"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What changes in a policy; both are empty where nothing does."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unknown: bool = False

    @property
    def verdict(self) -> str:
        """Return ``permissions widened``, ``narrowed`` or ``widened and narrowed``."""
        if self.unknown:
            return "permissions change; which ones is known after apply"
        words = [word for word, there in (("widened", self.added), ("narrowed", self.removed)) if there]
        return f"permissions {' and '.join(words)}" if words else ""


def permissions(change: ResourceChange, own_roles: frozenset[str]) -> Permissions:
    """List what a change adds and removes; nothing for ``own_roles``, which are created or deleted as a whole."""
    kind, before, after, unknown = change.type, change.before or {}, change.after or {}, change.after_unknown
    if kind in _ROLE_OF and (unknown.get("role") is True or (after or before).get("role") in own_roles):
        return Permissions()
    if kind == _NAMED:
        old, new = ({state["policy_arn"]} if state.get("policy_arn") else set() for state in (before, after))
        return Permissions(tuple(f"all of {arn}" for arn in new - old), tuple(f"all of {arn}" for arn in old - new))
    attribute = POLICY_ATTRIBUTES.get(kind, "")
    if not attribute or (kind not in _ROLE_OF and not (before and after)):
        return Permissions()
    if unknown.get(attribute) is True:
        return Permissions(unknown=True)
    return compare(before.get(attribute), after.get(attribute))


def compare(before: Any, after: Any) -> Permissions:
    """Return what one policy grants and the other does not, in either direction."""
    old, new = set(grants(before)), set(grants(after))
    gained = [grant for grant in sorted(new - old) if not _covered(grant, old)]
    lost = [grant for grant in sorted(old - new) if not _covered(grant, new)]
    # A denial takes away where it is added.
    wider = [*_lines(gained, "Allow"), *(f"no longer: {line}" for line in _lines(lost, "Deny"))]
    narrower = [*_lines(lost, "Allow"), *(f"from now on: {line}" for line in _lines(gained, "Deny"))]
    return Permissions(tuple(wider), tuple(narrower))


def _lines(grants: Iterable[Grant], effect: str) -> list[str]:
    return [str(grant) for grant in grants if grant.effect == effect]


def grants(policy: Any) -> Iterator[Grant]:
    """Take a policy apart."""
    for statement in statements(policy):
        condition = json.dumps(statement["Condition"], sort_keys=True) if statement.get("Condition") else ""
        for action in _each(statement, "Action"):
            for resource in _each(statement, "Resource"):
                for principal in _principals(statement):
                    yield Grant(statement.get("Effect", "Allow"), action, resource, principal, condition)


def _each(statement: Mapping[str, Any], key: str) -> list[str]:
    """Return the values of ``Action`` or of ``NotAction``; one empty text where there is neither."""
    excluded = [f"{_EXCLUDED}{value}" for value in listed(statement.get(f"Not{key}"))]
    return [*map(str, listed(statement.get(key))), *excluded] or [""]


def _principals(statement: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for key, prefix in (("Principal", ""), ("NotPrincipal", _EXCLUDED)):
        value = statement.get(key)
        named = [one for each in value.values() for one in listed(each)] if isinstance(value, dict) else listed(value)
        found += [f"{prefix}{one}" for one in named]
    return found or [""]


def _covered(grant: Grant, by: Iterable[Grant]) -> bool:
    return any(
        other.effect == grant.effect
        and other.condition in {"", grant.condition}
        and _matches(other.action.lower(), grant.action.lower())
        and _matches(other.resource, grant.resource)
        and _matches(other.principal, grant.principal)
        for other in by
    )


def _matches(pattern: str, text: str) -> bool:
    if pattern.startswith(_EXCLUDED):  # a wildcard there would leave less, not more
        return pattern == text
    return pattern == text or is_like(text, pattern)
