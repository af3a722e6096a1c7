"""Simulate one attempt of a job without a container: its duration, its exit code, and whether it is retried.

The command decides: ``false`` and ``exit N`` fail with that exit code, ``sleep N`` runs for N seconds, anything else
succeeds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

SECONDS_VARIABLE = "GEN_INFRA_EMULATOR_JOB_SECONDS"
_SHARES = {"SUBMITTED": 0.1, "RUNNABLE": 0.3, "STARTING": 0.2, "RUNNING": 0.4}  # of the seconds that an attempt takes


def attempt_seconds() -> float:
    """Return how many seconds an attempt takes from submission to its end.

    Raises:
        ValueError: the environment variable is not a number of seconds.
    """
    text = os.environ.get(SECONDS_VARIABLE, "2.5")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise ValueError(f'invalid {SECONDS_VARIABLE} "{text}": use a number of seconds, such as 2.5')
    return float(text)


def share(status: str) -> float:
    """Return how many of these seconds an attempt spends in that state."""
    return _SHARES.get(status, 0.0) * attempt_seconds()


def run_seconds(command: list[str]) -> float:
    """Return how many seconds the command runs."""
    asked = re.search(r"(?:^|\s)sleep\s+([0-9.]+)$", " ".join(command))
    return float(asked.group(1)) if asked else share("RUNNING")


def exit_code(command: list[str]) -> int:
    """Return the exit code of the command: 1 for ``false``, N for ``exit N`` in any shell, else 0."""
    if command == ["false"]:
        return 1
    found = re.search(r"(?:^|\s)exit\s+([0-9]{1,3})$", " ".join(command))
    return int(found.group(1)) if found else 0


def ended(containers: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return the exit codes of the containers of one attempt; those that wait for a failed container do not start.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_TaskContainerDependency.html (condition)
    """
    waits = {name: each.get("dependsOn") or [] for name, each in containers.items()}
    order = TopologicalSorter({name: [one["containerName"] for one in needed] for name, needed in waits.items()})
    codes: dict[str, int] = {}
    for name in order.static_order():
        if all(one["condition"] != "SUCCESS" or codes.get(one["containerName"]) == 0 for one in waits[name]):
            codes[name] = exit_code(containers[name].get("command") or [])
    return codes


def retried(strategy: dict[str, Any], code: int | None, reason: str, status_reason: str) -> bool:
    """Decide whether a failed attempt is retried while attempts are left: by the first rule that matches, else yes.

    https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
    """
    for rule in strategy.get("evaluateOnExit", []):
        conditions = {
            "onExitCode": "" if code is None else str(code),
            "onReason": reason,
            "onStatusReason": status_reason,
        }
        if all(_matches(rule[key], value) for key, value in conditions.items() if rule.get(key)):
            return str(rule["action"]).upper() == "RETRY"
    return True


def _matches(pattern: str, value: str) -> bool:
    """Match without regard to case; an asterisk at the end matches any text."""
    pattern, value = pattern.lower(), value.lower()
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern
