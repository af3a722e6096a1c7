"""Step Functions: what the role of a state machine must be allowed before the state machine is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.exceptions import AWSError
from moto.stepfunctions.models import StepFunctionBackend

from gen_infra.emulator.authorization import denial
from gen_infra.emulator.authorization.callers import credentials
from gen_infra.emulator.authorization.context import context
from gen_infra.emulator.authorization.decide import decide
from gen_infra.emulator.operations import Operation
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch
from gen_infra.emulator.validation.parameters import KEY
from gen_infra.iam import Principal, PrincipalKind, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moto.stepfunctions.models import StateMachine

_SERVICE = Principal(PrincipalKind.SERVICE, "states.amazonaws.com", "")
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
_LOG_DELIVERY = (
    *("CreateLogDelivery", "DeleteLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies", "GetLogDelivery"),
    *("ListLogDeliveries", "PutResourcePolicy", "UpdateLogDelivery"),
)
_RULE = "StepFunctionsGetEventsForBatchJobsRule"


@moto_patch(
    moto="5.2.5 creates a state machine with any text as its role",
    aws="creates it if the role trusts Step Functions, and may make the event rule for Batch jobs and deliver logs",
)
def state_machine_roles() -> None:
    """Evaluate the role's policies: https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html#batch-iam."""

    @around(StepFunctionBackend, "create_state_machine")
    def create(original: Callable[..., StateMachine], backend: StepFunctionBackend, **given: Any) -> StateMachine:
        arn = f"arn:{backend.partition}:states:{backend.region_name}:{backend.account_id}:stateMachine:{given['name']}"
        _check(backend, arn, given["roleArn"], given["definition"], given.get("loggingConfiguration"))
        return original(backend, **given)

    @around(StepFunctionBackend, "update_state_machine")
    def update(original: Callable[..., StateMachine], backend: StepFunctionBackend, **given: Any) -> StateMachine:
        found = backend.describe_state_machine(given["arn"])
        role, definition = given.get("role_arn") or found.roleArn, given.get("definition") or found.definition
        logging = given.get("logging_configuration") or found.loggingConfiguration
        _check(backend, found.arn, role, definition, logging)
        return original(backend, **given)


def _check(
    backend: StepFunctionBackend, arn: str, role: str, definition: str, logging: Mapping[str, Any] | None
) -> None:
    backend._validate_role_arn(role)
    account, region = backend.account_id, backend.region_name
    source = {"aws:sourcearn": (arn,), "aws:sourceaccount": (account,)}
    values = context("sts:AssumeRole", {}, _SERVICE, region) | source
    if not decide(Request("sts:AssumeRole", role, account, values), _SERVICE).is_allowed:
        raise _refused(
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume"
            " the provided role."
        )
    keys = credentials(role, "states", region, account)
    if "batch:submitJob.sync" in definition:
        calls = {"PutTargets": "Rule", "PutRule": "Name", "DescribeRule": "Name"}
        if any(role_denial(keys, "events", action, {name: _RULE}, region) for action, name in calls.items()):
            raise _refused(f"'{role}' is not authorized to create managed-rule.")
    if not (logging or {}).get("destinations"):
        return
    if any(role_denial(keys, "logs", action, {}, region) for action in _LOG_DELIVERY):
        raise _refused("The state machine IAM Role is not authorized to access the Log Destination")


def role_denial(keys: Mapping[str, str], service: str, action: str, parameters: Mapping[str, Any], region: str) -> str:
    """Return AWS's message if the session of a role may not make a call; empty if it may.

    Args:
        keys: the environment variables of the session.
        service: boto3's name of the service.
        action: AWS's name of the operation.
        parameters: of the call.
        region: of the call.
    """
    operation = Operation(service, action, "json", parameters, region, keys["AWS_ACCESS_KEY_ID"])
    refused = denial(operation, {KEY: parameters})
    return refused.message if refused else ""


def _refused(message: str) -> AWSError:
    return AWSError(message, "AccessDeniedException", 400)


PATCHES: tuple[MotoPatch, ...] = (state_machine_roles,)
