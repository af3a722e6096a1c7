"""Build the wheel, and install it in an environment of its own, for tests of what people install."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def build_wheel(source: Path, folder: Path, **environ: str) -> Path:
    """Build the wheel of a checkout into a new folder."""
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(source)]
    subprocess.run(command, check=True, env={**os.environ, **environ})
    (built,) = folder.glob("*.whl")
    return built


def install_wheel(wheel: Path, home: Path) -> Path:
    """Install the wheel in a new environment, which has the dependencies of this one; return its folder."""
    venv.create(home, with_pip=False)
    python = str(home / "bin" / "python")
    install = ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *install], check=True)
    # A path in a .pth file does not bring the editable gen-infra along.
    (site,) = home.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return home
