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
import threading
from typing import Any


def main() -> int:
    """Serve until standard input ends; exit code 1 when the emulator could not start."""
    options = _options()
    try:
        listener = _bind(options.port)
    except OSError as error:
        _say(error=f"port {options.port} of 127.0.0.1 cannot be had: {error.strerror}", taken=True)
        return 1
    with listener:
        return _serve(listener, options)


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


def _serve(listener: socket.socket, options: argparse.Namespace) -> int:
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - a taken port is reported before these load
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    from gen_infra.emulator import patches, seed  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.INFO if options.verbose else logging.CRITICAL)
    port = listener.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    patches.apply_all(endpoint)
    server = make_server(
        "127.0.0.1",
        port,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    serving = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    serving.start()
    try:
        if options.seed:
            seed.populate(endpoint)
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent must hear of it
        _say(error=f"{type(error).__name__}: {error}")
        return 1
    _say(port=port)
    sys.stdin.buffer.read()  # blocks until the parent closes the pipe or dies
    server.shutdown()
    return 0


def _say(**answer: Any) -> None:
    """One line to the parent; afterwards standard output goes nowhere, so that a stray print cannot fill the pipe."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
