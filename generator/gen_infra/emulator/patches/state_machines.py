"""Step Functions: definitions and state machines."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.responses import StepFunctionResponse

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch
from gen_infra.manifest import states_language

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.stepfunctions.models import StateMachine

_LONGEST_ANSWER = 100  # diagnostics


@moto_patch(
    moto="5.2.5 has no ValidateStateMachineDefinition, which Terraform calls at plan, and creates machines of any text",
    aws="answers with diagnostics, and refuses to create or update a state machine whose definition has some",
)
def state_machine_definitions() -> None:
    """Validate the definition.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
    """

    @instead_of(StepFunctionResponse, "validate_state_machine_definition")
    def validate(response: StepFunctionResponse) -> ActionResult:
        text = response._get_param("definition")
        refused = states_language.errors(text)
        asked = response._get_param("severity") == "WARNING"
        found = states_language.diagnostics(text) if asked else refused
        most = int(response._get_param("maxResults") or _LONGEST_ANSWER)
        shown = [
            {"severity": each.severity, "code": each.code, "message": each.message}
            | ({"location": each.location} if each.location else {})
            for each in found[:most]
        ]
        result = "FAIL" if refused else "OK"
        return ActionResult({"result": result, "diagnostics": shown, "truncated": len(found) > most})

    @around(StepFunctionBackend, "create_state_machine")
    def create(original: Callable[..., StateMachine], backend: StepFunctionBackend, **given: Any) -> StateMachine:
        _check(given["definition"])
        return original(backend, **given)

    @around(StepFunctionBackend, "update_state_machine")
    def update(original: Callable[..., StateMachine], backend: StepFunctionBackend, **given: Any) -> StateMachine:
        if given.get("definition") is not None:
            _check(given["definition"])
        return original(backend, **given)


def _check(text: str) -> None:
    if found := states_language.errors(text):
        message = f"Invalid State Machine Definition: '{', '.join(map(str, found))}'"
        raise AWSError(message, exception_type="InvalidDefinition")


@moto_patch(
    moto="5.2.5 answers CreateStateMachine with the state machine that has the name, whatever it was asked for",
    aws="answers so only if definition, type and settings are the same, else with StateMachineAlreadyExists",
)
def state_machine_names() -> None:
    """Compare the settings: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html."""

    @around(StepFunctionBackend, "create_state_machine")
    def create(original: Callable[..., StateMachine], backend: StepFunctionBackend, **given: Any) -> StateMachine:
        found = next((each for each in backend.state_machines if each.name == given["name"]), None)
        made = original(backend, **given)
        if found is not None:
            asked = (given["definition"], given.get("sm_type") or "STANDARD")
            settings = {"loggingConfiguration", "tracingConfiguration", "encryptionConfiguration"} & given.keys()
            same = all(given[name] is None or getattr(found, name) == given[name] for name in settings)
            if not same or (found.definition, found.type) != asked:
                message = f"State Machine Already Exists: '{found.arn}'"
                raise AWSError(message, exception_type="StateMachineAlreadyExists")
        return made


@moto_patch(
    moto="5.2.5 has no ListStateMachineVersions and no revisionId",
    aws="lists published versions, and gives the state machine a new revisionId with each update",
)
def state_machine_revisions() -> None:
    """Keep the id of the revision on the state machine; Terraform reads it after an update."""

    @instead_of(StepFunctionResponse, "list_state_machine_versions")
    def versions(response: StepFunctionResponse) -> ActionResult:
        machine = response.stepfunction_backend.describe_state_machine(response._get_param("stateMachineArn"))
        listed = [
            {"stateMachineVersionArn": each.arn, "creationDate": each.creation_date}
            for _, each in sorted(machine.versions.items(), reverse=True)
        ]
        return ActionResult({"stateMachineVersions": listed})

    @around(StepFunctionBackend, "update_state_machine")
    def update(original: Callable[..., StateMachine], backend: StepFunctionBackend, **given: Any) -> Any:
        machine: Any = original(backend, **given)
        machine.revision_id = str(uuid.uuid4())
        return machine

    @around(StepFunctionResponse, "update_state_machine")
    def answer(original: Callable[..., ActionResult], response: StepFunctionResponse) -> Any:
        return _with_revision(original(response), response)

    @around(StepFunctionResponse, "_describe_state_machine")
    def describe(original: Callable[..., ActionResult], response: StepFunctionResponse, arn: str) -> Any:
        return _with_revision(original(response, arn), response)


def _with_revision(answer: Any, response: StepFunctionResponse) -> Any:
    """Add the id of the revision; a state machine that was never updated has none."""
    arn = response._get_param("stateMachineArn")
    machine = next((each for each in response.stepfunction_backend.state_machines if each.arn == arn), None)
    if revision := getattr(machine, "revision_id", None):
        return ActionResult({**answer.result, "revisionId": revision})
    return answer


PATCHES: tuple[MotoPatch, ...] = (
    state_machine_definitions,
    state_machine_names,
    state_machine_revisions,
)
