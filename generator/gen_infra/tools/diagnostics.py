"""Errors and warnings about a file, as terraform and packer report them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or warning in the tool's words; ``file`` is relative to the folder, ``line`` counts from 1."""

    severity: Literal["error", "warning"]
    summary: str
    detail: str = ""
    address: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def message(self) -> str:
        """Return summary and detail on one line."""
        return " ".join(f"{self.summary.rstrip('.:')}: {self.detail}".split()) if self.detail else self.summary


def parse_plain(text: str) -> list[Diagnostic]:
    """Read errors from plain output, which terraform prints where ``-json`` has no effect."""
    text = re.sub(r"^[│╷╵ ]+", "", text, flags=re.MULTILINE)
    _, *blocks = re.split(r"^Error: ", text, flags=re.MULTILINE)
    diagnostics = []
    for block in blocks:
        summary, _, detail = block.partition("\n")
        place = re.search(r"^on (\S+) line (\d+)", detail, flags=re.MULTILINE)
        file, line = (place[1], int(place[2])) if place else ("", 0)
        diagnostics.append(Diagnostic("error", summary.strip(), detail.strip(), file=file, line=line))
    return diagnostics
