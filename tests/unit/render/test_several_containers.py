"""A job of several containers: one task, with one role and one set of volumes for all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_infra.manifest.job_policies import role_policies
from gen_infra.render.containers import ecs_properties
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/{}-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EFS = {"file_system": "fs-0123456789abcdef0", "mount": "/ref"}


def container(image: str, **more: Any) -> dict[str, Any]:
    return {"image": image, "vcpus": 1, "memory_mib": 512, **more}


def manifest(folder: Path) -> Manifest:
    containers = {
        "main": container("align:1", secrets={"A": {"arn": SECRET.format("a"), "kms_key": KEY}}, scratch="/scratch"),
        "fetch": container("fetch:1", essential=False, efs={"ref": EFS}, repository_credentials=SECRET.format("r")),
        "index": container("align:1", essential=False, efs={"ref": EFS | {"read_only": True}}, scratch="/work"),
    }
    return accept(folder, repositories=["align", "fetch"], jobs={"j": {"containers": containers}})


def statements(manifest: Manifest) -> dict[str, list[str]]:
    return {each.sid: list(each.resources) for policy in role_policies(manifest, "j") for each in policy.statements}


def test_the_roles_allow_what_each_container_needs(tmp_path: Path) -> None:
    found = statements(manifest(tmp_path))
    repository = "arn:aws:ecr:us-east-1:123456789012:repository/test"
    assert found["Image"] == [f"{repository}/align", f"{repository}/fetch"]
    assert found["Secrets"] == [SECRET.format("a"), SECRET.format("r")]
    assert found["SecretsmanagerKeys"] == [KEY]
    assert found["FileSystem0"] == found["FileSystem1"]
    actions = [list(each.actions) for policy in role_policies(manifest(tmp_path), "j") for each in policy.statements]
    assert ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"] in actions


def test_the_task_has_each_volume_once_and_the_containers_by_name(tmp_path: Path) -> None:
    [task] = json.loads(json.dumps(ecs_properties(manifest(tmp_path), "j")))["taskProperties"]
    assert [each["name"] for each in task["containers"]] == ["fetch", "index", "main"]
    assert [each["name"] for each in task["volumes"]] == ["scratch", "efs-ref"]
    assert task["executionRoleArn"] == "arn:aws:iam::123456789012:role/j-test-execution"
    for each in task["containers"]:
        assert each["logConfiguration"]["options"]["awslogs-group"] == "/aws/batch/test/j"
        assert not {"jobRoleArn", "executionRoleArn", "volumes"} & set(each)


def test_on_fargate_the_task_has_its_settings(tmp_path: Path) -> None:
    containers = {"a": container("quay.io/x/y:1", memory_mib=2048), "b": container("quay.io/x/y:1", memory_mib=2048)}
    job = {"containers": containers, "ephemeral_storage_gib": 30}
    on_fargate = accept(tmp_path, jobs={"j": job}, compute__spot={"type": "FARGATE", "max_vcpus": 64})
    [task] = json.loads(json.dumps(ecs_properties(on_fargate, "j")))["taskProperties"]
    assert task["platformVersion"] == "LATEST"
    assert task["networkConfiguration"] == {"assignPublicIp": "DISABLED"}
    assert task["ephemeralStorage"] == {"sizeInGiB": 30}
