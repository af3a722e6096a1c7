"""Run executions: one thread with an event loop for all of an account and region.

The thread starts with the first execution. In a copy of the emulator it starts again, and running executions go on:
a job that was submitted is not submitted again.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from gen_infra.emulator.state_machines.errors import StateError
from gen_infra.emulator.state_machines.execution import ENDED, Execution, StateScope
from gen_infra.emulator.state_machines.history import text
from gen_infra.emulator.state_machines.integrations import RoleClients
from gen_infra.emulator.state_machines.scope import ScopeRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from gen_infra.emulator.state_machines.interfaces import AccountServices

    Result = TypeVar("Result")

_SESSION_SECONDS = 3000  # less than a role's session lasts
_TICK_SECONDS = 0.05


class Runner:
    """Runs the executions of one account and region.

    Args:
        services: what they need of the account.
        running: returns the executions that have not ended, without child executions.
    """

    def __init__(self, services: AccountServices, running: Callable[[], list[Execution]]) -> None:
        self.services = services
        self._running = running
        self._original: asyncio.AbstractEventLoop | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: dict[str, tuple[float, Mapping[str, str], RoleClients]] = {}
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._go_on)

    def _go_on(self) -> None:
        """Run the executions of the original in its copy; connections and locks of its threads are not used again."""
        if self._loop is None:
            return
        self._original, self._loop, self._clients = self._loop, None, {}  # kept: closing it would disturb the original
        threading.Thread(target=self._go_on_when_served, args=(self.services.endpoint,), daemon=True).start()

    def _go_on_when_served(self, original: str) -> None:
        while self.services.endpoint == original:
            time.sleep(_TICK_SECONDS)
        for execution in self._running():
            self.begin(execution)

    def submit(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the loop and return its result."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True, name="state-machines").start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def begin(self, execution: Execution) -> None:
        """Start an execution, or go on with one that is redriven."""
        self.submit(self._begin(execution))

    async def _begin(self, execution: Execution) -> None:
        execution.task = asyncio.ensure_future(self._run(execution))

    def stop(self, execution: Execution, error: str | None, cause: str | None) -> None:
        """Abort an execution, and return when its jobs have been terminated."""
        self.submit(self._stop(execution, error, cause))

    async def _stop(self, execution: Execution, error: str | None, cause: str | None) -> None:
        if execution.task is not None and execution.status not in ENDED:
            execution.error, execution.cause = error, cause
            execution.task.cancel()
            await asyncio.wait([execution.task])

    async def start(self, child: Execution) -> None:
        """Run a child execution until it ends; it is aborted with its parent."""
        child.task = asyncio.ensure_future(self._run(child))
        await child.task

    def clients(self, execution: Execution) -> RoleClients:
        """Return clients with the credentials of an execution's role."""
        return self._session(execution)[2]

    def denial(self, execution: Execution, action: str, parameters: Mapping[str, Any]) -> str:
        """Return AWS's message if the role may not make this call of Step Functions; empty if it may."""
        return self.services.denial(self._session(execution)[1], action, parameters)

    def _session(self, execution: Execution) -> tuple[float, Mapping[str, str], RoleClients]:
        found = self._clients.get(execution.role)
        if found is None or found[0] < time.time():
            keys = self.services.credentials(execution.role, execution.name[:64])
            clients = RoleClients(keys, self.services.endpoint, self.services.region)
            found = self._clients[execution.role] = (time.time() + _SESSION_SECONDS, keys, clients)
        return found

    async def _output(self, execution: Execution, scope: StateScope) -> Any:
        if refused := self.services.refusal(execution):
            raise StateError("States.Runtime", refused)
        async with asyncio.timeout(execution.definition.get("TimeoutSeconds")):
            return await ScopeRunner(execution, self).run(scope)

    def record(self, execution: Execution, kind: str, previous: int, /, **details: Any) -> int:
        """Add an event to a history and deliver it; return its id."""
        event = execution.history.add(kind, previous, **details)
        self.services.deliver(execution, execution.history.events[event - 1])
        return event

    async def _run(self, execution: Execution) -> None:
        """Run an execution to its end, whatever that is."""
        execution.status = "RUNNING"
        scope = execution.scope
        if scope is None:
            event = self.record(execution, "ExecutionStarted", 0, input=execution.input, roleArn=execution.role)
            value = json.loads(execution.input)
            scope = execution.scope = StateScope(execution.definition, execution.language, value, {}, event)
            self.services.publish(execution)
        elif execution.redrives and scope.status != "RUNNING":
            last = len(execution.history.events)
            self.record(execution, "ExecutionRedriven", last, redriveCount=execution.redrives)
            self.services.publish(execution)
        try:
            output = await self._output(execution, scope)
        except TimeoutError:
            execution.end("TIMED_OUT", "States.Timeout")
            self.record(execution, "ExecutionTimedOut", scope.event, error="States.Timeout")
        except asyncio.CancelledError:
            execution.end("ABORTED", execution.error, execution.cause)
            details = {"error": execution.error, "cause": execution.cause}
            self.record(execution, "ExecutionAborted", scope.event, **details)
        except StateError as error:
            execution.end("FAILED", error.error, error.cause)
            self.record(execution, "ExecutionFailed", scope.event, error=error.error, cause=error.cause)
        except Exception as error:  # noqa: BLE001 - the execution ends, not the emulator
            cause = f"The emulator failed: {type(error).__name__}: {error}"
            execution.end("FAILED", "States.Runtime", cause)
            self.record(execution, "ExecutionFailed", scope.event, error="States.Runtime", cause=cause)
        else:
            execution.output = text(output)
            execution.end("SUCCEEDED")
            self.record(execution, "ExecutionSucceeded", scope.event, output=execution.output)
        self.services.publish(execution)
