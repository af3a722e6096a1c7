"""AWS's documented limits that botocore's models do not have: one table, a row for each."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from gen_infra.emulator.validation import (
    batch_container_limits,
    batch_environment_limits,
    batch_job_limits,
    batch_list_limits,
    batch_task_limits,
    ec2_limits,
    iam_limits,
    messaging_limits,
    service_limits,
)

if TYPE_CHECKING:
    from gen_infra.emulator.validation.limit import Limit

LIMITS: tuple[Limit, ...] = (
    *batch_task_limits.LIMITS,
    *batch_job_limits.LIMITS,
    *batch_container_limits.LIMITS,
    *batch_environment_limits.LIMITS,
    *batch_list_limits.LIMITS,
    *service_limits.LIMITS,
    *iam_limits.LIMITS,
    *ec2_limits.LIMITS,
    *messaging_limits.LIMITS,
)


@functools.cache
def of(service: str, action: str) -> tuple[Limit, ...]:
    """Return the limits of an operation, in the order of the table."""
    return tuple(row for row in LIMITS if row.service == service and action in row.actions)
