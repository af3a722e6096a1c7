"""Container properties of any shape are accepted or refused at their place; nothing else happens."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.rules.container_properties import container_shape
from gen_infra.render import render
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

SCALARS = st.sampled_from([None, True, 0, -1, 2**40, 1.5, "", "x", "/x", "c7i.large", "ENABLED"])
MAPPINGS = st.dictionaries(st.sampled_from(["x", "name"]), SCALARS, max_size=2)
ANY = SCALARS | MAPPINGS | st.lists(SCALARS | MAPPINGS, max_size=2)


def shaped(shape: Any) -> st.SearchStrategy[Any]:
    """Values of a shape, with something else here and there."""
    if shape.type_name == "structure":
        members = {name: shaped(inner) for name, inner in shape.members.items()}
        return st.fixed_dictionaries({}, optional=members) | ANY
    if shape.type_name == "list":
        return st.lists(shaped(shape.member), max_size=2) | ANY
    if shape.type_name == "map":
        return st.dictionaries(st.just("key"), SCALARS, max_size=1) | ANY
    return SCALARS | ANY


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(properties=shaped(container_shape()), nodes=st.sampled_from([None, 2]))
def test_any_shape_is_accepted_or_refused(tmp_path: Path, properties: Any, nodes: int | None) -> None:
    job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512, "container_properties": properties}
    jobs = {"j": job | ({"nodes": nodes} if nodes else {})}
    with suppress(ManifestError):
        assert render(accept(tmp_path, jobs=jobs, compute__spot__type="EC2"))
