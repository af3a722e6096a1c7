"""Evaluates the rendered source: every resource, through its modules, with the values that are known without a plan.

Variables, locals, ``for``, ``for_each`` over literals, ``dynamic`` blocks and policy documents are followed; what
depends on anything else is `UNKNOWN`, and checks skip it: they read the value in the plan.
"""

from __future__ import annotations

import copy
import operator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from gen_infra.terraform.hcl import (
    EACH_KEY,
    Block,
    Body,
    Comparison,
    Conditional,
    Expression,
    ForEach,
    FunctionCall,
    HclError,
    Object,
    Reference,
    Template,
    Tuple,
    parse,
)
from gen_infra.tools.addresses import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Computed = Callable[[str], str | None]
    """Gives an attribute that only AWS knows, such as ``aws_kms_key.this.arn``; None where it is not known either."""


class Unknown:
    """A value that only terraform, or only AWS, can know."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return True  # it is set to something


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, data source or other top-level block.

    Attributes:
        kind: such as ``aws_kms_key``; ``data.…`` for data sources; ``provider``, ``module`` for those blocks.
        address: as terraform names it.
        values: nested blocks are lists of maps, as in a plan's JSON.
        file: relative to the folder; empty for a plan's resource.
        line: from 1; 0 for a plan's resource.
        last_line: of its block; likewise.
    """

    kind: str
    address: str
    values: Mapping[str, Any]
    file: str = ""
    line: int = 0
    last_line: int = 0


@dataclass(frozen=True, slots=True)
class HclSource:
    """What could be read, and what could not.

    Attributes:
        resources: every instance that can be known without a plan.
        declared: the address of every resource block, without indexes, for any ``for_each``.
        errors: one line for each file that cannot be read.
    """

    resources: tuple[Resource, ...]
    declared: frozenset[str]
    errors: tuple[str, ...]

    @property
    def places(self) -> dict[str, tuple[str, tuple[int, int]]]:
        """Return the file, and the first and last line, of each resource's block, by its address without indexes."""
        return {bare(each.address): (each.file, (each.line, each.last_line)) for each in self.resources}


def read_source(files: Mapping[str, bytes], computed: Computed | None = None) -> HclSource:
    """Evaluate the ``*.tf`` files of a folder and the modules below it that it calls.

    Args:
        files: relative path -> content.
        computed: given, references to attributes of resources and to outputs of modules are followed too.
    """
    folders: dict[str, list[tuple[str, Body]]] = {}
    errors: list[str] = []
    for path, content in sorted(files.items()):
        if path.endswith(".tf"):
            try:
                body = parse(content.decode())
            except (HclError, UnicodeDecodeError) as error:
                errors.append(f"{path}: {error}")
            else:
                folders.setdefault(str(PurePosixPath(path).parent), []).append((path, body))
    root = _Module(folders, ".", {}, "", computed)
    return HclSource(tuple(root.resources()), frozenset(root.declared()), tuple(errors))


