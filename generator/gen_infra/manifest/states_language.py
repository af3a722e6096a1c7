"""Validate the definition of a state machine, with the codes and the words of AWS.

The codes and words of transitions were observed on AWS, see https://github.com/floci-io/floci/pull/2786 and
https://github.com/localstack/localstack/pull/12487. The fields are those of https://states-language.net.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

# Fields of every state, then of each type: in both query languages, only in JSONPath, only in JSONata.
_COMMON = frozenset({"Type", "Comment", "QueryLanguage"})
_JSONPATH_IO = frozenset({"InputPath", "OutputPath"})
_RESULT = frozenset({"Parameters", "ResultSelector", "ResultPath"})
_FLOW = frozenset({"Next", "End"})
_HANDLED = frozenset({"Retry", "Catch"})


class _Fields(NamedTuple):
    """The fields of a type of state beyond the common ones."""

    both: frozenset[str]
    jsonpath: frozenset[str] = frozenset()
    jsonata: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()


_STATES = {
    "Pass": _Fields(_FLOW | {"Assign"}, _JSONPATH_IO | {"Parameters", "ResultPath", "Result"}, frozenset({"Output"})),
    "Task": _Fields(
        _FLOW | _HANDLED | {"Assign", "Resource", "TimeoutSeconds", "HeartbeatSeconds", "Credentials"},
        _JSONPATH_IO | _RESULT | {"TimeoutSecondsPath", "HeartbeatSecondsPath"},
        frozenset({"Arguments", "Output"}),
        ("Resource",),
    ),
    "Choice": _Fields(frozenset({"Choices", "Default", "Assign"}), _JSONPATH_IO, frozenset({"Output"}), ("Choices",)),
    "Wait": _Fields(
        _FLOW | {"Seconds", "Timestamp", "Assign"},
        _JSONPATH_IO | {"SecondsPath", "TimestampPath"},
        frozenset({"Output"}),
    ),
    "Succeed": _Fields(frozenset(), _JSONPATH_IO, frozenset({"Output"})),
    "Fail": _Fields(frozenset({"Error", "Cause"}), frozenset({"ErrorPath", "CausePath"})),
    "Parallel": _Fields(
        _FLOW | _HANDLED | {"Branches", "Assign"},
        _JSONPATH_IO | _RESULT,
        frozenset({"Arguments", "Output"}),
        ("Branches",),
    ),
    "Map": _Fields(
        _FLOW
        | _HANDLED
        | {"ItemProcessor", "Iterator", "ItemReader", "ItemBatcher", "ItemSelector", "ResultWriter", "Label", "Assign"}
        | {"MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount"},
        _JSONPATH_IO
        | _RESULT
        | {"ItemsPath", "MaxConcurrencyPath", "ToleratedFailurePercentagePath", "ToleratedFailureCountPath"},
        frozenset({"Items", "Output"}),
    ),
}
_TOP = frozenset({"Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage"})
_PROCESSOR = frozenset({"Comment", "StartAt", "States", "ProcessorConfig", "QueryLanguage"})
_BRANCH = frozenset({"Comment", "StartAt", "States", "QueryLanguage"})
_TERMINAL = ("Succeed", "Fail")
_LONGEST_NAME = 80


class DefinitionError(NamedTuple):
    """An error in a definition; ``location`` is a path such as ``/States/isaac/Next``, or empty."""

    code: str
    message: str
    location: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" + (f" at {self.location}" if self.location else "")


def is_expression(value: object) -> bool:
    """Return whether a value of a definition is an expression."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


@cache
def syntax_error(value: str) -> str:
    """Return why an expression cannot be parsed; empty if it can, or is text."""
    if not is_expression(value):
        return ""
    import jsonata  # few manifests have a workflow

    try:
        jsonata.Jsonata(value.removeprefix("{%").removesuffix("%}"))
    except Exception as error:  # noqa: BLE001 - the library's parser raises several
        return str(error)
    return ""


def diagnostics(definition: str) -> list[DefinitionError]:
    """Return the errors of a definition."""
    try:
        found = json.loads(definition)
    except ValueError as error:
        return [DefinitionError("INVALID_JSON_DESCRIPTION", f"{error}")]
    if not isinstance(found, dict):
        return [_schema("The definition must be an object", "")]
    return list(_block(found, "", _TOP, "JSONPath"))


