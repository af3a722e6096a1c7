"""Match the wildcards of policies: ``*`` for any text, ``?`` for one character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_ARN_PARTS = 6  # arn:partition:service:region:account:resource
_ESCAPED = {"${*}": "*", "${?}": "?", "${$}": "$"}  # policy variables that stand for the characters themselves


@lru_cache(8192)
def _pattern(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    """Compile a pattern; ``${*}``, ``${?}`` and ``${$}`` are the characters themselves.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
    """
    between = [""]  # the expressions between the wildcards *
    for part in re.split(r"(\$\{[*?$]\}|[*?])", pattern):
        if part == "*":
            between.append("")
        else:
            between[-1] += "." if part == "?" else re.escape(_ESCAPED.get(part, part))
    return re.compile(with_any_text(between), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def with_any_text(parts: Sequence[str]) -> str:
    """Return an expression for these expressions of a fixed length with any text between each two.

    Each is taken where it comes first, and for good (an atomic group), so that no pattern takes exponential time.
    """
    if len(parts) == 1:
        return parts[0]
    first, *middle, last = parts
    return first + "".join(f"(?>.*?{part})" for part in middle if part) + f".*{last}"


def literal(text: str) -> str:
    """Return a text that an operator without wildcards compares, with ``${*}``, ``${?}`` and ``${$}`` replaced."""
    return re.sub(r"\$\{([*?$])\}", r"\1", text) if "${" in text else text


def is_like(text: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Return whether the whole text matches a pattern with ``*`` and ``?``."""
    return _pattern(pattern, ignore_case=ignore_case).fullmatch(text) is not None


def is_action_like(action: str, pattern: str) -> bool:
    """Return whether an action matches a pattern such as ``s3:Get*``; letter case is ignored.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    return is_like(action, pattern, ignore_case=True)


def is_resource_like(resource: str, pattern: str) -> bool:
    """Return whether an ARN matches the pattern of a ``Resource`` element; letter case counts.

    A pattern of fewer than six parts is completed with ``*``, as AWS does it:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if pattern == "*" or not pattern.startswith("arn:"):
        return is_like(resource, pattern)
    return is_arn_like(resource, pattern)


def is_arn_like(arn: str, pattern: str) -> bool:
    """Return whether each of the six parts of an ARN matches that of a pattern, as ``ArnLike`` compares them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    parts, patterns = arn.split(":", _ARN_PARTS - 1), _split(pattern)
    if len(parts) != _ARN_PARTS:
        return False
    return all(is_like(part, each) for part, each in zip(parts, patterns, strict=True))


@lru_cache(8192)
def _split(pattern: str) -> tuple[str, ...]:
    """Split a pattern into the parts of an ARN; missing ones match anything."""
    parts = pattern.split(":", _ARN_PARTS - 1)
    return (*parts, *["*"] * (_ARN_PARTS - len(parts)))
