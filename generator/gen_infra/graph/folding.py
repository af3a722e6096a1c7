"""Folds nodes that have the same neighbours into one with a count, so that large environments stay legible."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from gen_infra.graph.words import several

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from gen_infra.graph.model import Graph, GraphEdge, GraphNode, NodeKind

MANY = 8  # nodes of a kind; more are folded
MOST = 24  # nodes of a kind after folding; if there are more, only their column and their change keep them apart

# Jobs first: then queues, buckets and workflows have fewer neighbours, and more of them the same ones.
_ORDER: tuple[NodeKind, ...] = ("job", "bucket", "file_system", "workflow", "queue", "compute", "image")
_PLURALS: dict[NodeKind, str] = {
    "job": "job definitions",
    "bucket": "buckets",
    "file_system": "file systems",
    "workflow": "workflows",
    "queue": "job queues",
    "compute": "compute environments",
    "image": "machine images",
}


def fold(graph: Graph) -> Graph:
    """Return the graph with at most `MANY` nodes of each kind, where nodes of the kind are alike.

    Jobs of the same queue and the same rights fold, and what a plan changes folds only with what it changes alike. If
    more than `MOST` are left, those of one queue fold whatever their rights are.
    """
    for kind in _ORDER:
        if sum(node.kind == kind for node in graph.nodes) > MANY:
            graph = _folded(graph, kind, lambda node, own: (node.change, _rights(node), own))
        if sum(node.kind == kind for node in graph.nodes) > MOST:
            graph = _folded(graph, kind, lambda node, own: (node.change, _queues(own)))
    return graph


def _rights(node: GraphNode) -> Hashable:
    """Return what a node may do beyond its edges: the rights of roles that gen-infra did not create are unknown."""
    if node.kind == "bucket":
        return node.details[:1]
    is_own = any(address.startswith("aws_iam_role.") for address in node.addresses)
    return node.role if node.kind == "job" and not is_own else None


def _queues(edges: frozenset[GraphEdge]) -> frozenset[str]:
    return frozenset(edge.source for edge in edges if edge.source.startswith("queue-"))


def _folded(graph: Graph, kind: NodeKind, key: Callable[[GraphNode, frozenset[GraphEdge]], Hashable]) -> Graph:
    own: dict[str, set[GraphEdge]] = defaultdict(set)
    for edge in (edge for edge in graph.edges if not edge.is_indirect):
        own[edge.source].add(replace(edge, source="", title=""))
        own[edge.target].add(replace(edge, target="", title=""))
    groups: dict[Hashable, list[GraphNode]] = defaultdict(list)
    for node in graph.nodes:
        if node.kind == kind:
            groups[key(node, frozenset(own[node.id]))].append(node)
    heads = {group[0].id: _one(group) for group in groups.values()}
    into = {node.id: group[0].id for group in groups.values() for node in group}
    nodes = tuple(heads.get(node.id, node) for node in graph.nodes if into.get(node.id, node.id) == node.id)
    return replace(graph, nodes=nodes, edges=tuple(_edges(graph.edges, into, heads)))


def _one(group: list[GraphNode]) -> GraphNode:
    """Return the node of a group, with the id of its first member."""
    if len(group) == 1:
        return group[0]
    members = tuple(member for node in group for member in (node.members or [node]))
    first = group[0]
    roles = {member.role for member in members if member.role}
    several_roles = [f"{len(roles)} roles"] if len(roles) > 1 else []
    return replace(
        first,
        name=f"{len(members)} {_PLURALS[first.kind]}",
        details=(several([member.name for member in members], 2), *_common(members), *several_roles),
        role=roles.pop() if len(roles) == 1 else "",
        key="",
        file="",
        line=0,
        addresses=tuple(dict.fromkeys(address for member in members for address in member.addresses)),
        members=members,
    )


def _common(members: tuple[GraphNode, ...]) -> tuple[str, ...]:
    """Return the details that all members have."""
    return tuple(detail for detail in members[0].details if all(detail in member.details for member in members))


def _edges(edges: Iterable[GraphEdge], into: dict[str, str], heads: dict[str, GraphNode]) -> Iterable[GraphEdge]:
    """Return one edge for all those between the same two nodes."""
    between: dict[tuple[str, str, bool], list[GraphEdge]] = defaultdict(list)
    for edge in edges:
        source, target = into.get(edge.source, edge.source), into.get(edge.target, edge.target)
        between[source, target, edge.is_indirect].append(edge)
    for (source, target, _), found in between.items():
        folded = any(heads[id_].members for id_ in (source, target) if id_ in heads)
        title = f"{found[0].title}, and {len(found) - 1} more" if folded and len(found) > 1 else found[0].title
        directions = {edge.direction for edge in found}
        direction = directions.pop() if len(directions) == 1 else "both"
        yield replace(found[0], source=source, target=target, title=title, direction=direction)
