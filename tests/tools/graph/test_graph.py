"""What Graphviz's dot makes of graphs: no box, text or line is on another."""

from __future__ import annotations

import random
import re
import sys
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from gen_infra.errors import ToolError
from gen_infra.graph import Graph, fold, graph, svg
from gen_infra.graph.dot import dot_source
from gen_infra.graph.layout import Layout, Rectangle, lay_out, png, run_dot
from gen_infra.graph.texts import PADDING, box
from gen_infra.manifest import load_with_warnings
from tests.conftest import ROOT, require_tool
from tests.unit.graph.graphs import HOSTILE, job, loaded, prod

if TYPE_CHECKING:
    from collections.abc import Callable

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _dot() -> None:
    require_tool("dot")


def lab(folder: Path, number: int, *, alike: bool) -> Graph:
    """Return an environment of so many jobs on three queues with five buckets, and a workflow of four of them."""
    choose = random.Random(number)  # noqa: S311 - not for secrets
    rights: dict[str, Any] = {"read": "read", "write": "write", "all": "delete", "more": "read", "most": "write"}
    buckets = {key: {"name": f"lab-{key}-123456789012", "access": right} for key, right in rights.items()}
    sets = [[], ["read"], ["read", "write"], ["all"]]
    jobs = {
        f"job{each}": job(
            queue=choose.choice(["high", "low", "bulk"]),
            buckets=choose.choice(sets) if alike else choose.sample([*buckets], choose.randint(0, 5)),
        )
        for each in range(number)
    }
    compute = {"spot": {"max_vcpus": 64}, "steady": {"type": "EC2", "max_vcpus": 64}}
    queues = {
        "bulk": {"priority": 1, "compute": ["spot"]},
        "high": {"priority": 9, "compute": ["steady", "spot"]},
        "low": {"priority": 5, "compute": ["spot"]},
    }
    steps = {f"step{each}": {"job": f"job{each}"} for each in range(min(number, 4))}
    found = {"compute": compute, "queues": queues, "buckets": buckets, "jobs": jobs}
    return graph(loaded(folder, **found, workflows={"flow": {"steps": steps}}))


def example(name: str) -> Graph:
    return graph(load_with_warnings(ROOT / "envs" / "examples" / f"{name}.yaml"))


GRAPHS: dict[str, Callable[[Path], Graph]] = {
    "prod": lambda _: prod(),
    "three jobs": lambda _: example("many-queues"),
    "engines and file systems": lambda _: example("shared-files"),
    "access roles": lambda _: example("access"),
    "40 jobs, few kinds of rights": lambda folder: lab(folder, 40, alike=True),
    "40 jobs, many kinds of rights": lambda folder: lab(folder, 40, alike=False),
    "1000 jobs": lambda folder: lab(folder, 1000, alike=False),
}


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def on_the_way(layout: Layout) -> list[tuple[str, str]]:
    """Return the edges that cross a box, on 41 points of each."""
    crossed = []
    for curve in layout.curves:
        for step in range(1, 40):
            part = step / 40
            weights = ((1 - part) ** 3, 3 * (1 - part) ** 2 * part, 3 * (1 - part) * part**2, part**3)
            across = zip(weights, (curve.start[0], curve.middle, curve.middle, curve.end[0]), strict=True)
            down = zip(weights, (curve.start[1], curve.start[1], curve.end[1], curve.end[1]), strict=True)
            x, y = sum(weight * at for weight, at in across), sum(weight * at for weight, at in down)
            crossed += [
                (curve.edge.title, node.id)
                for node, place in layout.nodes
                if place.x < x < place.right and place.y < y < place.bottom
            ]
    return crossed


@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_overlaps_and_every_text_is_in_its_box(name: str, tmp_path: Path) -> None:
    drawn = fold(GRAPHS[name](tmp_path))
    layout = lay_out(drawn)
    assert {node.id for node, _ in layout.nodes} == {node.id for node in drawn.nodes}
    for (one, place), (other, others) in combinations(layout.nodes, 2):
        assert not overlap(place, others), f"{one.id} and {other.id}"
    for node, place in layout.nodes:
        for line in box(node).lines:
            assert line.width + 2 * PADDING <= place.width + 0.1, (node.id, line.text)
            assert line.y < place.height, (node.id, line.text)
    assert on_the_way(layout) == []


@pytest.mark.parametrize("name", ["prod", "40 jobs, many kinds of rights"])
def test_columns_and_queues_are_in_their_order(name: str, tmp_path: Path) -> None:
    drawn = fold(GRAPHS[name](tmp_path))
    places = {node.id: place for node, place in lay_out(drawn).nodes}
    columns = [[places[node.id] for node in drawn.column(number)] for number in range(5)]
    for column in columns:
        assert max(place.x for place in column) - min(place.x for place in column) < 0.5
        assert max(place.right for place in column) - min(place.right for place in column) < 0.5
    lefts = [column[0].x for column in columns]
    assert lefts == sorted(lefts)
    tops = [places[node.id].y for node in drawn.nodes if node.kind == "queue"]
    assert tops == sorted(tops)
    assert places["functions"].y > max(place.y for id_, place in places.items() if id_.startswith("compute-"))
    assert places["logs"].y > max(place.y for id_, place in places.items() if id_.startswith("bucket-"))
    assert places["network"].y < places["image"].y < places["key"].y


def test_the_drawn_texts_are_as_wide_as_they_were_measured() -> None:
    """The SVG states each width, and no text of a node leaves its rectangle, whatever the page's fonts are."""
    picture = ET.fromstring(svg(prod()))  # noqa: S314 - our own text
    for group in picture.iter(f"{SVG}g"):
        if "data-node" in group.attrib:
            rectangle = group.find(f"{SVG}rect")
            assert rectangle is not None
            x, y, wide, high = (float(rectangle.attrib[key]) for key in ("x", "y", "width", "height"))
            for text in group.iter(f"{SVG}text"):
                left, length = float(text.attrib["x"]), float(text.attrib["textLength"])
                assert x < left < left + length < x + wide
                assert y < float(text.attrib["y"]) < y + high


def test_png_is_a_png_and_hostile_texts_are_accepted() -> None:
    drawn = prod()
    nodes = tuple(type(node)(node.id, node.kind, HOSTILE, (HOSTILE,), HOSTILE) for node in drawn.nodes)
    found = png(Graph(HOSTILE, HOSTILE, HOSTILE, nodes, drawn.edges))
    assert found.startswith(b"\x89PNG\r\n\x1a\n")


def test_dot_reads_the_same_source_that_users_get() -> None:
    plain = run_dot(prod(), "plain")
    assert {*re.findall(r"^node (\S+) ", plain, re.MULTILINE)} == {
        f'"{node.id}"' if "-" in node.id else node.id for node in prod().nodes
    }
    assert dot_source(prod()).count("fixedsize=false") == 1


def test_a_dot_that_fails_is_named(tmp_path: Path) -> None:
    fake = tmp_path / "dot"
    fake.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('Error: no layout')\n")
    fake.chmod(0o755)
    with pytest.raises(ToolError, match="dot failed: Error: no layout") as error:
        lay_out(prod(), {"PATH": str(tmp_path)})
    assert error.value.hint == "run dot -V"


def test_a_dot_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "dot"
    fake.write_text("#!/bin/sh\nexec sleep 600\n")
    fake.chmod(0o755)
    monkeypatch.setattr("gen_infra.graph.layout._SECONDS", 0.1)
    with pytest.raises(ToolError, match=r"dot did not end within 0\.1 s and was stopped"):
        lay_out(prod(), {"PATH": f"{tmp_path}:/usr/bin:/bin"})
