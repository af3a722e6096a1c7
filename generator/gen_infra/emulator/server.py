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
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.serving import HOST, listen, serve

if TYPE_CHECKING:
    import socket


def main() -> int:
    """Serve until standard input ends; exit code 1 when the port was taken."""
    options = _options()
    try:
        listener = listen(options.port)
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


def _serve(listener: socket.socket, options: argparse.Namespace) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from gen_infra.emulator import attempts, calls, patches, seed
    from gen_infra.emulator.copies import Copies
    from gen_infra.emulator.faults import Faults
    from gen_infra.emulator.replay import Replay

    attempts.attempt_seconds()  # a value that is no number is refused now, not by the first job
    logging.getLogger("werkzeug").setLevel(logging.INFO if options.verbose else logging.CRITICAL)
    patches.apply_all()
    server = serve(listener, Copies(Faults(Replay(DomainDispatcherApplication(create_backend_app)))))
    port = listener.getsockname()[1]
    if options.seed:
        seed.populate(f"http://{HOST}:{port}")
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
