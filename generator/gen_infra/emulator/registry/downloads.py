"""Answer the URLs of GetDownloadUrlForLayer, with which anyone gets one layer for an hour without logging in.

ECR's are presigned URLs of a bucket of its own:
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_VALID_SECONDS = 3600
_PATH = re.compile(r"/prod-[a-z0-9-]+-starport-layer-bucket/(sha256:[0-9a-f]{64})")
_SECRET = secrets.token_bytes(32)


def download_path(region: str, digest: str) -> str:
    """Return the path and the query with which a layer can be downloaded."""
    path, expires = f"/prod-{region}-starport-layer-bucket/{digest}", int(time.time()) + _VALID_SECONDS
    return f"{path}?Expires={expires}&Signature={_signature(path, str(expires))}"


def downloaded_layer(environ: WSGIEnvironment) -> str | None:
    """Return the digest of the layer that a request may download; empty without a valid signature, None for others."""
    found = _PATH.fullmatch(environ["PATH_INFO"])
    if not found or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return None
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    expires = query.get("Expires", "")
    is_signed = hmac.compare_digest(query.get("Signature", ""), _signature(environ["PATH_INFO"], expires))
    return found[1] if is_signed and int(expires) >= time.time() else ""


def _signature(path: str, expires: str) -> str:
    return hmac.new(_SECRET, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()
