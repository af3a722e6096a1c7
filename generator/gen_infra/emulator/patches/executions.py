"""Step Functions: executions, which `gen_infra.emulator.state_machines` runs, and their events."""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from typing import TYPE_CHECKING, Any

from moto.batch.models import batch_backends
from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.events.models import events_backends
from moto.stepfunctions.exceptions import ExecutionAlreadyExists, ExecutionDoesNotExist, InvalidExecutionInput
from moto.stepfunctions.responses import StepFunctionResponse

from gen_infra.emulator.authorization.callers import credentials
from gen_infra.emulator.jobs import ENDED as JOB_ENDED
from gen_infra.emulator.patches.account import jobs_of
from gen_infra.emulator.patches.functions import ENDPOINT_VARIABLE
from gen_infra.emulator.patches.moto_patch import MotoPatch, instead_of, moto_patch
from gen_infra.emulator.patches.state_machine_roles import role_denial
from gen_infra.emulator.state_machines.descriptions import described, described_map_run, listed, status_event
from gen_infra.emulator.state_machines.execution import ENDED, Execution, MapRun
from gen_infra.emulator.state_machines.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.stepfunctions.models import StateMachine, StepFunctionBackend

_log = logging.getLogger(__name__)
_PAGE = 100
_MEMBER = "gen_infra_executions"  # of the backend; moto's reset removes it
_FIRST = threading.Lock()


class Executions:
    """The executions of an account and region, and what they need of it.

    Args:
        backend: moto's Step Functions of the account and region.
    """

    def __init__(self, backend: StepFunctionBackend) -> None:
        self.account, self.region = backend.account_id, backend.region_name
        self.started: dict[str, Execution] = {}
        self.runner = Runner(self, self._running)

    def _running(self) -> list[Execution]:
        return [each for each in self.started.values() if each.status not in ENDED]

    def find(self, arn: str) -> Execution:
        """Return an execution or a child execution.

        Raises:
            ExecutionDoesNotExist: there is none with that ARN.
        """
        if arn in self.started:
            return self.started[arn]
        for execution in self.started.values():
            for child in execution.children():
                if child.arn == arn:
                    return child
        raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{arn}'")

    def find_map_run(self, arn: str) -> MapRun:
        """Return a Map Run.

        Raises:
            AWSError: there is none with that ARN.
        """
        runs = (run for execution in self.started.values() for run in execution.map_runs)
        found = next((run for run in runs if run.arn == arn), None)
        if found is None:
            raise AWSError(f"Resource not found: '{arn}'", "ResourceNotFound", 400)
        return found

    @property
    def endpoint(self) -> str:
        """Return the emulator's URL."""
        return os.environ[ENDPOINT_VARIABLE]

    def credentials(self, role_arn: str, session_name: str) -> Mapping[str, str]:
        """Return the environment variables of a new session of a role."""
        return credentials(role_arn, session_name, self.region, self.account)

    def denial(self, credentials: Mapping[str, str], action: str, parameters: Mapping[str, Any]) -> str:
        """Return AWS's message if the session may not make this call of Step Functions; empty if it may."""
        return role_denial(credentials, "stepfunctions", action, parameters, self.region)

    def has_ended(self, job_id: str) -> bool:
        """Return whether a Batch job has ended."""
        job = jobs_of(batch_backends[self.account][self.region]).get(job_id)
        return job is None or job.status in JOB_ENDED

    def refusal(self, execution: Execution) -> str:
        """Return why the execution cannot run; `execution_keys` replaces this."""
        raise NotImplementedError

    def deliver(self, execution: Execution, event: Mapping[str, Any]) -> None:
        """Deliver an event of a history to the log group; `execution_logs` replaces this."""
        raise NotImplementedError

    def publish(self, execution: Execution) -> None:
        """Send the event of an execution's status to EventBridge."""
        try:
            events_backends[self.account][self.region].put_events([status_event(execution)])
        except Exception:  # noqa: BLE001 - a target that moto cannot send to; the execution goes on
            _log.exception("the event of %s was not sent", execution.arn)


def executions_of(response: StepFunctionResponse) -> Executions:
    """Return the executions of the request's account and region."""
    backend = response.stepfunction_backend
    with _FIRST:
        if _MEMBER not in backend.__dict__:
            backend.__dict__[_MEMBER] = Executions(backend)
        found: Executions = backend.__dict__[_MEMBER]
    return found


