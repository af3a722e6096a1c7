"""Rules for workflow engines: what their roles may reach, and what their tasks need of the hosts."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import combinations
from typing import TYPE_CHECKING

from gen_infra.manifest.model.engine import ENGINES
from gen_infra.manifest.rules.access import problem_with_principal
from gen_infra.manifest.rules.rule import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.engine import Engine, EngineName
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_BUCKET_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


def engines_name_what_exists(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require that the queues, buckets and jobs of an engine exist."""
    for path, _, engine in _engines(manifest):
        queues: dict[KeyPath, str | None] = {(*path, "queue"): engine.queue}
        if engine.head:
            queues[*path, "head", "queue"] = engine.head.queue
        for place, queue in queues.items():
            if queue is not None and queue not in manifest.queues:
                yield place, unknown_name("unknown queue", queue, manifest.queues)
        for index, bucket in enumerate(engine.buckets):
            if bucket not in manifest.buckets:
                yield (*path, "buckets", index), unknown_name("unknown bucket", bucket, manifest.buckets)
        for index, job in enumerate(engine.jobs):
            if job not in manifest.jobs:
                yield (*path, "jobs", index), unknown_name("unknown job", job, manifest.jobs)


def engines_work_in_their_own_prefix(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a bucket that can exist, and a prefix that no other engine may delete."""
    for path, _, engine in _engines(manifest):
        work = engine.work
        if work.bucket in manifest.buckets:
            if work.kms_key:
                yield (*path, "work", "kms_key"), f"is set at buckets.{work.bucket}.kms_key; remove it here"
        elif not _BUCKET_NAME.fullmatch(work.bucket):
            problem = unknown_name("unknown bucket", work.bucket, manifest.buckets)
            yield (*path, "work", "bucket"), f"{problem}; or give the name of an S3 bucket"
    for first, second in combinations(manifest.given_engines, 2):
        one, other = manifest.work_bucket(first), manifest.work_bucket(second)
        prefixes = (one.prefix or "", other.prefix or "")
        if one.name == other.name and (prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0])):
            yield (
                ("engines", second, "work", "prefix"),
                f'"{other.prefix}" overlaps with that of engines.{first}; each engine deletes what is in its own',
            )


def engines_have_what_they_know(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse keys of one engine at another, and require names for the definitions of miniwdl.

    miniwdl-aws names a definition after the task, with a random end: no other prefix limits what its head may register.
    """
    for path, name, engine in _engines(manifest):
        if engine.fusion and name != "nextflow":
            yield (*path, "fusion"), "is for nextflow only"
        if ENGINES[name].definitions:
            if engine.tasks:
                yield (*path, "tasks"), "is for miniwdl only"
        elif not engine.tasks:
            yield path, "tasks is missing; name the tasks of the workflow, which its job definitions are named after"
        if name == "miniwdl" and engine.jobs:
            yield (*path, "jobs"), "is not for miniwdl, which registers a definition for each task"


def redun_knows_its_file_systems(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require file systems that exist already: the configuration of redun has their ids."""
    redun = manifest.given_engines.get("redun")
    for name, volume in redun.efs.items() if redun and not redun.jobs else ():
        if manifest.file_system_of(volume).is_created:
            yield (
                ("engines", "redun", "efs", name),
                "redun's configuration needs its id, which is known only later: name one that exists, or use jobs",
            )


def miniwdl_shares_what_its_tasks_can_mount(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a file system that admits miniwdl-aws, which mounts EFS without the task's role, at the hosts' path."""
    miniwdl = manifest.given_engines.get("miniwdl")
    if not miniwdl:
        return
    path: KeyPath = ("engines", "miniwdl")
    for name, volume in miniwdl.efs.items():
        if manifest.file_system_of(volume).is_created:
            yield (
                (*path, "efs", name, "file_system"),
                "a created file system refuses its tasks, which mount without their role: use fsx, or one that exists",
            )
    for name, lustre in miniwdl.fsx.items():
        if name in manifest.lustre_file_systems and lustre.mount != (folder := manifest.lustre_folder(name)):
            yield (*path, "fsx", name, "mount"), f"its tasks have it at the path of their host: set {folder}"


def engines_leave_the_definitions_of_jobs(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse names of jobs that an engine may register definitions with."""
    for path, name, engine in _engines(manifest):
        for index, pattern in enumerate(manifest.definition_names(name)):
            for job in manifest.jobs:
                if fnmatchcase(manifest.suffixed(job), pattern):
                    place = (*path, "tasks", index) if engine.tasks else path
                    yield place, f"its job definitions could replace that of jobs.{job}; rename one"


def engines_trust_principals_of_this_account(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require full ARNs of this account: a role here can give others the head role."""
    for path, _, engine in _engines(manifest):
        for index, arn in enumerate(engine.principals):
            place = (*path, "principals", index)
            if problem := problem_with_principal(manifest, arn):
                yield place, problem
            elif (account := arn.split(":")[4]) != manifest.account:
                yield place, f"is of account {account}, not {manifest.account}; name a role of this account"


def heads_can_run(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require an image for the head job, and instances to run it on."""
    for path, name, engine in _engines(manifest):
        head = engine.head
        if not head:
            continue
        if not (head.image or ENGINES[name].head_image):
            yield (*path, "head"), f"image is missing; name one that contains {name} and its plugins"
        if any(each.is_fargate for each in _compute(manifest, head.queue)):
            yield (*path, "head", "queue"), f"the queue {head.queue} runs on Fargate; choose one with instances"


def heads_are_on_demand(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of a head on Spot: the loss of its instance ends the run of the whole workflow."""
    for path, _, engine in _engines(manifest):
        if engine.head and any(each.type != "EC2" for each in _compute(manifest, engine.head.queue)):
            yield (
                (*path, "head", "queue"),
                f"the queue {engine.head.queue} may run it on Spot, whose loss ends the whole run; use On-Demand",
            )


def tasks_have_an_aws_cli(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of hosts without the AWS CLI that Nextflow mounts into each container."""
    nextflow = manifest.given_engines.get("nextflow")
    if nextflow and not nextflow.fusion and manifest.uses_ec2 and not manifest.image.aws_cli:
        yield (
            ("engines", "nextflow"),
            "its tasks use the host's AWS CLI; set image.aws_cli: true, or each container must contain one",
        )


def privileged_containers_are_meant(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of engines whose containers can control the instances."""
    for path, name, engine in _engines(manifest):
        for key in ("fusion", "privileged"):
            if getattr(engine, key):
                way = "; or let it submit the definitions of `jobs`" if name == "snakemake" else ""
                yield (*path, key), f"its tasks are privileged and can control their instance{way}"


def _engines(manifest: Manifest) -> Iterator[tuple[KeyPath, EngineName, Engine]]:
    for name, engine in manifest.given_engines.items():
        yield ("engines", name), name, engine


def _compute(manifest: Manifest, queue: str) -> list[ComputeEnvironment]:
    """Return the compute environments of a queue; other rules report unknown ones."""
    names = manifest.queues[queue].compute if queue in manifest.queues else ()
    return [manifest.compute[name] for name in names if name in manifest.compute]


ERRORS: tuple[ManifestRule, ...] = (
    engines_name_what_exists,
    engines_work_in_their_own_prefix,
    engines_have_what_they_know,
    engines_leave_the_definitions_of_jobs,
    miniwdl_shares_what_its_tasks_can_mount,
    redun_knows_its_file_systems,
    engines_trust_principals_of_this_account,
    heads_can_run,
)
WARNINGS: tuple[ManifestRule, ...] = (heads_are_on_demand, tasks_have_an_aws_cli, privileged_containers_are_meant)
