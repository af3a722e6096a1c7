"""Write the order of a workflow's steps as series and parallel branches, the only shapes that a state machine has.

A partial order has such a form if and only if it contains no N: two steps that wait for one step, and only one of them
for another. https://doi.org/10.1137/0211023 (Valdes, Tarjan, Lawler, 1982)
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Series:
    """Parts that run one after another."""

    parts: tuple[WorkflowShape, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Branches that run at the same time; the next part waits for all of them."""

    branches: tuple[WorkflowShape, ...]


WorkflowShape: TypeAlias = "str | Series | Parallel"


class ShapeError(ValueError):
    """The order has no form of series and parallel branches; the message names the steps.

    Args:
        step: the step that would have to wait for one more.
        reason: the steps in question.
    """

    def __init__(self, step: str, reason: str) -> None:
        self.step = step
        super().__init__(reason)


def find_cycle(after: Mapping[str, Iterable[str]]) -> list[str]:
    """Return steps of which each waits for the next, the last one being the first again; empty if there are none."""
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []


def shape_of(after: Mapping[str, Iterable[str]]) -> WorkflowShape:
    """Return the shape of an order: steps, in the mapping's order, and what each waits for.

    Raises:
        CycleError: steps wait for each other.
        KeyError: a step waits for one that is not in the mapping.
        ShapeError: two steps wait for the same step, and only one of them for another.
    """
    return _shape(list(after), _all_before(after))


def _all_before(after: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Return every step that each one waits for, directly or through others."""
    before: dict[str, frozenset[str]] = {}
    for step in TopologicalSorter(after).static_order():
        before[step] = frozenset(after[step]).union(*(before[earlier] for earlier in after[step]))
    return before


def _shape(steps: list[str], before: Mapping[str, frozenset[str]]) -> WorkflowShape:
    if len(steps) == 1:
        return steps[0]

    def are_ordered(one: str, other: str) -> bool:
        return one in before[other] or other in before[one]

    branches = _components(steps, are_ordered)
    if len(branches) > 1:
        return Parallel(tuple(_shape(branch, before) for branch in branches))
    parts = _components(steps, lambda one, other: not are_ordered(one, other))
    if len(parts) > 1:
        parts.sort(key=lambda part: len(before[part[0]].intersection(steps)))
        return Series(tuple(_shape(part, before) for part in parts))
    raise _why_no_shape(steps, before)


def _components(steps: list[str], are_connected: Callable[[str, str], bool]) -> list[list[str]]:
    """Return the connected components of a graph, each in the steps' order."""
    components: list[list[str]] = []
    left = list(steps)
    while left:
        reached, unexplored = {left[0]}, [left[0]]
        while unexplored:
            one = unexplored.pop()
            new = [other for other in left if other not in reached and are_connected(one, other)]
            reached.update(new)
            unexplored += new
        components.append([step for step in left if step in reached])
        left = [step for step in left if step not in reached]
    return components


def _why_no_shape(steps: list[str], before: Mapping[str, frozenset[str]]) -> ShapeError:
    """Name the four steps of an N; an order that is neither series nor parallel has one."""
    for later in steps:
        for shared in sorted(before[later].intersection(steps), key=steps.index):
            for other in steps:
                if shared not in before[other] or other == later or other in before[later] or later in before[other]:
                    continue
                for missing in sorted(before[later].intersection(steps), key=steps.index):
                    unordered = missing not in before[other] and other not in before[missing]
                    if unordered and missing not in before[shared] and shared not in before[missing]:
                        return ShapeError(
                            other,
                            f"{later} waits for {missing} and {shared}, {other} for {shared} but not for {missing}; "
                            f"Step Functions has no such branches: add {missing} to steps.{other}.after",
                        )
    raise AssertionError("an order without a shape has an N")
