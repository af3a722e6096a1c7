"""Definitions of state machines that users write: names of the environment in their texts, and what they may do.

A definition is JSON. Names in its strings are replaced after it was parsed, so that no value can change its structure.
Its Task states may submit jobs of the environment to queues of the environment, and nothing else: the role of the state
machine has the rights for these, and tags by which only its own jobs are stopped.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.manifest.model.manifest import Manifest

# What `${name}` stands for, and `$${` for the text `${`.
_NAME = re.compile(r"\$(\$?)\{([^}]*)\}")


class Task(NamedTuple):
    """A state that submits a job; the keys are empty where its arguments name none of the environment."""

    name: str
    place: str
    state: dict[str, Any]
    job: str
    queue: str


class InvalidDefinitionError(ValueError):
    """A text is no definition; the message says why.

    Args:
        reason: what is wrong.
        known: the names that are allowed, where the reason is another one.
    """

    def __init__(self, reason: str, known: tuple[str, ...] = ()) -> None:
        self.reason, self.known = reason, known
        super().__init__(reason)


def read_definition(manifest: Manifest, key: str) -> dict[str, Any]:
    """Return a workflow's definition as JSON, with names replaced.

    Raises:
        InvalidDefinitionError: it is no JSON object, or has an unknown name.
    """
    text = getattr(manifest.workflows[key].definition, "content", "{}")
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_json)
        if isinstance(found, dict):
            replaced: dict[str, Any] = _replaced(found, _names(manifest))
            return replaced
    except json.JSONDecodeError as error:
        raise InvalidDefinitionError(f"line {error.lineno} is not JSON: {error.msg}") from None
    except RecursionError:
        raise InvalidDefinitionError("it is nested too deeply") from None
    raise InvalidDefinitionError("it must be a JSON object with StartAt and States")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidDefinitionError(f'the key "{name}" is written twice')
        found[name] = value
    return found


def _not_json(constant: str) -> None:
    raise InvalidDefinitionError(f'"{constant}" is not JSON')


def _names(manifest: Manifest) -> dict[str, str]:
    """Return what each name stands for."""
    return {
        **{f"jobs.{key}": manifest.batch_arn("job-definition", key) for key in manifest.jobs},
        **{f"queues.{key}": manifest.batch_arn("job-queue", key) for key in manifest.queues},
        **{f"buckets.{key}": bucket.name for key, bucket in manifest.buckets.items()},
        "account": manifest.account,
        "name": manifest.name,
        "partition": manifest.partition,
        "region": manifest.region,
    }


def _replaced(value: Any, names: Mapping[str, str]) -> Any:
    def one(found: re.Match[str]) -> str:
        if found[1]:
            return f"${{{found[2]}}}"
        if found[2] not in names:
            raise InvalidDefinitionError(found[2], tuple(names))
        return names[found[2]]

    if isinstance(value, str):
        return _NAME.sub(one, value)
    if isinstance(value, dict):
        return {name: _replaced(each, names) for name, each in value.items()}
    return [_replaced(each, names) for each in value] if isinstance(value, list) else value


def all_states(block: Mapping[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every state with its place, those of branches and of items after their own."""
    for name, state in block["States"].items():
        where = f"{place}/States/{name}"
        yield where, state
        for index, branch in enumerate(state.get("Branches") or ()):
            yield from all_states(branch, f"{where}/Branches[{index}]")
        if processor := state.get("ItemProcessor") or state.get("Iterator"):
            yield from all_states(processor, f"{where}/ItemProcessor")


def submit_resource(manifest: Manifest) -> str:
    """Return what a Task state that submits a job, and waits for it, has as its Resource."""
    return f"arn:{manifest.partition}:states:::batch:submitJob.sync"


def states_that_submit(manifest: Manifest, definition: Mapping[str, Any]) -> Iterator[Task]:
    """Yield the states of a definition that submit jobs; they are the definition's own, not copies."""
    jobs = {manifest.batch_arn("job-definition", key): key for key in manifest.jobs}
    queues = {manifest.batch_arn("job-queue", key): key for key in manifest.queues}
    for place, state in all_states(definition, ""):
        if state["Type"] == "Task" and state.get("Resource") == submit_resource(manifest):
            given = state.get("Arguments")
            arguments = given if isinstance(given, dict) else {}
            job, queue = (str(arguments.get(member)) for member in ("JobDefinition", "JobQueue"))
            yield Task(place.rpartition("/States/")[2], place, state, jobs.get(job, ""), queues.get(queue, ""))


def tasks_of(manifest: Manifest, key: str) -> list[Task]:
    """Return the states of a workflow's definition that submit jobs; none if it is not valid, which a rule reports."""
    try:
        found = read_definition(manifest, key)
    except InvalidDefinitionError:
        return []
    from gen_infra.manifest.states_language import errors  # workflows of steps do without

    tasks = [] if errors(json.dumps(found)) else list(states_that_submit(manifest, found))
    return tasks if all(task.job and task.queue for task in tasks) else []
