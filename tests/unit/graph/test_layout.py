"""How the edges go between boxes, and what is said where dot is missing or fails."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from gen_infra.errors import MissingError
from gen_infra.graph.layout import lay_out
from tests.unit.graph.graphs import prod, stacked


def test_edges_start_and_end_at_the_sides_of_their_boxes_in_the_order_of_their_other_ends() -> None:
    layout = stacked(prod())
    places = {node.id: place for node, place in layout.nodes}
    assert len(layout.curves) == len(prod().edges)
    for curve in layout.curves:
        source, target = places[curve.edge.source], places[curve.edge.target]
        assert (curve.start[0], curve.end[0]) == (source.right, target.x)
        assert source.y < curve.start[1] < source.bottom
        assert target.y < curve.end[1] < target.bottom
    from_high = [curve for curve in layout.curves if curve.edge.source == "queue-highPriority"]
    in_order = sorted(from_high, key=lambda curve: places[curve.edge.target].y)
    assert all(above.start[1] < below.start[1] for above, below in pairwise(in_order))


def test_the_layout_begins_in_the_corner_and_holds_everything() -> None:
    layout = stacked(prod())
    assert min(place.x for _, place in layout.nodes) == 0
    assert min(place.y for _, place in layout.nodes) == 0
    assert max(place.right for _, place in layout.nodes) == layout.width
    assert max(place.bottom for _, place in layout.nodes) == layout.height


def test_without_graphviz_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="dot was not found") as error:
        lay_out(prod(), {"PATH": str(tmp_path)})
    assert error.value.exit_code == 3
    assert error.value.hint == "install Graphviz (apt install graphviz, brew install graphviz)"
