"""What batchSubmitJob accepts: the file ``submissions.json`` of its package, which says what the manifest allows.

Without that file, nothing is submitted.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch_function import (
    Event,
    EventValueError,
    NotAllowedError,
    OtherEnvironmentError,
    checked,
    quoted,
    required,
    short,
)

_ARN_OR_NAME = re.compile(r"(?P<arn>arn:[^/]+/)?(?P<name>[^/:]+)(?::(?P<revision>[0-9]+))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?", re.ASCII)
_SHARE = re.compile("[A-Za-z0-9]{1,255}", re.ASCII)
# https://docs.aws.amazon.com/batch/latest/userguide/using-tags.html
_TAG_KEY = re.compile(r"(?!aws:)[\w .:/=+@-]{1,128}", re.ASCII | re.IGNORECASE)
_TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}", re.ASCII)
_OWN_TAGS = "gen-infra:"  # by them policies know whose a job is; IAM ignores the case of keys
_CHANGEABLE = {"command", "environment", "resourceRequirements"}
_SMALLEST_ARRAY = 2
_KEYS = {"VCPU": "max_vcpus", "MEMORY": "max_memory_mib", "GPU": "max_gpus"}


@dataclass(frozen=True)
class Limits:
    """What may be submitted.

    Attributes:
        environment: the environment's name, for messages.
        arn_prefix: what the ARNs of its queues and job definitions begin with: ``arn:aws:batch:REGION:ACCOUNT``.
        definitions_by_tag: whether its role knows some definitions by their tags, which AWS reads only of a revision.
        job_definitions: the names of its job definitions, each with the revision that it stays at, if any.
        job_queues: the names of its queues.
        fair_share: the names of the queues with a fair-share policy, each with its shares; ``*`` ends a prefix.
        overrides: which of ``command``, ``environment``, ``revision`` and ``tags`` an event may give.
        most: the most of each resource, by its type in Batch; what is missing stays as it is declared.
        max_array_size: the most children of an array job; None for no array jobs.
    """

    environment: str
    arn_prefix: str
    definitions_by_tag: bool
    job_definitions: dict[str, str | None]
    job_queues: list[str]
    fair_share: dict[str, list[str]]
    overrides: list[str]
    most: dict[str, int]
    max_array_size: int | None

    def queue(self, event: Event) -> str:
        """Return the queue of an event.

        Raises:
            EventValueError: it is neither a name nor an ARN.
            OtherEnvironmentError: it is not one of this environment.
        """
        given, match = self._given(event, "jobQueue", "job-queue", self.job_queues)
        if match["revision"]:
            raise EventValueError(f"jobQueue: {quoted(given)} is neither a name nor an ARN")
        return given

    def definition(self, event: Event) -> str:
        """Return the job definition of an event.

        Raises:
            EventValueError: it is neither a name nor an ARN.
            NotAllowedError: it has a revision.
            OtherEnvironmentError: it is not one of this environment.
        """
        given, match = self._given(event, "jobDefinition", "job-definition", self.job_definitions)
        is_declared = match["revision"] in {None, self.job_definitions[match["name"]]}
        if not is_declared and "revision" not in self.overrides:
            raise NotAllowedError(
                f"jobDefinition: {quoted(given)} names a revision; leave it out, or add revision to "
                "submit_function.overrides in the manifest"
            )
        return given

    def _given(
        self, event: Event, field: str, kind: str, names: list[str] | dict[str, str | None]
    ) -> tuple[str, re.Match[str]]:
        given = required(event, field)
        match = _ARN_OR_NAME.fullmatch(given)
        if match is None:
            raise EventValueError(f"{field}: {quoted(given)} is neither a name nor an ARN")
        if match["name"] not in names or match["arn"] not in {None, f"{self.arn_prefix}:{kind}/"}:
            raise OtherEnvironmentError(
                f"{field}: {quoted(given)} does not belong to the environment {self.environment!r}"
            )
        return given, match

    def check_container(self, overrides: dict[str, Any], where: str) -> None:
        """Check what an event changes of a container; messages name fields, never values that may be secrets.

        Raises:
            EventTypeError, EventValueError: a resource is not as Batch takes it.
            NotAllowedError: the manifest does not allow the change.
        """
        for field in sorted({*overrides} - _CHANGEABLE):
            raise NotAllowedError(f"{where}.{short(field)}: choose from {', '.join(sorted(_CHANGEABLE))}")
        for field in ("command", "environment"):
            if overrides.get(field) and field not in self.overrides:
                raise NotAllowedError(
                    f"{where}.{field} stays as declared; add {field} to submit_function.overrides in the manifest"
                )
        requirements = checked(overrides.get("resourceRequirements", []), list, f"{where}.resourceRequirements")
        kinds: set[str] = set()
        for index, requirement in enumerate(requirements):
            place = f"{where}.resourceRequirements[{index}]"
            kind = self._checked_resource(requirement, place)
            if kind in kinds:
                raise EventValueError(f"{place}: {kind} is given twice")
            kinds.add(kind)

    def _checked_resource(self, requirement: object, where: str) -> str:
        """Return the type of a resource that an event may ask for."""
        given = checked(requirement, dict, where)
        if set(given) != {"type", "value"}:
            raise EventValueError(f"{where} must have a type and a value, and nothing else")
        kind, value = checked(given["type"], str, f"{where}.type"), checked(given["value"], str, f"{where}.value")
        if kind not in _KEYS:
            raise EventValueError(f"{where}.type: {quoted(kind)} is unknown; choose from {', '.join(_KEYS)}")
        if not _NUMBER.fullmatch(value):
            raise EventValueError(f"{where}.value: {quoted(value)} is not a number")
        key = f"submit_function.{_KEYS[kind]}"
        if kind not in self.most:
            raise NotAllowedError(f"{where}: {kind} stays as declared; set {key} in the manifest")
        if float(value) > self.most[kind]:
            raise NotAllowedError(f"{where}: {kind} {value} is more than {self.most[kind]}, which is {key}")
        return kind

    def share(self, event: Event, queue: str) -> str | None:
        """Return the share identifier of an event for a queue; None for a queue without a fair-share policy.

        Raises:
            EventTypeError, EventValueError: it is missing, or is not as Batch takes it.
            NotAllowedError: the queue has no such share.
        """
        field, name = "shareIdentifier", queue.rpartition("/")[2]
        if name not in self.fair_share:
            if event.get(field):
                raise NotAllowedError(f"{field}: the queue {name!r} has no fair-share policy")
            return None
        given, shares = required(event, field), self.fair_share[name]
        if not _SHARE.fullmatch(given):
            raise EventValueError(f"{field}: {quoted(given)} is not 1 to 255 letters and digits")
        if shares and not any(
            given.startswith(share[:-1]) if share.endswith("*") else given == share for share in shares
        ):
            raise NotAllowedError(f"{field}: {given!r} is not a share of {name!r}; choose from {', '.join(shares)}")
        return given

    def tags(self, event: Event) -> dict[str, str]:
        """Return the tags of an event, besides gen-infra's own.

        Raises:
            EventTypeError, EventValueError: a tag is not as Batch takes it.
            NotAllowedError: the manifest does not allow tags, or one is gen-infra's own.
        """
        tags = checked(event.get("tags") or {}, dict, "tags")
        if tags and "tags" not in self.overrides:
            raise NotAllowedError("tags stay as declared; add tags to submit_function.overrides in the manifest")
        for key, value in tags.items():
            if key.lower().startswith(_OWN_TAGS):
                raise NotAllowedError(f"tags: {quoted(key)} is a tag that gen-infra sets itself")
            if not _TAG_KEY.fullmatch(key) or not _TAG_VALUE.fullmatch(checked(value, str, f"tags.{short(key)}")):
                raise EventValueError(f"tags: {quoted(key)} has a key or a value that AWS Batch does not take")
        return tags

    def array(self, event: Event) -> dict[str, int]:
        """Return ``arrayProperties`` of an event; nothing for a job that is no array.

        Raises:
            EventTypeError, EventValueError: the size is not as Batch takes it.
            NotAllowedError: the manifest does not allow that size.
        """
        name = "arrayProperties"
        given = checked(event.get(name) or {}, dict, name)
        if not given:
            return {}
        if set(given) != {"size"}:
            raise EventValueError(f"{name} must have a size, and nothing else")
        size = checked(given["size"], int, f"{name}.size")
        if self.max_array_size is None:
            raise NotAllowedError(f"{name}: array jobs need submit_function.max_array_size in the manifest")
        if size < _SMALLEST_ARRAY:
            raise EventValueError(f"{name}.size: {size} is less than {_SMALLEST_ARRAY}")
        if size > self.max_array_size:
            raise NotAllowedError(
                f"{name}.size: {size} is more than {self.max_array_size}, which is submit_function.max_array_size"
            )
        return {"size": size}


@functools.cache
def limits(environment: str) -> Limits:
    """Read the file at the first call and keep it for as long as Lambda keeps the process."""
    return read_limits(Path(__file__).with_name("submissions.json").read_bytes(), environment)


def read_limits(content: bytes, environment: str) -> Limits:
    """Return the limits that the content of such a file states."""
    said = json.loads(content)
    return Limits(
        environment=environment,
        arn_prefix=said["arn_prefix"],
        definitions_by_tag=said["definitions_by_tag"],
        job_definitions=said["job_definitions"],
        job_queues=said["job_queues"],
        fair_share=said["fair_share"],
        overrides=said["overrides"],
        most={kind: said[key] for kind, key in _KEYS.items() if said[key] is not None},
        max_array_size=said["max_array_size"],
    )
