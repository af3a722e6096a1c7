"""What a plan means, for a person: each resource in Batch's own terms, what happens to it and to the jobs that run.

The plan's JSON goes through three tables: of what a change comes to (:mod:`.rules`), of where permissions are kept
(:mod:`.permissions`), and of what in the manifest is behind it (:mod:`.causes`).
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.kinds import KINDS
from gen_infra.explain.causes import RECORD, ManifestChange, causes
from gen_infra.explain.differences import Difference, differences
from gen_infra.explain.permissions import POLICY_ATTRIBUTES, Permissions, permissions
from gen_infra.explain.rule import Action, Danger, Effect, Facts
from gen_infra.explain.rules import effects

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

__all__ = ["DANGERS", "Action", "Change", "Danger", "ManifestChange", "Summary", "explain"]

# What each danger is, in words; also the values of `gen-infra apply --allow`.
DANGERS: dict[Danger, str] = {"stop-jobs": "stops jobs", "destroy-data": "destroys data"}

# Terraform's action lists, https://developer.hashicorp.com/terraform/internals/json-format#change-representation
_ACTIONS: dict[tuple[str, ...], Action] = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "destroy",
    ("create", "delete"): "replace",
    ("delete", "create"): "replace",
}

_UNFINISHED = (
    Effect(
        "its making was not finished; it is made anew",
        reason="terraform taints what was being made when an apply was stopped or failed",
    ),
)
_KEY = re.compile(r'\["[^"]*"\]|\[\d+\]', re.ASCII)
_NAME_KEYS = ("name", "function_name", "compute_environment_name_prefix", "name_prefix")


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that the plan changes.

    Args:
        address: terraform's address.
        action: ``replace`` makes the new one first where ``new_first`` is true.
        kind: such as ``job queue``; empty for what only has its address.
        name: what AWS shows, else the address.
        details: one line for each attribute that changes, for ``update`` and ``replace``.
        effects: what that comes to, for the resource and for running jobs.
        permissions: what somebody may do after it and not before, or the other way round.
        causes: what was changed in the manifest.
    """

    address: str
    action: Action
    new_first: bool
    kind: str
    name: str
    details: tuple[str, ...]
    effects: tuple[Effect, ...]
    permissions: Permissions
    causes: tuple[ManifestChange, ...]

    @property
    def title(self) -> str:
        """``job queue high-prod``, or the address."""
        return f"{self.kind} {self.name}".lstrip()

    @property
    def how(self) -> str:
        """What is special about a replacement."""
        return " (new one first)" if self.action == "replace" and self.new_first else ""

    @property
    def dangers(self) -> tuple[Danger, ...]:
        """What needs a confirmation of its own."""
        return tuple(danger for danger in DANGERS if any(effect.danger == danger for effect in self.effects))


@dataclass(frozen=True, slots=True)
class Summary:
    """All changes of a plan, in the plan's order.

    Args:
        changes: one for each resource.
        unused: what was changed in the manifest and is behind no change: it has no effect, or an apply that failed
            halfway had carried it out.
    """

    changes: tuple[Change, ...]
    unused: tuple[ManifestChange, ...] = ()

    def count(self, action: Action) -> int:
        """How many resources have this action."""
        return sum(change.action == action for change in self.changes)

    @property
    def sentence(self) -> str:
        """``34 to create, 1 to update, 0 to replace, 0 to destroy``."""
        actions: tuple[Action, ...] = ("create", "update", "replace", "destroy")
        return ", ".join(f"{self.count(action)} to {action}" for action in actions)

    @property
    def dangers(self) -> dict[Danger, list[Change]]:
        """What needs a confirmation of its own, with the changes that are why."""
        found = {danger: [change for change in self.changes if danger in change.dangers] for danger in DANGERS}
        return {danger: changes for danger, changes in found.items() if changes}

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "changes": [_as_dict(change) for change in self.changes],
            "dangers": list(self.dangers),
            "without_effect": [asdict(change) for change in self.unused],
            "summary": self.sentence,
        }


def _as_dict(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "action": change.action,
        "new_first": change.new_first,
        "kind": change.kind,
        "name": change.name,
        "details": list(change.details),
        "effects": [asdict(effect) for effect in change.effects],
        "dangers": list(change.dangers),
        "permissions": {**asdict(change.permissions), "verdict": change.permissions.verdict},
        "causes": [asdict(cause) for cause in change.causes],
    }


