"""Validate the values of a state's fields: https://states-language.net and the pages that are named here.

Which fields a state may have is in `states_language`; an expression is accepted wherever JSONata may give the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.manifest.definition_errors import WARNING, DefinitionError, is_expression, schema_error

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_SECONDS = 99_999_999
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error
_LONGEST_DELAY = 31_622_399
# https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html (Label)
_LABEL = re.compile(r"[^\s?*<>{}\[\]:;,\\|^~$#%&`\"\x00-\x1f\x7f-\x9f]{1,40}")
_RESOURCE = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+", re.DOTALL)


class _Number(NamedTuple):
    least: float
    most: float
    is_whole: bool = True

    def problem(self, value: Any) -> str:
        kinds = (int,) if self.is_whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return f"The value should be {'an integer' if self.is_whole else 'a number'}"
        if not self.least <= value <= self.most:
            return f"The value should be between {self.least} and {self.most}"
        return ""


_NUMBERS = {
    "TimeoutSeconds": _Number(1, _LONGEST_SECONDS),
    "HeartbeatSeconds": _Number(1, _LONGEST_SECONDS),
    "Seconds": _Number(0, _LONGEST_SECONDS),
    "MaxConcurrency": _Number(0, 2**31 - 1),
    "ToleratedFailureCount": _Number(0, 2**31 - 1),
    "ToleratedFailurePercentage": _Number(0, 100, is_whole=False),
}
_RETRY_NUMBERS = {
    "IntervalSeconds": _Number(1, _LONGEST_SECONDS),
    "MaxAttempts": _Number(0, _LONGEST_SECONDS),
    "MaxDelaySeconds": _Number(1, _LONGEST_DELAY),
    "BackoffRate": _Number(1, float("inf"), is_whole=False),
}
_RULES = {
    "Retry": frozenset({"ErrorEquals", "JitterStrategy", "Comment", *_RETRY_NUMBERS}),
    "Catch": frozenset({"ErrorEquals", "Next", "Assign", "Output", "ResultPath", "Comment"}),
}
_WAITS = ("Seconds", "Timestamp", "SecondsPath", "TimestampPath")
_NOT_BOTH = (
    *(("Error", "ErrorPath"), ("Cause", "CausePath"), ("TimeoutSeconds", "TimeoutSecondsPath")),
    *(("HeartbeatSeconds", "HeartbeatSecondsPath"), ("MaxConcurrency", "MaxConcurrencyPath")),
    *(("ItemProcessor", "Iterator"), ("ItemSelector", "Parameters")),
)


def value_errors(state: Mapping[str, Any], place: str, *, is_jsonata: bool) -> Iterator[DefinitionError]:
    """Yield what is wrong with the values of a state's fields, but for those of nested states."""
    for name in _NUMBERS.keys() & state.keys():
        is_given = not (is_jsonata and is_expression(state[name]))
        if is_given and (problem := _NUMBERS[name].problem(state[name])):
            yield schema_error(problem, f"{place}/{name}")
    yield from _combinations(state, place)
    if not is_jsonata:
        yield from _paths(state, place)
    for field, fields in _RULES.items():
        yield from _rules(state.get(field), f"{place}/{field}", fields)
    if state["Type"] == "Choice":
        required = ("Condition", "Next") if is_jsonata else ("Next",)
        yield from _choices(state.get("Choices"), f"{place}/Choices", required)
    elif check := _CHECKS.get(state["Type"]):
        yield from check(state, place)


def _combinations(state: Mapping[str, Any], place: str) -> Iterator[DefinitionError]:
    """Yield fields that exclude each other, or of which one is missing."""
    timeout, heartbeat = (state.get(name) for name in ("TimeoutSeconds", "HeartbeatSeconds"))
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
        yield schema_error("The value should be less than TimeoutSeconds", f"{place}/HeartbeatSeconds")
    if state["Type"] == "Wait" and sum(name in state for name in _WAITS) != 1:
        yield schema_error(f"The state must have exactly one of {', '.join(_WAITS)}", place)
    for pair in _NOT_BOTH:
        if state.keys() >= set(pair):
            yield schema_error(f"The state may have only one of {' and '.join(pair)}", place)


def _paths(state: Mapping[str, Any], place: str) -> Iterator[DefinitionError]:
    for name in ("InputPath", "OutputPath", "ResultPath"):
        value = state.get(name)
        if value is not None and not (isinstance(value, str) and value.startswith("$")):
            yield schema_error("The value should be a path that begins with '$', or null", f"{place}/{name}")


def _rules(rules: Any, place: str, fields: frozenset[str]) -> Iterator[DefinitionError]:
    """Yield what is wrong with a state's Retry or Catch."""
    if rules is None:
        return
    if not isinstance(rules, list):
        yield schema_error("The value should be an array", place)
        return
    for index, rule in enumerate(rules):
        where = f"{place}[{index}]"
        if not isinstance(rule, dict):
            yield schema_error("The value should be an object", where)
            continue
        yield from (schema_error(f"Field '{name}' is not supported", where) for name in sorted(rule.keys() - fields))
        yield from _error_names(rule.get("ErrorEquals"), f"{where}/ErrorEquals", is_last=index == len(rules) - 1)
        if "Next" in fields and not isinstance(rule.get("Next"), str):
            yield schema_error("The field 'Next' is required", where)
        for name, number in _RETRY_NUMBERS.items():
            if name in rule and (problem := number.problem(rule[name])):
                yield schema_error(problem, f"{where}/{name}")
        if rule.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
            yield schema_error("The value should be one of FULL, NONE", f"{where}/JitterStrategy")


