"""Definitions that users write: names, what they may do, and what is added to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest import Manifest, load
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.state_machines import definition, jobs_of, many_definition, queues_of
from gen_infra.render.files import render
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXAMPLE = (data_dir("envs") / "examples" / "step-functions.yaml").read_text()
SUBMIT = "arn:${partition}:states:::batch:submitJob.sync"
BATCH = "arn:aws:batch:us-east-1:123456789012"
ARGUMENTS = {
    "JobName": "call",
    "JobDefinition": "${jobs.call}",
    "JobQueue": "${queues.urgent}",
    "Parameters": {"sample": "{% $states.input.sample & $states.input.priority %}"},
}
CALL = {"Type": "Task", "Resource": SUBMIT, "Arguments": ARGUMENTS, "End": True}


def machine(*states: dict[str, Any], **members: Any) -> dict[str, Any]:
    named = {f"State {number}": state for number, state in enumerate(states, 1)}
    return {"QueryLanguage": "JSONata", "StartAt": "State 1", "States": named} | members


def within(state: dict[str, Any]) -> dict[str, Any]:
    """Return the processor of a Map, or a branch, with one state."""
    return {"StartAt": "Within", "States": {"Within": state}}


def with_arguments(**changed: Any) -> dict[str, Any]:
    given = {**ARGUMENTS, **changed}
    return CALL | {"Arguments": {name: value for name, value in given.items() if value is not None}}


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Manifest]:
    """Load the example with a definition of its workflow `recall`: JSON, or text."""

    def load_with(found: dict[str, Any] | str, more: str = "", old: str = "", new: str = "") -> Manifest:
        folder = tmp_path / "workflows"
        folder.mkdir(exist_ok=True)
        (folder / "recall.asl.json").write_text(found if isinstance(found, str) else json.dumps(found))
        path = tmp_path / "steps.yaml"
        path.write_text(EXAMPLE.replace(old, new) + more)
        return load(path)

    return load_with


def test_names_are_replaced_and_tags_timeout_and_retries_are_added(written: Callable[..., Manifest]) -> None:
    manifest = written(machine(with_arguments(Tags={"lab": "$${x} of ${name} in ${buckets.results}"})))
    [state] = definition(manifest, "recall")["States"].values()
    assert state["Resource"] == "arn:aws:states:::batch:submitJob.sync"
    assert state["Arguments"]["JobDefinition"] == f"{BATCH}:job-definition/call-steps"
    assert state["Arguments"]["JobQueue"] == f"{BATCH}:job-queue/urgent-steps"
    assert state["Arguments"]["Tags"] == {
        "lab": "${x} of steps in genomics-results-123456789012",
        "gen-infra:workflow": "recall-steps",
        "gen-infra:step": "State 1",
        "gen-infra:run": "{% $states.context.Execution.Name %}",
    }
    [of_step] = [each for name, each in definition(manifest, "germline")["States"].items() if name == "align"]
    assert state["Retry"] == of_step["Retry"]
    assert state["TimeoutSeconds"] > 7 * 24 * 60 * 60


def test_what_the_definition_sets_itself_stays(written: Callable[..., Manifest]) -> None:
    own = {"TimeoutSeconds": 60, "Retry": [{"ErrorEquals": ["States.Timeout"]}]}
    [state] = definition(written(machine(CALL | own)), "recall")["States"].values()
    assert {name: state[name] for name in own} == own


def test_the_role_has_the_jobs_and_queues_that_it_uses(written: Callable[..., Manifest]) -> None:
    nested = with_arguments(JobDefinition="${jobs.align}", JobQueue="${queues.routine}",
                            Parameters=dict.fromkeys(("sample", "fastq1", "fastq2"), "x"))  # fmt: skip
    parallel = {"Type": "Parallel", "Branches": [within(nested)], "Next": "State 2"}
    manifest = written(machine(parallel, CALL))
    assert queues_of(manifest, "recall") == {"urgent", "routine"}
    assert jobs_of(manifest, "recall") == ["align", "call"]
    main = render(manifest)["terraform/main.tf"].decode().partition('"workflow_recall"')[2]
    assert f'"{BATCH}:job-definition/align-steps"' in main
    assert f'"{BATCH}:job-definition/stats-steps"' not in main


def test_many_runs_it_for_each_sample(written: Callable[..., Manifest]) -> None:
    manifest = written(machine(CALL), more="    many: {max_concurrency: 2}\n")
    many = manifest.workflows["recall"].many
    assert many
    [each] = many_definition(manifest, "recall", many)["States"].values()
    assert each["ItemProcessor"]["States"] == definition(manifest, "recall")["States"]
    assert each["ItemReader"]["Arguments"]["Bucket"] == "genomics-results-123456789012"


PASS = {"Type": "Pass", "Next": "State 2"}
ITEMS = {"Type": "Map", "End": True}
DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
INVALID: dict[str, tuple[dict[str, Any] | str, str]] = {
    "text": ('{"States": ', "line 1 is not JSON: Expecting value"),
    "a list": ("[]", "it must be a JSON object with StartAt and States"),
    "a key twice": ('{"States": {}, "States": {}}', 'the key "States" is written twice'),
    "a number that is none": ('{"TimeoutSeconds": NaN}', '"NaN" is not JSON'),
    "too deep": ('{"a":' * 100_000 + "1" + "}" * 100_000, "it is nested too deeply"),
    "JSONPath": (machine(CALL, QueryLanguage="JSONPath"), 'write "QueryLanguage": "JSONata" at the top'),
    "JSONPath within": (machine(PASS | {"QueryLanguage": "JSONPath"}, CALL), "its query language is not JSONata"),
    "an unknown name": (machine(with_arguments(JobQueue="${queues.urgnt}")), 'unknown name "queues.urgnt"'),
    "a name of Terraform": (machine(with_arguments(JobName="${file(x)}")), 'unknown name "file(x)"'),
    "an unknown state": (machine(PASS), "/States/State 1/Next: Missing 'Next' target: State 2"),
    "a wrong expression": (
        machine(with_arguments(JobName="{% $( %}")),
        "/States/State 1/Arguments/JobName: The JSONata",
    ),
    "no job": (machine({"Type": "Succeed"}), "it submits no job"),
    "a function": (machine(CALL | {"Resource": "arn:aws:states:::lambda:invoke"}), 'lambda:invoke" is not allowed'),
    "HTTP": (machine(CALL | {"Resource": "arn:aws:states:::http:invoke"}), 'http:invoke" is not allowed'),
    "the SDK": (machine(CALL | {"Resource": "arn:aws:states:::aws-sdk:iam:createUser"}), 'createUser" is not allowed'),
    "no waiting": (machine(CALL | {"Resource": "arn:aws:states:::batch:submitJob"}), 'submitJob" is not allowed'),
    "credentials": (machine(CALL | {"Credentials": {"RoleArn": "x"}}), "Credentials is not allowed"),
    "a distributed Map": (
        machine(ITEMS | {"ItemProcessor": within(CALL) | {"ProcessorConfig": DISTRIBUTED}}),
        "a distributed Map is not allowed",
    ),
    "within a Map": (
        machine(ITEMS | {"ItemProcessor": within(CALL | {"Resource": "arn:aws:states:::sqs:sendMessage"})}),
        "/States/State 1/ItemProcessor/States/Within: Resource",
    ),
    "another queue": (machine(with_arguments(JobQueue=f"{BATCH}:job-queue/other")), 'invalid value "arn:aws:batch'),
    "a queue at run time": (
        machine(with_arguments(JobQueue="{% $states.input.priority %}")),
        '/JobQueue: invalid value "{% $states.input.priority %}"; choose from: ${queues.urgent}, ${queues.routine}',
    ),
    "another job": (machine(with_arguments(JobDefinition="call-steps")), '/JobDefinition: invalid value "call-steps"'),
    "no name": (machine(with_arguments(JobName=None)), "/JobName: it is missing"),
    "an unknown argument": (machine(with_arguments(Nope=1)), "/Nope: unknown argument"),
    "no object": (machine(CALL | {"Arguments": "{% {} %}"}), "write an object with JobName"),
    "own tags": (machine(with_arguments(Tags={"gen-infra:workflow": "x"})), "/Tags: write an object of tags"),
    "tags at run time": (machine(with_arguments(Tags="{% {} %}")), "/Tags: write an object of tags"),
    "a value that no Ref takes": (
        machine(with_arguments(Parameters={"sample": "x", "smple": "y"})),
        "/Parameters/smple: the command of the job call has no Ref::smple",
    ),
    "a missing value": (machine(with_arguments(Parameters={})), "/Parameters: sample is missing; the job call has no"),
    "a number": (machine(with_arguments(Parameters={"sample": 5})), "/Parameters/sample: a value is text"),
    "parameters at run time": (machine(with_arguments(Parameters="{% {} %}")), "/Parameters: write an object"),
    "a share": (machine(with_arguments(ShareIdentifier="lab")), "the queue urgent has no fair-share policy"),
}


@pytest.mark.parametrize(("found", "expected"), INVALID.values(), ids=INVALID)
def test_what_is_wrong_is_reported_at_the_definition(
    written: Callable[..., Manifest], found: dict[str, Any] | str, expected: str
) -> None:
    with pytest.raises(ManifestError) as error:
        written(found)
    assert expected in str(error.value)
    assert "workflows.recall.definition" in str(error.value)


def test_a_fair_share_queue_requires_a_share(written: Callable[..., Manifest]) -> None:
    old = "urgent: {priority: 100, compute: [spot]}"
    new = "urgent: {priority: 100, compute: [spot], fair_share: {shares: {lab: 1}}}"
    with pytest.raises(ManifestError, match="the fair-share queue urgent requires it"):
        written(machine(CALL), old=old, new=new)


@pytest.mark.parametrize("more", ["    steps: {call: {job: call, parameters: {sample: $sample}}}\n", None])
def test_a_workflow_has_either_steps_or_a_definition(written: Callable[..., Manifest], more: str | None) -> None:
    old = "" if more else "    definition: workflows/recall.asl.json\n"
    with pytest.raises(ManifestError, match="write either steps or definition"):
        written(machine(CALL), more=more or "", old=old or "no such text")


def test_a_file_outside_the_folder_is_refused(written: Callable[..., Manifest], tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "link.json").symlink_to(tmp_path / "secret.json")
    for name, expected in {
        "workflows/link.json": "is or contains a symbolic link",
        "workflows/none.json": 'file not found: "workflows/none.json"',
        "../secret.json": "the path of a .json file below the manifest's folder",
    }.items():
        with pytest.raises(ManifestError) as error:
            written(machine(CALL), old="workflows/recall.asl.json", new=name)
        assert expected in str(error.value)
