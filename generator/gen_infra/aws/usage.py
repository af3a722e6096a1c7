"""What the jobs of a run used, and about what that costs: to compare with, not to bill by.

A job's share of an EC2 instance has no price of its own. Fargate sells vCPUs and memory one by one, at about what they
cost in On-Demand instances, so that its list prices are the basis of all estimates.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.job_containers import asked_by
from gen_infra.aws.prices import prices_of, source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gen_infra.aws.session import Clients

_REGION = "us-east-1"
_JOBS_A_CALL = 100
_CALLS_AT_A_TIME = 8
_DIGITS = 6  # a second of one vCPU is 0.000278 hours


@dataclass(frozen=True, slots=True)
class Usage:
    """What jobs had while they ran, times the hours."""

    vcpu_hours: float = 0.0
    memory_gib_hours: float = 0.0
    gpu_hours: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Add up the usage of two jobs."""
        return Usage(
            self.vcpu_hours + other.vcpu_hours,
            self.memory_gib_hours + other.memory_gib_hours,
            self.gpu_hours + other.gpu_hours,
        )

    @property
    def usd(self) -> float | None:
        """Return the estimated cost; None with GPUs, which Fargate does not have."""
        if self.gpu_hours:
            return None
        prices = prices_of(_REGION).services
        vcpu, gib = prices["fargate_vcpu_hour"].usd, prices["fargate_gib_hour"].usd
        return self.vcpu_hours * vcpu + self.memory_gib_hours * gib

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON; ``estimated_usd`` is null with GPUs."""
        return {
            "vcpu_hours": round(self.vcpu_hours, _DIGITS),
            "memory_gib_hours": round(self.memory_gib_hours, _DIGITS),
            "gpu_hours": round(self.gpu_hours, _DIGITS),
            "estimated_usd": None if self.usd is None else round(self.usd, _DIGITS),
        }


def basis() -> str:
    """Say what the estimates are made by, and what they leave out."""
    date = source_of(prices_of(_REGION).services["fargate_vcpu_hour"].source).date
    return (
        f"Fargate's list prices in {_REGION}, {date[:7]}; On-Demand instances cost about the same, Spot less; "
        "instances that wait, disks and traffic are not included"
    )


@aws_errors()
def usage_of_jobs(clients: Clients, jobs: Sequence[str]) -> dict[str, Usage]:
    """Return what jobs used by their ids, as far as AWS Batch still knows them: about a week."""
    parts = [jobs[start : start + _JOBS_A_CALL] for start in range(0, len(jobs), _JOBS_A_CALL)]
    now = datetime.now(UTC)
    with ThreadPoolExecutor(_CALLS_AT_A_TIME) as pool:
        answers = pool.map(lambda part: clients.batch.describe_jobs(jobs=part)["jobs"], parts)
        details: list[Any] = [detail for answer in answers for detail in answer]
    return {detail["jobId"]: usage_of(detail, now) for detail in details}


def usage_of(detail: Mapping[str, Any], now: datetime) -> Usage:
    """Return what a job used in all its attempts, from its entry of DescribeJobs."""
    attempts = [(each.get("startedAt"), each.get("stoppedAt")) for each in detail.get("attempts", ())]
    if detail["status"] == "RUNNING":
        attempts.append((detail.get("startedAt"), now.timestamp() * 1000))
    milliseconds = sum(stopped - started for started, stopped in attempts if started and stopped)
    hours = milliseconds / 3_600_000 * int(detail.get("nodeProperties", {}).get("numNodes", 1))
    vcpus, memory_mib, gpus = (asked_by(detail, kind) for kind in ("VCPU", "MEMORY", "GPU"))
    return Usage(vcpus * hours, memory_mib / 1024 * hours, gpus * hours)


def total(several: Iterable[Usage]) -> Usage | None:
    """Add up what jobs used; None if nothing is known of any."""
    found = list(several)
    return sum(found, Usage()) if found else None
