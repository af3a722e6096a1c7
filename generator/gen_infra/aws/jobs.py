"""Describe, list and watch Batch jobs."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gen_infra.aws.console import job_url, log_stream_url
from gen_infra.aws.errors import TransientAwsError, aws_errors
from gen_infra.aws.job_containers import container_of, container_of_attempt, containers_of
from gen_infra.aws.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from mypy_boto3_batch.literals import JobStatusType
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

    from gen_infra.aws.session import Clients

# In the order that a job goes through them: https://docs.aws.amazon.com/batch/latest/userguide/job_states.html
STATUSES: tuple[JobStatusType, ...] = (
    "SUBMITTED",
    "PENDING",
    "RUNNABLE",
    "STARTING",
    "RUNNING",
    "SUCCEEDED",
    "FAILED",
)
# Where Batch logs when a definition says nothing: https://docs.aws.amazon.com/batch/latest/userguide/using_awslogs.html
_DEFAULT_LOG_GROUP = "/aws/batch/job"
_DESCRIBE_AT_MOST = 100  # ids in one DescribeJobs
# Of DescribeJobs of the embedded AWS: the ids of jobs whose containers did not run, with commas.
SIMULATED_HEADER = "x-gen-infra-simulated-jobs"


@dataclass(frozen=True, slots=True)
class JobContainer:
    """One container of a job of several, in its last attempt; what has not happened is ``None`` or empty."""

    name: str
    image: str
    exit_code: int | None
    reason: str
    log_stream: str


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """A job as Batch described it; of several attempts the last counts.

    ``queue`` and ``definition`` are short names (``highPriority-prod``, ``isaac-prod:3``). What Batch does not know yet
    is ``None`` or empty: no times before they happen, no log stream before RUNNING. ``log_streams`` are those of every
    attempt, first to last. ``children`` counts an array job's children by status. ``containers`` are those of a job of
    several; its own image, exit code, reason and log stream are those of the first that failed, or is essential.
    ``is_simulated``: the embedded AWS ran no container of it.
    """

    id: str
    name: str
    queue: str
    definition: str
    status: str
    reason: str
    created: datetime | None
    started: datetime | None
    stopped: datetime | None
    exit_code: int | None
    attempts: int
    image: str
    array_size: int | None
    children: Mapping[str, int]
    log_group: str
    log_stream: str
    log_streams: tuple[str, ...]
    console_url: str
    log_url: str
    containers: tuple[JobContainer, ...] = ()
    is_simulated: bool = False

    @property
    def finished(self) -> bool:
        """Return whether it has succeeded or failed."""
        return self.status in {"SUCCEEDED", "FAILED"}

    @property
    def has_started(self) -> bool:
        """Return whether it, or a child of it, runs on an instance."""
        return bool({"STARTING", "RUNNING"} & {self.status, *self.children})

    @property
    def succeeded(self) -> bool:
        """Return whether it has succeeded."""
        return self.status == "SUCCEEDED"

    def to_dict(self) -> dict[str, Any]:
        """Return the same for JSON: times in ISO 8601, UTC."""
        found = asdict(self) | {"log_streams": list(self.log_streams)}
        if containers := found.pop("containers"):
            found["containers"] = list(containers)
        if not found["is_simulated"]:  # on AWS no job is
            del found["is_simulated"]
        return {
            key: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
            for key, value in found.items()
        }


@aws_errors()
def describe(clients: Clients, ids: Sequence[str]) -> list[SubmittedJob]:
    """Describe the jobs with these ids, in this order, without those that Batch does not know any more."""
    found: dict[str, SubmittedJob] = {}
    for start in range(0, len(ids), _DESCRIBE_AT_MOST):
        some = list(ids[start : start + _DESCRIBE_AT_MOST])
        answer = clients.batch.describe_jobs(jobs=some)
        simulated = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(SIMULATED_HEADER, "").split(",")
        for detail in answer["jobs"]:
            job = job_from(detail, clients.region)
            found[job.id] = replace(job, is_simulated=job.id in simulated)
    return [found[job_id] for job_id in ids if job_id in found]


@aws_errors()
def list_jobs(clients: Clients, queues: Iterable[str], statuses: Collection[str] = STATUSES) -> list[SubmittedJob]:
    """List the jobs of these queues in one of these states, newest first; array jobs without their children."""
    ids: dict[str, None] = {}
    pages = clients.batch.get_paginator("list_jobs")
    for queue in queues:
        # In the order of the states: a job that moves on meanwhile is met twice rather than missed.
        for status in (status for status in STATUSES if status in statuses):
            for page in pages.paginate(jobQueue=queue, jobStatus=status):
                ids.update((summary["jobId"], None) for summary in page["jobSummaryList"])
    jobs = [job for job in describe(clients, list(ids)) if job.status in statuses]
    return sorted(jobs, key=lambda job: job.created or datetime.max.replace(tzinfo=UTC), reverse=True)


@aws_errors()
def find_detail(clients: Clients, job_id: str) -> JobDetailTypeDef:
    """Return all that Batch reports about one job.

    Raises:
        AwsError: the job does not exist.
    """
    if found := clients.batch.describe_jobs(jobs=[job_id])["jobs"]:
        return found[0]
    raise _not_found(clients, job_id)


def _not_found(clients: Clients, job_id: str) -> TransientAwsError:
    return TransientAwsError(  # so new that Batch does not show it yet, or nowhere
        f'job "{job_id}" not found in {clients.region}',
        hint="run gen-infra jobs to list the jobs; AWS Batch deletes a job about a week after it ends",
    )


def find(clients: Clients, job_id: str) -> SubmittedJob:
    """Return one job.

    Raises:
        AwsError: the job does not exist.
    """
    for job in describe(clients, [job_id]):
        return job
    raise _not_found(clients, job_id)


def find_logged(clients: Clients, job_id: str) -> SubmittedJob:
    """Find one job; of a multi-node job its main node, because only the nodes have logs.

    Raises:
        AwsError: the job does not exist.
    """
    detail = find_detail(clients, job_id)
    node_id = main_node_id(detail)
    return find(clients, node_id) if node_id else job_from(detail, clients.region)


def watch(
    clients: Clients,
    job_id: str,
    on_change: Callable[[SubmittedJob], None],
    *,
    retry_seconds: float = 120.0,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> SubmittedJob:
    """Follow a job until it has succeeded or failed, and return it as it ended.

    Looks again after 1 to 10 seconds, sooner after a change. Interrupting it stops the watching, not the job.

    Args:
        clients: where the job is.
        job_id: the job; it may be so new that Batch does not show it yet.
        on_change: called with the job as first seen, and when its state or its children's states have changed.
        retry_seconds: for how long calls that AWS does not answer, or throttles, are made again.
        wait: sleeps for some seconds.
        clock: seconds that only increase.
    """
    seen: tuple[object, ...] = ()
    delay = 1.0
    aws = Retry(retry_seconds, clock)
    while True:
        if job := aws.call(lambda: find(clients, job_id)):
            if (job.status, job.children) != seen:
                seen = (job.status, job.children)
                delay = 1.0
                on_change(job)
            if job.finished:
                return job
        wait(delay)
        delay = min(delay * 1.5, 10.0)


def main_node_id(detail: Mapping[str, Any]) -> str | None:
    """Return the id of a multi-node job's main node, ``JOB_ID#0``; None for any other job, and for a node."""
    nodes = detail.get("nodeProperties")
    return f"{detail['jobId']}#{nodes.get('mainNode', 0)}" if nodes and "#" not in detail["jobId"] else None


