"""The JSON Schema and the model: what one accepts, so does the other, key by key; and every key is explained."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
import yaml

from gen_infra.manifest import load
from gen_infra.manifest.model.container import ContainerSettings
from gen_infra.manifest.model.manifest import Manifest
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.schema import SCHEMA_FILE
from tests.conftest import ROOT
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT = json.loads(SCHEMA_FILE.read_text())
VALIDATOR = jsonschema.Draft202012Validator(DOCUMENT)
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/licence-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# A job with every key that a job can have, and every key of what is in it.
FULL: dict[str, Any] = {
    "image": "quay.io/x/y:1",
    "vcpus": 4,
    "memory_mib": 8000,
    "gpus": 1,
    "command": ["run", "Ref::in"],
    "environment": {"A": "b"},
    "secrets": {"TOKEN": {"arn": SECRET, "kms_key": KEY}},
    "repository_credentials": "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/registry-AbCdEf",
    "parameters": {"out": "x"},
    "required_parameters": ["in"],
    "attempts": 1,
    "timeout_minutes": 1,
    "nodes": 2,
    "retry": ["host-lost", {"exit_code": 75, "reason": "x", "status_reason": "Host*"}],
    "evaluate_on_exit": [
        {"action": "RETRY", "on_status_reason": "Host*", "on_reason": "x", "on_exit_code": "137"},
    ],
    "scratch": "/scratch",
    "ephemeral_storage_gib": 30,
    "buckets": ["b"],
    "user": "1000:1000",
    "readonly_root": True,
    "efs": {
        "ref": {
            "file_system": "fs-12345678",
            "mount": "/ref",
            "access_point": "fsap-12345678",
            "directory": "/d",
            "read_only": True,
        }
    },
    "fsx": {"work": {"mount": "/work", "read_only": True}},
    "ulimits": {"nofile": {"soft": -1, "hard": 65536}},
    "linux": {
        "init_process": True,
        "shared_memory_mib": 1,
        "max_swap_mib": 0,
        "swappiness": 0,
        "tmpfs": [{"path": "/t", "size_mib": 1, "options": ["nosuid"]}],
        "devices": [{"host_path": "/dev/fuse", "container_path": "/dev/fuse", "permissions": ["READ"]}],
    },
    "role": "arn:aws:iam::123456789012:role/lab/job",
    "queue": "main",
    "scheduling_priority": 0,
    "tags": {"Team": "rna"},
    "container_properties": {"enableExecuteCommand": True},
    "task_properties": {"pidMode": "task"},
}
# The keys that a container has beside those that are on the job if it has one.
FULL["containers"] = {
    "main": {
        **{key: FULL[key] for key in ("image", "vcpus", "memory_mib")},
        "essential": True, "depends_on": {"other": "START"},
        "shared_volumes": {"work": {"mount": "/work", "read_only": True}},
    },
}  # fmt: skip
VALUES: list[Any] = [
    "", "x", "/x", "/../x", "x y", "fs-1", "READ", 0, 1, -1, -2, 0.25, 0.75, 10**12, True, [], ["x"], [1], {}, {"x": 1},
    {"x": {}}, [{}],
]  # fmt: skip
Path_ = tuple[str | int, ...]


def places(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    yield path, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


def with_value(path: Path_, value: Any) -> dict[str, Any]:
    """Return the full job with another value at one place."""
    job = {"job": copy.deepcopy(FULL)}
    *parents, last = ("job", *path)
    place: Any = job
    for key in parents:
        place = place[key]
    place[last] = value
    return changed(jobs={"j": job["job"]})


def is_converted(document: dict[str, Any]) -> bool:
    """Return whether the loader's own conversion takes it."""
    try:
        msgspec.convert(document, Manifest)
    except msgspec.ValidationError:
        return False
    return True


