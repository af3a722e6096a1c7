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


@probe([
    "OK", "FAIL", ("MISSING_TRANSITION_TARGET", "/States/A/Next"), [], [("WARNING", "PASS_RESULT_IS_STATIC")],
    "InvalidDefinition", "InvalidDefinition",
])  # fmt: skip
def state_machine_definitions(lab: Lab) -> Any:
    client, wrong = lab.client("stepfunctions"), definition(A={"Type": "Pass", "Next": "B"}, C=END)
    try:
        good, bad = (client.validate_state_machine_definition(definition=each) for each in (definition(A=END), wrong))
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    [first, *_] = bad["diagnostics"]
    doubtful = json.dumps({"StartAt": "A", "States": {"A": END | {"Result": "$.x"}}})
    by_severity = [
        client.validate_state_machine_definition(definition=doubtful, severity=each) for each in ("ERROR", "WARNING")
    ]
    without, with_warnings = ([(each["severity"], each["code"]) for each in one["diagnostics"]] for one in by_severity)
    create = {"name": lab.name("machine"), "roleArn": lab.role("machines", service=STATES)}
    return [
        good["result"],
        bad["result"],
        (first["code"], first["location"]),
        without,
        with_warnings,
        refusal(client.create_state_machine, **create, definition=wrong),
        refusal(client.create_state_machine, **create, definition="{"),
    ]


@probe(["accepted", "accepted", "StateMachineAlreadyExists"])
def state_machine_names(lab: Lab) -> Any:
    client = lab.client("stepfunctions")
    given = {
        "name": lab.name("machine"),
        "roleArn": lab.role("machines", service=STATES),
        "definition": definition(A=END),
    }
    client.create_state_machine(**given)
    other = given | {"roleArn": lab.role("other-machines", service=STATES)}
    changed = given | {"definition": definition(B=END)}
    return [refusal(client.create_state_machine, **each) for each in (given, other, changed)]


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
    for action in ("*LogDelivery", "ListLogDeliveries", "PutResourcePolicy", "Describe*"):
        lab.allow(name, f"logs:{action}", "*")
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


def own_key(lab: Lab, name: str) -> tuple[str, dict[str, str]]:
    """Make a key that the delivery of logs may use; return its ARN and the setting of a state machine."""
    logs = "arn:aws:logs:us-east-1:123456789012:*"
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}, "Action": "kms:Decrypt",
         "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": logs}}},
    ]  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    arn: str = lab.client("kms").create_key(Description=name, Policy=policy)["KeyMetadata"]["Arn"]
    return arn, {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": arn}


def allow_key(lab: Lab, role: str, action: str, key: str, context: str, value: str) -> None:
    condition = {"StringEquals": {f"kms:EncryptionContext:{context}": value}}
    statement = {"Effect": "Allow", "Action": f"kms:{action}", "Resource": key, "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    lab.client("iam").put_role_policy(RoleName=role, PolicyName=lab.name("key"), PolicyDocument=document)


@probe(["FAILED", "FAILED", "SUCCEEDED"])
def execution_keys(lab: Lab) -> Any:
    """The role needs both actions, for its own state machine."""
    name = lab.name("keys")
    key, setting = own_key(lab, name)
    arn = machine(
        lab, definition(A=END), name=name, roleArn=lab.role(name, service=STATES), encryptionConfiguration=setting
    )
    ends = []
    for value, actions in (("", ()), (f"{arn}-other", ("*",)), (arn, ("Decrypt", "GenerateDataKey"))):
        for action in actions:
            allow_key(lab, name, action, key, "aws:states:stateMachineArn", value)
        started = lab.client("stepfunctions").start_execution(stateMachineArn=arn)["executionArn"]
        ends.append(ended(lab, started)["status"])
        if ends[0] == "RUNNING":
            break  # an unpatched moto never ends it
    return ends


FAILED = ["FailStateEntered", "ExecutionFailed"]


@probe([
    [["ExecutionStarted", *FAILED], FAILED, ["ExecutionFailed"], []],
    [True, False, False, False],
    "0",
    [[], ["ExecutionStarted", *FAILED]],
])  # fmt: skip
def execution_logs(lab: Lab) -> Any:
    """What each level delivers, whether it has the execution's data, and what a key of the customer needs."""
    name, logs = lab.name("logged"), lab.client("logs")
    role = lab.role(name, service=STATES)
    lab.allow(name, "logs:*", "*")
    fail = {"Type": "Fail", "Error": "No", "Cause": "no"}

    def lines(level: str, **changes: Any) -> list[dict[str, Any]]:
        group = f"/aws/vendedlogs/states/{lab.name(level)}"
        logs.create_log_group(logGroupName=group)
        destination = {"logGroupArn": f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"}
        logging = {
            "level": level,
            "includeExecutionData": level == "ALL",
            "destinations": [{"cloudWatchLogsLogGroup": destination}],
        }
        arn = machine(lab, definition(A=fail), roleArn=role, loggingConfiguration=logging, **changes)
        started = lab.client("stepfunctions").start_execution(stateMachineArn=arn, input='{"sample": "HG002"}')
        ended(lab, started["executionArn"])
        events = logs.filter_log_events(logGroupName=group)["events"]
        return [json.loads(each["message"]) for each in events]

    if not (everything := lines("ALL")):
        return []
    by_level = [everything, *(lines(level) for level in ("ERROR", "FATAL", "OFF"))]
    key, setting = own_key(lab, name)
    machines = "arn:aws:states:us-east-1:123456789012:stateMachine:"
    with_key = []
    for number in range(2):
        own = f"{name}-{number}"
        allow_key(lab, name, "*", key, "aws:states:stateMachineArn", f"{machines}{own}")
        with_key.append(lines("ALL", name=own, encryptionConfiguration=setting))
        allow_key(lab, name, "GenerateDataKey", key, "SourceArn", "arn:aws:logs:us-east-1:123456789012:*")
    return [
        [[each["type"] for each in found] for found in by_level],
        ["HG002" in json.dumps(found[:1]) for found in by_level],
        everything[0]["previous_event_id"],
        [[each["type"] for each in found] for found in with_key],
    ]


PROBES = (
    state_machine_definitions,
    state_machine_names,
    state_machine_revisions,
    state_machine_roles,
    running_executions,
    redriven_executions,
    map_runs,
    execution_keys,
    execution_logs,
)
