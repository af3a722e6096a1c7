"""Places the nodes of a graph with Graphviz's `dot`, which runs as a process, and draws the edges between its columns.

Edges go from one column to the next. So each is one curve in the gap between them, where it can cross no text, and has
its own place at both of its boxes.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.errors import MissingError, ToolError
from gen_infra.graph.dot import dot_source
from gen_infra.graph.folding import fold
from gen_infra.tools.child_environment import child_environment
from gen_infra.tools.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_infra.graph.model import Graph, GraphEdge, GraphNode

_INCH = 72.0
_SECONDS = 60.0
_HINT = "install Graphviz (apt install graphviz, brew install graphviz)"
_APART = 14.0  # the most pixels between two edges at one side of a box
_CORNER = 12.0  # how far edges stay away from the corners


class Rectangle(NamedTuple):
    """An area of the picture, in pixels from its top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Return the place of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Return the place of its lower side."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Curve:
    """The course of an edge: a cubic Bézier curve that starts and ends horizontally.

    Args:
        edge: what it is.
        start: at the right side of its source.
        end: at the left side of its target.
    """

    edge: GraphEdge
    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def middle(self) -> float:
        """Return where both of its control points are, from the left."""
        return (self.start[0] + self.end[0]) / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """A graph with the places of its parts.

    Args:
        width: of all, in pixels.
        height: of all.
        nodes: each node with its box.
        curves: each edge with its course.
    """

    width: float
    height: float
    nodes: tuple[tuple[GraphNode, Rectangle], ...]
    curves: tuple[Curve, ...]


def lay_out(graph: Graph, environ: Mapping[str, str] = os.environ) -> Layout:
    """Place the parts of a graph.

    Raises:
        MissingError: Graphviz is not installed.
        ToolError: dot failed, or did not end within a minute.
    """
    return read_layout(graph, json.loads(run_dot(graph, "json0", environ)))


def run_dot(graph: Graph, output: str, environ: Mapping[str, str] = os.environ, file: Path | None = None) -> str:
    """Run dot on a graph, and return its output, or write it to a file.

    Raises:
        MissingError, ToolError: as of `lay_out`.
    """
    argv = ["dot", f"-T{output}", *(["-Gdpi=144", f"-o{file}"] if file else [])]  # sharp on every screen
    with tempfile.TemporaryDirectory() as folder:
        try:
            source, env = dot_source(graph, has_fixed_sizes=file is None), child_environment(environ)
            done = run(argv, cwd=Path(folder), env=env, timeout=_SECONDS, input=source)
        except MissingError as error:
            raise MissingError("dot was not found, which places the parts of the picture", hint=_HINT) from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ToolError(f"dot failed: {said[0] if said else f'exit code {done.returncode}'}", hint="run dot -V")
    return done.stdout


def png(graph: Graph, environ: Mapping[str, str] = os.environ) -> bytes:
    """Let dot draw a graph, folded if it is large, in the colours for light pages.

    Raises:
        MissingError, ToolError: as of `lay_out`.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.png"
        run_dot(fold(graph), "png", environ, file)
        return file.read_bytes()


def read_layout(graph: Graph, answer: Mapping[str, Any]) -> Layout:
    """Read what ``dot -Tjson0`` prints, without its heading and edges: https://graphviz.org/docs/outputs/json/."""
    found = {each["name"]: _place(each) for each in answer["objects"] if "pos" in each}
    left, top = min(place.x for place in found.values()), min(place.y for place in found.values())
    places = {id_: place._replace(x=place.x - left, y=place.y - top) for id_, place in found.items()}
    return Layout(
        max(place.right for place in places.values()),
        max(place.bottom for place in places.values()),
        tuple((node, places[node.id]) for node in graph.nodes),
        tuple(_curves(graph.edges, places)),
    )


def _place(node: Mapping[str, Any]) -> Rectangle:
    """Return the box of a node; Graphviz counts from the bottom, and names the middle."""
    x, y = map(float, node["pos"].split(","))
    width, height = float(node["width"]) * _INCH, float(node["height"]) * _INCH
    return Rectangle(x - width / 2, -y - height / 2, width, height)


def _curves(edges: tuple[GraphEdge, ...], places: Mapping[str, Rectangle]) -> Iterable[Curve]:
    """Yield the course of each edge; those at one side of a box are in the order of their other ends."""
    after: dict[str, set[str]] = defaultdict(set)
    before: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        after[edge.source].add(edge.target)
        before[edge.target].add(edge.source)
    starts = {id_: _spread(id_, others, places) for id_, others in after.items()}
    ends = {id_: _spread(id_, others, places) for id_, others in before.items()}
    for edge in edges:
        start = (places[edge.source].right, starts[edge.source][edge.target])
        end = (places[edge.target].x, ends[edge.target][edge.source])
        yield Curve(edge, start, end)


def _spread(id_: str, others: Iterable[str], places: Mapping[str, Rectangle]) -> dict[str, float]:
    """Return the height of the edge to each of the other boxes."""
    place = places[id_]
    ordered = sorted(others, key=lambda other: places[other].y + places[other].height / 2)
    step = min(_APART, (place.height - 2 * _CORNER) / max(len(ordered) - 1, 1))
    first = place.y + (place.height - step * (len(ordered) - 1)) / 2
    return {other: first + number * step for number, other in enumerate(ordered)}
