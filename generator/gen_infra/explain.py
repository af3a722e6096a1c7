"""What a plan means, for a person: each resource in Batch's own terms, what happens to it, and what changes in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

Action = Literal["create", "update", "replace", "destroy"]

# Terraform's action lists, https://developer.hashicorp.com/terraform/internals/json-format#change-representation
_ACTIONS: dict[tuple[str, ...], Action] = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "destroy",
    ("create", "delete"): "replace",
    ("delete", "create"): "replace",
}

# Where the name of a thing is, and what people call it. Anything else is shown by its address.
_KINDS = {
    "aws_batch_compute_environment": "compute environment",
    "aws_batch_job_definition": "job definition",
    "aws_batch_job_queue": "job queue",
    "aws_batch_scheduling_policy": "scheduling policy",
    "aws_cloudwatch_log_group": "log group",
    "aws_ecr_repository": "repository",
    "aws_iam_instance_profile": "instance profile",
    "aws_iam_role": "role",
    "aws_kms_alias": "key alias",
    "aws_lambda_function": "function",
    "aws_launch_template": "launch template",
    "aws_sqs_queue": "dead-letter queue",
}
_NAME_KEYS = ("name", "function_name", "compute_environment_name_prefix", "name_prefix")
_SHOWN = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that the plan changes.

    Args:
        address: terraform's address.
        action: ``replace`` makes the new one first where ``new_first`` is true.
        kind: such as ``job queue``; empty for what only has its address.
        name: what AWS shows, else the address.
        details: one line for each attribute that changes, for ``update`` and ``replace``.
    """

    address: str
    action: Action
    new_first: bool
    kind: str
    name: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All changes of a plan, in the plan's order."""

    changes: tuple[Change, ...]

    def count(self, action: Action) -> int:
        """How many resources have this action."""
        return sum(change.action == action for change in self.changes)

    @property
    def sentence(self) -> str:
        """``34 to create, 1 to update, 0 to replace, 0 to destroy``."""
        actions: tuple[Action, ...] = ("create", "update", "replace", "destroy")
        return ", ".join(f"{self.count(action)} to {action}" for action in actions)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "changes": [
                {
                    "address": change.address,
                    "action": change.action,
                    "new_first": change.new_first,
                    "kind": change.kind,
                    "name": change.name,
                    "details": list(change.details),
                }
                for change in self.changes
            ],
            "summary": self.sentence,
        }


def explain(plan: Mapping[str, Any]) -> Summary:
    """The changes in a plan, as ``terraform show -json`` gives it."""
    return Summary(tuple(_changes(plan)))


def _changes(plan: Mapping[str, Any]) -> Iterator[Change]:
    for resource in plan.get("resource_changes", []):
        change = resource["change"]
        action = _ACTIONS.get(tuple(change["actions"]))
        if action is None or resource["mode"] != "managed":
            continue
        kind = _KINDS.get(resource["type"])
        shown = _name(change) if kind else None
        yield Change(
            address=resource["address"],
            action=action,
            new_first=change["actions"] == ["create", "delete"],
            kind=kind if kind and shown else "",
            name=shown or resource["address"],
            details=(*_details(change), *_image_effect(resource)) if action in {"update", "replace"} else (),
        )


def _image_effect(resource: Mapping[str, Any]) -> Iterator[str]:
    """What a new image means for a compute environment, and for the jobs that run in it.

    https://docs.aws.amazon.com/batch/latest/userguide/updating-compute-environments.html
    """
    if resource["type"] != "aws_batch_compute_environment":
        return
    change = resource["change"]
    before, after = _image(change["before"]), _image(change["after"])
    if not after or before == after:
        return
    if change["actions"] == ["update"]:
        policy: Mapping[str, Any] = next(iter(change["after"].get("update_policy") or []), {})
        minutes = policy.get("job_execution_timeout_minutes", 30)  # Batch's own, where there is no policy
        yield f"new image, in place: new instances have it; running jobs get {minutes} minutes to end on the old ones"
    else:
        yield "new image, by a successor: jobs that still run on the old one are lost with it, and retried if they may"


def _image(environment: Mapping[str, Any] | None) -> str:
    """The image that a compute environment names."""
    for resources in (environment or {}).get("compute_resources") or []:
        for configuration in resources.get("ec2_configuration") or []:
            return str(configuration.get("image_id_override") or "")
    return ""


def _name(change: Mapping[str, Any]) -> str | None:
    for state in (change.get("after"), change.get("before")):
        for key in _NAME_KEYS:
            if state and isinstance(state.get(key), str) and state[key]:
                return str(state[key]).removesuffix("-")
    return None


def _details(change: Mapping[str, Any]) -> Iterator[str]:
    before = _hidden(change["before"] or {}, change.get("before_sensitive"))
    after = _hidden(change["after"] or {}, change.get("after_sensitive"))
    unknown = change.get("after_unknown") or {}
    forces = {path[0] for path in change.get("replace_paths") or [] if path}
    for key in sorted({*before, *after, *forces}):
        why = " (forces replacement)" if key in forces else ""
        if unknown.get(key) is True:
            if key in forces:
                yield f"{key}: known after apply{why}"
            continue
        for path, old, new in _differences(key, before.get(key), after.get(key)):
            yield f"{path}: {_show(old)} -> {_show(new)}{why}"


@dataclass(frozen=True, slots=True)
class _Hidden:
    """A sensitive value: it can be compared, not shown."""

    value: Any

    def __str__(self) -> str:
        return "(sensitive)"


def _hidden(value: Any, marks: Any) -> Any:
    """The value with its sensitive parts wrapped; marks have the value's own shape, with true where it is sensitive."""
    if marks is True:
        return _Hidden(value)
    if isinstance(value, dict) and isinstance(marks, dict):
        return {key: _hidden(item, marks.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        return [_hidden(item, mark) for item, mark in zip_longest(value, marks[: len(value)])]
    return value


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """The smallest parts that differ, by path."""
    old, new = _decoded(old), _decoded(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(f"{path}.{key}", old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from _differences(f"{path}[{index}]" if len(old) > 1 else path, left, right)
    elif old != new:
        yield path, old, new


def _decoded(value: Any) -> Any:
    """JSON documents in attributes (policies, container properties) are compared as what they hold."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    text = (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, _Hidden)
        else json.dumps(value, default=str)
    )
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