def job_from(detail: JobDetailTypeDef, region: str) -> SubmittedJob:
    """Return one entry of DescribeJobs as a :class:`SubmittedJob`."""
    container = container_of(detail)
    array = detail.get("arrayProperties", {})
    logs = container.get("logConfiguration", {}).get("options", {})
    group = logs.get("awslogs-group", _DEFAULT_LOG_GROUP)
    stream = container.get("logStreamName", "")
    attempts = detail.get("attempts", [])
    every = containers_of(detail)
    names = [each.get("name", "") for each in every]
    past = (container_of_attempt(attempt, name) for attempt in attempts for name in names)
    streams = [each.get("logStreamName", "") for each in (*past, *every)]
    reasons = dict.fromkeys([detail.get("statusReason", ""), container.get("reason", "")])
    return SubmittedJob(
        id=detail["jobId"],
        name=detail["jobName"],
        queue=detail["jobQueue"].rpartition("/")[2],
        definition=detail["jobDefinition"].rpartition("/")[2],
        status=detail["status"],
        reason=": ".join(reason for reason in reasons if reason),
        created=_time(detail.get("createdAt")),
        started=_time(detail.get("startedAt")),
        stopped=_time(detail.get("stoppedAt")),
        exit_code=container.get("exitCode"),
        attempts=len(attempts),
        image=container.get("image", ""),
        array_size=array.get("size"),
        children={status: count for status, count in array.get("statusSummary", {}).items() if count},
        log_group=group,
        log_stream=stream,
        log_streams=tuple(dict.fromkeys(filter(None, streams))),
        console_url=job_url(region, detail["jobId"]),
        log_url=log_stream_url(region, group, stream) if stream else "",
        containers=tuple(map(_job_container, every)) if len(every) > 1 else (),
    )


def _job_container(container: Mapping[str, Any]) -> JobContainer:
    return JobContainer(
        container.get("name", ""),
        container.get("image", ""),
        container.get("exitCode"),
        container.get("reason", ""),
        container.get("logStreamName", ""),
    )


def _time(milliseconds: int | None) -> datetime | None:
    """Convert Batch's milliseconds since 1970; it sends 0 for what has not happened."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
