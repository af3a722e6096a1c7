"""Which attributes of a resource a plan changes, and from what to what: without secrets, policies as what they hold."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.terraform.plan import ResourceChange

_SHOWN = 60  # characters of a value
_INDEX = re.compile(r"\[[\w-]+\]")
_NAME = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that changes.

    Args:
        path: such as ``compute_resources.bid_percentage``; in a list of several items, their names (those of
            containers, say), or their indexes.
        old: what it is.
        new: what it will be; nothing where that is not known.
        unknown: whether it is known only after the apply.
        forces: whether terraform replaces the resource for it.
    """

    path: str
    old: Any
    new: Any
    unknown: bool = False
    forces: bool = False

    @property
    def attribute(self) -> str:
        """Return the path without indexes, as rules name it."""
        return _INDEX.sub("", self.path)

    def __str__(self) -> str:
        """Return text such as ``compute_resources.bid_percentage: 50 -> 60``."""
        why = " (forces replacement)" if self.forces else ""
        if self.unknown:
            return f"{self.path}: known after apply{why}"
        return f"{self.path}: {show(self.old)} -> {show(self.new)}{why}"


def differences(change: ResourceChange) -> Iterator[Difference]:
    """List what a resource's change consists of, by path."""
    before = _hidden(change.before or {}, change.before_sensitive)
    after = _hidden(change.after or {}, change.after_sensitive)
    unknown = change.after_unknown
    forces = [".".join(step for step in path if isinstance(step, str)) for path in change.replace_paths]
    for key in sorted({*before, *after, *unknown}):
        for path, old, new, later in _compared(key, before.get(key), after.get(key), unknown.get(key)):
            attribute = _INDEX.sub("", path)
            is_cause = any(within(attribute, forced) or within(forced, attribute) for forced in forces)
            yield Difference(path, old, new, unknown=later, forces=is_cause)


def within(attribute: str, outer: str) -> bool:
    """Return whether ``compute_resources.subnets`` is, or is in, ``compute_resources``."""
    return f"{attribute}.".startswith(f"{outer}.")


@dataclass(frozen=True, slots=True)
class _Hidden:
    """A sensitive value: it can be compared, not shown."""

    value: Any

    def __str__(self) -> str:
        return "(sensitive)"


def _hidden(value: Any, marks: Any) -> Any:
    """Wrap the sensitive parts of a value; marks have the value's own shape, with true where it is sensitive."""
    if marks is True:
        return _Hidden(value)
    if isinstance(value, dict) and isinstance(marks, dict):
        return {key: _hidden(item, marks.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        return [_hidden(item, mark) for item, mark in zip_longest(value, marks[: len(value)])]
    return value


def _compared(path: str, old: Any, new: Any, unknown: Any) -> Iterator[tuple[str, Any, Any, bool]]:
    """Yield the smallest parts that differ, by path; ``unknown`` has the value's own shape, as sensitive marks have."""
    if unknown is True:
        yield path, old, None, True
        return
    old, new = decoded(old), decoded(new)
    if isinstance(old, dict) and isinstance(new, dict):
        marks = unknown if isinstance(unknown, dict) else {}
        for key in sorted({*old, *new, *marks}):
            yield from _compared(f"{path}.{key}", old.get(key), new.get(key), marks.get(key))
    elif _are_named(old) and _are_named(new) and max(len(old), len(new)) > 1 and _order(old, new) == _order(new, old):
        old_items, new_items = ({item["name"]: item for item in items} for items in (old, new))
        for name in dict.fromkeys([*new_items, *old_items]):
            yield from _compared(f"{path}[{name}]", old_items.get(name), new_items.get(name), None)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        items = unknown[: len(old)] if isinstance(unknown, list) else []
        for index, (left, right, mark) in enumerate(zip_longest(old, new, items)):
            yield from _compared(f"{path}[{index}]" if len(old) > 1 else path, left, right, mark)
    elif old != new and not (_is_nothing(old) and _is_nothing(new)):
        yield path, old, new, False


def _are_named(items: Any) -> bool:
    """Return whether it is a list of mappings that each have a name of their own."""
    if not isinstance(items, list) or not items:
        return False
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    return len({*names}) == len(names) and all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)


def _order(items: list[Any], compared: list[Any]) -> list[str]:
    """Return the names that both lists have, in the order of the first."""
    common = {item["name"] for item in compared}
    return [item["name"] for item in items if item["name"] in common]


def _is_nothing(value: Any) -> bool:
    """Return whether it is missing or empty, which the provider treats as the same."""
    return value is None or (isinstance(value, str | dict | list) and not value)


def decoded(value: Any) -> Any:
    """Parse JSON documents in attributes (policies, container properties), so that their content is compared."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def show(value: Any) -> str:
    """Return a value on one line, cut short."""
    if value is None:
        return "nothing"
    text = (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, _Hidden)
        else json.dumps(value, default=str)
    )
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
