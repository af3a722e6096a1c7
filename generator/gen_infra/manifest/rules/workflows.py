"""Rules for workflows: what Step Functions refuses, and what would fail only when a run reaches it.

What they need is imported when there is a workflow: most manifests have none.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from gen_infra.manifest.rules.jobs import references_of
from gen_infra.manifest.rules.rule import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.workflow import Workflow, WorkflowStep
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


def workflows_have_steps_or_a_definition(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require exactly one of `steps` and `definition`."""
    for key, workflow in manifest.workflows.items():
        if bool(workflow.steps) == bool(workflow.definition):
            yield ("workflows", key), "write either steps or definition"


def definitions_are_valid(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a definition that Step Functions refuses, and what its role has no rights for."""
    for key, workflow in manifest.workflows.items():
        if workflow.definition:
            from gen_infra.manifest.rules.definitions import definition_problems

            yield from ((("workflows", key, "definition"), problem) for problem in definition_problems(manifest, key))


def steps_name_jobs_and_queues(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require that each step's job and queue exist."""
    for path, _, step in _steps(manifest):
        if step.job not in manifest.jobs:
            yield (*path, "job"), unknown_name("unknown job", step.job, manifest.jobs)
        if step.queue is not None and step.queue not in manifest.queues:
            yield (*path, "queue"), unknown_name("unknown queue", step.queue, manifest.queues)


def steps_wait_for_other_steps(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require an order of the workflow's own steps without a circle."""
    if not manifest.workflows:
        return
    from gen_infra.manifest.workflow_shapes import find_cycle

    for key, workflow in manifest.workflows.items():
        for path, problem in _wrong_edges(workflow):
            yield ("workflows", key, *path), problem
        if circle := find_cycle(_after(workflow)):
            yield (
                ("workflows", key, "steps", circle[0], "after"),
                f"the steps wait for each other: {' waits for '.join(circle)}",
            )


def steps_are_series_and_branches(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require an order that a state machine can have: https://states-language.net/#parallel-state."""
    if not manifest.workflows:
        return
    from gen_infra.manifest.workflow_shapes import ShapeError, find_cycle, shape_of

    for key, workflow in manifest.workflows.items():
        after = _after(workflow)
        if not after or find_cycle(after):
            continue
        try:
            shape_of(after)
        except ShapeError as error:
            yield ("workflows", key, "steps", error.step, "after"), str(error)


def step_parameters_are_those_of_the_job(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a value for each `Ref::name` without a default, and a `Ref::name` for each value.

    AWS Batch passes a `Ref::name` without a value to the program unchanged, and ignores a value that none takes.
    https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html (parameters)
    """
    for path, _, step in _steps(manifest):
        job = manifest.jobs.get(step.job)
        if job is None:
            continue
        taken = references_of(job)
        for name in step.parameters:
            if name not in taken:
                yield (*path, "parameters", name), f"the command of the job {step.job} has no Ref::{name}"
        for name in job.required_parameters:
            if name not in step.parameters:
                yield (*path, "parameters"), f"{name} is missing; the job {step.job} has no default value for it"


def step_values_refer_to_inputs(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require that each `$name` in a value is an input of the workflow."""
    if not manifest.workflows:
        return
    from gen_infra.manifest.state_machines import references

    for path, workflow, step in _steps(manifest):
        values = [(("parameters", key), value) for key, value in step.parameters.items()]
        values += [(("tags", key), value) for key, value in step.tags.items()]
        for (section, key), value in values:
            for name in references(value):
                place = (*path, section, key)
                if name is None:
                    yield place, "write $$ for a dollar sign; $name is the input of that name"
                elif name not in workflow.input:
                    yield place, unknown_name("unknown input", name, workflow.input)


def step_tags_are_tags(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check the tags of steps as those of a submission; what inputs add to a value is made to fit when it runs."""
    if not any(step.tags for _, _, step in _steps(manifest)):
        return
    from gen_infra.manifest.rules.submissions import TOO_MANY_TAGS, tag_problems
    from gen_infra.manifest.rules.tags import MOST_TAGS
    from gen_infra.manifest.state_machines import STEP_TAGS, without_references

    for path, _, step in _steps(manifest):
        for key, value in step.tags.items():
            yield from (((*path, "tags", key), each) for each in tag_problems({key: without_references(value)}))
        own = manifest.jobs[step.job].tags if step.job in manifest.jobs else {}
        count = len({*manifest.resource_tags, *own, *step.tags, *STEP_TAGS})
        if step.tags and count > MOST_TAGS:
            yield (*path, "tags"), f"with those of its definition the job has {count} tags; {TOO_MANY_TAGS}"


def steps_fit_their_queue(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a step whose job its queue cannot place, and a share identifier that does not fit the queue.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html (shareIdentifier)
    """
    if not manifest.workflows:
        return
    from gen_infra.manifest.rules.submissions import Submission, submission_findings

    for path, _, step in _steps(manifest):
        job = manifest.jobs.get(step.job)
        name = step.queue or (manifest.queue_of(job) if job else "")
        if job is None or name not in manifest.queues:
            continue
        if step.queue is not None:
            for _, problem in submission_findings(manifest, step.job, Submission(queue=name)):
                yield (*path, "queue"), problem
        fair_share = manifest.queues[name].fair_share
        if fair_share and step.share is None:
            yield path, f"share is missing; the fair-share queue {name} requires it"
        if not fair_share and step.share is not None:
            yield (*path, "share"), f"the queue {name} has no fair-share policy"


def many_runs_have_a_bucket(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a bucket that the workflow may write its results to."""
    if not manifest.workflows:
        return
    from gen_infra.manifest.state_machines import sample_bucket

    for key, workflow in manifest.workflows.items():
        if workflow.many is None:
            continue
        name, path = sample_bucket(manifest, key, workflow.many), ("workflows", key, "many")
        if not name:
            yield path, "bucket is missing; the workflow's jobs may write to none"
        elif name not in manifest.buckets:
            yield (*path, "bucket"), unknown_name("unknown bucket", name, manifest.buckets)
        elif manifest.buckets[name].access == "read":
            yield (*path, "bucket"), f"the access of {name} is read; results are written there"


def definitions_are_not_too_long(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a state machine whose definition Step Functions refuses for its size.

    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    if not manifest.workflows:
        return
    from gen_infra.manifest.model.workflow import DEFINITION_AT_MOST
    from gen_infra.manifest.state_machines import definition

    for key, workflow in manifest.workflows.items():
        if not (_is_valid(manifest, key) if workflow.definition else _has_shape(workflow)):
            continue
        if any(step.job not in manifest.jobs for step in workflow.steps.values()):
            continue
        length = len(json.dumps(definition(manifest, key)))
        if length > DEFINITION_AT_MOST:
            yield (
                ("workflows", key),
                f"its state machine has {length:,} characters; {DEFINITION_AT_MOST:,} are allowed",
            )


def inputs_are_used(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of an input that no step uses."""
    if not manifest.workflows:
        return
    from gen_infra.manifest.state_machines import references

    for key, workflow in manifest.workflows.items():
        values = [
            value for step in workflow.steps.values() for value in (*step.parameters.values(), *step.tags.values())
        ]
        used = {name for value in values for name in references(value)}
        written = getattr(workflow.definition, "content", "")
        for name in workflow.input:
            if written and not re.search(rf"\b{name}\b", written):
                yield ("workflows", key, "input", name), f"the definition does not use it, as $states.input.{name}"
            if not written and name not in used:
                yield (
                    ("workflows", key, "input", name),
                    f"no step uses it; write ${name} in a step's parameters or tags",
                )


def _steps(manifest: Manifest) -> Iterator[tuple[KeyPath, Workflow, WorkflowStep]]:
    for key, workflow in manifest.workflows.items():
        for name, step in workflow.steps.items():
            yield ("workflows", key, "steps", name), workflow, step


def _after(workflow: Workflow) -> dict[str, list[str]]:
    """Return the steps that each one waits for; a rule reports those that do not exist."""
    return {
        name: [earlier for earlier in step.after if earlier in workflow.steps]
        for name, step in workflow.steps.items()
    }  # fmt: skip


def _wrong_edges(workflow: Workflow) -> Iterator[ManifestFinding]:
    for name, step in workflow.steps.items():
        for index, earlier in enumerate(step.after):
            path = ("steps", name, "after", index)
            if earlier not in workflow.steps:
                yield path, unknown_name("unknown step", earlier, workflow.steps)
            elif earlier in step.after[:index]:
                yield path, f'"{earlier}" is listed twice'


def _is_valid(manifest: Manifest, key: str) -> bool:
    """Return whether a definition is valid; another rule reports why not."""
    from gen_infra.manifest.rules.definitions import definition_problems

    return not any(definition_problems(manifest, key))


def _has_shape(workflow: Workflow) -> bool:
    """Return whether the steps have an order that a state machine can have; other rules report why not."""
    from gen_infra.manifest.workflow_shapes import shape_of

    if not workflow.steps or any(_wrong_edges(workflow)):
        return False
    try:
        shape_of(_after(workflow))
    except ValueError:  # a circle, or no shape
        return False
    return True


ERRORS: tuple[ManifestRule, ...] = (
    workflows_have_steps_or_a_definition,
    definitions_are_valid,
    steps_name_jobs_and_queues,
    steps_wait_for_other_steps,
    steps_are_series_and_branches,
    step_parameters_are_those_of_the_job,
    step_values_refer_to_inputs,
    step_tags_are_tags,
    steps_fit_their_queue,
    many_runs_have_a_bucket,
    definitions_are_not_too_long,
)
WARNINGS: tuple[ManifestRule, ...] = (inputs_are_used,)
