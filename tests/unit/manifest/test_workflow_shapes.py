"""Orders of steps as series and parallel branches: compared with the order itself, for any order."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_infra.manifest.workflow_shapes import Parallel, Series, ShapeError, find_cycle, shape_of

if TYPE_CHECKING:
    from gen_infra.manifest.workflow_shapes import WorkflowShape

GERMLINE = {"isaac": [], "strelka": ["isaac"], "snpeff": ["strelka"], "stats": ["isaac"]}


@st.composite
def orders(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw steps, each after some of those before it."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 6)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else []
        for index, name in enumerate(names)
    }


def all_before(after: dict[str, list[str]]) -> dict[str, set[str]]:
    before: dict[str, set[str]] = {}
    for step, earlier in after.items():
        before[step] = set(earlier).union(*(before[one] for one in earlier))
    return before


def pairs(shape: WorkflowShape) -> tuple[list[str], set[tuple[str, str]]]:
    """Return the steps of a shape, and each pair of which the first ends before the second starts."""
    if isinstance(shape, str):
        return [shape], set()
    parts = [pairs(part) for part in (shape.parts if isinstance(shape, Series) else shape.branches)]
    found = {pair for _, inner in parts for pair in inner}
    if isinstance(shape, Series):
        for index, (steps, _) in enumerate(parts):
            found |= {(one, other) for one in steps for later, _ in parts[index + 1 :] for other in later}
    return [step for steps, _ in parts for step in steps], found


def contains_n(before: dict[str, set[str]]) -> bool:
    """Return whether two steps wait for one, and only one of them for another, in any four steps."""

    def are_apart(one: str, other: str) -> bool:
        return one not in before[other] and other not in before[one]

    return any(
        {a, b} <= before[c] and b in before[d] and are_apart(a, b) and are_apart(c, d) and are_apart(a, d)
        for a, b, c, d in permutations(before, 4)
    )


def test_the_original_pipeline() -> None:
    assert shape_of(GERMLINE) == Series(("isaac", Parallel((Series(("strelka", "snpeff")), "stats"))))


def test_an_edge_that_follows_from_others_changes_nothing() -> None:
    assert shape_of({**GERMLINE, "snpeff": ["strelka", "isaac"]}) == shape_of(GERMLINE)


@given(orders())
def test_a_shape_is_the_order(after: dict[str, list[str]]) -> None:
    before = all_before(after)
    try:
        steps, found = pairs(shape_of(after))
    except ShapeError:
        assert contains_n(before)
        return
    assert sorted(steps) == sorted(after)
    assert found == {(earlier, step) for step, all_earlier in before.items() for earlier in all_earlier}


def test_an_order_without_a_shape_names_the_edge() -> None:
    with pytest.raises(ShapeError, match="call waits for align and index, report for index but") as raised:
        shape_of({"align": [], "index": [], "call": ["align", "index"], "report": ["index"]})
    assert raised.value.step == "report"


@given(orders())
def test_an_order_without_a_circle(after: dict[str, list[str]]) -> None:
    assert find_cycle(after) == []


@given(orders().filter(lambda after: any(after.values())), st.data())
def test_a_circle_is_found(after: dict[str, list[str]], data: st.DataObject) -> None:
    last = data.draw(st.sampled_from([step for step, earlier in after.items() if earlier]))
    first = data.draw(st.sampled_from(sorted(all_before(after)[last])))
    circle = find_cycle({**after, first: [*after[first], last]})
    assert circle[0] == circle[-1]
    assert len(set(circle)) == len(circle) - 1 >= 2
    with_edge = {**after, first: [*after[first], last]}
    assert all(earlier in with_edge[step] for step, earlier in pairwise(circle))
