"""Makes calls to AWS again, for as long as that is worth it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from gen_infra.aws.errors import TransientAwsError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Retry:
    """Tolerates transient errors of AWS for some time after the last call that succeeded.

    Args:
        seconds: for how long.
        clock: seconds that only increase.
    """

    def __init__(self, seconds: float = 120.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._answered = clock()

    def call(self, function: Callable[[], T]) -> T | None:
        """Call the function and return its answer; None where AWS gave none and the caller should try again later.

        Raises:
            TransientAwsError: no call has succeeded for ``seconds``.
        """
        try:
            answer = function()
        except TransientAwsError:
            if self._clock() - self._answered > self._seconds:
                raise
            return None
        self._answered = self._clock()
        return answer
