"""What the AWS provider registers of ``containerProperties``: each member of AWS's model, applied and read back."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from gen_infra.manifest import load
from gen_infra.manifest.model.container import Container
from gen_infra.manifest.rules.container_properties import container_shape, task_shape
from gen_infra.manifest.rules.provider_members import KEPT, PROVIDER
from gen_infra.render.containers import ecs_properties
from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.terraform.provider import find_provider
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator

SEVERAL = ROOT / "envs" / "examples" / "several-containers.yaml"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:genomics/registry-AbCdEf"
# The keys of a container that the example does not have.
MORE: dict[str, Any] = {
    "environment": {"THREADS": "8", "LANG": "C"},
    "secrets": {"TOKEN": {"arn": SECRET}},
    "repository_credentials": SECRET,
    "efs": {"ref": {"file_system": "fs-12345678", "mount": "/ref", "directory": "/hg38", "read_only": True}},
    "ulimits": {"nofile": {"soft": 1024, "hard": 65536}},
    "linux": {
        "init_process": True,
        "shared_memory_mib": 64,
        "max_swap_mib": 0,
        "swappiness": 0,
        "tmpfs": [{"path": "/tmp", "size_mib": 64, "options": ["nosuid"]}],  # noqa: S108 - in the container
        "devices": [{"host_path": "/dev/fuse"}],
    },
}
CONFIGURATION = PROVIDER.requirement
# Values that mean something although they are empty, zero or false.
EMPTY: dict[str, Any] = {
    "image": "quay.io/x/y:1",
    "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
    "environment": [{"name": "EMPTY", "value": ""}],
    "readonlyRootFilesystem": False,
    "linuxParameters": {"maxSwap": 0, "swappiness": 0, "initProcessEnabled": False},
    "mountPoints": [{"sourceVolume": "a", "containerPath": "/a", "readOnly": False}],
    "volumes": [{"name": "a", "host": {}}],
}
# AWS Batch accepts these on Fargate alone, with sizes that Fargate has.
FARGATE_ONLY = ("ephemeralStorage", "fargatePlatformConfiguration", "networkConfiguration", "runtimePlatform")
FARGATE: dict[str, Any] = {
    "image": "quay.io/x/y:1",
    "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
    "ephemeralStorage": {"sizeInGiB": 21},
}
# The largest gp3 volume of AWS itself.
VOLUME = """
resource "aws_launch_template" "this" {
  block_device_mappings {
    device_name = "/dev/sdb"
    ebs {
      volume_size = 65536
      volume_type = "gp3"
      iops        = 80000
      throughput  = 2000
    }
  }
}
"""
RETRY = """
  retry_strategy {
    attempts = 5
    evaluate_on_exit {
      action       = "RETRY"
      on_exit_code = "137"
    }
  }
"""


# Values that AWS accepts, by the name of a shape or a member.
FIXED: dict[str, Any] = {
    "Boolean": True,
    "Ulimit": {"name": "nofile", "hardLimit": 7, "softLimit": 7},
    "cpuArchitecture": "ARM64",
    "rootDirectory": "/",
    "sizeInGiB": 21,
    "sourceVolume": "the-name",
}


def sample(shape: Any, name: str = "") -> Any:
    """Return a value with every member of a shape."""
    for known in (shape.name, name):
        if known in FIXED:
            return FIXED[known]
    if shape.type_name == "structure":
        return {member: sample(inner, member) for member, inner in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member, name)]
    if shape.type_name == "map":
        return {"Key": "value"}
    if shape.type_name in ("integer", "long"):
        return 7
    return next(iter(getattr(shape, "enum", ())), f"the-{name}")


def all_members() -> dict[str, Any]:
    """Return a container with every member of AWS's model."""
    members: dict[str, Any] = sample(container_shape())
    return members | {"resourceRequirements": EMPTY["resourceRequirements"]}


