"""Check parameters against the input shapes of botocore's models: required members, types, enums, sizes and patterns.

The shapes of an operation are compiled once, to closures.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.emulator.operations import models

if TYPE_CHECKING:
    from gen_infra.emulator.operations import Operation

InputShape = Mapping[str, Any]
# Java's classes of characters in AWS's patterns, within brackets; Python's re has none of them.
_CLASSES = {r"\p{L}": r"\w", r"\p{M}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{Print}": r" -~"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}
_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "boolean": lambda text: {"true": True, "false": False}.get(text, text),
}
_ANY_CASE = {"RetryAction"}  # enums that AWS compares without regard to case


class Violation(NamedTuple):
    """A member that breaks a constraint.

    Args:
        path: AWS's path of the member, such as ``tags.1.member.key``.
        value: the value as it was sent; None if a required member is missing.
        constraint: AWS's words for it, such as ``Member must not be null``.
        kind: ``missing``, ``type``, ``enum``, ``size`` or ``pattern``.
    """

    path: str
    value: Any
    constraint: str
    kind: str


ShapeCheck = Callable[[Any, str], Iterator[Violation]]


def violations(operation: Operation, parameters: Mapping[str, Any]) -> list[Violation]:
    """Return all violations of an operation's input shape; none for an operation that the model does not have."""
    by_name = operation.protocol not in ("json", "rest-json")
    check = _model(operation.service).operation(operation.action, by_name=by_name)
    return list(check(parameters, "")) if check else []


class _Model:
    """The input shapes of a service, compiled when they are needed."""

    def __init__(self, service: str) -> None:
        model = models().load_service_model(service, "service-2")
        self._operations: Mapping[str, InputShape] = model["operations"]
        self._shapes: Mapping[str, InputShape] = model["shapes"]
        self._checks: dict[tuple[str, bool], ShapeCheck] = {}

    def operation(self, action: str, *, by_name: bool) -> ShapeCheck | None:
        """Return the check of an operation's input.

        Args:
            action: AWS's name of the operation.
            by_name: whether members have their names, or else their names in the protocol.
        """
        shape = self._operations.get(action, {}).get("input")
        return self._check(shape["shape"], by_name) if shape else None

    def _check(self, name: str, by_name: bool) -> ShapeCheck:
        key = name, by_name

        def later(value: Any, path: str) -> Iterator[Violation]:
            return self._checks[key](value, path)

        if key not in self._checks:
            self._checks[key] = later  # shapes may contain themselves
            self._checks[key] = self._compiled(name, self._shapes[name], by_name=by_name)
        return self._checks[key]

    def _compiled(self, name: str, shape: InputShape, *, by_name: bool) -> ShapeCheck:
        kind, types = shape["type"], _TYPES.get(shape["type"])
        if types is None or shape.get("document"):
            return _anything
        if kind == "structure":
            inner = self._structure(shape, by_name=by_name)
        elif kind == "list":
            inner = _list(shape, self._check(shape["member"]["shape"], by_name))
        elif kind == "map":
            keys, values = (self._check(shape[part]["shape"], by_name) for part in ("key", "value"))
            inner = _map(shape, keys, values)
        else:
            inner = _scalar(shape, any_case=name in _ANY_CASE)

        def check(value: Any, path: str) -> Iterator[Violation]:
            if not isinstance(value, types) or (isinstance(value, bool) and kind != "boolean"):
                yield Violation(path, value, f"Member must be a {kind}", "type")
                return
            yield from inner(value, path)

        return check

    def _structure(self, shape: InputShape, *, by_name: bool) -> ShapeCheck:
        members: list[tuple[str, str, ShapeCheck]] = []
        required: list[tuple[str, str]] = []
        for name, member in shape["members"].items():
            if _is_elsewhere(name, member, shape.get("payload"), by_name=by_name):
                continue
            sent = name if by_name else member.get("locationName", name)
            check = self._check(member["shape"], by_name)
            if member.get("location") in ("uri", "querystring"):
                check = _from_text(check, self._shapes[member["shape"]]["type"])
            members.append((sent, _path_name(name), check))
            if name in shape.get("required", ()):
                required.append((sent, _path_name(name)))

        def check_members(value: Any, path: str) -> Iterator[Violation]:
            for sent, shown in required:
                if value.get(sent) is None:
                    yield Violation(_joined(path, shown), None, "Member must not be null", "missing")
            for sent, shown, check in members:
                if (member := value.get(sent)) is not None:
                    yield from check(member, _joined(path, shown))

        return check_members