@dataclass
class _Module:
    """One call of a module, or the root."""

    folders: Mapping[str, list[tuple[str, Body]]]
    folder: str
    arguments: Mapping[str, Any]
    prefix: str
    computed: Computed | None = None
    each: Mapping[str, Any] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        blocks = [(path, block) for path, body in self.folders.get(self.folder, ()) for block in body.blocks]
        self.blocks = blocks
        self.locals = {
            name: value
            for _, block in blocks
            if block.kind == "locals"
            for name, value in block.body.attributes.items()
        }
        self.variables = {block.labels[0]: block.body for _, block in blocks if block.kind == "variable"}
        self.followed = {(block.kind, *block.labels): block for _, block in blocks if self.computed is not None}
        self.documents = {
            block.labels[1]: block.body
            for _, block in blocks
            if block.kind == "data" and block.labels[0] == "aws_iam_policy_document"
        }

    def resources(self) -> Iterator[Resource]:
        """Yield every top-level block that can hold something to check, here and in the modules called."""
        for path, block in self.blocks:
            if block.kind in {"resource", "data"}:
                yield from self._instances(path, block)
            elif block.kind in {"provider", "terraform"}:
                address = ".".join((block.kind, *block.labels))
                values = self.body(block.body)
                yield Resource(block.kind, self.prefix + address, values, path, block.line, block.last_line)
            elif block.kind == "module":
                address, arguments = self._called(block)
                yield Resource("module", address, arguments, path, block.line, block.last_line)
                yield from self._module(address, arguments).resources()

    def declared(self) -> Iterator[str]:
        """Yield the address of every resource block, here and in the modules called."""
        for _, block in self.blocks:
            if block.kind == "resource":
                yield self.prefix + ".".join(block.labels)
            elif block.kind == "module":
                yield from self._module(*self._called(block)).declared()

    def _called(self, block: Block) -> tuple[str, dict[str, Any]]:
        """Return the address and the arguments of a module block."""
        return f"{self.prefix}module.{block.labels[0]}", self.body(block.body)

    def _module(self, address: str, arguments: Mapping[str, Any]) -> _Module:
        """Return the module that is called; an empty one if it is not below this folder."""
        source = arguments.get("source")
        folder = ""
        if isinstance(source, str) and source.startswith("./"):
            folder = str(PurePosixPath(self.folder, source))
        return _Module(self.folders, folder, arguments, f"{address}.", self.computed)

    def _instances(self, path: str, block: Block) -> Iterator[Resource]:
        data = "data." if block.kind == "data" else ""
        kind = data + block.labels[0]
        address = f"{self.prefix}{data}{'.'.join(block.labels)}"
        for key, each in self._each(block.body.attributes.get("for_each"), "each"):
            index = "" if key is None else f'["{key}"]'
            values = self._with(each).body(block.body)
            values.pop("for_each", None)
            yield Resource(kind, address + index, values, path, block.line, block.last_line)

    def _with(self, each: Mapping[str, Any]) -> _Module:
        instance = copy.copy(self)
        instance.each = each
        return instance

    def _each(self, expression: Expression, name: str) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
        """Yield key and scope of each instance; one without a key where ``for_each`` is absent or not known."""
        items = None if expression is None else self.value(expression)
        if isinstance(items, list) and not any(isinstance(item, Unknown) for item in items):
            items = {str(item): item for item in items}
        if isinstance(items, dict):
            for key, value in items.items():
                yield str(key), {**self.each, f"{name}.key": key, f"{name}.value": value}
        else:
            yield None, self.each

    def body(self, body: Body) -> dict[str, Any]:
        """Return the values of a body, its nested blocks as lists, ``dynamic`` ones as what they make."""
        values: dict[str, Any] = {name: self.value(expression) for name, expression in body.attributes.items()}
        for block in body.blocks:
            if block.kind == "dynamic":
                content = next((inner.body for inner in block.body.blocks if inner.kind == "content"), Body())
                for key, each in self._each(block.body.attributes.get("for_each"), block.labels[0]):
                    if key is None and block.labels[0] == "condition":
                        continue  # a condition of a policy that may be absent restricts nothing
                    values.setdefault(block.labels[0], []).append(self._with(each).body(content))
            else:
                values.setdefault(block.kind, []).append(self.body(block.body))
        return values

    def value(self, expression: Expression) -> Any:  # noqa: PLR0911 - one for each kind of expression
        """Return the value of an expression, with `UNKNOWN` wherever it is not known."""
        match expression:
            case Template(parts):
                values = [self.value(part) for part in parts]
                return UNKNOWN if any(isinstance(value, Unknown) for value in values) else "".join(map(_text, values))
            case Object(items):
                return {key if isinstance(key, str) else UNKNOWN: self.value(value) for key, value in items}
            case Tuple(items):
                return [self.value(item) for item in items]
            case Reference(path):
                return self._referred(path)
            case FunctionCall(name, arguments):
                function, read = _FUNCTIONS.get(name), self._possible if name == "concat" else self.value
                return function([read(argument) for argument in arguments]) if function else UNKNOWN
            case Conditional(condition, yes, no):
                chosen = self.value(condition)
                return self.value(yes if chosen else no) if isinstance(chosen, bool) else UNKNOWN
            case Comparison(left, sign, right):
                sides = [self.value(left), self.value(right)]
                known = not any(isinstance(side, Unknown) for side in sides)
                return _COMPARISONS[sign](*sides) if known else UNKNOWN
            case ForEach():
                return self._mapped(expression)
            case str() | int() | float() | None:
                return expression
            case _:
                return UNKNOWN

    def _mapped(self, expression: ForEach) -> Any:
        """Evaluate a ``for`` expression; what may or may not be a member is unknown."""
        items = self.value(expression.items)
        if isinstance(items, list):
            pairs: list[tuple[Any, Any]] = [*enumerate(items)]
        elif isinstance(items, dict) and UNKNOWN not in items:
            pairs = sorted(items.items())
        else:
            return UNKNOWN
        made = []
        for key, value in pairs:
            scope = dict(zip(expression.names, (key, value)[-len(expression.names) :], strict=True))
            inner = self._with({**self.each, **scope})
            is_member = inner.value(expression.condition)
            if isinstance(is_member, Unknown):
                made.append((UNKNOWN, UNKNOWN))
            elif is_member:
                made.append((inner.value(expression.key), inner.value(expression.value)))
        return dict(made) if expression.is_object else [value for _, value in made]

    def _document(self, path: tuple[str, ...]) -> Any:
        """Return the policy of ``data.aws_iam_policy_document.NAME.json``, or of one of its instances."""
        body = self.documents.get(path[2])
        if body is None:
            return UNKNOWN
        scopes = dict(self._each(body.attributes.get("for_each"), "each"))
        # Where its for_each is not known, its instances differ in the values that are not known either.
        scope = scopes.get(path[3] if len(path) == 5 else None, self.each if None in scopes else None)
        return UNKNOWN if scope is None else _policy(self._with(scope).body(body))

    def _possible(self, expression: Expression) -> Any:
        """Return a list, or the members of both where a condition that is not known chooses one of two.

        So a statement of a policy that only some environments have is checked like any other.
        """
        value = self.value(expression)
        if isinstance(expression, Conditional) and isinstance(value, Unknown):
            return [*_joined([self._possible(expression.yes), self._possible(expression.no)]), UNKNOWN]
        return value

    def _referred(self, path: tuple[str, ...]) -> Any:
        path = tuple(self.each.get("each.key", name) if name == EACH_KEY else name for name in path)
        if path[0] == "data" and path[1:2] == ("aws_iam_policy_document",) and path[-1] == "json":
            return self._document(path)
        if path[0] in self.each:  # the variable of a `for` expression
            return _member(self.each[path[0]], path[1:])
        if path[0] not in {"var", "local"}:
            scope = ".".join(path[:2])
            return _member(self.each[scope], path[2:]) if scope in self.each else self._followed(path)
        whole = ".".join(path[:2])
        if len(path) == 1 or whole in self._busy:
            return UNKNOWN
        self._busy.add(whole)
        value = self._argument(path[1]) if path[0] == "var" else self.value(self.locals.get(path[1], _UNDECLARED))
        self._busy.discard(whole)
        return _member(value, path[2:])

    def _followed(self, path: tuple[str, ...]) -> Any:
        """Return what an attribute of a resource is set to, or an output of a module."""
        whole = ".".join(path)
        if self.computed is None or whole in self._busy:
            return UNKNOWN
        self._busy.add(whole)
        try:
            if path[0] == "module" and (call := self.followed.get(path[:2])):
                module = self._module(*self._called(call))
                output = module.followed.get(("output", path[-1]))
                return module.value(output.body.attributes["value"]) if output and len(path) == 3 else UNKNOWN
            block = self.followed.get(("resource", *path[:2]))
            return self._attribute(block, path) if block else UNKNOWN
        finally:
            self._busy.discard(whole)

    def _attribute(self, block: Block, path: tuple[str, ...]) -> Any:
        name, keys = path[-1], path[2:-1]
        index = "".join(f'["{key}"]' for key in keys)
        if name in block.body.attributes:
            scopes = dict(self._each(block.body.attributes.get("for_each"), "each"))
            scope = scopes.get(keys[0] if keys else None)
            return UNKNOWN if scope is None else self._with(scope).value(block.body.attributes[name])
        known = self.computed and self.computed(f"{self.prefix}{'.'.join(path[:2])}{index}.{name}")
        return known or UNKNOWN

    def _argument(self, name: str) -> Any:
        body = self.variables.get(name)
        if name in self.arguments:
            given = self.arguments[name]
            if given is not None or body is None or "nullable" not in body.attributes:
                return given
        if body is None or "default" not in body.attributes:
            return UNKNOWN
        return self.value(body.attributes["default"])


