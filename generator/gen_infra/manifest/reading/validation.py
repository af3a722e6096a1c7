"""Convert YAML nodes to the typed model, or list every problem.

msgspec converts and checks in C but stops at the first error. After an error, the slower functions here check every
value against the model's types and return a message with the position for each problem.
"""

from __future__ import annotations

import types
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from gen_infra.manifest.model.base import Model, dotted
from gen_infra.manifest.reading.nodes import Map, Node, Problem, Refused, Scalar, Sequence, locate, plain
from gen_infra.manifest.reading.reader import MAX_PROBLEMS
from gen_infra.manifest.reading.text import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.rules.rule import ManifestFinding


_Document = TypeVar("_Document", bound=Model)


def validate(root: Map, struct: type[_Document]) -> _Document | list[Problem]:
    """Convert these nodes to a document of this type, or return every problem in file order."""
    try:
        return msgspec.convert(plain(root), struct)
    except msgspec.ValidationError as error:
        return problems_with_values(root, struct) or place(root, [((), str(error))])


def problems_with_values(root: Map, struct: type[Model]) -> list[Problem]:
    """Return the problems of the values that the reader has not refused."""
    return place(root, islice(_struct(root, struct, ()), MAX_PROBLEMS))


def place(root: Map, findings: Iterable[ManifestFinding]) -> list[Problem]:
    """Add the file, line and column to each finding, and sort them in file order."""
    problems = []
    for path, message in findings:
        source, (line, column) = locate(root, path)
        problems.append(Problem(source.name, line + 1, column + 1, dotted(path), message, source))
    return sorted(problems)


def _struct(node: Node, struct: type[Model], path: KeyPath) -> Iterable[ManifestFinding]:
    if not isinstance(node, Map):
        yield path, f"should be a mapping of {_list(struct.__struct_fields__)}, not {_kind(node)}"
        return
    hints = _hints(struct)
    for key, entry in node.entries.items():
        if key in hints:
            yield from _value(entry.node, hints[key], (*path, key))
        else:
            yield (*path, key), _unknown("key", key, struct.__struct_fields__)
    for key in struct.missing_keys(_filled(node)):
        yield path, f'the key "{key}" is missing'


def _filled(node: Map) -> dict[str, bool]:
    """Return the keys of a mapping, each with whether its value has any content."""
    return {key: not isinstance(entry.node, Map) or bool(entry.node.entries) for key, entry in node.entries.items()}


@cache
def _hints(struct: type[Model]) -> dict[str, Any]:
    return get_type_hints(struct, include_extras=True)


def _value(node: Node, kind: Any, path: KeyPath) -> Iterable[ManifestFinding]:
    """Yield the problems of a node that should be of this type."""
    bare, metas = _unwrap(kind)
    origin = get_origin(bare)
    if isinstance(node, Refused):
        return
    if isinstance(node, Scalar) and node.value is None:
        yield path, "has no value; write one or remove the key"
    elif bare is Any:
        return  # a rule checks it
    elif isinstance(bare, type) and issubclass(bare, Model):
        yield from _struct(node, bare, path)
    elif origin in {Union, types.UnionType}:
        yield from _union(node, get_args(bare), path)
    elif origin is dict:
        yield from _mapping(node, get_args(bare), metas, path)
    elif origin is tuple:
        yield from _sequence(node, get_args(bare)[0], metas, path)
    else:
        yield from _scalar(node, bare, metas, path)


def _union(node: Node, options: tuple[Any, ...], path: KeyPath) -> Iterable[ManifestFinding]:
    """Yield the problems for the option of a union (a word, a list, a structure) that the author most likely meant."""
    candidates = [option for option in options if option is not type(None)]
    structs = [option for option in candidates if _is_struct(option)]
    plain_types = [option for option in candidates if not _is_struct(option)]
    if structs and isinstance(node, Map):
        yield from _value(node, structs[0], path)
        return
    lists = [option for option in plain_types if get_origin(_unwrap(option)[0]) is tuple]
    if lists and isinstance(node, Sequence):
        yield from _value(node, lists[0], path)
        return
    failures = [list(_value(node, option, path)) for option in plain_types]
    if len(candidates) == len(plain_types) == 1:
        yield from failures[0]
    elif failures and all(failures):
        yield path, f"{_show(node)} is not {' or '.join(_allowed(option) for option in candidates)}"
    elif not failures:
        yield from _value(node, structs[0], path)


def _mapping(
    node: Node, arguments: tuple[Any, ...], metas: list[msgspec.Meta], path: KeyPath
) -> Iterable[ManifestFinding]:
    if not isinstance(node, Map):
        yield path, f"should be a mapping of names to values, not {_kind(node)}"
        return
    yield from _length(len(node.entries), metas, path)
    key_type, value_type = arguments
    key_bare, key_metas = _unwrap(key_type)
    for key, entry in node.entries.items():
        yield from _scalar(Scalar(key, entry.source, entry.mark), key_bare, key_metas, (*path, key))
        yield from _value(entry.node, value_type, (*path, key))


