"""Logs of jobs: moments, pages, later attempts, and streams that are not there yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from gen_infra.aws import logs, session
from gen_infra.aws.jobs import job_from
from tests.unit.aws.test_jobs import detail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws.jobs import SubmittedJob
    from gen_infra.aws.session import Clients

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return session.clients("us-east-1")


@pytest.fixture
def cloudwatch(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.logs) as stub:
        yield stub
        stub.assert_no_pending_responses()


def job(status: str, *streams: str) -> SubmittedJob:
    attempts: Any = [{"container": {"logStreamName": stream}} for stream in streams[:-1]]
    container: Any = {"logStreamName": streams[-1]} if streams else {}
    return job_from(detail(status=status, attempts=attempts, container=container), "us-east-1")


def page(stub: Stubber, stream: str, token: str, *lines: str, after: str = "", **more: Any) -> None:
    request = {"logGroupName": "/aws/batch/job", "logStreamName": stream, "startFromHead": True, **more}
    events = [{"timestamp": 1_000, "message": f"{line}\n"} for line in lines]
    stub.add_response(
        "get_log_events",
        {"events": events, "nextForwardToken": token},
        request | ({"nextToken": after} if after else {}),
    )


def test_an_empty_page_is_not_the_end(clients: Clients, cloudwatch: Stubber) -> None:
    page(cloudwatch, "one", "1", "first")
    page(cloudwatch, "one", "2", after="1")
    page(cloudwatch, "one", "3", "last", after="2")
    page(cloudwatch, "one", "3", after="3")
    assert [line.text for line in logs.Reader(clients).new_lines(job("FAILED", "one"))] == ["first", "last"]


def test_since_is_passed_to_cloudwatch(clients: Clients, cloudwatch: Stubber) -> None:
    page(cloudwatch, "one", "1", startTime=int(NOW.timestamp() * 1000))
    page(cloudwatch, "one", "1", after="1", startTime=int(NOW.timestamp() * 1000))
    assert list(logs.Reader(clients, NOW).new_lines(job("RUNNING", "one"))) == []


def test_following_prints_each_line_once_and_continues_with_the_next_attempt(
    clients: Clients, cloudwatch: Stubber
) -> None:
    states = iter([job("STARTING"), job("RUNNING", "one"), job("RUNNING", "one", "two"), job("FAILED", "one", "two")])
    cloudwatch.add_client_error("get_log_events", "ResourceNotFoundException")
    page(cloudwatch, "one", "1", "first")
    page(cloudwatch, "one", "1", after="1")
    page(cloudwatch, "two", "1", "second")
    page(cloudwatch, "two", "1", after="1")
    for late in ((), ("third",)):
        page(cloudwatch, "one", "1", after="1")
        page(cloudwatch, "two", "2" if late else "1", *late, after="1")
    page(cloudwatch, "two", "2", after="2")
    waits: list[float] = []
    found = [line.text for line in logs.follow(clients, lambda: next(states), wait=waits.append)]
    assert found == ["first", "second", "third"]
    assert len(waits) == 4, "before each look, and once for what comes late"
