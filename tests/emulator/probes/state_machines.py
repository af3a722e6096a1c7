"""Step Functions."""

from __future__ import annotations

import json
from typing import Any

from tests.emulator.probes import Lab, probe, refusal

END = {"Type": "Pass", "End": True}


def definition(**states: Any) -> str:
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states})


def machine(lab: Lab, text: str, **changes: Any) -> str:
    given = {"name": lab.name("machine"), "definition": text, "roleArn": lab.role("machines")}
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
    create = {"name": lab.name("machine"), "roleArn": lab.role("machines")}
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
    given = {"name": lab.name("machine"), "roleArn": lab.role("machines"), "definition": definition(A=END)}
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


PROBES = (
    state_machine_definitions,
    state_machine_names,
    state_machine_revisions,
)
