"""What a plan says: the one reader of ``terraform show -json``.

The shape of the JSON: https://developer.hashicorp.com/terraform/internals/json-format. Attributes have their names of
version 6 of the AWS provider, whichever version made the plan.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gen_infra.terraform.source import UNKNOWN, Resource
from gen_infra.tools.addresses import bare
from gen_infra.tools.versions import RENAMED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECORD = "terraform_data.manifest"
"""The address of the resource that keeps the manifest as it was applied last."""

_NOTES = frozenset({RECORD, "terraform_data.scheduling"})
_NOTES_OF_MODULE = (".terraform_data.type", ".terraform_data.type_trigger")  # of version 5, of 6

_COMPUTE_ENVIRONMENT = "aws_batch_compute_environment"
_JOB_DEFINITION = "aws_batch_job_definition"
_REGION = "region"
_KNOWN_AFTER_APPLY = "known after apply"


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a plan does to one resource, or what a refresh found changed.

    Args:
        address: such as ``module.network.aws_vpc.this[0]``.
        type: such as ``aws_vpc``.
        actions: terraform's own words, such as ``("create", "delete")``.
        before: the attributes now; None where there is no such resource.
        after: the attributes afterwards, as far as they are known; None where it is deleted.
        after_unknown: true in place of each value that only the apply will know.
        before_sensitive: true in place of each sensitive value of ``before``.
        after_sensitive: the same for ``after``.
        replace_paths: the attributes that force a replacement.
        reason: why this action, such as ``replace_because_tainted``.
        is_deposed: whether an earlier run has created its successor already.
        import_id: the id of what exists in AWS and is imported, so that it is not created; empty for all others.
        is_managed: whether it is a resource, and not a data source.
    """

    address: str
    type: str
    actions: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    after_unknown: Mapping[str, Any] = field(default_factory=dict)
    before_sensitive: Any = None
    after_sensitive: Any = None
    replace_paths: tuple[tuple[str | int, ...], ...] = ()
    reason: str = ""
    is_deposed: bool = False
    import_id: str = ""
    is_managed: bool = True

    @property
    def planned(self) -> dict[str, Any]:
        """Return the attributes afterwards, with `UNKNOWN` for those known after apply; empty where it is deleted."""
        planned: dict[str, Any] = _with_unknowns(self.after, self.after_unknown) if self.after is not None else {}
        return planned

    @property
    def has_effect(self) -> bool:
        """Return whether it changes anything in AWS."""
        return self.actions not in {("no-op",), ("read",)}


