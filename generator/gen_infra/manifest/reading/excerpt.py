"""The line that a problem is on, with a caret below the place."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_infra.manifest.reading.reader import Problem

_WIDTH = 100  # columns of a line that are shown


def excerpt(problem: Problem) -> str:
    """Two lines for a terminal; empty where the line may hold a secret, or where there is none."""
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
    """How wide a terminal draws a character."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
