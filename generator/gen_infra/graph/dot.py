"""Writes a graph in Graphviz's language, with a column for each step from the network to the data.

All text is in HTML-like labels, where XML's escapes are the only ones; ids are of letters, digits, ``_`` and ``-``.
https://graphviz.org/doc/info/lang.html, https://graphviz.org/doc/info/shapes.html#html
"""

from __future__ import annotations

from html import escape
from itertools import pairwise, product
from typing import TYPE_CHECKING

from gen_infra.graph.folding import fold
from gen_infra.graph.model import COLUMNS
from gen_infra.graph.palette import LIGHT, tone_of
from gen_infra.graph.texts import DETAIL, LABEL, NAME, PADDING, TextBox, box, legend, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.graph.model import Graph, GraphEdge, GraphNode, NodeKind

# Kinds that are below all others of their column, in this order, and kinds that stay in the graph's order; the rest of
# the order is dot's choice, with the fewest crossings.
_BELOW: tuple[NodeKind, ...] = (*COLUMNS[0], "functions", "access", "notifications", "logs")
_ORDERED: tuple[NodeKind, ...] = ("queue", "job", "access")
_INCH = 72.0
_LEAST_GAP, _MOST_GAP = 0.78, 2.2  # inches between columns
_GAP = 0.08  # of the height of the highest column: edges that go far up or down stay apart
_SIZES = {"label": LABEL, "name": NAME, "detail": DETAIL, "role": DETAIL}
_FONT = "Arial,Liberation Sans,Helvetica,sans-serif"
_HEAD = """\
digraph environment {{
  graph [rankdir=LR, nodesep=0.24, ranksep={gap:.2f}, pad=0.2, bgcolor="#ffffff", fontname="{font}", fontsize=12,
    labelloc=t, labeljust=l, outputorder=edgesfirst]
  node [shape=box, style="rounded,filled", fixedsize={fixed}, margin="0.16,0.11", fontname="{font}"]
  edge [arrowsize=0.7]
"""


def dot(graph: Graph) -> str:
    """Return a graph, folded if it is large, in Graphviz's language."""
    return dot_source(fold(graph))


def dot_source(graph: Graph, *, has_fixed_sizes: bool = False) -> str:
    """Return the source for `dot` of a graph as it is.

    Args:
        graph: what is drawn.
        has_fixed_sizes: make the boxes as large as in the SVG, not as large as this machine's fonts need.
    """
    return "".join(_parts(graph, has_fixed_sizes=has_fixed_sizes))


def _parts(graph: Graph, *, has_fixed_sizes: bool) -> Iterator[str]:
    columns = [column for number in range(len(COLUMNS)) if (column := graph.column(number))]
    highest = max(sum(box(node).height for node in column) for column in columns) / _INCH
    yield _HEAD.format(
        gap=min(max(_LEAST_GAP, highest * _GAP), _MOST_GAP), fixed=str(has_fixed_sizes).lower(), font=_FONT
    )
    title = f'<FONT POINT-SIZE="20"><B>{_text(graph.title)}</B></FONT>'
    signs = [_text(f"dashed line: {text}" if kind == "indirect" else text) for kind, text in legend(graph)]
    lines = [title, _text(graph.subtitle), *(["; ".join(signs)] if signs else [])]
    yield f'  label=<{"".join(f"""{line}<BR ALIGN="LEFT"/>""" for line in lines)}>\n'
    for column in columns:
        boxes = {node.id: box(node) for node in column}
        widest = max(each.width for each in boxes.values())
        yield "  {\n    rank=same\n"
        yield from (_node(node, graph, boxes[node.id], widest) for node in column)
        yield from (f'    "{above}" -> "{below}" [style=invis]\n' for above, below in _order(column))
        yield "  }\n"
    for left, right in pairwise(columns):
        yield f'  "{left[0].id}" -> "{right[0].id}" [style=invis, weight=0]\n'
    yield from map(_edge, graph.edges)
    yield "}\n"


def _order(column: list[GraphNode]) -> Iterator[tuple[str, str]]:
    """Yield the nodes of a column of which one must be above the other."""
    for kind in _ORDERED:
        yield from pairwise([node.id for node in column if node.kind == kind])
    groups = [[node.id for node in column if node.kind not in _BELOW]]
    groups += [[node.id for node in column if node.kind == kind] for kind in _BELOW]
    for above, below in pairwise(filter(None, groups)):
        yield from product(above, below)


def _node(node: GraphNode, graph: Graph, text: TextBox, widest: float) -> str:
    tone = tone_of(node, graph)
    colours = LIGHT.tones[tone]
    rows = "".join(_row(line.text, line.style, colours.label, widest) for line in text.lines)
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{rows}</TABLE>'
    style = "rounded,filled,dashed" if node.change == "deleted" else "rounded,filled"
    pen = 2.5 if node.change else 1.2
    return (
        f'    "{node.id}" [id="{node.id}", width={widest / _INCH:.4f}, height={text.height / _INCH:.4f}, '
        f'style="{style}", penwidth={pen}, fillcolor="{colours.fill}", color="{colours.stroke}", label=<{table}>]\n'
    )


def _row(text: str, style: str, label_colour: str, widest: float) -> str:
    colour = {"label": label_colour, "name": LIGHT.ink}.get(style, LIGHT.muted)
    shown = f"<B>{_text(text)}</B>" if style in {"label", "name"} else _text(text)
    return (
        f'<TR><TD ALIGN="LEFT" WIDTH="{widest - 2 * PADDING:.0f}">'
        f'<FONT POINT-SIZE="{_SIZES[style]:g}" COLOR="{colour}">{shown}</FONT></TD></TR>'
    )


def _edge(edge: GraphEdge) -> str:
    style = "dashed" if edge.is_indirect else "solid"
    return f'  "{edge.source}" -> "{edge.target}" [dir={edge.direction}, style={style}, color="{LIGHT.line}"]\n'


def _text(text: str) -> str:
    return escape(printable(text))