def _error_names(names: Any, place: str, *, is_last: bool) -> Iterator[DefinitionError]:
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        yield schema_error("The value should be a non-empty array of error names", place)
    elif "States.ALL" in names and (len(names) > 1 or not is_last):
        yield schema_error("States.ALL must appear alone, and in the last rule", place)


def _task(state: Mapping[str, Any], place: str) -> Iterator[DefinitionError]:
    resource = state.get("Resource")
    if resource is not None and not (isinstance(resource, str) and _RESOURCE.fullmatch(resource)):
        yield DefinitionError(
            "INVALID_RESOURCE", "The value of a Task-state resource field is invalid.", f"{place}/Resource"
        )


def _choices(choices: Any, place: str, required: tuple[str, ...]) -> Iterator[DefinitionError]:
    if not isinstance(choices, list) or not choices:
        yield schema_error("The value should be a non-empty array", place)
        return
    for index, choice in enumerate(choices):
        if not isinstance(choice, dict):
            yield schema_error("The value should be an object", f"{place}[{index}]")
            continue
        for name in required:
            if name not in choice:
                yield schema_error(f"The field '{name}' is required", f"{place}[{index}]")


def _parallel(state: Mapping[str, Any], place: str) -> Iterator[DefinitionError]:
    branches = state.get("Branches")
    if not isinstance(branches, list) or not all(isinstance(branch, dict) for branch in branches):
        yield schema_error("The value should be an array of objects", f"{place}/Branches")


def _map(state: Mapping[str, Any], place: str) -> Iterator[DefinitionError]:
    processor = state.get("ItemProcessor")
    config = processor.get("ProcessorConfig", {}) if isinstance(processor, dict) else {}
    where = f"{place}/ItemProcessor/ProcessorConfig"
    if not isinstance(config, dict):
        yield schema_error("The value should be an object", where)
        return
    if config.get("Mode", "INLINE") not in ("INLINE", "DISTRIBUTED"):
        yield schema_error("The value should be one of INLINE, DISTRIBUTED", f"{where}/Mode")
    if config.get("Mode") == "DISTRIBUTED" and config.get("ExecutionType") not in ("STANDARD", "EXPRESS"):
        yield schema_error("The value should be one of STANDARD, EXPRESS", f"{where}/ExecutionType")
    label = state.get("Label")
    if label is not None and not (isinstance(label, str) and _LABEL.fullmatch(label)):
        yield DefinitionError("INVALID_LABEL_NAME", "You have provided an invalid label name.", f"{place}/Label")


_CHECKS: dict[str, Callable[[Mapping[str, Any], str], Iterator[DefinitionError]]] = {
    "Task": _task,
    "Parallel": _parallel,
    "Map": _map,
}


def warnings_of(state: Mapping[str, Any], place: str) -> Iterator[DefinitionError]:
    """Yield what a state in JSONPath probably does not mean: paths where Step Functions takes a text."""
    for name in ("Parameters", "ResultSelector", "ItemSelector"):
        yield from _texts_like_paths(state.get(name), f"{place}/{name}", "NO_DOLLAR")
    for name in ("Seconds", "Timestamp", "TimeoutSeconds", "HeartbeatSeconds", "MaxConcurrency", "Error", "Cause"):
        yield from _texts_like_paths(state.get(name), f"{place}/{name}", "NO_PATH")
    if state["Type"] == "Pass":
        yield from _texts_like_paths(state.get("Result"), f"{place}/Result", "PASS_RESULT_IS_STATIC")


_MEANINGS = {
    "NO_DOLLAR": "No .$ on a field that appears to be a JSONPath or Intrinsic Function.",
    "NO_PATH": "Field value looks like a path, but field name does not end with 'Path'.",
    "PASS_RESULT_IS_STATIC": "Attempt to use a path in the result of a pass state.",
}
_LIKE_A_PATH = re.compile(r"\$(\$?[.\[].*)?|States\.\w+\(.*\)", re.DOTALL)


def _texts_like_paths(value: Any, place: str, code: str) -> Iterator[DefinitionError]:
    if isinstance(value, str) and _LIKE_A_PATH.fullmatch(value):
        yield DefinitionError(code, _MEANINGS[code], place, WARNING)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name.endswith(".$") and code == "PASS_RESULT_IS_STATIC":
                yield DefinitionError(code, _MEANINGS[code], f"{place}/{name}", WARNING)
            elif not name.endswith(".$"):
                yield from _texts_like_paths(each, f"{place}/{name}", code)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts_like_paths(each, f"{place}[{index}]", code)
