"""Step Functions."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from tests.emulator.probes import Lab, probe, refusal
from tests.polling import wait_until

END = {"Type": "Pass", "End": True}


STATES = "states.amazonaws.com"


def definition(**states: Any) -> str:
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states})


def machine(lab: Lab, text: str, **changes: Any) -> str:
    given = {"name": lab.name("machine"), "definition": text, "roleArn": lab.role("machines", service=STATES)}
    arn: str = lab.client("stepfunctions").create_state_machine(**given | changes)["stateMachineArn"]
    return arn


@probe(["OK", "FAIL", ("MISSING_TRANSITION_TARGET", "/States/A/Next"), "InvalidDefinition", "InvalidDefinition"])
def state_machine_definitions(lab: Lab) -> Any:
    client, wrong = lab.client("stepfunctions"), definition(A={"Type": "Pass", "Next": "B"}, C=END)
    try:
        good, bad = (client.validate_state_machine_definition(definition=each) for each in (definition(A=END), wrong))
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    [first, *_] = bad["diagnostics"]
    create = {"name": lab.name("machine"), "roleArn": lab.role("machines", service=STATES)}
    return [
        good["result"],
        bad["result"],
        (first["code"], first["location"]),
        refusal(client.create_state_machine, **create, definition=wrong),
        refusal(client.create_state_machine, **create, definition="{"),
    ]


@probe(["accepted", "StateMachineAlreadyExists"])
def state_machine_names(lab: Lab) -> Any:
    client = lab.client("stepfunctions")
    given = {
        "name": lab.name("machine"),
        "roleArn": lab.role("machines", service=STATES),
        "definition": definition(A=END),
    }
    client.create_state_machine(**given)
    changed = given | {"definition": definition(B=END)}
    return [refusal(client.create_state_machine, **given), refusal(client.create_state_machine, **changed)]


@probe([[], True])
def state_machine_revisions(lab: Lab) -> Any:
    client, arn = lab.client("stepfunctions"), machine(lab, definition(A=END))
    updated = client.update_state_machine(stateMachineArn=arn, definition=definition(B=END)).get("revisionId")
    described = client.describe_state_machine(stateMachineArn=arn).get("revisionId")
    try:
        versions = client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return [versions, bool(updated) and updated == described]


@probe(["AccessDeniedException", "AccessDeniedException", "AccessDeniedException", "accepted"])
def state_machine_roles(lab: Lab) -> Any:
    client, name = lab.client("stepfunctions"), lab.name("role")
    role = lab.role(name, service=STATES)
    job = {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync", "Arguments": {}, "End": True}
    group = {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:runs:*"}
    logging = {"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": group}]}
    given = {"name": name, "definition": definition(A=job), "roleArn": role, "loggingConfiguration": logging}
    answers = [refusal(client.create_state_machine, **given | {"roleArn": lab.role(lab.name("other"))})]
    answers.append(refusal(client.create_state_machine, **given))
    lab.allow(name, "events:*", "arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForBatchJobsRule")
    answers.append(refusal(client.create_state_machine, **given))
    lab.allow(name, "logs:CreateLogDelivery", "*")
    return [*answers, refusal(client.create_state_machine, **given)]


def run(lab: Lab, text: str, **given: Any) -> tuple[str, dict[str, Any]]:
    """Run a state machine to its end; return the execution's ARN and description."""
    client = lab.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=machine(lab, text), **given)["executionArn"]
    return arn, ended(lab, arn)


def ended(lab: Lab, arn: str) -> dict[str, Any]:
    def describe() -> dict[str, Any]:
        described: dict[str, Any] = lab.client("stepfunctions").describe_execution(executionArn=arn)
        return described

    with contextlib.suppress(AssertionError):  # an unpatched moto never ends it
        wait_until(lambda: describe()["status"] != "RUNNING", seconds=1.0)
    return describe()


def history(lab: Lab, arn: str) -> list[str]:
    events = lab.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return [each["type"] for each in events]


PASSED = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


@probe(["SUCCEEDED", "HG002 of run", PASSED, "ExecutionAlreadyExists", "ExecutionDoesNotExist"])
def running_executions(lab: Lab) -> Any:
    client = lab.client("stepfunctions")
    text = definition(A=END | {"Output": "{% $states.input.sample & ' of ' & $states.context.Execution.Name %}"})
    arn, found = run(lab, text, name="run", input=json.dumps({"sample": "HG002"}))
    again = {"stateMachineArn": found["stateMachineArn"], "name": "run", "input": found["input"]}
    return [
        found["status"],
        json.loads(found.get("output", "null")),
        history(lab, arn),
        refusal(client.start_execution, **again),
        refusal(client.describe_execution, executionArn=f"{arn}-other"),
    ]


@probe(["FAILED", "accepted", 1, ["ExecutionFailed", "ExecutionRedriven", "ExecutionFailed"], "ExecutionNotRedrivable"])
def redriven_executions(lab: Lab) -> Any:
    client = lab.client("stepfunctions")
    arn, failed = run(lab, definition(A={"Type": "Fail", "Error": "No", "Cause": "no"}))
    redriven = refusal(client.redrive_execution, executionArn=arn)
    count = ended(lab, arn).get("redriveCount")
    other, _ = run(lab, definition(A=END))
    return [
        failed["status"],
        redriven,
        count,
        history(lab, arn)[-3:],
        refusal(client.redrive_execution, executionArn=other),
    ]


@probe([["SUCCEEDED", 2, 2], ["SUCCEEDED", "SUCCEEDED"]])
def map_runs(lab: Lab) -> Any:
    client, processor = (
        lab.client("stepfunctions"),
        {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
    )
    lab.role("machines", service=STATES)
    lab.allow("machines", "states:StartExecution", "*")
    items = {"Items": [1, 2], "ItemProcessor": {**processor, "StartAt": "B", "States": {"B": END}}}
    arn, _ = run(lab, definition(A={"Type": "Map", "End": True} | items))
    runs = client.list_map_runs(executionArn=arn).get("mapRuns")
    if not runs:
        return runs
    counts = client.describe_map_run(mapRunArn=runs[0]["mapRunArn"])
    children = client.list_executions(mapRunArn=runs[0]["mapRunArn"])["executions"]
    return [
        [counts["status"], counts["itemCounts"]["succeeded"], counts["itemCounts"]["total"]],
        [each["status"] for each in children],
    ]


PROBES = (
    state_machine_definitions,
    state_machine_names,
    state_machine_revisions,
    state_machine_roles,
    running_executions,
    redriven_executions,
    map_runs,
)