def leaves(value: Any, shape: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Path of each member that holds a plain value or a map, and the value."""
    if shape.type_name == "structure":
        for name, item in value.items():
            yield from leaves(item, shape.members[name], (*path, name))
    elif shape.type_name == "list":
        for item in value:
            yield from leaves(item, shape.member, path)
    else:
        yield ".".join(path), value


def definition(
    label: str, kind: str, properties: dict[str, Any], more: str = "", *, seconds: int = 2_147_483_647
) -> str:
    several = "taskProperties" in properties
    attribute = "ecs_properties" if several else "node_properties" if kind == "multinode" else "container_properties"
    text = json.dumps(json.dumps(properties))
    timeout = f"timeout {{\n    attempt_duration_seconds = {seconds}\n  }}"
    return (
        f'resource "aws_batch_job_definition" "{label}" {{\n  name = "provider-{label}"\n  type = "{kind}"\n'
        f"  {attribute} = {text}\n  {timeout}\n{more}}}\n"
    )


def several_containers() -> dict[str, Any]:
    """Return the ECS properties of the example, whose first container has every key, as JSON has them."""
    manifest = load(SEVERAL)
    job = manifest.jobs["align"]
    full = msgspec.convert(msgspec.to_builtins(job.containers["align"]) | MORE, Container)
    job = msgspec.structs.replace(job, containers={**job.containers, "align": full})
    properties = ecs_properties(msgspec.structs.replace(manifest, jobs={"align": job}), "align")
    decoded: dict[str, Any] = json.loads(json.dumps(properties))
    return decoded


def first_of_two() -> dict[str, Any]:
    """Return a container with every member of AWS's model of a container of several."""
    members: dict[str, Any] = sample(task_shape().members["containers"].member)
    return members | {
        "dependsOn": [{"containerName": "second", "condition": "START"}],
        "name": "first",
        "resourceRequirements": EMPTY["resourceRequirements"],
    }


def two_containers() -> dict[str, Any]:
    second = {"name": "second", "image": EMPTY["image"], "resourceRequirements": EMPTY["resourceRequirements"]}
    task = {
        "containers": [first_of_two(), second],
        "volumes": [{"name": "the-name", "host": {}}],
        "executionRoleArn": FARGATE["executionRoleArn"],
    }
    return {"taskProperties": [task]}


@pytest.fixture(scope="module")
def registered(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return each definition by its label, as AWS Batch describes it; ``settled``: the second plan is empty."""
    folder: Path = tmp_path_factory.mktemp("provider") / "root"
    folder.mkdir()
    every = {name: value for name, value in all_members().items() if name not in FARGATE_ONLY}
    fargate = {name: all_members()[name] for name in FARGATE_ONLY} | FARGATE
    nodes = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": [{"targetNodes": "0:", "container": every}]}
    definitions = [
        definition("every", "container", {name: every[name] for name in every if name != "instanceType"}),
        definition("nodes", "multinode", nodes),
        definition("empty", "container", EMPTY, RETRY),
        definition("several", "container", several_containers()),
        definition("two", "container", two_containers()),
        definition("fargate", "container", fargate, '  platform_capabilities = ["FARGATE"]\n', seconds=600),
    ]
    (folder / "main.tf").write_text(CONFIGURATION + "".join(definitions))
    terraform = Terraform(find_terraform(os.environ), folder, {**os.environ, **aws.environ})
    terraform.init(plugin_dir=find_provider(os.environ, flavour=terraform.binary.flavour).plugin_dir)
    terraform.plan(folder / "plan")
    terraform.apply(folder / "plan")
    batch = aws.client("batch")
    described = {
        label: batch.describe_job_definitions(jobDefinitionName=f"provider-{label}")["jobDefinitions"][0]
        for label in ("every", "nodes", "empty", "several", "two", "fargate")
    }
    settled = not terraform.plan(folder / "again").has_changes
    (folder / "volume.tf").write_text(VOLUME)
    return described | {"settled": settled, "refusals": terraform.validate().diagnostics}


def test_the_table_has_what_the_provider_registers(registered: dict[str, Any]) -> None:
    shape = container_shape()
    asked = dict(leaves(all_members(), shape))
    containers = (
        (registered["every"]["containerProperties"], KEPT - {"instanceType"}),  # which multi-node jobs alone have
        (registered["nodes"]["nodeProperties"]["nodeRangeProperties"][0]["container"], KEPT),
    )
    on_fargate = dict(leaves(registered["fargate"]["containerProperties"], shape))
    for container, members in containers:
        found = dict(leaves(container, shape)) | {
            path: value for path, value in on_fargate.items() if path.partition(".")[0] in FARGATE_ONLY
        }
        kept = {path: value for path, value in found.items() if path in asked}
        assert {path: asked[path] for path in kept} == kept
        assert set(kept) == members
    assert set(asked) - KEPT == {path for path in asked if path.startswith("volumes.s3filesVolumeConfiguration.")}


def test_empty_values_are_registered_as_they_are_but_for_variables(registered: dict[str, Any]) -> None:
    container = registered["empty"]["containerProperties"]
    assert {name: container[name] for name in EMPTY} == {**EMPTY, "environment": []}
    assert registered["empty"]["timeout"] == {"attemptDurationSeconds": 2_147_483_647}
    assert registered["empty"]["retryStrategy"]["evaluateOnExit"] == [{"action": "retry", "onExitCode": "137"}]


def test_several_containers_are_registered_as_they_are_rendered(registered: dict[str, Any]) -> None:
    [rendered] = several_containers()["taskProperties"]
    [task] = registered["several"]["ecsProperties"]["taskProperties"]
    described = {each["name"]: each for each in task["containers"]}
    assert [each["name"] for each in task["containers"]] == ["align", "fetch", "progress"]
    for container in rendered["containers"]:
        assert described[container["name"]] | container == described[container["name"]]
    assert {name: task[name] for name in rendered if name != "containers"} == {
        name: value for name, value in rendered.items() if name != "containers"
    }


def test_of_a_container_of_several_the_provider_drops_the_timeouts(
    registered: dict[str, Any],
) -> None:
    """When this fails, gen_infra.manifest.importing.several can import more."""
    asked = first_of_two()
    [task] = registered["two"]["ecsProperties"]["taskProperties"]
    [described] = [each for each in task["containers"] if each["name"] == "first"]
    assert {name for name in asked if described.get(name) != asked[name]} == {"startTimeout", "stopTimeout"}


def test_the_next_plan_is_empty(registered: dict[str, Any]) -> None:
    assert registered["settled"]


def test_of_a_gp3_volume_the_provider_bounds_the_throughput_alone(registered: dict[str, Any]) -> None:
    """When this fails, gen_infra.manifest.rules.limits can allow more."""
    (refusal,) = registered["refusals"]
    assert "throughput to be in the range (125 - 1000), got 2000" in refusal.summary
