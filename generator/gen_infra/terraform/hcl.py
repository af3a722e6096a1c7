"""Reads HCL: enough of the language to evaluate a rendered file, without running terraform.

Literals, templates, objects, tuples, ``for``, calls, conditionals, references and tests for equality are understood;
any other expression (other operators, splats) is kept as `Opaque` text. Nothing is guessed: what is not understood is
unknown.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeAlias

Expression: TypeAlias = (
    "str | int | float | bool | Template | Reference | FunctionCall | Conditional | Comparison | Opaque | Object"
    " | Tuple | ForEach | None"
)


class HclError(ValueError):
    """The text is not HCL that this reader can read."""


@dataclass(frozen=True, slots=True)
class Template:
    """A string with interpolations; ``parts`` are literal strings and expressions in turn."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """``var.name``, ``each.value.policy``, ``aws_kms_key.this.arn``."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """``jsonencode(…)`` and the like."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """``condition ? yes : no``."""

    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left == right``, ``left != right`` or ``left > right``; ``!value`` is ``value == false``."""

    left: Expression
    sign: str
    right: Expression


@dataclass(frozen=True, slots=True)
class Opaque:
    """An expression that is not understood."""

    text: str


@dataclass(frozen=True, slots=True)
class Object:
    """``{ key = value }``; a key that is no literal is kept as an expression."""

    items: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class Tuple:
    """``[a, b]``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ForEach:
    """``[for name in items : value if condition]``, or ``{for name, value in items : key => value}``.

    ``names`` are the variables, one or two; ``key`` is None in a tuple; ``condition`` is True where there is none.
    """

    names: tuple[str, ...]
    items: Expression
    is_object: bool
    key: Expression
    value: Expression
    condition: Expression


@dataclass(slots=True)
class Body:
    """Attributes and blocks between braces, or of a whole file."""

    attributes: dict[str, Expression] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Block:
    """``resource "aws_kms_key" "this" { … }``; the first and the last line count from 1."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    line: int
    last_line: int


@lru_cache(maxsize=512)
def parse(text: str) -> Body:
    """Read a file; environments share their modules' files, so that each is parsed once.

    Raises:
        HclError: it cannot be read; the message starts with the line.
    """
    parser = _Parser(text)
    try:
        return parser.body("")
    except RecursionError:
        raise HclError("it is nested too deeply") from None


