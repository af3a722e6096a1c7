"""Define the data of a report: all that the page shows, and what ``--json`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from gen_infra.aws.alarms import AlarmState
    from gen_infra.check.report import CheckReport
    from gen_infra.cost import CostEstimate, UsdRange
    from gen_infra.cost.history import SpendGroup
    from gen_infra.explain import Summary

Section = Literal["picture", "jobs", "access", "check", "plan", "live", "cost"]
SpanState = Literal["waiting", "starting", "running", "failed"]


@dataclass(frozen=True, slots=True)
class MissingSection:
    """A section that could not be made.

    Args:
        section: which one.
        why: a sentence without full stop.
        hint: what to do about it; may be empty.
    """

    section: Section
    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a file.

    Args:
        file: its name as messages have it; of a rendered file, relative to the environment's folder.
        line: the first line, from 1.
        text: the lines.
    """

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A part of the environment.

    Args:
        id: that of its node in the graph, such as ``job-isaac``.
        kind: such as ``job definition``.
        title: such as ``isaac-prod``.
        details: what the picture says about it.
        change: what the saved plan does to it, such as ``created``; empty for nothing.
        manifest: where the manifest defines it; empty where it is a default.
        terraform: the blocks that are rendered for it.
        roles: the names of the roles that it works with.
    """

    id: str
    kind: str
    title: str
    details: tuple[str, ...]
    change: str
    manifest: tuple[Excerpt, ...]
    terraform: tuple[Excerpt, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FittingType:
    """The instance type of a compute environment on which such a job costs least.

    Args:
        name: such as ``m6i.8xlarge``.
        at_once: how many such jobs fit on an instance.
        vcpus_percent: the part of its vCPUs that they use.
        memory_percent: the part of its usable memory that they use.
        usd_an_hour: the price of the instance with its volumes; None where it is not known.
        usd_a_job_hour: one job's share of it; of a multi-node job all its instances.
    """

    name: str
    at_once: int
    vcpus_percent: float
    memory_percent: float
    usd_an_hour: UsdRange | None
    usd_a_job_hour: UsdRange | None


@dataclass(frozen=True, slots=True)
class FittingCompute:
    """A compute environment that can run a job.

    Args:
        key: its key in the manifest.
        type: ``SPOT``, ``EC2``, ``FARGATE`` or ``FARGATE_SPOT``.
        jobs_in_max_vcpus: how many such jobs ``max_vcpus`` is enough for.
        types: how many instance types can run the job.
        best: the one on which such a job costs least; None on Fargate.
        usd_a_job_hour: what one job costs by the hour: there, or as a task on Fargate; None where it is not known.
    """

    key: str
    type: str
    jobs_in_max_vcpus: int
    types: int
    best: FittingType | None
    usd_a_job_hour: UsdRange | None


@dataclass(frozen=True, slots=True)
class ReportedJob:
    """A job definition, and where its jobs can run."""

    key: str
    definition: str
    queue: str
    vcpus: float
    memory_mib: int
    gpus: int
    nodes: int
    attempts: int
    timeout_minutes: int | None
    places: tuple[FittingCompute, ...]


@dataclass(frozen=True, slots=True)
class AccessTarget:
    """What roles may reach: a bucket below a prefix, a queue or a key.

    ``notes`` say which policy of it is not evaluated, and why.
    """

    kind: Literal["bucket", "queue", "key"]
    title: str
    detail: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessCell:
    """What one role may do with one target.

    Args:
        allowed: such as ``read``.
        conditional: allowed if conditions of the policy are met.
        conditions: these conditions; those under which it is forbidden begin with *not*.
        unknown: allowed or not by what is not known.
        reasons: what that is, and why it is not known.
    """

    allowed: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleStatement:
    """A statement of one of a role's policies."""

    policy: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleAccess:
    """A role, and what it may do.

    Args:
        name: the role's name.
        address: Terraform's address; empty for a role that exists already.
        about: what it is for; may be empty.
        assumed_by: who may assume it.
        cells: one for each target.
        statements: of its policies, as they are rendered.
        notes: what is attached to it and is not evaluated, and why.
    """

    name: str
    address: str
    about: str
    assumed_by: tuple[str, ...]
    cells: tuple[AccessCell, ...]
    statements: tuple[RoleStatement, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessMatrix:
    """Which role may reach what."""

    targets: tuple[AccessTarget, ...]
    roles: tuple[RoleAccess, ...]


@dataclass(frozen=True, slots=True)
class JobSpan:
    """A part of a job's life."""

    state: SpanState
    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Return how long it was."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class JobCause:
    """Why jobs wait or failed, as `gen-infra why` finds it.

    Args:
        name: a word, such as ``out-of-memory``.
        message: one sentence.
        fix: what to do about it.
        jobs: how many jobs are explained by it.
        example: the id of one of them.
    """

    name: str
    message: str
    fix: str
    jobs: int
    example: str


@dataclass(frozen=True, slots=True)
class HistoryJob:
    """A job of the last days.

    Args:
        id: the job's id.
        name: the job's name.
        queue: the queue's name.
        definition: name and revision of its definition.
        status: such as ``RUNNING``.
        created: when it was submitted.
        ended: when it succeeded or failed.
        attempts: how many attempts have ended.
        vcpus: of all its nodes; of an array, those of one child.
        vcpu_hours: of all attempts (of an array, of its children) so far.
        usd: what these have cost, estimated; None: unknown.
        exit_code: of the last attempt.
        reason: what Batch says about its state.
        cause: the name of a :class:`JobCause`; empty for a job that did not fail, or whose cause is not known.
        children: of an array job, its children by state.
        url: its page in the AWS console.
        spans: its life so far, in order.
    """

    id: str
    name: str
    queue: str
    definition: str
    status: str
    created: datetime
    ended: datetime | None
    attempts: int
    vcpus: float
    vcpu_hours: float
    usd: UsdRange | None
    exit_code: int | None
    reason: str
    cause: str
    children: dict[str, int]
    url: str
    spans: tuple[JobSpan, ...]


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue now.

    Args:
        name: its name.
        counts: how many jobs are in each state before the end.
        oldest_runnable: when the job was submitted that has waited longest in RUNNABLE.
        busy_vcpus: vCPUs of its jobs that start or run.
        max_vcpus: the vCPUs that its compute environments may have in all.
        cause: why that job waits; None where none waits, or the cause is not known.
    """

    name: str
    counts: dict[str, int]
    oldest_runnable: datetime | None
    busy_vcpus: float
    max_vcpus: int
    cause: JobCause | None


@dataclass(frozen=True, slots=True)
class ImageNow:
    """A machine image that new instances start from.

    Args:
        source: its id, or the SSM parameter that names it.
        id: its id.
        name: its name in EC2.
        created: when it was built.
    """

    source: str
    id: str
    name: str
    created: datetime


@dataclass(frozen=True, slots=True)
class LiveData:
    """What AWS Batch reports.

    Args:
        since: the jobs are those submitted after it.
        until: when it was asked.
        queues: in the manifest's order.
        jobs: the newest first.
        causes: why jobs failed, the most frequent first.
        unexplained: how many failed jobs were not looked at, or have no known cause.
        spent: how long jobs ran since then, and what that has cost, by job definition.
        alarms: the environment's, those that fire first.
        images: those that new instances start from.
        unseen: what could not be looked up, and why.
    """

    since: datetime
    until: datetime
    queues: tuple[QueueNow, ...]
    jobs: tuple[HistoryJob, ...]
    causes: tuple[JobCause, ...]
    unexplained: int
    spent: tuple[SpendGroup, ...]
    alarms: tuple[AlarmState, ...]
    images: tuple[ImageNow, ...]
    unseen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnvironmentReport:
    """An environment at one point in time; a section that could not be made is None, and is in ``missing``.

    ``picture`` is SVG, with a link to each part.
    """

    name: str
    account: str
    region: str
    manifest_path: str
    version: str
    made: datetime
    picture: str | None
    parts: tuple[ReportPart, ...]
    jobs: tuple[ReportedJob, ...]
    access: AccessMatrix
    check: CheckReport | None
    cost: CostEstimate
    plan: Summary | None
    live: LiveData | None
    missing: tuple[MissingSection, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for JSON: times in ISO 8601, UTC."""
        found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return found | {"cost": self.cost.to_dict(), "plan": self.plan.to_dict() if self.plan else None}
