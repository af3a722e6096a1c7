"""Measure what bench/README.md shows: each command against its floor, in turn, in one run.

    python -m bench.run            print the table
    python -m bench.run --check    and exit 1 where a ratio is above its limit

Whole processes; the ratio is the median of each pair's, because other work on the machine slows both of a pair. Python
commands are compared by CPU time, those that wait for tools by the time that passes. The rows "in one process" measure
within this process, by CPU time, without imports.
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import yaml
from tasks.compile_templates import compile_templates

from gen_infra.manifest import Loaded, Manifest, load_with_warnings, rules
from gen_infra.manifest.reading.validation import place, validate
from gen_infra.render.files import render
from gen_infra.render.templates import COMPILED
from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.terraform.provider import find_provider
from gen_infra.tools.checkov.adapter import find_checkov
from gen_infra.tools.child_environment import child_environment

ROOT = Path(__file__).parents[1]
GEN_INFRA = [str(Path(sys.executable).with_name("gen-infra"))]
BARE = [sys.executable, str(Path(__file__).parent / "bare" / "render.py")]
ENVIRONMENTS = 20
# An installed package has its bytecode; without credentials no plan is made.
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if name != "PYTHONDONTWRITEBYTECODE" and not name.startswith("AWS_")
}
ENVIRON |= {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}

Command = Sequence[str]


class Row(NamedTuple):
    """One comparison.

    Args:
        name: the row's name.
        commands: what is measured, one after the other.
        floor: what it is measured against, likewise; its time counts ``times``.
        limit: the ratio may be this at most.
        fresh: folders that are removed before each pair.
        runs: how often both run.
        times: for how many runs of the floor one stands.
        by_clock: whether the time that passes is measured, or CPU time.
    """

    name: str
    commands: Sequence[Command]
    floor: Sequence[Command]
    limit: float
    fresh: Sequence[Path] = ()
    runs: int = 9
    times: int = 1
    by_clock: bool = False


def main() -> int:
    """Print the table; with ``--check``, return 1 where a limit is broken."""
    compile_templates(COMPILED)
    broken = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'':<58}{'ms':>8}{'floor ms':>10}{'ratio':>8}{'limit':>8}")
        for row in chain(start_up(), renderings(folder)):
            broken += show(row.name, *measure(row), row.limit)
        for title, measured, floor, limit in in_one_process(folder):
            broken += show(title, measured, floor, measured / floor, limit)
        for row in chain(several(folder), checks(folder), collecting_garbage(folder)):
            broken += show(row.name, *measure(row), row.limit)
    return int("--check" in sys.argv and broken > 0)


def show(name: str, command: float, floor: float, ratio: float, limit: float) -> bool:
    """Print one comparison; return whether it breaks its limit."""
    print(f"{name:<58}{command * 1000:8.0f}{floor * 1000:10.0f}{ratio:8.2f}{limit:8.2g}", flush=True)
    return ratio > limit


def start_up() -> Iterator[Row]:
    """Measure the command that needs least."""
    yield Row("--help, against `import click`", [[*GEN_INFRA, "--help"]], [[sys.executable, "-c", "import click"]], 1.2)


def renderings(folder: Path) -> Iterator[Row]:
    """Measure rendering against the bare script; both read and write below ``folder``."""
    for count, limit_of_new in ((4, 1.6), (1000, 1.2)):
        manifests, ours, bare, static = (folder / str(count) / part for part in ("manifests", "ours", "bare", "static"))
        manifests.mkdir(parents=True)
        command = [*GEN_INFRA, "render", str(with_jobs(manifests, count)), "--out", str(ours)]
        seconds(command)
        for part in ("terraform/modules", "terraform/job-functions.zip", "packer"):
            copy(ours / "prod" / part, static / part)
        floor = [*BARE, str(manifests / "prod.yaml"), str(bare), str(static)]
        seconds(floor)
        print(f"{count} job definitions: {size(ours):,} bytes, the floor writes {size(bare):,}")
        yield Row(
            "  render, nothing there yet, against the bare script", [command], [floor], limit_of_new, fresh=(ours, bare)
        )
        yield Row("  render, nothing changed, against the bare script", [command], [floor], 0.6)


def in_one_process(folder: Path) -> Iterator[tuple[str, float, float, float]]:
    """Measure reading by every rule against rendering, and both with more definitions against as many times 1000."""
    gc.set_threshold(100_000)  # as the command has it
    reading: dict[int, float] = {}
    rendering: dict[int, float] = {}
    for count in (1000, 5000, 10_000):
        manifests = folder / str(count) / "manifests"
        manifests.mkdir(parents=True, exist_ok=True)
        manifest = with_jobs(manifests, count)
        reading[count] = median(partial(load_with_warnings, manifest), 15_000 // count)
        loaded = load_with_warnings(manifest)
        rendering[count] = median(partial(render, loaded.manifest), 15_000 // count)
        if count == 1000:
            validating = median(partial(revalidate, loaded), 15)
    print("in one process")
    yield "  validating 1000 definitions, against rendering them", validating, rendering[1000], 0.5
    yield "  reading and validating them, against rendering them", reading[1000], rendering[1000], 0.7
    for count in (5000, 10_000):
        many = count // 1000
        yield f"  reading {count:,} definitions, against {many} times 1000", reading[count], many * reading[1000], 1.3
        yield (
            f"  rendering {count:,} definitions, against {many} times 1000",
            rendering[count],
            many * rendering[1000],
            1.3,
        )


def revalidate(loaded: Loaded) -> None:
    """Validate what was read: types, and every rule."""
    manifest = validate(loaded.nodes, Manifest)
    assert isinstance(manifest, Manifest)  # noqa: S101 - it was valid
    place(loaded.nodes, [*rules.errors(manifest), *rules.warnings(manifest)])


def median(action: Callable[[], object], runs: int) -> float:
    """Return the median, in seconds, of an action in this process, after one run that does not count."""
    times = []
    for _ in range(max(runs, 1) + 1):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def several(folder: Path) -> Iterator[Row]:
    """Measure twenty environments in one run, against twenty runs of one of them."""
    manifests = folder / "several"
    manifests.mkdir()
    shutil.copy(ROOT / "envs" / "base.yaml", manifests / "base.yaml")
    prod = (ROOT / "envs" / "prod.yaml").read_text()
    paths = [manifests / f"env{number}.yaml" for number in range(ENVIRONMENTS)]
    for path in paths:
        path.write_text(prod.replace("name: prod", f"name: {path.stem}"))
    out = ["--out", str(folder / "several" / "build")]
    for command, runs, limit in (("render", 5, 0.2), ("check", 1, 0.2)):
        together = [*GEN_INFRA, command, *map(str, paths), *out]
        one = [*GEN_INFRA, command, str(paths[0]), *out]
        name = f"{command} of {ENVIRONMENTS} environments, against {ENVIRONMENTS} runs"
        yield Row(name, [together], [one], limit, runs=runs, times=ENVIRONMENTS, by_clock=command == "check")


def checks(folder: Path) -> Iterator[Row]:
    """Measure one environment by every tool, against two of them as they are, one after the other."""
    rendered = folder / "4" / "ours" / "prod" / "terraform"
    initialized(rendered)
    bare = folder / "bare-checkov"
    shutil.copytree(rendered, bare, ignore=shutil.ignore_patterns(".terraform*"))
    binary = find_terraform(os.environ)
    checkov = [str(Path(find_checkov(os.environ).python).with_name("checkov")), "--directory", str(bare)]
    floor = [
        [*binary.argv, f"-chdir={rendered}", "validate"],
        [*checkov, "--skip-download", "--quiet", "--compact", "--soft-fail"],
    ]
    command = [*GEN_INFRA, "check", str(folder / "4" / "manifests" / "prod.yaml"), "--out", str(folder / "4" / "ours")]
    yield Row("check, against terraform validate and then checkov", [command], floor, 0.5, runs=3, by_clock=True)


def collecting_garbage(folder: Path) -> Iterator[Row]:
    """Measure `terraform validate` with the garbage collection that gen-infra sets for Go, and with Go's default."""
    rendered = folder / "4" / "ours" / "prod" / "terraform"
    command = [*initialized(rendered).binary.argv, f"-chdir={rendered}", "validate"]
    ours, theirs = (["env", f"GOGC={often}", *command] for often in (child_environment({})["GOGC"], "100"))
    yield Row("terraform validate, against Go's default", [ours], [theirs], 1.0, runs=5, by_clock=True)


