"""The emulator's process: ``python -m gen_infra.emulator.server``, started and stopped by ``gen_infra.emulator``.

It binds its port before anything else, patches moto, serves, seeds the account over HTTP as any client would, and then
says on standard output, in one line of JSON, ``{"port": 12345}`` or ``{"error": "…"}``. End of file on standard input
stops it.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import sys
import tempfile
import threading
from typing import Any


def main() -> int:
    """Serve until standard input ends; exit code 1 when the port was taken."""
    options = _options()
    try:
        listener = _bind(options.port)
    except OSError as error:
        _say(error=f"port {options.port} of 127.0.0.1 cannot be had: {error.strerror}", taken=True)
        return 1
    with listener, tempfile.TemporaryDirectory(prefix="gen-infra-emulator-", ignore_cleanup_errors=True) as scratch:
        tempfile.tempdir = scratch  # big S3 objects and running functions: gone with the process
        try:
            _serve(listener, options)
        except Exception as error:
            _say(error=f"{type(error).__name__}: {error}")
            raise
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gen_infra.emulator.server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    if os.name == "posix":  # elsewhere the option would let two servers share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _serve(listener: socket.socket, options: argparse.Namespace) -> None:
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    from gen_infra.emulator import attempts, calls, faults, patches, replay, seed

    attempts.attempt_seconds()  # a value that is no number is refused now, not by the first job
    logging.getLogger("werkzeug").setLevel(logging.INFO if options.verbose else logging.CRITICAL)
    port = listener.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    os.environ[patches.functions.ENDPOINT_VARIABLE] = endpoint
    patches.apply_all()
    server = make_server(
        "127.0.0.1",
        port,
        faults.Faults(replay.Replay(DomainDispatcherApplication(create_backend_app))),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    serving = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    serving.start()
    if options.seed:
        seed.populate(endpoint)
        calls.LOG.forget()
    _say(port=port)
    sys.stdin.buffer.read()  # blocks until the parent closes the pipe or dies
    server.shutdown()


def _say(**answer: Any) -> None:
    """One line to the parent; afterwards standard output goes nowhere, so that a stray print cannot fill the pipe."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    os._exit(main())  # at once: taking moto's modules apart would need most of a second
