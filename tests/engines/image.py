"""Make the root file system of an image that contains the engines, samtools, and the programs that tasks start."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.conftest import require_tool

_PROGRAMS = (
    *("bash", "cat", "chmod", "cp", "cut", "date", "dirname", "env", "find", "ln", "ls", "mkdir", "mv", "rm"),
    *("samtools", "sed", "sh", "sleep", "sort", "tee", "touch", "tr", "uname", "wc"),
)
_SKIPPED = shutil.ignore_patterns("__pycache__", "config-*", "ensurepip", "idlelib", "site-packages", "test", "tkinter")


def make_root(root: Path, venv: Path, wheels: Path) -> None:
    """Copy a virtual environment with its Python, the programs, and all libraries that they load.

    Args:
        root: the new root file system.
        venv: the virtual environment with the engines; it has the same path in the image.
        wheels: a folder with the wheel that Snakemake's tasks install with pip, which gets no index.
    """
    for name in ("etc", "mnt", "proc", "root", "tmp", "usr/bin", "usr/lib", "usr/lib64"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/pip.conf").write_text(
        "[global]\nno-index = true\nfind-links = /opt/wheels\n[install]\nno-deps = true\n"
    )
    shutil.copytree(wheels, root / "opt/wheels")
    loading = [Path(require_tool(name)).resolve() for name in _PROGRAMS]
    for name, file in zip(_PROGRAMS, loading, strict=True):
        shutil.copy(file, root / "usr/bin" / name)
    base = _base(venv)
    interpreter = (base / "bin/python3").resolve()
    _copy(interpreter, root)
    (root / str(base / "bin/python3").lstrip("/")).unlink(missing_ok=True)
    (root / str(base / "bin/python3").lstrip("/")).symlink_to(interpreter.name)
    library = base / "lib" / interpreter.name
    shutil.copytree(library, root / str(library).lstrip("/"), symlinks=True, ignore=_SKIPPED)
    shutil.copytree(venv, root / str(venv).lstrip("/"), symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    loading += [interpreter, *library.glob("lib-dynload/*.so"), *venv.rglob("*.so")]
    for file in _libraries(loading):
        if not file.is_relative_to(venv):
            _copy(file, root)
    for name in ("pip", "python", "redun", "snakemake", "miniwdl"):
        script = root / "usr/bin" / name
        script.write_text(f'#!/bin/sh\nexec {venv}/bin/{name} "$@"\n')
        script.chmod(0o755)


def _base(venv: Path) -> Path:
    code = "import sys; print(sys.base_prefix)"
    found = subprocess.run([venv / "bin/python", "-c", code], capture_output=True, text=True, check=True).stdout
    return Path(found.strip())


def _libraries(files: list[Path]) -> set[Path]:
    """Return what the dynamic loader loads for these files, and what the C library loads later."""
    listed = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False).stdout
    found = set(re.findall(r"(/\S+) \(0x", listed))
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    found |= set(re.findall(r"(?:libgcc_s\.so\.1|libnss_\w+\.so\.2|libresolv\.so\.2) .* => (/\S+)", known))
    return {Path(each) for each in found}


def _copy(file: Path, root: Path) -> None:
    target = root / str(file.parent.resolve() / file.name).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file.resolve(), target)
