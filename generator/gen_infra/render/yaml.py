"""Write plain values as YAML: the same bytes with every libyaml, and no text that a YAML version reads as a number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import NoneType
from typing import TYPE_CHECKING

from gen_infra.render.hcl import escape_character

if TYPE_CHECKING:
    from gen_infra.manifest.model.base import KeyPath

_COMMENT_COLUMN = 60
_LONGEST_KEY = 1000
_ONE_LINE = 80  # characters of a list that stays on one line
_SCALAR = (str, int, float, NoneType)
_MAPPING = (dict, Mapping)  # the first is found at once, the second by Python code

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_WORDS = frozenset(
    {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
)  # not text in YAML 1.1, in any letter case
_SPECIAL = re.compile(r'["\\]|[^ -~]')


def to_yaml(value: object) -> str:
    """Write nested mappings, lists and tuples of None, bool, int, finite float and str as a YAML document.

    Mappings keep their order. Raises ValueError for a float that is not finite and TypeError for any other type.
    """
    return "\n".join([*_lines(value, ""), ""])


def to_commented_yaml(value: Mapping[str, object], comment: Callable[[KeyPath], str]) -> str:
    """Write a mapping as YAML with a comment after each value, for people to read."""
    lines = list(_commented(value, (), "", comment))
    column = min(max(len(line) for line, _ in lines), _COMMENT_COLUMN)
    return "".join(f"{line:<{column}}  # {text}\n" if text else f"{line}\n" for line, text in lines)


def leaves(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Yield each value that is written on one line, with its path."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in items:
        if _one_line(item):
            yield (*path, key), item
        else:
            yield from leaves(item, (*path, key))


def _commented(value: object, path: KeyPath, pad: str, comment: Callable[[KeyPath], str]) -> Iterator[tuple[str, str]]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in items:
        name = _key(key, pad) if isinstance(value, Mapping) else f"{pad}-"
        if line := _one_line(item):
            yield f"{name} {line}", comment((*path, key))
        else:
            yield name, ""
            yield from _commented(item, (*path, key), f"{pad}  ", comment)


def _lines(value: object, pad: str) -> list[str]:
    line = _one_line(value)
    return [pad + line] if line else _several_lines(value, pad)


def _several_lines(value: object, pad: str) -> list[str]:
    lines: list[str] = []
    if isinstance(value, _MAPPING):
        for name, item in value.items():
            if line := _one_line(item):
                lines.append(f"{_key(name, pad)} {line}")
            else:
                lines.append(_key(name, pad))
                lines += _several_lines(item, f"{pad}  ")
    elif isinstance(value, list | tuple):
        for item in value:
            first, *rest = _lines(item, f"{pad}  ")
            lines += [f"{pad}- {first.removeprefix(f'{pad}  ')}", *rest]
    return lines


def _key(name: object, pad: str) -> str:
    """Write a key with its colon; without the mark ``?``, YAML parsers search 1024 characters for the colon."""
    text = _scalar(name)
    return f"{pad}{text}:" if len(text) <= _LONGEST_KEY else f"{pad}? {text}\n{pad}:"


def _one_line(value: object) -> str:
    """Write a scalar, an empty collection or a short list of scalars; return nothing for what needs several lines."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, _SCALAR):
        return _scalar(value)
    if isinstance(value, _MAPPING):
        return "" if value else "{}"
    if not isinstance(value, list | tuple):
        return _scalar(value)
    if not all([isinstance(item, _SCALAR) for item in value]):  # noqa: C419 - a few: quicker than a generator
        return ""
    line = f"[{', '.join(map(_scalar, value))}]"
    return line if len(line) <= _ONE_LINE else ""


@lru_cache(4096)  # most text occurs in every job definition
def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return f'"{_SPECIAL.sub(escape_character, value)}"'


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e")  # YAML 1.1 reads 1e+22 as text
    raise (ValueError if isinstance(value, float) else TypeError)(f"{value!r} cannot be written as YAML")
