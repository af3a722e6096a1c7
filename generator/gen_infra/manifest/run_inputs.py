"""Check the inputs of a workflow's runs: those of the command line, and those of a list of samples."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gen_infra.manifest.model.workflow import Workflow

_OBJECT = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)", re.DOTALL)
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (input)
_INPUT_AT_MOST = 262_144
_SHOWN = 5


class S3Object(NamedTuple):
    """The place of an object."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """Return it as ``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


class Sample(NamedTuple):
    """The inputs of one run, and where they are from: ``samples.csv:3``; empty for the command line."""

    place: str
    values: Mapping[str, str]


def s3_object(uri: str) -> S3Object | None:
    """Return the place that a URI names; None if it is not ``s3://bucket/key``."""
    found = _OBJECT.fullmatch(uri)
    return S3Object(found[1], found[2]) if found else None


def check_samples(workflow: Workflow, samples: Sequence[Sample]) -> dict[S3Object, list[str]]:
    """Check the inputs of runs, and return the objects that they name, each with the places that do.

    Raises:
        UsageError: an input is missing, unknown, empty or no URI, or two samples have the same first text.
    """
    problems = [*_all_problems(workflow, samples), *_twice(workflow, samples)]
    if problems:
        shown = problems[:_SHOWN] + ([f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else [])
        inputs = ", ".join(f"{name} ({kind})" for name, kind in workflow.input.items()) or "none"
        raise UsageError("; ".join(shown), hint=f"the workflow's inputs: {inputs}")
    objects: dict[S3Object, list[str]] = {}
    for sample in samples:
        for name, kind in workflow.input.items():
            if kind == "s3-object" and (place := s3_object(sample.values[name])):
                objects.setdefault(place, []).append(sample.place or name)
    return objects


def _all_problems(workflow: Workflow, samples: Sequence[Sample]) -> Iterator[str]:
    """Yield the problems of all samples; one that every line of a list has, such as a missing column, only once."""
    found = [[*_problems(workflow, sample)] for sample in samples]
    shared = [problem for problem in found[0] if all(problem in each for each in found)] if len(samples) > 1 else []
    file = samples[0].place.rpartition(":")[0] if samples else ""
    yield from (f"{file}: {problem} in every line" for problem in shared)
    for sample, problems in zip(samples, found, strict=True):
        at = f"{sample.place}: " if sample.place else ""
        yield from (f"{at}{problem}" for problem in problems if problem not in shared)


def _problems(workflow: Workflow, sample: Sample) -> Iterator[str]:
    for name in sample.values:
        if name not in workflow.input:
            yield f'unknown input "{name}"'
    for name, kind in workflow.input.items():
        value = sample.values.get(name)
        if value is None:
            yield f"{name} is missing"
        elif not value.strip():
            yield f"{name} is empty"
        elif not value.isprintable():
            yield f"{name} has a line break or another character that cannot be printed"
        elif kind == "s3-object" and s3_object(value) is None:
            yield f'{name} is "{value}"; use the URI of an object, such as s3://bucket/key'
    if len(json.dumps(dict(sample.values))) > _INPUT_AT_MOST:
        yield f"the inputs have more than {_INPUT_AT_MOST:,} characters"


def _twice(workflow: Workflow, samples: Iterable[Sample]) -> Iterator[str]:
    """Yield samples that have the name of another one: their results would overwrite each other."""
    first = next((name for name, kind in workflow.input.items() if kind == "text"), None)
    seen: dict[str, str] = {}
    for sample in samples:
        value = sample.values.get(first) if first else None
        if value is None:
            continue
        if value in seen:
            yield f'{sample.place}: {first} "{value}" is also that of {seen[value]}'
        seen.setdefault(value, sample.place)


def read_samples(name: str, text: str) -> list[Sample]:
    """Read a list of samples: CSV with names in the first line, or one JSON object a line.

    Args:
        name: the file's name, for messages; ``.jsonl``, ``.ndjson`` or a first character ``{`` means JSON.
        text: what it contains.

    Raises:
        UsageError: it cannot be read, or has no samples.
    """
    text = text.removeprefix("\ufeff")
    is_json = name.endswith((".jsonl", ".ndjson")) or text.lstrip().startswith("{")
    samples = list(_read_json(name, text) if is_json else _read_csv(name, text))
    if not samples:
        raise UsageError(
            f"{name} has no samples", hint="write the inputs' names in the first line, and a sample a line"
        )
    return samples


def _read_csv(name: str, text: str) -> Iterator[Sample]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header):
            raise UsageError(f"{name}:1: a column is named twice: {', '.join(header)}")
        for row in reader:
            if not any(row):
                continue
            place = f"{name}:{reader.line_num}"
            if len(row) != len(header):
                raise UsageError(f"{place}: {len(row)} values for {len(header)} columns")
            yield Sample(place, dict(zip(header, row, strict=True)))
    except csv.Error as error:
        raise UsageError(f"{name}:{reader.line_num}: {error}") from None


def _read_json(name: str, text: str) -> Iterator[Sample]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{name}:{number}: {error}") from None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise UsageError(f"{name}:{number}: should be an object of strings")
        yield Sample(f"{name}:{number}", values)


def write_samples(workflow: Workflow, samples: Iterable[Sample]) -> str:
    """Write samples as the CSV file that the state machine reads."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(workflow.input)
    writer.writerows([sample.values[name] for name in workflow.input] for sample in samples)
    return text.getvalue()
