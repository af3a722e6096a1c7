"""Read what AWS Batch does now, and what it did in the last days: queues, jobs, and why jobs wait or failed."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.aws.alarms import alarm_states
from gen_infra.aws.images import find, named_image
from gen_infra.aws.job_history import hosts_of, instance_types, jobs_since, jobs_submitted_since
from gen_infra.aws.jobs import job_from
from gen_infra.aws.queues import listed, queue_states, vcpus_of
from gen_infra.cost.amounts import total
from gen_infra.cost.history import groups, spends
from gen_infra.errors import AwsError, GenInfraError, UsageError
from gen_infra.report.data import HistoryJob, ImageNow, JobCause, JobSpan, LiveData, QueueNow
from gen_infra.why import explain, explain_end
from gen_infra.why.gather import Notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from gen_infra.aws.jobs import SubmittedJob
    from gen_infra.aws.queues import QueueState
    from gen_infra.aws.session import Clients, Json
    from gen_infra.cost.history import JobSpend
    from gen_infra.manifest import Manifest
    from gen_infra.why.evidence import Cause

_EXPLAINED = 200  # failed jobs; each needs a call or two
_AT_A_TIME = 4
_LIVE = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


def live_data(clients: Clients, manifest: Manifest, manifest_path: Path, since: datetime, until: datetime) -> LiveData:
    """Ask AWS Batch about an environment's queues and jobs; nothing is changed.

    Raises:
        AwsError: the queues do not exist, a call is not allowed, or AWS cannot be reached.
    """
    notes = Notes(clients)
    names = [manifest.queue_name(key) for key in manifest.queues]
    states = queue_states(clients, names)
    names = [state.queue for state in states]
    details: Sequence[Any] = jobs_submitted_since(clients, names, since)
    ran = jobs_since(clients, names, since)
    places = {place for each in ran for _, _, place in hosts_of(each)}
    types = notes.look("instance types of jobs", "ecs", instance_types, places) or {}
    spent = spends(manifest, ran, types, since, until)
    causes = _causes(clients, manifest, manifest_path, details)
    parts = _Parts.of(ran, spent)
    alarms = notes.look("alarms", "cloudwatch", alarm_states, manifest.alarms) if manifest.alarms else None
    images = notes.look("machine images", "ec2", _images, manifest)
    return LiveData(
        since=since,
        until=until,
        queues=tuple(_queue(clients, manifest, manifest_path, state) for state in states),
        jobs=tuple(_job(each, clients.region, causes.by_job.get(each["jobId"], ""), parts, until) for each in details),
        causes=causes.found,
        unexplained=causes.unexplained,
        spent=tuple(groups(spent, "job")),
        alarms=tuple(sorted(alarms or (), key=lambda each: each.state != "ALARM")),
        images=tuple(images or ()),
        unseen=tuple(notes.unseen),
    )


class _Parts(NamedTuple):
    """The parts of each job that ran, and what they have cost: itself, the children of an array, or nodes."""

    details: Mapping[str, list[Json]]
    spends: Mapping[str, list[JobSpend]]

    @classmethod
    def of(cls, details: Iterable[Json], spent: Iterable[JobSpend]) -> _Parts:
        """Group them by the id of their parent."""
        found: defaultdict[str, list[Json]] = defaultdict(list)
        costs: defaultdict[str, list[JobSpend]] = defaultdict(list)
        for each in details:
            found[_parent(each["jobId"])].append(each)
        for spend in spent:
            costs[_parent(spend.id)].append(spend)
        return cls(found, costs)


def _parent(job_id: str) -> str:
    """Return the id of an array or a multi-node job: ``ID:7`` and ``ID#0`` -> ``ID``."""
    return job_id.partition(":")[0].partition("#")[0]


def _images(clients: Clients, manifest: Manifest) -> list[ImageNow]:
    """Return the images of EC2 instances that exist."""
    found = []
    for source in dict.fromkeys(image.run_source for image in manifest.own_images().values()):
        try:
            image_id = named_image(clients, source) if source.startswith("/") else source
        except UsageError as error:  # the parameter may be a secret
            raise AwsError(error.message) from error
        if image_id and (image := find(clients, image_id)):
            found.append(ImageNow(source, image.id, image.name, image.created))
    return found


def _queue(clients: Clients, manifest: Manifest, manifest_path: Path, state: QueueState) -> QueueNow:
    oldest = min(listed(clients, state.queue, ["RUNNABLE"]), key=lambda each: each.get("createdAt", 0), default=None)
    cause = _cause_of_wait(clients, manifest, manifest_path, oldest["jobId"]) if oldest else None
    return QueueNow(
        name=state.queue,
        counts=dict(state.counts),
        oldest_runnable=state.oldest_runnable,
        busy_vcpus=state.busy_vcpus,
        max_vcpus=state.max_vcpus,
        cause=_as_cause(cause, 1, oldest["jobId"]) if cause and oldest else None,
    )


