"""Names that two environments of an account can share, whatever their keys: the owner of each kind is looked up."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from gen_infra.aws.kinds import KINDS
from gen_infra.aws.owners import READS_TAGS
from gen_infra.manifest import load
from gen_infra.manifest.rules.names import resource_names
from gen_infra.resources import data_dir
from tests.permissions.complete import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

# Names that end or begin like another one, and with what gen-infra itself appends to a name or puts before it.
ENVIRONMENTS = (
    *("prod", "b-prod", "failed-prod", "many-prod", "prod-job", "prod-execution", "prod-workflow", "prod-worker"),
    *("prod-head", "prod-drain", "instances", "job"),
)
_FIXED = (
    *("isaac", "batch", "batchInstance", "batchSubmitJob", "batchImageRebuild", "batchQueueBlocked", "batchQueueStop"),
    *("batchAlarmsCritical", "batchMeasure", "batchFunctions", "batchAccessApply", "nextflow"),
)
KEYS = [f"{key}{end}" for key in _FIXED for end in ("", "-b", "-failed", "-many", "-prod", "-b-prod", "-prod-job")]
# The kinds whose names two environments can share, by type. Terraform ends the names of compute environments
# and launch templates with digits of its own; EFS refuses a second file system with a name.
SHARED = {
    "SNS topic": "aws_sns_topic",
    "alarm": "aws_cloudwatch_metric_alarm",
    "event rule": "aws_cloudwatch_event_rule",
    "job definition": "aws_batch_job_definition",
    "job queue": "aws_batch_job_queue",
    "log group": "aws_cloudwatch_log_group",
    "role": "aws_iam_role",
    "scheduling policy": "aws_batch_scheduling_policy",
    "state machine": "aws_sfn_state_machine",
}
KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
MADE_UNIQUE = {"Terraform address", "compute environment", "file system", "launch template"}


@pytest.fixture
def complete(tmp_path: Path) -> Manifest:
    """Return an environment that has everything but access roles and engines; those of the examples are added."""
    path = tmp_path / "complete.yaml"
    path.write_text(MANIFEST.replace("OWNERS_KEY", KEY).replace("REFERENCE_KEY", KEY))
    engines = load(data_dir("envs") / "examples" / "nextflow.yaml").engines
    return replace(load(path), access=load(data_dir("envs") / "examples" / "access.yaml").access, engines=engines)


def environment(base: Manifest, name: str) -> Manifest:
    """Return the environment under another name, with the same things under every key."""
    queue = next(each for each in base.queues.values() if each.fair_share)
    return replace(
        base,
        name=name,
        image=replace(base.image, parameter=None),
        compute=dict.fromkeys(KEYS, base.compute["spot"]),
        queues=dict.fromkeys(KEYS, queue),
        jobs=dict.fromkeys(KEYS, base.jobs["annotate"]),
        workflows=dict.fromkeys(KEYS, base.workflows["germline"]),
        file_systems=dict.fromkeys(KEYS, base.file_systems["shared"]),
    )


def test_every_name_that_two_environments_can_share_is_of_a_kind_whose_owner_is_looked_up(
    complete: Manifest,
) -> None:
    names = {
        name: {(each.kind, each.text) for each in resource_names(environment(complete, name))} for name in ENVIRONMENTS
    }
    kinds = {kind for found in names.values() for kind, _ in found}
    assert len(kinds) > 24, "the environment has every kind of name"
    shared = {each for one, other in combinations(ENVIRONMENTS, 2) for each in names[one] & names[other]}
    assert {kind for kind, _ in shared} - MADE_UNIQUE == {*SHARED}
    for example in (
        ("job definition", "isaac-b-prod"),
        ("SNS topic", "batchQueueBlocked-failed-prod"),
        ("alarm", "batchRuleFailed-batchQueueBlocked-failed-prod"),
        ("state machine", "isaac-many-prod"),
        ("role", "batchInstance-prod-job"),
        ("log group", "/aws/vendedlogs/states/isaac-b-prod"),
    ):
        assert example in shared


def test_the_owner_of_each_of_them_is_read_from_its_tags() -> None:
    assert {*SHARED.values()} <= READS_TAGS & {*KINDS}
