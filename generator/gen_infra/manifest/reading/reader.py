"""Read YAML strictly: every node has its position, and ambiguous values are refused.

YAML 1.1 reads ``NO`` as false, ``012345670123`` as a number and the last of two equal keys; PyYAML follows it.
This reader uses PyYAML's events (libyaml scans the text) and accepts only what every YAML version reads the same way.
"""

from __future__ import annotations

import os
import re
import stat
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from yaml.events import MappingEndEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from gen_infra.manifest.reading.nodes import Entry, Map, Mark, Node, Problem, Refused, Scalar, Sequence, SourceText
from gen_infra.manifest.reading.secrets import (
    ADVICE,
    is_secret,
    may_hold_secrets,
    may_split_secrets,
    names_a_secret,
    redact,
    secrets,
    secrets_in_value,
    takes_a_secret,
)
from gen_infra.manifest.reading.text import (
    ForbiddenText,
    cut,
    forbidden_characters,
    not_normal,
    scanner_switches,
    without_forbidden,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_BYTES = 10_000_000
MAX_DEPTH = 20
MAX_NODES = 1_000_000
MAX_PROBLEMS = 100


class Unreadable(Exception):  # noqa: N818 - carries a Problem up to the loader, never leaves this package
    """A problem that makes the rest of the file unreadable."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _AmbiguousError(Exception):
    """A plain scalar that YAML parsers and people do not read the same way."""


_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_LONGEST_NUMBER = 20  # characters; Python refuses to convert thousands of digits, and long fractions become infinite
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)
_WORDS = {"": None, "null": None, "true": True, "false": False}
# What some YAML parsers read as a boolean, a number or a date, and people read as text.
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


def read(path: Path, name: str, problems: list[Problem]) -> Map:
    """Read the mapping in a manifest file, and add the problems of its text to ``problems``.

    Raises:
        Unreadable: if the rest of the text cannot be read.
    """
    source = SourceText(name, path, _text(path, name))
    reader = _Reader(source, problems)
    try:
        reader.inspect()
        return reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line, mark.column) if mark else (0, 0)
        raise _unreadable(source, at, f"is not YAML: {error.problem or error.context}") from None


@lru_cache(maxsize=4096)  # a manifest repeats its words
def _meaning(text: str) -> str | float | bool | None:
    """Return the value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) < _LONGEST_NUMBER and (number := _NUMBER.fullmatch(text)):
        return float(text) if number.group(1) else int(text)
    if _AMBIGUOUS.fullmatch(text):
        raise _AmbiguousError
    return text


def _text(path: Path, name: str) -> str:
    nowhere = SourceText(name, path, "")
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unreadable(nowhere, (0, 0), "is not a file")
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(nowhere, (0, 0), "file not found") from None
    except OSError as error:
        raise _unreadable(nowhere, (0, 0), f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise _unreadable(nowhere, (0, 0), f"is larger than {MAX_BYTES:,} bytes; no manifest needs that")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start)
        raise _unreadable(nowhere, (line, 0), "is not UTF-8 text") from None


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe, too, without waiting for who writes to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # Windows has no such flag


def _unreadable(source: SourceText, mark: Mark, message: str) -> Unreadable:
    return Unreadable(Problem(source.name, mark[0] + 1, mark[1] + 1, "", redact(message), source))


def _lines(event: Any) -> range:
    return range(event.start_mark.line, event.end_mark.line + 1)


def _faults(text: str) -> Iterable[ForbiddenText]:
    return chain(forbidden_characters(text), scanner_switches(text), secrets(text))


def faults_of_value(text: str) -> Iterable[ForbiddenText]:
    """Yield what no value may contain, such as invisible characters and secrets."""
    return chain(_faults(text), secrets_in_value(text))


def _faults_of_comments(text: str) -> Iterable[ForbiddenText]:
    for comment in _COMMENT.finditer(text):
        for position, message in secrets_in_value(comment.group()):
            yield ForbiddenText(comment.start() + position, message)


