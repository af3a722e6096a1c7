"""Make the report of `prod` from the embedded AWS, with a hundred jobs of all fates.

``python -m tasks.sample_report FILE`` applies envs/prod.yaml, submits the jobs in waves, plans a change and writes the
page. It takes about five minutes, and shows what a change of the page looks like with data.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra import pipeline
from gen_infra.aws.session import clients
from gen_infra.aws.state_bucket import ensure_state_bucket
from gen_infra.aws.submission import SubmitRequest, submit
from gen_infra.check.formats import write_atomically
from gen_infra.cli.demo import embedded_aws
from gen_infra.manifest import load
from gen_infra.manifest.model.settings import StateBucket
from gen_infra.report.gather import gather
from gen_infra.report.page import page
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.environment import Environment
    from gen_infra.manifest import Manifest

_WAVES = 6
_JOBS_IN_A_WAVE = 17
_SECONDS_BETWEEN = 15
# How a job ends, by the command that the embedded AWS simulates, and how often.
_FATES = {
    "sleep {seconds}": 70,
    "sleep {seconds}; exit 1": 8,
    "sleep {seconds}; exit 137": 5,
    "sleep {long}": 6,
}


def main(file: Path) -> None:
    """Make it."""
    with tempfile.TemporaryDirectory() as name, embedded_aws():
        folder = Path(name) / "envs"
        shutil.copytree(data_dir("envs"), folder)
        environment = _applied(folder / "prod.yaml", Path(name) / "build")
        _submit_all(environment.clients, environment.manifest)
        changed = _planned_change(folder / "prod.yaml", Path(name) / "build")
        report = gather(changed, folder / "prod.yaml", _progress, since=timedelta(days=7))
        write_atomically(file, page(report))


def _applied(manifest_path: Path, out: Path) -> Environment:
    manifest = load(manifest_path)
    if isinstance(manifest.state, StateBucket):
        aws = clients(manifest.region)
        list(ensure_state_bucket(aws, manifest.state.bucket, manifest.account, manifest.tags))
    environment = pipeline.load(manifest_path, out)
    pipeline.write(environment)
    plan = pipeline.make_plan(environment, lambda _: None, _progress)
    pipeline.apply(environment, plan, lambda _: None, _progress)
    return environment


def _submit_all(aws: Clients, manifest: Manifest) -> None:
    """Submit the jobs in waves; the last ones still wait or run when this returns."""
    chosen = random.Random(7)  # noqa: S311 - the same page each time
    for wave in range(_WAVES):
        _progress(f"wave {wave + 1} of {_WAVES}")
        for number in range(_JOBS_IN_A_WAVE):
            submit(aws, _request(manifest, f"NA{12800 + wave * _JOBS_IN_A_WAVE + number}", chosen))
        for request in _special(manifest, wave):
            submit(aws, request)
        time.sleep(_SECONDS_BETWEEN)


def _request(manifest: Manifest, sample: str, chosen: random.Random) -> SubmitRequest:
    job = chosen.choice([*manifest.jobs])
    fate = chosen.choices([*_FATES], [*_FATES.values()])[0]
    command = fate.format(seconds=chosen.randint(4, 40), long=chosen.randint(60, 300))
    queue = manifest.queue_name(chosen.choice([*manifest.queues]))
    return SubmitRequest(f"{job}-{sample}", queue, manifest.definition_name(job), ("sh", "-c", command))


def _special(manifest: Manifest, wave: int) -> Iterator[SubmitRequest]:
    """Yield an array in which children fail, a job that exceeds its timeout, and one that no instance can hold."""
    queue, definition = manifest.queue_name("lowPriority"), manifest.definition_name("samtoolsStats")
    if wave == 0:
        yield SubmitRequest("cohort", queue, definition, ("sh", "-c", "sleep 30"), array_size=20)
        yield SubmitRequest("endless", queue, definition, ("sh", "-c", "sleep 900"), timeout_seconds=60, attempts=1)
    if wave == 2:
        yield SubmitRequest("too-large", queue, definition, ("true",), memory_mib=4_000_000)


def _planned_change(manifest_path: Path, out: Path) -> Environment:
    text = manifest_path.read_text(encoding="utf-8")
    manifest_path.write_text(text.replace("bid_percentage: 50, max_vcpus: 1024", "bid_percentage: 60, max_vcpus: 2048"))
    base = manifest_path.with_name("base.yaml")
    base.write_text(base.read_text(encoding="utf-8").replace("memory_mib: 80000", "memory_mib: 96000"))
    environment = pipeline.load(manifest_path, out)
    pipeline.write(environment)
    pipeline.make_plan(environment, lambda _: None, _progress)
    return environment


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
