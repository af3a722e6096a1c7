"""Keep containers away from the emulator's own API, with which tests and commands control it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.emulator.administrator import is_from_container
from gen_infra.emulator.operations import CONTROLS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class ContainerRequests:
    """WSGI middleware that refuses what a container sends to the emulator's and moto's controls."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Refuse the request, or pass it on."""
        if is_from_container(environ) and environ["PATH_INFO"].startswith(CONTROLS):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"containers cannot control the emulator"]
        return self._app(environ, start_response)
