"""The ECS credentials endpoint: a container gets credentials of its job role from 169.254.170.2.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gen_infra.emulator.containers.network import CREDENTIALS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/v2/credentials/"
_HOURS = 1

Session = Callable[[], Mapping[str, str]]  # makes a session of a role, and returns its environment variables


class IssuedCredentials:
    """The roles of the containers that run, by a token that only the container knows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roles: dict[str, tuple[str, Session]] = {}

    def add(self, role: str, session: Session) -> str:
        """Give a role to the containers of a node; return the path of its credentials."""
        path = f"{PATH}{secrets.token_urlsafe(24)}"
        with self._lock:
            self._roles[path] = role, session
        return path

    def remove(self, path: str) -> None:
        """Take it back when the containers have ended."""
        with self._lock:
            self._roles.pop(path, None)

    def answer(self, path: str) -> dict[str, str] | None:
        """Return new credentials for a path; None if it is not known."""
        with self._lock:
            role, session = self._roles.get(path, ("", None))
        if session is None:
            return None
        variables = session()
        expiration = datetime.now(UTC) + timedelta(hours=_HOURS)
        return {
            "RoleArn": role,
            "AccessKeyId": variables["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": variables["AWS_SECRET_ACCESS_KEY"],
            "Token": variables["AWS_SESSION_TOKEN"],
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


ISSUED = IssuedCredentials()


class CredentialsEndpoint:
    """WSGI middleware that answers what containers send to 169.254.170.2."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request, or pass it on."""
        if environ.get("HTTP_HOST") != CREDENTIALS:
            return self._app(environ, start_response)
        found = ISSUED.answer(environ["PATH_INFO"])
        content = found or {"code": "InvalidIdInRequest", "message": "CredentialsV2Request: ID not found"}
        start_response("200 OK" if found else "400 Bad Request", [("Content-Type", "application/json")])
        return [json.dumps(content).encode()]
