"""Batch jobs: what is asked of AWS, and what is made of its answers."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.stub import ANY, Stubber

from gen_infra.aws import jobs, session
from gen_infra.aws.errors import TransientAwsError
from gen_infra.aws.job_containers import asked_by
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_batch.type_defs import JobDetailTypeDef

    from gen_infra.aws.jobs import SubmittedJob

ID = "876da822-4198-45f2-a252-6cea32512ea8"


@contextmanager
def answers(client: Any) -> Iterator[Stubber]:
    """Scripted answers; every one of them must have been asked for."""
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def detail(job_id: str = ID, **changes: Any) -> JobDetailTypeDef:
    """Return one entry of DescribeJobs with what Batch always sends."""
    always: JobDetailTypeDef = {
        "jobId": job_id,
        "jobName": "wgs-1",
        "jobQueue": "arn:aws:batch:us-east-1:123456789012:job-queue/highPriority-prod",
        "jobDefinition": "arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod:3",
        "status": "SUBMITTED",
        "startedAt": 0,
        "createdAt": 1_700_000_000_000,
    }
    return cast("JobDetailTypeDef", always | changes)


def test_the_log_of_a_multi_node_job_is_its_main_nodes(clients: session.Clients) -> None:
    nodes: Any = {"numNodes": 3, "mainNode": 0, "nodeRangeProperties": [{"targetNodes": "0:"}]}
    node: Any = {"logStreamName": "assemble/default/1"}
    with answers(clients.batch) as stub:
        stub.add_response("describe_jobs", {"jobs": [detail(nodeProperties=nodes)]}, {"jobs": [ID]})
        stub.add_response("describe_jobs", {"jobs": [detail(f"{ID}#0", container=node)]}, {"jobs": [f"{ID}#0"]})
        assert jobs.find_logged(clients, ID).log_streams == ("assemble/default/1",)


# --- a job as Batch describes it


def test_a_finished_job_has_names_times_exit_code_reason_and_links() -> None:
    job = jobs.job_from(
        detail(
            status="FAILED",
            statusReason="Essential container in task exited",
            startedAt=1_700_000_060_500,
            stoppedAt=1_700_000_120_000,
            attempts=[{"container": {"exitCode": 1}}, {"container": {"exitCode": 137}}],
            container={
                "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/isaac:1.0",
                "exitCode": 137,
                "reason": "OutOfMemoryError: Container killed due to memory usage",
                "logStreamName": "isaac-prod/default/0f1e",
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/aws/batch/prod/isaac"}},
            },
        ),
        "us-east-1",
    )
    assert job.finished
    assert not job.succeeded
    assert job.to_dict() == {
        "id": ID,
        "name": "wgs-1",
        "queue": "highPriority-prod",
        "definition": "isaac-prod:3",
        "status": "FAILED",
        "reason": "Essential container in task exited: OutOfMemoryError: Container killed due to memory usage",
        "created": "2023-11-14T22:13:20Z",
        "started": "2023-11-14T22:14:20.500000Z",
        "stopped": "2023-11-14T22:15:20Z",
        "exit_code": 137,
        "attempts": 2,
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/isaac:1.0",
        "array_size": None,
        "children": {},
        "log_group": "/aws/batch/prod/isaac",
        "log_stream": "isaac-prod/default/0f1e",
        "log_streams": ["isaac-prod/default/0f1e"],
        "console_url": f"https://us-east-1.console.aws.amazon.com/batch/home?region=us-east-1#jobs/detail/{ID}",
        "log_url": "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/"
        "$252Faws$252Fbatch$252Fprod$252Fisaac/log-events/isaac-prod$252Fdefault$252F0f1e",
    }
    assert json.loads(json.dumps(job.to_dict())) == job.to_dict()


def several(*, attempts: list[dict[str, Any]] | None = None, **outcomes: dict[str, Any]) -> JobDetailTypeDef:
    """Return a job of two containers, with what is known of each."""
    containers = [
        {"name": name, "image": f"{name}:1", "essential": name == "main", **outcomes.get(name, {})}
        | {"resourceRequirements": [{"type": "VCPU", "value": "2"}]}
        for name in ("fetch", "main")
    ]
    task = {"containers": containers, "taskRoleArn": "arn:aws:iam::123456789012:role/j"}
    return detail(ecsProperties={"taskProperties": [task]}, attempts=attempts or [])


def test_of_several_containers_the_one_that_failed_decides() -> None:
    ended = several(
        fetch={"exitCode": 0, "logStreamName": "j/fetch/1"}, main={"exitCode": 3, "logStreamName": "j/main/1"}
    )
    job = jobs.job_from(ended, "us-east-1")
    assert (job.image, job.exit_code, job.log_stream) == ("main:1", 3, "j/main/1")
    assert job.log_streams == ("j/fetch/1", "j/main/1")
    assert [(each.name, each.exit_code) for each in job.containers] == [("fetch", 0), ("main", 3)]
    assert job.to_dict()["containers"][0]["image"] == "fetch:1"
    assert json.loads(json.dumps(job.to_dict())) == job.to_dict()


def test_of_several_containers_the_one_that_did_not_start_decides_and_then_the_essential_one() -> None:
    assert jobs.job_from(several(fetch={"reason": "CannotPull"}), "us-east-1").reason == "CannotPull"
    assert jobs.job_from(several(fetch={"exitCode": 1}), "us-east-1").image == "main:1"


def test_past_attempts_of_several_containers_have_their_streams_and_outcomes() -> None:
    past = [
        {"name": "fetch", "exitCode": 0, "logStreamName": "j/fetch/1"},
        {"name": "main", "logStreamName": "j/main/1"},
    ]
    waiting = several(attempts=[{"taskProperties": [{"containers": past}]}])
    assert jobs.job_from(waiting, "us-east-1").log_streams == ("j/fetch/1", "j/main/1")
    assert asked_by(waiting, "VCPU") == 4


def test_a_new_job_has_neither_times_nor_log_yet() -> None:
    job = jobs.job_from(detail(), "us-east-1")
    assert job.created == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (job.started, job.stopped, job.exit_code, job.attempts) == (None, None, None, 0)
    assert (job.reason, job.log_group, job.log_stream, job.log_url) == ("", "/aws/batch/job", "", "")
    assert not job.finished


def test_an_array_job_counts_its_children_by_status() -> None:
    array = {"size": 4, "statusSummary": {"RUNNING": 1, "SUCCEEDED": 3, "FAILED": 0}}
    job = jobs.job_from(detail(arrayProperties=array), "us-east-1")
    assert (job.array_size, job.children) == (4, {"RUNNING": 1, "SUCCEEDED": 3})


# --- describe and list


def test_jobs_are_described_a_hundred_at_a_time_in_the_requested_order(clients: session.Clients) -> None:
    ids = [f"job-{number}" for number in range(101)]
    with answers(clients.batch) as stub:
        stub.add_response("describe_jobs", {"jobs": [detail(i) for i in reversed(ids[:100])]}, {"jobs": ids[:100]})
        stub.add_response("describe_jobs", {"jobs": [detail(ids[100])]}, {"jobs": ids[100:]})
        assert [job.id for job in jobs.describe(clients, ids)] == ids


def test_a_job_that_batch_does_not_return_is_left_out(clients: session.Clients) -> None:
    with answers(clients.batch) as stub:
        stub.add_response("describe_jobs", {"jobs": [detail("b")]}, {"jobs": ["a", "b", "c"]})
        assert [job.id for job in jobs.describe(clients, ["a", "b", "c"])] == ["b"]


def test_a_listing_goes_through_every_page_and_shows_the_newest_first(clients: session.Clients) -> None:
    def page(*ids: str, **more: str) -> dict[str, Any]:
        return {"jobSummaryList": [{"jobId": job_id, "jobName": "wgs"} for job_id in ids], **more}

    with answers(clients.batch) as stub:
        stub.add_response("list_jobs", page("a", nextToken="t"), {"jobQueue": "q", "jobStatus": "RUNNING"})
        stub.add_response("list_jobs", page("b"), {"jobQueue": "q", "jobStatus": "RUNNING", "nextToken": "t"})
        # "a" has moved on between the two calls, "c" before it is described
        stub.add_response("list_jobs", page("a", "c"), {"jobQueue": "q", "jobStatus": "SUCCEEDED"})
        stub.add_response(
            "describe_jobs",
            {
                "jobs": [
                    detail("a", status="SUCCEEDED", createdAt=1),
                    detail("b", status="RUNNING", createdAt=3),
                    detail("c", status="FAILED", createdAt=2),
                ]
            },
            {"jobs": ["a", "b", "c"]},
        )
        listed = jobs.list_jobs(clients, ["q"], ["SUCCEEDED", "RUNNING"])
    assert [job.id for job in listed] == ["b", "a"]


def test_a_listing_requests_every_status_of_every_queue(clients: session.Clients) -> None:
    with answers(clients.batch) as stub:
        for queue in ("high", "low"):
            for status in ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED"):
                stub.add_response("list_jobs", {"jobSummaryList": []}, {"jobQueue": queue, "jobStatus": status})
        assert jobs.list_jobs(clients, ["high", "low"]) == []


# --- watch


class Clock:
    """A clock that moves only during a wait."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def watched(
    clients: session.Clients, clock: Clock, on_change: Callable[[SubmittedJob], None], **options: Any
) -> SubmittedJob:
    return jobs.watch(clients, ID, on_change, wait=clock.wait, clock=clock, **options)


