from __future__ import annotations

import json
from typing import Any

import pytest

from gen_infra.emulator.state_machines.errors import StateError
from gen_infra.emulator.state_machines.execution import Execution, MapRun
from gen_infra.emulator.state_machines.map_items import parsed
from gen_infra.manifest.states_language import diagnostics, errors

END = {"Type": "Pass", "End": True}
FIRST_ROW = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}


def found(states: dict[str, Any], **members: Any) -> list[tuple[str, str, str]]:
    text = json.dumps({"StartAt": next(iter(states)), "States": states} | members)
    return [(each.code, each.message, each.location) for each in errors(text)]


def passing(following: str) -> dict[str, Any]:
    return {"Type": "Pass", "Next": following}


# As observed on AWS: https://github.com/floci-io/floci/pull/2786
MISSING = "MISSING_TRANSITION_TARGET"
NO_END = ("MISSING_END_STATE", "Workflow has no terminal state", "")
TRANSITIONS = {
    "loop": ({"A": passing("B"), "B": passing("A")}, [NO_END]),
    "loop and a state that nothing reaches": ({"A": passing("B"), "B": passing("A"), "C": passing("A")}, [NO_END]),
    "unreachable end": ({"A": passing("A"), "C": END}, [(MISSING, 'State "C" is not reachable.', "/States/C")]),
    "unknown target": ({"A": passing("NOPE")}, [(MISSING, "Missing 'Next' target: NOPE", "/States/A/Next"), NO_END]),
    "unknown default": (
        {"A": {"Type": "Choice", "Choices": [{"Next": "B"}], "Default": "NOPE"}, "B": END},
        [(MISSING, "Missing 'Next' target: NOPE", "/States/A/Default")],
    ),
    "unknown choice": (
        {"A": {"Type": "Choice", "Choices": [{"Next": "NOPE"}], "Default": "B"}, "B": END},
        [(MISSING, "Missing 'Next' target: NOPE", "/States/A/Choices[0]/Next")],
    ),
}


