"""Job definitions as AWS Batch has them, as entries of a manifest.

Accepts an ``aws batch register-job-definition`` command line, its ``--cli-input-json``, bare container properties,
what ``describe-job-definitions`` answers, and CloudFormation's spelling. What a manifest cannot say is told.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import ValidationError, convert

from gen_infra.errors import UsageError
from gen_infra.manifest.base import EnvironmentVariable
from gen_infra.manifest.job import Job
from gen_infra.manifest.secrets import is_said_elsewhere, names_a_secret, secrets

_DEEPEST = 30
_REMOVED = "removed-secret"
_HOST_FOLDERS = re.compile(r"/(?:$|(?:bin|boot|dev|etc|lib|lib64|proc|root|run|sbin|sys|usr|var)(?:/|$))")
_OURS = {"image", "command", "vcpus", "memory", "resourceRequirements", "environment", "mountPoints", "volumes"}
_READ = {
    "jobDefinitionName",
    "containerProperties",
    "type",
    "parameters",
    "retryStrategy",
    "timeout",
    "schedulingPriority",
}
# What describe-job-definitions adds, and what says nothing that a manifest's job does not say by itself.
_SAYS_NOTHING = {"jobDefinitionArn", "revision", "status", "containerOrchestrationType"}
_REASONS = {
    "jobRoleArn": "gen-infra makes a role for each job; name what it may use under `buckets`",
    "executionRoleArn": "a job on EC2 needs none here",
    "logConfiguration": "gen-infra makes a log group for each job",
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
        if _whole(definition.get("revision")) >= _whole(newest.get(name, {}).get("revision")):
            newest[name] = {**definition, "jobDefinitionName": name}
    return list(newest.values())


class _Import:
    """One definition on its way into the manifest."""

    def __init__(self, definition: dict[str, Any], result: Imported) -> None:
        self.definition = definition
        container = definition.get("containerProperties")
        self.container: dict[str, Any] = container if isinstance(container, dict) else {}
        self.notes = result.notes
        self.jobs = result.jobs
        self.name = str(definition["jobDefinitionName"])
        self.key = re.sub("[^A-Za-z0-9_-]", "-", self.name)[:40]
        if not self.key[:1].isalpha():
            self.key = f"job-{self.key}"[:40]

    def run(self) -> None:
        if self.key != self.name:
            self.note("the name", f"becomes {self.key}")
        if not self.container:
            self.note("", "has no container properties; only single-container jobs can be imported")
            return
        entry = {
            "image": self.image(),
            **self.resources(),
            "command": [self.harmless(str(word), f"command[{at}]") for at, word in enumerate(self.items("command"))],
            "environment": self.environment(),
            "parameters": self.parameters(),
            **self.retries(),
            **self.timeout(),
            "scratch": self.scratch(),
            "scheduling_priority": self.definition.get("schedulingPriority"),
        }
        self.unsaid()
        entry = {key: value for key, value in entry.items() if value not in (None, [], {})}
        try:
            convert(entry, Job)
        except ValidationError as error:
            place = str(error).rpartition("`$")[2].strip(".`") or "a value that is missing"
            self.note(place, "is not what a manifest accepts; mend it, `gen-infra show` says how")
        self.jobs[self.key] = entry

    def note(self, what: str, message: str) -> None:
        self.notes.append(f"{self.name}: {what} {message}".replace("  ", " "))

    def items(self, key: str) -> list[Any]:
        value = self.container.get(key)
        return value if isinstance(value, list) else []

    def dicts(self, key: str) -> list[dict[str, Any]]:
        return [item for item in self.items(key) if isinstance(item, dict)]

    def image(self) -> str:
        image = str(self.container.get("image", ""))
        if not image or "/" in image:
            return self.harmless(image, "image")
        self.note(f"image {image}", "is Docker Hub's, so it is written with its full name")
        return f"docker.io/library/{image}"

    def resources(self) -> dict[str, int]:
        """Memory and vCPUs: at the top level as it was until 2021, or as requirements."""
        found = {"VCPU": self.container.get("vcpus"), "MEMORY": self.container.get("memory")}
        for requirement in self.dicts("resourceRequirements"):
            kind = str(requirement.get("type"))
            if kind in found:
                found[kind] = requirement.get("value")
            else:
                self.note(f"resourceRequirements {kind}", "is not carried over: the manifest has no key for it")
        entry = {}
        for kind, key in (("VCPU", "vcpus"), ("MEMORY", "memory_mib")):
            amount = _number(found[kind])
            if amount is None:
                self.note(key, "is not given; write it")
                continue
            entry[key] = math.ceil(amount)
            if entry[key] != amount:
                self.note(f"{key} {amount:g}", f"becomes {entry[key]}: jobs on EC2 take whole ones")
        return entry

    def environment(self) -> dict[str, str]:
        entry = {}
        for variable in self.dicts("environment"):
            name, value = str(variable.get("name", "")), str(variable.get("value", ""))
            if (names_a_secret(name) and not is_said_elsewhere(value)) or any(secrets(value)) or any(secrets(name)):
                shown = "a variable" if any(secrets(name)) else name
                self.note(
                    f"environment: {shown}", "looks like a secret and is left out; keep it in AWS Secrets Manager"
                )
                continue
            try:
                entry[convert(name, EnvironmentVariable)] = value
            except ValidationError:
                self.note(f"environment: {name}", "is left out: the name is not one that a manifest accepts")
        return entry

    def parameters(self) -> dict[str, str]:
        given = self.definition.get("parameters")
        pairs = given.items() if isinstance(given, dict) else ()
        return {str(key): self.harmless(str(value), f"parameters: {key}") for key, value in pairs}

    def retries(self) -> dict[str, int]:
        """Batch tries once when nothing is said."""
        strategy = self.definition.get("retryStrategy")
        strategy = strategy if isinstance(strategy, dict) else {}
        if strategy.get("evaluateOnExit"):
            self.note("retryStrategy.evaluateOnExit", "is not carried over: gen-infra retries when the host is lost")
        return {"attempts": _whole(strategy.get("attempts")) or 1}

    def timeout(self) -> dict[str, int]:
        timeout = self.definition.get("timeout")
        seconds = _whole(timeout.get("attemptDurationSeconds")) if isinstance(timeout, dict) else 0
        if not seconds:
            self.note("timeout", "is not given: gen-infra stops each attempt after a day; timeout_minutes changes that")
            return {}
        if seconds % 60:
            self.note(f"timeout of {seconds} seconds", f"becomes {math.ceil(seconds / 60)} minutes")
        return {"timeout_minutes": math.ceil(seconds / 60)}

    def scratch(self) -> str | None:
        """The one host folder that can be the scratch volume; every other mount is told."""
        hosts: dict[str, str] = {}
        for volume in self.dicts("volumes"):
            host = volume.get("host")
            hosts[str(volume.get("name"))] = str(host.get("sourcePath", "")) if isinstance(host, dict) else ""
        scratch = None
        for mount in self.dicts("mountPoints"):
            host, path = hosts.get(str(mount.get("sourceVolume")), ""), str(mount.get("containerPath", ""))
            if scratch or not host or _HOST_FOLDERS.match(host) or mount.get("readOnly"):
                self.note(
                    f"mountPoints: {path}", f"is not carried over: {host or 'no host folder'} is not the scratch volume"
                )
                continue
            scratch = path
            if host != "/docker_scratch":
                self.note(f"mountPoints: {path}", f"becomes scratch; say `image: {{scratch: {{mount: {host}}}}}`")
        return scratch

    def harmless(self, text: str, what: str) -> str:
        if not any(secrets(text)):
            return text
        self.note(what, f"looks like a secret and is written as {_REMOVED}; keep it in AWS Secrets Manager")
        return _REMOVED

    def unsaid(self) -> None:
        """Everything that nobody looked at."""
        for part, known in ((self.definition, _READ | _SAYS_NOTHING), (self.container, _OURS)):
            for key, value in part.items():
                if key not in known and value not in (None, [], {}, "", False) and not _is_usual(key, value):
                    self.note(key, f"is not carried over: {_REASONS.get(key, 'the manifest has no key for it')}")


def _is_usual(key: str, value: object) -> bool:
    return (key, value) in (("platformCapabilities", ["EC2"]), ("propagateTags", True))


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int:
    return int(_number(value) or 0)
