"""packer: found, asked whether a template is valid, and let to build an image.

Packer 1.7 and later take a folder and install plugins with ``packer init``. Before that, amazon-ebs is built in, the
``required_plugins`` block is an error, and so packer is given the one file without it.
"""

from __future__ import annotations

import json
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra.errors import MissingError, ToolError, UsageError
from gen_infra.tools import process
from gen_infra.tools.child_environment import child_environment
from gen_infra.tools.diagnostics import Diagnostic, parse_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_NAMES = ("packer", "packer-io")  # Arch Linux's name for it
_PROBE_SECONDS = 30.0
MANIFEST_FILE = "packer-manifest.json"


@dataclass(frozen=True, slots=True)
class Packer:
    """A packer that was found on this machine."""

    executable: str
    version: tuple[int, int, int]

    @property
    def version_text(self) -> str:
        """``1.6.6``."""
        return ".".join(map(str, self.version))

    @property
    def is_modern(self) -> bool:
        """Whether it knows ``packer init`` and ``required_plugins``."""
        return self.version >= (1, 7, 0)


def find_packer(environ: Mapping[str, str]) -> Packer | None:
    """Find HashiCorp's packer on PATH; None if there is none.

    Other programs have that name too (cracklib's on Red Hat), so each one is asked for its version.
    """
    env = child_environment(environ)
    for folder in env.get("PATH", "").split(os.pathsep):
        for name in _NAMES:
            path = Path(folder, name).absolute()
            version = _version(path, env) if folder and path.is_file() and os.access(path, os.X_OK) else None
            if version is not None:
                return Packer(str(path), version)
    return None


def _version(path: Path, env: Mapping[str, str]) -> tuple[int, int, int] | None:
    answer = process.run([str(path), "version"], cwd=Path(path.anchor), env=env, timeout=_PROBE_SECONDS)
    match = re.search(r"^Packer v(\d+)\.(\d+)\.(\d+)", answer.stdout, flags=re.MULTILINE)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def init_argv(packer: Packer) -> list[str]:
    """Build the command that installs the plugins a folder asks for."""
    return [packer.executable, "init", "."]


def validate_argv(packer: Packer, single_file: str) -> list[str]:
    """Build the command that validates: the folder, or with an old packer the one file."""
    return [packer.executable, "validate", "." if packer.is_modern else single_file]


def validate(packer: Packer, folder: Path, single_file: str, environ: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Ask packer whether the templates are valid; empty: they are. No AWS and no credentials are needed.

    Args:
        packer: from `find_packer`.
        folder: holds the ``*.pkr.hcl`` files.
        single_file: name of the one file in it that packer < 1.7 understands.
        environ: the caller's environment; packer sees its allowed part.

    Raises:
        MissingError: the plugins cannot be had.

    """
    env = child_environment(environ)
    if packer.is_modern:
        installed = process.run(init_argv(packer), cwd=folder, env=env)
        if installed.returncode != 0:
            raise MissingError(
                f"packer init failed: {_findings(installed)[0].summary}",
                hint="without a way to github.com, put the amazon plugin where PACKER_PLUGIN_PATH says",
            )
    answer = process.run(validate_argv(packer, single_file), cwd=folder, env=env)
    return _findings(answer) if answer.returncode != 0 else ()


def build_argv(packer: Packer, single_file: str, variables: Mapping[str, str]) -> list[str]:
    """Build the command that builds: the folder, or with an old packer the one file.

    Raises:
        UsageError: packer would evaluate a value.

    """
    words = [packer.executable, "build", "-color=false"]
    for name, value in variables.items():
        if "{{" in value:
            raise UsageError(f"{name}: packer would evaluate {value}", hint="it must hold no {{")
        words += ["-var", f"{name}={value}"]
    return [*words, "." if packer.is_modern else single_file]


def build(
    packer: Packer,
    folder: Path,
    single_file: str,
    variables: Mapping[str, str],
    environ: Mapping[str, str],
    on_line: Callable[[str], None],
) -> str:
    """Build the image of a folder that `validate` has found valid, and return its id.

    Args:
        packer: from `find_packer`.
        folder: holds the ``*.pkr.hcl`` files.
        single_file: name of the one file in it that packer < 1.7 understands.
        variables: values of the template's variables.
        environ: the caller's environment; packer sees its allowed part.
        on_line: is told of packer's progress.

    Raises:
        StoppedError: the user stopped it, and packer has cleaned up.
        ToolError: the build failed, and packer has cleaned up.

    """
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        if progress := _progress(line):
            on_line(progress)

    manifest = folder / MANIFEST_FILE
    given = {**variables, "manifest_file": str(manifest)}
    argv = build_argv(packer, single_file, given)
    env = child_environment(environ)
    # Packer is two processes. The outer one ignores SIGINT, which a terminal would send to the inner one as well.
    done = process.run(argv, cwd=folder, env=env, on_line=hear, stop_signal=signal.SIGTERM)
    if done.returncode != 0 or not manifest.is_file():
        said = next(_errors(lines), "") or " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ToolError(f"packer build failed: {said}", hint="packer's own lines above say what it was doing")
    return image_id(manifest.read_text())


def image_id(manifest: str) -> str:
    """The image that packer's manifest tells of as the last one it built, ``region:ami-…`` there."""
    artifact: str = json.loads(manifest)["builds"][-1]["artifact_id"]
    return artifact.rpartition(":")[2]


def _progress(line: str) -> str:
    """A line of packer's without the name of the one source that it builds."""
    return re.sub(r"^(==>|   ) [\w-]+\.[\w-]+: ?", lambda found: "" if found[1] == "==>" else "  ", line).rstrip()


def _errors(lines: list[str]) -> Iterator[str]:
    """The errors that packer lists at its end."""
    for line in lines:
        if found := re.match(r"--> [\w-]+\.[\w-]+: (.+)", line):
            yield found[1].rstrip(".")


def _findings(answer: process.Completed) -> tuple[Diagnostic, ...]:
    """Read the errors; packer prints them on stdout or on stderr, by version, and some of them twice."""
    text = answer.stdout + answer.stderr
    errors = dict.fromkeys(parse_plain(text))
    return tuple(errors) or (Diagnostic("error", " ".join(text.split()) or f"exit code {answer.returncode}"),)
