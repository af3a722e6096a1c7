"""Measure what bench/README.md shows: each command against its floor, in turn, in one run.

    python bench/run.py            print the table
    python bench/run.py --check    and exit 1 where a ratio is above its limit

Whole processes on an otherwise idle machine; the ratio is that of the medians. Only the last row measures within one
process, where imports are out of the way.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from gen_infra.manifest import load_with_warnings
from gen_infra.render import render
from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.terraform.provider import find_provider
from gen_infra.tools.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
RUNS = 15
HELP_LIMIT, RENDER_LIMIT, VALIDATION_LIMIT, GARBAGE_LIMIT = 1.5, 2.5, 1.5, 1.0
GEN_INFRA = [str(Path(sys.executable).with_name("gen-infra"))]
BARE = [sys.executable, str(Path(__file__).parent / "bare" / "render.py")]


class Row(NamedTuple):
    """One comparison: the ratio may be ``limit`` at most; ``fresh`` is removed before each run of the command."""

    name: str
    command: Sequence[str]
    floor: Sequence[str]
    limit: float
    fresh: Path | None = None


def main() -> int:
    """Print the table; with ``--check``, 1 where a limit is broken."""
    broken = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'':<42}{'ms':>8}{'floor ms':>10}{'ratio':>8}{'limit':>8}")
        for row in rows(folder):
            broken += show(row.name, *measure(row), row.limit)
        validation, rendering = stages(folder / "1000" / "manifests" / "prod.yaml")
        broken += show("  validation, against rendering", validation, rendering, VALIDATION_LIMIT)
    return int("--check" in sys.argv and broken > 0)


def show(name: str, command: float, floor: float, limit: float) -> bool:
    """Print one comparison; whether it breaks its limit."""
    ratio = command / floor
    print(f"{name:<42}{command * 1000:8.0f}{floor * 1000:10.0f}{ratio:8.2f}{limit:8.1f}")
    return ratio > limit


def stages(manifest: Path) -> tuple[float, float]:
    """Medians, in this process, of reading a manifest by every rule, and of rendering it in memory."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        loaded = load_with_warnings(manifest)
        between = time.perf_counter()
        render(loaded.manifest)
        times.append((between - start, time.perf_counter() - between))
    validations, renderings = zip(*times[1:], strict=True)
    return statistics.median(validations), statistics.median(renderings)


def rows(folder: Path) -> Iterator[Row]:
    """The comparisons, with everything that they read and write below ``folder``."""
    yield Row(
        "--help, against `import click`", [*GEN_INFRA, "--help"], [sys.executable, "-c", "import click"], HELP_LIMIT
    )
    for count in (4, 1000):
        manifests, ours, bare, static = (folder / str(count) / part for part in ("manifests", "ours", "bare", "static"))
        manifests.mkdir(parents=True)
        command = [*GEN_INFRA, "render", str(with_jobs(manifests, count)), "--out", str(ours)]
        seconds(command)
        for part in ("terraform/modules", "terraform/job-functions.zip", "packer"):
            copy(ours / "prod" / part, static / part)
        floor = [*BARE, str(manifests / "prod.yaml"), str(bare), str(static)]
        seconds(floor)
        print(f"{count} job definitions: {size(ours):,} bytes, the floor writes {size(bare):,}")
        yield Row("  render, nothing there yet", command, floor, RENDER_LIMIT, fresh=ours)
        yield Row("  render, nothing changed", command, floor, RENDER_LIMIT)
    yield collecting_garbage(folder / "4" / "ours" / "prod" / "terraform")


def collecting_garbage(folder: Path) -> Row:
    """Compare `terraform validate` with the garbage collection that gen-infra sets, and with Go's default."""
    binary = find_terraform(os.environ)
    provider = find_provider(os.environ, flavour=binary.flavour).plugin_dir
    Terraform(binary, folder, os.environ).init(backend=False, plugin_dir=provider)
    command = [*binary.argv, f"-chdir={folder}", "validate"]
    ours, theirs = (["env", f"GOGC={often}", *command] for often in (child_environment({})["GOGC"], "100"))
    return Row("terraform validate, against Go's default", ours, theirs, GARBAGE_LIMIT)


def with_jobs(folder: Path, count: int) -> Path:
    """prod.yaml with this many job definitions, beside its parent."""
    base = yaml.safe_load((ROOT / "envs" / "base.yaml").read_text())
    like_isaac = {**base["jobs"]["isaac"], "environment": {"THREADS": "4", "MODE": "fast"}}
    base["jobs"] |= {f"job{number}": like_isaac for number in range(count - len(base["jobs"]))}
    text = yaml.dump(base, Dumper=_NoAliases, sort_keys=False)
    (folder / "base.yaml").write_text(text)
    return Path(shutil.copy(ROOT / "envs" / "prod.yaml", folder / "prod.yaml"))


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def measure(row: Row) -> tuple[float, float]:
    """Medians, in seconds, of the command and of its floor, run in turn after one run that does not count."""
    samples = []
    for _ in range(RUNS + 1):
        if row.fresh:
            shutil.rmtree(row.fresh)
        samples.append((seconds(row.command), seconds(row.floor)))
    commands, floors = zip(*samples[1:], strict=True)
    return statistics.median(commands), statistics.median(floors)


def seconds(command: Sequence[str]) -> float:
    """How long the whole process takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def copy(source: Path, target: Path) -> None:
    """A file or a folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
