"""IAM policies as they come: JSON text from a plan, values from the source."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gen_infra.terraform.source import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXACT = frozenset({"StringEquals", "StringLike", "ArnEquals", "ArnLike"})
_ACCOUNT_KEYS = frozenset({"aws:sourceaccount", "aws:principalaccount", "kms:calleraccount", "aws:principalorgid"})
_PRINCIPAL = re.compile(r"arn:[\w-]+:(?:iam|sts)::[0-9]{12}:(?!\*)\S+", re.ASCII)

_ACCOUNT = re.compile(r"([0-9]{12})|arn:[\w-]+:(?:iam|sts)::([0-9]{12}):\S+", re.ASCII)


def statements(policy: Any) -> Iterator[dict[str, Any]]:
    """Yield the statements of a policy; none where it is not known."""
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except ValueError:
            return
    if isinstance(policy, dict):
        for statement in listed(policy.get("Statement")):
            if isinstance(statement, dict):
                yield statement


def allowing(policy: Any) -> Iterator[dict[str, Any]]:
    """Yield the statements that allow something."""
    return (statement for statement in statements(policy) if statement.get("Effect", "Allow") == "Allow")


def listed(value: Any) -> list[Any]:
    """Return the values as a list; IAM takes a single value in place of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def named(statement: dict[str, Any]) -> str:
    """Name a statement in a message."""
    return f"statement {statement['Sid']}" if isinstance(statement.get("Sid"), str) else "a statement"


def services(statement: dict[str, Any]) -> list[str]:
    """Return the service principals, without their domain: ``ecs-tasks``."""
    principal = statement.get("Principal")
    found = listed(principal.get("Service")) if isinstance(principal, dict) else []
    return [service.split(".")[0] for service in found if isinstance(service, str)]


def is_for_anyone(statement: dict[str, Any]) -> bool:
    """Return whether the principal is everyone, in any notation."""
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return any("*" in listed(value) for kind, value in principal.items() if kind != "Service")
    return principal == "*" or "NotPrincipal" in statement


def accounts(statement: dict[str, Any]) -> set[str]:
    """Return the ids of the accounts whose principals a statement names."""
    principal = statement.get("Principal")
    named_principals = listed(principal.get("AWS")) if isinstance(principal, dict) else []
    found = (_ACCOUNT.fullmatch(each) for each in named_principals if isinstance(each, str))
    return {match[1] or match[2] for match in found if match}


def conditions(statement: dict[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield operator, key in lower case and values of each condition."""
    block = statement.get("Condition")
    for operator, tests in block.items() if isinstance(block, dict) else ():
        if isinstance(operator, Unknown) or not isinstance(tests, dict):
            yield "StringEquals", "", [UNKNOWN]
            continue
        for key, values in tests.items():
            yield operator, "" if isinstance(key, Unknown) else str(key).lower(), listed(values)


def may_be_anything(statement: dict[str, Any]) -> bool:
    """Return whether its conditions are not known, so that they cannot be checked."""
    return isinstance(statement.get("Condition"), Unknown) or any(not key for _, key, _ in conditions(statement))


def is_bound_to_account(statement: dict[str, Any], keys: frozenset[str] = _ACCOUNT_KEYS) -> bool:
    """Return whether a condition names the account (or organisation); ``…IfExists`` and wildcards restrict nothing."""
    return may_be_anything(statement) or any(
        operator in _EXACT and key in keys and bool(values) and not any(_is_wild(value) for value in values)
        for operator, key, values in conditions(statement)
    )


def is_bound_to_principals(statement: dict[str, Any]) -> bool:
    """Return whether a condition names principals of one account."""
    return may_be_anything(statement) or any(
        operator in _EXACT
        and key == "aws:principalarn"
        and bool(values)
        and all(isinstance(value, Unknown) or _PRINCIPAL.fullmatch(str(value)) for value in values)
        for operator, key, values in conditions(statement)
    )


def has_condition(statement: dict[str, Any], key: str) -> bool:
    """Return whether there is an exact condition on ``key``, with any value."""
    return may_be_anything(statement) or any(
        name.startswith(key) and operator in _EXACT | {"Bool"} and not any(value == "*" for value in values)
        for operator, name, values in conditions(statement)
    )


def _is_wild(value: Any) -> bool:
    return isinstance(value, str) and ("*" in value or "?" in value)
