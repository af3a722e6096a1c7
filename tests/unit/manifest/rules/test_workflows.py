"""Rules for workflows: for each, a manifest that keeps it and one that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest import load_with_warnings
from gen_infra.manifest.reading.loader import ManifestError
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

JOB = {
    "image": "quay.io/x/y:1",
    "vcpus": 1,
    "memory_mib": 512,
    "command": ["Ref::sample", "Ref::threads"],
    "parameters": {"threads": "4"},
    "required_parameters": ["sample"],
}
STEP = {"job": "align", "parameters": {"sample": "$sample"}}
BASE: dict[str, Any] = {
    "jobs": {"align": {**JOB, "buckets": ["results"]}, "huge": {**JOB, "vcpus": 48, "queue": "large"}},
    "buckets": {
        "results": {"name": "lab-results", "access": "write"},
        "reference": {"name": "lab-reference", "access": "read"},
    },
    "compute__large": {"max_vcpus": 64, "instance_types": ["m7i.16xlarge"]},
    "compute__small": {"max_vcpus": 16, "instance_types": ["m7i.large"]},
    "queues__large": {"priority": 1, "compute": ["large"]},
    "queues__small": {"priority": 1, "compute": ["small"]},
    "queues__shared": {"priority": 1, "compute": ["spot"], "fair_share": {"shares": {"lab": 1}}},
}


def steps(**given: Any) -> dict[str, Any]:
    """Return changes of the manifest that give it one workflow with these steps."""
    return {"workflows__germline": {"input": {"sample": "text"}, "steps": {k: {**STEP, **v} for k, v in given.items()}}}


def of_job(count: int) -> dict[str, str]:
    return {f"J{index}": "" for index in range(count)}


OF_STEP = {f"T{index}": "" for index in range(40)}
KEPT = steps(a={}, b={"after": ["a"]})
MANY = {"many": {"bucket": "results"}}
RULES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("job", KEPT, steps(a={"job": "aling"}), 'steps.a.job: unknown job "aling"; choose from: align, huge'),
    ("queue", steps(a={"queue": "main"}), steps(a={"queue": "mian"}), 'steps.a.queue: unknown queue "mian"; choose'),
    (
        "tags",
        {**steps(a={"tags": OF_STEP}), "tags": {}, "jobs__align": {**JOB, "tags": of_job(5)}},
        {**steps(a={"tags": OF_STEP}), "tags": {}, "jobs__align": {**JOB, "tags": of_job(6)}},
        "steps.a.tags: with those of its definition the job has 51 tags; AWS Batch fails a job with more than 50",
    ),
    ("step", KEPT, steps(a={}, b={"after": ["c"]}), 'steps.b.after[0]: unknown step "c"; choose from: a, b'),
    ("step twice", KEPT, steps(a={}, b={"after": ["a", "a"]}), 'steps.b.after[1]: "a" is listed twice'),
    ("itself", KEPT, steps(a={"after": ["a"]}), "steps.a.after: the steps wait for each other: a waits for a"),
    (
        "circle",
        steps(a={}, b={"after": ["a"]}, c={"after": ["b"]}),
        steps(a={"after": ["c"]}, b={"after": ["a"]}, c={"after": ["b"]}),
        "steps.a.after: the steps wait for each other: a waits for c waits for b waits for a",
    ),
    (
        "shape",
        steps(a={}, b={}, c={"after": ["a", "b"]}, d={"after": ["a", "b"]}),
        steps(a={}, b={}, c={"after": ["a", "b"]}, d={"after": ["b"]}),
        "steps.d.after: c waits for a and b, d for b but not for a; Step Functions has no such branches: add a to",
    ),
    (
        "a value that the job does not take",
        steps(a={"parameters": {"sample": "x", "threads": "8"}}),
        steps(a={"parameters": {"sample": "x", "reference": "hg38"}}),
        "steps.a.parameters.reference: the command of the job align has no Ref::reference",
    ),
    ("a value that the job needs", KEPT, steps(a={"parameters": {}}), "steps.a.parameters: sample is missing; the job"),
    (
        "input",
        steps(a={"parameters": {"sample": "costs $$5"}}),
        steps(a={"parameters": {"sample": "$smaple"}}),
        'steps.a.parameters.sample: unknown input "smaple"; choose from: sample',
    ),
    (
        "a dollar sign",
        steps(a={"parameters": {"sample": "$$5"}}),
        steps(a={"parameters": {"sample": "$5"}}),
        "steps.a.parameters.sample: write $$ for a dollar sign",
    ),
    (
        "a queue that is too small",
        steps(a={"job": "huge"}),
        steps(a={"job": "huge", "queue": "small"}),
        "steps.a.queue: ",
    ),
    (
        "a share",
        {**steps(a={"queue": "shared", "share": "lab"}), "jobs__align__scheduling_priority": 1},
        {**steps(a={"queue": "shared"}), "jobs__align__scheduling_priority": 1},
        "steps.a: share is missing; the fair-share queue shared requires it",
    ),
    ("no share", KEPT, steps(a={"share": "lab"}), "steps.a.share: the queue main has no fair-share policy"),
    (
        "results in a bucket",
        {"workflows__germline": {**KEPT["workflows__germline"], "many": {}}},
        {
            "workflows__germline": {**KEPT["workflows__germline"], "many": {}},
            "jobs__align__buckets": ["reference"],
        },
        "workflows.germline.many: bucket is missing; the workflow's jobs may write to none",
    ),
    (
        "a bucket that exists",
        {"workflows__germline": {**KEPT["workflows__germline"], **MANY}},
        {"workflows__germline": {**KEPT["workflows__germline"], "many": {"bucket": "restuls"}}},
        'workflows.germline.many.bucket: unknown bucket "restuls"; choose from: results, reference',
    ),
    (
        "a bucket to write to",
        {"workflows__germline": {**KEPT["workflows__germline"], **MANY}},
        {"workflows__germline": {**KEPT["workflows__germline"], "many": {"bucket": "reference"}}},
        "workflows.germline.many.bucket: the access of reference is read; results are written there",
    ),
    (
        "a definition that is not too long",
        steps(a={"parameters": {"sample": "x" * 500_000}}),
        steps(a={"parameters": {"sample": "x" * 600_000}}, b={"parameters": {"sample": "x" * 600_000}}),
        "workflows.germline: its state machine has 1,2",
    ),
    (
        "state machines of two workflows",
        {**KEPT, "workflows__somatic": KEPT["workflows__germline"]},
        {
            "workflows__germline": {**KEPT["workflows__germline"], "many": {}},
            "workflows__germline-many": KEPT["workflows__germline"],
        },
        'its state machine "germline-many-test" is also that of workflows.germline; rename one',
    ),
]


@pytest.mark.parametrize("name", [row[0] for row in RULES])
def test_rules(tmp_path: Path, name: str) -> None:
    kept, broken, says = next(row[1:] for row in RULES if row[0] == name)
    accept(tmp_path, **{**BASE, **kept})
    with pytest.raises(ManifestError) as raised:
        accept(tmp_path, **{**BASE, **broken})
    assert says in str(raised.value)


def test_an_input_that_no_step_uses_is_a_warning(tmp_path: Path) -> None:
    document = changed(**BASE, **KEPT)
    document["workflows"]["germline"]["input"]["reads"] = "s3-object"
    warnings = load_with_warnings(write(tmp_path, document)).warnings
    (message,) = [str(warning) for warning in warnings if "germline" in str(warning)]
    assert "workflows.germline.input.reads: no step uses it; write $reads in a step's parameters" in message
