"""Validate the definition of a state machine, with the codes and the words of AWS.

The codes are documented, with the words of those that stand for one thing:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html
The words of transitions were observed on AWS, see https://github.com/floci-io/floci/pull/2786 and
https://github.com/localstack/localstack/pull/12487. The fields are those of https://states-language.net.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from gen_infra.manifest.definition_errors import ERROR, DefinitionError, schema_error, syntax_error
from gen_infra.manifest.state_fields import value_errors, warnings_of

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


@lru_cache(maxsize=64)
def diagnostics(definition: str) -> tuple[DefinitionError, ...]:
    """Return the errors and the warnings of a definition, the errors first."""
    try:
        found = json.loads(definition)
        if found is None:
            return (DefinitionError("MISSING_DESCRIPTION", "Received a null or empty workflow input."),)
        if not isinstance(found, dict):
            return (schema_error("The definition must be an object", ""),)
        every = [*_block(found, "", _TOP, "JSONPath")]
        every += _repeated(_names(found), "DUPLICATE_STATE_NAME", "The same state name appears more than once.")
        every += _repeated(_labels(found), "DUPLICATE_LABEL_NAME", "A label name appears more than once.")
    except ValueError as error:
        return (DefinitionError("INVALID_JSON_DESCRIPTION", f"{error}"),)
    except RecursionError:
        return (DefinitionError("TOO_DEEPLY_NESTED", "The states are too deeply nested."),)
    return tuple(sorted(every, key=lambda each: each.severity != ERROR))


def errors(definition: str) -> list[DefinitionError]:
    """Return what AWS refuses a definition for."""
    return [each for each in diagnostics(definition) if each.severity == ERROR]


def _repeated(found: Iterator[tuple[str, str]], code: str, message: str) -> Iterator[DefinitionError]:
    """Yield an error for each name that another place has before."""
    seen: set[str] = set()
    for name, place in found:
        if name in seen:
            yield DefinitionError(code, message, place)
        seen.add(name)


def _names(block: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name of every state with its place: names are unique in the whole definition."""
    for name, state in _states(block):
        where = f"{place}/States/{name}"
        yield name, where
        for inner, inner_place in _inner_blocks(state, where):
            yield from _names(inner, inner_place)


def _labels(block: Any, place: str = "") -> Iterator[tuple[str, str]]:
    for name, state in _states(block):
        where = f"{place}/States/{name}"
        if isinstance(state, dict) and isinstance(state.get("Label"), str):
            yield state["Label"], f"{where}/Label"
        for inner, inner_place in _inner_blocks(state, where):
            yield from _labels(inner, inner_place)


def _states(block: Any) -> Iterator[tuple[str, Any]]:
    states = block.get("States") if isinstance(block, dict) else None
    yield from states.items() if isinstance(states, dict) else ()


def _inner_blocks(state: Any, place: str) -> Iterator[tuple[Any, str]]:
    """Yield the branches of a Parallel state and the processor of a Map state, with their places."""
    if not isinstance(state, dict):
        return
    branches = state.get("Branches")
    for index, branch in enumerate(branches if isinstance(branches, list) else ()):
        yield branch, f"{place}/Branches[{index}]"
    if processor := state.get("ItemProcessor") or state.get("Iterator"):
        yield processor, f"{place}/ItemProcessor"


def _block(block: Mapping[str, Any], place: str, allowed: frozenset[str], language: str) -> Iterator[DefinitionError]:
    """Yield the errors of an object with ``StartAt`` and ``States``."""
    language = block.get("QueryLanguage", language)
    if language not in ("JSONPath", "JSONata"):
        yield schema_error("The value should be one of JSONPath, JSONata", f"{place}/QueryLanguage")
        return
    yield from (schema_error(f"Field '{name}' is not supported", place) for name in sorted(block.keys() - allowed))
    states = block.get("States")
    if not isinstance(states, dict) or not states:
        yield schema_error("The field 'States' is required and must be an object with a state", f"{place}/States")
        return
    for name, state in states.items():
        where = f"{place}/States/{name}"
        if not 1 <= len(name) <= _LONGEST_NAME:
            message = "The state name does not follow the naming convention."
            yield DefinitionError("INVALID_STATE_NAME", message, where)
        if isinstance(state, dict):
            yield from _state(state, where, language)
        else:
            yield schema_error("The value should be an object", where)
    if all(isinstance(state, dict) for state in states.values()):
        yield from _transitions(block.get("StartAt"), states, place)


def _state(state: Mapping[str, Any], place: str, language: str) -> Iterator[DefinitionError]:
    kind = state.get("Type")
    if kind not in _STATES:
        yield schema_error(f"The value should be one of {', '.join(_STATES)}", f"{place}/Type")
        return
    fields = _STATES[kind]
    own = state.get("QueryLanguage", language)
    other = fields.jsonpath if own == "JSONata" else fields.jsonata
    allowed = _COMMON | fields.both | (fields.jsonata if own == "JSONata" else fields.jsonpath)
    for name in sorted(state.keys() - allowed):
        language_of = f" in the query language {own}" if name in other else ""
        yield schema_error(f"Field '{name}' is not supported{language_of}", f"{place}/{name}")
    yield from (schema_error(f"The field '{name}' is required", place) for name in fields.required if name not in state)
    if "Next" in fields.both and ("Next" in state) == (state.get("End") is True):
        yield schema_error("The state must have either 'Next' or 'End'", place)
    yield from value_errors(state, place, is_jsonata=own == "JSONata")
    yield from _expressions(state, place) if own == "JSONata" else warnings_of(state, place)
    for inner, where in _inner_blocks(state, place):
        if isinstance(inner, dict):
            yield from _block(inner, where, _PROCESSOR if kind == "Map" else _BRANCH, own)
    if kind == "Map" and not isinstance(state.get("ItemProcessor") or state.get("Iterator"), dict):
        yield schema_error("The field 'ItemProcessor' is required", place)


def _expressions(value: Any, place: str) -> Iterator[DefinitionError]:
    """Yield the JSONata expressions that cannot be parsed, but for those of nested states."""
    if isinstance(value, str):
        if problem := syntax_error(value):
            yield schema_error(f"The JSONata expression is invalid: {problem}", place)
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
        rules = state.get(several)
        for index, each in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(each, dict) and "Next" in each:
                yield each["Next"], f"{several}[{index}]/Next"
