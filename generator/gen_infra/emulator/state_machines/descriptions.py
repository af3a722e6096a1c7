"""Describe executions and Map Runs as the API and the events of Step Functions do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen_infra.emulator.state_machines.execution import Execution, MapRun


def described(execution: Execution) -> dict[str, Any]:
    """Return the members of DescribeExecution's answer."""
    status, reason = execution.redrive_status
    members = listed(execution) | {
        "input": execution.input,
        "inputDetails": {"included": True},
        "output": execution.output,
        "outputDetails": {"included": True} if execution.output is not None else None,
        "error": execution.error,
        "cause": execution.cause,
        "redriveStatus": status,
        "redriveStatusReason": reason or None,
    }
    return _given(members)


def listed(execution: Execution) -> dict[str, Any]:
    """Return the members of an execution in ListExecutions."""
    return _given(
        {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine,
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started,
            "stopDate": execution.stopped,
            "redriveCount": execution.redrives,
            "redriveDate": execution.redriven,
            "mapRunArn": execution.parent.arn if execution.parent else None,
            "itemCount": 0 if execution.parent else None,
        }
    )


def described_map_run(run: MapRun) -> dict[str, Any]:
    """Return the members of DescribeMapRun's answer."""
    return _given(
        {
            "mapRunArn": run.arn,
            "executionArn": run.execution.arn,
            "status": run.status,
            "startDate": run.started,
            "stopDate": run.stopped,
            "maxConcurrency": run.max_concurrency,
            "toleratedFailurePercentage": run.tolerated_percentage,
            "toleratedFailureCount": run.tolerated_count,
            "itemCounts": run.counts(),
            "executionCounts": run.counts(),
            "redriveCount": run.redrives,
            "redriveDate": run.redriven,
        }
    )


def status_event(execution: Execution) -> dict[str, Any]:
    """Return the event of an execution's status.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    members = described(execution)
    detail = {
        name: members.get(name)
        for name in (
            *("executionArn", "stateMachineArn", "name", "status", "input", "output", "error", "cause"),
            *("inputDetails", "outputDetails", "redriveCount", "redriveStatus", "redriveStatusReason"),
        )
    }
    dates = {"startDate": execution.started, "stopDate": execution.stopped, "redriveDate": execution.redriven}
    detail |= {name: None if date is None else int(date * 1000) for name, date in dates.items()}
    return {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Resources": [execution.arn],
        "Detail": json.dumps(detail),
    }


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
