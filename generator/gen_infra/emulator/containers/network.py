"""The networks of an attempt: one for each node, from which only the emulator's port is reached.

A network namespace belongs to a thread, and to the threads and processes that it starts. `Relay` runs in a thread that
stays on this machine's network: it accepts connections inside the nodes, and forwards them to the emulator.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Sequence

from gen_infra.emulator.administrator import CONTAINERS

LOOPBACK = "127.0.0.1"
CREDENTIALS = "169.254.170.2"  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
_CREDENTIALS_PORT = 80
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of <sched.h>
_CHUNK = 65536


def address_of(node: int) -> str:
    """Return the IPv4 address of a node in the network of its job."""
    return f"10.0.{node // 250}.{node % 250 + 2}"


def enter_new_network() -> None:
    """Move this thread to a network namespace of its own, whose loopback interface is up."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a network namespace")
    _ip("link", "set", "lo", "up")


class Relay(threading.Thread):
    """Forwards connections that are accepted in a node to the emulator."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True, name="relay")
        self._port = port
        self._loop = asyncio.new_event_loop()

    def run(self) -> None:
        """Forward until the process ends."""
        self._loop.run_forever()

    def listen(self) -> None:
        """Accept connections to the emulator and to the credentials endpoint in this thread's network."""
        _ip("address", "add", f"{CREDENTIALS}/32", "dev", "lo")
        for address in ((LOOPBACK, self._port), (CREDENTIALS, _CREDENTIALS_PORT)):
            listener = socket.create_server(address)
            asyncio.run_coroutine_threadsafe(asyncio.start_server(self._forward, sock=listener), self._loop).result()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            answers, requests = await asyncio.open_connection(LOOPBACK, self._port, local_addr=(CONTAINERS, 0))
            with contextlib.closing(requests):
                await asyncio.gather(_pump(reader, requests), _pump(answers, writer))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


class Switch(threading.Thread):
    """The network that the nodes of a multi-node job share: a bridge in a namespace of its own."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="switch")
        self._is_up = threading.Event()
        self._namespace = ""

    def run(self) -> None:
        """Make the bridge, and keep its namespace until the process ends."""
        enter_new_network()
        self._namespace = f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"
        _ip("link", "add", "switch", "type", "bridge")
        _ip("link", "set", "switch", "up")
        self._is_up.set()
        threading.Event().wait()

    def connect(self, node: int) -> None:
        """Connect this thread's network, that of a node."""
        self._is_up.wait()
        _ip("link", "add", "eth0", "type", "veth", "peer", "name", f"node{node}", "netns", self._namespace)
        _ip("address", "add", f"{address_of(node)}/16", "dev", "eth0")
        _ip("link", "set", "eth0", "up")
        outside = ["nsenter", f"--net={self._namespace}", "ip", "link", "set", f"node{node}"]
        _run([*outside, "master", "switch"])
        _run([*outside, "up"])


def _ip(*arguments: str) -> None:
    _run(["ip", *arguments])


def _run(argv: Sequence[str]) -> None:
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603 - argv is our own
