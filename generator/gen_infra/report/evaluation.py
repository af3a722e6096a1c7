"""Evaluate policies of which a part is not known: what they certainly allow, may allow, and under which conditions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, Request, evaluate
from gen_infra.iam.matching import is_action_like
from gen_infra.terraform.policy_documents import conditions, listed, statements
from gen_infra.terraform.source import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Versions(NamedTuple):
    """A policy as JSON: what it certainly says; the same with all conditions met; with what is unknown allowed too."""

    sure: str
    met: str
    maybe: str


class PolicySet(NamedTuple):
    """The policies that decide about a caller, in one version of each.

    Args:
        own: identity-based policies.
        boundary: the permissions boundary; empty without one.
        resource: the policy of the resource; empty without one.
    """

    own: tuple[str, ...]
    boundary: str
    resource: str


class Caller(NamedTuple):
    """The account, the ARN of the session, and the ARN of the role."""

    account: str
    arn: str
    role_arn: str


@cache
def is_allowed(
    action: tuple[str, str], caller: Caller, policies: PolicySet, context: tuple[tuple[str, tuple[str, ...]], ...]
) -> bool:
    """Evaluate one request.

    Args:
        action: the action and the ARN of the resource.
        caller: who asks.
        policies: what decides.
        context: the condition keys, in lower case, and their values.
    """
    request = Request(*action, caller.account, dict(context))
    principal = Principal(
        PrincipalKind.ROLE,
        caller.arn,
        caller.account,
        role_arn=caller.role_arn,
        policies=tuple(map(PolicyDocument.read, policies.own)),
        boundary=PolicyDocument.read(policies.boundary) if policies.boundary else None,
    )
    resource = PolicyDocument.read(policies.resource) if policies.resource else None
    return evaluate(request, principal, resource).is_allowed


def versions(policy: Any, *, is_of_resource: bool = False) -> Versions:
    """Return the versions of a policy, which is JSON, or values as the source has them; empty for an empty one.

    What a resource's policy allows under conditions, such as to all callers through a service, does not count as met.
    """
    if policy == "":
        return Versions("", "", "")
    read = list(statements(policy))
    met = [each for statement in read if (each := _met(statement, is_of_resource=is_of_resource))]
    return Versions(
        document(each for statement in read if (each := _sure(statement))),
        document(each for statement in met if (each := _sure(statement))),
        document(map(_with_any_resource, met)),
    )


def document(found: Iterable[Mapping[str, Any]]) -> str:
    """Return statements as a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": [*found]}, sort_keys=True, default=str)


def _met(statement: Mapping[str, Any], *, is_of_resource: bool) -> Mapping[str, Any] | None:
    """Return a statement as if conditions favoured the caller: an Allow has none, a Deny that has one is left out."""
    if "Condition" not in statement:
        return statement
    if statement.get("Effect") == "Deny":
        return None
    if is_of_resource:
        return statement
    return {key: value for key, value in statement.items() if key != "Condition"}


def _sure(statement: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return a statement without its unknown resources; None if nothing of it is certain."""
    if statement.get("Effect") == "Deny":
        return _with_any_resource(statement)
    known = [each for each in listed(statement.get("Resource")) if not isinstance(each, Unknown)]
    if "Resource" in statement and not known:
        return None
    if any(isinstance(value, Unknown) for _, _, values in conditions(dict(statement)) for value in values):
        return None
    return {**statement, **({"Resource": known} if known else {})}


def _with_any_resource(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    found = [each for each in listed(statement.get("Resource")) if not isinstance(each, Unknown)]
    is_known = len(found) == len(listed(statement.get("Resource")))
    return statement if is_known else {**statement, "Resource": "*"}


def conditions_of(policy: Any, actions: Iterable[str], *, is_of_resource: bool = False) -> Iterator[str]:
    """Yield the conditions of the statements about these actions; those of a Deny begin with *not*.

    Of a resource's policy only those of Denies: what it allows is often for others.
    """
    wanted = {*actions}
    for statement in statements(policy):
        denies = statement.get("Effect") == "Deny"
        patterns = [each for each in listed(statement.get("Action")) if isinstance(each, str)]
        is_meant = any(is_action_like(action, pattern) for action in wanted for pattern in patterns)
        if is_meant and (denies or not is_of_resource):
            yield from (f"{'not ' if denies else ''}{each}" for each in condition_texts(statement))


def condition_texts(statement: Mapping[str, Any]) -> Iterator[str]:
    """Yield the conditions of a statement as text."""
    for operator, key, values in conditions(dict(statement)):
        yield f"{key} {operator} {', '.join(map(text, values))}"


def text(value: Any) -> str:
    """Return a value as text; what only AWS knows is named so."""
    if value is None:
        return ""
    return "(known after apply)" if isinstance(value, Unknown) else str(value)
