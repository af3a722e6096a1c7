"""What the tables of Batch's limits share.

Sources: the API reference, https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html, and error messages
in public issues. A message that no public source has is worded after the API reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gen_infra.emulator.validation.limit import Condition, Limit

API = "https://docs.aws.amazon.com/batch/latest/APIReference/"
QUOTAS = "https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html"
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"
TASK = "ecsProperties.taskProperties[]"
SHARE = r"[A-Za-z0-9]{1,255}"


def batch_limit(
    actions: str, path: str, holds: Condition, words: str, source: str, show: Callable[[Any], str] = str
) -> Limit:
    """Make a row for Batch, whose page of the API reference is ``source`` if that is not a URL."""
    words = f"Error executing request, Exception : {words}"
    page = source if source.startswith("https:") else f"{API}API_{source}.html"
    return Limit("batch", tuple(actions.split()), path, holds, "ClientException", words, page, show=show)


def has_one_of(*names: str) -> Condition:
    """Accept exactly one of these parameters."""
    return lambda request: sum(bool(request.get(name)) for name in names) == 1


def is_unique(key: str) -> Condition:
    """Accept lists in which no two entries have the same value of a member."""
    return lambda items: len({each.get(key) for each in items}) == len(items)


def given(path: str) -> Condition:
    """Accept values with a member."""

    def holds(value: Any) -> bool:
        for key in path.split("."):
            value = (value or {}).get(key)
        return value is not None

    return holds
