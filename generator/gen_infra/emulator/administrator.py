"""The credentials of the emulated account's administrator, who may do everything.

A container knows the emulator's address, and is never the administrator: its requests come from a loopback address of
their own. Whatever key they are signed with, they reach neither the emulator's own API nor the administrator's rights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

ACCESS_KEY = "testing"
CREDENTIALS = (ACCESS_KEY, "testing")  # access key id, secret access key
CONTAINERS = "127.0.0.2"  # the address of all containers; Linux has the whole of 127.0.0.0/8


def is_from_container(environ: WSGIEnvironment) -> bool:
    """Return whether a request comes from the network of a container."""
    return environ.get("REMOTE_ADDR") == CONTAINERS
