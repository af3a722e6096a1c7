"""Read the shell scripts that a manifest names: each path is replaced by the script's path and text.

The rest of the program, and a user of ``manifest.resolved.yaml``, then need no other file.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from msgspec import Meta

from gen_infra.manifest.model.base import dotted
from gen_infra.manifest.model.host_script import SCRIPT_CHARACTERS, ScriptPath
from gen_infra.manifest.reading.nodes import Entry, Map, Problem, Scalar, Sequence, SourceText
from gen_infra.manifest.reading.reader import faults_of_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.base import KeyPath

_PATH = re.compile(next(meta.pattern for meta in get_args(ScriptPath) if isinstance(meta, Meta) and meta.pattern))


class UnreadableFileError(Exception):
    """A file that a manifest names cannot be read; the message says why."""


def read_host_scripts(root: Map, sources: list[SourceText]) -> list[Problem]:
    """Replace the paths of scripts in a manifest by their texts, and add the files to ``sources``.

    A path is relative to the file of the manifest that names it. Returns what is wrong with the files; paths that are
    not valid are left for the validation of the manifest.
    """
    problems: list[Problem] = []
    for place, scripts in _lists(root):
        for index, item in enumerate(scripts.items):
            if not isinstance(item, Scalar) or not isinstance(item.value, str) or not _PATH.fullmatch(item.value):
                continue
            folder, (line, column) = item.source.path.parent, item.mark
            try:
                text = read_text(folder, item.value, SCRIPT_CHARACTERS)
            except UnreadableFileError as error:
                where = (item.source.name, line + 1, column + 1, dotted((*place, index)))
                problems.append(Problem(*where, str(error), item.source))
                continue
            sources.append(SourceText(f"{Path(item.source.name).parent / item.value}", folder / item.value, text))
            scripts.items[index] = Map(item.source, item.mark, {
                "path": Entry(item.source, item.mark, item),
                "content": Entry(item.source, item.mark, Scalar(text, item.source, item.mark)),
            })  # fmt: skip
    return problems


def _lists(root: Map) -> Iterator[tuple[KeyPath, Sequence]]:
    """Yield the lists of scripts, with their places."""
    places: list[KeyPath] = [("image", "scripts")]
    compute = root.entries.get("compute")
    if compute and isinstance(compute.node, Map):
        places += [("compute", key, "user_data") for key in compute.node.entries]
    for place in places:
        node = root.entries.get(str(place[0]))
        for key in place[1:]:
            node = node.node.entries.get(str(key)) if node and isinstance(node.node, Map) else None
        if node and isinstance(node.node, Sequence):
            yield place, node.node


def read_text(folder: Path, relative: str, most: int) -> str:
    """Read a file of at most so many bytes; a symbolic link is refused, because it may lead out of the folder.

    Raises:
        UnreadableFileError: it cannot be read, or has text that no manifest may have.
    """
    path = folder
    try:
        for part in relative.split("/"):
            path = path / part
            if path.is_symlink():
                raise UnreadableFileError(f'"{relative}" is or contains a symbolic link; use a file below {folder}')
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableFileError(f'"{relative}" is not a file')
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise UnreadableFileError(f'file not found: "{relative}"') from None
    except OSError as error:
        raise UnreadableFileError(f'"{relative}" cannot be read: {error.strerror}') from None
    if len(data) > most:
        raise UnreadableFileError(f'"{relative}" is larger than {most:,} bytes')
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UnreadableFileError(f'"{relative}" is not UTF-8 text') from None
    for position, message in faults_of_value(text):
        raise UnreadableFileError(f'line {text.count(chr(10), 0, position) + 1} of "{relative}": {message}')
    return text
