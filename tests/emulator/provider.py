"""The real AWS provider, started once for many runs of the real terraform.

Half of what a short run of terraform costs is to hash its provider, which has 700 MB, and to start it. Terraform can
use a provider that runs already, as HashiCorp's own tests do: here a script ``terraform``, the first on PATH, tells the
real one where that is. gen-infra passes no such setting on, and does not know of it.

The provider talks to the account that its own environment names, so there is one for each account. See
https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gen_infra.terraform.adapter import find_terraform
from gen_infra.terraform.provider import os_arch
from gen_infra.tools.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_VARIABLE = "TF_REATTACH_PROVIDERS="


def provider_of(folder: Path) -> Path:
    """The program that ``terraform init`` has installed in the folder."""
    (found,) = folder.glob(f".terraform/providers/*/hashicorp/aws/*/{os_arch()}/terraform-provider-aws_v*")
    return found


@contextmanager
def running_provider(
    program: Path, folder: Path, environ: Mapping[str, str], *, root: Path | None = None
) -> Iterator[dict[str, str]]:
    """The environment with a ``terraform`` that uses the provider which runs meanwhile.

    Args:
        program: the provider's.
        folder: where that ``terraform`` goes.
        environ: what the provider sees too, as if terraform had started it.
        root: the root module, whose paths to files begin there; made if need be. Without one nothing can be applied
            that is read from a file.
    """
    (root or folder).mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        [program, "-debug"],
        cwd=root or folder,
        env=child_environment(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as provider:
        try:
            assert provider.stdout
            setting = next(line.strip() for line in provider.stdout if _VARIABLE in line)
            folder.mkdir(parents=True, exist_ok=True)
            terraform = folder / "terraform"
            terraform.write_text(f'#!/bin/sh\n{setting} exec {shlex.join(find_terraform(os.environ).argv)} "$@"\n')
            terraform.chmod(0o755)
            yield {**environ, "PATH": f"{folder}{os.pathsep}{environ['PATH']}"}
        finally:
            provider.terminate()
