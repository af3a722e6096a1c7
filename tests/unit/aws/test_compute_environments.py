"""Compute environments that are to go, on recorded answers; test_replacement.py has them on the emulator."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.aws.compute_environments import ComputeEnvironmentState, hold, holding_queue, holds, jobs_on, release
from gen_infra.errors import AwsError
from tests.unit.recorded import Account

SUFFIX = "20261125220157373800000001"
OLD = ComputeEnvironmentState(f"spot-prod-{SUFFIX}", "arn:old", "DISABLED", "VALID", "", "AWSBatch-old")


@pytest.fixture
def account() -> Account:
    return Account()


def test_only_queues_that_hold_an_environment_of_ours_are_holding_queues() -> None:
    names = [
        f"spot-prod-{SUFFIX}-drain",
        f"spot-prod-{SUFFIX}",
        f"spot-preprod-{SUFFIX}-drain",
        f"spot-my-prod-{SUFFIX}-drain",
        "spot-prod-drain",
        f"spot-prod-{SUFFIX}-drain\n",
    ]
    assert list(holds(dict.fromkeys(names, ("arn:old",)), "prod")) == names[:1]


def test_a_holding_queue_has_a_name_that_batch_takes() -> None:
    assert holding_queue(OLD.name) == f"{OLD.name}-drain"
    assert len(holding_queue("x" * 128)) == 128


def job(job_id: str, status: str, arn: str = "", key: str = "taskArn") -> dict[str, Any]:
    container = {key: arn} if arn else {}
    needed = {"jobQueue": "main-prod", "jobDefinition": "one-prod:1", "startedAt": 0}
    return {"jobId": job_id, "jobName": job_id, "status": status, "container": container, **needed}


JOBS = (
    job("there", "RUNNING", "arn:aws:ecs:us-east-1:123456789012:task/AWSBatch-old/1"),
    job("by-instance", "RUNNING", "arn:aws:ecs:us-east-1:123456789012:container-instance/AWSBatch-old/1")
    | {"startedAt": 1000},
    job("elsewhere", "RUNNING", "arn:aws:ecs:us-east-1:123456789012:task/AWSBatch-new/1"),
    job("of-before-2018", "RUNNING", "arn:aws:ecs:us-east-1:123456789012:task/1"),
    job("starts-somewhere", "STARTING"),
    job("has-ended-meanwhile", "SUCCEEDED", "arn:aws:ecs:us-east-1:123456789012:task/AWSBatch-old/2"),
)


def test_a_job_counts_as_there_unless_it_is_known_to_be_elsewhere(account: Account) -> None:
    listed = [{"jobId": each["jobId"], "jobName": each["jobId"], "status": "RUNNING"} for each in JOBS]
    account.answers = {
        "ListJobs": lambda request: {"jobSummaryList": listed if request["jobStatus"] == "RUNNING" else []},
        "DescribeJobs": lambda request: {"jobs": [each for each in JOBS if each["jobId"] in request["jobs"]]},
    }
    found = [each.id for each in jobs_on(account.clients, OLD, ["main-prod"])]
    assert found == ["by-instance", "of-before-2018", "starts-somewhere", "there"]


def test_a_queue_that_never_settles_is_an_error(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(0, 1000, 60))
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    queue = {"jobQueueName": "q", "jobQueueArn": "q", "state": "DISABLED", "priority": 0, "computeEnvironmentOrder": []}
    account.answers = {
        "DescribeJobQueues": {"jobQueues": [queue | {"status": "CREATING"}]},
        "DeleteJobQueue": {},
    }
    with pytest.raises(AwsError, match=f"waited 120 s for queue {OLD.name}-drain to be VALID"):
        hold(account.clients, OLD, {}, lambda _seconds: None)
    with pytest.raises(AwsError, match="to be gone"):
        release(account.clients, holding_queue(OLD.name), lambda _seconds: None)
