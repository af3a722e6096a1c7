"""Read the shell scripts that a manifest names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.model.host_script import SCRIPT_CHARACTERS, ScriptPath
from gen_infra.manifest.reading.files import with_text
from gen_infra.manifest.reading.nodes import Map, Problem, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.reading.nodes import SourceText


def read_host_scripts(root: Map, sources: list[SourceText]) -> list[Problem]:
    """Replace the paths of scripts in a manifest by their texts; return what is wrong with the files."""
    problems: list[Problem] = []
    for place, scripts in _lists(root):
        for index, item in enumerate(scripts.items):
            found = with_text(item, ScriptPath, SCRIPT_CHARACTERS, (*place, index), sources)
            if isinstance(found, Map):
                scripts.items[index] = found
            elif found:
                problems.append(found)
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
