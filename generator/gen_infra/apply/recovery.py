"""Recovers from runs that were killed or interrupted: what they left in AWS is not in Terraform's state.

A plan adopts it, see `gen_infra.apply.adoption`. What it cannot adopt is reported after the apply as an orphan; what
has a fixed name makes the apply fail, and the error then says how to import it.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from gen_infra.apply.adoption import named, texts
from gen_infra.apply.orphans import find_orphans
from gen_infra.aws.leftovers import own_names
from gen_infra.aws.owners import other_owner, require_free_names
from gen_infra.aws.tags import ENVIRONMENT_TAG
from gen_infra.errors import GenInfraError, UsageError
from gen_infra.terraform.import_hints import existing, import_hint
from gen_infra.terraform.messages import LOCK_ID, TerraformError
from gen_infra.terraform.plan import applied_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from gen_infra.apply.adoption import Found
    from gen_infra.apply.orphans import Orphan
    from gen_infra.aws.kinds import Part
    from gen_infra.environment import Environment
    from gen_infra.terraform.messages import Event
    from gen_infra.terraform.plan import PlanContent

_MARKER, _LINEAGE = "apply-started.json", ".gen-infra.lineage"
_HINT = "check state: and --out, or restore the state of this environment there"
_OWNER = {"environment": "name", "account": "account", "region": "region"}  # and the members of the applied manifest


class Lock:
    """The lock of a state in a bucket, which terraform holds while it applies.

    Terraform prints its id only to the next run. It is read while the credentials are known to be valid.

    Args:
        environment: whose state it is.
        on_event: receives terraform's steps.
    """

    def __init__(self, environment: Environment, on_event: Callable[[Event], None]) -> None:
        self.id = ""
        self._environment = environment
        self._on_event = on_event
        self._is_read = environment.manifest.state == "local"

    def on_event(self, event: Event) -> None:
        """Read the lock at the first change, and pass the step on; terraform's first messages come before the lock."""
        if event.phase == "start" and not self._is_read:
            self._is_read = True
            with suppress(GenInfraError):  # a hint lacks the id then, and the apply continues
                self.id = self._environment.lock_id()
        self._on_event(event)


@contextmanager
def with_recovery_hints(environment: Environment, lock: Lock) -> Iterator[None]:
    """Add commands to the error of an apply: the import of what exists already, and the id of a lock that is left."""
    try:
        yield
    except TerraformError as error:
        if lock.id:
            error.hint = error.hint.replace(LOCK_ID, lock.id)
        if error.cause == "exists":
            manifest = environment.manifest
            place = {
                "partition": manifest.partition,
                "domain": manifest.dns_suffix,
                "region": manifest.region,
                "account": manifest.account,
            }
            require_free_names(environment.clients, existing(error.diagnostics), manifest.name)
            commands = import_hint(error.diagnostics, environment.terraform().typed, place)
            error.hint = f"if an interrupted run created it, import it, then run the same command again: {commands}"
        raise


def orphans(environment: Environment, state: Mapping[str, Any]) -> tuple[Orphan, ...]:
    """Find what is named as the environment's own, and is not in the state."""
    manifest = environment.manifest
    others: dict[Part, object] = {"workflows": manifest.workflows, "file_systems": manifest.created_file_systems}
    found = find_orphans(
        set(texts(state)),
        environment.clients,
        manifest.name,
        manifest.resource_keys,
        manifest.repositories,
        others=[part for part, has in others.items() if has],
    )
    return tuple(found)


@contextmanager
def marked_as_started(environment: Environment) -> Iterator[None]:
    """Keep a marker beside the rendered files until an apply has succeeded.

    What the run creates before Terraform first writes the state is then known to be this run's, even after SIGKILL.
    """
    marker = _marker(environment)
    marker.write_text(json.dumps(_identity(environment)), encoding="utf-8")
    yield
    marker.unlink(missing_ok=True)


def note_lineage(environment: Environment, state: Mapping[str, Any]) -> None:
    """Note the lineage and the place of the state that was applied, beside the rendered files."""
    noted = {"lineage": state.get("lineage", ""), "place": environment.state_place}
    (environment.root / _LINEAGE).write_text(json.dumps(noted), encoding="utf-8")


def require_own_state(
    environment: Environment, content: PlanContent, lineage: str, found: Found, *, adopt: bool
) -> None:
    """Refuse to plan with a state that is not this environment's.

    Args:
        environment: what is planned.
        content: the plan.
        lineage: the lineage of the state that it was made from, or empty.
        found: what exists of the resources that it creates.
        adopt: whether to adopt these into an empty state, or to go on with a state of another lineage.

    Raises:
        UsageError: the state is of another environment or lineage, or it is empty although the environment's resources
            exist and no interrupted run from this folder has created them.
    """
    if content.has_state:
        require_own_resources(environment, content)
        if not adopt:
            _require_lineage(environment, lineage)
    elif (exist := (*found.resources, *found.ambiguous)) and not adopt and not _was_started(environment):
        name, place = environment.manifest.name, environment.state_place
        raise UsageError(
            f"the state of {name} ({place}) is empty, but {len(exist)} of its resources exist: {named(exist)}",
            hint=f"if {name} was applied before, its state is elsewhere: check state: and --out; if the state is lost, "
            "or the first apply was interrupted on another machine, add --adopt to import them",
        )


