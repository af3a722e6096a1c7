"""Run states: https://states-language.net/spec.html#statetypes."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.attempts import attempt_seconds
from gen_infra.emulator.state_machines import batch_jobs, map_run
from gen_infra.emulator.state_machines.errors import StateError
from gen_infra.emulator.state_machines.execution import StateScope
from gen_infra.emulator.state_machines.expressions import evaluate
from gen_infra.emulator.state_machines.history import text
from gen_infra.emulator.state_machines.integrations import SYNC, TaskResource, resource

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from gen_infra.emulator.state_machines.execution import Execution
    from gen_infra.emulator.state_machines.interfaces import ExecutionRunner

_LONGEST_PAYLOAD = 262_144  # bytes
_LONGEST_TIMEOUT = 99_999_999  # seconds
_ABORTED = ("Task", "Wait", "Parallel", "Map")  # types with an event for a state that is aborted
_OTHER_LANGUAGE = (
    "The emulator runs states in the query language JSONata only, as gen-infra's manifests require it;"
    ' write "QueryLanguage": "JSONata"'
)
Next = tuple[Any, str | None]  # the output of a state, and the name of the one that follows it


class ScopeRunner:
    """Runs the states of one execution.

    Args:
        execution: what runs.
        executions: runs child executions, and has the clients of the role.
    """

    def __init__(self, execution: Execution, executions: ExecutionRunner) -> None:
        self.execution = execution
        self.executions = executions
        self._kinds: Mapping[str, Callable[[StateScope, Mapping[str, Any]], Coroutine[Any, Any, Next]]] = {
            "Pass": self._pass,
            "Task": self._task,
            "Choice": self._choice,
            "Wait": self._wait,
            "Succeed": self._pass,
            "Fail": self._fail,
            "Parallel": self._parallel,
            "Map": self._map,
        }

    async def run(self, scope: StateScope) -> Any:
        """Run the states from the current one, and return the output of the last.

        Raises:
            StateError: a state failed, and no Retry or Catch helped.
        """
        if scope.status == "SUCCEEDED":
            return scope.output
        scope.status = "RUNNING"
        if not scope.state:
            scope.move(scope.block["StartAt"], scope.input)
        while True:
            state = scope.block["States"][scope.state]
            if scope.entered is None:
                scope.entered = time.time()
                self.event(scope, f"{state['Type']}StateEntered", name=scope.state, input=text(scope.state_input))
            try:
                output, following = await self._with_retries(scope, state)
            except asyncio.CancelledError:
                scope.status = "ABORTED"
                if state["Type"] in _ABORTED:
                    self.event(scope, f"{state['Type']}StateAborted")
                raise
            except StateError:
                scope.status = "FAILED"
                raise
            self.event(scope, f"{state['Type']}StateExited", name=scope.state, output=text(output))
            if following is None:
                scope.status, scope.output = "SUCCEEDED", output
                return output
            scope.move(following, output)

    def event(self, scope: StateScope, kind: str, **details: Any) -> None:
        """Add an event to the history, after the last one of the scope."""
        scope.event = self.executions.record(self.execution, kind, scope.event, **details)

    def value(self, scope: StateScope, value: Any, place: str, **states: Any) -> Any:
        """Evaluate the expressions in a field of the current state; ``states`` are members of ``$states``."""
        known = {"input": scope.state_input, "context": self._context(scope), **states}
        try:
            return evaluate(value, scope.variables, known, place)
        except StateError as error:
            where = {"error": error.error, "cause": error.cause, "location": error.place, "state": scope.state}
            self.event(scope, "EvaluationFailed", **where)
            raise

    def _context(self, scope: StateScope) -> dict[str, Any]:
        execution = self.execution
        described = {
            "Id": execution.arn,
            "Input": execution.scope.input if execution.scope else None,
            "Name": execution.name,
            "RoleArn": execution.role,
            "StartTime": _iso(execution.started),
            "RedriveCount": execution.redrives,
        }
        context = {
            "Execution": described,
            "StateMachine": {"Id": execution.machine, "Name": execution.machine_name},
            "State": {"EnteredTime": _iso(scope.entered or 0), "Name": scope.state, "RetryCount": scope.retries},
        }
        return context | ({"Map": {"Item": scope.item}} if scope.item is not None else {})

    async def _with_retries(self, scope: StateScope, state: Mapping[str, Any]) -> Next:
        """Run a state until it succeeds, or its Retry ends; then follow its Catch."""
        counts: Counter[int] = Counter()
        scope.retries = 0
        while True:
            try:
                _check_language(scope, state)
                return await self._kinds[state["Type"]](scope, state)
            except StateError as error:
                place = next((at for at, each in _matching(state, "Retry", error)), None)
                if place is not None:
                    rule = state["Retry"][place]
                    if counts[place] < rule.get("MaxAttempts", 3):
                        await asyncio.sleep(_delay(rule, counts[place]))
                        counts[place] += 1
                        scope.retries += 1
                        scope.forget_attempt()
                        continue
                for place, rule in _matching(state, "Catch", error):
                    found = {"Error": error.error, "Cause": error.cause}
                    return self._result(scope, rule, found, rule["Next"], f"Catch[{place}]", errorOutput=found)
                raise

    def _result(
        self,
        scope: StateScope,
        rule: Mapping[str, Any],
        default: Any,
        following: str | None,
        place: str = "",
        **states: Any,
    ) -> Next:
        """Return the output of a state and assign its variables, as its Output and Assign, or those of a rule, say."""
        start = f"{place}/" if place else ""
        output = self.value(scope, rule["Output"], f"{start}Output", **states) if "Output" in rule else default
        assigned = self.value(scope, rule.get("Assign", {}), f"{start}Assign", **states)
        if len(text(output).encode()) > _LONGEST_PAYLOAD:
            cause = (
                f"The state/task '{scope.state}' returned a result with a size exceeding the maximum number of bytes"
            )
            raise StateError("States.DataLimitExceeded", f"{cause} service limit.")
        scope.variables = scope.variables | assigned
        return output, following

    async def _pass(self, scope: StateScope, state: Mapping[str, Any]) -> Next:
        return self._result(scope, state, scope.state_input, state.get("Next"))

    async def _fail(self, scope: StateScope, state: Mapping[str, Any]) -> Next:
        raise StateError(*(self.value(scope, state.get(name, ""), name) for name in ("Error", "Cause")))

    async def _choice(self, scope: StateScope, state: Mapping[str, Any]) -> Next:
        for index, rule in enumerate(state["Choices"]):
            place = f"Choices[{index}]"
            if self.value(scope, rule["Condition"], f"{place}/Condition") is True:
                both = {name: state[name] for name in ("Output",) if name in state} | dict(rule)
                return self._result(scope, both, scope.state_input, rule["Next"], place)
        if "Default" not in state:
            raise StateError("States.NoChoiceMatched", f"No choice of the state '{scope.state}' matches its input")
        return self._result(scope, state, scope.state_input, state["Default"])

    async def _wait(self, scope: StateScope, state: Mapping[str, Any]) -> Next:
        if scope.due is None:
            if "Timestamp" in state:
                scope.due = datetime.fromisoformat(self.value(scope, state["Timestamp"], "Timestamp")).timestamp()
            else:
                scope.due = time.time() + self.value(scope, state["Seconds"], "Seconds")
        await asyncio.sleep(max(0, scope.due - time.time()))
        return self._result(scope, state, scope.state_input, state.get("Next"))

    async def _task(self, scope: StateScope, state: Mapping[str, Any]) -> Next:
        called = resource(state["Resource"])
        seconds = self.value(scope, state.get("TimeoutSeconds", _LONGEST_TIMEOUT), "TimeoutSeconds")
        kept = {"resourceType": called.service, "resource": called.action}
        if not scope.job:
            arguments = self.value(scope, state.get("Arguments", scope.state_input), "Arguments")
            details = {"region": self.executions.services.region, "parameters": text(arguments)}
            limit = seconds if "TimeoutSeconds" in state else None
            self.event(scope, "TaskScheduled", **kept, **details, timeoutInSeconds=limit)
            self.event(scope, "TaskStarted", **kept)
        else:
            arguments = None  # submitted before
        try:
            async with asyncio.timeout(seconds):
                result = await self._called(scope, called, arguments)
        except TimeoutError:
            self.event(scope, "TaskTimedOut", **kept, error="States.Timeout")
            raise StateError("States.Timeout", "") from None
        except StateError as error:
            is_submitted = self.execution.history.events[scope.event - 1]["type"] == "TaskSubmitted"
            kind = "TaskFailed" if is_submitted or not called.action.endswith(SYNC) else "TaskSubmitFailed"
            self.event(scope, kind, **kept, error=error.error, cause=error.cause)
            raise
        self.event(scope, "TaskSucceeded", **kept, output=text(result))
        return self._result(scope, state, result, state.get("Next"), result=result)

    async def _called(self, scope: StateScope, called: TaskResource, arguments: Any) -> Any:
        clients = self.executions.clients(self.execution)
        if called.action.endswith(SYNC):
            return await batch_jobs.run(self, scope, called, arguments, clients)
        return await asyncio.to_thread(clients.call, called, arguments)

    async def _parallel(self, scope: StateScope, state: Mapping[str, Any]) -> Next:
        if not scope.branches:
            value = self.value(scope, state.get("Arguments", scope.state_input), "Arguments")
            self.event(scope, "ParallelStateStarted")
            scope.branches = [self._inner(scope, branch, state, value) for branch in state["Branches"]]
        try:
            outputs = await all_of([self.run(branch) for branch in scope.branches])
        except StateError:
            self.event(scope, "ParallelStateFailed")
            raise
        self.event(scope, "ParallelStateSucceeded")
        return self._result(scope, state, outputs, state.get("Next"), result=outputs)

    async def _map(self, scope: StateScope, state: Mapping[str, Any]) -> Next:
        processor = state.get("ItemProcessor") or state["Iterator"]
        if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            outputs = await map_run.run(self, scope, state)
        else:
            outputs = await self._iterate(scope, state, processor)
        return self._result(scope, state, outputs, state.get("Next"), result=outputs)

    async def _iterate(self, scope: StateScope, state: Mapping[str, Any], processor: Mapping[str, Any]) -> list[Any]:
        """Run an inline Map state."""
        most = self.value(scope, state.get("MaxConcurrency", 0), "MaxConcurrency")
        if not scope.branches:
            items = self.value(scope, state.get("Items", scope.state_input), "Items")
            self.event(scope, "MapStateStarted", length=len(items))
            scope.branches = [self.item(scope, processor, state, item) for item in enumerate(items)]
        running = asyncio.Semaphore(most or len(scope.branches) or 1)
        name = scope.state

        async def iterate(index: int, branch: StateScope) -> Any:
            async with running:
                if branch.status == "SUCCEEDED":
                    return branch.output
                self.event(branch, "MapIterationStarted", name=name, index=index)
                try:
                    output = await self.run(branch)
                except asyncio.CancelledError:
                    self.event(branch, "MapIterationAborted", name=name, index=index)
                    raise
                except StateError:
                    self.event(branch, "MapIterationFailed", name=name, index=index)
                    raise
                self.event(branch, "MapIterationSucceeded", name=name, index=index)
                return output

        try:
            outputs = await all_of([iterate(*each) for each in enumerate(scope.branches)])
        except StateError:
            self.event(scope, "MapStateFailed")
            raise
        self.event(scope, "MapStateSucceeded")
        return outputs

    def item(
        self, scope: StateScope, processor: Mapping[str, Any], state: Mapping[str, Any], item: tuple[int, Any]
    ) -> StateScope:
        """Return the scope of an item of the current Map state."""
        known = {"Index": item[0], "Value": item[1]}
        outer, scope.item = scope.item, known
        try:
            value = self.value(scope, state.get("ItemSelector", item[1]), "ItemSelector")
        finally:
            scope.item = outer
        made = self._inner(scope, processor, state, value)
        made.item = known
        return made

    def _inner(self, scope: StateScope, block: Mapping[str, Any], state: Mapping[str, Any], value: Any) -> StateScope:
        language = block.get("QueryLanguage", state.get("QueryLanguage", scope.language))
        return StateScope(block, language, value, dict(scope.variables), scope.event, scope.item)


async def all_of(several: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Run side by side and return the results; if one fails, abort the others and raise its error."""
    tasks = [asyncio.ensure_future(each) for each in several]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    failed = (task.exception() for task in tasks if not task.cancelled())
    if (error := next(filter(None, failed), None)) is not None:
        raise error
    return [task.result() for task in tasks]


def _check_language(scope: StateScope, state: Mapping[str, Any]) -> None:
    if state.get("QueryLanguage", scope.language) != "JSONata":
        raise StateError("States.Runtime", _OTHER_LANGUAGE)


def _matching(state: Mapping[str, Any], several: str, error: StateError) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the first rule of a state's Retry or Catch that is for the error, with its place; or none."""
    rules = enumerate(state.get(several) or ())
    return [(at, rule) for at, rule in rules if error.matches(rule["ErrorEquals"])][:1]


def _delay(rule: Mapping[str, Any], retries: int) -> float:
    """Return how many seconds a retry waits: as Retry says, but at most as long as an attempt of a job takes."""
    seconds: float = rule.get("IntervalSeconds", 1) * rule.get("BackoffRate", 2.0) ** retries
    seconds = min(seconds, rule.get("MaxDelaySeconds", seconds), attempt_seconds())
    return seconds * random.random() if rule.get("JitterStrategy") == "FULL" else seconds  # noqa: S311 - not a secret


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
