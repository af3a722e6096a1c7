"""Job definitions as AWS Batch has them, as entries of a manifest.

Accepts an ``aws batch register-job-definition`` command line, its ``--cli-input-json``, bare container properties,
what ``describe-job-definitions`` answers, and CloudFormation's spelling. What a manifest cannot say is told.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import ValidationError, convert

from gen_infra.errors import UsageError
from gen_infra.manifest.importing.container import ContainerImport
from gen_infra.manifest.importing.values import is_empty, whole, without_secrets
from gen_infra.manifest.model.job import Job
from gen_infra.manifest.reading.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 30
_REFERENCE = re.compile(r"Ref::([A-Za-z0-9_-]+)")
_READ = {
    "jobDefinitionName",
    "containerProperties",
    "nodeProperties",
    "platformCapabilities",
    "type",
    "parameters",
    "retryStrategy",
    "timeout",
    "schedulingPriority",
}
# What describe-job-definitions adds, and the command line's own options: nothing that a manifest's job has to say.
_SAYS_NOTHING = {
    *("jobDefinitionArn", "revision", "status", "containerOrchestrationType"),
    *("region", "profile", "output", "query", "endpointUrl"),
}
_REASONS = {
    "tags": "tags belong to the whole environment",
    "propagateTags": "gen-infra always propagates tags",
}


@dataclass
class Imported:
    """Entries for ``jobs``, and what could not be carried over, as sentences."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def import_jobs(text: str) -> Imported:
    """The job definitions in a text.

    Raises:
        UsageError: it holds none.
    """
    result = Imported()
    for definition in _newest(_definitions(_parse(text))):
        _Import(definition, result).run()
    if not result.jobs:
        raise UsageError(
            "there is no job definition in it",
            hint="expected: the JSON of aws batch register-job-definition or describe-job-definitions",
        )
    return result


def _parse(text: str) -> Any:
    if "register-job-definition" in text and not text.lstrip().startswith(("{", "[")):
        return _from_command_line(text)
    try:
        return _camel(json.loads(text))
    except (ValueError, RecursionError) as error:
        where = f": line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"that is not JSON{where}") from None


def _from_command_line(text: str) -> dict[str, Any]:
    """``--retry-strategy attempts=3`` -> ``{"retryStrategy": {"attempts": "3"}}``; JSON where it is written as JSON."""
    try:
        words = shlex.split(text.replace("\\\n", " "), comments=True)
        document: dict[str, Any] = {}
        for option, value in zip(words, [*words[1:], ""], strict=True):
            if option.startswith("--"):
                name = re.sub("-([a-z])", lambda found: found.group(1).upper(), option[2:])
                document[name] = _camel(_value(value))
    except (ValueError, RecursionError):
        raise UsageError("that command line cannot be read: its quotes or its JSON do not close") from None
    given = document.pop("cliInputJson", None)
    return {**(given if isinstance(given, dict) else {}), **document}


def _value(word: str) -> Any:
    if word.startswith("file://"):
        raise UsageError(f"{word} is not here", hint="import that file instead")
    if word.startswith(("{", "[")):
        return json.loads(word)
    pairs = [part.partition("=") for part in word.split(",")]
    return {key: value for key, _, value in pairs} if all(equals for _, equals, _ in pairs) else word


