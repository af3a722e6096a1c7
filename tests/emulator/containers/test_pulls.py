"""An image in ECR is pulled as the execution role, or as the role of the instance, which needs each of four actions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import oci
from tests.conftest import require_tool
from tests.emulator.skopeo import push

if TYPE_CHECKING:
    from tests.emulator.containers.conftest import ContainerLab, Ended

REPOSITORY = "arn:aws:ecr:us-east-1:123456789012:repository/prod/echo"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/echo:1.0"
NEEDED = {
    "ecr:GetAuthorizationToken": "*",
    "ecr:BatchCheckLayerAvailability": REPOSITORY,
    "ecr:BatchGetImage": REPOSITORY,
    "ecr:GetDownloadUrlForLayer": REPOSITORY,
}


@pytest.fixture(scope="module")
def pushed(containers: ContainerLab, tmp_path_factory: pytest.TempPathFactory) -> ContainerLab:
    """Push an image whose entry point is busybox."""
    layout = oci.Layout(tmp_path_factory.mktemp("images") / "echo")
    busybox = oci.member("bin/busybox", Path(require_tool("busybox")).read_bytes())
    layout.tag(layout.manifest([oci.layer(busybox)], {"Entrypoint": ["/bin/busybox"], "Env": ["WORD=pulled"]}), "1.0")
    containers.lab.client("ecr").create_repository(repositoryName="prod/echo", imageTagMutability="IMMUTABLE")
    push(containers.lab, f"oci:{layout.place}:1.0", "prod/echo:1.0")
    return containers


def run(containers: ContainerLab, **container: Any) -> Ended:
    return containers.run("", image=IMAGE, command=["sh", "-c", "echo $WORD by Ref::who"], **container,
                          job={"parameters": {"who": "a job"}})  # fmt: skip


def role(containers: ContainerLab, *, but: str = "") -> str:
    name = containers.lab.name("pulling")
    arn = containers.lab.role(name)
    for action, resource in NEEDED.items():
        if action != but:
            containers.lab.allow(name, action, resource)
    return arn


def test_with_the_execution_role(pushed: ContainerLab) -> None:
    ended = run(pushed, executionRoleArn=role(pushed))
    assert (ended.job["status"], ended.lines) == ("SUCCEEDED", ["pulled by a job"])


@pytest.mark.parametrize("action", NEEDED)
def test_each_action_is_needed(pushed: ContainerLab, action: str) -> None:
    ended = run(pushed, executionRoleArn=role(pushed, but=action))
    assert ended.job["status"] == "FAILED"
    assert f"is not authorized to perform: {action} " in ended.container["reason"]


def test_with_the_role_of_the_instance(pushed: ContainerLab) -> None:
    assert run(pushed).lines == ["pulled by a job"]


def test_the_execution_role_pulls_also_where_the_role_of_the_instance_could(pushed: ContainerLab) -> None:
    name = pushed.lab.name("pulls-nothing")
    ended = run(pushed, executionRoleArn=pushed.lab.role(name))
    assert ended.job["status"] == "FAILED"
    assert f":assumed-role/{name}/" in ended.container["reason"]
    assert "is not authorized to perform: ecr:GetAuthorizationToken " in ended.container["reason"]
