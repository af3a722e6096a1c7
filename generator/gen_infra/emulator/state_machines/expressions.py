"""Evaluate the JSONata expressions of a state: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html.

The library is imported when the first expression is read, because few accounts have state machines.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.state_machines.errors import StateError
from gen_infra.manifest.definition_errors import is_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def evaluate(value: Any, variables: Mapping[str, Any], states: Mapping[str, Any], place: str) -> Any:
    """Evaluate all expressions in a value of a state.

    Args:
        value: of the definition.
        variables: of the execution.
        states: what ``$states`` refers to.
        place: the field, which errors name.

    Raises:
        StateError: an expression fails, or has no result.
    """
    if isinstance(value, dict):
        return {name: evaluate(each, variables, states, f"{place}/{name}") for name, each in value.items()}
    if isinstance(value, list):
        return [evaluate(each, variables, states, f"{place}[{index}]") for index, each in enumerate(value)]
    return _result(value, {**variables, "states": states}, place) if is_expression(value) else value


def _result(text: str, bindings: Mapping[str, Any], place: str) -> Any:
    from jsonata.utils import Utils

    try:
        expression = _parsed(text)
        expression.set_output_convert_nulls(False)
        found = expression.evaluate(None, {name: _with_nulls(each) for name, each in bindings.items()})
    except Exception as error:
        raise _failed(text, place, str(error)) from error
    if found is None:
        raise _failed(text, place, "returned nothing (undefined)")
    try:
        return json.loads(json.dumps(Utils.convert_nulls(found)))
    except (TypeError, ValueError) as error:
        raise _failed(text, place, "returned a value that is not JSON") from error


def _failed(text: str, place: str, why: str) -> StateError:
    expression = text.removeprefix("{%").removesuffix("%}").strip()
    cause = f"The JSONata expression '{expression}' specified for the field '{place}' failed: {why}"
    return StateError("States.QueryEvaluationError", cause, place=place)


def _with_nulls(value: Any) -> Any:
    """Replace None, which is undefined to the library, by its null."""
    from jsonata.utils import Utils

    if isinstance(value, dict):
        return {name: _with_nulls(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_nulls(each) for each in value]
    return Utils.NULL_VALUE if value is None else value


@lru_cache(maxsize=1000)
def _parsed(text: str) -> Any:
    """Parse an expression, with the functions that Step Functions adds to JSONata's."""
    import jsonata

    expression = jsonata.Jsonata(text.removeprefix("{%").removesuffix("%}"))
    expression.register_lambda("parse", json.loads)
    expression.register_lambda("uuid", lambda: str(uuid.uuid4()))
    expression.register_lambda("hash", lambda data, kind: hashlib.new(_HASHES[kind], str(data).encode()).hexdigest())
    expression.register_lambda("range", lambda first, last, step: list(range(first, last + (step > 0 or -1), step)))
    expression.register_lambda(
        "partition", lambda items, size: [items[at : at + size] for at in range(0, len(items), size)]
    )
    expression.register_lambda("random", lambda *seed: random.Random(*seed).random())  # noqa: S311 - as AWS's
    return expression
