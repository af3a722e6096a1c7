"""What differs between two environments, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Difference(NamedTuple):
    """One place where two environments differ; None stands for what one of them does not have."""

    path: tuple[str | int, ...]
    left: object
    right: object


def compare(left: object, right: object, path: tuple[str | int, ...] = ()) -> Iterator[Difference]:
    """The smallest parts that differ, in the order of the left one, then what only the right one has.

    Lists of plain values are shown whole: their order means something. So is what only one side has.
    """
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in dict.fromkeys([*left, *right]):
            yield from compare(left.get(key), right.get(key), (*path, key))
    elif isinstance(left, list) and isinstance(right, list) and _are_mappings(left, right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from compare(one, other, (*path, index))
    elif left != right:
        yield Difference(path, left, right)


def _are_mappings(left: list[object], right: list[object]) -> bool:
    """Whether both lists hold equally many mappings, which are compared one by one."""
    return len(left) == len(right) and all(isinstance(item, Mapping) for item in (*left, *right))
