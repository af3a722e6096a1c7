"""Evaluate the ``Condition`` element: operators, set operators, ``…IfExists``, ``Null``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.iam.matching import is_arn_like, is_like, literal

if TYPE_CHECKING:
    from gen_infra.iam.request import RequestContext

Compare = Callable[[str, str], bool]  # the request's value, the policy's


class Operator(NamedTuple):
    """How a condition operator compares one value of the request with one of the policy."""

    compare: Compare
    is_negated: bool = False


class PolicyCondition(NamedTuple):
    """One line of a ``Condition`` element.

    Args:
        operator: the comparison.
        key: the condition key, in lower case.
        values: the policy's values, one of which must match, or none if the operator is negated.
        quantifier: ``ForAllValues`` or ``ForAnyValue`` for a key with several values; empty for one value.
        if_exists: whether the condition is met by a request without the key.
        is_null: for ``Null``, whether the key must be absent; otherwise None.
    """

    operator: Operator
    key: str
    values: tuple[str, ...]
    quantifier: str = ""
    if_exists: bool = False
    is_null: bool | None = None


def condition(operator: str, key: str, values: Sequence[str]) -> PolicyCondition:
    """Parse an operator such as ``ForAnyValue:StringLikeIfExists``.

    Raises ValueError for an operator that IAM does not have.
    """
    name, key = operator, key.lower()
    if name == "Null":
        return PolicyCondition(_NULL, key, tuple(values), is_null=values[0].lower() == "true")
    quantifier, separator, rest = name.partition(":")
    if separator:
        if quantifier not in {"ForAllValues", "ForAnyValue"}:
            raise ValueError(f'unknown condition operator "{operator}"')
        name = rest
    else:
        quantifier = ""
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name not in OPERATORS:
        raise ValueError(f'unknown condition operator "{operator}"')
    return PolicyCondition(OPERATORS[name], key, tuple(values), quantifier, if_exists)


def is_met(condition: PolicyCondition, values: Sequence[str], context: RequestContext) -> bool:
    """Return whether a request meets a condition.

    Args:
        condition: the condition.
        values: the policy's values with their variables replaced, without those that have a variable without a value.
        context: the request's condition keys.
    """
    given = context.get(condition.key)
    if condition.is_null is not None:
        return condition.is_null == (not given)
    if not given:
        # A negated operator is met by a missing key, and so is ForAllValues; ForAnyValue never is.
        if condition.quantifier:
            return condition.quantifier == "ForAllValues" or condition.if_exists
        return condition.if_exists or condition.operator.is_negated

    def matches(value: str) -> bool:
        found = any(condition.operator.compare(value, each) for each in values)
        return found != condition.operator.is_negated

    if condition.quantifier == "ForAnyValue":
        return any(map(matches, given))
    return all(map(matches, given))  # one value, or ForAllValues


def _number(compare: Callable[[Decimal, Decimal], bool]) -> Compare:
    def compared(value: str, wanted: str) -> bool:
        try:
            return compare(Decimal(value), Decimal(wanted))
        except InvalidOperation:
            return False

    return compared


def _date(compare: Callable[[datetime, datetime], bool]) -> Compare:
    def compared(value: str, wanted: str) -> bool:
        try:
            return compare(_time(value), _time(wanted))
        except ValueError:
            return False

    return compared


def _time(text: str) -> datetime:
    """Read an ISO 8601 date and time, or seconds since 1970."""
    if text.replace(".", "", 1).isdecimal():
        return datetime.fromtimestamp(float(text), UTC)
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _is_in_network(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _same(value: str, wanted: str) -> bool:
    return value == literal(wanted)


def _same_ignoring_case(value: str, wanted: str) -> bool:
    return value.casefold() == literal(wanted).casefold()


_NULL = Operator(_same)
OPERATORS: Mapping[str, Operator] = {
    "StringEquals": Operator(_same),
    "StringNotEquals": Operator(_same, is_negated=True),
    "StringEqualsIgnoreCase": Operator(_same_ignoring_case),
    "StringNotEqualsIgnoreCase": Operator(_same_ignoring_case, is_negated=True),
    "StringLike": Operator(is_like),
    "StringNotLike": Operator(is_like, is_negated=True),
    "NumericEquals": Operator(_number(lambda value, wanted: value == wanted)),
    "NumericNotEquals": Operator(_number(lambda value, wanted: value == wanted), is_negated=True),
    "NumericLessThan": Operator(_number(lambda value, wanted: value < wanted)),
    "NumericLessThanEquals": Operator(_number(lambda value, wanted: value <= wanted)),
    "NumericGreaterThan": Operator(_number(lambda value, wanted: value > wanted)),
    "NumericGreaterThanEquals": Operator(_number(lambda value, wanted: value >= wanted)),
    "DateEquals": Operator(_date(lambda value, wanted: value == wanted)),
    "DateNotEquals": Operator(_date(lambda value, wanted: value == wanted), is_negated=True),
    "DateLessThan": Operator(_date(lambda value, wanted: value < wanted)),
    "DateLessThanEquals": Operator(_date(lambda value, wanted: value <= wanted)),
    "DateGreaterThan": Operator(_date(lambda value, wanted: value > wanted)),
    "DateGreaterThanEquals": Operator(_date(lambda value, wanted: value >= wanted)),
    "Bool": Operator(_same_ignoring_case),
    "BinaryEquals": Operator(_same),
    "IpAddress": Operator(_is_in_network),
    "NotIpAddress": Operator(_is_in_network, is_negated=True),
    "ArnEquals": Operator(is_arn_like),  # AWS documents that it behaves as ArnLike
    "ArnNotEquals": Operator(is_arn_like, is_negated=True),
    "ArnLike": Operator(is_arn_like),
    "ArnNotLike": Operator(is_arn_like, is_negated=True),
}
