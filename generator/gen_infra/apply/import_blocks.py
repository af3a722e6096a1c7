"""Writes import blocks into terraform's folder for as long as a plan is made.

A saved plan carries the configuration that it was made from, so applying it needs no file.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from gen_infra.render import hcl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "gen-infra-adopt.tf"
"""The name of the file; no rendered file has it."""

_HEADER = "# What an interrupted run left. gen-infra removes this file as soon as the plan is made.\n"


@contextmanager
def import_blocks(folder: Path, imports: Mapping[str, str]) -> Iterator[None]:
    """Keep a file with import blocks in a folder; without imports (address to id) there is none."""
    if not imports:
        yield
        return
    remove_import_blocks(folder)
    try:
        with (folder / FILE).open("x", encoding="utf-8") as stream:
            stream.write(_HEADER)
            for address, id_ in imports.items():
                stream.write(f"\nimport {{\n  to = {hcl.reference(address)}\n  id = {hcl.encode(id_)}\n}}\n")
        yield
    finally:
        remove_import_blocks(folder)


def remove_import_blocks(folder: Path) -> None:
    """Remove the file that a killed run left, if it is gen-infra's; a run that was killed early left an empty one."""
    file = folder / FILE
    with suppress(FileNotFoundError):
        if not file.is_symlink() and (file.stat().st_size == 0 or file.read_bytes().startswith(_HEADER.encode())):
            file.unlink()
