"""A row of the table of limits, and the usual conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gen_infra.emulator.validation.errors import ErrorAnswer

Condition = Callable[[Any], bool]


@dataclass(frozen=True)
class Limit:
    """A condition that AWS documents for a parameter of some operations.

    Args:
        service: boto3's name of the service.
        actions: the names of the operations.
        path: of the parameter, such as ``retryStrategy.attempts``; ``[]`` stands for each element of a list, ``{}`` for
            each key of a map, and an empty path for all parameters. A parameter that is not given is not checked.
        holds: the condition.
        code: AWS's error code.
        words: AWS's message; ``{value}`` stands for the value.
        source: where AWS documents it.
        status: the HTTP status.
        show: how the message shows the value.
    """

    service: str
    actions: tuple[str, ...]
    path: str
    holds: Condition
    code: str
    words: str
    source: str
    status: int = 400
    show: Callable[[Any], str] = str

    def problem(self, parameters: Mapping[str, Any]) -> ErrorAnswer | None:
        """Return the error for parameters beyond the limit, or None."""
        for value in values(parameters, self.path):
            if not self.holds(value):
                return ErrorAnswer(self.code, self.words.replace("{value}", self.show(value)), self.status)
        return None


def limit(
    service: str,
    actions: str,
    path: str,
    holds: Condition,
    code: str,
    words: str,
    source: str,
    status: int = 400,
    show: Callable[[Any], str] = str,
) -> Limit:
    """Make a row for operations whose names are separated by spaces."""
    return Limit(service, tuple(actions.split()), path, holds, code, words, source, status, show)


def values(parameters: Any, path: str) -> Iterator[Any]:
    """Yield the values at a path; those that are not given are skipped."""
    if parameters is None:
        return
    if not path:
        yield parameters
        return
    name, _, rest = path.partition(".")
    key, is_list, is_map = name.removesuffix("[]").removesuffix("{}"), name.endswith("[]"), name.endswith("{}")
    found = parameters.get(key) if key and isinstance(parameters, Mapping) else None if key else parameters
    if is_list:
        for each in found if isinstance(found, list) else ():
            yield from values(each, rest)
    elif is_map:
        yield from found if isinstance(found, Mapping) else ()
    else:
        yield from values(found, rest)


def between(low: float, high: float) -> Condition:
    """Accept numbers in a range."""
    return lambda value: low <= float(value) <= high


def at_least(low: float) -> Condition:
    """Accept numbers from ``low`` on."""
    return lambda value: float(value) >= low


def at_most(count: int) -> Condition:
    """Accept lists, maps and texts up to a length."""
    return lambda value: len(value) <= count


def length(low: int, high: int) -> Condition:
    """Accept lists, maps and texts in a range of lengths."""
    return lambda value: low <= len(value) <= high


def matches(pattern: str) -> Condition:
    """Accept texts that match a regular expression from start to end."""
    found = re.compile(pattern, re.ASCII)
    return lambda value: found.fullmatch(value) is not None


def one_of(*allowed: Any) -> Condition:
    """Accept some values only."""
    return lambda value: value in allowed


def never_starts(*prefixes: str) -> Condition:
    """Accept texts without these prefixes, in any case."""
    return lambda value: not value.lower().startswith(prefixes)
