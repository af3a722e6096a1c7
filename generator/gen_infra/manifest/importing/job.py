"""Turn job definitions of AWS Batch into entries of a manifest.

Accepts shell scripts with ``aws batch register-job-definition``, its ``--cli-input-json``, bare container properties,
the answer of ``describe-job-definitions``, and CloudFormation templates. Every definition becomes an entry, or is
refused by name with a reason; every change to one is a note.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import ValidationError, convert, to_builtins

from gen_infra.errors import UsageError
from gen_infra.manifest.host_access import may_mount, may_use_device
from gen_infra.manifest.importing.container import ContainerImport, needs_fargate
from gen_infra.manifest.importing.documents import Definition, read_definitions
from gen_infra.manifest.importing.several import import_several
from gen_infra.manifest.importing.shapes import RefusedError, as_container, find_containers
from gen_infra.manifest.importing.values import dicts, flag, is_empty, number, whole, without_secrets
from gen_infra.manifest.model.base import OwnTags
from gen_infra.manifest.model.image import Scratch
from gen_infra.manifest.model.job import Job
from gen_infra.manifest.model.retry import DEFAULT_RETRY, RetryCondition, RetryRule, retry_of
from gen_infra.manifest.reading.secrets import redact
from gen_infra.manifest.rules.provider_members import NO_CONSUMABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_KEY = 40
_REFERENCE = re.compile(r"Ref::([A-Za-z0-9_-]+)")
_VARIABLE = re.compile(r"\$\{[^}]*\}|\$\w+")
_PLACES = (
    re.compile(r"arn:[a-z-]+:(?:batch|ssm|secretsmanager|logs|elasticfilesystem):([a-z0-9-]+):([0-9]{12}):"),
    re.compile(r"()arn:[a-z-]+:iam::([0-9]{12}):"),
)
_REGISTRY = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.")
_READ = {
    "containerProperties",
    "nodeProperties",
    "ecsProperties",
    "eksProperties",
    "platformCapabilities",
    "type",
    "parameters",
    "retryStrategy",
    "timeout",
    "schedulingPriority",
    "tags",
}
# What describe-job-definitions adds, and the command line's own options: nothing that a manifest's job sets.
_SETS_NOTHING = {
    *("jobDefinitionArn", "revision", "status", "containerOrchestrationType"),
    *("region", "profile", "output", "query", "endpointUrl", "noCliPager", "debug"),
}
_REASONS = {
    "propagateTags": "gen-infra always propagates tags",
    "noPropagateTags": "gen-infra always propagates tags",
    "consumableResourceProperties": NO_CONSUMABLES,
}


class RefusedDefinition(NamedTuple):
    """A definition, or a revision of one, without an entry."""

    name: str
    reason: str


@dataclass
class Imported:
    """Entries for ``jobs``, definitions without an entry, and what an entry does not have of its definition."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: list[RefusedDefinition] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def host_paths(self) -> list[str]:
        """Return the folders and devices of hosts that ``hosts.allow_paths`` has to list for these jobs."""
        containers = [each for job in self.jobs.values() for each in (job, *job.get("containers", {}).values())]
        devices = {device["host_path"] for each in containers for device in each.get("linux", {}).get("devices", ())}
        volumes = [
            volume for job in self.jobs.values() for volume in job.get("container_properties", {}).get("volumes", ())
        ]
        folders = {path.rstrip("/") for volume in volumes if (path := (volume.get("host") or {}).get("sourcePath"))}
        scratch = Scratch().mount
        found = {path for path in folders if not may_mount(path, (scratch,), ())}
        return sorted(found | {path for path in devices if not may_use_device(path, ())})


def import_jobs(text: str) -> Imported:
    """Import the job definitions in a text.

    Raises:
        UsageError: it holds none.
    """
    result = Imported()
    definitions = read_definitions(text)
    if not definitions:
        raise UsageError(
            "the file holds no job definition",
            hint="import the JSON of aws batch register-job-definition or describe-job-definitions",
        )
    for definition in _newest(definitions, result.refusals):
        notes = len(result.notes)
        try:
            _Import(definition, result).run()
        except RefusedError as error:
            del result.notes[notes:]
            result.refusals.append(RefusedDefinition(redact(definition.name), redact(str(error))))
    return result


