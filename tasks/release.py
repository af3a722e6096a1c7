"""Build what a release consists of, and its notes; the release workflow calls this.

``dist/`` then has the wheel and the source distribution in ``packages/``, a bill of materials in CycloneDX's format in
``sbom.cdx.json``, and ``notes.md``. The wheel is built twice, from the checkout and from the source distribution:
different bytes stop the release.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = Path(__file__).parents[1]


def build(folder: Path, environment: Path) -> None:
    """Write the distributions and the bill of materials to a folder.

    Args:
        folder: where they are written.
        environment: a new folder, in which the wheel and its locked dependencies are installed to list them.

    Raises:
        SystemExit: the two wheels differ.
    """
    packages = folder / "packages"
    _build(_ROOT, packages, "--sdist", "--wheel")
    (wheel,), (source,) = packages.glob("*.whl"), packages.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        with tarfile.open(source) as archive:
            archive.extractall(scratch, filter="data")
        (unpacked,) = scratch.iterdir()
        _build(unpacked, scratch / "again", "--wheel")
        if (scratch / "again" / wheel.name).read_bytes() != wheel.read_bytes():
            sys.exit(f"{wheel.name} has other bytes when it is built from {source.name}")
    _write_sbom(wheel, environment, folder / "sbom.cdx.json")


def _build(source: Path, folder: Path, *kinds: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True)  # noqa: S603 - our own words


def _write_sbom(wheel: Path, environment: Path, file: Path) -> None:
    """List what ``pip install gen-infra`` brings, with the tested versions of the dependencies."""
    venv.create(environment, with_pip=False)
    python = str(environment / "bin" / "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
    lock = str(_ROOT / "requirements" / "runtime.lock")
    subprocess.run([*install, "--require-hashes", "--requirement", lock], check=True)  # noqa: S603
    subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True)  # noqa: S603
    options = ["--pyproject", str(_ROOT / "pyproject.toml"), "--output-reproducible", "--output-file", str(file)]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", "environment", *options, python], check=True)  # noqa: S603


def notes(version: str) -> str:
    """Return the notes of a release: its section of the changelog, then the commits since the tag before it."""
    sections = re.split(r"^(?=## )", (_ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    (section,) = (each for each in sections if each.split()[:2] == ["##", version])
    before = _git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^").strip()
    commits = _git("log", "--no-merges", "--format=* %s (%h)", f"{before}..HEAD" if before else "HEAD")
    _, _, changes = section.partition("\n")
    return f"{changes.strip()}\n\n## Commits\n\n{commits}"


def _git(*words: str) -> str:
    """Return what git prints; nothing where it finds nothing."""
    git = shutil.which("git") or sys.exit("git is not on PATH")
    return subprocess.run([git, *words], capture_output=True, check=False, cwd=_ROOT, text=True).stdout  # noqa: S603


def main(arguments: Sequence[str] | None = None) -> None:
    """Build a release, or print its notes."""
    parser = argparse.ArgumentParser(prog="python -m tasks.release", description=__doc__)
    parser.add_argument("what", choices=["dist", "notes"])
    parser.add_argument("--tag", help="The pushed tag: v and the version.")
    options = parser.parse_args(arguments)
    if options.tag and options.tag != f"v{__version__}":
        parser.error(f'the tag "{options.tag}" is not v{__version__}, the version in generator/gen_infra/__init__.py')
    if options.what == "notes":
        sys.stdout.write(notes(__version__))
        return
    folder = _ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "notes.md").write_text(notes(__version__))
    with tempfile.TemporaryDirectory() as name:
        build(folder, Path(name))


if __name__ == "__main__":
    main()
