"""Read policy documents, and match their statements with requests."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gen_infra.iam.conditions import PolicyCondition, condition, is_met
from gen_infra.iam.matching import is_action_like, is_resource_like

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gen_infra.iam.request import Request, RequestContext

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_+=,.@:/-]+)(?:,\s*'([^']*)')?\}")  # ${key} or ${key, 'default'}
_VARIABLES_SINCE = "2012-10-17"


class InvalidPolicyError(ValueError):
    """A policy document that IAM would refuse."""


@dataclass(frozen=True)
class PolicyStatement:
    """One statement. An element that is not there is None.

    Args:
        allows: whether its effect is Allow; otherwise Deny.
        actions: the patterns of ``Action`` or ``NotAction``.
        not_action: whether they are those of ``NotAction``.
        resources: the patterns of ``Resource`` or ``NotResource``; None in a role's trust policy.
        not_resource: whether they are those of ``NotResource``.
        principals: ``(type, value)`` of ``Principal`` or ``NotPrincipal``; None in an identity-based policy.
        not_principal: whether they are those of ``NotPrincipal``.
        conditions: all must be met.
        has_variables: whether ``${…}`` is a variable, as in version 2012-10-17.
    """

    allows: bool
    actions: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...] | None
    not_resource: bool
    principals: tuple[tuple[str, str], ...] | None
    not_principal: bool
    conditions: tuple[PolicyCondition, ...]
    has_variables: bool

    def applies(self, request: Request) -> bool:
        """Return whether its action, resource and conditions match, for any caller."""
        return (
            any(is_action_like(request.action, pattern) for pattern in self.actions) != self.not_action
            and self._has_resource(request)
            and all(is_met(each, self._values(each, request.context), request.context) for each in self.conditions)
        )

    def _has_resource(self, request: Request) -> bool:
        if self.resources is None:
            return True
        patterns = self._replaced(self.resources, request.context)
        return any(is_resource_like(request.resource, pattern) for pattern in patterns) != self.not_resource

    def _values(self, condition: PolicyCondition, context: RequestContext) -> Sequence[str]:
        return list(self._replaced(condition.values, context))

    def _replaced(self, texts: Sequence[str], context: RequestContext) -> Iterator[str]:
        """Yield texts with their variables replaced, without those that have a variable without a value."""
        for text in texts:
            if not self.has_variables or "${" not in text:
                yield text
            elif (found := _with_variables(text, context)) is not None:
                yield found


@dataclass(frozen=True)
class PolicyDocument:
    """A policy document that was read; equal documents are one object."""

    statements: tuple[PolicyStatement, ...]

    @staticmethod
    def read(document: str | Mapping[str, Any]) -> PolicyDocument:
        """Read a policy document: JSON, or the same as plain values.

        Raises:
            InvalidPolicyError: IAM would refuse it.
        """
        return _read(document if isinstance(document, str) else json.dumps(document, sort_keys=True))


@lru_cache(4096)
def _read(text: str) -> PolicyDocument:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidPolicyError(f"the policy is not JSON: {error}") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise InvalidPolicyError("the policy has no Statement")
    has_variables = document.get("Version") == _VARIABLES_SINCE
    statements = document["Statement"]
    return PolicyDocument(tuple(_statement(each, has_variables) for each in _as_list(statements)))


def _statement(fields: Any, has_variables: bool) -> PolicyStatement:
    if not isinstance(fields, dict):
        raise InvalidPolicyError("a statement of the policy is not an object")
    if fields.get("Effect") not in {"Allow", "Deny"}:
        raise InvalidPolicyError(f'invalid Effect "{fields.get("Effect")}": use Allow or Deny')
    actions, not_action = _one_of(fields, "Action", "NotAction")
    resources, not_resource = _one_of(fields, "Resource", "NotResource")
    principals, not_principal = _one_of(fields, "Principal", "NotPrincipal")
    if actions is None:
        raise InvalidPolicyError("a statement of the policy has neither Action nor NotAction")
    try:
        conditions = tuple(
            condition(operator, key, tuple(_as_text(value) for value in _as_list(values)))
            for operator, keys in fields.get("Condition", {}).items()
            for key, values in keys.items()
        )
    except ValueError as error:
        raise InvalidPolicyError(str(error)) from error
    return PolicyStatement(
        allows=fields["Effect"] == "Allow",
        actions=tuple(_as_list(actions)),
        not_action=not_action,
        resources=None if resources is None else tuple(_as_list(resources)),
        not_resource=not_resource,
        principals=None if principals is None else tuple(_principals(principals)),
        not_principal=not_principal,
        conditions=conditions,
        has_variables=has_variables,
    )


def _one_of(fields: Mapping[str, Any], element: str, inverse: str) -> tuple[Any, bool]:
    if element in fields and inverse in fields:
        raise InvalidPolicyError(f"a statement of the policy has both {element} and {inverse}")
    return fields.get(element, fields.get(inverse)), inverse in fields


def _principals(value: Any) -> Iterator[tuple[str, str]]:
    if value == "*":
        yield "AWS", "*"
        return
    if not isinstance(value, dict):
        raise InvalidPolicyError(f'invalid Principal "{value}": use "*" or an object')
    for kind, names in value.items():
        for name in _as_list(names):
            yield kind, name


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _with_variables(text: str, context: RequestContext) -> str | None:
    """Replace ``${key}`` by the key's value; None if one has no single value and no default.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        given = context.get(match[1].lower(), ())
        if len(given) == 1:
            # Characters of a value are no wildcards.
            return re.sub(r"[*?$]", lambda found: f"${{{found[0]}}}", given[0])
        if match[2] is None:
            missing = True
        return match[2] or ""

    replaced = _VARIABLE.sub(value, text)
    return None if missing else replaced