def _sequence(node: Node, item_type: Any, metas: list[msgspec.Meta], path: KeyPath) -> Iterable[ManifestFinding]:
    if not isinstance(node, Sequence):
        yield path, f"should be a list, not {_kind(node)}"
        return
    yield from _length(len(node.items), metas, path)
    for index, item in enumerate(node.items):
        yield from _value(item, item_type, (*path, index))


def _length(length: int, metas: list[msgspec.Meta], path: KeyPath) -> Iterable[ManifestFinding]:
    low = max((meta.min_length or 0 for meta in metas), default=0)
    high = min((meta.max_length for meta in metas if meta.max_length is not None), default=None)
    if length < low:
        yield path, f"needs at least {low} {'entry' if low == 1 else 'entries'}"
    if high is not None and length > high:
        allowed = next((meta.extra["allowed"] for meta in metas if meta.extra), f"at most {high} are allowed")
        yield path, f"has {length} entries; {allowed}"


def _scalar(node: Node, bare: Any, metas: list[msgspec.Meta], path: KeyPath) -> Iterable[ManifestFinding]:
    if not isinstance(node, Scalar):
        yield path, f"should be {_allowed(bare)}, not {_kind(node)}"
        return
    if bare is str and not isinstance(node.value, str):
        text = str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
        yield path, f'{text} is {_kind(node)} here; write "{text}" in quotes'
        return
    try:
        msgspec.convert(node.value, Annotated[(bare, *metas)] if metas else bare)
    except msgspec.ValidationError:
        yield path, _mismatch(node, bare, metas)


def _mismatch(node: Scalar, bare: Any, metas: list[msgspec.Meta]) -> str:
    if get_origin(bare) is Literal:
        return _unknown("value", str(node.value), [str(option) for option in get_args(bare)])
    shown = _show(node)
    if bare in {int, float} and (isinstance(node.value, str | bool) or (bare is int and isinstance(node.value, float))):
        return f"{shown} is not {_allowed(bare)}"
    low = next((meta.ge for meta in metas if meta.ge is not None), None)
    high = next((meta.le for meta in metas if meta.le is not None), None)
    if low is not None and high is not None:
        return f"{shown} is not between {low} and {high}"
    allowed = next((meta.extra["allowed"] for meta in metas if meta.extra), "")
    longest = next((meta.max_length for meta in metas if meta.max_length), None)
    if longest and len(str(node.value)) > longest:
        return f"{shown} is longer than {longest} characters"
    packer = "; Packer would read {{ as the start of a template" if "{{" in str(node.value) else ""
    return f"{shown} is not {allowed or _allowed(bare)}{packer}"


def _unwrap(kind: Any) -> tuple[Any, list[msgspec.Meta]]:
    """Split ``Annotated[Annotated[str, a], b]`` into ``str, [a, b]``."""
    if get_origin(kind) is Annotated:
        return kind.__origin__, [meta for meta in kind.__metadata__ if isinstance(meta, msgspec.Meta)]
    return kind, []


def _is_struct(kind: Any) -> bool:
    bare, _ = _unwrap(kind)
    return isinstance(bare, type) and issubclass(bare, Model)


def _allowed(kind: Any) -> str:
    """Describe a type in words."""
    bare, metas = _unwrap(kind)
    if allowed := next((meta.extra["allowed"] for meta in metas if meta.extra), ""):
        return allowed
    if get_origin(bare) is Literal:
        return " or ".join(f"{option}" for option in get_args(bare))
    if _is_struct(bare):
        return f"a mapping of {_list(bare.__struct_fields__)}"
    if get_origin(bare) is tuple:
        return "a list"
    if between := next((f"a whole number from {meta.ge} to {meta.le}" for meta in metas if meta.ge is not None), ""):
        return between
    return {int: "a whole number", float: "a number", str: "text", bool: "true or false"}.get(bare, "of the right type")


def _kind(node: Node) -> str:
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Map):
        return "a mapping"
    if isinstance(node.value, bool):
        return "a boolean"
    return "a number" if isinstance(node.value, int | float) else "text"


def _show(node: Node) -> str:
    """Return a value for messages, shortened; text is in quotes."""
    if not isinstance(node, Scalar):
        return _kind(node)
    text = str(node.value).lower() if isinstance(node.value, bool) else str(node.value)
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return f'"{cut(printable)}"' if isinstance(node.value, str) else cut(printable)


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)


def _unknown(what: str, word: str, known: Iterable[str]) -> str:
    import difflib

    known, word = list(known), cut(word)
    near = difflib.get_close_matches(word, known, n=1) if what == "key" else ()
    advice = f'did you mean "{near[0]}"?' if near else f"choose from: {_list(known)}"
    return f'unknown {what} "{word}"; {advice}'
