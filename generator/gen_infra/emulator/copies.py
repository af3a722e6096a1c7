"""Copies of a running emulator: processes of their own with all that is in the account.

`Copies` is a layer of the emulator's server. The emulator's handle posts to ``/gen-infra/copies``; the server waits
until no call is under way and forks. The copy listens on a port of its own and shares nothing that changes with the
original. It ends when the connection to its second port, the lifeline, does: with the process that asked for it, even
one killed with SIGKILL, and not with the original.

Batch jobs go on in the copy. An asynchronous invocation of a function that is under way ends in the original only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gen_infra.emulator.serving import listen, serve

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

COPIES_PATH = "/gen-infra/copies"
_QUIET_SECONDS = 20.0  # in which the calls under way have to end
_FIRST_SECONDS = 30.0  # in which whoever asked for a copy has to connect to its lifeline


class Copies:
    """WSGI middleware that copies its process between two calls."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._under_way = 0
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or make a copy."""
        if environ["PATH_INFO"] == COPIES_PATH and "HTTP_AUTHORIZATION" not in environ:
            return self._copy(start_response)
        with self._changed:
            self._under_way += 1
        try:
            return self._app(environ, start_response)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _copy(self, start_response: StartResponse) -> Iterable[bytes]:
        with listen(0) as listener, listen(0) as lifeline:
            with self._changed:  # no call begins before it is over
                if not self._changed.wait_for(lambda: not self._under_way, _QUIET_SECONDS):
                    start_response("409 Conflict", [("Content-Type", "text/plain")])
                    return [b"calls are under way"]
                pid = os.fork()
                if not pid:
                    self._live(listener, lifeline)
            threading.Thread(target=os.waitpid, args=(pid, 0), daemon=True).start()
            copy = {"pid": pid, "port": listener.getsockname()[1], "lifeline": lifeline.getsockname()[1]}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(copy).encode()]

    def _live(self, listener: socket.socket, lifeline: socket.socket) -> NoReturn:
        """Be the copy, until its lifeline ends. Of the original's threads there is only this one."""
        try:
            _leave_sockets(but={listener.fileno(), lifeline.fileno()})
            self._changed = threading.Condition()
            scratch = tempfile.mkdtemp(prefix="gen-infra-emulator-", dir=Path(tempfile.gettempdir()).parent)
            tempfile.tempdir = scratch
            try:
                serve(listener, self)
                connection = _first_connection(lifeline)  # which the process holds open until it has tidied up
                connection.recv(1)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        finally:
            os._exit(0)  # whatever happened: what follows is the original's business


def _leave_sockets(but: set[int]) -> None:
    """Give up the original's connections: their other ends would wait for this process too.

    Their numbers stay taken, because objects of the original that are still about would close whatever has them next.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in {int(name) for name in os.listdir("/dev/fd")} - but:  # noqa: PTH208 - names are all that is needed
        with contextlib.suppress(OSError):  # the folder itself was listed too
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.dup2(nowhere, number)
    os.close(nowhere)


def _first_connection(lifeline: socket.socket) -> socket.socket:
    lifeline.settimeout(_FIRST_SECONDS)
    connection, _ = lifeline.accept()
    connection.settimeout(None)
    return connection
