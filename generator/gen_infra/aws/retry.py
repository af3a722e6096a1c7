"""Waiting for AWS again and again, for as long as that may take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from gen_infra.aws.errors import TransientAwsError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Patience:
    """Bears with an AWS that cannot be reached, or is busy, for a while after its last answer.

    Args:
        seconds: for how long.
        clock: seconds that only increase.
    """

    def __init__(self, seconds: float = 120.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._answered = clock()

    def ask(self, question: Callable[[], T]) -> T | None:
        """The answer; None where there is none for now, and it is worth asking again a little later.

        Raises:
            TransientAwsError: there has been none for too long.
        """
        try:
            answer = question()
        except TransientAwsError:
            if self._clock() - self._answered > self._seconds:
                raise
            return None
        self._answered = self._clock()
        return answer
