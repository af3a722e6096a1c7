"""Writes a graph in Mermaid's language, which GitHub and GitLab draw in Markdown.

Text is in quotes, with each character that is no letter, digit or simple sign as an entity code, so that no text is
read as Mermaid's syntax, as Markdown or as HTML:
https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from gen_infra.graph.folding import fold
from gen_infra.graph.palette import LIGHT, tone_of
from gen_infra.graph.texts import CHANGE_SIGNS, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.graph.model import Graph, GraphEdge, GraphNode

_SPECIAL = re.compile(r"[^A-Za-z0-9 ,:/=-]")
_USES = {"forward": "", "back": "|reads|", "both": "|reads and writes|"}
_COLUMN_NAMES = ("account", "compute", "queues", "jobs", "data")


def mermaid(graph: Graph) -> str:
    """Return a graph, folded if it is large, as a Mermaid flowchart."""
    return "\n".join(_lines(fold(graph))) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    ids = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}  # keys may have --, which is a link
    yield "flowchart LR"
    yield f"  accTitle: {_text(graph.title)}"
    yield f"  accDescr: {_text(graph.description)}"
    for number, name in enumerate(_COLUMN_NAMES):
        if column := graph.column(number):
            yield f'  subgraph {name}_column["{name}"]'
            yield from (f'    {ids[node.id]}["{_label(node)}"]:::{tone_of(node, graph)}' for node in column)
            yield "  end"
            yield f"  class {name}_column column"
    yield from (f"  {_edge(edge, ids)}" for edge in graph.edges)
    yield from (f"  {ids[source]} ~~~ {ids[target]}" for source, target in _loose(graph))
    yield f"  classDef column fill:transparent,stroke:{LIGHT.tones['plain'].stroke}"
    used = dict.fromkeys(tone_of(node, graph) for node in graph.nodes)
    for tone in used:
        colours = LIGHT.tones[tone]
        dashed = ",stroke-dasharray:6 4" if tone == "deleted" else ""
        yield f"  classDef {tone} fill:{colours.fill},stroke:{colours.stroke},color:{LIGHT.ink}{dashed}"


def _loose(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield invisible links to the columns without edges to a column before: Mermaid would put them first."""
    place = {node.id: number for number in range(len(_COLUMN_NAMES)) for node in graph.column(number)}
    linked = {place[edge.target] for edge in graph.edges if place[edge.source] < place[edge.target]}
    there = sorted(set(place.values()))
    for before, column in pairwise(there):
        if column not in linked:
            yield graph.column(before)[0].id, graph.column(column)[0].id


def _label(node: GraphNode) -> str:
    first = f"{node.label}: {CHANGE_SIGNS[node.change]}" if node.change else node.label
    lines = [first, node.name, *node.details, *([f"role {node.role}"] if node.role else [])]
    return "<br/>".join(map(_text, lines))


def _edge(edge: GraphEdge, ids: Mapping[str, str]) -> str:
    arrow = "-.->" if edge.is_indirect else "-->"
    return f"{ids[edge.source]} {arrow}{_USES[edge.direction]} {ids[edge.target]}"


def _text(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", printable(text))
