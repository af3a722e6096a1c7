"""Run a Distributed Map: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html.

Each item is a child execution with a history of its own. A redrive goes on with those that did not succeed.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.state_machines import map_items, map_results
from gen_infra.emulator.state_machines.errors import StateError
from gen_infra.emulator.state_machines.execution import REDRIVABLE, Execution, MapRun
from gen_infra.emulator.state_machines.history import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.emulator.state_machines.execution import StateScope
    from gen_infra.emulator.state_machines.interfaces import StateRun

_MOST_SIDE_BY_SIDE = 10_000  # child executions without MaxConcurrency


async def run(states: StateRun, scope: StateScope, state: Mapping[str, Any]) -> Any:
    """Run the current state, a Distributed Map, and return its result.

    Raises:
        StateError: the list cannot be read, more items failed than may, or the results cannot be written.
    """
    if "ItemBatcher" in state:
        raise StateError("States.Runtime", "The emulator does not run ItemBatcher")
    found = scope.map_run
    if found is None:
        states.event(scope, "MapStateStarted", length=0)
        try:
            found = scope.map_run = await _new(states, scope, state)
        except StateError:
            states.event(scope, "MapStateFailed")
            raise
        states.execution.map_runs.append(found)
        states.event(scope, "MapRunStarted", mapRunArn=found.arn)
    elif found.status != "RUNNING":
        _redrive(found)
        states.event(scope, "MapRunRedriven", mapRunArn=found.arn, redriveCount=found.redrives)
    try:
        await _run_children(states, found)
        result = await map_results.write(states, scope, state, found)
        _check_tolerance(found)
    except asyncio.CancelledError:
        _end(found, "ABORTED")
        states.event(scope, "MapRunAborted")
        raise
    except StateError as error:
        _end(found, "FAILED")
        states.event(scope, "MapRunFailed", error=error.error, cause=error.cause)
        states.event(scope, "MapStateFailed")
        raise
    _end(found, "SUCCEEDED")
    states.event(scope, "MapRunSucceeded")
    states.event(scope, "MapStateSucceeded")
    return result


async def _new(states: StateRun, scope: StateScope, state: Mapping[str, Any]) -> MapRun:
    """Read the list and prepare a child execution for each of its items."""
    parent = states.execution
    processor = state["ItemProcessor"]
    label = state.get("Label") or scope.state.replace(" ", "")[:40]
    items = await map_items.read(states, scope, state)
    numbers = {
        name: states.value(scope, state.get(name, 0), name)
        for name in ("MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount")
    }
    machine = f"{parent.machine}/{label}"
    made = MapRun(f"{machine.replace(':stateMachine:', ':mapRun:')}:{uuid.uuid4()}", parent, *numbers.values())
    executions = machine.replace(":stateMachine:", ":execution:")
    for item in enumerate(items):
        inner = states.item(scope, processor, state, item)
        name = str(uuid.uuid4())
        made.children.append(
            Execution(
                arn=f"{executions}:{name}",
                name=name,
                machine=machine,
                machine_name=f"{parent.machine_name}/{label}",
                role=parent.role,
                definition=processor,
                language=inner.language,
                input=text(inner.input),
                parent=made,
                status="PENDING",
            )
        )
    return made


def _redrive(found: MapRun) -> None:
    found.status, found.stopped = "RUNNING", None
    found.redrives += 1
    found.redriven = time.time()
    for child in found.children:
        if child.status in REDRIVABLE:
            child.status = "PENDING_REDRIVE"


def _end(found: MapRun, status: str) -> None:
    found.status, found.stopped = status, time.time()


def _check_tolerance(found: MapRun) -> None:
    if found.exceeds_tolerance():
        cause = "The specified tolerated failure threshold was exceeded"
        raise StateError("States.ExceedToleratedFailureThreshold", cause)


async def _run_children(states: StateRun, found: MapRun) -> None:
    """Run the child executions that have not ended; abort them if more fail than may.

    Raises:
        StateError: the role may not start child executions.
    """
    machine = found.execution.machine
    if denied := states.executions.denial(found.execution, "StartExecution", {"stateMachineArn": machine}):
        raise StateError("States.Permissions", denied)
    running = asyncio.Semaphore(found.max_concurrency or _MOST_SIDE_BY_SIDE)
    left = [child for child in found.children if child.status in ("PENDING", "PENDING_REDRIVE", "RUNNING")]
    tasks = [asyncio.ensure_future(_run_child(states, found, child, running)) for child in left]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for child in found.children:
            if child.status == "PENDING_REDRIVE":
                child.status = "FAILED" if child.error else "ABORTED"  # it did not run again


async def _run_child(states: StateRun, found: MapRun, child: Execution, running: asyncio.Semaphore) -> None:
    async with running:
        if found.exceeds_tolerance():
            return
        if child.status == "PENDING_REDRIVE":
            child.redrive()
        elif child.status == "PENDING":
            child.started = time.time()
        await states.executions.start(child)
        if found.exceeds_tolerance():
            raise _EnoughError


class _EnoughError(Exception):
    """More items have failed than may."""
