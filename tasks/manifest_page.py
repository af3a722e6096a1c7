"""Write the page "The manifest" from the model, so that both always agree: ``make docs``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_infra.manifest.schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE_FILE = Path(__file__).parents[1] / "docs" / "manifest.md"

_OPENING = """\
# The manifest

<!-- Written by `make docs` from the model; changes belong there. -->

One YAML file describes one environment. Paths in the tables are keys inside keys; a key without a default has to be
given, here or in the file that `extends` names: maps merge, lists replace, and an empty value removes an
inherited key. `gen-infra new` writes a first manifest, `gen-infra show` prints each value and where it comes from.

Text is read strictly. Duplicate keys, anchors, aliases, tags, merge keys, second documents and words that YAML readers
disagree on (`NO`, `012`, `12:30:00`) are refused; so are invisible characters, text that is not in Unicode's
form NFC, comments that turn off scanners, and anything that looks like a secret.
"""


def page() -> str:
    """Return the page as the file holds it."""
    document = schema()
    definitions: dict[str, Any] = document["$defs"]
    return "\n".join([_OPENING, *(_section(name, definitions[name]) for name in _in_order("Manifest", definitions))])


def _in_order(name: str, definitions: dict[str, Any]) -> list[str]:
    """Return a definition and those that it leads to, each once, in the order in which they are met."""
    met = [name]
    for current in met:
        met += [other for other in dict.fromkeys(_references(definitions[current])) if other not in met]
    return met


def _references(schema_part: Any) -> Iterator[str]:
    if isinstance(schema_part, dict):
        if "$ref" in schema_part:
            yield _name(schema_part)
        for part in schema_part.values():
            yield from _references(part)
    elif isinstance(schema_part, list):
        for part in schema_part:
            yield from _references(part)


def _section(name: str, definition: dict[str, Any]) -> str:
    lines = [f"## {name}", "", definition["description"], "", "| key | type | default | limits | what it is |"]
    lines.append("|---|---|---|---|---|")
    for key, value in definition["properties"].items():
        cells = (f"`{key}`", _type(value), _default(value), "; ".join(_limits(value)), _meaning(value))
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join([*lines, ""])


def _type(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return f"[{_name(value)}](#{_name(value).lower()})"
    if options := value.get("anyOf"):
        return " or ".join(_type(option) for option in options if option.get("type") != "null")
    if words := value.get("enum"):
        return " or ".join(f"`{word}`" for word in words)
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    if value.get("type") == "object":
        return f"map of names to {_type(value.get('additionalProperties') or {})}"
    words_of = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return words_of.get(value.get("type", ""), "any value")


def _default(value: dict[str, Any]) -> str:
    if "default" not in value:
        return ""
    default = value["default"]
    if default is None or (default and isinstance(default, dict)):
        return "unset" if default is None else "its own"
    return f"`{json.dumps(default)}`"


def _limits(value: dict[str, Any]) -> Iterator[str]:
    for option in value.get("anyOf", ()):
        yield from _limits(option)
    if "minimum" in value and "maximum" in value:
        yield f"{value['minimum']:,} to {value['maximum']:,}"
    for low, high in (("minItems", "maxItems"), ("minProperties", "maxProperties")):
        if low in value:
            yield f"at least {value[low]}"
        if high in value:
            yield f"at most {value[high]}"
    if "patternErrorMessage" in value:
        yield value["patternErrorMessage"].removeprefix("should be ")
    for part, what in (("items", "each"), ("propertyNames", "names"), ("additionalProperties", "values")):
        if isinstance(value.get(part), dict):
            yield from (f"{what}: {limit}" for limit in _limits(value[part]))


def _meaning(value: dict[str, Any]) -> str:
    example = f" Example: `{_text(value['examples'][0])}`." if value.get("examples") else ""
    return " ".join(f"{value.get('description', '')}{example}".split())


def _text(example: object) -> str:
    return example if isinstance(example, str) else json.dumps(example)


def _name(value: dict[str, Any]) -> str:
    return str(value["$ref"]).rpartition("/")[2]


if __name__ == "__main__":
    PAGE_FILE.write_text(page(), encoding="utf-8")
