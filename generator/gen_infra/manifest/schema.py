"""The manifest's JSON Schema, for editors: generated from the model; a test compares the file with the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from gen_infra.aws.kinds import KINDS
from gen_infra.aws.updates import REFUSALS
from gen_infra.manifest.model.job import Job
from gen_infra.manifest.model.manifest import Manifest

SCHEMA_FILE = Path(__file__).with_name("manifest.schema.json")


def schema() -> dict[str, Any]:
    """Return the schema of a manifest file: the model and ``extends``, without required keys: a parent is a part."""
    document = msgspec.json.schema(Manifest)
    manifest = document["$defs"]["Manifest"]
    manifest["properties"] = {
        "extends": {
            "type": "string",
            "description": "The parent manifest, in the same folder: maps merge, lists replace, null removes a key.",
        },
        **manifest["properties"],
    }
    del manifest["required"]
    several = {"required": ["containers"], "properties": {"containers": {"minProperties": 1}}}
    document["$defs"]["Job"]["anyOf"] = [{"required": Job.missing_keys({})}, several]
    for name, definition in document["$defs"].items():
        for key, value in definition["properties"].items():
            explained = _explained(value, document["$defs"])
            if fixed := _what_aws_refuses(f"{name}.{key}"):
                explained["description"] = f"{explained['description']} {fixed}"
            definition["properties"][key] = explained
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "gen-infra manifest", **document}


def _explained(value: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a property with the description and examples of its type, unless it has its own."""
    options = [value, *value.get("anyOf", ())]
    options += [definitions[option["$ref"].rpartition("/")[2]] for option in options if "$ref" in option]
    found = {}
    for keyword in ("description", "examples"):
        if inherited := next((option[keyword] for option in options if keyword in option), None):
            found[keyword] = inherited
    return {**found, **value}


def _what_aws_refuses(key: str) -> str:
    """Return which changes of a key replace a resource, in AWS's words; empty if none do."""
    rows = [row for row in REFUSALS if key in row.keys]
    if not rows:
        return ""
    labels = " and the ".join(dict.fromkeys(KINDS[row.type].label for row in rows))
    messages = "; ".join(dict.fromkeys(row.message.rstrip(".") for row in rows))
    new_name = " Only one with a new name keeps what the old one holds." if any(r.needs_new_name for r in rows) else ""
    return f"A change that AWS refuses replaces the {labels}: {messages}.{new_name}"


def text() -> str:
    """Return the schema as text, as in the file."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(text())
