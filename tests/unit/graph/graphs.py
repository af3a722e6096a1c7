"""Graphs for tests, and a layout of them that needs no process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.graph import Graph, graph
from gen_infra.graph.layout import Layout, read_layout
from gen_infra.graph.model import COLUMNS
from gen_infra.graph.texts import box
from gen_infra.manifest import Loaded, load_with_warnings
from tests.conftest import ROOT
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

PROD = ROOT / "envs" / "prod.yaml"
HOSTILE = '"]; click n0 "x" <script>alert(1)</script> `**b**` %%{init:{}}%% #35; end --> & \\N\\E ${a} \x07\x00'


def loaded(folder: Path, **changes: Any) -> Loaded:
    """Return the smallest manifest with changes, and where it was written."""
    return load_with_warnings(write(folder, changed(**changes)))


def prod() -> Graph:
    return graph(load_with_warnings(PROD))


def job(**changes: Any) -> dict[str, Any]:
    return {"image": "quay.io/biocontainers/samtools:1.21", "vcpus": 1, "memory_mib": 1000, **changes}


def jobs(number: int, **changes: Any) -> dict[str, Any]:
    return {f"job{index}": job(**changes) for index in range(number)}


def stacked(drawn: Graph) -> Layout:
    """Return a layout in the form of dot's answer: each column from top to bottom, 60 pixels apart."""
    objects, left = [], 0.0
    for number in range(len(COLUMNS)):
        column = drawn.column(number)
        widest, top = max((box(node).width for node in column), default=0), 0.0
        for node in column:
            high = box(node).height
            place = {"pos": f"{left + widest / 2},{-top - high / 2}", "width": widest / 72, "height": high / 72}
            objects.append({"name": node.id, **place})
            top += high + 20
        left += widest + 60
    return read_layout(drawn, {"objects": objects})
