"""Read numbers and flags however they are written, and remove what looks like a secret from values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from gen_infra.manifest.reading.secrets import is_secret, secrets, secrets_in_value, takes_a_secret

Note: TypeAlias = Callable[[str, str], None]
"""Called with a subject and the rest of the sentence."""

REMOVED = "removed-secret"
ADVICE = "keep it in AWS Secrets Manager, and name its ARN under `secrets`"


def dicts(value: object) -> list[dict[str, Any]]:
    """Return the mappings of a list; none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def flag(value: object) -> bool | None:
    """Read ``True`` and ``"true"`` as True, likewise False; None for anything else."""
    return {"true": True, "false": False}.get(str(value).lower())


def is_empty(value: object) -> bool:
    """Return whether a value sets nothing: none, no text, no items, or off; but a zero is a value."""
    return value is False or value in (None, [], {}, "")


def number(value: object) -> float | None:
    """Read ``"2.0"`` as 2.0; None for anything but a finite number."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def plain(value: object) -> str:
    """Return a value as text, as CloudFormation converts it: flags in lower case, and nothing for null."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def whole(value: object) -> int:
    """Return the number without its fraction, 0 for none."""
    return int(number(value) or 0)


def integer(value: object) -> object:
    """Return a whole number that is written as text as a number; anything else as it is."""
    return int(value) if isinstance(value, str) and re.fullmatch("-?[0-9]{1,12}", value) else value


def typed(value: Any, shape: Any) -> Any:
    """Return the value with the API's types: templates and command lines give numbers and flags as text."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return {key: typed(item, members[key]) if key in members else item for key, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [typed(item, shape.member) for item in value]
    if shape.type_name == "boolean" and flag(value) is not None:
        return flag(value)
    return integer(value) if shape.type_name in ("integer", "long") else value


def holds_a_secret(name: str, value: str) -> bool:
    """Return whether a named value is one that a manifest refuses."""
    return is_secret(name, value) or _contains_secret(value) or any(secrets(name))


def _contains_secret(value: str) -> bool:
    return any(secrets(value)) or any(secrets_in_value(value))


def without_secrets(value: Any, where: str, note: Note) -> Any:
    """Return the value without what a manifest would refuse as a secret, at any depth; note each place."""
    if isinstance(value, dict):
        return _mapping(value, where, note)
    if isinstance(value, list):
        return _list(value, where, note)
    if isinstance(value, str) and _contains_secret(value):
        note(where, f"looks like a secret and is written as {REMOVED}; {ADVICE}")
        return REMOVED
    return value


def _mapping(mapping: dict[str, Any], where: str, note: Note) -> dict[str, Any]:
    kept = {}
    for key, value in mapping.items():
        scalar = not isinstance(value, dict | list)
        if any(secrets(key)) or (scalar and is_secret(key, str(value))):
            note(f"{where}.{key}".lstrip("."), f"looks like a secret and is left out; {ADVICE}")
        elif value is not None:
            kept[key] = without_secrets(value, f"{where}.{key}".lstrip("."), note)
    return kept


def _list(items: list[Any], where: str, note: Note) -> list[Any]:
    """Return the items without a command's secrets, and without pairs of a secret's name and its value."""
    kept: list[Any] = []
    for index, item in enumerate(items):
        place = f"{where}[{index}]"
        before = kept[-1] if kept and index else None
        named = item.get("name", item.get("key")) if isinstance(item, dict) else None
        if isinstance(before, str) and takes_a_secret(before) and _is_secret(before, item):
            note(place, f"looks like a secret and is left out with {kept.pop()}; {ADVICE}")
        elif named is not None and _is_secret(str(named), item.get("value")):
            note(place, f"looks like a secret and is left out; {ADVICE}")
        elif isinstance(item, str) and not _contains_secret(item) and _contains_secret(_command([*kept, item])):
            option = f" with {kept.pop()}" if isinstance(before, str) and before.startswith("-") else ""
            note(place, f"looks like a secret and is left out{option}; {ADVICE}")
        else:
            kept.append(without_secrets(item, place, note))
    return kept


def _command(items: list[Any]) -> str:
    return " ".join(item for item in items if isinstance(item, str))


def _is_secret(name: str, value: object) -> bool:
    return value is not None and not isinstance(value, dict | list) and holds_a_secret(name, str(value))
