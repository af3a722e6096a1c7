"""One execution of a state machine, and what it consists of."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.state_machines.history import History

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Mapping

REDRIVABLE = ("FAILED", "ABORTED", "TIMED_OUT")
ENDED = ("SUCCEEDED", *REDRIVABLE)


@dataclass
class StateScope:
    """A run of some states: those of an execution, of a branch of a Parallel state, or of an item of a Map state.

    It keeps what has been done, so that a redrive, or a copy of the emulator, goes on from there.

    Args:
        block: the object with ``StartAt`` and ``States``.
        language: the query language of states that do not name one.
        input: of the first state.
        variables: that states have assigned, with those of the outer scope.
        event: the id of the last event of its history.
        item: what ``$states.context.Map`` has in an item of a Map state.
        state: the name of the current state.
        state_input: the input of the current state.
        entered: when the current state was entered; None before.
        due: when the current Wait state ends.
        retries: of the current state.
        status: RUNNING, SUCCEEDED, FAILED or ABORTED.
        output: of the last state.
        job: the id of the Batch job of the current state.
        branches: the scopes of the current state.
        map_run: of the current state.
    """

    block: Mapping[str, Any]
    language: str
    input: Any
    variables: dict[str, Any]
    event: int
    item: Mapping[str, Any] | None = None
    state: str = ""
    state_input: Any = None
    entered: float | None = None
    due: float | None = None
    retries: int = 0
    status: str = "RUNNING"
    output: Any = None
    job: str = ""
    branches: list[StateScope] = field(default_factory=list)
    map_run: MapRun | None = None

    def forget_attempt(self) -> None:
        """Forget what the last attempt of the current state has done."""
        self.job, self.branches, self.map_run, self.due = "", [], None, None

    def move(self, state: str, state_input: Any) -> None:
        """Go to a state."""
        self.forget_attempt()
        self.state, self.state_input, self.entered = state, state_input, None


@dataclass
class MapRun:
    """A run of a Distributed Map state, with its child executions.

    Args:
        arn: of the run.
        execution: the parent.
        max_concurrency: 0 for no limit.
        tolerated_percentage: of the items that may fail.
        tolerated_count: how many items may fail.
        children: one for each item, in the order of the list.
    """

    arn: str
    execution: Execution
    max_concurrency: int
    tolerated_percentage: float
    tolerated_count: int
    children: list[Execution] = field(default_factory=list)
    status: str = "RUNNING"
    started: float = field(default_factory=time.time)
    stopped: float | None = None
    redrives: int = 0
    redriven: float | None = None
    written: int = 0

    def counts(self) -> dict[str, int]:
        """Count the child executions by their status, as DescribeMapRun does."""
        found = Counter(child.status for child in self.children)
        names = {"pending": "PENDING", "running": "RUNNING", "succeeded": "SUCCEEDED", "failed": "FAILED"} | {
            "timedOut": "TIMED_OUT",
            "aborted": "ABORTED",
            "pendingRedrive": "PENDING_REDRIVE",
        }
        counts = {name: found[status] for name, status in names.items()}
        return counts | {"total": len(self.children), "resultsWritten": self.written, "failuresNotRedrivable": 0}

    def exceeds_tolerance(self) -> bool:
        """Return whether more items have failed than may."""
        failed = sum(child.status in REDRIVABLE for child in self.children)
        if not failed:
            return False
        percentage = 100 * failed / len(self.children)
        if self.tolerated_count and self.tolerated_percentage:
            return failed > self.tolerated_count or percentage > self.tolerated_percentage
        return failed > self.tolerated_count if self.tolerated_count else percentage > self.tolerated_percentage


@dataclass
class Execution:
    """An execution, or a child execution of a Map Run.

    Args:
        arn: of the execution.
        name: the last part of its ARN.
        machine: the ARN of its state machine; that of a child names the Map state too.
        machine_name: the name that ``$states.context`` has.
        role: the ARN of the role that it runs under.
        definition: an object with ``StartAt`` and ``States``.
        language: the query language of the definition.
        input: JSON, as it was given.
        parent: the Map Run that a child execution belongs to.
    """

    arn: str
    name: str
    machine: str
    machine_name: str
    role: str
    definition: Mapping[str, Any]
    language: str
    input: str
    parent: MapRun | None = None
    status: str = "RUNNING"
    started: float = field(default_factory=time.time)
    stopped: float | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    redrives: int = 0
    redriven: float | None = None
    history: History = field(default_factory=History)
    scope: StateScope | None = None
    map_runs: list[MapRun] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    def end(self, status: str, error: str | None = None, cause: str | None = None) -> None:
        """Set the final status."""
        self.status, self.error, self.cause, self.stopped = status, error, cause, time.time()

    def redrive(self) -> None:
        """Prepare to go on from the states that did not succeed."""
        self.status, self.error, self.cause, self.stopped = "RUNNING", None, None, None
        self.redrives += 1
        self.redriven = time.time()

    @property
    def redrive_status(self) -> tuple[str, str]:
        """Return whether the execution can be redriven, and the reason if it cannot."""
        if self.status not in REDRIVABLE:
            return "NOT_REDRIVABLE", f"Execution is {self.status} and cannot be redriven"
        if self.parent is not None:
            return "REDRIVABLE_BY_MAP_RUN", "Execution is part of a Map Run and can be redriven with its parent"
        return "REDRIVABLE", ""

    def children(self) -> Iterator[Execution]:
        """Yield the child executions that have been started."""
        return (child for run in self.map_runs for child in run.children if child.status != "PENDING")
