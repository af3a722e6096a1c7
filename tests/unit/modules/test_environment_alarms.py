"""The function that measures an environment: what it counts, and the causes that it sends, which are those of `why`."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra import why
from gen_infra.resources import data_dir
from tests.unit.manifests import accept
from tests.unit.recorded import Account
from tests.unit.why.cases import CASES
from tests.unit.why.facts import Facts

if TYPE_CHECKING:
    from types import ModuleType

    from gen_infra.manifest import Manifest

ARN = "arn:aws:batch:us-east-1:123456789012"
QUEUE = f"{ARN}:job-queue/main-prod"
TIME = "2026-01-05T12:00:00Z"
NOW = 1_767_614_400_000
MINUTE = 60_000
ALARMS = ("batchFailedJobs", "batchImageAge", "batchInvalidComputeEnvironments", "batchJobsWait")
MODULES = ("batch_causes", "batch_measure")
# Cases whose cause is in the job's log, or found by looking at its instance, children, registry or queue.
NEED_MORE = {
    *("Spot reclaimed", "Spot reclaimed, forgotten by EC2", "a host that is not reached", "array failed", "cancelled"),
    *("disk full", "log group gone", "memory of the GPU", "no credentials", "no such program", "not in our registry"),
    "shared memory",
}


class Batch:
    """What AWS answers: jobs, one queue, and its compute environment; and what is published."""

    def __init__(self, *jobs: dict[str, Any], status: str = "VALID", type_: str = "SPOT") -> None:
        self.jobs = {job["jobId"]: job for job in jobs}
        self.published: list[dict[str, Any]] = []
        self.environment = {
            "computeEnvironmentArn": f"{ARN}:compute-environment/spot",
            "computeEnvironmentName": "spot",
            "statusReason": "CLIENT_ERROR - the cluster does not exist",
            "ecsClusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/spot",
            "status": status,
            "computeResources": {
                "type": type_,
                "desiredvCpus": 8,
                "maxvCpus": 64,
                "ec2Configuration": [{"imageType": "ECS_AL2023", "imageIdOverride": "ami-1"}],
            },
        }

    def describe_job_queues(self, jobQueues: list[str]) -> Any:  # noqa: N803 - AWS's parameters
        assert jobQueues == [QUEUE]
        entry = {"order": 1, "computeEnvironment": self.environment["computeEnvironmentArn"]}
        return {"jobQueues": [{"jobQueueArn": QUEUE, "computeEnvironmentOrder": [entry]}]}

    def describe_compute_environments(self, computeEnvironments: list[str]) -> Any:  # noqa: N803
        assert computeEnvironments == [self.environment["computeEnvironmentArn"]]
        return {"computeEnvironments": [self.environment]}

    def describe_jobs(self, jobs: list[str]) -> Any:
        return {"jobs": [self.jobs[each] for each in jobs]}

    def describe_images(self, Filters: list[Any]) -> Any:  # noqa: N803
        assert Filters == [{"Name": "image-id", "Values": ["ami-1"]}]
        return {"Images": [{"ImageId": "ami-1", "CreationDate": "2025-12-06T12:00:00.000Z"}]}

    def get_paginator(self, operation: str) -> Batch:
        assert operation == "list_jobs"
        return self

    def paginate(self, jobStatus: str, jobQueue: str = "", arrayJobId: str = "") -> Iterator[Any]:  # noqa: N803
        assert jobQueue in ("", QUEUE)
        jobs = self.jobs.values()
        alike = [job for job in jobs if job["status"] == jobStatus and job.get("arrayJobId", "") == arrayJobId]
        yield {"jobSummaryList": alike}

    def publish(self, **message: Any) -> None:
        self.published.append(message)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """Yield the function's modules, freshly imported as Lambda does it, in the environment prod."""
    monkeypatch.syspath_prepend(data_dir("modules") / "environment-alarms" / "src")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the folder is packaged as it is
    for name, text in {
        "ENVIRONMENT": "prod",
        "QUEUES": json.dumps([QUEUE]),
        "COUNT_JOBS": "true",
        "INVALID_ALARMS": "true",
        "MEASURE_IMAGES": "true",
        "FAILED_WINDOW_MINUTES": "60",
        "ALARM_TOPICS": json.dumps({f"{name}-prod": f"arn:of:{name}" for name in ALARMS}),
    }.items():
        monkeypatch.setenv(name, text)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture
