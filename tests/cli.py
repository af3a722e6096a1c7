"""The command line as a user runs it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# What the machine's own AWS and Terraform settings could change in a test.
_FOREIGN = ("AWS_", "TF_", "CKV_", "PKR_", "GEN_INFRA_", "NO_COLOR")


def clean_environ(**extra: str) -> dict[str, str]:
    """This process's environment without foreign settings, and with no way to real credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **extra}  # fmt: skip


def gen_infra(
    *arguments: str | Path, environ: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run ``gen-infra ARGUMENTS`` without a terminal."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**clean_environ(), **(environ or {})},
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=timeout,
    )


def command(*arguments: str | Path) -> list[str]:
    """The words that start gen-infra."""
    return [sys.executable, "-m", "gen_infra", *map(str, arguments)]
