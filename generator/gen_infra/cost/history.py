"""What jobs have cost, from AWS Batch's history and the places where they ran: an estimate by list prices."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gen_infra.aws.job_containers import asked_by, containers_of
from gen_infra.aws.job_history import cluster_of, hosts_of
from gen_infra.cost.amounts import UsdRange, as_json, total
from gen_infra.cost.hourly import fargate_price, instance_price, volumes_price
from gen_infra.cost.jobs import share
from gen_infra.manifest.instances import named
from gen_infra.manifest.placements import Demand, fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gen_infra.aws.session import Json
    from gen_infra.cost.amounts import Total
    from gen_infra.manifest.model.manifest import Manifest

GroupBy = Literal["job", "queue", "tag", "workflow", "sample"]
NONE = "(none)"
_MILLISECONDS = 3_600_000
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class JobSpend:
    """What one job has cost, without its parent if it is a child of an array or a node.

    Args:
        id: the job.
        name: its name.
        job: the key of its definition in the manifest, or the definition's name.
        queue: the key of its queue in the manifest.
        tags: its tags.
        sample: the first input of its run, or its parameter ``sample``; empty without.
        hours: how long its attempts ran, in the time that was asked about.
        vcpus: what it requests.
        usd: None: unknown.
        is_certain: whether AWS still knows what it ran on; else the price is that of any type that can run it.
    """

    id: str
    name: str
    job: str
    queue: str
    tags: Mapping[str, str]
    sample: str
    hours: float
    vcpus: float
    usd: UsdRange | None
    is_certain: bool

    def group(self, by: GroupBy, tag: str) -> str:
        """Return the group that it belongs to."""
        match by:
            case "job":
                return self.job
            case "queue":
                return self.queue
            case "tag":
                return self.tags.get(tag, NONE)
            case "workflow":
                return self.tags.get("gen-infra:workflow", NONE)
        return self.sample or NONE


@dataclass(frozen=True, slots=True)
class SpendGroup:
    """What the jobs of a group have cost together.

    Args:
        name: such as the job's key.
        jobs: how many there are.
        vcpu_hours: their vCPUs times the hours that they ran.
        usd: the sum; the unknown are names of jobs.
        uncertain: the jobs whose instance is no longer known.
    """

    name: str
    jobs: int
    vcpu_hours: float
    usd: Total
    uncertain: int

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {
            "name": self.name,
            "jobs": self.jobs,
            "vcpu_hours": round(self.vcpu_hours, _DIGITS),
            "usd": None if self.usd.unknown and not self.usd.usd.high else as_json(self.usd.usd),
            "jobs_of_unknown_price": len(self.usd.unknown),
            "jobs_of_unknown_instance_type": self.uncertain,
        }


def spends(
    manifest: Manifest, details: Iterable[Json], types: Mapping[str, str], since: datetime, now: datetime
) -> list[JobSpend]:
    """Estimate what jobs have cost since a time.

    Args:
        manifest: the environment.
        details: the jobs' entries of DescribeJobs.
        types: the instance types of ECS container instances by their ARN, see :func:`.job_history.instance_types`.
        since: the time from which on their attempts count.
        now: the time until which a running attempt counts.
    """
    history = _History(manifest, types, since.timestamp() * 1000, now.timestamp() * 1000)
    return [found for detail in details if (found := history.spend(detail)).hours]


@dataclass(frozen=True, slots=True)
class _History:
    """What is known beside the jobs: see :func:`spends`; times are in milliseconds."""

    manifest: Manifest
    types: Mapping[str, str]
    begin: float
    end: float
    priced: dict[_Alike, UsdRange | None] = field(default_factory=dict)  # many jobs are alike

    def spend(self, detail: Json) -> JobSpend:
        """Estimate what a job has cost."""
        hours, parts, is_certain = 0.0, [], True
        for started, stopped, place in hosts_of(detail):
            attempt_hours = max(min(stopped or self.end, self.end) - max(started, self.begin), 0) / _MILLISECONDS
            hours += attempt_hours
            usd_an_hour, is_known = self._usd_an_hour(detail, place)
            is_certain &= is_known
            parts.append((detail["jobId"], usd_an_hour * attempt_hours if usd_an_hour else None))
        usd, manifest, tags = total(parts), self.manifest, detail.get("tags") or {}
        definition, queue = _name(detail.get("jobDefinition", "")).partition(":")[0], _name(detail.get("jobQueue", ""))
        key = definition.removesuffix(f"-{manifest.name}")
        is_own = key in manifest.jobs and manifest.definition_name(key) == definition
        return JobSpend(
            id=detail["jobId"],
            name=detail.get("jobName", ""),
            job=key if is_own else _adopted_job(manifest, definition),
            queue=next((key for key in manifest.queues if manifest.queue_name(key) == queue), queue),
            tags={**tags, **_workflow(manifest, tags)},
            sample=_sample(detail, tags),
            hours=hours,
            vcpus=asked_by(detail, "VCPU"),
            usd=None if usd.unknown else usd.usd,
            is_certain=is_certain,
        )

    def _usd_an_hour(self, detail: Json, place: str) -> tuple[UsdRange | None, bool]:
        """Return what a job costs by the hour at a place, and whether it is known what it runs on there."""
        usd: UsdRange | None = None
        instance_type = self.types.get(place, "")
        is_known = bool(instance_type)
        for key in _computes(self.manifest, cluster_of(place), _name(detail.get("jobQueue", ""))):
            compute = self.manifest.compute[key]
            if compute.is_fargate:
                is_known = bool(place)
                price = _task_price(self.manifest.region, detail, is_spot=compute.type == "FARGATE_SPOT")
            else:
                price = self._share_price(_Alike(key, instance_type, _needs(detail), "#" in detail["jobId"]))
            if price:
                usd = usd | price if usd else price
        return usd, is_known

    def _share_price(self, job: _Alike) -> UsdRange | None:
        """Return what a share of an instance costs by the hour; without its type, on any type that fits."""
        if job in self.priced:
            return self.priced[job]
        manifest, compute = self.manifest, self.manifest.compute[job.compute]
        volumes = volumes_price(manifest.region, manifest.image_of(job.compute))
        candidates = named(job.instance_type) or [each for each, _ in fitting(compute.instance_types, job.needs)]
        hours = [
            (price + volumes) * (1 if job.is_node else share(job.needs, each))
            for each in candidates
            if volumes and (price := instance_price(manifest.region, each.name, compute))
        ]
        self.priced[job] = reduce(or_, hours) if hours else None
        return self.priced[job]


class _Alike(NamedTuple):
    """What decides the price of a job on an instance; a node has an instance for itself."""

    compute: str
    instance_type: str
    needs: Demand
    is_node: bool


def _needs(detail: Json) -> Demand:
    vcpus, memory_mib, gpus = (asked_by(detail, kind) for kind in ("VCPU", "MEMORY", "GPU"))
    return Demand(max(math.ceil(vcpus), 1), max(int(memory_mib), 1), int(gpus))


def _adopted_job(manifest: Manifest, definition: str) -> str:
    """Return the key of a job whose definition has another name; the definition's name if it is not the manifest's."""
    return next((key for key in manifest.adopted.jobs if manifest.definition_name(key) == definition), definition)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _workflow(manifest: Manifest, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag of a job's workflow with the workflow's key: ``germline-prod`` -> ``germline``."""
    workflow = tags.get("gen-infra:workflow")
    return {"gen-infra:workflow": workflow.removesuffix(f"-{manifest.name}")} if workflow else {}