@functools.cache
def _model(service: str) -> _Model:
    return _Model(service)


def _is_elsewhere(name: str, member: InputShape, payload: str | None, *, by_name: bool) -> bool:
    """Return whether a member is in a header, or in a body that is not read."""
    location = member.get("location")
    if location in ("header", "headers"):
        return True
    return payload is not None and not location and (name != payload or not by_name)


def _anything(_value: Any, _path: str) -> Iterator[Violation]:
    return iter(())


def _list(shape: InputShape, member: ShapeCheck) -> ShapeCheck:
    def check(value: Any, path: str) -> Iterator[Violation]:
        yield from _size(shape, len(value), value, path, "length")
        for index, each in enumerate(value, 1):
            if each is not None:
                yield from member(each, f"{path}.{index}.member")

    return check


def _map(shape: InputShape, keys: ShapeCheck, values: ShapeCheck) -> ShapeCheck:
    def check(value: Any, path: str) -> Iterator[Violation]:
        # Batch's model asks for one tag at least, but clients send `tags: {}` for none, and Batch takes it: Snakemake's
        # plugin (0.2.1) does so in RegisterJobDefinition, and miniwdl-aws (0.12) in SubmitJob.
        if value:
            yield from _size(shape, len(value), value, path, "length")
        for key, each in value.items():
            yield from keys(key, f"{path}.{key}.key")
            if each is not None:
                yield from values(each, f"{path}.{key}.member")

    return check


def _scalar(shape: InputShape, *, any_case: bool) -> ShapeCheck:
    allowed = shape.get("enum")
    known = {each.upper() for each in allowed or ()} if any_case else frozenset(allowed or ())
    pattern = _pattern(shape.get("pattern", ""))
    is_text = shape["type"] == "string"

    def check(value: Any, path: str) -> Iterator[Violation]:
        if allowed and (value.upper() if any_case else value) not in known:
            yield Violation(path, value, f"Member must satisfy enum value set: [{', '.join(allowed)}]", "enum")
        yield from _size(shape, len(value) if is_text else value, value, path, "length" if is_text else "value")
        if pattern and not pattern.fullmatch(value):
            constraint = f"Member must satisfy regular expression pattern: {shape['pattern']}"
            yield Violation(path, value, constraint, "pattern")

    return check


def _from_text(check: ShapeCheck, kind: str) -> ShapeCheck:
    """Convert a value of the path or the query, which is text, to its type first."""
    convert = _CONVERTERS.get(kind)

    def converted(value: Any, path: str) -> Iterator[Violation]:
        if convert is None and kind != "string":
            return
        try:
            value = convert(value) if convert and isinstance(value, str) else value
        except ValueError:
            yield Violation(path, value, f"Member must be a {kind}", "type")
            return
        yield from check(value, path)

    return converted


def _size(shape: InputShape, size: float, value: Any, path: str, noun: str) -> Iterator[Violation]:
    verb = "have length" if noun == "length" else "have value"
    if size < shape.get("min", float("-inf")):
        yield Violation(path, value, f"Member must {verb} greater than or equal to {shape['min']}", "size")
    elif size > shape.get("max", float("inf")):
        yield Violation(path, value, f"Member must {verb} less than or equal to {shape['max']}", "size")


def _pattern(text: str) -> re.Pattern[str] | None:
    """Translate AWS's pattern; None if Python cannot express it."""
    flags = re.DOTALL if r"\p{" in text else re.DOTALL | re.ASCII
    for theirs, ours in _CLASSES.items():
        text = text.replace(theirs, ours)
    try:
        return re.compile(text, flags) if text else None
    except re.error:
        return None


def _path_name(name: str) -> str:
    return name[:1].lower() + name[1:]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
