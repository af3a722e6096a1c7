"""The end of presigned URLs of S3.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_SIGNED_AT = "%Y%m%dT%H%M%SZ"


def is_expired(environ: WSGIEnvironment) -> bool:
    """Return whether a request is by a presigned URL whose time has ended, or is not readable."""
    given = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    try:
        if "X-Amz-Credential" in given:
            signed = datetime.strptime(given["X-Amz-Date"], _SIGNED_AT).replace(tzinfo=UTC)
            return signed.timestamp() + int(given["X-Amz-Expires"]) < time.time()
        return "AWSAccessKeyId" in given and int(given["Expires"]) < time.time()
    except (KeyError, ValueError):
        return True
