r"""Encode values in HCL's native syntax, for Terraform and Packer.

HCL's quoted strings support only ``\n \r \t \" \\ \uNNNN \UNNNNNNNN``, and evaluate ``${`` and ``%{``.
Every value in a rendered file is encoded as a whole by :func:`encode`: encoded fragments are never concatenated.
The layout is that of ``terraform fmt`` (hclwrite): indents of two spaces, and ``=`` aligned over consecutive lines that
each contain one whole attribute.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Final

_INDENT: Final = 2
_ONE_LINE: Final = 80  # characters of a list or an object that stays on one line
_INTEGER_BITS: Final = 512  # Terraform calculates with 512-bit floats and would round a longer integer

_SCALAR: Final = (str, int, float, NoneType)
_NUMBER: Final = (int, float)
_CONSTANTS: Final = {None: "null", True: "true", False: "false"}
_SEQUENCE: Final = (list, tuple)
_MAPPING: Final = (dict, Mapping)  # the first is found at once, the second by Python code

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_KEYWORDS: Final = frozenset({"true", "false", "null", "for", "if", "in"})  # reserved by terraform or checkov
_TRAVERSAL: Final = re.compile(rf'{_IDENTIFIER.pattern}(\.{_IDENTIFIER.pattern}|\[[0-9]+\]|\["[A-Za-z0-9_./:@-]+"\])+')
_PLAIN: Final = re.compile(r"[ !#&-\[\]-~]*")  # printable ASCII without " $ % \
_SPECIAL: Final = re.compile(r'["\\]|[$%](?=[{$%]|\Z)|[^ -~]')
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SHORT_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}


class Hcl(str):
    """HCL text that templates may output; ``str`` operations return a plain ``str``, which templates may not output."""

    __slots__ = ()


def encode(value: object, indent: int = 0) -> Hcl:
    """Write a plain value as an HCL expression.

    ``value`` is None, a bool, int, finite float, str, list, tuple or mapping with str keys (which keeps its order), or
    :class:`Hcl` (a reference), at any depth. ``indent`` is the indentation, in columns, of the line on which the
    expression starts.

    Raises ValueError for a text or number that Terraform would change or refuse (not in Unicode normal form C, half of
    a surrogate pair, not finite), and TypeError for a value of any other type.
    """
    return Hcl(_encode(value, indent))


def attributes(fields: Mapping[str, object], indent: int = 0) -> Hcl:
    """Write the aligned lines ``name = value`` of a block's body, the first line without its indentation.

    Leaves out fields that are None: in a block, null and absent mean the same. Raises the errors of :func:`encode` and
    :func:`label`.
    """
    present = [(label(name), _encode(value, indent)) for name, value in fields.items() if value is not None]
    return Hcl(_lines(present, indent).lstrip(" "))


@lru_cache(4096)
def label(name: str) -> Hcl:
    """Check that a name is an ASCII identifier: safe as a block label in quotes, and unquoted in a reference.

    Raises ValueError for any other name.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"invalid HCL identifier {name!r}: use letters, digits, _ and -, starting with a letter or _")
    return Hcl(name)


@lru_cache(4096)
def reference(traversal: str) -> Hcl:
    """Check a reference such as ``module.encryption.key_arn``, ``aws_subnet.a[0].id`` or ``local.arns["results"]``.

    Raises ValueError unless it is identifiers joined by dots, with ``[number]`` or ``["key"]`` indexes.
    """
    if not _TRAVERSAL.fullmatch(traversal):
        raise ValueError(f"invalid Terraform reference {traversal!r}")
    return Hcl(traversal)


def _encode(value: object, indent: int) -> str:
    if isinstance(value, str):
        return value if isinstance(value, Hcl) else _quoted(value)
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    if isinstance(value, _NUMBER):
        return _number(value)
    if isinstance(value, _SEQUENCE):
        return _sequence(value, indent)
    if isinstance(value, _MAPPING):
        return _object(value, indent)
    raise TypeError(f"{value} ({type(value).__name__}) cannot be written as HCL")


def _number(value: float) -> str:
    if isinstance(value, int):
        if value.bit_length() > _INTEGER_BITS:
            raise ValueError("an integer of more than 512 bits would be rounded by Terraform")
    elif not math.isfinite(value):
        raise ValueError(f"{value} is not a number that HCL can write")
    text = repr(value)
    return f"{Decimal(text):f}" if "e" in text else text  # checkov's parser does not support exponents