def _block(block: Mapping[str, Any], place: str, allowed: frozenset[str], language: str) -> Iterator[DefinitionError]:
    """Yield the errors of an object with ``StartAt`` and ``States``."""
    language = block.get("QueryLanguage", language)
    if language not in ("JSONPath", "JSONata"):
        yield _schema("The value should be one of JSONPath, JSONata", f"{place}/QueryLanguage")
        return
    yield from (_schema(f"Field '{name}' is not supported", place) for name in sorted(block.keys() - allowed))
    states = block.get("States")
    if not isinstance(states, dict) or not states:
        yield _schema("The field 'States' is required and must be an object with a state", f"{place}/States")
        return
    for name, state in states.items():
        where = f"{place}/States/{name}"
        if len(name) > _LONGEST_NAME:
            yield _schema(f"The name of a state has at most {_LONGEST_NAME} characters", where)
        if isinstance(state, dict):
            yield from _state(state, where, language)
        else:
            yield _schema("The value should be an object", where)
    if all(isinstance(state, dict) for state in states.values()):
        yield from _transitions(block.get("StartAt"), states, place)


def _state(state: Mapping[str, Any], place: str, language: str) -> Iterator[DefinitionError]:
    kind = state.get("Type")
    if kind not in _STATES:
        yield _schema(f"The value should be one of {', '.join(_STATES)}", f"{place}/Type")
        return
    fields = _STATES[kind]
    own = state.get("QueryLanguage", language)
    other = fields.jsonpath if own == "JSONata" else fields.jsonata
    allowed = _COMMON | fields.both | (fields.jsonata if own == "JSONata" else fields.jsonpath)
    for name in sorted(state.keys() - allowed):
        language_of = f" in the query language {own}" if name in other else ""
        yield _schema(f"Field '{name}' is not supported{language_of}", f"{place}/{name}")
    yield from (_schema(f"The field '{name}' is required", place) for name in fields.required if name not in state)
    if "Next" in fields.both and ("Next" in state) == (state.get("End") is True):
        yield _schema("The state must have either 'Next' or 'End'", place)
    if own == "JSONata":
        yield from _expressions(state, place)
    for index, branch in enumerate(state.get("Branches") or ()):
        yield from _block(branch, f"{place}/Branches[{index}]", _BRANCH, own)
    if kind == "Map":
        processor = state.get("ItemProcessor") or state.get("Iterator")
        if isinstance(processor, dict):
            yield from _block(processor, f"{place}/ItemProcessor", _PROCESSOR, own)
        else:
            yield _schema("The field 'ItemProcessor' is required", place)


def _expressions(value: Any, place: str) -> Iterator[DefinitionError]:
    """Yield the JSONata expressions that cannot be parsed, but for those of nested states."""
    if isinstance(value, str):
        if problem := syntax_error(value):
            yield _schema(f"The JSONata expression is invalid: {problem}", place)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if name not in ("Branches", "ItemProcessor", "Iterator"):
                yield from _expressions(each, f"{place}/{name}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _expressions(each, f"{place}[{index}]")


def _transitions(first: Any, states: Mapping[str, Mapping[str, Any]], place: str) -> Iterator[DefinitionError]:
    """Yield the transitions to states that do not exist, and the states that cannot be reached."""
    if first not in states:
        yield DefinitionError("MISSING_TRANSITION_TARGET", f"Missing 'StartAt' target: {first}", f"{place}/StartAt")
    reached = {first}
    for name, state in states.items():
        for target, field in _targets(state):
            reached.add(target)
            if target not in states:
                message = f"Missing 'Next' target: {target}"
                yield DefinitionError("MISSING_TRANSITION_TARGET", message, f"{place}/States/{name}/{field}")
    if not any(state.get("End") is True or state.get("Type") in _TERMINAL for state in states.values()):
        yield DefinitionError("MISSING_END_STATE", "Workflow has no terminal state")
        return
    for name in states.keys() - reached:
        message = f'State "{name}" is not reachable.'
        yield DefinitionError("MISSING_TRANSITION_TARGET", message, f"{place}/States/{name}")


def _targets(state: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """Yield the names of the states that may follow, with the field that names each."""
    for name in ("Next", "Default"):
        if name in state:
            yield state[name], name
    for several in ("Choices", "Catch"):
        for index, each in enumerate(state.get(several) or ()):
            if "Next" in each:
                yield each["Next"], f"{several}[{index}]/Next"


def _schema(message: str, place: str) -> DefinitionError:
    return DefinitionError("SCHEMA_VALIDATION_FAILED", message, place or "/")
