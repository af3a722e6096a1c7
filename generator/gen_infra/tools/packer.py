"""Find packer, validate templates and build images with it.

Packer 1.7 and later read a folder and install plugins with ``packer init``. Earlier versions include amazon-ebs and
refuse the ``required_plugins`` block, so they get the one file without it.
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
    from collections.abc import Iterator, Mapping

    from gen_infra.tools.process import Progress

_NAMES = ("packer", "packer-io")  # its name in Arch Linux
_PROBE_SECONDS = 30.0
MANIFEST_FILE = "packer-manifest.json"


@dataclass(frozen=True, slots=True)
class Packer:
    """A packer executable on this machine."""

    executable: str
    version: tuple[int, int, int]

    @property
    def version_text(self) -> str:
        """Return the version as text, such as ``1.6.6``."""
        return ".".join(map(str, self.version))

    @property
    def is_modern(self) -> bool:
        """Return whether it supports ``packer init`` and ``required_plugins``."""
        return self.version >= (1, 7, 0)


def find_packer(environ: Mapping[str, str]) -> Packer | None:
    """Find HashiCorp's packer on PATH, or return None.

    Other programs have the same name (cracklib's on Red Hat), so each candidate is run for its version.
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
    """Build the command that installs the plugins of a folder."""
    return [packer.executable, "init", "."]


def validate_argv(packer: Packer, single_file: str) -> list[str]:
    """Build the command that validates the folder or, with an old packer, the one file."""
    return [packer.executable, "validate", "." if packer.is_modern else single_file]


def validate(packer: Packer, folder: Path, single_file: str, environ: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Validate the templates, and return the errors; needs neither AWS nor credentials.

    Args:
        packer: from `find_packer`.
        folder: the folder with the ``*.pkr.hcl`` files.
        single_file: name of the one file in it for packer before 1.7.
        environ: the caller's environment variables; packer receives the allowed ones.

    Raises:
        MissingError: the plugins cannot be installed.

    """
    env = child_environment(environ)
    if packer.is_modern:
        installed = process.run(init_argv(packer), cwd=folder, env=env)
        if installed.returncode != 0:
            raise MissingError(
                f"packer init failed: {_findings(installed)[0].summary}",
                hint="if github.com is not reachable, put the amazon plugin into the folder of PACKER_PLUGIN_PATH",
            )
    answer = process.run(validate_argv(packer, single_file), cwd=folder, env=env)
    return _findings(answer) if answer.returncode != 0 else ()


def build_argv(packer: Packer, single_file: str, variables: Mapping[str, str]) -> list[str]:
    """Build the command that builds the folder or, with an old packer, the one file.

    Raises:
        UsageError: packer would evaluate a value as a template.

    """
    words = [packer.executable, "build", "-color=false"]
    for name, value in variables.items():
        if "{{" in value:
            raise UsageError(f'invalid {name} "{value}": packer would evaluate it', hint="remove {{ from the value")
        words += ["-var", f"{name}={value}"]
    return [*words, "." if packer.is_modern else single_file]


def build(
    packer: Packer,
    folder: Path,
    single_file: str,
    variables: Mapping[str, str],
    environ: Mapping[str, str],
    progress: Progress,
) -> str:
    """Build the image of a valid folder, and return its id.

    Args:
        packer: from `find_packer`.
        folder: the folder with the ``*.pkr.hcl`` files.
        single_file: name of the one file in it for packer before 1.7.
        variables: values of the template's variables.
        environ: the caller's environment variables; packer receives the allowed ones.
        progress: receives packer's progress messages.

    Raises:
        StoppedError: the user stopped the build, and packer has cleaned up.
        ToolError: the build failed, and packer has cleaned up.

    """
    lines: list[str] = []

    def on_output(line: str) -> None:
        lines.append(line)
        if message := _message(line):
            progress(message)

    manifest = folder / MANIFEST_FILE
    given = {**variables, "manifest_file": str(manifest)}
    argv = build_argv(packer, single_file, given)
    env = child_environment(environ)
    # Packer runs as two processes. The outer one ignores SIGINT, which a terminal would also send to the inner one.
    done = process.run(argv, cwd=folder, env=env, on_line=on_output, stop_signal=signal.SIGTERM)
    if done.returncode != 0 or not manifest.is_file():
        reason = next(_errors(lines), "") or " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ToolError(f"packer build failed: {reason}", hint="read packer's messages above")
    return image_id(manifest.read_text())


def image_id(manifest: str) -> str:
    """Return the id of the last image in packer's manifest, where it is ``region:ami-…``."""
    artifact: str = json.loads(manifest)["builds"][-1]["artifact_id"]
    return artifact.rpartition(":")[2]


def _message(line: str) -> str:
    """Remove the name of packer's only source from a line."""
    return re.sub(r"^(==>|   ) [\w-]+\.[\w-]+: ?", lambda found: "" if found[1] == "==>" else "  ", line).rstrip()


def _errors(lines: list[str]) -> Iterator[str]:
    """Yield the errors that packer lists at the end of its output."""
    for line in lines:
        if found := re.match(r"--> [\w-]+\.[\w-]+: (.+)", line):
            yield found[1].rstrip(".")


def _findings(answer: process.Completed) -> tuple[Diagnostic, ...]:
    """Read the errors, which packer prints to stdout or stderr by version, and some of them twice."""
    text = answer.stdout + answer.stderr
    errors = dict.fromkeys(parse_plain(text))
    return tuple(errors) or (Diagnostic("error", " ".join(text.split()) or f"exit code {answer.returncode}"),)
