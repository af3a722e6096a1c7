"""What the two functions share: their errors, the Batch client, the checks of an event and the log.

The errors' class names are what a Step Functions state sees as ``Error``, so they are part of the interface:
``EventTypeError``, ``EventValueError``, ``NotAllowedError``, ``OtherEnvironmentError`` and ``JobNotFoundError``. What
AWS Batch itself answers passes through under its own name (``ClientException``, ``ServerException``,
``AccessDeniedException``).
"""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

Event: TypeAlias = dict[str, Any]
Field = TypeVar("Field")

_JSON_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
}
_QUOTED_AT_MOST = 150  # characters; the longest name that AWS Batch takes has 128


class EventTypeError(TypeError):
    """A field of the event has the wrong type, or the event itself has."""


class EventValueError(ValueError):
    """A field of the event is missing or has a value that AWS Batch cannot take."""


class NotAllowedError(EventValueError):
    """The event changes of a job what the manifest does not allow."""


class OtherEnvironmentError(EventValueError):
    """The event names a queue or a job definition of another environment."""


class JobNotFoundError(EventValueError):
    """AWS Batch has no such job, or removed it some days after its end."""


@functools.cache
def batch_client() -> BatchClient:
    """Make the client at the first call and keep it for as long as Lambda keeps the process."""
    return boto3.client(
        "batch",
        config=Config(connect_timeout=5, read_timeout=10, retries={"mode": "adaptive", "total_max_attempts": 4}),
    )


def checked(value: object, kind: type[Field], what: str) -> Field:
    """Return ``value`` if it is of that type.

    Raises:
        EventTypeError: naming the types, never the value, which may be a secret.
    """
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        wanted = "a whole number" if kind is int else _JSON_NAMES[kind]
        given = (
            "one with a fraction" if kind is int and isinstance(value, float) else _JSON_NAMES.get(type(value), "null")
        )
        raise EventTypeError(f"{what} must be {wanted}, not {given}")
    return value


def required(event: Event, field: str, where: str = "") -> str:
    """Return the text in a field that must be there.

    Args:
        event: or an object in it.
        field: its key.
        where: that object's place in the event.

    Raises:
        EventTypeError: if it is no string.
        EventValueError: if it is missing or empty.
    """
    place = f"{where}.{field}" if where else field
    if not event.get(field):
        raise EventValueError(f"{place} is missing")
    return checked(event[field], str, place)


def short(given: str) -> str:
    """Return the beginning of a text for a message: an event may have 6 MB."""
    return given if len(given) <= _QUOTED_AT_MOST else f"{given[:_QUOTED_AT_MOST]}…"


def quoted(given: str) -> str:
    """Return a text for a message, in quotes."""
    return repr(short(given))


def log(message: str, **fields: object) -> None:
    """Write one line of JSON to the function's log."""
    sys.stdout.write(json.dumps({"level": "INFO", "message": message, **fields}) + "\n")
