"""The retry rules of a job: the rules of AWS Batch that they become, and the way back from these."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest

from gen_infra.emulator.attempts import retried
from gen_infra.manifest.importing.job import import_jobs
from gen_infra.manifest.model.job import Job
from gen_infra.manifest.model.retry import MOST_RULES, PRESETS, PresetName, retry_rules
from gen_infra.manifest.reading.loader import ManifestError
from tests.unit.manifests import accept
from tests.unit.retries import EXITED, NOT_STARTED, WORDS, api_rules

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = [
    (1, "", EXITED),
    (137, "OutOfMemoryError: Container killed due to memory usage", EXITED),
    (None, "CannotStartContainerError: exec: no such file", NOT_STARTED),
    (None, "", "ECS was unable to assume the role 'x'"),
]


def is_retried(job: dict[str, Any], code: int | None, reason: str, status_reason: str, *, on_fargate: bool) -> bool:
    rules = msgspec.convert({"image": "a", "vcpus": 1, "memory_mib": 4, **job}, Job).retry_rules(on_fargate=on_fargate)
    assert len(rules) <= MOST_RULES
    return retried({"evaluateOnExit": api_rules(rules)}, code, reason, status_reason)


def test_the_table_of_presets_has_each_name() -> None:
    assert set(PRESETS) == set(get_args(PresetName))
    assert set(WORDS) == {(name, on_fargate) for name in PRESETS for on_fargate in (False, True)}


@pytest.mark.parametrize("on_fargate", [False, True])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_retries_only_its_failure(preset: PresetName, *, on_fargate: bool) -> None:
    for (name, where), (status_reason, reason) in WORDS.items():
        if where is on_fargate:
            job = {"retry": [preset]}
            assert is_retried(job, None, reason, status_reason, on_fargate=on_fargate) is (name == preset), name


@pytest.mark.parametrize("on_fargate", [False, True])
def test_the_presets_are_the_default_and_a_programs_own_failure_ends_the_job(*, on_fargate: bool) -> None:
    for (_, where), (status_reason, reason) in WORDS.items():
        assert where is not on_fargate or is_retried({}, None, reason, status_reason, on_fargate=on_fargate)
        assert not is_retried({"retry": []}, None, reason, status_reason, on_fargate=on_fargate)
    for code, reason, status_reason in OTHERS:
        assert not is_retried({}, code, reason, status_reason, on_fargate=on_fargate)


def test_own_conditions_are_retried_when_all_their_keys_match() -> None:
    job = {"retry": [{"exit_code": 75}, {"reason": "Licence*", "status_reason": f"{EXITED}"}]}
    assert is_retried(job, 75, "", EXITED, on_fargate=False)
    assert not is_retried(job, 7, "", EXITED, on_fargate=False)
    assert is_retried(job, 1, "Licence server busy", EXITED, on_fargate=False)
    assert not is_retried(job, None, "Licence server busy", NOT_STARTED, on_fargate=False)
    assert is_retried({"retry": [{"reason": "*"}]}, 1, "", EXITED, on_fargate=False)


@pytest.mark.parametrize("on_fargate", [False, True])
def test_five_entries_are_retried_where_two_presets_can_share_a_rule(*, on_fargate: bool) -> None:
    job = {"retry": ["host-lost", "image-pull", "docker-timeout", {"exit_code": 2}, {"reason": "Licence*"}]}
    for (_, where), (status_reason, reason) in WORDS.items():
        assert where is not on_fargate or is_retried(job, None, reason, status_reason, on_fargate=on_fargate)
    assert is_retried(job, 2, "", EXITED, on_fargate=on_fargate)
    assert is_retried(job, 1, "Licence server busy", EXITED, on_fargate=on_fargate)
    # The shared rule is for every container that did not start; all else ends the job.
    assert [is_retried(job, *other, on_fargate=on_fargate) for other in OTHERS] == [False, False, True, False]


@pytest.mark.parametrize("on_fargate", [False, True])
@pytest.mark.parametrize(
    "retry",
    [
        ["host-lost", "image-pull", "docker-timeout"],
        ["host-lost"],
        ["docker-timeout", {"exit_code": 75}, "image-pull", {"reason": "Licence*", "status_reason": EXITED}],
        [{"reason": "*"}],
        [],
    ],
    ids=str,
)
def test_a_rendered_definition_is_imported_as_it_was_written(retry: list[Any], *, on_fargate: bool) -> None:
    job = msgspec.convert({"image": "a", "vcpus": 1, "memory_mib": 4, "retry": retry}, Job)
    definition = {
        "jobDefinitionName": "align",
        "platformCapabilities": ["FARGATE" if on_fargate else "EC2"],
        "containerProperties": {"image": "quay.io/x/y:1", "vcpus": 1, "memory": 2048},
        "retryStrategy": {"attempts": 3, "evaluateOnExit": api_rules(job.retry_rules(on_fargate=on_fargate))},
    }
    entry = import_jobs(json.dumps(definition)).jobs["align"]
    assert entry.get("retry", list(PRESETS)) == retry
    assert "evaluate_on_exit" not in entry


@pytest.mark.parametrize(
    "rules",
    [
        [{"action": "EXIT", "onExitCode": "2"}, {"action": "EXIT", "onReason": "*"}],
        [{"action": "RETRY", "onExitCode": "13*"}, {"action": "EXIT", "onReason": "*"}],
        [{"action": "RETRY", "onStatusReason": "Host EC2*"}],
    ],
    ids=["a rule that ends", "exit codes", "no rule for the rest"],
)
def test_other_rules_stay_rules(rules: list[dict[str, str]]) -> None:
    definition = {
        "jobDefinitionName": "align",
        "containerProperties": {"image": "quay.io/x/y:1", "vcpus": 1, "memory": 2048},
        "retryStrategy": {"attempts": 3, "evaluateOnExit": rules},
    }
    entry = import_jobs(json.dumps(definition)).jobs["align"]
    job = msgspec.convert(entry, Job)
    assert [rule["action"].upper() for rule in rules] == [rule.action for rule in job.evaluate_on_exit]
    assert "retry" not in entry
    assert len(retry_rules(job.retry, on_fargate=False)) == len(PRESETS) + 1


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"retry": ["host-lost", "image-pull", *({"exit_code": code} for code in (2, 3, 4))]},
            "jobs.j.retry: has 5 entries, which become 6 rules: AWS Batch accepts 5, and the last one ends every other "
            "failure; keep at most 4, or 5 with both image-pull and docker-timeout, which can share one",
        ),
        (
            {"retry": [*PRESETS, *({"exit_code": code} for code in (2, 3, 4))]},
            "jobs.j.retry: has 6 entries; at most 5 are allowed, because AWS Batch accepts 5 rules",
        ),
        (
            {"retry": [{"reason": "Cannot*Error"}]},
            'jobs.j.retry[0].reason: "Cannot*Error" is not 1 to 512 letters, digits, periods, colons and spaces; '
            "a final * stands for any rest",
        ),
        ({"retry": [{"status_reason": "x" * 513}]}, "is not 1 to 512 letters"),
        ({"retry": [{"exit_code": 256}]}, "jobs.j.retry[0].exit_code: 256 is not between 1 and 255"),
        (
            {"retry": ["spot"]},
            'jobs.j.retry[0]: "spot" is not host-lost or image-pull or docker-timeout or a mapping of exit_code, '
            "reason, status_reason",
        ),
        ({"attempts": 11}, "jobs.j.attempts: 11 is not between 1 and 10"),
        ({"evaluate_on_exit": [{"action": "EXIT", "on_exit_code": str(code)} for code in range(6)]}, "has 6 entries"),
    ],
    ids=["five", "six", "glob inside", "513 characters", "exit code", "unknown preset", "attempts", "six rules"],
)
def test_a_limit_of_aws_batch_is_named_at_its_place(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
    accept(tmp_path, jobs={"j": job})
    with pytest.raises(ManifestError) as refused:
        accept(tmp_path, jobs={"j": {**job, **keys}})
    assert message in str(refused.value)


def test_a_rule_that_is_there_twice_is_imported_once() -> None:
    rules = [{"action": "retry", "onReason": "CannotPull*"}] * 2 + [{"action": "exit", "onReason": "*"}]
    definition = {
        "jobDefinitionName": "align",
        "containerProperties": {"image": "quay.io/x/y:1", "vcpus": 1, "memory": 2048},
        "retryStrategy": {"attempts": 3, "evaluateOnExit": rules},
    }
    assert import_jobs(json.dumps(definition)).jobs["align"]["retry"] == ["image-pull"]
