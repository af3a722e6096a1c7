"""A job with what a submission changes of it, against the queue that it is submitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest.rules.submissions import Submission, submission_findings
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

JOB = {"image": "quay.io/x/y:1", "vcpus": 2, "memory_mib": 2048}
CONTAINERS = {"fetch": JOB, "align": {**JOB, "vcpus": 4, "memory_mib": 4096}}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder: Path = tmp_path_factory.mktemp("manifest")
    return accept(
        folder,
        tags={"Project": "a"},
        compute={
            "spot": {"type": "SPOT", "max_vcpus": 64, "instance_types": ["c7i"]},
            "demand": {"type": "EC2", "max_vcpus": 16, "instance_types": ["c7i.2xlarge"]},
            "small": {"type": "FARGATE", "max_vcpus": 32},
        },
        queues={name: {"priority": 1, "compute": [name]} for name in ("spot", "demand", "small")},
        jobs={
            "one": {**JOB, "queue": "spot", "tags": {f"K{index}": "" for index in range(39)}},
            "pair": {"containers": CONTAINERS, "queue": "spot"},
            "mpi": {**JOB, "nodes": 4, "queue": "demand"},
            "task": {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 2048, "queue": "small"},
        },
    )


def tags(count: int) -> dict[str, Any]:
    return {"tags": {f"T{index}": "" for index in range(count)}}


def findings(manifest: Manifest, job: str, queue: str, container: str | None = None, **changes: Any) -> list[str]:
    resources: dict[str, float] = {key: changes.pop(key) for key in ("vcpus", "memory_mib", "gpus") if key in changes}
    submission = Submission(queue=queue, container=container, resources=resources, **changes)
    return [f"{path[-1]}: {message}" for path, message in submission_findings(manifest, job, submission)]


@pytest.mark.parametrize(
    ("job", "queue", "fits", "exceeds", "message"),
    [
        ("one", "spot", {"vcpus": 64}, {"vcpus": 65}, "vcpus: 65 vCPUs are more than max_vcpus 64, the maximum"),
        ("one", "demand", {"vcpus": 8}, {"vcpus": 9}, "vcpus: no instance type of queue demand has 9 vCPUs"),
        ("one", "demand", {"memory_mib": 15000}, {"memory_mib": 16384}, "memory_mib: no instance type of queue demand"),
        ("one", "spot", {}, {"gpus": 1}, "gpus: image.base is ecs-al2023-x86_64; GPUs need ecs-al2023-gpu"),
        ("one", "spot", {"vcpus": 1}, {"vcpus": 0.5}, "vcpus: 0.5 is for Fargate; on EC2 it is a whole number"),
        ("mpi", "demand", {"vcpus": 4}, {"vcpus": 5}, "vcpus: 4 nodes of 5 vCPUs are more than max_vcpus 16"),
        ("task", "small", {"memory_mib": 8192}, {"memory_mib": 9216}, "memory_mib: 9216 does not go with 1 vCPU"),
        ("task", "small", {"vcpus": 0.25}, {"vcpus": 3}, "vcpus: 3 is not a Fargate size"),
        ("task", "small", {"timeout_minutes": 20160}, {"timeout_minutes": 20161}, "timeout_minutes: 20161 is above"),
        (
            "one", "spot", tags(7), tags(8),
            "tags: with those of its definition the job has 51 tags; AWS Batch fails a job with more than 50",
        ),
        (
            "mpi", "demand", {"tags": {"k" * 128: "v" * 256}}, {"tags": {"AWS:x": "a"}},
            'tags: invalid tag "AWS:x": use 1 to 128 letters, digits, spaces and any of _ . : / = + - @, not starting',
        ),
        (
            "mpi", "demand", {}, {"tags": {"Gen-Infra:submitted-by": "mallory"}},
            'tags: "Gen-Infra:submitted-by" is a tag that gen-infra sets itself; choose another name',
        ),
        ("mpi", "demand", {}, {"tags": {"a;b": "a"}}, 'tags: invalid tag "a;b": use 1 to 128 letters'),
        ("mpi", "demand", tags(46), {"tags": {"a": "x" * 257}}, 'tags: invalid value of tag "a": use up to 256'),
    ],
)  # fmt: skip
def test_what_the_queue_cannot_place_is_found(
    manifest: Manifest, job: str, queue: str, fits: dict[str, Any], exceeds: dict[str, Any], message: str
) -> None:
    assert findings(manifest, job, queue, **fits) == []
    found, *_ = findings(manifest, job, queue, **exceeds)
    assert found.startswith(message)


def test_the_resources_of_one_of_several_containers_count_with_the_others(manifest: Manifest) -> None:
    assert findings(manifest, "pair", "spot", container="fetch", vcpus=60) == []
    [found] = findings(manifest, "pair", "spot", container="fetch", vcpus=61)
    assert found.startswith("containers: 65 vCPUs are more than max_vcpus 64")


@pytest.mark.parametrize(
    ("job", "queue", "here", "there"), [("one", "small", "EC2", "Fargate"), ("task", "spot", "Fargate", "EC2")]
)
def test_a_definition_is_for_one_platform(manifest: Manifest, job: str, queue: str, here: str, there: str) -> None:
    fit = "spot, demand" if here == "EC2" else "small"
    message = f"queue: job {job} is for {here}, and queue {queue} is on {there}; choose from: {fit}"
    assert findings(manifest, job, queue) == [message]


def test_multi_node_jobs_are_kept_off_spot(manifest: Manifest) -> None:
    [found] = findings(manifest, "mpi", "spot")
    assert "nodes need type EC2" in found