@dataclass(frozen=True)
class PlanContent:
    """A plan as ``terraform show -json`` prints it."""

    raw: Mapping[str, Any] = field(repr=False)

    @property
    def is_errored(self) -> bool:
        """Return whether the run that made it failed halfway."""
        return bool(self.raw.get("errored"))

    @cached_property
    def changes(self) -> tuple[ResourceChange, ...]:
        """Return what happens to each resource and data source, in the plan's order."""
        return tuple(map(_resource_change, self.raw.get("resource_changes", ())))

    @property
    def managed_changes(self) -> tuple[ResourceChange, ...]:
        """Return the same for resources alone, without those that exist in Terraform's state alone."""
        return tuple(each for each in self.changes if each.is_managed and not is_note(each.address))

    @property
    def drift(self) -> tuple[ResourceChange, ...]:
        """Return what a refresh found to differ from the state, likewise."""
        found = map(_resource_change, self.raw.get("resource_drift", ()))
        return tuple(each for each in found if each.is_managed and not is_note(each.address))

    @property
    def has_changes(self) -> bool:
        """Return whether a resource or an output changes, or a resource is imported; the notes do not count."""
        outputs = (tuple(each["actions"]) for each in self.raw.get("output_changes", {}).values())
        return any(each.has_effect or each.import_id for each in self.changes if not is_note(each.address)) or any(
            actions != ("no-op",) for actions in outputs
        )

    @property
    def imports(self) -> dict[str, str]:
        """Return what it imports: address to id."""
        return {change.address: change.import_id for change in self.changes if change.import_id}

    @property
    def manifests(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return the manifest that was applied last, and the one that is planned; empty where there is none."""
        for change in self.changes:
            if change.address == RECORD:
                before, after = ((state or {}).get("input") or {} for state in (change.before, change.after))
                return before, after
        return {}, {}

    # --- states -------------------------------------------------------------------------------------------------------

    @property
    def prior_resources(self) -> Iterator[Resource]:
        """Yield every managed resource of the state that was compared with, after its refresh."""
        for resource in _listed(self.raw.get("prior_state", {}).get("values", {}).get("root_module", {})):
            if resource["mode"] == "managed":
                values = _renamed(resource["type"], resource["values"])
                yield Resource(resource["type"], resource["address"], values)

    @property
    def has_state(self) -> bool:
        """Return whether the state has resources, beside those that the plan imports."""
        return any(resource.address not in self.imports for resource in self.prior_resources)

    @property
    def needed_addresses(self) -> frozenset[str]:
        """Return the addresses, without indexes, that a resource of the state depends on."""
        root = self.raw.get("prior_state", {}).get("values", {}).get("root_module", {})
        return frozenset(needed for resource in _listed(root) for needed in resource.get("depends_on", ()))

    @property
    def planned_resources(self) -> Iterator[Resource]:
        """Yield every managed resource as it will be, with `UNKNOWN` for what only the apply will know."""
        for change in self.changes:
            if change.is_managed and change.after is not None:
                yield Resource(change.type, change.address, change.planned)

    def with_stated_unknowns(self) -> dict[str, Any]:
        """Return the JSON with a text for each attribute that the configuration sets and only the apply will know.

        The ARN of a key that the same run creates is such a value; to checkov its absence means "not encrypted". What
        the configuration leaves out stays out.
        """
        stated = dict(_stated_attributes(self.raw["configuration"]["root_module"], ""))
        filled: dict[str, Any] = json.loads(json.dumps(self.raw))
        changes = {change.address: change for change in self.changes}
        for resource in _listed(filled["planned_values"]["root_module"]):
            unknown = changes[resource["address"]].after_unknown
            names = [name for name in stated.get(bare(resource["address"]), ()) if unknown.get(name) is True]
            resource["values"] |= dict.fromkeys(names, _KNOWN_AFTER_APPLY)
        return filled

    # --- compute environments and job definitions that go -------------------------------------------------------------

    @property
    def deleted_environments(self) -> dict[str, str]:
        """Return the compute environments that it deletes, replaced or not: full name to address."""
        return {
            change.before["name"]: change.address
            for change in self.changes
            if change.type == _COMPUTE_ENVIRONMENT and "delete" in change.actions and change.before
        }

    @property
    def deletes_more_than_environments(self) -> bool:
        """Return whether it deletes something else too, such as a role."""
        return any("delete" in change.actions and change.type != _COMPUTE_ENVIRONMENT for change in self.changes)

    @property
    def has_replaced_environment(self) -> bool:
        """Return whether it deletes a compute environment whose successor an earlier run has created."""
        return any(change.type == _COMPUTE_ENVIRONMENT and change.is_deposed for change in self.changes)

    @property
    def deleted_job_definitions(self) -> list[str]:
        """Return the names of the job definitions that it deletes and does not register again."""
        return [
            change.before["name"]
            for change in self.changes
            if change.type == _JOB_DEFINITION and change.actions == ("delete",) and change.before
        ]

    @property
    def deleted_roles(self) -> list[str]:
        """Return the ARNs of the roles that it deletes and does not create again."""
        return [
            change.before["arn"]
            for change in self.changes
            if change.type == "aws_iam_role" and change.actions == ("delete",) and change.before
        ]

    @property
    def addresses_that_stay(self) -> tuple[str, ...]:
        """Return the addresses of what it creates, updates or replaces."""
        return tuple(address for address, actions in self._effects() if actions - {"delete"})

    def is_part_of(self, other: PlanContent) -> bool:
        """Return whether it does nothing that the other plan does not do."""
        planned: dict[str, set[str]] = {}
        for address, actions in other._effects():
            planned.setdefault(address, set()).update(actions)
        return all(actions <= planned.get(address, set()) for address, actions in self._effects())

    def _effects(self) -> Iterator[tuple[str, set[str]]]:
        for change in self.changes:
            yield change.address, {*change.actions} - {"no-op", "read"}


def applied_manifest(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest that a state file keeps; empty where it keeps none.

    Raises:
        LookupError, TypeError: it is no state of Terraform.
    """
    for resource in state["resources"]:
        if f"{resource['type']}.{resource['name']}" == RECORD and resource["instances"]:
            return dict(resource["instances"][0]["attributes"]["input"]["value"])
    return {}


def addresses(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield the address of each managed resource of a state file."""
    for resource in state.get("resources", ()):
        if resource["mode"] == "managed":
            module = f"{resource['module']}." if resource.get("module") else ""
            for instance in resource["instances"]:
                key = instance.get("index_key")
                index = "" if key is None else f"[{json.dumps(key)}]"
                yield f"{module}{resource['type']}.{resource['name']}{index}"


def is_note(address: str) -> bool:
    """Return whether it is the address of what exists in Terraform's state alone, and is no change by itself."""
    return address in _NOTES or address.endswith(_NOTES_OF_MODULE)


def _resource_change(entry: Mapping[str, Any]) -> ResourceChange:
    change, type_ = entry["change"], entry["type"]
    actions = tuple(change["actions"])
    before, after, unknown, before_sensitive, after_sensitive = (
        _renamed(type_, change.get(part))
        for part in ("before", "after", "after_unknown", "before_sensitive", "after_sensitive")
    )
    if _gets_region(before, after, unknown):
        after, unknown = ({key: part[key] for key in part if key != _REGION} for part in (after, unknown or {}))
        before = {key: before[key] for key in before if key != _REGION}
        if actions == ("update",) and before == after and not _is_marked(unknown):
            actions = ("no-op",)
    names = RENAMED.get(type_, {})
    return ResourceChange(
        address=entry["address"],
        type=type_,
        actions=actions,
        before=before,
        after=after,
        after_unknown=unknown or {},
        before_sensitive=before_sensitive,
        after_sensitive=after_sensitive,
        replace_paths=tuple(
            tuple(names.get(step, step) for step in path) for path in change.get("replace_paths") or ()
        ),
        reason=entry.get("action_reason", ""),
        is_deposed="deposed" in entry,
        import_id=change.get("importing", {}).get("id", ""),
        is_managed=entry.get("mode", "managed") == "managed",
    )


def _renamed(type_: str, value: Any) -> Any:
    """Give the attributes of a resource, or the marks of its attributes, their names of version 6 of the provider."""
    names = RENAMED.get(type_)
    return {names.get(key, key): item for key, item in value.items()} if names and isinstance(value, dict) else value


def _gets_region(before: Any, after: Any, unknown: Any) -> bool:
    """Return whether the state has no region yet: in version 6 of the provider each resource has one, in 5 none."""
    return (
        isinstance(before, dict)
        and isinstance(after, dict)
        and before.get(_REGION) is None
        and bool(after.get(_REGION) or (unknown or {}).get(_REGION))
    )


def _is_marked(marks: Any) -> bool:
    """Return whether any value is marked with true."""
    items = marks.values() if isinstance(marks, dict) else marks if isinstance(marks, list) else ()
    return marks is True or any(map(_is_marked, items))


def _listed(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every resource of a module and of those below it."""
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _listed(child)


def _stated_attributes(module: Mapping[str, Any], path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Map addresses without indexes to the attributes that their block sets."""
    for resource in module.get("resources", ()):
        yield f"{path}{resource['address']}", tuple(resource.get("expressions", ()))
    for name, call in module.get("module_calls", {}).items():
        yield from _stated_attributes(call["module"], f"{path}module.{name}.")


def _with_unknowns(value: Any, unknown: Any) -> Any:
    """Put `UNKNOWN` where ``after_unknown`` says that terraform will know only after apply."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        known = value if isinstance(value, dict) else {}
        return known | {name: _with_unknowns(known.get(name), mark) for name, mark in unknown.items()}
    if isinstance(unknown, list) and isinstance(value, list) and len(unknown) == len(value):
        return [_with_unknowns(item, mark) for item, mark in zip(value, unknown, strict=True)]
    return value
