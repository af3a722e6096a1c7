"""What jobs wrote to CloudWatch Logs: all of it, since a time, the last lines, or as it is written."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.aws.jobs import SubmittedJob
    from gen_infra.aws.session import Clients

_LOOK_AGAIN_SECONDS = 2.0
_LATE_SECONDS = 5.0  # the log driver sends what it has gathered about every five seconds


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a job's log, and when it was written."""

    time: datetime
    text: str
    container: str = ""
    """The container that wrote it; empty for a job that has one."""

    def to_dict(self) -> dict[str, str]:
        """Return the same for JSON: the time in ISO 8601, UTC."""
        which = {"container": self.container} if self.container else {}
        return {"time": self.time.isoformat().replace("+00:00", "Z"), **which, "text": self.text}


class Reader:
    """Reads the streams of a job, each line once, however often it is called.

    Args:
        clients: where the logs are.
        since: the time of the first line wanted; all of them without one.
    """

    def __init__(self, clients: Clients, since: datetime | None = None) -> None:
        self._clients = clients
        self._since: dict[str, Any] = {"startTime": max(int(since.timestamp() * 1000), 0)} if since else {}
        self._tokens: dict[str, str] = {}

    def new_lines(self, job: SubmittedJob) -> Iterator[Line]:
        """Yield what the attempts of the job have written since the last call, attempt by attempt."""
        for stream in job.log_streams:
            container = stream.split("/")[-2] if job.containers and "/" in stream else ""  # prefix/container/task
            more = True
            while more:
                lines, more = self._page(job.log_group, stream)
                yield from (replace(line, container=container) for line in lines)

    @aws_errors()
    def _page(self, group: str, stream: str) -> tuple[list[Line], bool]:
        """Return the next page of a stream, and whether it may have another; a page may be empty before the end."""
        before = self._tokens.get(stream, "")
        token: dict[str, Any] = {"nextToken": before} if before else {}
        logs = self._clients.logs
        try:
            answer = logs.get_log_events(
                logGroupName=group, logStreamName=stream, startFromHead=True, **self._since, **token
            )
        except logs.exceptions.ResourceNotFoundException:
            return [], False  # the first line makes the stream
        after = self._tokens[stream] = answer.get("nextForwardToken", before)
        return [_line(event) for event in answer.get("events", [])], after != before


def follow(
    clients: Clients,
    find: Callable[[], SubmittedJob],
    since: datetime | None = None,
    *,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Line]:
    """Yield the lines of a job, of its later attempts too, until it has ended.

    Args:
        clients: where the logs are.
        find: describes the job as it is now.
        since: as for :class:`Reader`.
        wait: sleeps for some seconds.
    """
    reader = Reader(clients, since)
    while True:
        job = find()
        yield from reader.new_lines(job)
        if job.finished:
            wait(_LATE_SECONDS)
            yield from reader.new_lines(job)
            return
        wait(_LOOK_AGAIN_SECONDS)


@aws_errors()
def tail(clients: Clients, job: SubmittedJob, lines: int) -> list[Line]:
    """Return the last lines of the last attempt."""
    logs = clients.logs
    if not job.log_stream:
        return []
    try:
        events = logs.get_log_events(logGroupName=job.log_group, logStreamName=job.log_stream, limit=lines)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [_line(event) for event in events]


def _line(event: Any) -> Line:
    written = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, UTC)
    return Line(written, event.get("message", "").rstrip("\n"))