@moto_patch(
    moto="5.2.5 starts executions that never run, and stops them at once",
    aws="runs them under the state machine's role, with a history of what each state did, and ends the jobs of those"
    " that are stopped",
)
def running_executions() -> None:
    """Answer the actions of executions from those that `gen_infra.emulator.state_machines` runs."""

    @instead_of(StepFunctionResponse, "start_execution")
    def start(response: StepFunctionResponse) -> ActionResult:
        name = response._get_param("name") or str(uuid.uuid4())
        given = response._get_param("input") or "{}"
        machine = response.stepfunction_backend.describe_state_machine(response._get_param("stateMachineArn"))
        response.stepfunction_backend._validate_name(name)
        executions = executions_of(response)
        made = _execution(machine, name, given)
        same = executions.started.get(made.arn)
        if same is None:
            executions.started[made.arn] = made
            executions.runner.begin(made)
        elif same.status != "RUNNING" or same.input != given:
            raise ExecutionAlreadyExists(f"Execution Already Exists: '{made.arn}'")
        return ActionResult({"executionArn": made.arn, "startDate": (same or made).started})

    @instead_of(StepFunctionResponse, "describe_execution")
    def describe(response: StepFunctionResponse) -> ActionResult:
        return ActionResult(described(_asked(response)))

    @instead_of(StepFunctionResponse, "stop_execution")
    def stop(response: StepFunctionResponse) -> ActionResult:
        execution = _asked(response)
        executions_of(response).runner.stop(execution, response._get_param("error"), response._get_param("cause"))
        return ActionResult({"stopDate": execution.stopped})

    @instead_of(StepFunctionResponse, "get_execution_history")
    def history(response: StepFunctionResponse) -> ActionResult:
        events = list(_asked(response).history.events)
        return _page(response, "events", events[::-1] if response._get_param("reverseOrder") else events)

    @instead_of(StepFunctionResponse, "list_executions")
    def list_executions(response: StepFunctionResponse) -> ActionResult:
        executions, run = executions_of(response), response._get_param("mapRunArn")
        if run:
            found = [child for child in executions.find_map_run(run).children if child.status != "PENDING"]
        else:
            machine = response.stepfunction_backend.describe_state_machine(response._get_param("stateMachineArn"))
            found = [each for each in executions.started.values() if each.machine == machine.arn]
        status, redriven = response._get_param("statusFilter"), response._get_param("redriveFilter")
        chosen = [
            listed(each)
            for each in sorted(found, key=lambda each: each.started, reverse=True)
            if status in (None, each.status) and redriven in (None, "REDRIVEN" if each.redrives else "NOT_REDRIVEN")
        ]
        return _page(response, "executions", chosen)


def _execution(machine: StateMachine, name: str, given: str) -> Execution:
    try:
        json.loads(given)
    except ValueError as error:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error
    definition = json.loads(machine.definition)
    return Execution(
        arn=f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}",
        name=name,
        machine=machine.arn,
        machine_name=machine.name,
        role=machine.roleArn,
        definition=definition,
        language=definition.get("QueryLanguage", "JSONPath"),
        input=given,
    )


def _asked(response: StepFunctionResponse) -> Execution:
    return executions_of(response).find(response._get_param("executionArn"))


def _page(response: StepFunctionResponse, name: str, found: list[Any]) -> ActionResult:
    """Answer with a page of what was found."""
    first = int(response._get_param("nextToken") or 0)
    after = first + (int(response._get_param("maxResults") or 0) or _PAGE)
    answer: dict[str, Any] = {name: found[first:after]}
    return ActionResult(answer | ({"nextToken": str(after)} if after < len(found) else {}))


@moto_patch(
    moto="5.2.5 has no RedriveExecution",
    aws="goes on with an execution that did not succeed from the states that did not succeed",
)
def redriven_executions() -> None:
    """Keep what has succeeded: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html."""

    @instead_of(StepFunctionResponse, "redrive_execution")
    def redrive(response: StepFunctionResponse) -> ActionResult:
        execution = _asked(response)
        status, reason = execution.redrive_status
        if status != "REDRIVABLE":
            raise AWSError(reason, "ExecutionNotRedrivable", 400)
        execution.redrive()
        executions_of(response).runner.begin(execution)
        return ActionResult({"redriveDate": execution.redriven})


@moto_patch(
    moto="5.2.5 answers ListMapRuns and DescribeMapRun with nothing",
    aws="lists the Map Runs of an execution, and counts their child executions",
)
def map_runs() -> None:
    """Describe the Map Runs: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-examine-map-run.html."""

    @instead_of(StepFunctionResponse, "list_map_runs")
    def list_map_runs(response: StepFunctionResponse) -> ActionResult:
        execution = _asked(response)
        members = ("executionArn", "mapRunArn", "startDate", "stopDate")
        found = [
            {name: value for name, value in described_map_run(run).items() if name in members}
            | {"stateMachineArn": execution.machine}
            for run in reversed(execution.map_runs)
        ]
        return _page(response, "mapRuns", found)

    @instead_of(StepFunctionResponse, "describe_map_run")
    def describe_map_run(response: StepFunctionResponse) -> ActionResult:
        return ActionResult(described_map_run(executions_of(response).find_map_run(response._get_param("mapRunArn"))))


PATCHES: tuple[MotoPatch, ...] = (
    running_executions,
    redriven_executions,
    map_runs,
)