@pytest.mark.parametrize(("states", "expected"), TRANSITIONS.values(), ids=TRANSITIONS)
def test_transitions_have_the_diagnostics_of_aws(states: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert found(states) == expected


FIELDS = {
    "/States/A/Type": {"A": {"Type": "Step", "End": True}},
    "/States/A/Nxt": {"A": END | {"Nxt": "B"}},
    "/States/A/Output": {"A": END | {"Output": {}}},  # a field of JSONata
    "/States/A": {"A": {"Type": "Pass"}},
    "/States/A/Branches[0]/States/B/Nope": {
        "A": {"Type": "Parallel", "End": True, "Branches": [{"StartAt": "B", "States": {"B": END | {"Nope": 1}}}]}
    },
    "/States/A/ItemProcessor/States": {"A": {"Type": "Map", "End": True, "ItemProcessor": {"StartAt": "B"}}},
}


@pytest.mark.parametrize(("location", "states"), FIELDS.items(), ids=FIELDS)
def test_fields_that_a_state_cannot_have_are_found(location: str, states: dict[str, Any]) -> None:
    assert ("SCHEMA_VALIDATION_FAILED", location) in [(code, place) for code, _, place in found(states)]


def test_a_definition_without_errors_has_no_diagnostics() -> None:
    assert found({"A": passing("B"), "B": {"Type": "Succeed"}}, Comment="two states") == []
    assert [each.code for each in errors("{")] == ["INVALID_JSON_DESCRIPTION"]


TASK = {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync", "End": True}
WITHIN = {"StartAt": "A", "States": {"A": END}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
MAP = {"Type": "Map", "End": True}
CODES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a name twice": ("DUPLICATE_STATE_NAME", "/Branches[0]/States/A", {"Type": "Parallel", "Branches": [WITHIN]} | END),
    "a resource": ("INVALID_RESOURCE", "/Resource", TASK | {"Resource": "batch:submitJob"}),
    "a label": ("INVALID_LABEL_NAME", "/Label", MAP | {"Label": "each sample", "ItemProcessor": DISTRIBUTED | WITHIN}),
}
VALUES: dict[str, dict[str, Any]] = {
    "/TimeoutSeconds": TASK | {"TimeoutSeconds": 0},
    "/HeartbeatSeconds": TASK | {"TimeoutSeconds": 60, "HeartbeatSeconds": 60},
    "/Retry": TASK | {"Retry": {"ErrorEquals": ["States.ALL"]}},
    "/Retry[0]": TASK | {"Retry": [{"ErrorEquals": ["States.ALL"], "Next": "A"}]},
    "/Retry[0]/ErrorEquals": TASK | {"Retry": [{"ErrorEquals": []}]},
    "/Retry[0]/IntervalSeconds": TASK | {"Retry": [{"ErrorEquals": ["A"], "IntervalSeconds": 1.5}]},
    "/Retry[0]/MaxDelaySeconds": TASK | {"Retry": [{"ErrorEquals": ["A"], "MaxDelaySeconds": 31_622_400}]},
    "/Retry[0]/JitterStrategy": TASK | {"Retry": [{"ErrorEquals": ["A"], "JitterStrategy": "HALF"}]},
    "/Catch[0]": TASK | {"Catch": [{"ErrorEquals": ["States.ALL"]}]},
    "/Catch[0]/ErrorEquals": TASK
    | {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}, {"ErrorEquals": ["B"], "Next": "A"}]},
    "/ResultPath": TASK | {"ResultPath": "result"},
    "": {"Type": "Wait", "Seconds": 1, "Timestamp": "2026-11-29T00:00:00Z", "End": True},
    "/Branches": {"Type": "Parallel", "Branches": {"A": 1}, "End": True},
    "/Choices": {"Type": "Choice", "Choices": []},
    "/ItemProcessor/ProcessorConfig/ExecutionType": MAP
    | {"ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **WITHIN}},
    "/ToleratedFailurePercentage": MAP | {"ToleratedFailurePercentage": 101, "ItemProcessor": DISTRIBUTED | WITHIN},
}


@pytest.mark.parametrize(("code", "location", "state"), CODES.values(), ids=CODES)
def test_errors_have_the_codes_that_aws_documents(code: str, location: str, state: dict[str, Any]) -> None:
    assert (code, f"/States/A{location}") in [(each, place) for each, _, place in found({"A": state})]


@pytest.mark.parametrize(("location", "state"), VALUES.items(), ids=VALUES)
def test_values_that_a_field_cannot_have_are_found(location: str, state: dict[str, Any]) -> None:
    assert ("SCHEMA_VALIDATION_FAILED", f"/States/A{location}") in [(each, at) for each, _, at in found({"A": state})]


def test_an_expression_may_stand_for_a_number_in_jsonata() -> None:
    state = TASK | {"TimeoutSeconds": "{% $states.input.seconds %}"}
    assert found({"A": state}, QueryLanguage="JSONata") == []
    assert [place for _, _, place in found({"A": state})] == ["/States/A/TimeoutSeconds"]


def test_two_labels_of_one_name_an_empty_definition_and_one_that_is_too_deep() -> None:
    each = MAP | {"Label": "samples", "Next": "B"}
    del each["End"]
    inner = {"StartAt": "C", "States": {"C": END}}, {"StartAt": "D", "States": {"D": END}}
    first, second = (DISTRIBUTED | block for block in inner)
    states = {"A": each | {"ItemProcessor": first}, "B": MAP | {"Label": "samples", "ItemProcessor": second}}
    assert [(code, place) for code, _, place in found(states)] == [("DUPLICATE_LABEL_NAME", "/States/B/Label")]
    assert [each.code for each in errors("null")] == ["MISSING_DESCRIPTION"]
    assert [each.code for each in errors('{"a":' * 100_000)] == ["TOO_DEEPLY_NESTED"]


def test_what_jsonpath_takes_for_text_is_a_warning() -> None:
    states = {
        "A": {"Type": "Pass", "Parameters": {"sample": "$.sample", "id.$": "$.id"}, "Result": "$.x", "Next": "B"},
        "B": {"Type": "Fail", "Error": "$.error"},
    }
    text = json.dumps({"StartAt": "A", "States": states})
    assert errors(text) == []
    assert [(each.severity, each.code, each.location) for each in diagnostics(text)] == [
        ("WARNING", "NO_DOLLAR", "/States/A/Parameters/sample"),
        ("WARNING", "PASS_RESULT_IS_STATIC", "/States/A/Result"),
        ("WARNING", "NO_PATH", "/States/B/Error"),
    ]


@pytest.mark.parametrize(
    ("content", "config", "items"),
    [
        (
            "sample,bam\nHG002,a.bam\n\nHG003\n",
            FIRST_ROW,
            [{"sample": "HG002", "bam": "a.bam"}, {"sample": "HG003", "bam": ""}],
        ),
        ('sample|note\nHG002|"a, b"\n', FIRST_ROW | {"CSVDelimiter": "PIPE"}, [{"sample": "HG002", "note": "a, b"}]),
        (
            "HG002\n",
            {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["sample"]},
            [{"sample": "HG002"}],
        ),
        ('{"sample": 1}\n{"sample": 2}\n', {"InputType": "JSONL"}, [{"sample": 1}, {"sample": 2}]),
        ("[1, 2]", {"InputType": "JSON"}, [1, 2]),
    ],
)
def test_items_are_read_in_each_format(content: str, config: dict[str, Any], items: list[Any]) -> None:
    assert parsed(content, config) == items


@pytest.mark.parametrize(("content", "config"), [("a\n1,2\n", FIRST_ROW), ("{}", {"InputType": "JSON"})])
def test_files_in_another_format_are_refused(content: str, config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"the CSV file|not an array"):
        parsed(content, config)


@pytest.mark.parametrize(
    ("percentage", "count", "failed", "exceeds"),
    [(0, 0, 0, False), (0, 0, 1, True), (25, 0, 1, False), (25, 0, 2, True), (0, 1, 1, False), (50, 1, 2, True)],
)
def test_a_map_run_fails_when_more_items_fail_than_may(
    percentage: float, count: int, failed: int, exceeds: bool
) -> None:
    parent = execution("RUNNING")
    run = MapRun("arn", parent, 0, percentage, count)
    run.children = [execution("FAILED" if number < failed else "SUCCEEDED") for number in range(4)]
    assert run.exceeds_tolerance() == exceeds


def execution(status: str) -> Execution:
    return Execution("arn", "name", "machine", "name", "role", {}, "JSONata", "{}", status=status)


@pytest.mark.parametrize(
    ("error", "names", "matches"),
    [
        ("States.TaskFailed", ["States.TaskFailed"], True),
        ("Batch.ServerException", ["States.TaskFailed"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.ALL"], True),
        ("States.Runtime", ["States.ALL"], False),
        ("States.DataLimitExceeded", ["States.ALL"], False),
    ],
)
def test_errors_match_the_names_of_retry_and_catch(error: str, names: list[str], matches: bool) -> None:
    assert StateError(error, "").matches(names) == matches
