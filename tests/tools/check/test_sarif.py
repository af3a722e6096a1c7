"""What `gen-infra check --format sarif` writes is SARIF by OASIS's own schema, whatever was found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli import gen_infra
from tests.sarif import problems
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.conftest import Tf

_MOUNTS_HOME = {
    "repositories": ["tool"],
    "image__scratch__mount": "/home/scratch",
    "jobs__align": {"image": "tool", "vcpus": 4, "memory_mib": 7000, "scratch": "/scratch"},
}
_ACCEPTED = {
    "check": "GI_BATCH_2",
    "resource": "aws_batch_job_definition.*",
    "reason": "Our older images mount the scratch disk there.",
    "expires": "2099-12-31",
}


@pytest.mark.parametrize(
    ("changes", "accepted", "failed", "suppressed"),
    [
        ({}, [], set(), set()),
        (_MOUNTS_HOME, [], {"GI_BATCH_2"}, {"CKV_AWS_117", "CKV_AWS_272"}),
        (
            _MOUNTS_HOME,
            [_ACCEPTED, {**_ACCEPTED, "expires": "2020-01-01"}],
            {"suppressions"},
            {"CKV_AWS_117", "CKV_AWS_272", "GI_BATCH_2"},
        ),
    ],
    ids=["passing", "failing", "suppressed"],
)
def test_it_is_valid(
    changes: dict[str, Any],
    accepted: list[dict[str, str]],
    failed: set[str],
    suppressed: set[str],
    tf: Tf,
    tmp_path: Path,
) -> None:
    manifest = write(tmp_path, changed(**changes))
    policy = write(tmp_path, {"suppressions": accepted}, "policy.yaml")
    options = ("--policy", policy, "--format", "sarif", "--output", "check.sarif")

    done = gen_infra("check", manifest, *options, cwd=tmp_path, environ=tf.environ)

    assert done.returncode == bool(failed), done.stderr
    text = (tmp_path / "check.sarif").read_text()
    assert problems(text) == []
    results = [result for run in json.loads(text)["runs"] for result in run["results"]]
    assert {result["ruleId"] for result in results if "suppressions" not in result} == failed
    assert {result["ruleId"] for result in results if "suppressions" in result} == suppressed