def invoke(
    functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[Mapping[str, Any]]]:
    def call(batch: Batch, event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        monkeypatch.setattr(functions["batch_measure"], "client", lambda _service: batch)
        functions["batch_measure"].handler({"time": TIME, **event}, None)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


def job(number: int, status: str, **more: Any) -> dict[str, Any]:
    created = {"createdAt": NOW - 600 * MINUTE, "jobQueue": QUEUE, "jobName": f"isaac-{number}"}
    return {"jobId": f"job-{number}", "status": status, **created, **more}


def ended(status: str, **more: Any) -> dict[str, Any]:
    return {"detail-type": "Batch Job State Change", "detail": job(1, status, **more)}


MEASURE = {"detail-type": "Scheduled Event", "detail": {}}


def fired(alarm: str) -> dict[str, Any]:
    detail = {"alarmName": f"{alarm}-prod", "configuration": {"description": "What it is about"}}
    return {"detail-type": "CloudWatch Alarm State Change", "detail": detail}


def test_a_measurement_is_in_the_embedded_metric_format(invoke: Callable[..., list[Mapping[str, Any]]]) -> None:
    of_queue, of_environment = invoke(Batch(job(1, "RUNNING"), job(2, "RUNNING")), MEASURE)
    assert of_queue["_aws"] == {
        "Timestamp": NOW,
        "CloudWatchMetrics": [
            {
                "Namespace": "gen-infra",
                "Dimensions": [["Environment", "Queue"]],
                "Metrics": [
                    {"Name": f"{state}Jobs", "Unit": "None"}
                    for state in ("Submitted", "Pending", "Runnable", "Starting", "Running")
                ],
            }
        ],
    }
    assert (of_queue["Environment"], of_queue["Queue"], of_queue["RunningJobs"]) == ("prod", "main-prod", 2)
    assert of_environment["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Environment"]]
    measured = ("InvalidComputeEnvironments", "DesiredVcpus", "MaxVcpus", "ImageAgeDays", "LongestWaitMinutes")
    assert [of_environment[name] for name in measured] == [0, 8, 64, 30, 0]


@pytest.mark.parametrize(
    ("jobs", "minutes"),
    [
        ([job(1, "RUNNABLE")], 600),
        ([job(1, "RUNNABLE", attempts=[{"stoppedAt": NOW - 5 * MINUTE}])], 5),
        (
            [
                job(1, "RUNNABLE", dependsOn=[{"jobId": "job-2"}]),
                job(2, "SUCCEEDED", stoppedAt=NOW - 20 * MINUTE),
            ],
            20,
        ),
        (
            [
                job(1, "PENDING", arrayProperties={"size": 2, "statusSummary": {"RUNNABLE": 1, "RUNNING": 1}}),
                job(2, "RUNNABLE", arrayJobId="job-1", arrayProperties={"index": 1}, createdAt=NOW - 30 * MINUTE),
            ],
            30,
        ),
        ([job(1, "PENDING")], 0),
    ],
    ids=["since its submission", "since its last attempt", "since its dependency", "a child of an array", "no wait"],
)
def test_a_job_waits_since_it_could_run(
    jobs: list[dict[str, Any]], minutes: float, invoke: Callable[..., list[Mapping[str, Any]]]
) -> None:
    *_, of_environment = invoke(Batch(*jobs), MEASURE)
    assert of_environment["LongestWaitMinutes"] == minutes