def require_own_resources(environment: Environment, content: PlanContent) -> None:
    """Refuse a plan whose state lists another environment's resources, or none with a name of this environment.

    Raises:
        UsageError: it does.
    """
    applied, _ = content.manifests
    _require_own_record(environment, applied)
    if not _owner(applied) and not _has_own_name(environment, content):
        raise _foreign(environment, "something else: none of its resources has a name of this environment")


def require_own_tags(environment: Environment, content: PlanContent) -> None:
    """Refuse a plan that changes, deletes or imports what has the tag of another environment.

    Raises:
        UsageError: it does.
    """
    name = environment.manifest.name
    owned: dict[str, list[str]] = {}
    for each in content.managed_changes:
        tags = {**((each.before or {}).get("tags") or {}), **((each.before or {}).get("tags_all") or {})}
        if owner := other_owner(tags, name):
            owned.setdefault(owner, []).append(each.address)
    if owned:
        found = "; ".join(f"{owner}: {', '.join(addresses)}" for owner, addresses in sorted(owned.items()))
        raise UsageError(
            f"the plan of {name} has resources with the tag {ENVIRONMENT_TAG} of another environment: {found}",
            hint="if they are imported, take them out of existing; else remove them from the state with "
            f"terraform state rm ADDRESS in {environment.terraform_folder}; what nothing else manages, untag",
        )


def require_own_place(environment: Environment) -> None:
    """Refuse a manifest whose state says another name, account or region, or a newer version of the AWS provider.

    That is before terraform looks for its resources, with the wrong account or provider.

    A state that cannot be read is left to terraform, which says what is wrong.

    Raises:
        UsageError: it does.
    """
    record: dict[str, Any] = {}
    with suppress(GenInfraError, OSError, ValueError, LookupError, TypeError):
        record = applied_manifest(json.loads(environment.read_state()))
    _require_own_record(environment, record)
    settings, wanted = record.get("terraform"), environment.manifest.provider.major
    applied = settings.get("aws_provider") if isinstance(settings, dict) else None
    if isinstance(applied, int) and applied > wanted:
        raise UsageError(
            f"{environment.manifest.name} was applied with version {applied} of the AWS provider, and the manifest "
            f"names version {wanted}, which cannot read that state",
            hint=f"set `terraform: {{aws_provider: {applied}}}`; there is no way back",
        )


def _owner(applied: Mapping[str, Any]) -> dict[str, str]:
    return {key: applied[member] for key, member in _OWNER.items() if applied.get(member)}


def _require_own_record(environment: Environment, applied: Mapping[str, Any]) -> None:
    """Compare with the manifest that was applied last, which may be empty."""
    owner, wanted = _owner(applied), _wanted(environment)
    differing = [key for key, value in owner.items() if wanted[key] != value]
    if not differing:
        return
    hint = _HINT
    if differing == ["region"]:
        hint = (
            f"an environment stays in its region: set region: {owner['region']} again; to move it, destroy it first, "
            "or give the environment of the new region another name"
        )
    raise _foreign(environment, _listed(owner), hint)


def _wanted(environment: Environment) -> dict[str, str]:
    manifest = environment.manifest
    return {"environment": manifest.name, "account": manifest.account, "region": manifest.region}


def _foreign(environment: Environment, whose: str, hint: str = _HINT) -> UsageError:
    wanted = _listed(_wanted(environment))
    return UsageError(
        f"the state in {environment.state_place} belongs to {whose}; wanted is that of {wanted}", hint=hint
    )


def _listed(place: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in place.items())


def _require_lineage(environment: Environment, lineage: str) -> None:
    """Compare with the state that was applied last; terraform gives a state that it moves another lineage."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        noted = json.loads((environment.root / _LINEAGE).read_text(encoding="utf-8"))
        applied, is_moved = noted["lineage"], noted["place"] != environment.state_place
        if applied and lineage and applied != lineage and not is_moved:
            raise UsageError(
                f"the state in {environment.state_place} is not the one that was applied from this folder last: its "
                f"lineage is {lineage}, that of the other is {applied}",
                hint="restore that state; if it was replaced on purpose, add --adopt to go on with the new one",
            )


def _has_own_name(environment: Environment, content: PlanContent) -> bool:
    """Return whether anything in the state has a name of this environment, or nothing in it has a name."""
    manifest = environment.manifest
    ours = own_names(manifest.name, manifest.resource_keys, manifest.repositories)
    names = [
        name
        for each in content.prior_resources
        for name in (each.values.get("name"), (each.values.get("tags_all") or {}).get("Name"))
        if name
    ]
    return not names or any(ours.fullmatch(name) for name in names)


def _marker(environment: Environment) -> Path:
    return environment.root / _MARKER


def _identity(environment: Environment) -> dict[str, str]:
    return {**environment.plan_origin("apply").environment}


def _was_started(environment: Environment) -> bool:
    with suppress(OSError, ValueError):
        found: object = json.loads(_marker(environment).read_text(encoding="utf-8"))
        return found == _identity(environment)
    return False
