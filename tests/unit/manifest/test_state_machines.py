"""Definitions of state machines: what they run, in which order, and with which values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.state_machines import (
    definition,
    expression,
    many_definition,
    references,
    sample_bucket,
    step_timeout_seconds,
)
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

BATCH = "arn:aws:batch:us-east-1:123456789012"
JOB = {
    "image": "quay.io/x/y:1",
    "vcpus": 1,
    "memory_mib": 512,
    "command": ["Ref::sample"],
    "required_parameters": ["sample"],
}


def workflow(folder: Path, steps: dict[str, Any], **keys: Any) -> Manifest:
    given_input = {"sample": "text", "reads": "s3-object"}
    for step in steps.values():
        step.setdefault("job", "align")
        step.setdefault("parameters", {"sample": "$sample"})
    return accept(
        folder,
        jobs={"align": {**JOB, "buckets": ["results"]}},
        buckets={"results": {"name": "lab-results", "access": "write", "prefix": "lab/"}},
        workflows={"germline": {"input": given_input, "steps": steps, **keys}},
    )


def evaluate(value: str, **variables: str) -> Any:
    """Return the value of an expression of a definition, as Step Functions evaluates it."""
    assert value.startswith("{% ")
    assert value.endswith(" %}")
    assigned = "".join(f"${name} := {json.dumps(text, ensure_ascii=False)}; " for name, text in variables.items())
    return jsonata.Jsonata(f"({assigned}{value[3:-3]})").evaluate(None)


@pytest.mark.parametrize(
    ("written", "sample", "tag"),
    [
        ("rna", "a", "rna"),
        ("$sample", "NA12878", "NA12878"),
        ("s3://lab/$sample", "a/b", "s3://lab/a/b"),
        ("of $sample", 'a"b\u00e9{% $x %}', "of a-b--- -x --"),
        ("$sample", "x" * 300, "x" * 256),
    ],
)
def test_a_tag_of_a_step_holds_what_a_tag_can(written: str, sample: str, tag: str, tmp_path: Path) -> None:
    made = definition(workflow(tmp_path, {"a": {"tags": {"Sample": written}}}), "germline")
    tags = made["States"]["a"]["Arguments"]["Tags"]
    value = tags.pop("Sample")
    assert (evaluate(value, sample=sample) if value.startswith("{%") else value) == tag
    assert sorted(tags) == ["gen-infra:run", "gen-infra:step", "gen-infra:workflow"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("gen-infra:workflow", "x", "is a tag that gen-infra sets itself"),
        ("Sample", "$nope", 'unknown input "nope"'),
        ("Sample", "a;$sample", "invalid value of tag"),
        ("aws:x", "x", "not starting with aws:"),
    ],
)
def test_tags_of_steps_that_are_refused(key: str, value: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=words):
        workflow(tmp_path, {"a": {"tags": {key: value}}})


def test_steps_run_in_series_and_in_branches(tmp_path: Path) -> None:
    steps = {"a": {}, "b": {"after": ["a"]}, "c": {"after": ["b"]}, "d": {"after": ["a"]}, "e": {"after": ["c", "d"]}}
    states = definition(workflow(tmp_path, steps), "germline")["States"]
    assert {name: state.get("Next", "ends") for name, state in states.items()} == {
        "Read the input": "a",
        "a": "Branches 1",
        "Branches 1": "e",
        "e": "ends",
    }
    branches = states["Branches 1"]["Branches"]
    assert [branch["StartAt"] for branch in branches] == ["b", "d"]
    assert {name: state.get("Next", "ends") for name, state in branches[0]["States"].items()} == {"b": "c", "c": "ends"}
    assert branches[1]["States"]["d"]["End"] is True


def test_a_step_is_the_jobs_submission(tmp_path: Path) -> None:
    manifest = workflow(tmp_path, {"align": {"parameters": {"sample": "lab-$sample"}}})
    state = definition(manifest, "germline")["States"]["align"]
    assert state["Resource"] == "arn:aws:states:::batch:submitJob.sync"
    arguments = state["Arguments"]
    assert arguments["JobQueue"] == f"{BATCH}:job-queue/main-test"
    assert arguments["JobDefinition"] == f"{BATCH}:job-definition/align-test"
    assert evaluate(arguments["Parameters"]["sample"], sample="NA12878") == "lab-NA12878"
    assert arguments["Tags"]["gen-infra:workflow"] == "germline-test"
    assert "ShareIdentifier" not in arguments


@pytest.mark.parametrize(
    ("sample", "name"), [("NA12878", "align-NA12878"), ("a b/ü", "align-a-b--"), ("x" * 200, f"align-{'x' * 122}")]
)
def test_a_job_is_named_after_its_sample(tmp_path: Path, sample: str, name: str) -> None:
    state = definition(workflow(tmp_path, {"align": {}}), "germline")["States"]["align"]
    assert evaluate(state["Arguments"]["JobName"], sample=sample) == name


def test_only_failures_of_aws_are_retried_with_jitter(tmp_path: Path) -> None:
    (retry,) = definition(workflow(tmp_path, {"align": {}}), "germline")["States"]["align"]["Retry"]
    assert all(error.startswith("Batch.") for error in retry["ErrorEquals"])  # a failed job is States.TaskFailed
    assert retry["JitterStrategy"] == "FULL"
    assert retry["BackoffRate"] > 1


def test_a_step_has_the_time_of_all_attempts_of_its_job(tmp_path: Path) -> None:
    job = workflow(tmp_path, {"align": {}}).jobs["align"]
    assert step_timeout_seconds(job) == 3 * 1440 * 60 + 7 * 24 * 3600


def test_the_input_is_read_before_the_first_step(tmp_path: Path) -> None:
    machine = definition(workflow(tmp_path, {"align": {}}), "germline")
    first = machine["States"][machine["StartAt"]]
    assert first["Assign"] == {
        "sample": "{% $string($states.input.sample) %}",
        "reads": "{% $string($states.input.reads) %}",
    }
    assert first["Next"] == "align"


def test_many_runs_are_the_same_states_for_each_line_of_a_list(tmp_path: Path) -> None:
    many = {"max_concurrency": 7, "tolerated_failure_percentage": 5}
    manifest = workflow(tmp_path, {"align": {}}, many=many)
    settings = manifest.workflows["germline"].many
    assert settings
    state = many_definition(manifest, "germline", settings)["States"]["Each sample"]
    assert (state["MaxConcurrency"], state["ToleratedFailurePercentage"]) == (7, 5)
    assert state["ItemReader"]["Arguments"] == {"Bucket": "lab-results", "Key": "{% $states.input.list %}"}
    assert state["ResultWriter"]["Arguments"] == {
        "Bucket": "lab-results",
        "Prefix": "lab/workflows/test/germline/results",
    }
    machine = definition(manifest, "germline")
    processor = state["ItemProcessor"]
    assert (processor["StartAt"], processor["States"]) == (machine["StartAt"], machine["States"])
    assert sample_bucket(manifest, "germline", settings) == "results"


NOT_SURROGATES = st.text(st.characters(exclude_categories=["Cs"]))


@given(NOT_SURROGATES)
def test_any_text_without_a_reference_stays_itself(text: str) -> None:
    assert evaluate(expression(text.replace("$", "$$"))) == text


@given(NOT_SURROGATES, NOT_SURROGATES)
def test_a_reference_is_replaced_in_any_text(text: str, sample: str) -> None:
    literal = text.replace("$", "$$")
    value = expression(f"{literal}/$sample/{literal}")
    assert evaluate(value, sample=sample) == f"{text}/{sample}/{text}"


def test_references_of_a_text() -> None:
    assert references("s3://$bucket/$sample.bam costs $$5 or $ 6") == ["bucket", "sample", None]
