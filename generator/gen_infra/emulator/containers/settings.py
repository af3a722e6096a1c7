"""The limits of containers that the emulator's caller sets by environment variables."""

from __future__ import annotations

import os
import re

DISK_VARIABLE = "GEN_INFRA_EMULATOR_DISK_MIB"
STOP_VARIABLE = "GEN_INFRA_EMULATOR_STOP_SECONDS"
_DEFAULTS = {DISK_VARIABLE: "20480", STOP_VARIABLE: "30"}


def disk_mib() -> int:
    """Return the most that the containers of a node may write to its disk.

    Raises:
        ValueError: the environment variable is not a whole number.
    """
    return _number(DISK_VARIABLE, "MiB")


def stop_seconds() -> int:
    """Return how long a container may run after SIGTERM.

    Raises:
        ValueError: the environment variable is not a whole number.
    """
    return _number(STOP_VARIABLE, "seconds")


def check() -> None:
    """Raise ValueError if one of them is invalid."""
    disk_mib()
    stop_seconds()


def _number(variable: str, unit: str) -> int:
    default = _DEFAULTS[variable]
    text = os.environ.get(variable, default)
    if not re.fullmatch(r"[0-9]{1,7}", text, re.ASCII):
        raise ValueError(f'invalid {variable} "{text}": use a whole number of {unit}, such as {default}')
    return int(text)
