"""The console blocks of docs/ and of the README, as the tests run them.

Above a block that is not run, a comment says why: ``<!-- not run: REASON -->``, or, for the lines that start with a
command, ``<!-- not run, COMMAND: REASON -->``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.conftest import ROOT

PAGES = {page.name: page.read_text() for page in (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md")}

_FENCE = re.compile(
    r"^#+ (?P<heading>[^\n]*)$"
    r"|(?P<marks>(?:^ *<!-- not run[^\n]*-->\n)*)^ *```(?P<language>\w*)\n(?P<block>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"<!-- not run(?:, (?P<command>[^:]+))?: (?P<reason>.+) -->")


class Block(NamedTuple):
    """A block of a page: the heading above it, its marks (what they are for: the reason), and its lines."""

    page: str
    heading: str
    language: str
    marks: dict[str, str]
    lines: list[str]

    @property
    def typed(self) -> list[str]:
        """Return what is typed, without the marked lines."""
        lines = [] if "" in self.marks else [line.removeprefix("$ ") for line in self.lines if line.startswith("$ ")]
        return [line for line in lines if not line.startswith(tuple(self.marks))]


def blocks() -> list[Block]:
    found = []
    for page, text in PAGES.items():
        heading = ""
        for match in _FENCE.finditer(text):
            heading = match["heading"] or heading
            if match["block"] is not None:
                marks = {mark["command"] or "": mark["reason"] for mark in _MARK.finditer(match["marks"])}
                lines = [line.strip() for line in match["block"].splitlines()]
                found.append(Block(page, heading, match["language"], marks, lines))
    return found


BLOCKS = blocks()
RUN = [block for block in BLOCKS if block.language == "console" and block.typed]
