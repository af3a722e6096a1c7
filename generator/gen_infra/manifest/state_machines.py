"""Write workflows as state machines in Amazon States Language, with JSONata for the values of a run.

Everything that a state machine names exists under a name that is known before it is created, so that its definition is
known in the plan, and is a file that people can read.
"""

from __future__ import annotations

import json
import re
from itertools import count
from typing import TYPE_CHECKING, Any

from gen_infra.manifest.definitions import read_definition, states_that_submit, submit_resource, tasks_of
from gen_infra.manifest.workflow_shapes import Parallel, Series, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.workflow import Many, Workflow, WorkflowStep
    from gen_infra.manifest.workflow_shapes import WorkflowShape

# How long a job may wait for instances, on top of the time that its attempts may take.
_WAITING_SECONDS = 7 * 24 * 60 * 60
_LONGEST_TIMEOUT = 99_999_999  # https://states-language.net/#taskstate
_REFERENCE = re.compile(r"\$(\$|[A-Za-z_][A-Za-z0-9_]*)?")
# AWS's own failures, of which another try may succeed; a failed job is States.TaskFailed, after all of its attempts.
# The names are those that users report, because the documentation of Step Functions lists none for AWS Batch.
# https://github.com/ASFHyP3/hyp3/issues/911, https://github.com/ASFHyP3/hyp3/pull/805,
# https://github.com/chanzuckerberg/single-cell-data-portal/pull/7087
_TRANSIENT = (
    "Batch.AWSBatchException",
    "Batch.BatchException",
    "Batch.SdkClientException",
    "Batch.ServerException",
    "Batch.TooManyRequestsException",
)
STEP_TAGS = ("gen-infra:workflow", "gen-infra:step", "gen-infra:run")  # of a step's job
_FIRST_STATE = "Read the input"
_MAP_STATE = "Each sample"


def definition(manifest: Manifest, key: str) -> dict[str, Any]:
    """Return the definition of a workflow for one run; its input is an object with the workflow's inputs."""
    about = {"Comment": f"One run of the workflow {key} of {manifest.name}.", "QueryLanguage": "JSONata"}
    return {**about, **(_written(manifest, key) if manifest.workflows[key].definition else _states(manifest, key))}


def many_definition(manifest: Manifest, key: str, many: Many) -> dict[str, Any]:
    """Return the definition of a workflow for many runs; its input names a CSV file: ``{"list": key, "run": name}``."""
    bucket = manifest.buckets[sample_bucket(manifest, key, many)]
    folder = sample_folder(manifest, key, many)
    s3 = f"arn:{manifest.partition}:states:::s3"
    return {
        "Comment": f"A run of the workflow {key} of {manifest.name} for each line of a list.",
        "QueryLanguage": "JSONata",
        "StartAt": _MAP_STATE,
        "States": {
            _MAP_STATE: {
                "Type": "Map",
                "Label": key,
                "MaxConcurrency": many.max_concurrency,
                "ToleratedFailurePercentage": many.tolerated_failure_percentage,
                "ItemReader": {
                    "Resource": f"{s3}:getObject",
                    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
                    "Arguments": {"Bucket": bucket.name, "Key": "{% $states.input.list %}"},
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    **_states(manifest, key),
                },
                "ResultWriter": {
                    "Resource": f"{s3}:putObject",
                    "Arguments": {"Bucket": bucket.name, "Prefix": f"{folder}results"},
                },
                "End": True,
            }
        },
    }


def sample_bucket(manifest: Manifest, key: str, many: Many) -> str:
    """Return the key of the bucket for lists of samples and results; empty if the jobs may write to none."""
    if many.bucket:
        return many.bucket
    jobs = [manifest.jobs[name] for name in jobs_of(manifest, key) if name in manifest.jobs]
    names = (name for job in jobs for name in job.buckets)
    return next((name for name in names if name in manifest.buckets and manifest.buckets[name].access != "read"), "")


def sample_folder(manifest: Manifest, key: str, many: Many) -> str:
    """Return the prefix of a workflow's lists and results in its bucket."""
    prefix = manifest.buckets[sample_bucket(manifest, key, many)].prefix or ""
    return f"{prefix}workflows/{manifest.name}/{key}/"


def step_queue(manifest: Manifest, step: WorkflowStep) -> str:
    """Return the key of the queue that a step's job is submitted to."""
    return step.queue or manifest.queue_of(manifest.jobs[step.job])


def queues_of(manifest: Manifest, key: str) -> set[str]:
    """Return the keys of the queues that a workflow submits to."""
    workflow = manifest.workflows[key]
    if workflow.definition:
        return {task.queue for task in tasks_of(manifest, key)}
    return {step_queue(manifest, step) for step in workflow.steps.values()}


def jobs_of(manifest: Manifest, key: str) -> list[str]:
    """Return the keys of the jobs that a workflow runs, in the order of their states."""
    workflow = manifest.workflows[key]
    tasks = tasks_of(manifest, key) if workflow.definition else workflow.steps.values()
    return list(dict.fromkeys(each.job for each in tasks))


def references(text: str) -> list[str | None]:
    """Return the inputs that a step's parameter refers to, and None for a dollar sign that begins no name."""
    return [name for name in (found[1] for found in _REFERENCE.finditer(text)) if name != "$"]


def without_references(text: str) -> str:
    """Return what is written of a text, without the inputs that it refers to."""
    return _REFERENCE.sub(lambda found: "$" if found[1] == "$" else "", text)


