"""Rules on jobs of several containers: a manifest that keeps them, and for each those that break it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest import load, load_with_warnings
from gen_infra.manifest.reading.loader import ManifestError
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

SIZE = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
SIDE = {**SIZE, "essential": False}
EFS = {"file_system": "fs-0123456789abcdef0", "mount": "/ref"}
FARGATE = {"type": "FARGATE", "max_vcpus": 64}
GPU = {"image__base": "ecs-al2023-gpu", "compute__spot__instance_types": ["g5.xlarge"]}


def job(main: dict[str, Any] | None = None, side: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """Jobs of one job with two containers; of both, and of the job, with more keys."""
    containers = {"main": SIZE | (main or {}), "side": SIDE | (side or {})}
    return {"jobs": {"j": {"containers": containers, **keys}}}


def on_fargate(vcpus: float, memory_mib: int, **keys: Any) -> dict[str, Any]:
    return {"compute__spot": FARGATE, **job({"vcpus": vcpus, "memory_mib": memory_mib}, **keys)}


KEPT: tuple[dict[str, Any], ...] = (
    job(),
    job({"depends_on": {"side": "SUCCESS"}}),
    job(side={"depends_on": {"main": "START"}}),
    job({"command": ["Ref::sample"]}, required_parameters=["sample"]),
    job({"efs": {"ref": EFS}}, {"efs": {"ref": EFS | {"mount": "/elsewhere", "read_only": True}}}),
    job(task_properties={"pidMode": "task", "ipcMode": "none", "enableExecuteCommand": True}),
    on_fargate(1, 3584),
    on_fargate(1, 3584, task_properties={"platformVersion": "1.4.0", "runtimePlatform": {"cpuArchitecture": "ARM64"}}),
    {**GPU, **job({"gpus": 1})},
)
BROKEN: tuple[tuple[dict[str, Any], str], ...] = (
    (job(image="quay.io/x/y:1"), "jobs.j.image: image belongs to a container here; set it in one of containers"),
    (job(environment={"A": "b"}), "jobs.j.environment: environment belongs to a container here"),
    (job(nodes=2), "jobs.j.nodes: a multi-node job has one container"),
    (job(container_properties={"enableExecuteCommand": True}), "are for a job of one container"),
    (
        {"jobs": {"j": {**SIZE, "task_properties": {"pidMode": "task"}}}},
        "jobs.j.task_properties: task_properties are for a job of several containers",
    ),
    (job(task_properties={"pidMode": "host"}), "jobs.j.task_properties.pidMode: host is not one of task"),
    (job(task_properties={"networkMode": "host"}), 'unknown key "networkMode"'),
    (job(task_properties={"platformVersion": "1.4.0"}), "is for jobs on Fargate, and queue main is on EC2"),
    (job(task_properties={"runtimePlatform": {"cpu": "ARM64"}}), 'unknown key "cpu"'),
    (job({"essential": False}), "jobs.j.containers: no container is essential"),
    (job({"depends_on": {"nope": "START"}}), 'unknown container "nope"; choose from: main, side'),
    (job(side={"depends_on": {"main": "COMPLETE"}}), "COMPLETE is for a container that is not essential, and main is"),
    (job(side={"depends_on": {"main": "HEALTHY"}}), 'unknown value "HEALTHY"; choose from: START, COMPLETE, SUCCESS'),
    (
        job({"depends_on": {"side": "START"}}, {"depends_on": {"main": "START"}}),
        "jobs.j.containers: these containers wait for each other: ",
    ),
    (job({"depends_on": {"main": "START"}}), "these containers wait for each other: main -> main"),
    (
        job({"efs": {"ref": EFS}}, {"efs": {"ref": EFS | {"directory": "/other"}}}),
        "jobs.j.containers.side.efs.ref: container main has another file system with this name",
    ),
    # rules on every container name the container
    (job({"image": "nope:1"}), 'jobs.j.containers.main.image: unknown repository "nope"'),
    (job(side={"command": ["Ref::x"]}), "jobs.j.containers.side.command[0]: Ref::x has no value"),
    (job(side={"scratch": "/a", "efs": {"ref": EFS | {"mount": "/a"}}}), "jobs.j.containers.side.efs.ref.mount"),
    (job(side={"shared_volumes": {"v": {"mount": "/a"}}, "scratch": "/a"}), "side.shared_volumes.v.mount"),
    (job(side={"ulimits": {"nofile": {"soft": 2, "hard": 1}}}), "jobs.j.containers.side.ulimits.nofile.soft"),
    (job({"gpus": 1}), "jobs.j.containers.main.gpus: image.base is ecs-al2023-x86_64; GPUs need"),
    ({"compute__spot": FARGATE, **job({"scratch": "/s"})}, "jobs.j.containers.main.scratch: a job on Fargate"),
    # what they ask for together
    (job({"vcpus": 64}), "jobs.j.containers: 65 vCPUs are more than max_vcpus 64"),
    (job({"memory_mib": 500_000}, {"memory_mib": 2_000_000}), "can give 2500000 MiB to a job"),
    ({**GPU, **job({"gpus": 1}, {"gpus": 1})}, "jobs.j.containers: no instance type of queue main has 2 GPUs"),
    (on_fargate(2, 1024), "jobs.j.containers: 3 of all containers is not a Fargate size"),
    (on_fargate(1, 512), "1024 of all containers does not go with 2 vCPU on Fargate"),
    # what msgspec itself sees
    ({"jobs": {"j": {"containers": {}}}}, 'jobs.j: the key "image" is missing'),
    ({"jobs": {"j": {"vcpus": 1}}}, 'jobs.j: the key "memory_mib" is missing'),
    ({"jobs": {"j": {"containers": {"a": {"image": "quay.io/x/y:1"}}}}}, 'containers.a: the key "vcpus" is missing'),
    (job() | {"jobs": {"j": {"containers": {"a b": SIZE}}}}, "jobs.j.containers.a b"),
    ({"jobs": {"j": {"containers": {f"c{number}": SIZE for number in range(11)}}}}, "at most 10 are allowed"),
)


@pytest.mark.parametrize("changes", KEPT, ids=str)
def test_kept(tmp_path: Path, changes: dict[str, Any]) -> None:
    accept(tmp_path, **changes)


@pytest.mark.parametrize(("changes", "says"), BROKEN, ids=[says for _, says in BROKEN])
def test_broken(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ManifestError) as refusal:
        load(write(tmp_path, changed(**changes)))
    assert any(says in str(problem) for problem in refusal.value.problems), refusal.value.problems


def test_a_volume_of_one_container_is_a_warning(tmp_path: Path) -> None:
    volume = {"shared_volumes": {"work": {"mount": "/work"}}}
    said = "no other container of this job names this volume"
    for changes, warned in ((job(volume), True), (job(volume, volume), False)):
        loaded = load_with_warnings(write(tmp_path, changed(**changes)))
        assert any(said in str(warning) for warning in loaded.warnings) is warned


def test_the_first_essential_container_is_the_main_one(tmp_path: Path) -> None:
    containers = {"before": SIDE, "main": SIZE, "after": SIZE}
    several = accept(tmp_path, jobs={"j": {"containers": containers}, "one": SIZE}).jobs
    assert (several["j"].main_container, several["one"].main_container) == ("main", "default")
    assert (several["j"].total_vcpus, several["j"].total_memory_mib, several["j"].total_gpus) == (3, 1536, 0)
