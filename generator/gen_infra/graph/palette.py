"""The colours of the picture, for light and dark pages; a test measures their contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gen_infra.graph.model import Graph, GraphNode, NodeKind


class Tone(NamedTuple):
    """The colours of a box: its background, its border, and the text of its first line."""

    fill: str
    stroke: str
    label: str


class Palette(NamedTuple):
    """The colours of a page.

    Args:
        paper: the background.
        ink: names and headings.
        muted: details.
        line: edges.
        tones: those of boxes, by class.
    """

    paper: str
    ink: str
    muted: str
    line: str
    tones: dict[str, Tone]


LIGHT = Palette(
    paper="#ffffff",
    ink="#1f2328",
    muted="#4b535d",
    line="#6e7781",
    tones={
        "base": Tone("#f3f5f8", "#66758a", "#4a586b"),
        "compute": Tone("#e5f5f2", "#0f766e", "#0b615a"),
        "entry": Tone("#f2effe", "#6d5bd0", "#5a45c4"),
        "queue": Tone("#fff6df", "#a16207", "#7f4a0a"),
        "flow": Tone("#fdf0f7", "#be185d", "#9d174d"),
        "work": Tone("#e9f7ed", "#15803d", "#14602f"),
        "data": Tone("#e9f1fd", "#2563eb", "#1c4cc9"),
        "plain": Tone("#ffffff", "#838c96", "#57606a"),
        "created": Tone("#dafbe1", "#1a7f37", "#0f5a26"),
        "changed": Tone("#fff3c4", "#9a6700", "#734600"),
        "replaced": Tone("#f4e8ff", "#8250df", "#6233b5"),
        "deleted": Tone("#ffebe9", "#cf222e", "#a40e26"),
    },
)
DARK = Palette(
    paper="#0d1117",
    ink="#e6edf3",
    muted="#a9b3be",
    line="#8b949e",
    tones={
        "base": Tone("#171e28", "#7d8da1", "#aebccc"),
        "compute": Tone("#0c2522", "#2aa698", "#5cd0c2"),
        "entry": Tone("#1c1934", "#8f7fe8", "#b9adff"),
        "queue": Tone("#2a2009", "#c8922b", "#f0c060"),
        "flow": Tone("#2b1220", "#dd6ba5", "#f59cc7"),
        "work": Tone("#0f2417", "#3fae62", "#7ddf9b"),
        "data": Tone("#0e1e38", "#5b93f0", "#93bbff"),
        "plain": Tone("#0d1117", "#6e7681", "#a9b3be"),
        "created": Tone("#0f2d18", "#3fb950", "#7ee787"),
        "changed": Tone("#332701", "#d29922", "#f2cc60"),
        "replaced": Tone("#271a42", "#a371f7", "#d2a8ff"),
        "deleted": Tone("#3c1415", "#f85149", "#ffa198"),
    },
)

_TONES: dict[str, tuple[NodeKind, ...]] = {
    "base": ("network", "image", "repositories", "key", "existing", "other"),
    "compute": ("compute",),
    "entry": ("access", "functions", "notifications"),
    "queue": ("queue",),
    "flow": ("workflow",),
    "work": ("job", "engine"),
    "data": ("bucket", "file_system", "logs"),
}


def tone_of(node: GraphNode, graph: Graph) -> str:
    """Return the class of a node's colours: its kind's, or in a plan its change's."""
    if graph.is_plan:
        return node.change or "plain"
    return next(tone for tone, kinds in _TONES.items() if node.kind in kinds)
