"""Read the definitions of state machines that a manifest names: each path is replaced by the file's path and text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from msgspec import Meta

from gen_infra.manifest.model.base import dotted
from gen_infra.manifest.model.workflow import DEFINITION_AT_MOST, DefinitionPath
from gen_infra.manifest.reading.nodes import Entry, Map, Problem, Scalar, SourceText
from gen_infra.manifest.reading.scripts import UnreadableFileError, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.base import KeyPath

_PATH = re.compile(next(meta.pattern for meta in get_args(DefinitionPath) if isinstance(meta, Meta) and meta.pattern))


def read_definitions(root: Map, sources: list[SourceText]) -> list[Problem]:
    """Replace the paths of definitions in a manifest by their texts, and add the files to ``sources``.

    A path is relative to the file of the manifest that names it. Returns what is wrong with the files; paths that are
    not valid are left for the validation of the manifest.
    """
    problems: list[Problem] = []
    for place, entry in _entries(root):
        item = entry.node
        if not isinstance(item, Scalar) or not isinstance(item.value, str) or not _PATH.fullmatch(item.value):
            continue
        folder, (line, column) = item.source.path.parent, item.mark
        try:
            text = read_text(folder, item.value, DEFINITION_AT_MOST)
        except UnreadableFileError as error:
            problems.append(Problem(item.source.name, line + 1, column + 1, dotted(place), str(error), item.source))
            continue
        sources.append(SourceText(f"{Path(item.source.name).parent / item.value}", folder / item.value, text))
        entry.node = Map(item.source, item.mark, {
            "path": Entry(item.source, item.mark, item),
            "content": Entry(item.source, item.mark, Scalar(text, item.source, item.mark)),
        })  # fmt: skip
    return problems


def _entries(root: Map) -> Iterator[tuple[KeyPath, Entry]]:
    """Yield the entries of definitions, with their places."""
    workflows = root.entries.get("workflows")
    for key, workflow in workflows.node.entries.items() if workflows and isinstance(workflows.node, Map) else ():
        found = workflow.node.entries.get("definition") if isinstance(workflow.node, Map) else None
        if found:
            yield ("workflows", key, "definition"), found
