"""Compare two environments key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class ManifestDifference(NamedTuple):
    """One value that differs between two environments; None where one of them has no value."""

    path: tuple[str | int, ...]
    left: object
    right: object


def compare(left: object, right: object, path: tuple[str | int, ...] = ()) -> Iterator[ManifestDifference]:
    """Yield the smallest parts that differ, in the order of the left side, then those that only the right side has.

    A list of plain values is one part, because its order matters; so is a part that only one side has.
    """
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in dict.fromkeys([*left, *right]):
            yield from compare(left.get(key), right.get(key), (*path, key))
    elif isinstance(left, list) and isinstance(right, list) and _are_mappings(left, right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from compare(one, other, (*path, index))
    elif left != right:
        yield ManifestDifference(path, left, right)


def _are_mappings(left: list[object], right: list[object]) -> bool:
    """Return whether both lists contain mappings only, and equally many, so that they are compared one by one."""
    return len(left) == len(right) and all(isinstance(item, Mapping) for item in (*left, *right))