_UNDECLARED = FunctionCall("", ())  # no function has this name, so its value is unknown


def _member(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return UNKNOWN
        value = value.get(name, UNKNOWN if UNKNOWN in value else None)
    return value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _joined(values: list[Any]) -> Any:
    """Evaluate Terraform's ``concat``: an unknown argument is an unknown member."""
    return [item for value in values for item in (value if isinstance(value, list) else [UNKNOWN])]


def _merged(values: list[Any]) -> Any:
    merged: dict[Any, Any] = {}
    for value in values:
        merged |= value if isinstance(value, dict) else {UNKNOWN: UNKNOWN}
    return merged


def _members(values: list[Any]) -> Any:
    return list(values[0].values()) if isinstance(values[0], dict) else UNKNOWN


def _first(values: list[Any]) -> Any:
    return values[0] if values else UNKNOWN


def _ends_with(values: list[Any]) -> Any:
    return values[0].endswith(values[1]) if all(isinstance(each, str) for each in values) else UNKNOWN


def _contains_text(values: list[Any]) -> Any:
    return values[1] in values[0] if all(isinstance(each, str) for each in values) else UNKNOWN


def _is_more(left: Any, right: Any) -> Any:
    return left > right if isinstance(left, int | float) and isinstance(right, int | float) else UNKNOWN


def _length(values: list[Any]) -> Any:
    """Evaluate Terraform's ``length``, where it is known how many members there are."""
    known = isinstance(values[0], list | dict) and not any(isinstance(each, Unknown) for each in values[0])
    return len(values[0]) if known else UNKNOWN


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {"==": operator.eq, "!=": operator.ne, ">": _is_more}

_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "concat": _joined,
    "endswith": _ends_with,
    "jsonencode": _first,  # the value itself: what reads policies takes text and values
    "length": _length,
    "merge": _merged,
    "setunion": _joined,
    "sort": _first,
    "strcontains": _contains_text,
    "tolist": _first,
    "toset": _first,
    "values": _members,
}


def _policy(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an ``aws_iam_policy_document`` as the JSON that it makes."""
    return {"Version": "2012-10-17", "Statement": [_statement(block) for block in document.get("statement", [])]}


def _statement(block: Mapping[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": block.get("effect", "Allow")}
    for key, name in _STATEMENT_KEYS.items():
        if name in block:
            statement[key] = block[name]
    for key, name in (("Principal", "principals"), ("NotPrincipal", "not_principals")):
        for principals in block.get(name, []):
            statement.setdefault(key, {})[principals.get("type")] = principals.get("identifiers")
    for condition in block.get("condition", []):
        operator = statement.setdefault("Condition", {}).setdefault(condition.get("test"), {})
        operator[condition.get("variable")] = condition.get("values")
    return statement


_STATEMENT_KEYS = {
    "Sid": "sid",
    "Action": "actions",
    "NotAction": "not_actions",
    "Resource": "resources",
    "NotResource": "not_resources",
}
