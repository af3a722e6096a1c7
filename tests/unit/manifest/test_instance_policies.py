"""The instances' role names the environment's clusters, the repositories of its images, and its log groups."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest

from gen_infra.manifest.instance_policies import clusters, instance_log_groups, pulled_repositories
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

HERE = "arn:aws:ecr:us-east-1:123456789012:repository"
OTHER = "999999999999.dkr.ecr.eu-west-1.amazonaws.com"


def job(image: str, **more: object) -> dict[str, object]:
    return {"image": image, "vcpus": 1, "memory_mib": 512, **more}


def test_the_clusters_are_those_of_its_compute_environments(tmp_path: Path) -> None:
    patterns = clusters(accept(tmp_path))
    [name] = {pattern.split("?")[0].removeprefix("AWSBatch-") for pattern in patterns}
    unique = "20261129150000000000000001"

    def joins(cluster: str) -> bool:
        return any(fnmatchcase(cluster, pattern) for pattern in patterns)

    assert joins(f"AWSBatch-{name}{unique}-0a1b2c3d")
    assert joins(f"{name}{unique}_Batch_0a1b2c3d")
    assert not joins(f"AWSBatch-other-{name}{unique}-0a1b2c3d")
    assert not joins(f"AWSBatch-{name}other-{unique}-0a1b2c3d")
    assert not joins("default")


def test_one_pattern_stands_for_many_compute_environments(tmp_path: Path) -> None:
    compute = {f"spot{number}": {"type": "SPOT", "max_vcpus": 8} for number in range(9)}
    manifest = accept(tmp_path, compute=compute, queues={"main": {"priority": 1, "compute": ["spot1"]}})
    assert [pattern.replace("?", "") for pattern in clusters(manifest)] == [
        f"AWSBatch-*-{manifest.name}--*",
        f"*-{manifest.name}-_Batch_*",
    ]


@pytest.mark.parametrize(
    ("image", "more", "others"),
    [
        ("aligner:1", {}, []),
        (f"{OTHER}/lab/call:1", {}, ["arn:aws:ecr:eu-west-1:999999999999:repository/lab/call"]),
        ("quay.io/lab/call:1", {}, []),
        (  # pulled as the execution role
            f"{OTHER}/lab/call:1",
            {"secrets": {"A": {"arn": "arn:aws:ssm:us-east-1:123456789012:parameter/a"}}},
            [],
        ),
    ],
)
def test_the_repositories_are_those_of_its_images(
    tmp_path: Path, image: str, more: dict[str, object], others: list[str]
) -> None:
    manifest = accept(tmp_path, repositories=["aligner"], jobs={"a": job(image, **more)})
    assert pulled_repositories(manifest) == [f"{HERE}/test/aligner", *others]


def test_a_given_pattern_stands_for_what_is_below(tmp_path: Path) -> None:
    given = "arn:aws:ecr:eu-west-1:999999999999:repository/lab/*"
    manifest = accept(tmp_path, iam={"image_repositories": [given]}, jobs={"a": job(f"{OTHER}/lab/call:1")})
    assert pulled_repositories(manifest) == [given]


def test_many_repositories_of_its_own_become_one_pattern(tmp_path: Path) -> None:
    names = [f"a-repository-with-a-rather-long-name-{number}" for number in range(120)]
    manifest = accept(tmp_path, repositories=names, jobs={"a": job(f"{names[0]}:1")})
    assert pulled_repositories(manifest) == [f"{HERE}/test/*"]


@pytest.mark.parametrize(
    ("change", "more"),
    [({}, []), ({"logs": {"default_group": True}}, ["/aws/batch/job"])],
)
def test_the_log_groups_are_those_of_its_jobs(tmp_path: Path, change: dict[str, object], more: list[str]) -> None:
    assert instance_log_groups(accept(tmp_path, **change)) == ["/aws/batch/test/*", *more]
