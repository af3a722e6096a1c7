"""Draws an environment: what its manifest describes, who may use what, and what a plan changes.

A graph is a value, made of the manifest alone (:mod:`.building`), or of a plan too (:mod:`.changes`). Graphviz's `dot`
places its nodes (:mod:`.layout`); the SVG is drawn here (:mod:`.drawing`), so that its text fits whatever fonts the
machine has, and so that it has colours for dark and light pages.
"""

from gen_infra.graph.building import graph
from gen_infra.graph.drawing import svg
from gen_infra.graph.folding import fold
from gen_infra.graph.model import Graph, GraphEdge, GraphNode

__all__ = ["Graph", "GraphEdge", "GraphNode", "fold", "graph", "svg"]
