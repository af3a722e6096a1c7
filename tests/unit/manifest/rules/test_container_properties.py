"""Container properties of any shape are accepted or refused; nothing else happens."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.rules.container_properties import container_shape
from gen_infra.render.files import render
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ODD_VALUES: list[Any] = [None, True, -1, 1.5, "", "x", [], [3], [[]], [{}], {}, {"x": "y"}]
Place = tuple[str | int, ...]


def sample(shape: Any) -> Any:
    """Return a value with every member of a shape."""
    if shape.type_name == "structure":
        return {name: sample(inner) for name, inner in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member)]
    return {"string": "x", "boolean": True, "map": {"x": "y"}}.get(shape.type_name, 3)


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


def changed(value: Any, path: Place) -> Iterator[Any]:
    """Yield the value without what is at the place, and with each odd value there."""
    for odd in (..., *ODD_VALUES):
        copied = copy.deepcopy(value)
        place = copied
        for key in path[:-1]:
            place = place[key]
        if odd is ...:
            del place[path[-1]]
        else:
            place[path[-1]] = odd
        yield copied


@pytest.mark.parametrize(
    "names", [("volumes", "mountPoints"), *((name,) for name in container_shape().members)], ids=str
)
def test_any_shape_is_accepted_or_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    properties = {name: sample(container_shape().members[name]) for name in names}
    for path in places(properties):
        for value in changed(properties, path):
            job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512, "nodes": 2, "container_properties": value}
            with suppress(ManifestError):
                assert render(accept(tmp_path, jobs={"j": job}, compute__spot__type="EC2"))
