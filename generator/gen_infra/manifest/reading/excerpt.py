"""Show the line of a problem, with a caret below its position."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_infra.manifest.reading.nodes import Problem

_WIDTH = 100  # columns of a line that are shown


def excerpt(problem: Problem) -> str:
    """Return two lines for a terminal; empty if the line may contain a secret or does not exist."""
    line, at = problem.source_line, problem.column - 1
    if not line.strip() or at > len(line):
        return ""
    start = max(0, at - _WIDTH // 2)
    shown = "".join(map(_printable, line[start : start + _WIDTH]))
    before = shown[: at - start]
    margin = f"{problem.line:>6} | "
    return f"{margin}{shown}\n{' ' * (len(margin) - 2)}| {' ' * sum(map(_columns, before))}^"


def _printable(character: str) -> str:
    if character == "\t":
        return " "
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _columns(character: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
