"""What was changed in the account behind Terraform's back, read from a plan that only refreshes the state."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gen_infra.aws.kinds import KINDS
from gen_infra.drift.cloudtrail_events import Trace, trace
from gen_infra.drift.unmanaged import strangers
from gen_infra.explain import Change, explain_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.terraform.plan import PlanContent, ResourceChange

_GONE = "is gone"
_MEANINGS = {
    ("aws_batch_compute_environment", "update"): "jobs of its queues run by these settings now",
    ("aws_batch_compute_environment", "destroy"): "its queues have lost it, and jobs that only it could run wait",
    ("aws_batch_job_definition", "update"): "jobs that are submitted now run by these settings",
    ("aws_batch_job_definition", "destroy"): "deregistered: jobs that were submitted run on, new ones take an older"
    " revision or are refused",
    ("aws_batch_job_queue", "update"): "Batch places the jobs that wait by these settings now",
    ("aws_batch_job_queue", "destroy"): "jobs cannot be submitted to it",
    ("aws_batch_scheduling_policy", "update"): "Batch divides its queue by these shares now",
    ("aws_cloudwatch_log_group", "update"): "what is logged is kept, and encrypted, by these settings now",
    ("aws_cloudwatch_log_group", "destroy"): "its logs are lost, and what logs to it cannot start",
    ("aws_ecr_repository", "destroy"): "its images are lost, and jobs that need them cannot start",
    ("aws_iam_role", "update"): "who may take the role, or how far, has changed at once",
    ("aws_iam_role", "destroy"): "what acts with it cannot start",
    ("aws_iam_role_policy", "update"): "what the role may do has changed at once, for running jobs too",
    ("aws_iam_role_policy", "destroy"): "the role may no longer do what it allowed, running jobs included",
    ("aws_iam_role_policy_attachment", "destroy"): "the role may no longer do what it allowed, running jobs included",
    ("aws_kms_key", "update"): "who may use the key, or how, has changed at once",
    ("aws_lambda_function", "destroy"): "whoever calls it gets an error",
    ("aws_launch_template", "update"): "running instances stay as they are; the compute environment keeps the version"
    " that it was given, so apply also brings it to the mended one",
    ("aws_launch_template", "destroy"): "the compute environment cannot start instances",
}


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing in the account that is not as Terraform left it.

    Args:
        address: terraform's address of it, or of what it belongs to.
        type: terraform's type of that.
        action: what somebody did: ``update``, ``destroy``, or ``create`` for what Terraform knows nothing of.
        kind: such as ``job queue``; empty for what only has its address.
        name: what AWS shows, else the address.
        details: one line for each attribute, as it was and as it is.
        added: what a role may do now and could not, such as ``s3:DeleteObject on *``.
        removed: what it can no longer do.
        meaning: what follows from it.
        remedy: what mends it; empty where `gen-infra apply` does.
        who: the ARN of who did it, where AWS tells.
        when: it was done, as ``2026-01-31T12:00:00Z``, where AWS tells.
        trace: how to find out in CloudTrail; None where that would not tell.
    """

    address: str
    type: str
    action: str
    kind: str
    name: str
    details: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    meaning: str
    remedy: str = ""
    who: str = ""
    when: str = ""
    trace: Trace | None = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """``job queue high-prod``, or the address."""
        return f"{self.kind} {self.name}".lstrip()

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {key: value for key, value in asdict(self).items() if key != "trace"}


def is_empty(content: PlanContent) -> bool:
    """Whether there was nothing in the state to compare with."""
    return not (content.drift or any(True for _ in content.prior_resources))


def drift(content: PlanContent) -> tuple[Drift, ...]:
    """List all that a refresh-only plan found, in the plan's order."""
    return (*_changed(content), *_added(content))


def _changed(content: PlanContent) -> Iterator[Drift]:
    entries = [_without_ignored(entry) for entry in content.drift]
    found = {entry.address: entry for entry in entries if entry.before != entry.after}
    for change in explain_changes(found.values()):
        type_ = found[change.address].type
        yield Drift(
            change.address,
            type_,
            change.action,
            change.kind,
            change.name,
            change.details,
            added=change.permissions.added,
            removed=change.permissions.removed,
            meaning=_MEANINGS.get((type_, change.action), _GONE if change.action == "destroy" else ""),
            trace=None if _is_of_tags(change) else trace(type_, change.action, found[change.address].before or {}),
        )


def _is_of_tags(change: Change) -> bool:
    """Whether only tags changed, which other calls do."""
    return bool(change.details) and all(line.startswith(("tags.", "tags:", "tags_all")) for line in change.details)


def _added(content: PlanContent) -> Iterator[Drift]:
    for found in strangers(content):
        yield Drift(
            found.address,
            found.type,
            "create",
            found.kind,
            found.name,
            details=(),
            added=(),
            removed=(),
            meaning=found.meaning,
            remedy=found.remedy,
            trace=found.trace,
        )


def _without_ignored(entry: ResourceChange) -> ResourceChange:
    """The entry without what is no drift."""
    if entry.before is None or entry.after is None:
        return entry
    ignored = KINDS[entry.type].ignored if entry.type in KINDS else frozenset()
    return replace(entry, after=_with_old(entry.before, entry.after, "", ignored))


def _with_old(before: Any, after: Any, path: str, ignored: frozenset[str]) -> Any:
    """What there is now, with the old value where that is the same or no drift; an empty value is as good as none."""
    if path in ignored or (not before and not after):
        return before
    if isinstance(before, dict) and isinstance(after, dict):
        return {key: _with_old(before.get(key), after[key], f"{path}.{key}".lstrip("."), ignored) for key in after}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [_with_old(old, new, path, ignored) for old, new in zip(before, after, strict=True)]
    return after
