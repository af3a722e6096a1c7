"""Makes the graph of a manifest: its parts, and which part uses which."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen_infra.graph.changes import with_changes
from gen_infra.graph.data import data
from gen_infra.graph.infrastructure import infrastructure
from gen_infra.graph.model import Graph, GraphEdge, GraphNode
from gen_infra.graph.words import several
from gen_infra.graph.work import work
from gen_infra.manifest.reading.nodes import file_and_line
from gen_infra.render.blocks import all_else

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gen_infra.manifest import Loaded, Manifest
    from gen_infra.terraform.plan import PlanContent


def graph(loaded: Loaded, plan: PlanContent | None = None) -> Graph:
    """Return the graph of an environment, with every part; :func:`.folding.fold` makes a large one legible.

    Args:
        loaded: the manifest, and where it was written.
        plan: a plan for it, whose changes the nodes then have; what it deletes is in the graph too.
    """
    manifest = loaded.manifest
    found = _graph(manifest)
    nodes = tuple(_placed(node, loaded) for node in found.nodes)
    found = replace(found, nodes=nodes)
    return with_changes(found, plan, _graph) if plan else found


def _graph(manifest: Manifest) -> Graph:
    parts = [part for of in (infrastructure, work, data) for part in of(manifest)]
    nodes = [part for part in parts if isinstance(part, GraphNode)]
    nodes += _notifications(manifest, {address for node in nodes for address in node.addresses})
    edges = tuple(part for part in parts if isinstance(part, GraphEdge))
    return Graph(manifest.name, manifest.account, manifest.region, tuple(nodes), edges)


def _notifications(manifest: Manifest, known: Collection[str]) -> Iterator[GraphNode]:
    """Yield a node for all that notifies and watches: what is rendered and belongs to no other node."""
    own = [address for address in map(str, all_else(manifest)) if address not in known]
    given = manifest.notifications
    kinds = [name.replace("_", " ") for name in given.__struct_fields__ if getattr(given, name)]
    if own:
        name = several([address.removeprefix("module.").replace("_", " ") for address in own], 1)
        key = "notifications" if kinds else ""
        yield GraphNode("notifications", "notifications", name, tuple(kinds), key=key, addresses=tuple(own))


def _placed(node: GraphNode, loaded: Loaded) -> GraphNode:
    """Add where the manifest describes a node; keys of the manifest have no dots."""
    file, line = (file_and_line(loaded.nodes, tuple(node.key.split("."))) if node.key else None) or ("", 0)
    return replace(node, file=file, line=line)