class _Reader:
    """Inspects the text of a file, then builds nodes from libyaml's events."""

    def __init__(self, source: SourceText, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.nodes = 0
        self.faulty_lines: set[int] = set()
        # Inspecting the whole text misses Unicode normal forms and escape sequences.
        self.may_hold_secrets = may_hold_secrets(source.text)
        self.look_at_scalars = self.may_hold_secrets or "\\" in source.text or not source.text.isascii()
        self.look_at_lists = may_split_secrets(source.text)
        # the stubs know the events' common base only
        self.next_event: Callable[[], Any]

    def inspect(self) -> None:
        """Report what no part of the file may contain, including comments."""
        text = self.source.text
        faults = chain(_faults(text), _faults_of_comments(text) if self.may_hold_secrets else ())
        for position, message in islice(faults, MAX_PROBLEMS + 1):
            line = text.count("\n", 0, position)
            self.faulty_lines.add(line)
            if message.endswith(ADVICE):
                self.source.secret_lines.add(line)
            self.report((line, position - text.rfind("\n", 0, position) - 1), message)
        if self.faulty_lines:
            self.look_at_scalars = True
            text = without_forbidden(text)
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        self.next_event = loader(text).get_event

    def document(self) -> Map:
        self.next_event()  # stream start
        event = self.next_event()
        if isinstance(event, yaml.StreamEndEvent):
            raise _unreadable(self.source, (0, 0), "is empty")
        root = self.node(self.next_event(), depth=0)
        self.next_event()  # document end
        after = self.next_event()
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.error(after, "a second document starts here; a manifest is one document")
        if not isinstance(root, Map):
            raise _unreadable(self.source, root.mark, "a manifest is a mapping of keys to values")
        return root

    def node(self, event: Any, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.error(event, f"more than {MAX_NODES:,} values; no manifest needs that")
        start = event.start_mark
        mark = (start.line, start.column)
        is_scalar = isinstance(event, ScalarEvent)
        if is_scalar and event.anchor is None and event.tag is None:
            return self.scalar(event, mark)
        if isinstance(event, yaml.AliasEvent):
            return self.refuse(
                event, f"the alias *{event.anchor} is not accepted; write the value out, or share it with `extends`"
            )
        if event.anchor is not None:
            advice = "write the value out, or share it with `extends`"
            self.report(mark, f"the anchor &{event.anchor} is not accepted; {advice}")
        if event.tag is not None:
            self.report(mark, f"the tag {event.tag} is not accepted; write the plain value")
        if is_scalar:
            return self.scalar(event, mark)
        if depth >= MAX_DEPTH:
            raise self.error(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, SequenceStartEvent):
            return self.sequence(mark, depth)
        return self.mapping(mark, depth)

    def sequence(self, mark: Mark, depth: int) -> Sequence:
        sequence = Sequence(self.source, mark)
        option = ""
        while not isinstance(event := self.next_event(), SequenceEndEvent):
            node = (self.secret(event, option) if option else None) or self.node(event, depth + 1)
            sequence.items.append(node)
            word = node.value if isinstance(node, Scalar) else None
            option = word if isinstance(word, str) and takes_a_secret(word) else ""
        if self.look_at_lists:
            self.look_at_words(sequence)
        return sequence

    def look_at_words(self, sequence: Sequence) -> None:
        """Report a command's secret that is split over several items of a list."""
        lines = {item.mark[0] for item in sequence.items}
        if len(lines) == 0 or not self.source.secret_lines.isdisjoint(lines):
            return
        words = (str(item.value) for item in sequence.items if isinstance(item, Scalar))
        for fault in islice(secrets(" ".join(words)), 1):
            self.source.secret_lines.update(lines)
            self.report(sequence.mark, fault.message)

    def mapping(self, mark: Mark, depth: int) -> Map:
        mapping = Map(self.source, mark)
        entries = mapping.entries
        while not isinstance(event := self.next_event(), MappingEndEvent):
            key_node = self.node(event, depth + 1)
            if not isinstance(key_node, Scalar):
                raise self.error(event, "a key should be text, not a list or a mapping")
            key, mark = key_node.value, key_node.mark
            value_event = self.next_event()
            refused = self.secret(value_event, key) if isinstance(key, str) and names_a_secret(key) else None
            node = refused or self.node(value_event, depth + 1)
            if isinstance(key_node, Refused):
                continue
            if key == "<<":
                self.report(mark, "the merge key << is not accepted; share values with `extends`")
            elif not isinstance(key, str):
                self.report(mark, f'the key {event.value} is not text; write "{event.value}" in quotes')
            elif key in entries:
                self.report(mark, f"the key {cut(key)} is already on line {entries[key].mark[0] + 1}")
            else:
                entries[key] = Entry(self.source, mark, node)
        self.look_at_pair(entries)
        return mapping

    def look_at_pair(self, entries: dict[str, Entry]) -> None:
        """Report the secret of a list's item such as ``{name: DB_PASSWORD, value: …}``."""
        value = entries.get("value") or entries.get("Value")
        if value is None or not isinstance(value.node, Scalar) or isinstance(value.node.value, bool | None):
            return
        for key in ("name", "Name", "key", "Key"):
            name = entries[key].node if key in entries else None
            if isinstance(name, Scalar) and is_secret(str(name.value), str(value.node.value)):
                self.source.secret_lines.add(value.node.mark[0])
                self.report(value.node.mark, f"{cut(str(name.value))} contains a secret in plain text; {ADVICE}")

    def secret(self, event: Any, key: str) -> Refused | None:
        """Refuse the value of a key that is a secret's name, unless the value only refers to the secret."""
        if not isinstance(event, ScalarEvent) or not is_secret(key, event.value):
            return None
        if not self.source.secret_lines.isdisjoint(_lines(event)):
            return self.refused(event)  # already reported at this position
        self.source.secret_lines.update(_lines(event))
        return self.refuse(event, f"{cut(key)} contains a secret in plain text; {ADVICE}")

    def scalar(self, event: Any, mark: Mark) -> Scalar:
        text: str = event.value
        if self.look_at_scalars and (refused := self.unacceptable(event)):
            return refused
        if event.style:  # quoted, or a block
            return Scalar(text, self.source, mark)
        try:
            return Scalar(_meaning(text), self.source, mark)
        except _AmbiguousError:
            text = cut(text)
            return self.refuse(event, f'{text} is ambiguous in YAML; write "{text}" in quotes if it is text')

    def unacceptable(self, event: Any) -> Refused | None:
        """Refuse a scalar for its text, with escapes and folded lines resolved."""
        lines = _lines(event)
        fault = next(iter(faults_of_value(event.value)), None)
        if fault and not self.faulty_lines.isdisjoint(lines):
            return self.refused(event)  # already reported at this position
        message = fault.message if fault else not_normal(event.value)
        if not message:
            return None
        if message.endswith(ADVICE):
            self.source.secret_lines.update(lines)
        return self.refuse(event, message)

    def refuse(self, event: Any, message: str) -> Refused:
        self.report((event.start_mark.line, event.start_mark.column), message)
        return self.refused(event)

    def refused(self, event: Any) -> Refused:
        # Neither text nor None, so that no caller uses it as a value.
        return Refused(False, self.source, (event.start_mark.line, event.start_mark.column))

    def report(self, mark: Mark, message: str) -> None:
        if len(self.problems) >= MAX_PROBLEMS:
            raise _unreadable(self.source, mark, f"more than {MAX_PROBLEMS} problems; fix those above first")
        self.problems.append(_unreadable(self.source, mark, message).problem)

    def error(self, event: Any, message: str) -> Unreadable:
        return _unreadable(self.source, (event.start_mark.line, event.start_mark.column), message)
