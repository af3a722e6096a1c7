"""The jobs of the last days, from answers of AWS Batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.errors import AwsError
from gen_infra.report.chart import WIDTH, Axis, usage_chart
from gen_infra.report.live import job_spans, live_data
from tests.unit.manifests import accept
from tests.unit.recorded import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gen_infra.report.data import LiveData
    from tests.unit.recorded import Account

NOW = datetime(2026, 11, 29, 15, tzinfo=UTC)
BATCH = "arn:aws:batch:us-east-1:123456789012"
QUEUE = {
    "jobQueueName": "main-test", "jobQueueArn": f"{BATCH}:job-queue/main-test", "state": "ENABLED", "priority": 1,
    "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": f"{BATCH}:compute-environment/spot-test-1"}],
}  # fmt: skip
COMPUTE = {
    "computeEnvironmentName": "spot-test-1", "computeEnvironmentArn": f"{BATCH}:compute-environment/spot-test-1",
    "state": "ENABLED", "status": "VALID", "ecsClusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/c",
    "computeResources": {"type": "FARGATE", "maxvCpus": 64, "subnets": []},
}  # fmt: skip


def ago(minutes: float) -> int:
    return int((NOW - timedelta(minutes=minutes)).timestamp() * 1000)


def job(job_id: str, status: str, created: float, **more: Any) -> dict[str, Any]:
    """Return an entry of DescribeJobs; times are minutes ago."""
    container = {
        "image": "quay.io/x/y:1", "resourceRequirements": [{"type": "VCPU", "value": "8"}],
        **more.pop("container", {}),
    }  # fmt: skip
    always = {
        "startedAt": 0,
        "jobName": job_id,
        "jobQueue": QUEUE["jobQueueArn"],
        "jobDefinition": f"{BATCH}:job-definition/one-test:1",
    }
    return {"jobId": job_id, "status": status, "createdAt": ago(created), **always, "container": container, **more}


def attempt(started: float | None, stopped: float, **more: Any) -> dict[str, Any]:
    found = {"stoppedAt": ago(stopped), "container": {}, **more}
    return found if started is None else found | {"startedAt": ago(started)}


def failed(job_id: str, created: float, code: int) -> dict[str, Any]:
    ended = attempt(created - 10, created - 40, container={"exitCode": code})
    return job(job_id, "FAILED", created, attempts=[ended], stoppedAt=ago(created - 40),
               statusReason="Essential container in task exited", container={"exitCode": code})  # fmt: skip


JOBS = [
    job("good", "SUCCEEDED", 600, attempts=[attempt(590, 560), attempt(550, 490)], stoppedAt=ago(490)),
    failed("killed", 500, 137),
    failed("killed-too", 480, 137),
    failed("bad", 460, 1),
    job("now", "RUNNING", 100, startedAt=ago(90)),
    job("wait", "RUNNABLE", 50),
    job("many", "FAILED", 300, arrayProperties={"size": 3, "statusSummary": {"SUCCEEDED": 2, "FAILED": 1}},
        stoppedAt=ago(200)),
    job("old", "SUCCEEDED", 60 * 24 * 9, attempts=[attempt(60 * 24 * 9, 60 * 24 * 8)]),
]  # fmt: skip


def children() -> list[dict[str, Any]]:
    return [
        {
            "jobId": f"many:{index}",
            "jobName": "many",
            "status": "SUCCEEDED",
            "startedAt": ago(280),
            "stoppedAt": ago(220),
        }
        for index in range(3)
    ]


def list_jobs(request: dict[str, Any]) -> dict[str, Any]:
    if "arrayJobId" in request:
        return {"jobSummaryList": children() if request["jobStatus"] == "SUCCEEDED" else []}
    keys = ("jobId", "jobName", "status", "createdAt")
    found = [each for each in JOBS if each["status"] == request["jobStatus"]]
    sizes = [{"arrayProperties": {"size": 3}} if "arrayProperties" in each else {} for each in found]
    return {
        "jobSummaryList": [{key: each[key] for key in keys} | size for each, size in zip(found, sizes, strict=True)]
    }


@pytest.fixture
def live(account: Account, tmp_path: Path) -> Callable[[], LiveData]:
    described: list[str] = []

    def describe(request: dict[str, Any]) -> dict[str, Any]:
        described.extend(request["jobs"])
        return {"jobs": [each for each in JOBS if each["jobId"] in request["jobs"]]}

    account.answers = dict.fromkeys(
        ("DescribeRepositories", "DescribeImages", "DescribeSubnets", "DescribeSecurityGroups", "GetRole",
         "DescribeRouteTables", "DescribeVpcEndpoints", "GetLogEvents", "DescribeClusters", "DescribeKey",
         "DescribeAutoScalingGroups", "GetKeyPolicy", "ListGrants"),
        Refusal("AccessDeniedException"),
    ) | {
        "DescribeJobQueues": {"jobQueues": [QUEUE]},
        "DescribeComputeEnvironments": {"computeEnvironments": [COMPUTE]},
        "ListJobs": list_jobs,
        "DescribeJobs": describe,
    }  # fmt: skip
    manifest = accept(tmp_path, jobs={"one": {"image": "quay.io/x/y:1", "vcpus": 8, "memory_mib": 512}})
    return lambda: live_data(account.clients, manifest, tmp_path / "test.yaml", NOW - timedelta(days=7), NOW)


def test_jobs_causes_and_hours(live: Callable[[], LiveData]) -> None:
    found = live()
    jobs = {each.id: each for each in found.jobs}

    assert list(jobs) == ["wait", "now", "many", "bad", "killed-too", "killed", "good"], "the newest first"
    assert jobs["good"].vcpu_hours == 8 * 1.5, "of both attempts"
    assert jobs["now"].vcpu_hours == 8 * 1.5, "so far"
    assert jobs["many"].vcpu_hours == 8 * 3, "of the children"
    assert jobs["wait"].vcpu_hours == 0
    assert found.vcpu_hours == {"one-test": 12 + 12 + 24 + 3 * 4}
    causes = {each.name: each.jobs for each in found.causes}
    assert causes["out-of-memory"] == 2
    assert {jobs[each].cause for each in ("killed", "killed-too")} == {"out-of-memory"}
    assert sum(causes.values()) + found.unexplained == 4
    assert jobs["good"].cause == ""
    [queue] = found.queues
    assert (queue.counts["RUNNABLE"], queue.counts["RUNNING"], queue.busy_vcpus, queue.max_vcpus) == (1, 1, 8, 64)


def test_the_life_of_a_job() -> None:
    def lived(detail: dict[str, Any]) -> list[tuple[str, float]]:
        return [(each.state, each.seconds / 60) for each in job_spans(detail, NOW)]

    assert lived(JOBS[0]) == [("waiting", 10), ("failed", 30), ("waiting", 10), ("running", 60)]
    assert lived(JOBS[1]) == [("waiting", 10), ("failed", 30)]
    assert lived(JOBS[4]) == [("waiting", 10), ("running", 90)]
    assert lived(JOBS[5]) == [("waiting", 50)]
    assert lived(job("s", "STARTING", 5)) == [("starting", 5)]
    never_started = job("n", "FAILED", 20, attempts=[attempt(None, 5)], stoppedAt=ago(5))
    assert lived(never_started) == [("starting", 15)]
    assert lived(job("c", "FAILED", 20, stoppedAt=ago(10))) == [("waiting", 10)], "cancelled before it started"
    nodes = job("m", "SUCCEEDED", 20, startedAt=ago(15), stoppedAt=ago(5), nodeProperties={"numNodes": 2})
    assert lived(nodes) == [("waiting", 5), ("running", 10)]


def test_the_chart_has_the_vcpus_of_running_jobs_and_the_number_of_waiting_ones(live: Callable[[], LiveData]) -> None:
    found = live()
    axis = Axis.of(found)
    chart = usage_chart(found, axis)

    assert axis.start == NOW - timedelta(minutes=600)
    assert (axis.x(axis.start), axis.x(NOW)) == (0, WIDTH)
    assert chart.most_vcpus == pytest.approx(24), "three failed attempts at a time; an array with three children"
    assert chart.most_waiting == pytest.approx(1)
    assert [tick.label for tick in axis.ticks][:2] == ["06:00", "08:00"]
    assert all(each.width >= 2 for job in found.jobs for each in axis.bars(job))


def test_without_jobs_there_is_an_axis(account: Account, tmp_path: Path) -> None:
    account.answers = {
        "DescribeJobQueues": {"jobQueues": [QUEUE]},
        "DescribeComputeEnvironments": {"computeEnvironments": [COMPUTE]},
        "ListJobs": {"jobSummaryList": []},
    }
    found = live_data(account.clients, accept(tmp_path), tmp_path / "test.yaml", NOW - timedelta(days=7), NOW)
    assert (found.jobs, found.causes, found.vcpu_hours) == ((), (), {})
    assert usage_chart(found, Axis.of(found)).most_vcpus == 0


def test_queues_that_do_not_exist_are_an_error(account: Account, tmp_path: Path) -> None:
    account.answers = {"DescribeJobQueues": {"jobQueues": []}}
    with pytest.raises(AwsError, match="queues not found in us-east-1: main-test"):
        live_data(account.clients, accept(tmp_path), tmp_path / "test.yaml", NOW - timedelta(days=7), NOW)
