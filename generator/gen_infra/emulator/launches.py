"""Record the compute environments for which EC2 refuses to launch instances, and its error message.

The emulator launches no instances itself. A test sets the refusal through `control`; then `patches.placement` places
no jobs there, and `patches.autoscaling` shows a failed scaling activity. A name prefix selects the compute
environments, because Terraform generates the end of their names.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

_REFUSED: dict[str, LaunchRefusal] = {}


@dataclass(frozen=True)
class LaunchRefusal:
    """An error for every launch.

    Args:
        message: the error of EC2 or Auto Scaling.
        since: when the refusal was set.
        activity: the id of Auto Scaling's failed activity.
    """

    message: str
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    activity: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def is_insufficient_capacity(self) -> bool:
        """Return whether Batch shows this error on the job.

        https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable_capacity.html
        """
        return "InsufficientInstanceCapacity" in self.message


def refuse(prefix: str, message: str) -> None:
    """Refuse launches for the compute environments with that prefix."""
    _REFUSED[prefix] = LaunchRefusal(message)


def allow(prefix: str) -> None:
    """Allow these launches again."""
    _REFUSED.pop(prefix, None)


def refusal(environment: str) -> LaunchRefusal | None:
    """Return the refusal for the compute environment with that name, by the longest prefix; None if allowed."""
    matching = [prefix for prefix in [*_REFUSED] if environment.startswith(prefix)]
    return _REFUSED.get(max(matching, key=len)) if matching else None
