"""Command show --diff: print what differs between two manifests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gen_infra.cli.console import Console, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest.comparison import ManifestDifference
    from gen_infra.manifest.reading.nodes import Map


def show_differences(manifest: Path, other: Path, console: Console, *, as_json: bool) -> int:
    """Print the differences and return 1 if there are any, else 0, as diff does."""
    from gen_infra.manifest.comparison import compare
    from gen_infra.manifest.reading.loader import load_with_nodes
    from gen_infra.render.blocks import resolved

    (left, left_nodes), (right, right_nodes) = load_with_nodes(manifest), load_with_nodes(other)
    differences = list(compare(resolved(left), resolved(right)))
    if as_json:
        print_json(
            {
                "manifest": str(manifest),
                "other": str(other),
                "differences": [_entry(difference, left_nodes, right_nodes) for difference in differences],
            }
        )
    elif differences:
        click.echo(f"--- {manifest}\n+++ {other}")
        for difference in differences:
            _show(difference, left_nodes, right_nodes)
    if not differences:
        console.done(f"{manifest} and {other} describe the same environment")
    return 1 if differences else 0


def _entry(difference: ManifestDifference, left_nodes: Map, right_nodes: Map) -> dict[str, Any]:
    from gen_infra.manifest.model.base import dotted
    from gen_infra.manifest.reading.nodes import file_and_line

    def side(value: object, nodes: Map) -> dict[str, Any] | None:
        if value is None:
            return None
        file, line = file_and_line(nodes, difference.path) or (None, None)
        return {"value": value, "file": file, "line": line}

    return {
        "key": dotted(difference.path),
        "manifest": side(difference.left, left_nodes),
        "other": side(difference.right, right_nodes),
    }


def _show(difference: ManifestDifference, left_nodes: Map, right_nodes: Map) -> None:
    from gen_infra.manifest.model.base import dotted

    click.secho(dotted(difference.path), bold=True)
    for sign, colour, value, nodes in (
        ("-", "red", difference.left, left_nodes),
        ("+", "green", difference.right, right_nodes),
    ):
        for line in [] if value is None else _lines(value, nodes, difference.path):
            click.secho(f"  {sign} {line}", fg=colour)


def _lines(value: object, nodes: Map, path: tuple[str | int, ...]) -> list[str]:
    """Return the value as lines of YAML, each followed by the place where it was written."""
    from gen_infra.manifest.reading.nodes import origin
    from gen_infra.render.yaml import to_commented_yaml, to_yaml

    if isinstance(value, Mapping) and value:
        return to_commented_yaml(value, lambda below: origin(nodes, (*path, *below))).splitlines()
    first, *rest = to_yaml(value).splitlines()
    return [f"{first}  # {origin(nodes, path)}", *rest]
