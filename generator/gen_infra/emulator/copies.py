"""Copy a running emulator: each copy is a separate process with the whole account.

`Copies` is a layer of the emulator's server. The emulator's handle posts to ``/gen-infra/copies``; the server waits
until no call is running, and forks. The copy listens on its own port and shares no state with the original. It ends
when the connection to its second port, the lifeline, ends: with the process that requested it, even if SIGKILL ends
that process, and not with the original.

Batch jobs continue in the copy. A running asynchronous invocation of a function ends only in the original.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gen_infra.emulator.containers.requests import ContainerRequests
from gen_infra.emulator.registry.layers import link_layers
from gen_infra.emulator.serving import listen, serve

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

COPIES_PATH = "/gen-infra/copies"
_QUIET_SECONDS = 20.0  # in which the running calls must end
_FIRST_SECONDS = 30.0  # in which the client must connect to the lifeline


class Copies:
    """WSGI middleware that copies its process between calls."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._running = 0
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request, or make a copy."""
        if environ["PATH_INFO"] == COPIES_PATH and "HTTP_AUTHORIZATION" not in environ:
            return self._copy(start_response)
        with self._changed:
            self._running += 1
        try:
            return self._app(environ, start_response)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _copy(self, start_response: StartResponse) -> Iterable[bytes]:
        with listen(0) as listener, listen(0) as lifeline:
            with self._changed:  # no call starts meanwhile
                if not self._changed.wait_for(lambda: not self._running, _QUIET_SECONDS):
                    start_response("409 Conflict", [("Content-Type", "text/plain")])
                    return [b"calls are running"]
                scratch = tempfile.mkdtemp(prefix="gen-infra-emulator-", dir=Path(tempfile.gettempdir()).parent)
                link_layers(Path(scratch))  # before the fork: the original could end, and remove them, meanwhile
                pid = os.fork()
                if not pid:
                    self._serve_copy(listener, lifeline, scratch)
            threading.Thread(target=os.waitpid, args=(pid, 0), daemon=True).start()
            copy = {"pid": pid, "port": listener.getsockname()[1], "lifeline": lifeline.getsockname()[1]}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(copy).encode()]

    def _serve_copy(self, listener: socket.socket, lifeline: socket.socket, scratch: str) -> NoReturn:
        """Run the copy until its lifeline ends; of the original's threads only this one exists here."""
        try:
            _close_sockets(but={listener.fileno(), lifeline.fileno()})
            self._changed = threading.Condition()
            tempfile.tempdir = scratch
            try:
                serve(listener, ContainerRequests(self))
                connection = _first_connection(lifeline)  # stays open until the scratch folder is removed
                connection.recv(1)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        finally:
            os._exit(0)  # always: the code after the fork is for the original


def _close_sockets(but: set[int]) -> None:
    """Close the original's connections, whose other ends would otherwise wait for this process too.

    Their numbers stay in use, because objects of the original could close new files with the same numbers.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in {int(name) for name in os.listdir("/dev/fd")} - but:  # noqa: PTH208 - only names are needed
        with contextlib.suppress(OSError):  # the listed folder has a number too
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.dup2(nowhere, number)
    os.close(nowhere)


def _first_connection(lifeline: socket.socket) -> socket.socket:
    lifeline.settimeout(_FIRST_SECONDS)
    connection, _ = lifeline.accept()
    connection.settimeout(None)
    return connection