@lru_cache(4096)  # most text occurs in every job definition
def _quoted(text: str) -> str:
    return _quote(text)


def _quote(text: str, *, ascii_only: bool = False) -> str:
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    if not text.isascii():
        if _SURROGATE.search(text):
            raise ValueError(f"{text!a} contains half of a surrogate pair")
        if not unicodedata.is_normalized("NFC", text):
            raise ValueError(f"{text!a} is not in Unicode normal form C, and Terraform would change it")
    return f'"{_SPECIAL.sub(_escape_to_ascii if ascii_only else escape_character, text)}"'


def escape_character(match: re.Match[str]) -> str:
    r"""Escape one matched character as ``\n \r \t \" \\ \uNNNN`` or ``\UNNNNNNNN``, or keep it if it is readable.

    Keeps letters, numbers, punctuation and symbols outside ASCII; escapes control characters, spaces, combining marks
    and invisible characters. The frozen Unicode 3.2 tables give the same result with every Python version.
    """
    char = match[0]
    if not char.isascii() and unicodedata.ucd_3_2_0.category(char)[0] in "LNPS":
        return char
    return _escape_to_ascii(match)


def _escape_to_ascii(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _SHORT_ESCAPES.get(char) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


@lru_cache(4096)
def _key(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a key of a map must be a str, not a {type(name).__name__}")
    if _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS:
        return name
    return _quote(name, ascii_only=True)  # terraform fmt aligns by grapheme clusters: in ASCII that is len()


def _sequence(items: list[object] | tuple[object, ...], indent: int) -> str:
    if all([type(item) is str for item in items]):  # noqa: C419 - as in `_are_scalars`
        return _texts(tuple(items), indent)
    return _items(items, indent)


@lru_cache(4096)  # the actions and resources of policies; only of plain texts, because 1 and True are one key
def _texts(items: tuple[object, ...], indent: int) -> str:
    return _items(items, indent)


def _items(items: list[object] | tuple[object, ...], indent: int) -> str:
    inner = indent + _INDENT
    if _are_scalars(items):
        texts = [_encode(item, inner) for item in items]
        line = f"[{', '.join(texts)}]"
        if len(line) <= _ONE_LINE and "\n" not in line:
            return line
    else:
        texts = [_element(item, inner) for item in items]
    pad = " " * inner
    return "[\n" + "".join(f"{pad}{text},\n" for text in texts) + " " * indent + "]"


def _element(item: object, indent: int) -> str:
    """Write an element of a list; a short object of scalars stays on one line, like the row of a table."""
    if isinstance(item, _SCALAR):
        return _encode(item, indent)
    if isinstance(item, _MAPPING) and item and _are_scalars(item.values()):
        fields = ", ".join(f"{_key(name)} = {_encode(value, indent)}" for name, value in item.items())
        if len(fields) + 4 <= _ONE_LINE and "\n" not in fields:
            return f"{{ {fields} }}"
    return _encode(item, indent)


def _are_scalars(values: Iterable[object]) -> bool:
    return all([isinstance(value, _SCALAR) for value in values])  # noqa: C419 - a few: quicker than a generator


def _object(fields: Mapping[str, object], indent: int) -> str:
    if not fields:
        return "{}"
    inner = indent + _INDENT
    lines = _lines([(_key(name), _encode(value, inner)) for name, value in fields.items()], inner)
    return f"{{\n{lines}\n{' ' * indent}}}"


def _lines(fields: Sequence[tuple[str, str]], indent: int) -> str:
    """Align ``name = value`` lines; a value of several lines ends one aligned group and starts the next."""
    pad = " " * indent
    lines: list[str] = []
    group: list[tuple[str, str]] = []
    for field in fields:
        if "\n" in field[1]:
            if group:
                lines += _aligned(group, pad)
                group = []
            lines.append(f"{pad}{field[0]} = {field[1]}")
        else:
            group.append(field)
    if group:
        lines += _aligned(group, pad)
    return "\n".join(lines)


def _aligned(group: Sequence[tuple[str, str]], pad: str) -> list[str]:
    if len(group) == 1:
        return [f"{pad}{group[0][0]} = {group[0][1]}"]
    width = max([len(name) for name, _ in group])
    return [f"{pad}{name.ljust(width)} = {value}" for name, value in group]
