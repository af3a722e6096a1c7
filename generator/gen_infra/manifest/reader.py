"""Strict YAML: every node knows where it was written, and nothing means something else than it says.

YAML 1.1 reads ``NO`` as false, ``012345670123`` as a number and the last of two equal keys; PyYAML follows it.
This reader takes PyYAML's events (libyaml does the scanning) and accepts only what reads the same to everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_NODES = 100_000

Mark: TypeAlias = tuple[int, int]
"""A zero-based line and column, as libyaml counts them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A manifest file as read: the name to show, and its lines."""

    name: str
    path: Path
    text: str


@dataclass(slots=True)
class Scalar:
    """A string, number, boolean or (for an empty value) None."""

    value: str | int | float | bool | None
    source: Source
    mark: Mark


@dataclass(slots=True)
class Sequence:
    """A YAML list."""

    source: Source
    mark: Mark
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """A key of a mapping with its value; the mark is the key's."""

    source: Source
    mark: Mark
    node: Node


@dataclass(slots=True)
class Map:
    """A YAML mapping."""

    source: Source
    mark: Mark
    entries: dict[str, Entry] = field(default_factory=dict)


Node: TypeAlias = Scalar | Sequence | Map


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, at a one-based line and column of a file."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        """``envs/prod.yaml:9:5: queues.high.priority: 5000 is not between 0 and 1000``."""
        where = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {where}{self.message}"


class Unreadable(Exception):  # noqa: N818 - carries a Problem up to the loader, never leaves this package
    """The file cannot be read any further than this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+", re.ASCII)
_LONGEST_INTEGER = 20  # digits; Python refuses to convert thousands of them
_WORDS = {"": None, "null": None, "true": True, "false": False}
# What some YAML reader takes for a boolean, a number or a date, and a person for text.
_AMBIGUOUS = re.compile(
    r"""(?:y|n|yes|no|on|off|true|false)
      | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?     # 12:30:00
      | [-+]?0[0-9_]+ | [-+]?0x[0-9a-f_]+ | [-+]?0[ob][0-7_]+  # 012, 0x1F, 0b1
      | \+[0-9][0-9_.]* | [-+]?[0-9]+_[0-9_]*                 # +1, 1_000
      | [-+]?(?:\.[0-9_]+|[0-9][0-9_]*\.[0-9_]*)(?:e[-+]?[0-9]+)? | [-+]?[0-9]+e[-+]?[0-9]+
      | [-+]?\.inf | \.nan
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\ ].*)?
      | [=~] | null""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)


def read(path: Path, name: str) -> Map:
    """The mapping in a manifest file.

    Raises:
        Unreadable: at the first place where the text is not the YAML that this project accepts.
    """
    source = Source(name, path, _text(path, name))
    try:
        return _Reader(source).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line, mark.column) if mark else (0, 0)
        raise _unreadable(source, at, f"is not YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = source.text.count("\n", 0, error.position)
        raise _unreadable(source, (line, 0), f"holds a character that YAML forbids: {error.reason}") from None


def plain(node: Node) -> object:
    """The node as dicts, lists and scalars, as :func:`msgspec.convert` takes them."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(entry.node) for key, entry in node.entries.items()}


def _text(path: Path, name: str) -> str:
    nowhere = Source(name, path, "")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(nowhere, (0, 0), "there is no such file") from None
    except OSError as error:
        raise _unreadable(nowhere, (0, 0), f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise _unreadable(nowhere, (0, 0), f"is larger than {MAX_BYTES:,} bytes; no manifest needs that")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start)
        raise _unreadable(nowhere, (line, 0), "is not UTF-8 text") from None


def _unreadable(source: Source, mark: Mark, message: str, path: str = "") -> Unreadable:
    return Unreadable(Problem(source.name, mark[0] + 1, mark[1] + 1, path, message))


class _Reader:
    """One pass over libyaml's events."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.nodes = 0
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        # the stubs know the events' common base only
        self.events: Iterator[Any] = yaml.parse(source.text, Loader=loader)

    def document(self) -> Map:
        next(self.events)  # stream start
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _unreadable(self.source, (0, 0), "is empty")
        root = self.node(next(self.events), depth=0)
        next(self.events)  # document end
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.error(after, "a second document starts here; a manifest is one document")
        if not isinstance(root, Map):
            raise _unreadable(self.source, root.mark, "a manifest is a mapping of keys to values")
        return root

    def node(self, event: Any, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.error(event, f"more than {MAX_NODES:,} values; no manifest needs that")
        if isinstance(event, yaml.AliasEvent):
            raise self.error(
                event, f"the alias *{event.anchor} is not accepted; write the value out, or share it with `extends`"
            )
        if event.anchor is not None:
            raise self.error(
                event, f"the anchor &{event.anchor} is not accepted; write the value out, or share it with `extends`"
            )
        if event.tag is not None:
            raise self.error(event, f"the tag {event.tag} is not accepted; write the plain value")
        mark = (event.start_mark.line, event.start_mark.column)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(self.scalar(event), self.source, mark)
        if depth >= MAX_DEPTH:
            raise self.error(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            sequence = Sequence(self.source, mark)
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                sequence.items.append(self.node(event, depth + 1))
            return sequence
        return self.mapping(mark, depth)

    def mapping(self, mark: Mark, depth: int) -> Map:
        mapping = Map(self.source, mark)
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise self.error(event, "a key is a word, not a list or a mapping")
            if key.value == "<<":
                raise self.error(event, "the merge key << is not accepted; share values with `extends`")
            if not isinstance(key.value, str):
                raise self.error(event, f'the key {event.value} is not text; write "{event.value}" in quotes')
            if earlier := mapping.entries.get(key.value):
                raise self.error(event, f"the key {key.value} is already on line {earlier.mark[0] + 1}")
            mapping.entries[key.value] = Entry(self.source, key.mark, self.node(next(self.events), depth + 1))
        return mapping

    def scalar(self, event: Any) -> str | int | float | bool | None:
        text: str = event.value
        if event.style:  # quoted, or a block
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text) if len(text) < _LONGEST_INTEGER else text
        if _FLOAT.fullmatch(text):
            return float(text)
        if _AMBIGUOUS.fullmatch(text):
            advice = f'write "{text}" in quotes if it is text'
            raise self.error(event, f"{text} means different things to different readers; {advice}")
        return text

    def error(self, event: Any, message: str) -> Unreadable:
        return _unreadable(self.source, (event.start_mark.line, event.start_mark.column), message)


def locate(root: Map, path: tuple[str | int, ...]) -> tuple[Source, Mark]:
    """Where the value at ``path`` was written: its key, or the item of a list, or the nearest parent that exists."""
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


def dotted(path: tuple[str | int, ...]) -> str:
    """``("jobs", "isaac", "command", 0)`` -> ``jobs.isaac.command[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
