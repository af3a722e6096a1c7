"""Draws a graph as SVG: one file, with its own colours for light and dark pages, and text for screen readers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING

from gen_infra.graph.folding import fold
from gen_infra.graph.layout import lay_out
from gen_infra.graph.palette import DARK, LIGHT, Palette, tone_of
from gen_infra.graph.texts import CHANGE_SIGNS, DETAIL, FONT, LABEL, NAME, PADDING, box, legend, printable, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.graph.layout import Curve, Layout, Rectangle
    from gen_infra.graph.model import Graph, GraphNode

_NO_LINKS: Mapping[str, str] = MappingProxyType({})
_MARGIN = 20.0
_HEADER = 54.0  # the height of the heading
_FOOTER = 34.0  # of a line of the legend
_TITLE = 20.0  # the size of the heading's text


def svg(graph: Graph, environ: Mapping[str, str] = os.environ, links: Mapping[str, str] = _NO_LINKS) -> str:
    """Draw a graph, folded if it is large.

    Each node is a group with the attribute ``data-node``, the id of its `GraphNode`.

    Args:
        graph: what is drawn.
        environ: the environment variables of `dot`.
        links: what the nodes link to on the page that has the picture, by their ids.

    Raises:
        MissingError: Graphviz is not installed.
        ToolError: dot failed, or did not end within a minute.
    """
    folded = fold(graph)
    return draw(folded, lay_out(folded, environ), links)


def draw(graph: Graph, layout: Layout, links: Mapping[str, str] = _NO_LINKS) -> str:
    """Draw a graph whose parts have their places."""
    return "\n".join(_lines(graph, layout, links)) + "\n"


def _lines(graph: Graph, layout: Layout, links: Mapping[str, str]) -> Iterator[str]:
    signs = list(legend(graph))
    wide = max(layout.width, _legend_width(signs), width(graph.title, _TITLE, bold=True)) + 2 * _MARGIN
    high = _HEADER + layout.height + 2 * _MARGIN + (_FOOTER if signs else 0)
    role = "group" if links else "img"  # screen readers skip what is in an image
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gen-infra-graph" viewBox="0 0 {wide:.0f} {high:.0f}" '
        f'width="{wide:.0f}" height="{high:.0f}" role="{role}" aria-labelledby="graph-title graph-description">'
    )
    yield f'<title id="graph-title">{_text(graph.title)}</title>'
    yield f'<desc id="graph-description">{_text(graph.description)}</desc>'
    yield f"<style>{_style()}</style>"
    yield (
        '<defs><marker id="graph-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="arrow" d="M0 0.5L8 4L0 7.5z"/></marker>'
        "</defs>"
    )
    yield f'<rect class="paper" width="{wide:.0f}" height="{high:.0f}"/>'
    yield _line(graph.title, _MARGIN, _MARGIN + 18, "title", _TITLE, is_bold=True)
    yield _line(graph.subtitle, _MARGIN, _MARGIN + 38, "detail", DETAIL)
    yield f'<g transform="translate({_MARGIN:.0f} {_HEADER + _MARGIN:.0f})">'
    yield from map(_edge, layout.curves)
    for node, place in layout.nodes:
        drawn = _node(node, place, graph)
        yield from _linked(drawn, links[node.id]) if node.id in links else drawn
    yield "</g>"
    yield from _draw_legend(signs, high - _MARGIN - 6)
    yield "</svg>"


def _edge(curve: Curve) -> str:
    edge, middle = curve.edge, curve.middle
    (x, y), (to_x, to_y) = curve.start, curve.end
    path = f"M{x:.1f},{y:.1f}C{middle:.1f},{y:.1f} {middle:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}"
    ends = {"forward": ["end"], "back": ["start"], "both": ["start", "end"]}[edge.direction]
    arrows = "".join(f' marker-{end}="url(#graph-arrow)"' for end in ends)
    kind = "edge indirect" if edge.is_indirect else "edge"
    return (
        f'<g class="{kind}" data-from="{edge.source}" data-to="{edge.target}"><title>{_text(edge.title)}</title>'
        f'<path d="{path}"{arrows}/></g>'
    )


def _node(node: GraphNode, place: Rectangle, graph: Graph) -> Iterator[str]:
    yield f'<g class="node {tone_of(node, graph)}" id="graph-{node.id}" data-node="{node.id}">'
    yield f"<title>{_text(_about(node))}</title>"
    yield f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" height="{place.height:.1f}" rx="8"/>'
    text = box(node)
    for line in text.lines:
        size = {"label": LABEL, "name": NAME}.get(line.style, DETAIL)
        x, y = place.x + PADDING, place.y + line.y
        yield _line(line.text, x, y, line.style, size, is_bold=line.style in {"label", "name"})
    if text.rule:
        y = place.y + text.rule
        yield f'<path class="rule" d="M{place.x + PADDING:.1f},{y:.1f}H{place.x + place.width - PADDING:.1f}"/>'
    yield "</g>"


def _linked(drawn: Iterator[str], target: str) -> Iterator[str]:
    yield f'<a href="{_text(target)}">'
    yield from drawn
    yield "</a>"


def _about(node: GraphNode) -> str:
    """Return everything about a node, as lines: what is cut in its box is whole here."""
    role = [f"role {node.role}"] if node.role else []
    change = [f"the plan: {node.change}"] if node.change else []
    place = [f"{node.key}: {node.place or 'default'}"] if node.key else []
    members = [", ".join(member.name for member in node.members)] if node.members else []
    return "\n".join([f"{node.label} {node.name}", *change, *node.details, *members, *role, *place])


def _line(text: str, x: float, y: float, style: str, size: float, *, is_bold: bool = False) -> str:
    """Return a text of exactly the width that the layout left for it."""
    length = width(text, size, bold=is_bold)
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" textLength="{length:.1f}">{_text(text)}</text>'


def _legend_width(signs: list[tuple[str, str]]) -> float:
    return sum(width(text, DETAIL) + 52 for _, text in signs)


def _draw_legend(signs: list[tuple[str, str]], y: float) -> Iterator[str]:
    x = _MARGIN
    for kind, text in signs:
        if kind in {"edge", "indirect"}:
            both = ' marker-start="url(#graph-arrow)" marker-end="url(#graph-arrow)"' if kind == "edge" else ""
            name = "edge" if kind == "edge" else "edge indirect"
            yield f'<g class="{name}"><path d="M{x:.1f},{y - 4:.1f}h24"{both}/></g>'
        else:
            yield f'<g class="node {kind}"><rect x="{x:.1f}" y="{y - 12:.1f}" width="24" height="15" rx="4"/></g>'
        yield _line(text, x + 32, y, "detail", DETAIL)
        x += width(text, DETAIL) + 52


def _style() -> str:
    """Return the rules, which apply below the picture's class alone: it may be part of a page."""
    fixed = (
        f".gen-infra-graph text{{font-family:{FONT};font-size:{DETAIL:g}px}}"
        f".gen-infra-graph .label{{font-size:{LABEL:g}px;font-weight:700}}"
        f".gen-infra-graph .name{{font-size:{NAME:g}px;font-weight:700}}"
        f".gen-infra-graph .title{{font-size:{_TITLE:g}px;font-weight:700}}"
        ".gen-infra-graph .node rect{stroke-width:1.2}"
        + "".join(f".gen-infra-graph .{change} rect{{stroke-width:2.5}}" for change in CHANGE_SIGNS)
        + ".gen-infra-graph .deleted rect{stroke-dasharray:6 4}"
        ".gen-infra-graph .edge>path{fill:none;stroke-width:1.3}"
        ".gen-infra-graph .indirect>path{stroke-dasharray:5 4}"
    )
    return f"{fixed}{_colours(LIGHT)}@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"


def _colours(palette: Palette) -> str:
    rules = (
        f".gen-infra-graph .paper{{fill:{palette.paper}}}"
        f".gen-infra-graph .title,.gen-infra-graph .name{{fill:{palette.ink}}}"
        f".gen-infra-graph .detail,.gen-infra-graph .role{{fill:{palette.muted}}}"
        f".gen-infra-graph .edge>path{{stroke:{palette.line}}}.gen-infra-graph .arrow{{fill:{palette.line}}}"
    )
    return rules + "".join(
        f".gen-infra-graph .{name} rect{{fill:{tone.fill};stroke:{tone.stroke}}}"
        f".gen-infra-graph .{name} .label{{fill:{tone.label}}}"
        f".gen-infra-graph .{name} .rule{{stroke:{tone.stroke};stroke-opacity:.4}}"
        for name, tone in palette.tones.items()
    )


def _text(text: str) -> str:
    return escape("\n".join(map(printable, text.split("\n"))))
