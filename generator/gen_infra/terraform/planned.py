"""What a plan says, in the shape in which the checks know resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.terraform.source import UNKNOWN, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def read_plan(plan: Mapping[str, Any]) -> Iterator[Resource]:
    """Every managed resource of a plan (``terraform show -json``) as it will be."""
    for change in plan["resource_changes"]:
        after = change["change"].get("after")
        if change["mode"] == "managed" and isinstance(after, dict):
            values = _with_unknowns(after, change["change"].get("after_unknown") or {})
            yield Resource(change["type"], change["address"], values)


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
