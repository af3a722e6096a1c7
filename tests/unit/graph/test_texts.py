"""Texts have a size, and are cut and wrapped where they are too wide."""

from __future__ import annotations

from itertools import pairwise

from gen_infra.graph import GraphNode
from gen_infra.graph.texts import PADDING, box, cut, width, wrap
from tests.unit.graph.graphs import HOSTILE


def test_widths_are_those_of_helvetica() -> None:
    assert width("job", 1000) == 222 + 556 + 556
    assert width("job", 1000, bold=True) == 278 + 611 + 611
    assert width("試", 12) == 12


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    name = "genomics-resources-of-the-whole-laboratory-123456789012"
    shown = cut(name, 12, 150)
    assert width(shown, 12) <= 150
    start, end = shown.split("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert cut("short", 12, 150) == "short"


def test_a_long_detail_continues_on_the_next_line() -> None:
    text = "security groups Name=genomics-batch"
    lines = wrap(text, 12, 140)
    assert " ".join(lines) == text
    assert len(lines) == 2
    assert all(width(line, 12) <= 140 for line in lines)


def test_a_box_with_many_details_ends_with_a_sign_that_there_are_more() -> None:
    lines = [line.text for line in box(GraphNode("network", "network", "lab", tuple(map(str, range(30))))).lines]
    assert lines == ["network", "lab", *map(str, range(7)), "…"]


def test_no_line_of_a_box_is_wider_than_the_box_or_above_another() -> None:
    node = GraphNode("job-x", "job", "x" * 80, ("y" * 200, HOSTILE, "short"), role="r" * 90, change="replaced")
    found = box(node)
    assert all(line.width + 2 * PADDING <= found.width for line in found.lines)
    assert found.lines[0].text == "job definition: ± replaced"
    heights = [line.y for line in found.lines]
    assert all(below - above >= 14 for above, below in pairwise(heights))
    assert heights[-1] < found.height
    assert heights[-2] < found.rule < heights[-1]