def initialized(folder: Path) -> Terraform:
    """Initialize Terraform in a folder, with its provider and without a backend."""
    binary = find_terraform(os.environ)
    terraform = Terraform(binary, folder, os.environ)
    terraform.init(backend=False, plugin_dir=find_provider(os.environ, flavour=binary.flavour).plugin_dir)
    return terraform


def with_jobs(folder: Path, count: int) -> Path:
    """Write prod.yaml with this many job definitions, beside its parent."""
    base = yaml.safe_load((ROOT / "envs" / "base.yaml").read_text())
    like_isaac = {**base["jobs"]["isaac"], "environment": {"THREADS": "4", "MODE": "fast"}}
    base["jobs"] |= {f"job{number}": like_isaac for number in range(count - len(base["jobs"]))}
    text = yaml.dump(base, Dumper=_NoAliases, sort_keys=False)
    (folder / "base.yaml").write_text(text)
    return Path(shutil.copy(ROOT / "envs" / "prod.yaml", folder / "prod.yaml"))


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def measure(row: Row) -> tuple[float, float, float]:
    """Return the medians of seconds and of the ratio: commands and floor in turn, after one run that does not count."""
    samples = []
    for _ in range(row.runs + 1):
        for written in row.fresh:
            shutil.rmtree(written)
        ours, floor = (sum(seconds(each, by_clock=row.by_clock) for each in side) for side in (row.commands, row.floor))
        samples.append((ours, floor * row.times, ours / (floor * row.times)))
    commands, floors, ratios = map(statistics.median, zip(*samples[1:], strict=True))
    return commands, floors, ratios


def seconds(command: Command, *, by_clock: bool = True) -> float:
    """Return how long the whole process takes, or the CPU time of it and its children."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=ENVIRON, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return time.perf_counter() - start if by_clock else cpu


def copy(source: Path, target: Path) -> None:
    """Remove a file or a folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def size(folder: Path) -> int:
    """Count the bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