def _sample(detail: Json, tags: Mapping[str, str]) -> str:
    """Return the sample of a job: what follows the step in its name, or its parameter ``sample``."""
    step, name = tags.get("gen-infra:step"), detail.get("jobName", "")
    if step and name.startswith(f"{step}-"):
        return str(name.removeprefix(f"{step}-"))
    return str((detail.get("parameters") or {}).get("sample", ""))


def _computes(manifest: Manifest, cluster: str, queue: str) -> list[str]:
    """Return the compute environment of a cluster, which AWS Batch names after it; else all of the queue."""
    for key in manifest.compute:
        given = manifest.adopted.compute.get(key)
        own = f"{key}-{manifest.name}-"
        if cluster.startswith((f"AWSBatch-{given}-", f"{given}_Batch_") if given else (f"AWSBatch-{own}", own)):
            return [key]
    queues = [each for key, each in manifest.queues.items() if manifest.queue_name(key) == queue]
    return [key for each in queues for key in each.compute]


def _task_price(region: str, detail: Json, *, is_spot: bool) -> UsdRange | None:
    container = containers_of(detail)[0]
    return fargate_price(
        region,
        asked_by(detail, "VCPU"),
        asked_by(detail, "MEMORY") / 1024,
        (container.get("ephemeralStorage") or {}).get("sizeInGiB", 0),
        on_arm=(container.get("runtimePlatform") or {}).get("cpuArchitecture") == "ARM64",
        is_spot=is_spot,
    )


def groups(found: Iterable[JobSpend], by: GroupBy, tag: str = "") -> list[SpendGroup]:
    """Add up what jobs have cost, most expensive first.

    Args:
        found: the jobs.
        by: what they are grouped by.
        tag: with ``tag``, its key.
    """
    members: dict[str, list[JobSpend]] = {}
    for each in found:
        members.setdefault(each.group(by, tag), []).append(each)
    sums = [
        SpendGroup(
            name,
            len(several),
            sum(each.vcpus * each.hours for each in several),
            total((each.id, each.usd) for each in several),
            sum(not each.is_certain for each in several),
        )
        for name, several in members.items()
    ]
    return sorted(sums, key=lambda each: (-each.usd.usd.high, each.name))


def usual_hours(manifest: Manifest, jobs: Iterable[Json]) -> dict[str, float]:
    """Return how long a successful attempt of each job usually takes, the median, by the job's key.

    Args:
        manifest: the environment.
        jobs: their entries of ListJobs or DescribeJobs; those that have not succeeded, and arrays, do not count.
    """
    keys = {manifest.definition_name(key): key for key in manifest.jobs}
    found: dict[str, list[float]] = {}
    for each in jobs:
        key = keys.get(_name(each.get("jobDefinition", "")).partition(":")[0])
        started, stopped = each.get("startedAt"), each.get("stoppedAt")
        is_array = bool(each.get("arrayProperties", {}).get("size"))
        if key and started and stopped and each.get("status") == "SUCCEEDED" and not is_array:
            found.setdefault(key, []).append((stopped - started) / _MILLISECONDS)
    return {key: median(hours) for key, hours in found.items()}
