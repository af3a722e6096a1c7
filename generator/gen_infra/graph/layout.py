"""Places the nodes and edges of a graph with Graphviz's `dot`, which runs as a process."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gen_infra.errors import MissingError, ToolError
from gen_infra.graph.dot import LABEL_HEIGHT, dot_source, label_width
from gen_infra.tools.child_environment import child_environment
from gen_infra.tools.process import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.graph.model import Graph, GraphEdge, GraphNode

    Coordinates: TypeAlias = tuple[float, float]

_INCH = 72.0
_SECONDS = 60.0
_HINT = "install Graphviz (apt install graphviz, brew install graphviz), or use --format mermaid or --format dot"


class Rectangle(NamedTuple):
    """An area of the picture, in pixels from its top left corner."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, left: float, top: float) -> Rectangle:
        """Return it further to the left and to the top."""
        return self._replace(x=self.x - left, y=self.y - top)

    def overlaps(self, other: Rectangle) -> bool:
        """Return whether they share more than an edge."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True, slots=True)
class PlacedEdge:
    """An edge with its course.

    Args:
        edge: what it is.
        points: of a chain of cubic Bézier curves: the start, then three for each curve.
        tail: the tip of the arrow at its start; None without one.
        head: the tip of the arrow at its end; None without one.
        label: where its text is; None without one.
    """

    edge: GraphEdge
    points: tuple[Coordinates, ...]
    tail: Coordinates | None
    head: Coordinates | None
    label: Rectangle | None

    def moved(self, left: float, top: float) -> PlacedEdge:
        """Return it further to the left and to the top."""
        points = tuple((x - left, y - top) for x, y in self.points)
        tail, head = (point and (point[0] - left, point[1] - top) for point in (self.tail, self.head))
        return PlacedEdge(self.edge, points, tail, head, self.label and self.label.moved(left, top))


@dataclass(frozen=True, slots=True)
class Layout:
    """A graph with the places of its parts.

    Args:
        width: of all, in pixels.
        height: of all.
        nodes: each node with its box.
        edges: each edge with its course.
    """

    width: float
    height: float
    nodes: tuple[tuple[GraphNode, Rectangle], ...]
    edges: tuple[PlacedEdge, ...]


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
    argv = ["dot", f"-T{output}", *([f"-o{file}"] if file else [])]
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = run(
                argv, cwd=Path(folder), env=child_environment(environ), timeout=_SECONDS, input=dot_source(graph)
            )
        except MissingError as error:
            raise MissingError("dot was not found, which places the parts of the picture", hint=_HINT) from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ToolError(f"dot failed: {said[0] if said else f'exit code {done.returncode}'}", hint=_HINT)
    return done.stdout


def read_layout(graph: Graph, answer: Mapping[str, Any]) -> Layout:
    """Read what ``dot -Tjson0`` prints, without its heading and margins: https://graphviz.org/docs/outputs/json/."""
    places = {
        each["name"]: _centred(each["pos"], float(each["width"]) * _INCH, float(each["height"]) * _INCH)
        for each in answer["objects"]
        if "pos" in each
    }
    courses = {each["id"]: each for each in answer.get("edges", ()) if "id" in each}
    nodes = tuple((node, places[node.id]) for node in graph.nodes)
    edges = tuple(_edge(edge, courses[f"edge-{number}"]) for number, edge in enumerate(graph.edges))
    areas = [place for _, place in nodes] + [edge.label for edge in edges if edge.label]
    points = [point for edge in edges for point in edge.points]
    left, top = (min([*(area[axis] for area in areas), *(point[axis] for point in points)]) for axis in (0, 1))
    right = max([*(area.x + area.width for area in areas), *(x for x, _ in points)])
    bottom = max([*(area.y + area.height for area in areas), *(y for _, y in points)])
    return Layout(
        right - left,
        bottom - top,
        tuple((node, place.moved(left, top)) for node, place in nodes),
        tuple(edge.moved(left, top) for edge in edges),
    )


def _edge(edge: GraphEdge, course: Mapping[str, Any]) -> PlacedEdge:
    ends: dict[str, Coordinates] = {}
    points: list[Coordinates] = []
    for word in course["pos"].split():
        *end, x, y = word.split(",")
        point = (float(x), -float(y))
        if end:
            ends[end[0]] = point
        else:
            points.append(point)
    label = _centred(course["lp"], label_width(edge.label), LABEL_HEIGHT) if "lp" in course else None
    return PlacedEdge(edge, tuple(points), ends.get("s"), ends.get("e"), label)


def _centred(position: str, width: float, height: float) -> Rectangle:
    """Return the rectangle around a point; Graphviz counts from the bottom."""
    x, y = map(float, position.split(","))
    return Rectangle(x - width / 2, -y - height / 2, width, height)
