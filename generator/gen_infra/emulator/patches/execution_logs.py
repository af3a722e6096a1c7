"""Step Functions: the key of a state machine, and the log group that gets the histories of its executions."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from moto.logs.models import logs_backends
from moto.stepfunctions.models import stepfunctions_backends

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.authorization.keys import DECRYPT, ENCRYPT
from gen_infra.emulator.patches.executions import Executions
from gen_infra.emulator.patches.moto_patch import MotoPatch, instead_of, moto_patch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.stepfunctions.models import StateMachine

    from gen_infra.emulator.state_machines.execution import Execution

_SERVICE = "states.amazonaws.com"
_DELIVERY = "delivery.logs.amazonaws.com"
_ENDS = ("Aborted", "Failed", "TimedOut")
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-log-level
_FATAL = frozenset(f"Execution{end}" for end in _ENDS)
# What `includeExecutionData` leaves out: the data that states receive, pass and return.
_DATA = frozenset({"input", "output", "parameters"})


@moto_patch(
    moto="5.2.5 never uses the key of a state machine",
    aws="encrypts what an execution does with the key of its state machine, as its role, and fails without the right",
)
def execution_keys() -> None:
    """Look at the role and its use of the key before an execution begins, or goes on.

    Step Functions calls KMS with the state machine as encryption context; the name of the error is not documented.
    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
    """

    @instead_of(Executions, "refusal")
    def refusal(executions: Executions, execution: Execution) -> str:
        machine = _machine(executions, execution)
        if machine is None:
            return ""  # deleted: what runs goes on
        actor = acts.role(execution.role, executions.region, _SERVICE, session=execution.name[:64], source=machine.arn)
        if actor is None:
            return f"Neither the global service principal {_SERVICE}, nor the regional one may assume {execution.role}"
        context = {"aws:states:stateMachineArn": machine.arn}
        return acts.key_refusal(actor, _key(machine), ENCRYPT, context, via="states")


@moto_patch(
    moto="5.2.5 delivers nothing to the log group of a state machine",
    aws="delivers the events of the level that the state machine has, as far as its key allows",
)
def execution_logs() -> None:
    """Write each event to the log group, one JSON object a line.

    A delivery that is refused is lost, and does not stop the execution.
    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """

    @instead_of(Executions, "deliver")
    def deliver(executions: Executions, execution: Execution, event: Mapping[str, Any]) -> None:
        machine = _machine(executions, execution)
        logging: Mapping[str, Any] = machine.loggingConfiguration if machine else {}
        if machine is None or not is_logged(event["type"], logging.get("level", "OFF")):
            return
        logs = logs_backends[executions.account][executions.region]
        for destination in logging.get("destinations") or ():
            arn = str(destination["cloudWatchLogsLogGroup"]["logGroupArn"])
            group = arn.partition(":log-group:")[2].removesuffix(":*")
            if group not in logs.groups or not _may_deliver(executions, machine):
                continue
            stream = _stream(machine, execution)
            if stream not in logs.groups[group].streams:
                logs.create_log_stream(group, stream)
            line = {
                "timestamp": int(time.time() * 1000),
                "message": entry(execution, event, with_data=bool(logging.get("includeExecutionData"))),
            }
            logs.put_log_events(group, stream, [line])


def is_logged(kind: str, level: str) -> bool:
    """Return whether a level includes an event of this type."""
    if level == "FATAL":
        return kind in _FATAL
    return level == "ALL" or (level == "ERROR" and (kind.endswith(_ENDS) or kind == "FailStateEntered"))


def entry(execution: Execution, event: Mapping[str, Any], *, with_data: bool) -> str:
    """Return the line for an event."""
    found: Mapping[str, Any] = next((each for name, each in event.items() if name.endswith("EventDetails")), {})
    details: dict[str, Any] = {}
    for name, value in found.items():
        if with_data or name not in _DATA:
            details[name] = value
        if name in ("input", "output") and with_data:
            details[f"{name}Details"] = {"truncated": False}
    members = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "redrive_count": str(execution.redrives),
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(int(event["timestamp"] * 1000)),
        "execution_arn": execution.arn,
    }
    return json.dumps(members, separators=(",", ":"))


def _machine(executions: Executions, execution: Execution) -> StateMachine | None:
    """Return the state machine of an execution, unless it is deleted; that of a child names the Map state, too."""
    arn = execution.machine.partition("/")[0]
    machines = stepfunctions_backends[executions.account][executions.region].state_machines
    return next((each for each in machines if each.arn == arn), None)


def _key(machine: StateMachine) -> str | None:
    found: str | None = (machine.encryptionConfiguration or {}).get("kmsKeyId")
    return found


def _may_deliver(executions: Executions, machine: StateMachine) -> bool:
    """Return whether the role may encrypt log entries for the delivery, and the delivery may decrypt them.

    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html#encrypt-state-machine-logs
    """
    key, region = _key(machine), executions.region
    logs = f"{machine.arn.partition(':states:')[0]}:logs:{region}:{executions.account}:*"
    role = acts.role(machine.roleArn, region, _SERVICE, session="logs", source=machine.arn)
    if role is None:
        return False
    actions = ((role, ("kms:GenerateDataKey",)), (acts.service(_DELIVERY, region, logs), DECRYPT))
    return not any(acts.key_refusal(actor, key, needed, {"SourceArn": logs}) for actor, needed in actions)


def _stream(machine: StateMachine, execution: Execution) -> str:
    started = time.strftime("%Y-%m-%d-%H-%M", time.gmtime(execution.started))
    return f"states/{machine.name}/{started}/{hashlib.sha256(execution.arn.encode()).hexdigest()[:8]}"


PATCHES: tuple[MotoPatch, ...] = (execution_keys, execution_logs)
