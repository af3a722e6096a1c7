"""Read the definitions of state machines that a manifest names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.model.workflow import DEFINITION_AT_MOST, DefinitionPath
from gen_infra.manifest.reading.files import with_text
from gen_infra.manifest.reading.nodes import Map, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.reading.nodes import Entry, SourceText


def read_definitions(root: Map, sources: list[SourceText]) -> list[Problem]:
    """Replace the paths of definitions in a manifest by their texts; return what is wrong with the files."""
    problems: list[Problem] = []
    for place, entry in _entries(root):
        found = with_text(entry.node, DefinitionPath, DEFINITION_AT_MOST, place, sources)
        if isinstance(found, Map):
            entry.node = found
        elif found:
            problems.append(found)
    return problems


def _entries(root: Map) -> Iterator[tuple[KeyPath, Entry]]:
    """Yield the entries of definitions, with their places."""
    workflows = root.entries.get("workflows")
    for key, workflow in workflows.node.entries.items() if workflows and isinstance(workflows.node, Map) else ():
        found = workflow.node.entries.get("definition") if isinstance(workflow.node, Map) else None
        if found:
            yield ("workflows", key, "definition"), found
