"""Run a Batch job for a Task state: https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.state_machines.errors import StateError
from gen_infra.emulator.state_machines.history import text
from gen_infra.emulator.state_machines.integrations import TaskResource, without_metadata

if TYPE_CHECKING:
    from gen_infra.emulator.state_machines.execution import StateScope
    from gen_infra.emulator.state_machines.integrations import RoleClients
    from gen_infra.emulator.state_machines.interfaces import StateRun

_DESCRIBE = TaskResource("batch", "describeJobs")
_TERMINATE = TaskResource("batch", "terminateJob")
_TICK_SECONDS = 0.05


async def run(states: StateRun, scope: StateScope, called: TaskResource, arguments: Any, clients: RoleClients) -> Any:
    """Submit a job unless it was submitted, wait until it ends, and return its description.

    A job whose state is aborted or timed out is terminated.

    Raises:
        StateError: the job could not be submitted, or failed.
    """
    try:
        if not scope.job:
            submitted = await _submitted(scope, called, arguments, clients)
            kept = {"resourceType": called.service, "resource": called.action}
            states.event(scope, "TaskSubmitted", **kept, output=text(submitted))
        job_id = scope.job
        while not states.executions.services.has_ended(job_id):
            await asyncio.sleep(_TICK_SECONDS)
    except asyncio.CancelledError:
        reason = f"The state {scope.state} of {states.execution.arn} ended"
        with suppress(StateError):  # AWS tries to end the job, too
            if scope.job:
                await asyncio.to_thread(clients.call, _TERMINATE, {"JobId": scope.job, "Reason": reason})
        scope.job = ""
        raise
    scope.job = ""
    described = await asyncio.to_thread(clients.call, _DESCRIBE, {"Jobs": [job_id]})
    [job] = without_metadata(described)["Jobs"]
    if job["Status"] == "FAILED":
        raise StateError("States.TaskFailed", text(job))
    return job


async def _submitted(scope: StateScope, called: TaskResource, arguments: Any, clients: RoleClients) -> dict[str, Any]:
    """Submit a job and keep its id, even if the state is aborted meanwhile."""
    submission = asyncio.ensure_future(asyncio.to_thread(clients.call, called, arguments))
    try:
        submitted = await asyncio.shield(submission)
    except asyncio.CancelledError:
        with suppress(StateError):
            scope.job = (await submission)["JobId"]
        raise
    scope.job = submitted["JobId"]
    return submitted
