"""Start the real AWS provider once for many runs of the real terraform.

A short run of terraform spends half of its CPU time on the provider: it hashes 700 MB and starts a process. Terraform
can use a provider that runs already, as HashiCorp's own tests do. Here a script named ``terraform``, first on PATH,
sets the variable for that and runs the real terraform. gen-infra itself does not pass the variable on. Between the two
stands `short_schema`.

The provider calls the account that its own environment variables name, so each account needs one. See
https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra.terraform.adapter import find_terraform
from gen_infra.terraform.provider import os_arch
from gen_infra.tools.child_environment import child_environment
from tests.emulator.short_schema import served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VARIABLE = "TF_REATTACH_PROVIDERS="
_UNTIL_STDIN_ENDS = '"$@" </dev/null & read -r _; kill $!; wait'  # so that a killed test process leaves no provider


def provider_of(folder: Path) -> Path:
    """Return the path of the program that ``terraform init`` installed in the folder."""
    (found,) = folder.glob(f".terraform/providers/*/hashicorp/aws/*/{os_arch()}/terraform-provider-aws_v*")
    return found


@contextmanager
def running_provider(
    program: Path, folder: Path, environ: Mapping[str, str], *, root: Path | None = None
) -> Iterator[dict[str, str]]:
    """Run the provider; yield environment variables with a ``terraform`` on PATH that uses it.

    Args:
        program: the path of the provider's program.
        folder: where the script ``terraform`` is written.
        environ: the environment variables of the caller, which the provider sees too.
        root: the root module's folder, created if missing. The provider reads files, such as a function's zip, relative
            to it; without a root such resources can be planned but not applied.
    """
    (root or folder).mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        ["sh", "-c", _UNTIL_STDIN_ENDS, "sh", program, "-debug"],
        cwd=root or folder,
        env=child_environment(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as provider:
        try:
            assert provider.stdout
            printed = next(line.strip() for line in provider.stdout if _VARIABLE in line)
            (setting,) = shlex.split(printed.removeprefix(_VARIABLE))
            with tempfile.TemporaryDirectory() as sockets, served(setting, Path(sockets) / "provider") as setting:
                folder.mkdir(parents=True, exist_ok=True)
                terraform = folder / "terraform"
                argv = shlex.join(find_terraform(os.environ).argv)
                terraform.write_text(f'#!/bin/sh\n{_VARIABLE}{shlex.quote(setting)} exec {argv} "$@"\n')
                terraform.chmod(0o755)
                yield {**environ, "PATH": f"{folder}{os.pathsep}{environ['PATH']}"}
        finally:
            provider.communicate()
