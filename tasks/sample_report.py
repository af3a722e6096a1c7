"""Make the report of `prod` from the embedded AWS, with a hundred jobs of all fates.

``python -m tasks.sample_report FILE`` applies envs/prod.yaml with the alarms of envs/examples/blocked-queues.yaml,
submits the jobs in waves, plans a change and writes the page. It takes about five minutes, needs root, runc and
busybox-static, and shows what a change of the page looks like with data. The jobs run for seconds; the page shows each
second as ten minutes.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra import emulator, pipeline
from gen_infra.aws.session import clients
from gen_infra.aws.state_bucket import ensure_state_bucket
from gen_infra.aws.submission import SubmitRequest, submit
from gen_infra.check.formats import write_atomically
from gen_infra.cost import estimate
from gen_infra.manifest import load
from gen_infra.manifest.model.settings import StateBucket
from gen_infra.report.gather import gather
from gen_infra.report.page import page
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.cost.history import SpendGroup
    from gen_infra.environment import Environment
    from gen_infra.manifest import Manifest
    from gen_infra.report.data import EnvironmentReport, HistoryJob, LiveData, QueueNow

_WAVES = 6
_JOBS_IN_A_WAVE = 17
_SECONDS_BETWEEN = 15
_SLOWER = 600
_BUSYBOX = Path("/bin/busybox")
# How a job ends, and how often.
_FATES = {
    "sleep {seconds}": 70,
    "sleep {seconds}; echo 'fatal: unexpected end of FASTQ'; exit 1": 5,
    "sleep {seconds}; echo 'java.lang.OutOfMemoryError: Java heap space'; exit 1": 4,
    "sleep {seconds}; echo 'write failed: No space left on device'; exit 1": 3,
    "sleep {seconds}; exit 137": 5,
    "sleep {long}": 8,
}
_CHANGES = {
    "prod.yaml": ("bid_percentage: 50, max_vcpus: 1024", "bid_percentage: 60, max_vcpus: 2048"),
    "base.yaml": ("memory_mib: 80000", "memory_mib: 96000"),
}


def main(file: Path) -> None:
    """Make it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(data_dir("envs"), folder / "envs")
        manifest_path, out = folder / "envs/prod.yaml", folder / "build"
        _with_alarms(manifest_path)
        _offer_images(folder / "images", load(manifest_path))
        with emulator.start(images=folder / "images") as running:
            os.environ.update(running.environ)
            os.chdir(folder)
            environment = _applied(manifest_path, out)
            _submit_all(environment.clients, environment.manifest)
            changed = _planned_change(manifest_path, out)
            _fire(environment)
            report = gather(changed, Path("envs/prod.yaml"), _progress, since=timedelta(days=7))
        write_atomically(file, page(_slower(report, changed.manifest)))


def _with_alarms(manifest_path: Path) -> None:
    example = manifest_path.with_name("examples") / "blocked-queues.yaml"
    _, key, block = example.read_text(encoding="utf-8").partition("notifications:")
    with manifest_path.open("a", encoding="utf-8") as file:
        file.write(key + block)


def _fire(environment: Environment) -> None:
    """Put one alarm into the state ALARM, which has no measurements that would clear it."""
    alarm = next(each for each in environment.manifest.alarms if each.startswith("batchRuleFailed"))
    environment.clients.alarms.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a sample")


def _offer_images(folder: Path, manifest: Manifest) -> None:
    """Make the images of the jobs: a shell, and what the commands above need."""
    for job in manifest.jobs.values():
        for container in job.all_containers.values():
            programs = folder / manifest.image_uri(container.image) / "bin"
            programs.mkdir(parents=True)
            shutil.copy(_BUSYBOX, programs / "busybox")
            for program in ("sh", "sleep", "true"):
                (programs / program).symlink_to("busybox")


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
    chosen = random.Random(7)  # noqa: S311 - the same jobs each time
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
    attempts = chosen.choice([1, 1, 1, 2])
    return SubmitRequest(
        f"{job}-{sample}", queue, manifest.definition_name(job), ("sh", "-c", command), attempts=attempts
    )


def _special(manifest: Manifest, wave: int) -> Iterator[SubmitRequest]:
    """Yield an array, a job that exceeds its timeout, and one that no instance can hold."""
    queue, definition = manifest.queue_name("lowPriority"), manifest.definition_name("samtoolsStats")
    if wave == 0:
        yield SubmitRequest("cohort", queue, definition, ("sh", "-c", "sleep 30"), array_size=20)
        yield SubmitRequest("endless", queue, definition, ("sleep", "900"), timeout_seconds=60, attempts=1)
    if wave == 2:
        yield SubmitRequest("too-large", queue, definition, ("true",), memory_mib=4_000_000)


def _planned_change(manifest_path: Path, out: Path) -> Environment:
    for name, (before, after) in _CHANGES.items():
        path = manifest_path.with_name(name)
        path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    environment = pipeline.load(manifest_path, out)
    pipeline.write(environment)
    pipeline.make_plan(environment, lambda _: None, _progress)
    return environment


def _slower(report: EnvironmentReport, manifest: Manifest) -> EnvironmentReport:
    """Return the report as if everything in AWS Batch had taken longer."""
    if report.live is None:
        return report
    live, end = report.live, report.live.until

    def earlier(at: datetime) -> datetime:
        return end - (end - at) * _SLOWER

    def group(each: SpendGroup) -> SpendGroup:
        usd = replace(each.usd, usd=each.usd.usd * _SLOWER)
        return replace(each, vcpu_hours=each.vcpu_hours * _SLOWER, usd=usd)

    def job(each: HistoryJob) -> HistoryJob:
        spans = tuple(replace(span, start=earlier(span.start), end=earlier(span.end)) for span in each.spans)
        ended = each.ended and earlier(each.ended)
        hours, usd = each.vcpu_hours * _SLOWER, each.usd and each.usd * _SLOWER
        return replace(each, created=earlier(each.created), ended=ended, spans=spans, vcpu_hours=hours, usd=usd)

    def queue(each: QueueNow) -> QueueNow:
        return replace(each, oldest_runnable=each.oldest_runnable and earlier(each.oldest_runnable))

    slower: LiveData = replace(
        live,
        jobs=tuple(map(job, live.jobs)),
        queues=tuple(map(queue, live.queues)),
        spent=tuple(map(group, live.spent)),
    )
    hours = {each.job: each.usual_hours * _SLOWER for each in report.cost.jobs if each.usual_hours}
    return replace(report, live=slower, cost=estimate(manifest, hours))


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