EACH_KEY = "[each.key]"
"""What ``[each.key]`` is in the path of a `Reference`."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*|//[^\n]*|/\*.*?\*/)
    |(?P<newline>\n)
    |(?P<heredoc><<-?(?P<end>\w+)\n.*?\n[ \t]*(?P=end)(?=\n|$))
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[^\W\d][\w-]*)
    |(?P<quote>")
    |(?P<sign>=>|==|!=|<=|>=|&&|\|\||\.\.\.|[{}()\[\]=:?,.!<>+*/%&|-])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"""\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([nrt"\\]))|\$\$\{|%%\{""")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_STRING = re.compile(r'(?:[^"\\$%\n]|\\.|\$\$\{|%%\{|\$(?!\{)|%(?!\{))*', re.DOTALL)
_OPEN, _CLOSE = frozenset("{[("), frozenset("}])")


@dataclass(frozen=True, slots=True)
class _HclToken:
    kind: str
    text: str
    start: int
    value: Expression = None


class _Parser:
    """Recursive descent over the tokens of one file, or of one interpolation."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenize(0, stop="")[0]
        self._at = 0

    def body(self, end: str) -> Body:
        """Read attributes and blocks, up to ``end`` (a brace, or nothing for a file)."""
        body = Body()
        while True:
            self._skip_newlines()
            if self._next.text == end and self._next.kind != "string":
                self._at += 1
                return body
            name = self._expect("name")
            if self._next.text == "=":
                self._at += 1
                body.attributes[name.text] = self._expression(newline_ends=True)
            else:
                body.blocks.append(self._block(name))

    def _block(self, name: _HclToken) -> Block:
        labels = []
        while self._next.kind in {"string", "name"}:
            label = self._take()
            labels.append(label.value if isinstance(label.value, str) else label.text)
        line = self._line(name.start)
        if self._take().text != "{":
            raise HclError(f"line {line}: {name.text} is neither an attribute nor a block")
        body = self.body("}")
        return Block(name.text, tuple(labels), body, line, self._line(self._tokens[self._at - 1].start))

    def _expression(self, *, newline_ends: bool) -> Expression:
        start = self._at
        value = self._primary()
        if (sign := self._next.text) in {"==", "!=", ">"} and self._next.kind == "sign":
            self._at += 1
            value = Comparison(value, sign, self._primary())
        if self._ends(newline_ends):
            return value
        if self._next.text != "?":  # by another operator, as in `length(a) > 0 ? a : b`
            value = self._opaque(start, newline_ends, until_question=True)
        if self._next.text == "?" and self._next.kind == "sign":
            self._at += 1
            yes = self._expression(newline_ends=newline_ends)
            self._skip_newlines()
            if self._next.text == ":":
                self._at += 1
                return Conditional(value, yes, self._expression(newline_ends=newline_ends))
        return self._opaque(start, newline_ends)

    def _primary(self) -> Expression:
        self._skip_newlines()
        token = self._take()
        if token.kind in {"string", "number", "heredoc"}:
            return token.value
        if token.text == "-" and isinstance(number := self._next.value, int | float):
            self._at += 1
            return -number
        if token.text == "!":
            return Comparison(self._primary(), "==", right=False)
        if token.text in {"{", "["}:
            return self._object() if token.text == "{" else self._tuple()
        if token.kind == "name":
            return self._named(token)
        self._at -= 1 if token.text in _OPEN else 0
        return Opaque(token.text)

    def _named(self, token: _HclToken) -> Expression:
        if token.text in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[token.text]
        if self._next.text == "(":
            self._at += 1
            return FunctionCall(token.text, self._items(")"))
        path = [token.text]
        while self._next.text in {".", "["}:
            if self._next.text == "[":
                index = self._index()
                if index is None:
                    break
                path.append(index)
            else:
                self._at += 1
                path.append(self._take().text)
        return Reference(tuple(path))

    def _index(self) -> str | None:
        """Read ``["key"]``, ``[0]`` or ``[each.key]`` after a reference; `_opaque` takes any other index."""
        inside, closing = self._tokens[self._at + 1 : self._at + 3]
        if inside.kind in {"string", "number"} and closing.text == "]":
            self._at += 3
            return str(inside.value)
        if "".join(token.text for token in self._tokens[self._at + 1 : self._at + 5]) == "each.key]":
            self._at += 5
            return EACH_KEY
        return None

    def _tuple(self) -> Expression:
        start = self._at - 1
        self._skip_newlines()
        if self._next.text == "for":
            return self._for(start, "]")
        return Tuple(self._items("]"))

    def _for(self, start: int, end: str) -> Expression:
        """Read a ``for`` expression; one that groups values (``...``) is kept as text."""
        self._at += 1
        names = [self._expect("name").text]
        if self._next.text == ",":
            self._at += 1
            names.append(self._expect("name").text)
        self._at += 1  # in
        items = self._expression(newline_ends=False)
        self._at += 1  # :
        key: Expression = None
        value = self._expression(newline_ends=False)
        if end == "}":
            self._at += 1  # =>
            key, value = value, self._expression(newline_ends=False)
        condition: Expression = True
        self._skip_newlines()
        if self._next.text == "if":
            self._at += 1
            condition = self._expression(newline_ends=False)
            self._skip_newlines()
        if self._take().text != end:
            self._at = start
            return self._balanced()
        return ForEach(tuple(names), items, end == "}", key, value, condition)

    def _items(self, end: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while True:
            self._skip_newlines()
            if self._next.text == end and self._next.kind == "sign":
                self._at += 1
                return tuple(items)
            items.append(self._expression(newline_ends=False))
            self._skip_newlines()
            if self._next.text == ",":
                self._at += 1

    def _object(self) -> Expression:
        start = self._at - 1
        self._skip_newlines()
        if self._next.text == "for":
            return self._for(start, "}")
        items: list[tuple[Expression, Expression]] = []
        while True:
            self._skip_newlines()
            if self._next.text == "}" and self._next.kind == "sign":
                self._at += 1
                return Object(tuple(items))
            items.append((self._key(), self._expression(newline_ends=True)))
            if self._next.text == ",":
                self._at += 1

    def _key(self) -> Expression:
        token = self._take()
        following = self._next.text
        if token.kind in {"name", "string", "number"} and following in {"=", ":"}:
            self._at += 1
            return token.text if token.kind == "name" else token.value
        start = self._at = self._at - 1
        while self._next.text not in {"=", ":"}:
            if self._next.text in _OPEN:
                self._balanced()
            else:
                self._take()
        self._at += 1
        return Opaque(self._between(start, self._at - 1))

    def _opaque(self, start: int, newline_ends: bool, *, until_question: bool = False) -> Opaque:
        questions = 0  # a colon may belong to one of them
        while not self._ends(newline_ends) or (questions and self._next.text == ":"):
            token = self._next
            if until_question and token.text == "?" and token.kind == "sign":
                break
            if token.text in _OPEN and token.kind == "sign":
                self._balanced()
            else:
                self._take()
                questions += (token.text == "?") - (token.text == ":")
        return Opaque(self._between(start, self._at))

    def _balanced(self) -> Opaque:
        start, depth = self._at, 0
        while True:
            token = self._take()
            if token.kind == "sign":
                depth += (token.text in _OPEN) - (token.text in _CLOSE)
            if depth == 0:
                return Opaque(self._between(start, self._at))

    def _ends(self, newline_ends: bool) -> bool:
        token = self._next
        if token.kind == "newline":
            if newline_ends:
                return True
            self._skip_newlines()
            token = self._next
        is_if = token.kind == "name" and token.text == "if"  # of a `for` expression
        return token.kind == "end" or is_if or (token.kind == "sign" and token.text in {",", ":", "=>", "...", *_CLOSE})

    def _between(self, start: int, end: int) -> str:
        return self._text[self._tokens[start].start : self._tokens[end].start].strip()

    @property
    def _next(self) -> _HclToken:
        return self._tokens[self._at]

    def _take(self) -> _HclToken:
        token = self._tokens[self._at]
        if token.kind == "end":
            raise HclError(f"line {self._line(token.start)}: the file ends within a block or value")
        self._at += 1
        return token

    def _expect(self, kind: str) -> _HclToken:
        token = self._take()
        if token.kind != kind:
            raise HclError(f"line {self._line(token.start)}: {token.text!r} was not expected here")
        return token

    def _skip_newlines(self) -> None:
        while self._next.kind == "newline":
            self._at += 1

    def _line(self, start: int) -> int:
        return bisect_left(self._ends_of_lines, start) + 1

    @cached_property
    def _ends_of_lines(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self._text)]

    def _tokenize(self, at: int, stop: str) -> tuple[list[_HclToken], int]:
        """Return the tokens from ``at``, up to the end or to the ``stop`` brace that closes an interpolation."""
        tokens: list[_HclToken] = []
        depth = 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise HclError(f"line {self._line(at)}: {self._text[at]!r} was not expected here")
            kind = match.lastgroup or ""
            start, at = at, match.end()
            if kind == "quote":
                value, at = self._string(at)
                tokens.append(_HclToken("string", self._text[start:at], start, value))
            elif kind == "number":
                number = match[0]
                tokens.append(_HclToken(kind, number, start, int(number) if number.isdigit() else float(number)))
            elif match["heredoc"]:
                tokens.append(_HclToken("heredoc", match[0], start, Opaque(match[0])))
            elif kind != "space":
                if stop and match[0] == stop and depth == 0:
                    return [*tokens, _HclToken("end", "", start)], at
                depth += (match[0] in _OPEN) - (match[0] in _CLOSE)
                tokens.append(_HclToken(kind, match[0], start))
        return [*tokens, _HclToken("end", "", at)], at

    def _string(self, at: int) -> tuple[Expression, int]:
        """Return the string whose text starts at ``at``, and where the text after its closing quote starts."""
        parts: list[Expression] = []
        start = at
        while True:
            literal = _STRING.match(self._text, at)
            at = literal.end() if literal else at
            parts.append(_unescaped(self._text[start:at]))
            opening = self._text[at : at + 2]
            if opening[:1] == '"':
                break
            if opening not in {"${", "%{"}:
                raise HclError(f"line {self._line(start)}: a string does not end")
            inner = object.__new__(_Parser)
            inner._text, inner._at = self._text, 0
            inner._tokens, end = self._tokenize(at + 2, stop="}")
            parts.append(inner._expression(newline_ends=False) if opening == "${" else Opaque(self._text[at:end]))
            start = at = end
        texts = tuple(part for part in parts if part != "")
        if all(isinstance(part, str) for part in texts):
            return "".join(map(str, texts)), at + 1
        return Template(texts), at + 1


def _unescaped(text: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        short, long, simple = match.groups()
        if simple:
            return _ESCAPED[simple]
        return chr(int(short or long, 16)) if short or long else match[0][1:]

    return _ESCAPE.sub(replaced, text)
