"""Batch jobs: submit one, directly or through the environment's function; describe, list and watch them."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gen_infra.aws.console import job_url, log_stream_url
from gen_infra.aws.errors import TransientAwsError, aws_errors
from gen_infra.aws.job_containers import container_of, container_of_attempt, containers_of
from gen_infra.aws.retry import Retry
from gen_infra.errors import AwsError, UsageError

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
# What the function raises for an event that it does not accept.
_REFUSALS = {"EventTypeError", "EventValueError", "OtherEnvironmentError"}
# Characters of a submission's overrides as JSON, which ECS checks when Batch starts the job:
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
OVERRIDES_AT_MOST = 8192
_DESCRIBE_AT_MOST = 100  # ids in one DescribeJobs


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """One job to submit.

    Args:
        name: the job's own name.
        queue: the queue's name or ARN.
        definition: ``name``, ``name:revision`` or an ARN; without a revision the newest active one runs.
        command: replaces the definition's command; ``None`` leaves it.
        environment: added to the definition's variables, or in their place.
        parameters: values for ``Ref::name`` in the definition's command.
        depends_on: ids of jobs that must succeed first. For an array also ``ID:N_TO_N`` (each child waits for the same
            child of that array) and ``SEQUENTIAL`` (each child waits for the previous child).
        array_size: makes it an array job with that many children.
        share_identifier: required by a queue with a fair-share policy, refused by any other.
        container: the container of a job of several that command and environment are for.
    """

    name: str
    queue: str
    definition: str
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    array_size: int | None = None
    share_identifier: str | None = None
    container: str | None = None


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
        return {
            key: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
            for key, value in found.items()
        }


# --- submit -----------------------------------------------------------------------------------------------------------


def submit_arguments(request: SubmitRequest) -> dict[str, Any]:
    """Return what SubmitJob is called with; only what the request says, so that the definition's own values stand.

    Limits: https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html

    Raises:
        UsageError: the request breaks a limit that Batch would answer less clearly.
    """
    _check(request)
    overrides: dict[str, Any] = {}
    if request.command is not None:
        overrides["command"] = list(request.command)
    if request.environment:
        overrides["environment"] = [{"name": name, "value": value} for name, value in request.environment.items()]
    length = len(json.dumps(overrides, ensure_ascii=False, separators=(",", ":")))
    if length > OVERRIDES_AT_MOST:
        raise UsageError(
            f"command and environment are {length} characters; AWS Batch accepts {OVERRIDES_AT_MOST} at most",
            hint="put long lists into a file in a bucket, and pass the file's name",
        )
    several = [{"containers": [{"name": request.container, **overrides}]}] if request.container and overrides else []
    optional = {
        "containerOverrides": None if request.container else overrides,
        "ecsPropertiesOverride": {"taskProperties": several} if several else None,
        "dependsOn": [_dependency(word) for word in request.depends_on],
        "parameters": dict(request.parameters),
        "arrayProperties": {"size": request.array_size} if request.array_size is not None else None,
        "shareIdentifier": request.share_identifier,
    }
    return {
        "jobName": request.name,
        "jobQueue": request.queue,
        "jobDefinition": request.definition,
        **{key: value for key, value in optional.items() if value},
    }


@aws_errors()
def submit(clients: Clients, request: SubmitRequest) -> str:
    """Submit the job to Batch and return its id."""
    return clients.batch.submit_job(**submit_arguments(request))["jobId"]


def submit_event(request: SubmitRequest) -> dict[str, Any]:
    """Return the event of the function ``batchSubmitJob-<env>``.

    Raises:
        UsageError: as :func:`submit_arguments`, or the request has what the function does not take.
    """
    if request.array_size is not None or request.share_identifier is not None:
        raise UsageError(
            "the submit function takes neither an array size nor a share identifier",
            hint="leave out --via-function",
        )
    return submit_arguments(request)


@aws_errors()
def submit_via_function(clients: Clients, function_name: str, request: SubmitRequest) -> str:
    """Submit the job by invoking the environment's function, wait for its answer and return the job's id.

    Raises:
        UsageError: the function refused the event.
        AwsError: the function failed, or answered without a job id.
    """
    event = json.dumps(submit_event(request)).encode()
    response = clients.functions.invoke(FunctionName=function_name, Payload=event)
    answer = json.loads(response["Payload"].read() or b"null")
    answer = answer if isinstance(answer, dict) else {}
    if response.get("FunctionError"):
        said = f"{function_name}: {answer.get('errorMessage', 'failed without a message')}"
        if answer.get("errorType") in _REFUSALS:
            raise UsageError(said)
        raise AwsError(said, hint=f"its log group is /aws/lambda/{function_name}")
    if "jobId" not in answer:
        raise AwsError(f"{function_name} answered without a jobId")
    return str(answer["jobId"])


def _check(request: SubmitRequest) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", request.name):
        raise UsageError(
            f'invalid job name "{request.name}": use 1 to 128 letters, digits, "_" and "-", first a letter or digit'
        )
    if request.array_size is not None and not 2 <= request.array_size <= 10_000:
        raise UsageError(f"invalid array size {request.array_size}: use 2 to 10000")
    kinds = {word.rpartition(":")[2] for word in request.depends_on} & {"N_TO_N", "SEQUENTIAL"}
    if kinds and request.array_size is None:
        raise UsageError(f"{' and '.join(sorted(kinds))} is for array jobs", hint="add --array-size")
    if len(request.depends_on) > 20:
        raise UsageError(f"{len(request.depends_on)} dependencies: AWS Batch accepts at most 20")
    for name in request.environment:
        if not re.fullmatch(r"(?!AWS_BATCH)[A-Za-z_][A-Za-z0-9_]*", name):
            raise UsageError(
                f'invalid environment variable "{name}": use letters, digits and "_"; AWS Batch reserves AWS_BATCH…'
            )


def _dependency(word: str) -> dict[str, str]:
    """Convert one dependency: https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDependency.html."""
    job_id, _, kind = word.rpartition(":")
    if kind == "SEQUENTIAL" and not job_id:
        return {"type": kind}
    return {"jobId": job_id, "type": kind} if kind == "N_TO_N" and job_id else {"jobId": word}


# --- look -------------------------------------------------------------------------------------------------------------


@aws_errors()
def describe(clients: Clients, ids: Sequence[str]) -> list[SubmittedJob]:
    """Describe the jobs with these ids, in this order, without those that Batch does not know any more."""
    found: dict[str, SubmittedJob] = {}
    for start in range(0, len(ids), _DESCRIBE_AT_MOST):
        some = list(ids[start : start + _DESCRIBE_AT_MOST])
        details = clients.batch.describe_jobs(jobs=some)["jobs"]
        found |= {detail["jobId"]: job_from(detail, clients.region) for detail in details}
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
    """Return all that Batch knows of one job.

    Raises:
        AwsError: the job does not exist.
    """
    if found := clients.batch.describe_jobs(jobs=[job_id])["jobs"]:
        return found[0]
    raise TransientAwsError(  # so new that Batch does not show it yet, or nowhere
        f'job "{job_id}" not found in {clients.region}',
        hint="run gen-infra jobs to list the jobs; AWS Batch deletes a job about a week after it ends",
    )


def find(clients: Clients, job_id: str) -> SubmittedJob:
    """Return one job.

    Raises:
        AwsError: the job does not exist.
    """
    return job_from(find_detail(clients, job_id), clients.region)


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
