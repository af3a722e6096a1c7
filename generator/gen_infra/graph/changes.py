"""Finds what a plan does to each node of a graph, and adds the nodes that it deletes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from gen_infra.graph.model import Graph, GraphNode
from gen_infra.graph.words import count, several
from gen_infra.manifest import Manifest
from gen_infra.tools.addresses import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gen_infra.graph.model import PlannedChange
    from gen_infra.terraform.plan import PlanContent, ResourceChange

    ByPlace = Mapping[str, Sequence[ResourceChange]]

# What a module is for: if this resource is replaced, the node is, whatever else the module has.
_DECISIVE = {
    "aws_batch_compute_environment",
    "aws_efs_file_system",
    "aws_kms_key",
    "aws_sfn_state_machine",
    "aws_vpc",
}
_OF_EQUALS = {"repositories", "notifications"}  # the kinds whose nodes are several things of the same rank


def with_changes(graph: Graph, plan: PlanContent, make: Callable[[Manifest], Graph]) -> Graph:
    """Return the graph with the changes of a plan.

    Args:
        graph: what is planned.
        plan: the plan for it.
        make: makes the graph of the manifest that was applied last, which has what the plan deletes.
    """
    by_place: dict[str, list[ResourceChange]] = defaultdict(list)
    for change in plan.managed_changes:
        by_place[_place(change.address)].append(change)
    nodes = [replace(node, change=_change(node, by_place)) for node in graph.nodes]
    before = _applied(plan, make)
    there = {node.id for node in nodes}
    gone = [replace(node, change=_change(node, by_place)) for node in before.nodes if node.id not in there]
    nodes += [node for node in gone if node.change == "deleted"]
    drawn, known = {node.id for node in nodes}, {(edge.source, edge.target) for edge in graph.edges}
    edges = [
        edge
        for edge in before.edges
        if {edge.source, edge.target} <= drawn and (edge.source, edge.target) not in known
        if {edge.source, edge.target} - there
    ]
    nodes += _rest(nodes, by_place)
    return replace(graph, nodes=tuple(nodes), edges=(*graph.edges, *edges), is_plan=True)


def _place(address: str) -> str:
    """Return the module or resource of the root module that an address is in."""
    return ".".join(bare(address).split(".")[:2])


def _change(node: GraphNode, by_place: ByPlace) -> PlannedChange | None:
    """Return what happens to a node; its first address decides whether it exists."""
    deciding = node.addresses if node.kind in _OF_EQUALS else node.addresses[:1]
    own = [change for address in deciding for change in by_place.get(address, ())]
    everything = [change for address in node.addresses for change in by_place.get(address, ())]
    if not any(change.has_effect or change.import_id for change in everything):
        return None
    if own and all(change.before is None for change in own):
        return "created"
    if own and all(change.after is None for change in own):
        return "deleted"
    return "replaced" if any(map(_is_replaced, own)) else "changed"


def _is_replaced(change: ResourceChange) -> bool:
    in_module = change.address.startswith("module.")
    return {"create", "delete"} <= {*change.actions} and (not in_module or change.type in _DECISIVE)


def _applied(plan: PlanContent, make: Callable[[Manifest], Graph]) -> Graph:
    """Return the graph of the manifest that was applied last; an empty one if this version cannot read it."""
    try:
        return make(msgspec.convert(plan.manifests[0], Manifest))
    except (msgspec.ValidationError, LookupError, ValueError):
        return Graph("", "", "", (), ())


def _rest(nodes: Iterable[GraphNode], by_place: ByPlace) -> list[GraphNode]:
    """Return a node for the changes that belong to no other node, so that the picture leaves nothing out."""
    known = {address for node in nodes for address in node.addresses}
    changes = [change for place, found in by_place.items() if place not in known for change in found]
    left = [change.address for change in changes if change.has_effect or change.import_id]
    if not left:
        return []
    name = count(len(left), "resource")
    return [GraphNode("other", "other", name, (several(left, 2),), addresses=tuple(left), change="changed")]
