"""Find the job definitions in a text: JSON, YAML, a CloudFormation template, or a shell script that registers them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from gen_infra.errors import UsageError
from gen_infra.manifest.importing import cloudformation, shell

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 60
_MOST_VALUES = 500_000
_YAML_TEMPLATE = re.compile(r"^(?:AWSTemplateFormatVersion|Resources)\s*:", re.MULTILINE)
# Any of these makes a mapping a job definition.
_MARKS = {"jobDefinitionName", "containerProperties", "nodeProperties", "ecsProperties", "eksProperties"}
_AUTHORS_OWN = ("parameters", "tags", "options")  # maps whose keys are the author's own names


@dataclass(frozen=True)
class Definition:
    """One job definition as a text has it."""

    name: str
    properties: dict[str, Any]
    """In the API's spelling, without the name."""
    problem: str = ""
    """Why the definition is unusable, if it is."""
    notes: tuple[str, ...] = ()


def read_definitions(text: str) -> list[Definition]:
    """Return every job definition in a text, in its order; one without a name gets ``job`` and its number.

    Raises:
        UsageError: the text is not JSON, YAML or a shell script, or is nested too deeply.
    """
    found: list[Definition] = []
    for name, given, problem, notes in _found(text.lstrip("\ufeff")):
        properties = {key: value for key, value in given.items() if key != "jobDefinitionName"}
        shown = name if isinstance(name, str) else json.dumps(name)
        wrong = "" if name == shown else f"its jobDefinitionName is {shown}, which is not text"
        found.append(Definition(shown or f"job{len(found) + 1}", properties, problem or wrong, tuple(notes)))
    return found


def _found(text: str) -> Iterator[tuple[Any, dict[str, Any], str, list[str]]]:
    """Yield name, properties, problem and notes of each definition."""
    if (
        not text.lstrip().startswith(("{", "["))
        and "register-job-definition" in text
        and not _YAML_TEMPLATE.search(text)
    ):
        try:
            for arguments, problem in shell.definitions(text):
                definition = _camel(_checked(arguments))
                yield definition.get("jobDefinitionName") or "", definition, problem, []
        except (ValueError, RecursionError):
            raise UsageError("the shell script is invalid: a quote or a parenthesis is not closed") from None
        return
    for document in map(_checked, _documents(text)):
        if cloudformation.is_template(document):
            for name, properties, notes in cloudformation.definitions(document):
                yield name, _camel(properties), "", notes
        else:
            for definition in _definitions(_camel(document)):
                yield definition.get("jobDefinitionName") or "", definition, "", []


def _documents(text: str) -> list[Any]:
    """Return the documents of a text: one after another in JSON, or YAML."""
    text = text.strip()
    try:
        return _json(text) if text.startswith(("{", "[")) else cloudformation.documents(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"the file is not JSON: line {error.lineno}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f": line {mark.line + 1}" if mark else ""
        raise UsageError(f"the file is neither JSON nor YAML{where}") from None
    except RecursionError:
        raise UsageError("the file is nested too deeply") from None


def _json(text: str) -> list[Any]:
    documents, at, decoder = [], 0, json.JSONDecoder()
    while at < len(text):
        document, end = decoder.raw_decode(text, at)
        documents.append(document)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return documents


def _checked(document: Any) -> Any:
    """Return the document, if it is no deeper and no larger than a file of job definitions can be."""
    level, values = [document], 0
    for _ in range(_DEEPEST):
        values += len(level)
        if not level or values > _MOST_VALUES:
            break
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        ]
    if level:
        raise UsageError(
            f"the file is nested deeper than {_DEEPEST} levels, or holds more than {_MOST_VALUES:,} values"
        )
    return document


def _camel(value: Any) -> Any:
    """Turn CloudFormation's ``JobDefinitionName`` into ``jobDefinitionName``, except in names that the author chose."""
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    lowered = {str(key)[:1].lower() + str(key)[1:]: item for key, item in value.items()}
    return {key: item if key in _AUTHORS_OWN else _camel(item) for key, item in lowered.items()}


def _definitions(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every job definition in a document, however it is wrapped."""
    if isinstance(document, list):
        for item in document:
            yield from _definitions(item)
    elif isinstance(document, dict):
        if document.keys() & _MARKS:
            yield document
        elif "nodeRangeProperties" in document:
            yield {"nodeProperties": document}
        elif "taskProperties" in document:
            yield {"ecsProperties": document}
        elif "podProperties" in document:
            yield {"eksProperties": document}
        elif "image" in document:
            yield {"containerProperties": document}
        else:
            for item in document.values():
                yield from _definitions(item)
