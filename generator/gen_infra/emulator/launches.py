"""The compute environments whose instances cannot be started, and what EC2 answers who tries.

The emulator starts none, so that it has to be told: `control` takes it down, `patches.placement` keeps jobs away and
`patches.autoscaling` shows what Auto Scaling would. Environments are named by a prefix, because Terraform gives them
names of its own ending.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

_REFUSED: dict[str, Refusal] = {}


@dataclass(frozen=True)
class Refusal:
    """Why no instance starts.

    Args:
        message: what EC2 or Auto Scaling says.
        since: when it began to.
        activity: the id of Auto Scaling's failed attempt.
    """

    message: str
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    activity: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def is_insufficient_capacity(self) -> bool:
        """It is one that Batch itself tells of, on the job.

        https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable_capacity.html
        """
        return "InsufficientInstanceCapacity" in self.message


def refuse(prefix: str, message: str) -> None:
    """From now on no instance of these environments starts."""
    _REFUSED[prefix] = Refusal(message)


def allow(prefix: str) -> None:
    """Take that back."""
    _REFUSED.pop(prefix, None)


def refusal(environment: str) -> Refusal | None:
    """Why no instance of the environment with that name starts, or None; the longest prefix counts."""
    matching = [prefix for prefix in [*_REFUSED] if environment.startswith(prefix)]
    return _REFUSED.get(max(matching, key=len)) if matching else None
