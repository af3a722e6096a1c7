"""Answer a retry of a lost answer with the first answer, instead of executing the call twice.

AWS SDKs send every attempt of a call with the same ``amz-sdk-invocation-id``. Executed twice, a creation would fail
because the resource exists.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

KEPT = 256
_READING = ("GET", "HEAD")


class Replay:
    """WSGI middleware that keeps the latest successful answers to calls that change something."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._answers: OrderedDict[str, tuple[str, list[tuple[str, str]], bytes]] = OrderedDict()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Return the answer of an earlier attempt that succeeded, or call the application."""
        call = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if not call or environ["REQUEST_METHOD"] in _READING:
            return self._app(environ, start_response)
        answer = self._answers.get(call) or self._ask(environ)
        if answer[0].startswith("2"):
            self._answers[call] = answer
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        start_response(answer[0], answer[1])
        return [answer[2]]

    def _ask(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        head: list[Any] = []

        def keep(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> Any:
            head[:] = [status, headers]

        body = b"".join(self._app(environ, keep))
        return head[0], head[1], body
