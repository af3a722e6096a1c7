"""Run the emulator's process: ``python -m gen_infra.emulator.server``, which ``gen_infra.emulator`` starts and stops.

It first binds its port, then patches moto, serves, seeds the account over HTTP as any client would, and prints one line
of JSON to standard output: ``{"port": 12345}`` or ``{"error": "…"}``. End of file on standard input stops it.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.serving import HOST, listen, serve

if TYPE_CHECKING:
    import socket


_THRESHOLD = 100_000  # new objects between two searches for garbage: modules and the account's resources stay


def main() -> int:
    """Serve until standard input ends; return exit code 1 when the port is in use."""
    options = _options()
    try:
        listener = listen(options.port)
    except OSError as error:
        _report(error=f"cannot bind port {options.port} of 127.0.0.1: {error.strerror}", taken=True)
        return 1
    with listener, tempfile.TemporaryDirectory(prefix="gen-infra-emulator-", ignore_cleanup_errors=True) as scratch:
        tempfile.tempdir = scratch  # large S3 objects, image layers, running functions; removed when the process ends
        gc.set_threshold(_THRESHOLD)
        try:
            _serve(listener, options)
        except Exception as error:
            _report(error=f"{type(error).__name__}: {error}")
            raise
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gen_infra.emulator.server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", action="store_true")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def _serve(listener: socket.socket, options: argparse.Namespace) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from gen_infra.emulator import attempts, calls, images, patches, seed
    from gen_infra.emulator.containers import settings
    from gen_infra.emulator.containers.credentials import CredentialsEndpoint
    from gen_infra.emulator.containers.requests import ContainerRequests
    from gen_infra.emulator.copies import Copies
    from gen_infra.emulator.faults import Faults
    from gen_infra.emulator.registry.server import Registry
    from gen_infra.emulator.replay import Replay
    from gen_infra.tools import container_host

    attempts.attempt_seconds()  # refuses an invalid value now, not at the first job
    settings.check()
    logging.getLogger("werkzeug").setLevel(logging.INFO if options.verbose else logging.CRITICAL)
    patches.apply_all()
    if options.images is not None:
        images.offer(options.images)
    container_host.remove_unused_cgroups()
    moto = DomainDispatcherApplication(create_backend_app)
    # For each call it lists the 200 folders of moto.
    moto.get_backend_for_host = functools.cache(moto.get_backend_for_host)  # type: ignore[method-assign]
    server = serve(listener, ContainerRequests(Copies(CredentialsEndpoint(Faults(Replay(Registry(moto)))))))
    port = listener.getsockname()[1]
    if options.seed:
        seed.populate(f"http://{HOST}:{port}")
        calls.LOG.clear()
    gc.freeze()  # so that copies share the pages of what is there now
    _report(port=port)
    sys.stdin.buffer.read()  # blocks until the parent closes the pipe or ends
    server.shutdown()


def _report(**answer: Any) -> None:
    """Print one line for the parent, then drop standard output, so that later output cannot fill the pipe."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    os._exit(main())  # skip the interpreter's teardown, which takes most of a second with moto