def expression(text: str) -> str:
    """Return a text with references to inputs as a value of Amazon States Language.

    Text without a reference, which could look like an expression, is encoded as well.
    """
    words, end = [], 0
    for found in _REFERENCE.finditer(text):
        words += [_quoted(text[end : found.start()]), '"$"' if found[1] == "$" else f"${found[1]}"]
        end = found.end()
    words.append(_quoted(text[end:]))
    return "{% " + (" & ".join(word for word in words if word != '""') or '""') + " %}"


def _quoted(text: str) -> str:
    """Return a string of JSONata, whose escapes are JSON's: https://docs.jsonata.org/simple#examples."""
    return json.dumps(text, ensure_ascii=False)


def _states(manifest: Manifest, key: str) -> dict[str, Any]:
    """Return the states of one run, with the name of the first."""
    workflow = manifest.workflows[key]
    if workflow.definition:
        return {name: value for name, value in _written(manifest, key).items() if name in ("StartAt", "States")}
    shape = shape_of({name: step.after for name, step in workflow.steps.items()})
    first, states = _sequence(manifest, key, shape, count(1))
    if not workflow.input:
        return {"StartAt": first, "States": states}
    read = {
        "Type": "Pass",
        "Assign": {name: f"{{% $string($states.input.{name}) %}}" for name in workflow.input},
        "Next": first,
    }
    return {"StartAt": _FIRST_STATE, "States": {_FIRST_STATE: read, **states}}


def _written(manifest: Manifest, key: str) -> dict[str, Any]:
    """Return the definition of a user; its Task states get what those of steps have, and keep what they have."""
    document = read_definition(manifest, key)
    for task in states_that_submit(manifest, document):
        arguments = task.state["Arguments"]
        arguments["Tags"] = {**arguments.get("Tags", {}), **_tags(manifest, key, task.name)}
        task.state.setdefault("TimeoutSeconds", step_timeout_seconds(manifest.jobs[task.job]))
        task.state.setdefault("Retry", _retry())
    return document


def _sequence(
    manifest: Manifest, key: str, shape: WorkflowShape, numbers: Iterator[int]
) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the states of a shape by name, in order, and the name of the first."""
    parts = shape.parts if isinstance(shape, Series) else (shape,)
    named = [
        (f"Branches {next(numbers)}", _parallel(manifest, key, part, numbers))
        if isinstance(part, Parallel)
        else (str(part), _task(manifest, key, str(part)))
        for part in parts
    ]
    following: list[dict[str, Any]] = [*({"Next": name} for name, _ in named[1:]), {"End": True}]
    return named[0][0], {name: {**state, **then} for (name, state), then in zip(named, following, strict=True)}


def _parallel(manifest: Manifest, key: str, shape: Parallel, numbers: Iterator[int]) -> dict[str, Any]:
    branches = [_sequence(manifest, key, branch, numbers) for branch in shape.branches]
    return {"Type": "Parallel", "Branches": [{"StartAt": first, "States": states} for first, states in branches]}


def _task(manifest: Manifest, key: str, name: str) -> dict[str, Any]:
    """Return the state of a step; its output is the job's id, because a job can be larger than a payload may be."""
    workflow = manifest.workflows[key]
    step = workflow.steps[name]
    arguments = {
        "JobName": _job_name(workflow, name),
        "JobQueue": manifest.batch_arn("job-queue", step_queue(manifest, step)),
        "JobDefinition": manifest.batch_arn("job-definition", step.job),
        "Parameters": {parameter: expression(value) for parameter, value in step.parameters.items()},
        "ShareIdentifier": step.share,
        "Tags": {**{tag: _tag_value(value) for tag, value in step.tags.items()}, **_tags(manifest, key, name)},
    }
    return {
        "Type": "Task",
        "Resource": submit_resource(manifest),
        "Arguments": {member: value for member, value in arguments.items() if value},
        "TimeoutSeconds": step_timeout_seconds(manifest.jobs[step.job]),
        "Retry": _retry(),
        "Output": {"step": name, "job": "{% $states.result.JobId %}"},
    }


def _tags(manifest: Manifest, key: str, state: str) -> dict[str, str]:
    """Return the tags of a job; the role may stop jobs with the first alone."""
    values = manifest.suffixed(key), state, "{% $states.context.Execution.Name %}"
    return dict(zip(STEP_TAGS, values, strict=True))


def _tag_value(text: str) -> str:
    """Return a tag's value; of what inputs add, only the characters and the length that AWS Batch takes."""
    if without_references(text) == text:
        return text
    value = expression(text).removeprefix("{% ").removesuffix(" %}")
    return f'{{% $substring($replace({value}, /[^A-Za-z0-9 _.:\\/=+@-]/, "-"), 0, 256) %}}'


def _retry() -> list[dict[str, Any]]:
    """Return the retries of a submission that AWS Batch refuses for a moment."""
    return [
        {
            "ErrorEquals": list(_TRANSIENT),
            "IntervalSeconds": 5,
            "BackoffRate": 2,
            "MaxDelaySeconds": 300,
            "MaxAttempts": 10,
            "JitterStrategy": "FULL",
        }
    ]


def step_timeout_seconds(job: Job) -> int:
    """Return the most seconds of a step: those of all attempts of its job, and a week to wait for instances."""
    return min(job.attempts * job.timeout_minutes * 60 + _WAITING_SECONDS, _LONGEST_TIMEOUT)


def _job_name(workflow: Workflow, step: str) -> str:
    """Return the name of a step's job: the step, with the first text of the run's inputs, in the characters allowed."""
    first = next((name for name, kind in workflow.input.items() if kind == "text"), None)
    if first is None:
        return step
    return f'{{% $substring("{step}-" & $replace(${first}, /[^A-Za-z0-9_-]/, "-"), 0, 128) %}}'
