"""Write the results of a Distributed Map to a bucket, in Step Functions' files.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.state_machines.errors import StateError
from gen_infra.emulator.state_machines.execution import REDRIVABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.emulator.state_machines.execution import Execution, MapRun, StateScope
    from gen_infra.emulator.state_machines.integrations import RoleClients
    from gen_infra.emulator.state_machines.interfaces import StateRun

_FILES = {"SUCCEEDED": ("SUCCEEDED",), "FAILED": REDRIVABLE, "PENDING": ("PENDING",)}


async def write(states: StateRun, scope: StateScope, state: Mapping[str, Any], run: MapRun) -> Any:
    """Write the results of a Map Run, and return the result of the state.

    Raises:
        StateError: the role may not write them.
    """
    writer = state.get("ResultWriter") or {}
    if "Resource" not in writer:
        return [json.loads(child.output) for child in run.children if child.output is not None]
    where = states.value(scope, writer["Arguments"], "ResultWriter/Arguments")
    clients = states.executions.clients(states.execution)
    try:
        return await asyncio.to_thread(_write, clients, where["Bucket"], where.get("Prefix", ""), run)
    except Exception as error:
        raise StateError(
            "States.ResultWriterFailed", f"Attempting to write the results to S3 failed: {error}"
        ) from error


def _write(clients: RoleClients, bucket: str, prefix: str, run: MapRun) -> dict[str, Any]:
    folder = "/".join(filter(None, (prefix.rstrip("/"), run.arn.rpartition(":")[2])))
    files: dict[str, list[dict[str, Any]]] = {}
    for name, statuses in _FILES.items():
        children = [_result(child) for child in run.children if child.status in statuses]
        files[name] = [_put(clients, bucket, f"{folder}/{name}_0.json", children)] if children else []
    manifest = {"DestinationBucket": bucket, "MapRunArn": run.arn, "ResultFiles": files}
    key = _put(clients, bucket, f"{folder}/manifest.json", manifest)["Key"]
    run.written = sum(child.status != "PENDING" for child in run.children)
    return {"MapRunArn": run.arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _put(clients: RoleClients, bucket: str, key: str, value: Any) -> dict[str, Any]:
    body = json.dumps(value).encode()
    clients.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    return {"Key": key, "Size": len(body)}


def _result(child: Execution) -> dict[str, Any]:
    """Describe a child execution as a file of results does."""
    status, reason = child.redrive_status
    members = {
        "Cause": child.cause,
        "Error": child.error,
        "ExecutionArn": child.arn,
        "Input": child.input,
        "InputDetails": {"Included": True},
        "Name": child.name,
        "Output": child.output,
        "OutputDetails": {"Included": True} if child.output is not None else None,
        "RedriveCount": child.redrives,
        "RedriveStatus": status,
        "RedriveStatusReason": reason or None,
        "StartDate": _iso(child.started),
        "StateMachineArn": child.machine,
        "Status": child.status,
        "StopDate": _iso(child.stopped) if child.stopped else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