def test_a_watched_job_is_reported_at_each_change_until_it_ends(clients: session.Clients) -> None:
    seen: list[str] = []
    with answers(clients.batch) as stub:
        for status in ["SUBMITTED", "RUNNABLE", "RUNNABLE", "RUNNING", "SUCCEEDED"]:
            stub.add_response("describe_jobs", {"jobs": [detail(status=status)]}, {"jobs": [ID]})
        job = watched(clients, Clock(), lambda job: seen.append(job.status))
    assert job.succeeded
    assert seen == ["SUBMITTED", "RUNNABLE", "RUNNING", "SUCCEEDED"]


def test_the_children_of_an_array_are_a_change_too(clients: session.Clients) -> None:
    seen: list[dict[str, int]] = []
    with answers(clients.batch) as stub:
        for done in (0, 1, 1, 2):
            array = {"size": 2, "statusSummary": {"SUCCEEDED": done}}
            status = "SUCCEEDED" if done == 2 else "PENDING"
            stub.add_response("describe_jobs", {"jobs": [detail(status=status, arrayProperties=array)]})
        watched(clients, Clock(), lambda job: seen.append(dict(job.children)))
    assert seen == [{}, {"SUCCEEDED": 1}, {"SUCCEEDED": 2}]


def test_the_interval_grows_from_one_to_ten_seconds_and_starts_again_after_a_change(clients: session.Clients) -> None:
    clock = Clock()
    with answers(clients.batch) as stub:
        for status in ["RUNNABLE"] * 9 + ["RUNNING", "FAILED"]:
            stub.add_response("describe_jobs", {"jobs": [detail(status=status)]})
        assert not watched(clients, clock, lambda _job: None).succeeded
    assert clock.waits == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10.0, 10.0, 10.0, 1.0]


