"""The size of texts and boxes in the picture, the same on every machine, whatever its fonts.

Widths are those of Helvetica, which Arial, Liberation Sans and Nimbus Sans share. The SVG states the width of each
text (``textLength``), so that other fonts keep within their boxes too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.graph.model import Graph, GraphNode

FONT = "Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', sans-serif"

# Adobe's metrics of Helvetica (Phv.afm), in thousandths of the font size, from space to tilde.
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(278, 278, 584, 584, 584, 556, 1015),
    *(667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(278, 278, 278, 469, 556, 333),
    *(556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833),
    *(556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500),
    *(334, 260, 334, 584),
)
# The same of Helvetica-Bold (Phvb.afm).
_BOLD_WIDTHS = (
    *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(333, 333, 584, 584, 584, 611, 975),
    *(722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(333, 278, 333, 584, 556, 333),
    *(556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889),
    *(611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500),
    *(389, 280, 389, 584),
)
_SIGNS = {"±": 584, "·": 278, "…": 1000}
_OTHER = 1000  # any other character: at most as wide as it is high

LABEL, NAME, DETAIL = 11.0, 14.0, 12.0  # font sizes in pixels
PADDING = 11.0
_LINE = 17.0  # from one detail to the next
_WIDEST_NAME = 224.0  # what is longer is cut, and complete in the title
_WIDEST_DETAIL = 168.0  # what is longer continues on the next line
_NARROWEST = 110.0
_MOST_LINES = 8  # of details in a box; all of them are in the title


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text in pixels."""
    table = _BOLD_WIDTHS if bold else _WIDTHS
    widths = (table[ord(letter) - 32] if " " <= letter <= "~" else _SIGNS.get(letter, _OTHER) for letter in text)
    return sum(widths) * size / 1000


def cut(text: str, size: float, widest: float, *, bold: bool = False) -> str:
    """Return the text, or its beginning and its end if it is wider than ``widest``: names differ at both ends."""
    if width(text, size, bold=bold) <= widest:
        return text
    keep = len(text) - 1
    while keep > 1 and width(_shortened(text, keep), size, bold=bold) > widest:
        keep -= 1
    return _shortened(text, keep)


def _shortened(text: str, keep: int) -> str:
    end = keep // 3
    return f"{text[: keep - end]}…{text[len(text) - end :]}"


def wrap(text: str, size: float, widest: float) -> list[str]:
    """Return the text as lines that break at spaces; a word that is wider than a line is cut."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(longer := f"{lines[-1]} {word}", size) <= widest:
            lines[-1] = longer
        else:
            lines.append(word)
    return [cut(line, size, widest) for line in lines]


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text in a box.

    Args:
        text: what is drawn.
        style: ``label``, ``name``, ``detail`` or ``role``.
        y: the baseline, below the top of the box.
        width: in pixels.
    """

    text: str
    style: str
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class TextBox:
    """A box with its text, without its place.

    Args:
        lines: from top to bottom.
        width: what its text needs; boxes of a column get the same.
        height: of the box.
        rule: the height of the line above the role; 0 without a role.
    """

    lines: tuple[TextLine, ...]
    width: float
    height: float
    rule: float = 0.0


CHANGE_SIGNS = {"created": "+ created", "changed": "~ changed", "replaced": "± replaced", "deleted": "- deleted"}


def box(node: GraphNode) -> TextBox:
    """Return the box of a node: what it is and its change, its name, its details and its role."""
    label = f"{node.label}: {CHANGE_SIGNS[node.change]}" if node.change else node.label
    name = cut(printable(node.name), NAME, _WIDEST_NAME, bold=True)
    details = [line for detail in node.details for line in wrap(printable(detail), DETAIL, _WIDEST_DETAIL)]
    details = [*details[: _MOST_LINES - 1], "…"] if len(details) > _MOST_LINES else details
    y, rule = PADDING + 8, 0.0
    lines = [_line(label, "label", LABEL, y), _line(name, "name", NAME, y + 19)]
    y += 19 + _LINE + 1
    for detail in details:
        lines.append(_line(detail, "detail", DETAIL, y))
        y += _LINE
    if node.role:
        rule = y - 8
        role = cut(f"role {printable(node.role)}", DETAIL, _WIDEST_NAME)
        lines.append(_line(role, "role", DETAIL, y + 10))
        y += 10 + _LINE
    widest = ceil(max([_NARROWEST, *(line.width for line in lines)]) + 2 * PADDING)  # dot has whole points
    return TextBox(tuple(lines), widest, y - 6, rule)


def _line(text: str, style: str, size: float, y: float) -> TextLine:
    return TextLine(text, style, y, width(text, size, bold=style in {"label", "name"}))


def printable(text: str) -> str:
    """Return the text on one line; what not every document may contain becomes a replacement character."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def legend(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield what the picture's signs mean: a class of colours or a line, and its text."""
    if graph.is_plan:
        there = {node.change for node in graph.nodes}
        yield from ((change, sign) for change, sign in CHANGE_SIGNS.items() if change in there)
        yield "plain", "unchanged" if there - {None} else "the plan changes nothing"
    if any(edge.direction != "forward" for edge in graph.edges):
        yield "edge", "arrow at a job: it reads; at data: it writes"
    if any(edge.is_indirect for edge in graph.edges):
        yield "indirect", "what workflows run"
