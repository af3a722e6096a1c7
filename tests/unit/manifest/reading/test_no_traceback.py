"""No manifest ends in a traceback: whatever `container_properties` holds, however long a name or a chain is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen_infra.manifest import load
from gen_infra.manifest.reading.loader import MAX_PARENTS, ManifestError
from gen_infra.manifest.rules.container_properties import container_shape
from gen_infra.render.files import render
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

JOB: dict[str, Any] = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
FARGATE = {"type": "FARGATE", "max_vcpus": 64}

anything = st.recursive(
    st.one_of(st.booleans(), st.integers(-2, 9), st.just(0.5), st.sampled_from(["", "a", "scratch", "/x", "efs-a"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["name", "host", "sourceVolume", "containerPath", "x"]), inner, max_size=3),
    ),
    max_leaves=4,
)


def shaped(shape: Any) -> st.SearchStrategy[Any]:
    """Return a value of a botocore shape, in which any part may be missing or of any other type."""
    if shape.type_name == "structure":
        members = {name: shaped(member) for name, member in shape.members.items()}
        value: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=members)
    elif shape.type_name == "list":
        value = st.lists(shaped(shape.member), max_size=2)
    elif shape.type_name == "map":
        value = st.dictionaries(st.sampled_from(["a", "b"]), shaped(shape.value), max_size=2)
    elif shape.type_name == "boolean":
        value = st.booleans()
    elif shape.type_name in {"integer", "long"}:
        value = st.integers(0, 9)
    else:
        value = st.sampled_from([*getattr(shape, "enum", ()), "a", "scratch", "/x", ""])
    return st.one_of(value, value, value, anything)


MEMBERS = sorted(container_shape().members)
# most of the others have keys of their own, so that their names alone are refused
ACCEPTED = [
    name for name in MEMBERS if name in {"enableExecuteCommand", "mountPoints", "networkConfiguration", "volumes"}
]
members = st.one_of(st.sampled_from(MEMBERS), st.sampled_from(ACCEPTED))
properties = st.dictionaries(
    members, st.none(), max_size=4
).flatmap(
    lambda names: st.fixed_dictionaries({name: shaped(container_shape().members[name]) for name in names})
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(properties=st.one_of(properties, properties, anything), on_fargate=st.booleans(), scratch=st.booleans())
def test_any_container_properties_are_rendered_or_refused(
    tmp_path: Path, properties: Any, on_fargate: bool, scratch: bool
) -> None:
    job = {**JOB, "container_properties": properties} | ({"scratch": "/scratch"} if scratch else {})
    if on_fargate:
        job |= {"vcpus": 1, "memory_mib": 2048}
    compute = {"spot": FARGATE if on_fargate else {"max_vcpus": 64}}
    path = write(tmp_path, changed(compute=compute, jobs={"j": job}))
    try:
        manifest = load(path)
    except ManifestError:
        return
    assert render(manifest)


@pytest.mark.parametrize(
    "properties",
    [
        {"mountPoints": [{"containerPath": "/x"}]},
        {"mountPoints": [{"containerPath": "/x", "sourceVolume": ["a"]}]},
        {"mountPoints": [{"containerPath": ["/x"], "sourceVolume": {"a": "b"}}]},
        {"mountPoints": {"containerPath": "/x"}},
        {"volumes": [{"name": ["a"]}]},
        {"volumes": [{"name": {"a": "b"}, "host": []}]},
        {"volumes": ["a"]},
        {"volumes": [["a"]]},
        {"repositoryCredentials": ["a"]},
        {"instanceType": ["a"]},
        {"ulimits": [{"name": ["a"]}]},
        [],
        "a",
    ],
)
def test_a_wrong_type_is_a_problem(tmp_path: Path, properties: Any) -> None:
    with pytest.raises(ManifestError) as refusal:
        load(write(tmp_path, changed(jobs={"j": {**JOB, "container_properties": properties}})))
    assert all(problem.path.startswith("jobs.j.container_properties") for problem in refusal.value.problems)


def chain(folder: Path, files: int) -> Path:
    write(folder, changed(), "0.yaml")
    for number in range(1, files):
        write(folder, f"extends: {number - 1}.yaml\n", f"{number}.yaml")
    return folder / f"{files - 1}.yaml"


def test_a_chain_of_parents_is_bounded(tmp_path: Path) -> None:
    assert load(chain(tmp_path, MAX_PARENTS + 1)).name == "test"
    with pytest.raises(ManifestError) as refusal:
        load(chain(tmp_path, MAX_PARENTS + 2))
    assert "1.yaml:1:1: extends: is parent 21 of 21.yaml; 20 are allowed" in str(refusal.value)


def test_a_chain_of_3000_parents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="20 are allowed"):
        load(chain(tmp_path, 3000))
