"""What is wrong with the definition of a state machine, with the codes of AWS.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

ERROR, WARNING = "ERROR", "WARNING"


class DefinitionError(NamedTuple):
    """A diagnostic of a definition; ``location`` is a path such as ``/States/isaac/Next``, or empty."""

    code: str
    message: str
    location: str = ""
    severity: str = ERROR

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" + (f" at {self.location}" if self.location else "")


def schema_error(message: str, place: str) -> DefinitionError:
    """Return the error of a field that is absent, unknown, or has a wrong value."""
    return DefinitionError("SCHEMA_VALIDATION_FAILED", message, place or "/")


def is_expression(value: object) -> bool:
    """Return whether a value of a definition is an expression."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


@cache
def syntax_error(value: str) -> str:
    """Return why an expression cannot be parsed; empty if it can, or is text."""
    if not is_expression(value):
        return ""
    import jsonata  # few manifests have a workflow

    try:
        jsonata.Jsonata(value.removeprefix("{%").removesuffix("%}"))
    except Exception as error:  # noqa: BLE001 - the library's parser raises several
        return str(error)
    return ""