def explain(plan: Mapping[str, Any], manifest_changes: Iterable[ManifestChange] = ()) -> Summary:
    """The changes in a plan, as ``terraform show -json`` gives it, next to the manifest's."""
    resources = [
        resource
        for resource in plan.get("resource_changes", [])
        if resource["mode"] == "managed" and resource["address"] != RECORD
    ]
    found = causes(manifest_changes, [resource["address"] for resource in resources if _action(resource)])
    changes = tuple(_changes(resources, found.by_address, _needed(plan.get("prior_state", {}).get("values", {}))))
    return Summary(changes, found.unused)


def _action(resource: Mapping[str, Any]) -> Action | None:
    return _ACTIONS.get(tuple(resource["change"]["actions"]))


def _changes(
    resources: list[Mapping[str, Any]],
    by_address: Mapping[str, tuple[ManifestChange, ...]],
    needed: Collection[str],
) -> Iterator[Change]:
    minutes, own_roles = _minutes(resources), _roles_that_come_or_go(resources)
    for resource in resources:
        change, action, kind = resource["change"], _action(resource), resource["type"]
        if action is None:
            continue
        changed = list(differences(change)) if action in {"update", "replace"} else []
        facts = Facts(change["before"] or {}, change["after"] or {}, minutes)
        row = KINDS.get(kind)
        shown = _name(change, full="deposed" in resource) if row and row.shown_by_name else None
        yield Change(
            address=resource["address"],
            action=action,
            new_first=change["actions"] == ["create", "delete"],
            kind=row.label if row and shown else "",
            name=shown or resource["address"],
            details=tuple(_details(kind, changed)),
            effects=_UNFINISHED if _is_unfinished(resource, needed) else tuple(effects(kind, action, changed, facts)),
            permissions=permissions(kind, change, own_roles),
            causes=by_address.get(resource["address"], ()),
        )


def _is_unfinished(resource: Mapping[str, Any], needed: Collection[str]) -> bool:
    """Whether no job can have come to it yet: the apply that made it did not get to its end, nor to what needs it."""
    is_unused = resource["type"].startswith("aws_batch_") or _KEY.sub("", resource["address"]) not in needed
    return is_unused and resource.get("action_reason") == "replace_because_tainted"


def _needed(state: Mapping[str, Any]) -> frozenset[str]:
    """What something in the state depends on, by its address without ``[…]``."""
    modules, found = [state.get("root_module", {})], set[str]()
    for module in modules:
        modules += module.get("child_modules", [])
        found.update(*(resource.get("depends_on", ()) for resource in module.get("resources", ())))
    return frozenset(found)


def _name(change: Mapping[str, Any], *, full: bool) -> str | None:
    """The name without the digits behind it, unless it is one of several of that name."""
    for state in (change.get("after"), change.get("before")):
        for key in ("compute_environment_name", *_NAME_KEYS) if full else _NAME_KEYS:
            if state and isinstance(state.get(key), str) and state[key]:
                return str(state[key]).removesuffix("-")
    return None


def _details(kind: str, changed: list[Difference]) -> Iterator[str]:
    """What the provider fills in by itself, and policies, which are told as permissions, are left out."""
    for difference in changed:
        is_computed = difference.unknown and not difference.forces and "." not in difference.path
        if not is_computed and difference.path.partition(".")[0] != POLICY_ATTRIBUTES.get(kind):
            yield str(difference)


def _minutes(resources: list[Mapping[str, Any]]) -> dict[str, float]:
    """How long an attempt of each job definition on instances may take, as it is now; for ever without a timeout."""
    found: dict[str, float] = {}
    for resource in resources:
        before = resource["change"]["before"]
        if resource["type"] == "aws_batch_job_definition" and before:
            timeouts: list[dict[str, Any]] = before.get("timeout") or [{}]
            seconds = timeouts[0].get("attempt_duration_seconds")
            if before.get("platform_capabilities") != ["FARGATE"]:
                found[before.get("name", resource["address"])] = seconds / 60 if seconds else float("inf")
    return found


def _roles_that_come_or_go(resources: list[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(
        (resource["change"]["after"] or resource["change"]["before"])["name"]
        for resource in resources
        if resource["type"] == "aws_iam_role" and _action(resource) in {"create", "destroy"}
    )
