"""Write and read the passwords with which a client logs in at the registry; they stand for an access key.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html#registry-auth-token
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import NamedTuple

USER = "AWS"
VALID_SECONDS = 12 * 3600


class Token(NamedTuple):
    """What a password stands for.

    Args:
        access_key: the id of the access key that asked for it.
        region: the region of the registry.
        expires: in seconds since 1970.
    """

    access_key: str
    region: str
    expires: int


def write(token: Token) -> str:
    """Return the password of a token."""
    return base64.b64encode(json.dumps(token._asdict()).encode()).decode()


def read(authorization: str) -> Token | None:
    """Read an HTTP header ``Authorization: Basic …``; None if it holds no token of this registry."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        given = json.loads(base64.b64decode(password, validate=True))
        token = Token(str(given["access_key"]), str(given["region"]), int(given["expires"]))
    except (binascii.Error, KeyError, TypeError, ValueError):
        return None
    return token if scheme.lower() == "basic" and user == USER else None
