"""The manifest's JSON Schema, for editors: made from the model, kept beside it, and tested to be current."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from gen_infra.manifest.model.manifest import Manifest

SCHEMA_FILE = Path(__file__).with_name("manifest.schema.json")


def schema() -> dict[str, Any]:
    """The schema of a manifest file: the model, with ``extends``, and nothing required (a parent is a part)."""
    document = msgspec.json.schema(Manifest)
    manifest = document["$defs"]["Manifest"]
    manifest["properties"] = {
        "extends": {
            "type": "string",
            "description": "One parent in the same folder: maps merge, lists replace, null takes away.",
        },
        **manifest["properties"],
    }
    del manifest["required"]
    for definition in document["$defs"].values():
        for key, value in definition["properties"].items():
            definition["properties"][key] = _explained(value, document["$defs"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "gen-infra manifest", **document}


def _explained(value: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A property with the description and examples of what it may be, where it has none of its own."""
    options = [value, *value.get("anyOf", ())]
    options += [definitions[option["$ref"].rpartition("/")[2]] for option in options if "$ref" in option]
    found = {}
    for keyword in ("description", "examples"):
        if said := next((option[keyword] for option in options if keyword in option), None):
            found[keyword] = said
    return {**found, **value}


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(text())
