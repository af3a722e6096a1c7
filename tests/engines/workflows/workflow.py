"""A redun workflow of two steps with samtools, and a task that fails."""

import subprocess
from pathlib import Path

from redun import File, task

redun_namespace = "lengths"


@task(executor="batch")
def index(reference: File, place: str) -> File:
    Path("reference.fa").write_bytes(reference.read("rb"))
    subprocess.run(["samtools", "faidx", "reference.fa"], check=True)
    target = File(f"{place}/reference.fa.fai")
    target.write(Path("reference.fa.fai").read_text())
    return target


@task(executor="batch")
def total(index: File, place: str) -> File:
    target = File(f"{place}/total.txt")
    target.write(f"{sum(int(line.split()[1]) for line in index.read().splitlines())}\n")
    return target


@task(executor="batch")
def broken() -> None:
    subprocess.run(["samtools", "faidx", "/missing.fa"], check=True)


@task()
def main(reference: File, place: str) -> File:
    return total(index(reference, place), place)
