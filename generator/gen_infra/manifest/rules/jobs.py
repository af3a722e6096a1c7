"""Rules between a job's values, and between a job and its queue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.manifest.model.retry import DEFAULT_RETRY, MOST_RULES, RetryCondition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.container import Container
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_REFERENCE = re.compile(r"Ref::([A-Za-z0-9_-]+)")


def existing_roles_get_no_permissions(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse buckets with an existing role: gen-infra adds no permissions to a role that it did not create."""
    for key, job in manifest.jobs.items():
        if job.role and job.buckets:
            yield (
                ("jobs", key, "buckets"),
                "this job has an existing role; give that role access to the buckets, and remove them here",
            )


def every_reference_has_a_value(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a value for each `Ref::name`: Batch passes one without a value to the program unchanged.

    https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html (parameters)
    """
    for path, job, container in manifest.containers():
        for index, word in enumerate(container.command):
            for name in _REFERENCE.findall(word):
                if name not in job.parameters and name not in job.required_parameters:
                    yield (
                        (*path, "command", index),
                        f"Ref::{name} has no value in parameters; add one, or add {name} to required_parameters",
                    )


def required_parameters_are_used(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require that the command uses a required parameter, and that it has no default value."""
    for key, job in manifest.jobs.items():
        used = references_of(job)
        for index, name in enumerate(job.required_parameters):
            path = ("jobs", key, "required_parameters", index)
            if name not in used:
                yield path, f"the command has no Ref::{name}"
            elif name in job.parameters:
                yield path, f"{name} has a default value in parameters; keep one of them"


def references_of(job: Job) -> set[str]:
    """Return the names of the parameters that a job's commands take, as `Ref::name`."""
    words = (word for container in job.all_containers.values() for word in container.command)
    return {name for word in words for name in _REFERENCE.findall(word)}


def environment_and_secrets_differ(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a name in both environment and secrets, as ECS does.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html (secrets)
    """
    for path, _, container in manifest.containers():
        for name in container.secrets:
            if name in container.environment:
                yield (*path, "secrets", name), "environment contains this variable too; keep one of them"


def retry_rules_have_a_condition(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a pattern: a rule without one would decide for every failure, which "*" says explicitly.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html
    """
    for key, job in manifest.jobs.items():
        for index, entry in enumerate(job.retry):
            if entry == RetryCondition():
                yield ("jobs", key, "retry", index), "has no condition; add exit_code, reason or status_reason"
        for index, rule in enumerate(job.evaluate_on_exit):
            if not (rule.on_status_reason or rule.on_reason or rule.on_exit_code):
                yield (
                    ("jobs", key, "evaluate_on_exit", index),
                    "has no condition; add on_status_reason, on_reason or on_exit_code",
                )


def retries_are_defined_once(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a failure that is listed twice, and `retry` beside AWS Batch's own rules, which take its place."""
    for key, job in manifest.jobs.items():
        if job.evaluate_on_exit and job.retry != DEFAULT_RETRY:
            yield ("jobs", key, "retry"), "evaluate_on_exit takes its place; keep one of them"
        for index, entry in enumerate(job.retry):
            if entry in job.retry[:index]:
                yield ("jobs", key, "retry", index), "is in this list already; remove one"


def retry_rules_are_not_too_many(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow what AWS Batch does: a failure that matches none of its rules would be retried, so the last ends the rest.

    https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
    """
    for key, job in manifest.jobs.items():
        if len(job.retry_rules(on_fargate=False)) > MOST_RULES:
            yield (
                ("jobs", key, "retry"),
                f"has {len(job.retry)} entries, which become {len(job.retry_rules(on_fargate=False))} rules: AWS Batch "
                f"accepts {MOST_RULES}, and the last one ends every other failure; keep at most {MOST_RULES - 1}, or "
                f"{MOST_RULES} with both image-pull and docker-timeout, which can share one",
            )


def paths_in_a_container_differ(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse two mounts at the same path, as Docker does ("Duplicate mount point")."""
    for path, job, container in manifest.containers():
        seen: dict[str, str] = {}
        for place, what, mount in _mounts(job, container):
            if mount in seen:
                yield (*path, *place), f'"{mount}" is already the mount path of {seen[mount]}'
            seen.setdefault(mount, what)


def _mounts(job: Job, container: Container) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Place in the job, kind, and path in the container."""
    if container.scratch:
        yield ("scratch",), "scratch", container.scratch
    for name, volume in container.efs.items():
        yield ("efs", name, "mount"), f"efs.{name}", volume.mount
    for name, mounted in container.fsx.items():
        yield ("fsx", name, "mount"), f"fsx.{name}", mounted.mount
    for name, shared in container.shared_volumes.items():
        yield ("shared_volumes", name, "mount"), f"shared_volumes.{name}", shared.mount
    for index, tmpfs in enumerate(container.linux.tmpfs if container.linux else ()):
        yield ("linux", "tmpfs", index, "path"), f"linux.tmpfs[{index}]", tmpfs.path
    extra = job.container_properties.get("mountPoints")
    for index, mount in enumerate(extra if isinstance(extra, list) else ()):
        path = mount.get("containerPath") if isinstance(mount, dict) else None
        if isinstance(path, str):
            yield ("container_properties", "mountPoints", index, "containerPath"), str(mount.get("sourceVolume")), path


def an_access_point_sets_the_directory(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a root directory beside an access point, as Batch does.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_EFSAuthorizationConfig.html (accessPointId)
    """
    for path, _, container in manifest.containers():
        for name, volume in container.efs.items():
            if volume.access_point and volume.directory:
                yield (*path, "efs", name, "directory"), "the access point sets the directory; keep one of them"


def soft_limits_are_not_above_hard_ones(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a soft limit above the hard one, as setrlimit(2) does: the container would not start; -1 is unlimited."""
    for path, _, container in manifest.containers():
        for name, limit in container.ulimits.items():
            if limit.hard != -1 and (limit.soft == -1 or limit.soft > limit.hard):
                yield (*path, "ulimits", name, "soft"), f"{limit.soft} is greater than hard {limit.hard}"


def swappiness_needs_swap(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require max_swap_mib for swappiness, which Batch ignores otherwise.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_LinuxParameters.html (swappiness)
    """
    for path, _, container in manifest.containers():
        linux = container.linux
        if linux and linux.swappiness is not None and linux.max_swap_mib is None:
            yield (*path, "linux", "swappiness"), "is ignored without max_swap_mib"


def nodes_are_on_demand(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse multi-node parallel jobs on Spot, as Batch does: such a job fails if it loses a node.

    https://docs.aws.amazon.com/batch/latest/userguide/mnp-ce.html
    """
    for key, job in manifest.jobs.items():
        queue = manifest.queues.get(manifest.queue_of(job))
        for name in queue.compute if queue and job.nodes else ():
            if name in manifest.compute and manifest.compute[name].type == "SPOT":
                yield (
                    ("jobs", key, "nodes"),
                    f"queue {manifest.queue_of(job)} has the SPOT compute environment {name}; nodes need type EC2",
                )


def gpus_need_the_gpu_image(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require the GPU image: only it has the driver and ECS's GPU support.

    https://docs.aws.amazon.com/batch/latest/userguide/batch-gpu-ami.html
    """
    images = manifest.images()
    for path, job, container in manifest.containers():
        queue = manifest.queues.get(manifest.queue_of(job))
        computes = [key for key in queue.compute if key in images] if queue and container.gpus else []
        if computes and not any(images[key].base_image.has_gpu_driver for key in computes):
            first = computes[0]
            yield (*path, "gpus"), f"{manifest.base_key(first)} is {images[first].base}; GPUs need ecs-al2023-gpu"


ERRORS: tuple[ManifestRule, ...] = (
    existing_roles_get_no_permissions,
    every_reference_has_a_value,
    required_parameters_are_used,
    environment_and_secrets_differ,
    retry_rules_have_a_condition,
    retries_are_defined_once,
    retry_rules_are_not_too_many,
    paths_in_a_container_differ,
    an_access_point_sets_the_directory,
    soft_limits_are_not_above_hard_ones,
    swappiness_needs_swap,
    nodes_are_on_demand,
    gpus_need_the_gpu_image,
)
