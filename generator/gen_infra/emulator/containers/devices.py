"""The devices of this machine that a container may have: those through which it cannot reach the machine's files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# https://www.kernel.org/doc/Documentation/admin-guide/devices.txt
_NUMBERS = {
    "/dev/fuse": (10, 229),
    "/dev/full": (1, 7),
    "/dev/null": (1, 3),
    "/dev/random": (1, 8),
    "/dev/urandom": (1, 9),
    "/dev/zero": (1, 5),
}
_ACCESS = {"READ": "r", "WRITE": "w", "MKNOD": "m"}


class UnknownDeviceError(Exception):
    """The host does not have the device."""


def device_node(device: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the node of a device of ``linuxParameters``, and the rule that allows it.

    Raises:
        UnknownDeviceError: the host does not have it, or it is not one of those that a container may have.
    """
    path = device["hostPath"]
    if path not in _NUMBERS:
        raise UnknownDeviceError(
            f'error gathering device information while adding custom device "{path}": no such file or directory'
        )
    major, minor = _NUMBERS[path]
    permissions = device.get("permissions") or tuple(_ACCESS)
    access = "".join(letter for name, letter in _ACCESS.items() if name in permissions)
    numbers = {"type": "c", "major": major, "minor": minor}
    node = {"path": device.get("containerPath") or path, "fileMode": 0o666, "uid": 0, "gid": 0}
    return node | numbers, {"allow": True, "access": access} | numbers
