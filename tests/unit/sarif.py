"""What SARIF 2.1.0 asks of the parts that gen-infra writes, as a JSON Schema of our own; anything else is refused.

Section numbers are those of https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

from typing import Any


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_TEXT = {"type": "string", "minLength": 1}
_MESSAGE = _object(["text"], text=_TEXT)  # 3.11
_LEVEL = {"enum": ["none", "note", "warning", "error"]}  # 3.27.10
_INDEX = {"type": "integer", "minimum": 0}
_ARTIFACT = _object(["uri"], uri={**_TEXT, "pattern": "^(?![/.]).+"}, uriBaseId=_TEXT)  # 3.4
_PHYSICAL = _object(
    ["artifactLocation"],
    artifactLocation=_ARTIFACT,
    region=_object(["startLine"], startLine={"type": "integer", "minimum": 1}),  # 3.30
)
_LOCATION = _object(
    [],
    physicalLocation=_PHYSICAL,  # 3.29
    logicalLocations=_list(_object(["fullyQualifiedName"], fullyQualifiedName=_TEXT, kind=_TEXT)),  # 3.33
)
_SUPPRESSION = _object(  # 3.35
    ["kind"],
    kind={"enum": ["inSource", "external"]},
    status={"enum": ["accepted", "underReview", "rejected"]},
    justification=_TEXT,
)
_RESULT = _object(  # 3.27
    ["message", "ruleId", "ruleIndex", "level"],
    ruleId=_TEXT,
    ruleIndex=_INDEX,
    level=_LEVEL,
    message=_MESSAGE,
    locations=_list(_LOCATION),
    suppressions=_list(_SUPPRESSION),
)
_RULE = _object(  # 3.49
    ["id"],
    id=_TEXT,
    shortDescription=_MESSAGE,
    help=_MESSAGE,
    helpUri={**_TEXT, "pattern": "^https://"},
    defaultConfiguration=_object([], level=_LEVEL),
    properties={"type": "object"},
)
_DRIVER = _object(["name"], name=_TEXT, version=_TEXT, rules={**_list(_RULE), "uniqueItems": True})  # 3.19
_INVOCATION = _object(  # 3.20
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications=_list(_object(["message"], level=_LEVEL, message=_MESSAGE)),
)
_RUN = _object(  # 3.14
    ["tool"],
    tool=_object(["driver"], driver=_DRIVER),
    invocations=_list(_INVOCATION),
    originalUriBaseIds={"type": "object", "additionalProperties": _object([], description=_MESSAGE)},
    results=_list(_RESULT),
)
SCHEMA = _object(["version", "runs"], **{"$schema": _TEXT}, version={"const": "2.1.0"}, runs=_list(_RUN))  # 3.13
