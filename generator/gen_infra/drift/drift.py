"""Find what was changed in the account outside Terraform, from a plan that only refreshes the state."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gen_infra.aws.kinds import KINDS
from gen_infra.aws.queues import stopped_by_budget
from gen_infra.drift.cloudtrail_events import CloudTrailEvents, events_behind
from gen_infra.drift.unmanaged import unmanaged
from gen_infra.explain import Change, explain_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.terraform.plan import PlanContent, ResourceChange

_GONE = "is gone"
_MEANINGS = {
    ("aws_batch_compute_environment", "update"): "jobs of its queues now run with these settings",
    ("aws_batch_compute_environment", "destroy"): "its queues no longer use it, and jobs that only it could run wait",
    ("aws_batch_job_definition", "update"): "jobs that are submitted now run with these settings",
    ("aws_batch_job_definition", "destroy"): "deregistered: submitted jobs still run, new ones use an older"
    " revision or are refused",
    ("aws_batch_job_queue", "update"): "Batch now schedules waiting jobs with these settings",
    ("aws_batch_job_queue", "destroy"): "jobs cannot be submitted to it",
    ("aws_batch_scheduling_policy", "update"): "Batch now schedules its queue by these shares",
    ("aws_cloudwatch_log_group", "update"): "logs are now kept and encrypted with these settings",
    ("aws_cloudwatch_log_group", "destroy"): "its logs are lost, and jobs and functions that log to it cannot start",
    ("aws_ecr_repository", "destroy"): "its images are lost, and jobs that need them cannot start",
    ("aws_iam_role", "update"): "who can assume the role, or its boundary, has changed at once",
    ("aws_iam_role", "destroy"): "jobs and functions that use it cannot start",
    ("aws_iam_role_policy", "update"): "the role's permissions have changed at once, for running jobs too",
    ("aws_iam_role_policy", "destroy"): "the role has lost these permissions, for running jobs too",
    ("aws_iam_role_policy_attachment", "destroy"): "the role has lost these permissions, for running jobs too",
    ("aws_kms_key", "update"): "who can use the key, or how, has changed at once",
    ("aws_lambda_function", "destroy"): "every call of it fails",
    ("aws_launch_template", "update"): "running instances do not change; the compute environment keeps its version"
    " until apply sets it to the corrected one",
    ("aws_launch_template", "destroy"): "the compute environment cannot start instances",
}


@dataclass(frozen=True, slots=True)
class Drift:
    """One resource in the account that differs from Terraform's state.

    Args:
        address: terraform's address of the resource, or of the one that it belongs to.
        type: terraform's type of that resource.
        action: ``update``, ``destroy``, or ``create`` for what was added outside Terraform.
        kind: such as ``job queue``; empty if the address says more.
        name: the name in AWS, else the address.
        details: one line for each attribute, with its old and new value.
        added: permissions that a role has gained, such as ``s3:DeleteObject on *``.
        removed: permissions that it has lost.
        meaning: the consequence.
        remedy: the command that reverts it; empty if `gen-infra apply` does.
        who: the ARN of who made the change, if known.
        when: the time of the change, as ``2026-01-31T12:00:00Z``, if known.
        events: the CloudTrail events to search for; None if they would not help.
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
    events: CloudTrailEvents | None = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """Return text such as ``job queue high-prod``, or the address."""
        return f"{self.kind} {self.name}".lstrip()

    def to_dict(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {key: value for key, value in asdict(self).items() if key != "events"}


def is_empty(content: PlanContent) -> bool:
    """Return whether the state is empty, so that there is nothing to compare with."""
    return not (content.drift or any(True for _ in content.prior_resources))


def drift(content: PlanContent) -> tuple[Drift, ...]:
    """List every drift in a refresh-only plan, in the plan's order."""
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
            meaning=_meaning(found[change.address], change),
            events=None
            if _is_of_tags(change)
            else events_behind(type_, change.action, found[change.address].before or {}),
        )


def _meaning(entry: ResourceChange, change: Change) -> str:
    after = entry.after or {}
    if stopped := stopped_by_budget(after.get("state"), after.get("tags_all")):
        return (
            f"disabled at {stopped} because the budget was used up: it accepts no new jobs, and those in it still run; "
            "gen-infra apply enables it only with --allow enable-queues"
        )
    return _MEANINGS.get((entry.type, change.action), _GONE if change.action == "destroy" else "")


def _is_of_tags(change: Change) -> bool:
    """Return whether only tags changed, which other API calls do."""
    return bool(change.details) and all(line.startswith(("tags.", "tags:", "tags_all")) for line in change.details)


def _added(content: PlanContent) -> Iterator[Drift]:
    for found in unmanaged(content):
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
            events=found.events,
        )


def _without_ignored(entry: ResourceChange) -> ResourceChange:
    """Return the entry without changes that are not drift."""
    if entry.before is None or entry.after is None:
        return entry
    ignored = KINDS[entry.type].ignored if entry.type in KINDS else frozenset()
    return replace(entry, after=_with_old(entry.before, entry.after, "", ignored))


def _with_old(before: Any, after: Any, path: str, ignored: frozenset[str]) -> Any:
    """Return the new value, but the old one where they are equivalent or ignored; empty and missing are equivalent."""
    if path in ignored or (not before and not after):
        return before
    if isinstance(before, dict) and isinstance(after, dict):
        return {key: _with_old(before.get(key), after[key], f"{path}.{key}".lstrip("."), ignored) for key in after}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [_with_old(old, new, path, ignored) for old, new in zip(before, after, strict=True)]
    return after
