"""Rules for definitions of state machines: what Step Functions refuses, and what the role may not do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_infra.manifest.definitions import (
    InvalidDefinitionError,
    all_states,
    read_definition,
    states_that_submit,
    submit_resource,
)
from gen_infra.manifest.model.base import OWN_TAGS
from gen_infra.manifest.rules.jobs import references_of
from gen_infra.manifest.rules.rule import unknown_name
from gen_infra.manifest.rules.submissions import Submission, submission_findings
from gen_infra.manifest.states_language import errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.manifest.definitions import Task
    from gen_infra.manifest.model.manifest import Manifest

# https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html, in the case that Step Functions takes
_ARGUMENTS = frozenset({
    "ArrayProperties", "ConsumableResourcePropertiesOverride", "ContainerOverrides", "DependsOn",
    "EcsPropertiesOverride", "JobDefinition", "JobName", "JobQueue", "NodeOverrides", "Parameters", "PropagateTags",
    "RetryStrategy", "SchedulingPriorityOverride", "ShareIdentifier", "Tags", "Timeout",
})  # fmt: skip


def definition_problems(manifest: Manifest, key: str) -> Iterator[str]:
    """Yield what is wrong with a workflow's definition: what AWS refuses, and what the role may not do."""
    try:
        found = read_definition(manifest, key)
    except InvalidDefinitionError as error:
        yield unknown_name("unknown name", error.reason, error.known) if error.known else error.reason
        return
    if found.get("QueryLanguage") != "JSONata":
        yield 'its query language is not JSONata; write "QueryLanguage": "JSONata" at the top'
        return
    if wrong := [f"{each.location or '/'}: {each.message}" for each in errors(json.dumps(found))]:
        yield from wrong
        return
    for place, state in all_states(found, ""):
        yield from (f"{place}: {problem}" for problem in _not_allowed(manifest, state))
    tasks = list(states_that_submit(manifest, found))
    for task in tasks:
        yield from (f"{task.place}/Arguments{problem}" for problem in _wrong_arguments(manifest, task))
    if not tasks:
        yield "it submits no job"


def _not_allowed(manifest: Manifest, state: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the role of the state machine has no rights for."""
    if state.get("QueryLanguage", "JSONata") != "JSONata":
        yield "its query language is not JSONata"
    allowed = submit_resource(manifest)
    if state["Type"] == "Task" and state.get("Resource") != allowed:
        yield f'Resource "{state.get("Resource")}" is not allowed; the role may use {allowed} alone'
    for field in ("Credentials", "ItemReader", "ResultWriter"):
        if field in state:
            yield f"{field} is not allowed"
    processor = state.get("ItemProcessor") or state.get("Iterator") or {}
    if processor.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
        yield "a distributed Map is not allowed; `many` makes one of the whole definition"


def _wrong_arguments(manifest: Manifest, task: Task) -> Iterator[str]:
    arguments = task.state.get("Arguments")
    if not isinstance(arguments, dict):
        yield ": write an object with JobName, JobDefinition and JobQueue"
        return
    for member in sorted(arguments.keys() - _ARGUMENTS):
        yield f"/{member}: unknown argument; choose from: {', '.join(sorted(_ARGUMENTS))}"
    if not arguments.get("JobName"):
        yield "/JobName: it is missing"
    for member, key, kind in (("JobDefinition", task.job, "jobs"), ("JobQueue", task.queue, "queues")):
        if not key:
            names = ", ".join(f"${{{kind}.{each}}}" for each in getattr(manifest, kind))
            yield f'/{member}: invalid value "{arguments.get(member, "")}"; choose from: {names}'
    tags = arguments.get("Tags", {})
    if not isinstance(tags, dict) or any(name.lower().startswith(OWN_TAGS) for name in tags):
        yield f"/Tags: write an object of tags; those that start with {OWN_TAGS} are gen-infra's own"
    if task.job:
        yield from _wrong_parameters(manifest, task, arguments.get("Parameters", {}))
    if task.job and task.queue:
        yield from _wrong_queue(manifest, task, has_share="ShareIdentifier" in arguments)


def _wrong_queue(manifest: Manifest, task: Task, *, has_share: bool) -> Iterator[str]:
    """Yield why the queue cannot place the job, or does not take its share identifier."""
    for _, problem in submission_findings(manifest, task.job, Submission(queue=task.queue)):
        yield f"/JobQueue: {problem}"
    is_fair = manifest.queues[task.queue].fair_share is not None
    if is_fair and not has_share:
        yield f"/ShareIdentifier: it is missing; the fair-share queue {task.queue} requires it"
    if has_share and not is_fair:
        yield f"/ShareIdentifier: the queue {task.queue} has no fair-share policy"


def _wrong_parameters(manifest: Manifest, task: Task, parameters: Any) -> Iterator[str]:
    """Yield values that the job's command does not take, and those that it lacks."""
    if not isinstance(parameters, dict):
        yield "/Parameters: write an object with a value for each name"
        return
    job = manifest.jobs[task.job]
    for name in sorted(parameters.keys() - references_of(job)):
        yield f"/Parameters/{name}: the command of the job {task.job} has no Ref::{name}"
    for name in job.required_parameters:
        if name not in parameters:
            yield f"/Parameters: {name} is missing; the job {task.job} has no default value for it"
    for name, value in parameters.items():
        if not isinstance(value, str):
            yield f"/Parameters/{name}: a value is text"
