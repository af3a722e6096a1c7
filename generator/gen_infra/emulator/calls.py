"""Keep the newest API calls that the emulator received, in order, in memory."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.emulator.operations import Operation

KEPT = 10_000


@dataclass(frozen=True)
class Call:
    """One attempt of a call; a retry of an SDK is another one.

    Args:
        number: counts the calls from 1.
        service: boto3's name of the service.
        action: AWS's name of the operation.
        parameters: as they were sent: JSON, form fields, or parts of the path; empty for other formats.
        time: of its arrival, in seconds since 1970.
        status: HTTP status of the answer, also of a lost one; 0 before the answer, and when the call was not executed.
        region: the region that it was signed for.
        access_key: the id of the access key that signed it.
        user_agent: the client's User-Agent header.
    """

    number: int
    service: str
    action: str
    parameters: Mapping[str, Any]
    time: float
    status: int = 0
    region: str = ""
    access_key: str = ""
    user_agent: str = ""


class CallLog:
    """The newest calls; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._calls: dict[int, Call] = {}

    def add(self, operation: Operation, user_agent: str) -> Call:
        """Record a call when it arrives."""
        with self._lock:
            call = Call(
                next(self._numbers),
                operation.service,
                operation.action,
                operation.parameters,
                time.time(),
                region=operation.region,
                access_key=operation.access_key,
                user_agent=user_agent,
            )
            self._calls[call.number] = call
            if len(self._calls) > KEPT:
                del self._calls[next(iter(self._calls))]
        return call

    def answered(self, call: Call, status: int) -> None:
        """Record the HTTP status of the answer."""
        with self._lock:
            if call.number in self._calls:
                self._calls[call.number] = replace(call, status=status)

    def all(self) -> list[Call]:
        """Return the calls, the oldest first."""
        with self._lock:
            return list(self._calls.values())

    def clear(self) -> None:
        """Drop all calls; the numbers continue."""
        with self._lock:
            self._calls.clear()


LOG = CallLog()  # of this process
