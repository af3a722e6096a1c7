"""Find what makes up each part of an environment: its lines of the manifest, its blocks of Terraform, its roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.reading.nodes import Map, written_at
from gen_infra.report.data import Excerpt, ReportPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gen_infra.environment import Environment
    from gen_infra.graph import Graph
    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.reading.nodes import Mark, Node, SourceText
    from gen_infra.report.data import AccessMatrix
    from gen_infra.terraform.source import HclSource, Resource

_MOST_LINES = 200  # of one excerpt


def report_parts(
    environment: Environment, drawn: Graph, source: HclSource, access: AccessMatrix
) -> Iterator[ReportPart]:
    """Yield each part of an environment's graph, in its order."""
    blocks = {each.address: each for each in source.resources if "[" not in each.address}
    roles: dict[str, list[str]] = {}
    for role in access.roles:
        roles.setdefault(_owner(role.address), []).append(role.name)
    excerpt = _excerpts(environment.files)
    for node in drawn.nodes:
        own = [name for address in node.addresses for name in roles.get(address, ())]
        path = tuple(node.key.split(".")) if node.key else ()
        yield ReportPart(
            id=node.id,
            kind=node.label,
            title=node.name,
            details=node.details,
            change=node.change or "",
            manifest=tuple(_manifest_lines(environment.loaded.nodes, path)) if path else (),
            terraform=tuple(excerpt(blocks[address]) for address in node.addresses if address in blocks),
            roles=tuple(dict.fromkeys([*own, *([node.role] if node.role else [])])),
        )


def _owner(address: str) -> str:
    """Return the address that a part has for a role: of the module that the root calls, or of the role itself."""
    return ".".join(address.split(".")[:2]) if address.startswith("module.") else address


def _excerpts(files: Mapping[str, bytes]) -> Callable[[Resource], Excerpt]:
    """Return a function that gives the lines of a block; each file is split once."""
    lines: dict[str, list[str]] = {}

    def excerpt(block: Resource) -> Excerpt:
        path = f"terraform/{block.file}"
        if path not in lines:
            lines[path] = files[path].decode().splitlines()
        return Excerpt(path, block.line, _text(lines[path][block.line - 1 : block.last_line]))

    return excerpt


def _manifest_lines(nodes: Map, path: KeyPath) -> Iterator[Excerpt]:
    """Yield the lines in which a key was written, and of each parent those that it takes from there.

    The lines that may hold a secret are empty.
    """
    written = written_at(nodes, path)
    if written is None:
        return
    source, mark = written
    yield _excerpt(source, [mark])
    inherited: dict[str, list[Mark]] = {}
    sources: dict[str, SourceText] = {}
    for other, place in _places(_node_at(nodes, path)):
        if other.name != source.name:
            inherited.setdefault(other.name, []).append(place)
            sources[other.name] = other
    yield from (_excerpt(sources[name], marks) for name, marks in inherited.items())


def _excerpt(source: SourceText, marks: Sequence[Mark]) -> Excerpt:
    """Return the lines from the first of these places to the end of the block of the last one."""
    last = _last_line(source, *max(marks))
    first = min(marks)[0]
    return Excerpt(source.name, first + 1, _text([source.line(number) for number in range(first, last + 1)]))


def _node_at(nodes: Map, path: KeyPath) -> Node:
    node: Node = nodes
    for step in path:
        if isinstance(node, Map) and isinstance(step, str):
            node = node.entries[step].node
    return node


def _places(node: Node) -> Iterator[tuple[SourceText, Mark]]:
    """Yield the places of the entries of a map, and of those below."""
    for entry in node.entries.values() if isinstance(node, Map) else ():
        yield entry.source, entry.mark
        yield from _places(entry.node)


def _last_line(source: SourceText, first: int, column: int) -> int:
    """Return the last line of the block that starts there: those that follow it and have a larger indent."""
    last = first
    for number in range(first + 1, len(source.lines)):
        text = source.lines[number]
        indent = len(text) - len(text.lstrip(" "))
        if text.strip() and indent <= column:
            break
        if text.strip():
            last = number
    return last


def _text(lines: list[str]) -> str:
    shown = lines[:_MOST_LINES]
    indent = min((len(line) - len(line.lstrip(" ")) for line in shown if line.strip()), default=0)
    more = [f"… {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return "\n".join([*(line[indent:].rstrip() for line in shown), *more])