def test_temporary_errors_are_retried(clients: session.Clients) -> None:
    with answers(clients.batch) as stub:
        stub.add_response("describe_jobs", {"jobs": []})  # submitted so lately that Batch does not show it
        stub.add_response("describe_jobs", {"jobs": [detail(status="RUNNING")]})
        stub.add_client_error("describe_jobs", "ThrottlingException", "slow down", 400)
        stub.add_client_error("describe_jobs", "ServerException", "oops", 500)
        stub.add_response("describe_jobs", {"jobs": [detail(status="SUCCEEDED")]})
        assert watched(clients, Clock(), lambda _job: None).succeeded


def test_retries_are_timed_from_the_last_answer(clients: session.Clients) -> None:
    clock = Clock()
    with answers(clients.batch) as stub:
        for _ in range(20):
            stub.add_response("describe_jobs", {"jobs": [detail(status="RUNNING")]})
        stub.add_client_error("describe_jobs", "ThrottlingException", "slow down", 400)
        stub.add_response("describe_jobs", {"jobs": [detail(status="SUCCEEDED")]})
        assert watched(clients, clock, lambda _job: None, retry_seconds=60).succeeded
    assert clock.now > 60


def test_permanent_errors_end_the_watching(clients: session.Clients) -> None:
    clock = Clock()
    with Stubber(clients.batch) as stub:
        stub.add_response("describe_jobs", {"jobs": [detail(status="RUNNING")]})
        for _ in range(30):
            stub.add_client_error("describe_jobs", "ThrottlingException", "slow down", 400)
        with pytest.raises(TransientAwsError, match="throttles DescribeJobs"):
            watched(clients, clock, lambda _job: None, retry_seconds=60)
    assert 60 < clock.now <= 71


def test_a_permanent_error_ends_the_watching_immediately(clients: session.Clients) -> None:
    clock = Clock()
    with answers(clients.batch) as stub:
        stub.add_client_error("describe_jobs", "AccessDeniedException", "no", 403)
        with pytest.raises(AwsError, match="access denied"):
            watched(clients, clock, lambda _job: None)
    assert clock.now == 0


def test_an_interrupt_stops_the_watching_and_leaves_the_job_alone(clients: session.Clients) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    with answers(clients.batch) as stub:  # and nothing but DescribeJobs is called
        stub.add_response("describe_jobs", {"jobs": [detail(status="RUNNING")]}, {"jobs": ANY})
        ticks = count()
        with pytest.raises(KeyboardInterrupt):
            jobs.watch(clients, ID, lambda _job: None, wait=interrupt, clock=lambda: float(next(ticks)))