@pytest.mark.parametrize("has_alarm", [True, False])
def test_waits_are_not_measured_while_a_compute_environment_with_an_alarm_is_invalid(
    has_alarm: bool, invoke: Callable[..., list[Mapping[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVALID_ALARMS", str(has_alarm).lower())
    *_, of_environment = invoke(Batch(job(1, "RUNNABLE"), status="INVALID"), MEASURE)
    assert of_environment["InvalidComputeEnvironments"] == 1
    assert ("LongestWaitMinutes" not in of_environment) == has_alarm


def test_an_array_counts_as_its_children(invoke: Callable[..., list[Mapping[str, Any]]]) -> None:
    array = job(1, "PENDING", arrayProperties={"size": 9, "statusSummary": {"RUNNABLE": 4, "RUNNING": 2, "FAILED": 3}})
    of_queue, _ = invoke(Batch(array), MEASURE)
    assert (of_queue["PendingJobs"], of_queue["RunnableJobs"], of_queue["RunningJobs"]) == (0, 4, 2)


HOST_LOST = {"attempts": [{"statusReason": "Host EC2 (instance i-0123456789abcdef0) terminated."}]}


@pytest.mark.parametrize(
    ("event", "type_", "counts"),
    [
        (ended("FAILED"), "SPOT", {"FailedJobs": 1, "SucceededJobs": 0}),
        (ended("SUCCEEDED"), "SPOT", {"FailedJobs": 0, "SucceededJobs": 1}),
        (ended("FAILED", isTerminated=True), "SPOT", {}),
        (ended("FAILED", arrayProperties={"size": 10}), "SPOT", {}),
        (ended("RUNNABLE", **HOST_LOST), "SPOT", {"SpotLosses": 1}),
        (ended("RUNNABLE", **HOST_LOST), "EC2", {}),
        (ended("RUNNING", **HOST_LOST), "SPOT", {}),
        (ended("FAILED", **HOST_LOST), "SPOT", {"FailedJobs": 1, "SucceededJobs": 0, "SpotLosses": 1}),
    ],
)
def test_a_job_is_counted_once(
    event: dict[str, Any], type_: str, counts: dict[str, float], invoke: Callable[..., list[Mapping[str, Any]]]
) -> None:
    lines = invoke(Batch(type_=type_), event)
    names = ("FailedJobs", "SucceededJobs", "SpotLosses")
    assert {name: line[name] for line in lines for name in names if name in line} == counts


def test_the_causes_of_the_window_are_sent_the_most_frequent_first(
    invoke: Callable[..., list[Mapping[str, Any]]],
) -> None:
    killed = {"container": {"exitCode": 137}, "stoppedAt": NOW - MINUTE}
    late = {"statusReason": "Job attempt duration exceeded timeout", "stoppedAt": NOW - MINUTE}
    batch = Batch(
        job(1, "FAILED", **late),
        job(2, "FAILED", **killed),
        job(3, "FAILED", arrayProperties={"size": 2}, stoppedAt=NOW - MINUTE),
        job(4, "FAILED", arrayJobId="job-3", **killed),
        job(5, "FAILED", **late | {"stoppedAt": NOW - 61 * MINUTE}),
        job(6, "FAILED", **killed, isCancelled=True),
    )
    invoke(batch, fired("batchFailedJobs"))
    [message] = batch.published
    assert message["Subject"] == "ALARM: jobs of prod fail"
    assert message["Message"].splitlines() == [
        "ALARM: What it is about.",
        "",
        "2 x it ran out of memory; for example isaac-2 in main-prod: gen-infra why MANIFEST job-2",
        "1 x it ran for longer than its timeout; for example isaac-1 in main-prod: gen-infra why MANIFEST job-1",
        "",
        "The alarm is batchFailedJobs-prod.",
    ]


@pytest.mark.parametrize(
    ("alarm", "subject", "lines"),
    [
        (
            "batchJobsWait",
            "jobs of prod wait",
            [
                f"isaac-{number} in main-prod waits for {minutes} minutes: gen-infra why MANIFEST job-{number}"
                for number, minutes in ((1, 600), (2, 599), (3, 598), (4, 597), (5, 596))
            ],
        ),
        (
            "batchInvalidComputeEnvironments",
            "a compute environment of prod is INVALID",
            ["spot: CLIENT_ERROR - the cluster does not exist"],
        ),
        ("batchImageAge", "a machine image of prod is old", ["spot runs ami-1, which is 30 days old"]),
    ],
)
def test_an_alarm_says_what_it_is_about_to_its_own_topic(
    alarm: str, subject: str, lines: list[str], invoke: Callable[..., list[Mapping[str, Any]]]
) -> None:
    waiting = [job(number, "RUNNABLE", createdAt=NOW - (601 - number) * MINUTE) for number in range(1, 8)]
    batch = Batch(*waiting, status="INVALID")
    invoke(batch, fired(alarm))
    [message] = batch.published
    assert (message["TopicArn"], message["Subject"]) == (f"arn:of:{alarm}", f"ALARM: {subject}")
    assert message["Message"].splitlines() == [
        *("ALARM: What it is about.", "", *lines, "", f"The alarm is {alarm}-prod."),
    ]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    isaac = {"image": "isaac:1.0", "vcpus": 4, "memory_mib": 8000}
    return accept(tmp_path_factory.mktemp("env"), jobs={"isaac": isaac}, repositories=["isaac"])


def test_its_causes_are_those_of_why(
    functions: dict[str, ModuleType], env: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    account, same, different = Account(), set(), {}
    for case, (change, name, *_) in CASES.items():
        change(facts := Facts())
        if facts.job["status"] != "FAILED":
            continue
        account.answers = facts.answers()
        answer = why.explain(account.clients, env, Path("test.yaml"), facts.job["jobId"])
        found = functions["batch_causes"].cause_of(facts.job)
        if found == answer.causes[0].message:
            same.add(name)
        else:
            different[case] = (found, answer.causes[0].message)
    assert sorted(different) == sorted(NEED_MORE), different
    assert len(same) > 10
