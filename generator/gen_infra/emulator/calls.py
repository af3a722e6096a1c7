"""What the emulator was asked, in order: the newest calls, in memory."""

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
    """One attempt of a call; an SDK that tries again makes another.

    Args:
        number: one more than the call's before it.
        service: boto3's name of it.
        action: AWS's name of the operation.
        parameters: as they were sent (Batch's JSON, EC2's form, a path's parts); empty where they are neither.
        time: of its arrival, in seconds since 1970.
        status: of the answer, even of one that was lost; 0 while there is none, for good if nothing was carried out.
        region: that it was signed for.
        access_key: the id of the key that signed it.
        user_agent: the client's name for itself.
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
    """The newest calls, written by the server's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._calls: dict[int, Call] = {}

    def add(self, asked: Operation, user_agent: str) -> Call:
        """Note a call as it arrives."""
        with self._lock:
            call = Call(
                next(self._numbers),
                asked.service,
                asked.action,
                asked.parameters,
                time.time(),
                region=asked.region,
                access_key=asked.access_key,
                user_agent=user_agent,
            )
            self._calls[call.number] = call
            if len(self._calls) > KEPT:
                del self._calls[next(iter(self._calls))]
        return call

    def answered(self, call: Call, status: int) -> None:
        """Note what came of a call."""
        with self._lock:
            if call.number in self._calls:
                self._calls[call.number] = replace(call, status=status)

    def all(self) -> list[Call]:
        """The calls, the oldest first."""
        with self._lock:
            return list(self._calls.values())

    def forget(self) -> None:
        """Begin anew; the numbers go on."""
        with self._lock:
            self._calls.clear()


LOG = CallLog()  # of this process
