"""Several containers of a task become `containers` of a job, or are refused for a setting that has no key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest.importing.job import Imported, import_jobs
from gen_infra.render.containers import ecs_properties
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

SIZE = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "1024"}]
ROLE = "arn:aws:iam::123456789012:role/lab-task"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/token-AbCdEf"


def container(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": f"quay.io/lab/{name}:1", "resourceRequirements": SIZE, **more}


def imported(*containers: dict[str, Any], **task: Any) -> Imported:
    properties = {"taskProperties": [{"containers": list(containers), "taskRoleArn": ROLE, **task}]}
    definition = {"jobDefinitionName": "pair", "type": "container", "ecsProperties": properties}
    return import_jobs(json.dumps(definition))


def test_what_is_imported_renders_to_what_was_defined(tmp_path: Path) -> None:
    fetch = container(
        "fetch",
        command=["fetch", "Ref::sample"],
        essential=False,
        environment=[{"name": "A", "value": "b"}],
        mountPoints=[{"sourceVolume": "work", "containerPath": "/work", "readOnly": False}],
        secrets=[{"name": "TOKEN", "valueFrom": SECRET}],
        ulimits=[{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
    )
    align = container(
        "align",
        command=["align"],
        dependsOn=[{"containerName": "fetch", "condition": "SUCCESS"}],
        mountPoints=[
            {"sourceVolume": "scratch", "containerPath": "/scratch"},
            {"sourceVolume": "work", "containerPath": "/work", "readOnly": True},
        ],
        user="1000",
        readonlyRootFilesystem=True,
    )
    volumes = [{"name": "work", "host": {}}, {"name": "scratch", "host": {"sourcePath": "/docker_scratch"}}]
    result = imported(fetch, align, volumes=volumes, pidMode="task", enableExecuteCommand=True)
    assert result.refusals == []
    assert result.jobs["pair"]["required_parameters"] == ["sample"]
    [task] = json.loads(json.dumps(ecs_properties(accept(tmp_path, jobs=result.jobs), "pair")))["taskProperties"]
    assert (task["taskRoleArn"], task["pidMode"], task["enableExecuteCommand"]) == (ROLE, "task", True)
    rendered = {each["name"]: each for each in task["containers"]}
    renamed = json.loads(json.dumps([fetch, align]).replace('"sourceVolume": "work"', '"sourceVolume": "shared-work"'))
    renamed[1]["mountPoints"][0]["readOnly"] = False  # the default
    for each in renamed:
        assert {key: rendered[each["name"]][key] for key in each} == each
    assert sorted(volume["name"] for volume in task["volumes"]) == ["scratch", "shared-work"]


def test_notes_name_the_container() -> None:
    router = {"type": "fluentbit"}
    result = imported(
        container("a", privileged=True, stopTimeout=5, firelensConfiguration=router), container("b", essential=False)
    )
    assert any("pair: container a: privileged is not carried over" in note for note in result.notes)
    assert any("pair: container a: stopTimeout is not carried over" in note for note in result.notes)
    assert any(
        "pair: container a: firelensConfiguration is not carried over: gen-infra sends" in n for n in result.notes
    )
    assert not any("container b" in note for note in result.notes)


def test_each_container_has_its_own_scratch() -> None:
    mount = [{"sourceVolume": "s", "containerPath": "/scratch"}]
    volume = {"name": "s", "host": {"sourcePath": "/docker_scratch"}}
    result = imported(container("a", mountPoints=mount), container("b", mountPoints=mount), volumes=[volume])
    assert [each["scratch"] for each in result.jobs["pair"]["containers"].values()] == ["/scratch", "/scratch"]
    assert any("scratch is a directory of its own for each container" in note for note in result.notes)


HOST = {"volumes": [{"name": "h", "host": {"sourcePath": "/opt/lab"}}]}


@pytest.mark.parametrize(
    ("containers", "task", "reason"),
    [
        (
            [container("a", mountPoints=[{"sourceVolume": "h", "containerPath": "/x"}]), container("b")],
            HOST,
            "volumes of its container a has no key in a job of several containers",
        ),
        ([container("a"), container("b")], {"pidMode": "host"}, "its pidMode is host"),
        ([container("a"), container("a")], {}, "do not each have a name"),
        ([], {}, "its ecsProperties have no containers"),
    ],
)
def test_what_has_no_key_is_refused_by_its_name(
    containers: list[dict[str, Any]], task: dict[str, Any], reason: str
) -> None:
    result = imported(*containers, **task)
    [refusal] = result.refusals
    assert (result.jobs, result.notes, refusal.name) == ({}, [], "pair")
    assert reason in refusal.reason
