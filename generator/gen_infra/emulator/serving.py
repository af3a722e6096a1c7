"""The emulator's HTTP server, on the loopback interface only."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from werkzeug.serving import BaseWSGIServer

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Listen on a port; 0 takes a free one.

    Raises:
        OSError: the port is in use.
    """
    listener = socket.socket()
    if os.name == "posix":  # on Windows the option would let two servers share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(128)
    return listener


def serve(listener: socket.socket, app: WSGIApplication) -> BaseWSGIServer:
    """Start to serve on that port, in threads; running functions use the same port."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    from gen_infra.emulator.patches.functions import ENDPOINT_VARIABLE

    port = listener.getsockname()[1]
    os.environ[ENDPOINT_VARIABLE] = f"http://{HOST}:{port}"
    server = make_server(HOST, port, app, threaded=True, request_handler=MotoRequestHandler, fd=listener.fileno())
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    return server
