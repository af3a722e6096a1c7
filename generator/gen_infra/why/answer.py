"""Answers why a job waits or has failed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.jobs import job_from
from gen_infra.why.gather import gather, gather_end
from gen_infra.why.table import causes

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.aws.jobs import SubmittedJob
    from gen_infra.aws.session import Clients, Json
    from gen_infra.manifest import Manifest
    from gen_infra.why.evidence import Cause


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to why a job waits or has failed.

    Args:
        job: the job as Batch describes it.
        causes: the causes that were found, the first one first.
        looked: what was checked.
        unseen: what could not be looked at, and why.
    """

    job: SubmittedJob
    causes: tuple[Cause, ...]
    looked: tuple[str, ...]
    unseen: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Return whether it runs or has succeeded, so that there is nothing to explain."""
        return self.job.status in {"RUNNING", "SUCCEEDED"} and not self.causes

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {
            "job": self.job.to_dict(),
            "causes": [asdict(cause) for cause in self.causes],
            "looked_at": list(self.looked),
            "not_seen": list(self.unseen),
        }


def explain(clients: Clients, manifest: Manifest, manifest_path: Path, job_id: str) -> Answer:
    """Gather the evidence about a job, and try every cause on it.

    Raises:
        AwsError: Batch has no such job, or the call failed.
    """
    evidence, notes = gather(clients, manifest, manifest_path, job_id)
    job: Any = evidence.job  # boto3's own type for it is a dict
    return Answer(job_from(job, clients.region), causes(evidence), tuple(notes.looked), tuple(notes.unseen))


def explain_end(clients: Clients, manifest: Manifest, manifest_path: Path, detail: Json) -> Cause | None:
    """Return the first cause of a failed job that its entry of DescribeJobs, its log and its jobs show; None: unknown.

    Raises:
        AwsError: AWS cannot be reached.
    """
    return next(iter(causes(gather_end(clients, manifest, manifest_path, detail))), None)
