"""The example manifests that ``gen-infra new`` copies, with the files that they need: parents, scripts, the schema."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import ValidationError, convert

from gen_infra.errors import UsageError
from gen_infra.manifest.model.base import EnvironmentName
from gen_infra.manifest.schema import SCHEMA_FILE
from gen_infra.resources import data_dir
from gen_infra.tools.versions import DEFAULT_MAJOR

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.tools.versions import Major

_ENVIRONMENTS = ("demo", "dev", "prod")
_MODELINE = re.compile(r"# yaml-language-server: \$schema=.*\n")
_EXTENDS = re.compile(r"^extends: (\S+)$", re.MULTILINE)
_NAME = re.compile(r"^name: (\S+)", re.MULTILINE)
_FILE = re.compile(r"^ +(?:(?:scripts|user_data): \[(?P<script>\S+)\]|definition: (?P<definition>\S+))", re.MULTILINE)


def starters() -> dict[str, Path]:
    """Return the examples by name."""
    envs = data_dir("envs")
    own = [envs / f"{name}.yaml" for name in _ENVIRONMENTS]
    return {path.stem: path for path in (*own, *sorted((envs / "examples").glob("*.yaml")))}


def write_starter(path: Path, name: str, aws_provider: Major = DEFAULT_MAJOR) -> list[Path]:
    """Write the example of this name and the files that it needs; return the files written, the example first.

    The environment gets the file's name, if that is a valid one. Creates the folder. Writes the schema beside the
    manifest, or refers to the one of the checkout that it is in. Adds the version of the AWS provider if it is not the
    default.

    Raises:
        UsageError: the example is unknown, the file exists, or the name of a file that it needs is taken.
    """
    known = starters()
    if name not in known:
        raise UsageError(f'unknown example "{name}"', hint=f"choose from: {', '.join(known)}")
    folder = path.parent
    schema = _schema(folder)
    source, text = known[name], _named(path.stem, _with_schema(known[name], schema)) + _provider(aws_provider)
    needed: dict[Path, tuple[str, str]] = {}
    for found in _FILE.finditer(text):
        what, file_name = next((what, given) for what, given in found.groupdict().items() if given)
        needed[folder / file_name] = what, (source.parent / file_name).read_text(encoding="utf-8")
    parent_text = text
    while parent := _EXTENDS.search(parent_text):
        source = source.with_name(parent.group(1))
        parent_text = _with_schema(source, schema)
        needed[folder / source.name] = "parent", parent_text
    for file, (what, content) in needed.items():
        if file == path or (file.exists() and file.read_text(encoding="utf-8") != content):
            raise UsageError(f"{file} is the name of the example's {what} and is taken", hint="choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{folder} is not a folder", hint="choose another path") from None
    try:
        _write_new(path, text)
    except FileExistsError:
        raise UsageError(f"{path} exists and is left as it is", hint="choose another name") from None
    missing = {file: content for file, (_, content) in needed.items() if not file.exists()}
    for file, content in missing.items():
        file.parent.mkdir(exist_ok=True)
        _write_new(file, content)
    copies = [folder / schema] if schema == SCHEMA_FILE.name else []
    for file in copies:
        file.write_bytes(SCHEMA_FILE.read_bytes())
    return [path, *missing, *copies]


def _schema(folder: Path) -> str:
    """Return the schema's path for manifests in this folder; empty if another file has the name of its copy."""
    checkout = data_dir("envs").parent
    if folder.resolve().is_relative_to(checkout):
        return os.path.relpath(SCHEMA_FILE, folder.resolve())
    copy = folder / SCHEMA_FILE.name
    is_ours = not copy.exists() or (not copy.is_symlink() and b'"gen-infra manifest"' in copy.read_bytes())
    return copy.name if is_ours else ""


def _with_schema(source: Path, schema: str) -> str:
    """Read an example, with a first line that names the schema for editors."""
    text = _MODELINE.sub("", source.read_text(encoding="utf-8"), count=1)
    return f"# yaml-language-server: $schema={schema}\n{text}" if schema else text


def _named(name: str, text: str) -> str:
    """Name the environment of an example, also where a tag, a parameter or the role of an engine has its name."""
    try:
        convert(name, EnvironmentName)
    except ValidationError:
        return text
    if not (found := _NAME.search(text)):
        return text
    places = rf"(^name: |\bEnvironment: |/gen-infra/|:role/[a-z]+-){re.escape(found[1])}\b"
    return re.sub(places, rf"\g<1>{name}", text, flags=re.MULTILINE)


def _provider(major: Major) -> str:
    """Return the lines that name a version of the AWS provider; empty for the default."""
    if major == DEFAULT_MAJOR:
        return ""
    return f"\n# The version of Terraform's AWS provider.\nterraform: {{ aws_provider: {major} }}\n"


def _write_new(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
