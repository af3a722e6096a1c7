"""Public job definitions: each becomes an entry or a refusal, and what changes on the way is in a note.

``corpus/`` has one file for each source: its address, the number of its job definitions, and the text as published, cut
to the definitions, with accounts, buckets and values of templates replaced.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gen_infra.manifest.importing.documents import read_definitions
from gen_infra.manifest.importing.job import Imported, import_jobs
from gen_infra.manifest.importing.shapes import find_containers
from gen_infra.manifest.importing.values import dicts
from gen_infra.manifest.instances import named
from gen_infra.render.containers import container_properties
from gen_infra.render.files import render
from tests.unit.manifests import accept

CORPUS = sorted(Path(__file__).with_name("corpus").iterdir())
# Lists of the API whose items have names.
LISTS = {"environment": "name", "secrets": "name", "ulimits": "name", "mountPoints": "containerPath"}


def source(path: Path) -> tuple[int, str]:
    """Return the number of definitions, and the text."""
    _, count, text = path.read_text().split("\n", 2)
    return int(count.removeprefix("# definitions: ")), text


def notes_of(result: Imported, name: str) -> str:
    return "\n".join(note for note in result.notes if note.startswith(f"{name}: "))


def completed(entry: dict[str, Any], notes: str) -> dict[str, Any]:
    """Return the entry with what its notes ask for."""
    entry = {"image": "", **entry}
    extra = entry.get("container_properties", {})
    if "instanceType" in extra and not named(extra["instanceType"]):  # a type that AWS has retired since
        entry["container_properties"] = {name: value for name, value in extra.items() if name != "instanceType"}
    if "image" in notes and ("replace it" in notes or "write it" in notes):
        entry["image"] = "quay.io/x/y:1"
    for key, value in (("vcpus", 2), ("memory_mib", 4096)):
        if key not in entry:
            assert f"{key} is not given; write it" in notes
            entry[key] = value
    return entry


def environment_for(entry: dict[str, Any], notes: str) -> dict[str, Any]:
    """Return a compute environment that can run the job."""
    if "give it a queue on Fargate" in notes:
        return {"compute": {"spot": {"type": "FARGATE", "max_vcpus": 64}}}
    types = ["g4dn", "g5", "p4d"] if entry.get("gpus") else ["c7i", "r7i", "u7i-12tb"]
    picked = entry.get("container_properties", {}).get("instanceType")
    compute = {"type": "EC2", "max_vcpus": 10_000, "instance_types": [*types, *([picked] if picked else [])]}
    return {"compute": {"spot": compute}, **({"image__base": "ecs-al2023-gpu"} if entry.get("gpus") else {})}


def comparable(container: dict[str, Any]) -> dict[str, Any]:
    """Return a container in one of its equal spellings: scalars as text, named lists as maps, nothing empty."""
    plain = json.loads(json.dumps(container), parse_int=str, parse_float=str)
    needs = {item["type"]: str(item["value"]) for item in dicts(plain.pop("resourceRequirements", None))}
    for old, new in (("vcpus", "VCPU"), ("memory", "MEMORY")):
        if old in plain:
            needs.setdefault(new, plain.pop(old))
    for key, name in LISTS.items():
        plain[key] = {str(item.get(name)): item for item in dicts(plain.get(key))}
    volumes = {item.get("name"): item for item in dicts(plain.pop("volumes", None))}
    for mount in plain["mountPoints"].values():
        mount["volume"] = {**volumes.get(mount.pop("sourceVolume", None), {}), "name": ""}
    found: dict[str, Any] = present({"needs": needs, **plain})
    return found


def present(value: Any) -> Any:
    """Return the value without members that are empty or off, at any depth."""
    if isinstance(value, list):
        return [present(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: present(item) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item not in ([], {}, None, False, "false", "False")}


def assert_only_noted_changes(before: dict[str, Any], after: dict[str, Any], notes: str) -> None:
    for key, value in before.items():
        if after.get(key) == value:
            continue
        if key not in {"needs", *LISTS}:
            assert key in notes, (key, value, after.get(key))
            continue
        for name, item in value.items():
            if after.get(key, {}).get(name) != item:
                need = {"VCPU": "vcpus", "MEMORY": "memory", "GPU": "gpus"}.get(name, name)
                assert need in notes, (key, name, item, after.get(key, {}).get(name))


def test_there_are_enough_of_them() -> None:
    counts = [source(path)[0] for path in CORPUS]
    assert sum(counts) >= 60
    assert all(path.read_text().startswith("# https://") for path in CORPUS)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_each_definition_becomes_an_entry_or_a_refusal(path: Path, tmp_path: Path) -> None:
    count, published = source(path)
    result = import_jobs(published)
    assert len(result.jobs) + len(result.refusals) == count
    assert all(name and reason for name, reason in result.refusals)
    refused = {name for name, _ in result.refusals}
    kept = [definition for definition in read_definitions(published) if definition.name not in refused]
    for definition, (key, imported) in zip(kept, result.jobs.items(), strict=True):
        notes = notes_of(result, definition.name)
        entry = completed(imported, notes)
        manifest = accept(
            tmp_path, jobs={key: entry}, **environment_for(entry, notes), hosts__allow_paths=result.host_paths
        )
        assert f'aws_batch_job_definition" "{key}"' in render(manifest)["terraform/jobs.tf"].decode()
        container = find_containers(definition.properties, lambda _what, _message: None).one
        assert_only_noted_changes(comparable(container), comparable(container_properties(manifest, key)), notes)