def _camel(value: Any, depth: int = 0) -> Any:
    """CloudFormation's ``JobDefinitionName`` as ``jobDefinitionName``, except in what are the author's own names."""
    if depth > _DEEPEST:
        raise UsageError(f"that is nested deeper than {_DEEPEST} levels; no job definition is")
    if isinstance(value, list):
        return [_camel(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    keep = ("parameters", "tags", "options")
    lowered = {key[:1].lower() + key[1:]: item for key, item in value.items()}
    return {key: item if key in keep else _camel(item, depth + 1) for key, item in lowered.items()}


def _definitions(document: Any) -> Iterator[dict[str, Any]]:
    """Every job definition in a document, however it is wrapped."""
    if isinstance(document, list):
        for item in document:
            yield from _definitions(item)
    elif isinstance(document, dict):
        if "jobDefinitionName" in document or "containerProperties" in document or "nodeProperties" in document:
            yield document
        elif "image" in document:
            yield {"containerProperties": document}
        else:
            for item in document.values():
                yield from _definitions(item)


def _newest(definitions: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest revision of each name."""
    newest: dict[str, dict[str, Any]] = {}
    for definition in definitions:
        name = str(definition.get("jobDefinitionName", f"job{len(newest) + 1}"))
        if whole(definition.get("revision")) >= whole(newest.get(name, {}).get("revision")):
            newest[name] = {**definition, "jobDefinitionName": name}
    return list(newest.values())


class _Import:
    """One definition on its way into the manifest."""

    def __init__(self, definition: dict[str, Any], result: Imported) -> None:
        self.definition = definition
        self.notes = result.notes
        self.jobs = result.jobs
        self.name = redact(str(definition["jobDefinitionName"]))
        self.key = re.sub("[^A-Za-z0-9_-]", "-", self.name)[:40]
        if not self.key[:1].isalpha():
            self.key = f"job-{self.key}"[:40]

    def run(self) -> None:
        if self.key != self.name:
            self.note("the name", f"becomes {self.key}")
        container, nodes = self.container()
        if not container:
            self.note("", "has no container properties that a job of one container, or of like nodes, could have")
            return
        capabilities = self.definition.get("platformCapabilities")
        on_fargate = isinstance(capabilities, list) and "FARGATE" in capabilities
        importing = ContainerImport(container, self.name, self.note, on_fargate=on_fargate)
        entry = {
            **importing.entry(),
            "parameters": self.parameters(),
            "attempts": self.attempts(),
            "timeout_minutes": self.timeout(),
            "nodes": nodes,
            "scheduling_priority": self.definition.get("schedulingPriority"),
        }
        if importing.on_fargate:
            self.note("platformCapabilities", "is FARGATE: give it a queue on Fargate")
        elif nodes:
            self.note("nodeProperties", "become `nodes`: give it a queue of On-Demand instances")
        self.unsaid()
        self.jobs[self.key] = self.accepted(without_secrets(entry, "", self.note))

    def accepted(self, entry: dict[str, Any]) -> dict[str, Any]:
        """The entry with the parameters that its command asks for, in the model's order."""
        references = (name for word in entry["command"] for name in _REFERENCE.findall(word))
        required = [name for name in dict.fromkeys(references) if name not in entry["parameters"]]
        if required:
            self.note(", ".join(required), "without a default becomes required: every submission gives it")
        entry = {**entry, "required_parameters": required}
        ordered = {key: entry[key] for key in Job.__struct_fields__ if not is_empty(entry.get(key))}
        try:
            convert(ordered, Job)
        except ValidationError as error:
            place = str(error).rpartition("`$")[2].strip(".`") or "a value that is missing"
            self.note(place, "is not what a manifest accepts; mend it, `gen-infra show` says how")
        return ordered

    def note(self, what: str, message: str) -> None:
        self.notes.append(redact(f"{self.name}: {what} {message}".replace("  ", " ")))

    def container(self) -> tuple[dict[str, Any], int | None]:
        """The container, and on how many nodes it runs; an empty one where there is none, or not one for all nodes."""
        container = self.definition.get("containerProperties")
        given = self.definition.get("nodeProperties")
        if isinstance(container, dict) or not isinstance(given, dict):
            return container if isinstance(container, dict) else {}, None
        ranges = given.get("nodeRangeProperties")
        ranges = [item for item in ranges if isinstance(item, dict)] if isinstance(ranges, list) else []
        first = ranges[0].get("container") if ranges else None
        if not isinstance(first, dict) or any(item.get("container") != first for item in ranges):
            self.note("nodeProperties", "cannot be imported: its nodes differ, or hold more than one container")
            return {}, None
        if whole(given.get("mainNode")):
            self.note("nodeProperties.mainNode", "becomes 0")
        if any(item.get("instanceTypes") for item in ranges):
            self.note("instanceTypes", "is not carried over: the `instance_types` of the compute environment say it")
        nodes = whole(given.get("numNodes"))
        if nodes == 1:
            self.note("nodeProperties", "of one node become a job of one container")
        return first, nodes if nodes > 1 else None

    def parameters(self) -> dict[str, str]:
        given = self.definition.get("parameters")
        return {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}

    def attempts(self) -> int:
        """Batch tries once when nothing is said."""
        strategy = self.definition.get("retryStrategy")
        strategy = strategy if isinstance(strategy, dict) else {}
        if strategy.get("evaluateOnExit"):
            self.note("retryStrategy.evaluateOnExit", "is not carried over: gen-infra retries when the host is lost")
        return whole(strategy.get("attempts")) or 1

    def timeout(self) -> int | None:
        timeout = self.definition.get("timeout")
        seconds = whole(timeout.get("attemptDurationSeconds")) if isinstance(timeout, dict) else 0
        if not seconds:
            self.note("timeout", "is not given: gen-infra stops each attempt after a day; timeout_minutes changes that")
            return None
        if seconds % 60:
            self.note(f"timeout of {seconds} seconds", f"becomes {math.ceil(seconds / 60)} minutes")
        return math.ceil(seconds / 60)

    def unsaid(self) -> None:
        """Everything of the definition that nobody looked at."""
        for key, value in self.definition.items():
            if key not in _READ | _SAYS_NOTHING and not is_empty(value) and (key, value) != ("propagateTags", True):
                self.note(key, f"is not carried over: {_REASONS.get(key, 'the manifest has no key for it')}")