def _newest(definitions: list[Definition], refusals: list[RefusedDefinition]) -> Iterator[Definition]:
    """Yield the newest ACTIVE revision of each name; definitions without a revision are each on their own."""
    newest: dict[str, Definition] = {}
    for definition in definitions:
        if _is_active(definition) and (revision := _revision(definition)):
            held = newest.get(definition.name)
            if held is None or revision > _revision(held):
                newest[definition.name] = definition
    for definition in definitions:
        revision, name = _revision(definition), redact(definition.name)
        named = f"{name}:{revision}" if revision else name
        if not _is_active(definition):
            refusals.append(RefusedDefinition(named, "the revision is INACTIVE"))
        elif revision and newest[definition.name] is not definition:
            refusals.append(RefusedDefinition(named, f"revision {_revision(newest[definition.name])} is newer"))
        else:
            yield definition


def _is_active(definition: Definition) -> bool:
    return definition.properties.get("status") != "INACTIVE"


def _revision(definition: Definition) -> int:
    return whole(definition.properties.get("revision"))


class _Import:
    """Import one definition."""

    def __init__(self, definition: Definition, result: Imported) -> None:
        self.properties = definition.properties
        self.problem, self.notes_of_reading = definition.problem, definition.notes
        self.notes = result.notes
        self.jobs = result.jobs
        self.name = redact(definition.name)
        self.key = _key(self.name, set(map(str.lower, result.jobs)))

    def run(self) -> None:
        """Add the entry and its notes.

        Raises:
            RefusedError: a manifest cannot express the definition.
        """
        if self.problem:
            raise RefusedError(self.problem)
        notes: list[tuple[str, str]] = []
        found = find_containers(self.properties, lambda what, message: notes.append((what, message)))
        if self.key != self.name:
            self.note("the name", f"becomes {self.key}")
        for text in self.notes_of_reading:
            self.note(text, "")
        for what, message in notes:
            self.note(what, message)
        capabilities = self.properties.get("platformCapabilities")
        on_fargate = "FARGATE" in capabilities if isinstance(capabilities, list) else capabilities == "FARGATE"
        place = self.place()
        if found.several:
            on_fargate = on_fargate or needs_fargate(as_container(found.task))
            keys = import_several(found, self.name, place, self.note, on_fargate=on_fargate)
        else:
            on_fargate = on_fargate or needs_fargate(found.one)
            keys = ContainerImport(found.one, self.name, place, self.note, on_fargate=on_fargate).entry()
        entry = {
            **keys,
            "parameters": self.parameters(),
            **self.retries(on_fargate=on_fargate),
            "timeout_minutes": self.timeout(),
            "nodes": found.nodes,
            "scheduling_priority": self.priority(),
            "tags": self.tags(),
        }
        if on_fargate:
            self.note("platformCapabilities", "is FARGATE: give it a queue on Fargate")
        elif found.nodes:
            self.note("nodeProperties", "become `nodes`: give it a queue of On-Demand instances")
        self.unread()
        self.jobs[self.key] = self.accepted(without_secrets(entry, "", self.note))

    def accepted(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return the entry with the parameters that its command needs, in the model's order."""
        commands = [each.get("command", ()) for each in (entry, *entry.get("containers", {}).values())]
        references = (name for command in commands for word in command for name in _REFERENCE.findall(word))
        required = [name for name in dict.fromkeys(references) if name not in entry["parameters"]]
        if required:
            self.note(", ".join(required), "without a default becomes required: every submission gives it")
        entry = {**entry, "required_parameters": required}
        kept = {key for key, value in entry.items() if not is_empty(value) or (key == "retry" and value == [])}
        ordered = {key: entry[key] for key in Job.__struct_fields__ if key in kept}
        try:
            convert(ordered, Job)
        except ValidationError as error:
            _, at, path = str(error).rpartition("`$")
            place = path.strip(".`")
            if at and place != "image":  # an invalid image has a note already, and so has a key that is missing
                self.note(place, "is not accepted by a manifest; see `gen-infra show`")
        return ordered

    def note(self, what: str, message: str) -> None:
        self.notes.append(redact(f"{self.name}: {what} {message}".replace("  ", " ").rstrip()))

    def place(self) -> tuple[str, str]:
        """Return region and account, from the ARNs and registries that the definition names; "" where it names none."""
        text = str(self.properties)
        region = account = ""
        if found := _REGISTRY.search(text):
            account, region = found.groups()
        for pattern in _PLACES:
            if found := pattern.search(text):
                region, account = region or found[1], account or found[2]
        if not region and (option := re.search(r"'(?:awslogs-)?region': '([a-z]{2}-[a-z-]+-[0-9])'", text)):
            region = option[1]
        return region, account

    def parameters(self) -> dict[str, str]:
        return {str(key): str(value) for key, value in self.mapping("parameters").items()}

    def tags(self) -> dict[str, str]:
        """Return the tags that a manifest accepts; those that AWS itself sets are not the author's."""
        tags: dict[str, str] = {}
        for key, value in self.mapping("tags").items():
            if str(key).lower().startswith("aws:"):
                continue
            try:
                tags |= convert({str(key): str(value)}, OwnTags)
            except ValidationError:
                self.note(f"the tag {key}", f"is not carried over: {value} is not plain text; write it")
        return tags

    def mapping(self, key: str) -> dict[str, Any]:
        """Return a mapping of the definition; note where something else is in its place."""
        value = self.properties.get(key)
        if not is_empty(value) and not isinstance(value, dict):
            self.note(key, "is not given as a mapping, and is not carried over; write it")
        return value if isinstance(value, dict) else {}

    def priority(self) -> object:
        """Return the scheduling priority, which AWS gives as a number and a command line as text."""
        given = self.properties.get("schedulingPriority")
        return whole(given) if number(given) is not None else None

    def retries(self, *, on_fargate: bool) -> dict[str, Any]:
        """Return attempts and retry rules; AWS Batch runs a job once unless its definition has more attempts."""
        strategy = self.mapping("retryStrategy")
        attempts = whole(strategy.get("attempts")) or 1
        given = [_retry_rule(rule) for rule in dicts(strategy.get("evaluateOnExit"))]
        if not given:
            if attempts > 1:
                lost = ", ".join(DEFAULT_RETRY)
                self.note(
                    f"attempts {attempts}", f'retry {lost} only; add `retry: [{{reason: "*"}}]` to retry every failure'
                )
            return {"attempts": attempts}
        try:
            retry = retry_of(convert(given, tuple[RetryRule, ...]), on_fargate=on_fargate)
        except ValidationError:  # which `accepted` notes
            retry = None
        if retry is None:
            return {"attempts": attempts, "evaluate_on_exit": given}
        is_default = set(retry) == set(DEFAULT_RETRY)
        return {
            "attempts": attempts,
            "retry": None if is_default else [_plain(entry) for entry in dict.fromkeys(retry)],
        }

    def timeout(self) -> int | None:
        seconds = whole(self.mapping("timeout").get("attemptDurationSeconds"))
        if not seconds:
            self.note("timeout", "is not given: gen-infra stops each attempt after a day; timeout_minutes changes that")
            return None
        if seconds % 60:
            self.note(f"timeout of {seconds} seconds", f"becomes {math.ceil(seconds / 60)} minutes")
        return math.ceil(seconds / 60)

    def unread(self) -> None:
        """Note everything of the definition that no key stands for."""
        for key, value in self.properties.items():
            if key == "propagateTags":
                if flag(value) is False:
                    self.note(key, f"is not carried over: {_REASONS[key]}")
                continue
            if key in _READ | _SETS_NOTHING or is_empty(value):
                continue
            self.note(key, f"is not carried over: {_REASONS.get(key, 'the manifest has no key for it')}")


def _retry_rule(given: dict[str, Any]) -> dict[str, str]:
    """Return a rule of ``evaluateOnExit`` as ``evaluate_on_exit`` has it."""
    names = {"onStatusReason": "on_status_reason", "onReason": "on_reason", "onExitCode": "on_exit_code"}
    patterns = {key: str(given[name]) for name, key in names.items() if not is_empty(given.get(name))}
    return {"action": str(given.get("action", "")).upper(), **patterns}


def _plain(entry: str | RetryCondition) -> str | dict[str, Any]:
    """Return an entry of ``retry`` as a manifest has it."""
    if isinstance(entry, str):
        return entry
    return {key: value for key, value in to_builtins(entry).items() if value is not None}


def _key(name: str, taken: set[str]) -> str:
    """Return a key of ``jobs`` without variables, which differs from all other keys in more than case."""
    plain = _VARIABLE.sub("", name)
    plain = plain.strip("-_ :.") if plain != name else plain
    plain = re.sub("[^A-Za-z0-9_-]", "-", plain)
    if not plain[:1].isalpha():
        plain = f"job-{plain}".rstrip("-") if plain else "job"
    key, count = plain[:_LONGEST_KEY], 1
    while key.lower() in taken:
        count += 1
        key = f"{plain[: _LONGEST_KEY - len(f'-{count}')]}-{count}"
    return key