def test_the_full_job_has_every_key_of_the_model() -> None:
    met = {"Job": FULL, "Secret": FULL["secrets"]["TOKEN"], "EfsVolume": FULL["efs"]["ref"], "Linux": FULL["linux"]}
    met |= {"Ulimit": FULL["ulimits"]["nofile"], "Tmpfs": FULL["linux"]["tmpfs"][0]}
    met |= {"Container": {key: FULL[key] for key in ContainerSettings.__struct_fields__} | FULL["containers"]["main"]}
    met |= {"FsxVolume": FULL["fsx"]["work"]}
    met |= {"SharedVolume": FULL["containers"]["main"]["shared_volumes"]["work"]}
    met |= {"Device": FULL["linux"]["devices"][0], "RetryRule": FULL["evaluate_on_exit"][0]}
    met |= {"RetryCondition": FULL["retry"][1]}
    for name, value in met.items():
        assert set(value) == set(DOCUMENT["$defs"][name]["properties"]), name
    assert VALIDATOR.is_valid(changed(jobs={"j": FULL}))


def test_schema_and_loader_agree_on_every_value_at_every_place() -> None:
    verdicts = {True: 0, False: 0}
    for path, _ in places(FULL):
        for value in VALUES:
            document = with_value(path, value)
            accepted = is_converted(document)
            assert VALIDATOR.is_valid(document) is accepted, (path, value, accepted)
            verdicts[accepted] += 1
    assert min(verdicts.values()) > 50


def test_schema_and_loader_refuse_unknown_and_missing_keys() -> None:
    free = {("environment",), ("parameters",), ("container_properties",), ("task_properties",)}
    for path, value in places(FULL):
        if isinstance(value, dict) and path not in free:
            document = with_value(path, {**value, "surprise": 1})
            assert not VALIDATOR.is_valid(document), path
            assert not is_converted(document), path
            for key in value:
                document = with_value(path, {name: item for name, item in value.items() if name != key})
                assert VALIDATOR.is_valid(document) is is_converted(document), (path, key)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("gpus",), 0),
        (("nodes",), 1),
        (("vcpus",), 0.75),
        (("secrets", "TOKEN"), SECRET),
        (("secrets", "TOKEN", "arn"), "licence"),
        (("efs", "ref", "file_system"), "fs-1"),
        (("ulimits", "nofile", "soft"), -2),
        (("linux", "devices", 0, "permissions"), ["ROOT"]),
        (("linux", "tmpfs", 0, "options"), ["bind"]),
        (("container_properties",), ["enableExecuteCommand"]),
    ],
    ids=str,
)
def test_what_the_schema_refuses_the_loader_refuses_at_its_place(tmp_path: Path, path: Path_, value: Any) -> None:
    document = with_value(path, value)
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(ManifestError) as refusal:
        load(write(tmp_path, document))
    assert any(str(problem).partition(": ")[2].startswith(f"jobs.j.{path[0]}") for problem in refusal.value.problems)


@pytest.mark.parametrize("path", sorted(ROOT.glob("envs/examples/*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_accepted_with_its_schema_named_for_editors(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text()))
    named = path.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == SCHEMA_FILE.resolve()


def test_an_editor_explains_every_key_at_any_depth() -> None:
    """Through every reference, map and list that a job leads to: no struct is met whose keys say nothing."""
    met: set[str] = set()

    def visit(part: Any) -> None:
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in met:
                met.add(name)
                visit(DOCUMENT["$defs"][name])
            for value in part.values():
                visit(value)
        elif isinstance(part, list):
            for value in part:
                visit(value)

    visit({"$ref": DOCUMENT["$ref"]})
    assert met == set(DOCUMENT["$defs"])
    assert met >= {"Job", "Secret", "EfsVolume", "Ulimit", "Linux", "Tmpfs", "Device"}
    for name in met:
        definition = DOCUMENT["$defs"][name]
        assert definition["additionalProperties"] is False, name
        for key, value in definition["properties"].items():
            said = value.get("description", "")
            assert len(said.split()) > 1, (name, key)
            assert said.endswith("."), (name, key, said)
