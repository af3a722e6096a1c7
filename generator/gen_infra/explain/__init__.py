"""Explains a plan in Batch's own terms: what happens to each resource and to the jobs that run.

Four tables are applied to the plan's changes: the effects of a change (:mod:`.rules`), what it gives power over
(:mod:`.powers`), where permissions are kept (:mod:`.permissions`), and which change of the manifest causes it
(:mod:`.causes`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from gen_infra.aws.kinds import KINDS
from gen_infra.explain.causes import ManifestChange, causes
from gen_infra.explain.differences import Difference, differences
from gen_infra.explain.permissions import POLICY_ATTRIBUTES, Permissions, permissions
from gen_infra.explain.powers import NOTHING_KNOWN, Known, gained_powers
from gen_infra.explain.refused import overlaps, refused_replacement, update_refusals
from gen_infra.explain.role_policies import losing_role, policies_to_put_first
from gen_infra.explain.rule import Action, Danger, Effect, Facts
from gen_infra.explain.rules import TAGS, effects
from gen_infra.tools.addresses import bare

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gen_infra.explain.role_policies import NewPolicy
    from gen_infra.terraform.plan import PlanContent, ResourceChange

__all__ = ["DANGERS", "Action", "Change", "Danger", "ManifestChange", "Summary", "explain"]

# What each danger is, in words; also the values of `gen-infra apply --allow`.
DANGERS: dict[Danger, str] = {
    "stop-jobs": "stops jobs",
    "destroy-data": "destroys data",
    "host-access": "gives jobs access to their hosts",
    "other-roles": "uses roles that gen-infra did not create",
    "root-scripts": "runs scripts as root on hosts",
    "access": "changes who may use the environment",
    "enable-queues": "enables queues that were disabled because the budget was used up",
}

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
        "its creation was not finished; it is created again",
        reason="terraform taints what an apply was creating when it was stopped or failed",
    ),
)
_SAME = (
    Effect(
        "nothing changes: the same settings are written once more",
        reason="the provider stores what it imports in another form than what it is given",
    ),
)
_NAME_KEYS = ("name_prefix", "name", "function_name")
_FULL_NAME_KEYS = ("name", "function_name", "name_prefix")


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that the plan changes.

    Args:
        address: terraform's address.
        action: ``replace`` makes the new one first where ``new_first`` is true.
        kind: such as ``job queue``; empty for what only has its address.
        name: what AWS shows, else the address.
        details: one line for each attribute that changes, for ``update`` and ``replace``.
        effects: what happens to the resource and to running jobs.
        permissions: what is allowed after it and not before, or the other way round.
        causes: what was changed in the manifest.
        impossible: why no apply can make the change; empty for all others.
        successor: what the new one is called, for a replacement of something with an unlike name.
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
    impossible: str = ""
    successor: str = ""

    @property
    def title(self) -> str:
        """Return text such as ``job queue high-prod``, or the address."""
        return f"{self.kind} {self.name}".lstrip()

    @property
    def how(self) -> str:
        """Return what is special about a replacement, such as `` by spot-lab (new one first)``."""
        successor = f" by {self.successor}" if self.successor else ""
        return successor + (" (new one first)" if self.action == "replace" and self.new_first else "")

    @property
    def dangers(self) -> tuple[Danger, ...]:
        """Return what needs a separate confirmation."""
        return tuple(danger for danger in DANGERS if any(effect.danger == danger for effect in self.effects))


@dataclass(frozen=True, slots=True)
class Adopted:
    """One resource that exists, and that the plan imports.

    Args:
        address: terraform's address.
        kind: such as ``NAT gateway``.
        name: its name, or its address.
        id: what AWS calls it.
        by: whether the manifest's section ``existing`` lists it, or an interrupted run left it.
        change: ``nothing``, ``tags``, or ``more``, which is in the changes of the plan.
    """

    address: str
    kind: str
    name: str
    id: str
    by: Literal["manifest", "interrupted run"] = "interrupted run"
    change: Literal["nothing", "tags", "more"] = "nothing"

    @property
    def sentence(self) -> str:
        """Return text such as ``takes over job queue highPriority-lab, unchanged but for tags``."""
        changed = {
            "nothing": "unchanged", "tags": "unchanged but for tags", "more": "and changes it as shown below"
        }  # fmt: skip
        return f"takes over {self.kind} {self.name}, {changed[self.change]}"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" ({self.id})" if self.id not in self.name else "")


@dataclass(frozen=True, slots=True)
class Summary:
    """All changes of a plan, in the plan's order.

    Args:
        changes: one for each resource.
        unused: what was changed in the manifest and causes no change: it has no effect, or an apply that failed
            halfway had carried it out.
        adopted: what exists in AWS already, and is imported; if something changes for that, it is in ``changes`` too.
    """

    changes: tuple[Change, ...]
    unused: tuple[ManifestChange, ...] = ()
    adopted: tuple[Adopted, ...] = ()

    def count(self, action: Action) -> int:
        """Return how many resources have this action."""
        return sum(change.action == action for change in self.changes)

    @property
    def sentence(self) -> str:
        """Return ``34 to create, 1 to update, 0 to replace, 0 to destroy``, and ``14 to adopt`` if any are."""
        actions: tuple[Action, ...] = ("create", "update", "replace", "destroy")
        parts = [f"{self.count(action)} to {action}" for action in actions]
        return ", ".join([*parts, *([f"{len(self.adopted)} to adopt"] if self.adopted else [])])

    @property
    def impossible(self) -> list[Change]:
        """Return what no apply can carry out."""
        return [change for change in self.changes if change.impossible]

    @property
    def dangers(self) -> dict[Danger, list[Change]]:
        """Return what needs a separate confirmation, with the changes that are why."""
        found = {danger: [change for change in self.changes if danger in change.dangers] for danger in DANGERS}
        return {danger: changes for danger, changes in found.items() if changes}

    def to_dict(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {
            "changes": [_as_dict(change) for change in self.changes],
            "adopted": [asdict(each) for each in self.adopted],
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
        "impossible": change.impossible,
    }


def explain(
    content: PlanContent,
    manifest_changes: Iterable[ManifestChange] = (),
    known: Known = NOTHING_KNOWN,
    taken_over: Collection[str] = (),
) -> Summary:
    """Explain the changes of a plan, next to the manifest's.

    Args:
        content: the plan.
        manifest_changes: what was changed in the manifest.
        known: what is known of the environment, which is no danger.
        taken_over: the addresses that are imported because the manifest says so.
    """
    resources = content.managed_changes
    found = causes(manifest_changes, [resource.address for resource in resources if _action(resource)])
    changes = tuple(explain_changes(resources, found.by_address, content.needed_addresses, known))
    return Summary(changes, found.unused, tuple(_adopted(resources, taken_over)))


def _adopted(resources: Iterable[ResourceChange], taken_over: Collection[str]) -> Iterator[Adopted]:
    for resource in resources:
        if resource.import_id:
            row, tags = KINDS.get(resource.type), (resource.after or {}).get("tags") or {}
            name = _name(resource) or tags.get("Name") or resource.address
            changed = {each.path.partition(".")[0] for each in _differences(resource)} if _action(resource) else set()
            yield Adopted(
                resource.address,
                row.label if row else resource.type,
                name,
                resource.import_id,
                "manifest" if resource.address in taken_over else "interrupted run",
                "more"
                if changed - TAGS or resource.actions not in {("no-op",), ("update",)}
                else "tags"
                if changed
                else "nothing",
            )


def _differences(resource: ResourceChange) -> list[Difference]:
    """List what changes, but for what only the provider calls a change.

    It imports a queue's compute environments as a list, and stores them as blocks with their order.
    """
    found = list(differences(resource))
    if not (resource.import_id and resource.type == "aws_batch_job_queue"):
        return found
    after = (resource.after or {}).get("compute_environment_order") or []
    ordered = [each["compute_environment"] for each in sorted(after, key=lambda each: each["order"])]
    if ordered != (resource.before or {}).get("compute_environments"):
        return found
    return [each for each in found if not each.path.startswith(("compute_environments", "compute_environment_order"))]


def explain_changes(
    resources: Collection[ResourceChange],
    by_address: Mapping[str, tuple[ManifestChange, ...]] = MappingProxyType({}),
    needed: Collection[str] = (),
    known: Known = NOTHING_KNOWN,
) -> Iterator[Change]:
    """Explain changes of resources.

    Args:
        resources: all of them, with those that stay as they are.
        by_address: what was changed in the manifest, by the address of the resource that changes for it.
        needed: the addresses, without indexes, that something in the state depends on.
        known: what is no danger; the environment's own roles are those of ``resources``.
    """
    minutes, own_roles = _minutes(resources), _roles_that_come_or_go(resources)
    known = replace(known, own_roles=_own_roles(resources))
    put_first = policies_to_put_first(resources)
    taken = {
        each.address: each.before for each in resources if each.type == "aws_subnet" and each.before and _goes(each)
    }
    for resource in resources:
        action, kind = _action(resource), resource.type
        if action is None:
            continue
        changed = _differences(resource) if action in {"update", "replace"} else []
        before, after, is_adopted = resource.before or {}, resource.after or {}, bool(resource.import_id)
        facts = Facts(before, after, minutes, update_refusals(resource), is_adopted)
        row = KINDS.get(kind)
        shown = _name(resource) if row and row.shown_by_name else None
        old, successor = _renamed(resource) if action == "replace" and shown else ("", "")
        impossible = (*refused_replacement(resource), *overlaps(resource, taken))
        met = _UNFINISHED if _is_unfinished(resource, needed) else tuple(effects(kind, action, changed, facts))
        if is_adopted and action == "update" and not changed:
            met = _SAME
        yield Change(
            address=resource.address,
            action=action,
            new_first=resource.actions == ("create", "delete"),
            kind=row.label if row and shown else "",
            name=old or shown or resource.address,
            details=tuple(_details(kind, changed)),
            effects=(*impossible, *met, *_kept_rights(resource, put_first), *gained_powers(kind, before, after, known)),
            permissions=permissions(resource, own_roles),
            causes=by_address.get(resource.address, ()),
            impossible="; ".join(effect.text for effect in impossible),
            successor=successor,
        )


def _kept_rights(resource: ResourceChange, put_first: Iterable[NewPolicy]) -> Iterator[Effect]:
    """Say which policies a role has got before it loses this one."""
    if names := [each.name for each in put_first if each.role == losing_role(resource)]:
        yield Effect(
            f"after the role has its new policies, {', '.join(names)}: what they allow is never interrupted",
            reason="apply puts them first; terraform alone creates and deletes in any order, also if a creation fails",
        )


def _goes(resource: ResourceChange) -> bool:
    return "delete" in resource.actions


def _action(resource: ResourceChange) -> Action | None:
    return _ACTIONS.get(resource.actions)


def _is_unfinished(resource: ResourceChange, needed: Collection[str]) -> bool:
    """Return whether no job can use it yet: the apply that created it stopped before it created what needs it."""
    is_unused = resource.type.startswith("aws_batch_") or bare(resource.address) not in needed
    return is_unused and resource.reason == "replace_because_tainted"


def _name(resource: ResourceChange) -> str | None:
    """Return the name without its generated digits, unless there are several of that name."""
    keys = _FULL_NAME_KEYS if resource.is_deposed or resource.import_id else _NAME_KEYS
    for state in (resource.after, resource.before):
        for key in keys:
            if state and isinstance(state.get(key), str) and state[key]:
                return str(state[key]).removesuffix("-")
    return None


def _renamed(resource: ResourceChange) -> tuple[str, str]:
    """Return the old name and the new one if the old one does not begin with the new prefix: it was adopted."""
    old, prefix = (resource.before or {}).get("name"), (resource.after or {}).get("name_prefix")
    if not old or not prefix or old.startswith(prefix):
        return "", ""
    return old, prefix.removesuffix("-")


def _details(kind: str, changed: list[Difference]) -> Iterator[str]:
    """Leave out what the provider computes, and policies, which are explained as permissions."""
    for difference in changed:
        is_computed = difference.unknown and not difference.forces and "." not in difference.path
        if not is_computed and difference.path.partition(".")[0] != POLICY_ATTRIBUTES.get(kind):
            yield str(difference)


def _minutes(resources: Iterable[ResourceChange]) -> dict[str, float]:
    """Return how long an attempt of each job definition on instances may take now; infinity without a timeout."""
    found: dict[str, float] = {}
    for resource in resources:
        before = resource.before
        if resource.type == "aws_batch_job_definition" and before:
            timeouts: list[dict[str, Any]] = before.get("timeout") or [{}]
            seconds = timeouts[0].get("attempt_duration_seconds")
            if before.get("platform_capabilities") != ["FARGATE"]:
                found[before.get("name", resource.address)] = seconds / 60 if seconds else float("inf")
    return found


def _own_roles(resources: Iterable[ResourceChange]) -> frozenset[str]:
    """Return the roles and instance profiles that exist afterwards, each as ``/path/name``."""
    return frozenset(
        f"{resource.after.get('path') or '/'}{resource.after.get('name')}"
        for resource in resources
        if resource.type in {"aws_iam_role", "aws_iam_instance_profile"} and resource.after
    )


def _roles_that_come_or_go(resources: Iterable[ResourceChange]) -> frozenset[str]:
    return frozenset(
        (resource.after or resource.before or {})["name"]
        for resource in resources
        if resource.type == "aws_iam_role" and _action(resource) in {"create", "destroy"}
    )
