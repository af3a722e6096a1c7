"""Counts the jobs of queues by state, for a table that is refreshed."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.job_containers import asked_by
from gen_infra.aws.retry import Retry
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gen_infra.aws.session import Clients, Json

ACTIVE = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
BUSY = ("STARTING", "RUNNING")
_LOOK_AGAIN_SECONDS = 5.0
# The mark of a queue that was disabled because the budget was used up, with the time; modules/queue-stop sets it.
STOPPED_TAG = "gen-infra:stopped-by-budget"
DESCRIBE_AT_MOST = 100  # ids in one DescribeJobs


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue at one point in time. An array counts as its children that have not ended.

    Args:
        queue: its name.
        counts: how many jobs are in each of the states before the end.
        oldest_runnable: when the job was submitted that has waited longest in RUNNABLE.
        busy_vcpus: vCPUs of its jobs that start or run.
        max_vcpus: the vCPUs that its environments may have in all; other queues may share them.
    """

    queue: str
    counts: Mapping[str, int]
    oldest_runnable: datetime | None
    busy_vcpus: float
    max_vcpus: int

    def to_dict(self) -> dict[str, Any]:
        """Return the same for JSON: times in ISO 8601, UTC."""
        oldest = self.oldest_runnable.isoformat().replace("+00:00", "Z") if self.oldest_runnable else None
        return asdict(self) | {"oldest_runnable": oldest}


def stopped_by_budget(state: object, tags: Mapping[str, str] | None) -> str:
    """Return when a queue with this state and these tags was disabled because the budget was used up, or nothing."""
    return (tags or {}).get(STOPPED_TAG, "") if state == "DISABLED" else ""


@aws_errors()
def queue_states(clients: Clients, queues: Sequence[str]) -> list[QueueState]:
    """Return the state of these queues, in this order."""
    described = clients.batch.describe_job_queues(jobQueues=list(queues))["jobQueues"]
    order = {each["jobQueueName"]: each.get("computeEnvironmentOrder", []) for each in described}
    arns = {entry["computeEnvironment"] for entries in order.values() for entry in entries}
    if not arns:
        raise AwsError(f"queues not found in {clients.region}: {', '.join(queues)}", hint="run gen-infra apply")
    found = clients.batch.describe_compute_environments(computeEnvironments=sorted(arns))["computeEnvironments"]
    most = {each["computeEnvironmentArn"]: each.get("computeResources", {}).get("maxvCpus", 0) for each in found}
    return [
        _state(clients, queue, sum(most.get(entry["computeEnvironment"], 0) for entry in order[queue]))
        for queue in queues
        if queue in order
    ]


def watch_queues(
    clients: Clients,
    queues: Sequence[str],
    *,
    retry_seconds: float = 120.0,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[list[QueueState]]:
    """Yield the state of these queues again and again, without an end.

    Args:
        clients: where the queues are.
        queues: their names.
        retry_seconds: for how long calls that AWS does not answer, or throttles, are made again.
        wait: sleeps for some seconds.
        clock: seconds that only increase.
    """
    aws = Retry(retry_seconds, clock)
    while True:
        if states := aws.call(lambda: queue_states(clients, queues)):
            yield states
        wait(_LOOK_AGAIN_SECONDS)


@aws_errors()
def busy_vcpus(clients: Clients, queues: Iterable[str]) -> float:
    """Return the vCPUs of the jobs of these queues that start or run."""
    return sum(_busy(_details(clients, listed(clients, queue, ("PENDING", *BUSY)))) for queue in queues)


def vcpus_of(detail: Json) -> float:
    """Return the vCPUs that a job requests, of all its nodes together; of an array, those of one child."""
    return asked_by(detail, "VCPU") * int(detail.get("nodeProperties", {}).get("numNodes", 1))


def _state(clients: Clients, queue: str, max_vcpus: int) -> QueueState:
    summaries = list(listed(clients, queue, ACTIVE))
    details = _details(clients, summaries)
    counts = dict.fromkeys(ACTIVE, 0)
    waiting: list[int] = []
    for each in summaries:
        for status, count in _by_status(each, details).items():
            counts[status] += count
            if status == "RUNNABLE" and count:
                waiting.append(each.get("createdAt", 0))
    oldest = datetime.fromtimestamp(min(waiting) / 1000, UTC) if waiting else None
    return QueueState(queue, counts, oldest, _busy(details), max_vcpus)


def listed(clients: Clients, queue: str, statuses: Iterable[str]) -> Iterator[Json]:
    """List summaries of a queue's jobs in these states, each once; arrays and nodes as their parent.

    In the order of the states, so that a job that moves on meanwhile is met twice rather than missed.
    """
    found: dict[str, Json] = {}
    for status in statuses:
        pages: Any = clients.batch.get_paginator("list_jobs")
        for page in pages.paginate(jobQueue=queue, jobStatus=status):
            found.update((summary["jobId"], summary) for summary in page["jobSummaryList"])
    yield from found.values()


def _details(clients: Clients, summaries: Iterable[Json]) -> dict[str, Json]:
    """Describe the jobs whose summary is not enough: arrays, and jobs that use vCPUs."""
    ids = [
        each["jobId"] for each in summaries if each.get("status") in BUSY or each.get("arrayProperties", {}).get("size")
    ]
    pages = (ids[start : start + DESCRIBE_AT_MOST] for start in range(0, len(ids), DESCRIBE_AT_MOST))
    return {each["jobId"]: each for page in pages for each in clients.batch.describe_jobs(jobs=page)["jobs"]}


def _by_status(summary: Json, details: Mapping[str, Json]) -> dict[str, int]:
    children = details.get(summary["jobId"], {}).get("arrayProperties", {}).get("statusSummary")
    if children is None:
        return {summary["status"]: 1} if "status" in summary else {}
    return {status: children.get(status, 0) for status in ACTIVE}


def _busy(details: Mapping[str, Json]) -> float:
    return sum(
        vcpus_of(each) * sum(count for status, count in _by_status(each, details).items() if status in BUSY)
        for each in details.values()
    )
