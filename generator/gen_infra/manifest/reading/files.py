"""Read the files that a manifest names: each path is replaced by the file's path and text.

The rest of the program, and a user of ``manifest.resolved.yaml``, then need no other file.
"""

from __future__ import annotations

import re
import stat
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from msgspec import Meta

from gen_infra.manifest.model.base import dotted
from gen_infra.manifest.reading.nodes import Entry, Map, Problem, Scalar, SourceText
from gen_infra.manifest.reading.reader import faults_of_value

if TYPE_CHECKING:
    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.reading.nodes import Node


def with_text(item: Node, path_type: Any, most: int, place: KeyPath, sources: list[SourceText]) -> Map | Problem | None:
    """Return the node of a file's path and text in place of its path, and add the file to ``sources``.

    A path is relative to the file of the manifest that names it.

    Args:
        item: what the manifest has.
        path_type: the annotated type of the path.
        most: the most bytes of the file.
        place: where the manifest has it.
        sources: the text that was read.

    Returns:
        None for what is no valid path, which is left for the validation of the manifest; a problem with the file.
    """
    if not isinstance(item, Scalar) or not isinstance(item.value, str) or not _pattern(path_type).fullmatch(item.value):
        return None
    folder, (line, column) = item.source.path.parent, item.mark
    try:
        text = _text(folder, item.value, most)
    except _UnreadableFileError as error:
        return Problem(item.source.name, line + 1, column + 1, dotted(place), str(error), item.source)
    sources.append(SourceText(f"{Path(item.source.name).parent / item.value}", folder / item.value, text))
    entries = {
        "path": Entry(item.source, item.mark, item),
        "content": Entry(item.source, item.mark, Scalar(text, item.source, item.mark)),
    }
    return Map(item.source, item.mark, entries)


class _UnreadableFileError(Exception):
    """A file that a manifest names cannot be read; the message says why."""


@cache
def _pattern(path_type: Any) -> re.Pattern[str]:
    return re.compile(next(meta.pattern for meta in get_args(path_type) if isinstance(meta, Meta) and meta.pattern))


def _text(folder: Path, relative: str, most: int) -> str:
    """Read a file of at most so many bytes; a symbolic link is refused, because it may lead out of the folder.

    Raises:
        _UnreadableFileError: it cannot be read, or has text that no manifest may have.
    """
    path = folder
    try:
        for part in relative.split("/"):
            path = path / part
            if path.is_symlink():
                raise _UnreadableFileError(f'"{relative}" is or contains a symbolic link; use a file below {folder}')
        if not stat.S_ISREG(path.stat().st_mode):
            raise _UnreadableFileError(f'"{relative}" is not a file')
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise _UnreadableFileError(f'file not found: "{relative}"') from None
    except OSError as error:
        raise _UnreadableFileError(f'"{relative}" cannot be read: {error.strerror}') from None
    if len(data) > most:
        raise _UnreadableFileError(f'"{relative}" is larger than {most:,} bytes')
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _UnreadableFileError(f'"{relative}" is not UTF-8 text') from None
    for position, message in faults_of_value(text):
        raise _UnreadableFileError(f'line {text.count(chr(10), 0, position) + 1} of "{relative}": {message}')
    return text
