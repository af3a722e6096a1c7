"""The nodes of a manifest: values, each with the file, line and column where it was written."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field

from gen_infra.manifest.reading.secrets import may_be_shown

Mark: TypeAlias = tuple[int, int]
"""A zero-based line and column, as libyaml counts them."""


class SourceText(Struct, eq=False):
    """A manifest file: the name for messages, its text, and the (zero-based) lines that contain a secret."""

    name: str
    path: Path
    text: str
    secret_lines: set[int] = field(default_factory=set)
    _lines: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """Return all lines, also those that may contain a secret."""
        if not self._lines:
            self._lines = self.text.split("\n")
        return self._lines

    def line(self, number: int) -> str:
        """Return a line for a message; empty if it does not exist or may contain a secret."""
        lines = self.lines
        shown = number < len(lines) and number not in self.secret_lines and may_be_shown(lines[number])
        return lines[number].rstrip("\r") if shown else ""


# The nodes form a tree: without a circle among them, the garbage collector need not look at them (gc=False).
class Scalar(Struct, gc=False):
    """A string, number, boolean or (for an empty value) None."""

    value: str | int | float | bool | None
    source: SourceText
    mark: Mark


class Refused(Scalar, gc=False):
    """A scalar that already has a problem."""


class Sequence(Struct, gc=False):
    """A YAML list."""

    source: SourceText
    mark: Mark
    items: list[Node] = field(default_factory=list)


class Entry(Struct, gc=False):
    """A key of a mapping with its value; the mark is the key's."""

    source: SourceText
    mark: Mark
    node: Node


class Map(Struct, gc=False):
    """A YAML mapping."""

    source: SourceText
    mark: Mark
    entries: dict[str, Entry] = field(default_factory=dict)


Node: TypeAlias = Scalar | Sequence | Map


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem, at a one-based line and column of a file."""

    file: str
    line: int
    column: int
    path: str
    message: str
    source: SourceText | None = dataclass_field(default=None, compare=False, repr=False)

    @property
    def source_line(self) -> str:
        """Return the line of the problem; empty if it may not be shown."""
        return self.source.line(self.line - 1) if self.source else ""

    def __str__(self) -> str:
        """Return a line such as ``envs/prod.yaml:9:5: queues.high.priority: 5000 is not between 0 and 1000``."""
        where = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {where}{self.message}"


def plain(node: Node) -> object:
    """Convert a node to dicts, lists and scalars, for :func:`msgspec.convert`."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(entry.node) for key, entry in node.entries.items()}


def locate(root: Map, path: tuple[str | int, ...]) -> tuple[SourceText, Mark]:
    """Return the position of the value at ``path``: of its key or list item, or of the nearest parent that exists."""
    source, mark = root.source, root.mark
    node: Node = root
    for step in path:
        if isinstance(node, Map) and isinstance(step, str) and step in node.entries:
            entry = node.entries[step]
            source, mark, node = entry.source, entry.mark, entry.node
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            source, mark = node.source, node.mark
        else:
            break
    return source, mark


def written_at(root: Map, path: tuple[str | int, ...]) -> tuple[SourceText, Mark] | None:
    """Return the position of exactly this value; None for a default."""
    node: Node = root
    for step in path:
        if isinstance(node, Map) and isinstance(step, str) and step in node.entries:
            node = node.entries[step].node
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return locate(root, path)


def file_and_line(root: Map, path: tuple[str | int, ...]) -> tuple[str, int] | None:
    """Return the file and the one-based line of a value; None for a default."""
    written = written_at(root, path)
    return (written[0].name, written[1][0] + 1) if written else None


def origin(root: Map, path: tuple[str | int, ...]) -> str:
    """Return ``envs/prod.yaml:8``, or ``default``."""
    place = file_and_line(root, path)
    return "{}:{}".format(*place) if place else "default"
