"""Buckets that are shared with environments whose manifests are in the same folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.doctor.neighbours import shared_buckets, shared_names
from gen_infra.manifest import load
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

REBUILD = {"image__parameter": "/lab/ami", "image__rebuild": {"schedule": "rate(7 days)", "bucket": "lab-builds"}}
STATE = {"state": {"bucket": "lab-tfstate"}}


def bucket(name: str, access: str = "write", **more: str) -> dict[str, Any]:
    return {"buckets": {"b": {"name": name, "access": access, **more}}}


def found(folder: Path, test: dict[str, Any], beside: dict[str, Any]) -> list[str]:
    """What the doctor says about ``test.yaml`` beside ``prod.yaml`` and a file that is no manifest."""
    write(folder, "notes: [1]\n", "a-parent.yaml")
    write(folder, changed(name="prod", **beside), "prod.yml")
    path = write(folder, changed(**test))
    return [line.message.replace(f"{folder}/", "") for line in shared_buckets(load(path), path)]


@pytest.mark.parametrize(
    ("own", "name", "what"),
    [
        (REBUILD, "lab-builds", "the source of the machine image (image.rebuild.bucket)"),
        (STATE, "lab-tfstate", "the Terraform state (state.bucket)"),
    ],
)
def test_jobs_that_could_take_over_another_environment(own: Any, name: str, what: str, tmp_path: Path) -> None:
    sentence = "{}: buckets.b.{}: jobs of {} could write {} of {}, {}"
    assert found(tmp_path, bucket(name), own) == [
        sentence.format("test.yaml", "name", "test", what, "prod", "prod.yml")
    ]
    assert found(tmp_path, own, bucket(name, "work", prefix="gen-infra/")) == [
        sentence.format("prod.yml", "prefix", "prod", what, "test", "test.yaml")
    ]


@pytest.mark.parametrize(
    "buckets", [bucket("lab-builds", "read"), bucket("lab-builds", prefix="results/"), bucket("lab-results"), {}]
)
def test_buckets_that_do_not_overlap(buckets: dict[str, Any], tmp_path: Path) -> None:
    assert found(tmp_path, buckets, REBUILD) == []
    assert found(tmp_path, REBUILD, buckets) == []


def test_an_environment_alone(tmp_path: Path) -> None:
    path = write(tmp_path, changed(**STATE))
    assert list(shared_buckets(load(path), path)) == []


JOB = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            {"name": "b-prod", "jobs": {"isaac": JOB}},
            "jobs.isaac-b: its job definition isaac-b-prod is also that of jobs.isaac",
        ),
        (
            {"name": "b-prod", "jobs": {"isaac": JOB}, "region": "eu-west-1"},
            "its role isaac-b-prod-job is also that of",
        ),
        ({"name": "b-prod", "jobs": {"isaac": JOB}, "account": "210987654321"}, ""),
        ({"name": "b-prod", "jobs": {"snpeff": JOB}}, ""),
        ({"name": "c-prod", "jobs": {"isaac": JOB}}, ""),
    ],
)
def test_two_environments_cannot_make_one_name(other: dict[str, Any], words: str, tmp_path: Path) -> None:
    write(tmp_path, changed(**other), "other.yaml")
    path = write(tmp_path, changed(name="prod", jobs={"isaac-b": JOB}))
    found = [line.message for line in shared_names(load(path), path)]
    assert len(found) == bool(words)
    assert all(words in message for message in found)
