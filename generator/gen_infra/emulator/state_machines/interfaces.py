"""What the parts that run state machines need of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.emulator.state_machines.execution import Execution, StateScope
    from gen_infra.emulator.state_machines.integrations import RoleClients


class AccountServices(Protocol):
    """What an execution needs of the account that it runs in."""

    @property
    def endpoint(self) -> str:
        """Return the emulator's URL."""

    @property
    def region(self) -> str:
        """Return the region."""

    def credentials(self, role_arn: str, session_name: str) -> Mapping[str, str]:
        """Return the environment variables of a new session of a role."""

    def denial(self, credentials: Mapping[str, str], action: str, parameters: Mapping[str, Any]) -> str:
        """Return AWS's message if the session may not make this call of Step Functions; empty if it may."""

    def has_ended(self, job_id: str) -> bool:
        """Return whether a Batch job has ended."""

    def refusal(self, execution: Execution) -> str:
        """Return AWS's message if its role may not run the execution; empty if it may."""

    def deliver(self, execution: Execution, event: Mapping[str, Any]) -> None:
        """Deliver an event of its history to the log group of its state machine."""

    def publish(self, execution: Execution) -> None:
        """Send the event of an execution's status to EventBridge."""


class ExecutionRunner(Protocol):
    """Runs the executions of an account and region."""

    @property
    def services(self) -> AccountServices:
        """Return what executions need of the account."""

    def clients(self, execution: Execution) -> RoleClients:
        """Return clients with the credentials of an execution's role."""

    def denial(self, execution: Execution, action: str, parameters: Mapping[str, Any]) -> str:
        """Return AWS's message if the role may not make this call of Step Functions; empty if it may."""

    def record(self, execution: Execution, kind: str, previous: int, /, **details: Any) -> int:
        """Add an event to a history and deliver it; return its id."""

    async def start(self, child: Execution) -> None:
        """Run a child execution until it ends."""


class StateRun(Protocol):
    """Runs the states of one execution."""

    @property
    def execution(self) -> Execution:
        """Return the execution."""

    @property
    def executions(self) -> ExecutionRunner:
        """Return what runs its child executions."""

    def event(self, scope: StateScope, kind: str, **details: Any) -> None:
        """Add an event to the history, after the last one of the scope."""

    def value(self, scope: StateScope, value: Any, place: str, **states: Any) -> Any:
        """Evaluate the expressions in a field of the current state; ``states`` are members of ``$states``."""

    def item(
        self, scope: StateScope, processor: Mapping[str, Any], state: Mapping[str, Any], item: tuple[int, Any]
    ) -> StateScope:
        """Return the scope of an item of the current Map state."""