class _Causes(NamedTuple):
    """The causes of failures, the cause of each job by its id, and how many have none that is known."""

    found: tuple[JobCause, ...]
    by_job: Mapping[str, str]
    unexplained: int


def _cause_of_wait(clients: Clients, manifest: Manifest, manifest_path: Path, job_id: str) -> Cause | None:
    try:
        return next(iter(explain(clients, manifest, manifest_path, job_id).causes), None)
    except GenInfraError:  # it has ended meanwhile, and AWS Batch does not show it any more
        return None


def _causes(clients: Clients, manifest: Manifest, manifest_path: Path, details: Iterable[Any]) -> _Causes:
    """Explain the newest failed jobs, each by its own attempts and log."""
    failed = [each for each in details if each["status"] == "FAILED"]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        causes = pool.map(lambda each: explain_end(clients, manifest, manifest_path, each), failed[:_EXPLAINED])
        explained = [(each["jobId"], cause) for each, cause in zip(failed, causes, strict=False) if cause]
    found: dict[str, JobCause] = {}
    for job_id, cause in explained:
        known = found.get(cause.name) or _as_cause(cause, 0, job_id)
        found[cause.name] = replace(known, jobs=known.jobs + 1)
    ordered = sorted(found.values(), key=lambda each: -each.jobs)
    by_job = {job_id: cause.name for job_id, cause in explained}
    return _Causes(tuple(ordered), by_job, len(failed) - len(by_job))


def _as_cause(cause: Cause, jobs: int, example: str) -> JobCause:
    return JobCause(cause.name, cause.message, cause.fix, jobs, example)


def _job(detail: Any, region: str, cause: str, parts: _Parts, until: datetime) -> HistoryJob:
    job = job_from(detail, region)
    spans = _of_array(job, parts.details.get(job.id, ()), until) if job.array_size else job_spans(detail, until)
    spent = parts.spends.get(job.id, [])
    usd = total((each.id, each.usd) for each in spent)
    return HistoryJob(
        id=job.id,
        name=job.name,
        queue=job.queue,
        definition=job.definition,
        status=job.status,
        created=job.created or until,
        ended=job.stopped if job.finished else None,
        attempts=job.attempts,
        vcpus=vcpus_of(detail),
        vcpu_hours=round(sum(each.vcpus * each.hours for each in spent), 4),
        usd=None if usd.unknown else usd.usd,
        exit_code=job.exit_code,
        reason=job.reason,
        cause=cause,
        children=dict(job.children),
        url=job.console_url,
        spans=tuple(spans),
    )


def job_spans(detail: Json, until: datetime) -> Iterator[JobSpan]:
    """Yield the parts of a job's life from an entry of DescribeJobs.

    AWS Batch keeps no time at which a job became STARTING: while an attempt starts, its whole wait is shown as such; of
    an attempt that ran, the start is a part of its wait.
    """
    at, status = _time(detail.get("createdAt")), detail["status"]
    attempts = detail.get("attempts", [])
    for number, attempt in enumerate(attempts, start=1):
        stopped = _time(attempt.get("stoppedAt") or detail.get("stoppedAt"))
        started = _time(attempt.get("startedAt")) if attempt.get("startedAt") else stopped
        is_last = number == len(attempts) and status == "SUCCEEDED"
        yield JobSpan("waiting" if attempt.get("startedAt") else "starting", at, max(at, started))
        if attempt.get("startedAt"):
            yield JobSpan("running" if is_last else "failed", started, max(started, stopped))
        at = max(at, stopped)
    if status in _LIVE:
        started = _time(detail.get("startedAt")) if status == "RUNNING" and detail.get("startedAt") else until
        yield JobSpan("starting" if status == "STARTING" else "waiting", at, max(at, started))
        if status == "RUNNING":
            yield JobSpan("running", started, max(started, until))
    elif not attempts:  # a multi-node job, whose nodes have the attempts, or one that never started
        stopped = _time(detail.get("stoppedAt")) if detail.get("stoppedAt") else until
        started = _time(detail.get("startedAt")) if detail.get("startedAt") else stopped
        yield JobSpan("waiting", at, max(at, started))
        if started < stopped:
            yield JobSpan("running" if status == "SUCCEEDED" else "failed", started, stopped)


def _of_array(job: SubmittedJob, children: Iterable[Json], until: datetime) -> Iterator[JobSpan]:
    """Yield the wait for the first child, and the time in which children ran."""
    created, end = job.created or until, job.stopped or until
    ran = [
        (_time(started), _time(stopped) if stopped else until)
        for child in children
        for started, stopped, _ in hosts_of(child)
    ]
    first = min((started for started, _ in ran), default=end)
    yield JobSpan("waiting", created, max(created, first))
    if ran:
        yield JobSpan("failed" if job.status == "FAILED" else "running", first, max(stopped for _, stopped in ran))


def _time(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC)
