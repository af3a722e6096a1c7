"""Rules for where a job can run: the instance types of its queue exist, fit the image, and can hold it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from gen_infra.manifest.instances import BUNDLES, InstanceType, catalogue, named, nearest
from gen_infra.manifest.model.base_images import base_images_for
from gen_infra.manifest.placements import Demand, all_vcpus, demand, enabled, fitting, offered, usable_types
from gen_infra.manifest.rules.rule import total_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.image import Image
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


def instance_types_exist(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse unknown instance types and families, as Batch does.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html (instanceTypes)
    """
    for path, word in _words(manifest):
        if not named(word) and not _is_refused(manifest.image_of(path[1]), word):
            near = nearest(word)
            advice = f'did you mean "{near}"?' if near else "use a family such as c7i, or optimal"
            kind = "type" if "." in word else "family"
            yield path, f'unknown instance {kind} "{word}" in AWS Batch (as of {catalogue().date}); {advice}'


def instance_types_run_the_image(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require instances that the image runs on, by the table of base images.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_Ec2Configuration.html
    """
    for path, word in _words(manifest):
        image, key = manifest.image_of(path[1]), manifest.base_key(path[1])
        instances = named(word)
        if _is_refused(image, word):
            yield path, f"{key} {image.base} does not support {word} instances{_alternative(path[1], word, image)}"
        elif instances and instances[0].architecture != image.architecture:
            yield (
                path,
                f"{word} is {instances[0].architecture}; {key} is {image.architecture}"
                f"{_alternative(path[1], word, image)}",
            )


def queues_have_one_architecture(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a queue over two architectures, as Batch does.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html (computeEnvironmentOrder)
    """
    images = manifest.images()
    for key, queue in manifest.queues.items():
        first, *others = [name for name in queue.compute if name in images] or [""]
        for name in others:
            if images[name].architecture != images[first].architecture:
                yield (
                    ("queues", key, "compute", queue.compute.index(name)),
                    f"{name} is {images[name].architecture} and {first} is {images[first].architecture}; "
                    "use a queue for each architecture",
                )


def instance_store_is_there(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require instance stores for scratch on them: a host without scratch does not start the ECS agent."""
    if manifest.image.scratch.carrier != "instance_store":
        return
    for path, word in _words(manifest):
        without = [instance.name for instance in named(word) if not instance.instance_store_gb]
        if without:
            yield path, f"{without[0]} has no instance store, and image.scratch.carrier is instance_store"


def jobs_fit_an_instance(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a job that is too large for every allowed instance: it stays RUNNABLE until its queue cancels it.

    https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html
    """
    for key, job in manifest.jobs.items():
        queue = manifest.queue_of(job)
        computes = [manifest.compute[name] for name in enabled(manifest, queue)] if queue in manifest.queues else []
        if not computes or any(not all(map(named, compute.instance_types)) for compute in computes):
            continue  # another rule reports it
        roomy = [compute for compute in computes if compute.max_vcpus >= all_vcpus(job)]
        if not roomy:
            most = max(compute.max_vcpus for compute in computes)
            asked = f"{job.nodes} nodes of {job.total_vcpus} vCPUs" if job.nodes else f"{job.total_vcpus} vCPUs"
            yield (
                total_path(key, job, "vcpus"),
                f"{asked} are more than max_vcpus {most}, the maximum of queue {queue}; the job would never start",
            )
        elif not manifest.is_on_fargate(job) and not any(
            fitting(usable_types(job, compute), demand(job)) for compute in roomy
        ):
            yield _too_large(key, job, queue, roomy)


def jobs_leave_the_host_its_share(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of a job with exactly an instance's advertised memory: jobs can use less, so it needs a larger instance.

    https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html
    """
    for key, job in manifest.jobs.items():
        for compute in enabled(manifest, manifest.queue_of(job)) if not manifest.is_on_fargate(job) else ():
            exact = _exact(usable_types(job, manifest.compute[compute]), demand(job))
            if exact:
                yield (
                    total_path(key, job, "memory_mib"),
                    f"{job.total_memory_mib} MiB is all the memory of {exact.name}, and jobs can use "
                    f"{exact.usable_mib}; set {exact.usable_mib} or less to run on this type",
                )
                break


def instance_type_is_for_nodes(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse instanceType without nodes.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html (instanceType)
    """
    for key, job in manifest.jobs.items():
        if "instanceType" in job.container_properties and not job.nodes:
            yield (
                ("jobs", key, "container_properties", "instanceType"),
                "is for jobs with nodes; the instance_types of the compute environments decide for this one",
            )


def gpu_instances_have_their_driver(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of GPUs with the plain ECS-optimized image, which has no NVIDIA driver.

    https://docs.aws.amazon.com/batch/latest/userguide/batch-gpu-ami.html
    """
    for path, word in _words(manifest):
        image = manifest.image_of(path[1])
        if not image.base_image.has_gpu_driver and any(instance.gpus for instance in named(word)):
            key = manifest.base_key(path[1])
            yield (
                path,
                f"jobs cannot use the GPUs of {word}: {key} {image.base} has no driver for them"
                f"{_alternative(path[1], word, image)}",
            )


def gpu_images_are_for_gpus(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of the GPU image on instances without GPUs: it is larger, and has nothing to drive there."""
    for key, image in manifest.images().items():
        instances = offered(manifest.compute[key].instance_types)
        if image.base_image.has_gpu_driver and instances and not any(instance.gpus for instance in instances):
            plain = base_images_for("", image.architecture, gpus=False)[0]
            yield (
                ("compute", key, "instance_types"),
                f"none of these has a GPU, and {manifest.base_key(key)} is {image.base}; "
                f"set compute.{key}.image to {{base: {plain}}}",
            )


def _is_refused(image: Image, word: str) -> bool:
    """Return whether the image does not run on this family, even with the right architecture."""
    return word.partition(".")[0] in image.base_image.refused


def _alternative(key: str, word: str, image: Image) -> str:
    """Say which base image runs these instances, if any, else which families this image runs on."""
    instances = named(word)
    family = word.partition(".")[0]
    gpus = any(instance.gpus for instance in instances)
    fitting = base_images_for(family, instances[0].architecture, gpus=gpus) if instances else []
    if fitting and fitting[0] != image.base:
        return f"; set compute.{key}.image to {{base: {fitting[0]}}}"
    return "" if fitting else f"; use {', '.join(_families_like(image))}"


def _families_like(image: Image) -> tuple[str, ...]:
    """Return families that an image is made for, such as Batch's own choice of them."""
    return ("g5", "g6", "p5") if image.base_image.has_gpu_driver else BUNDLES[f"default_{image.architecture}"]


@cache
def _exact(words: tuple[str, ...], job: Demand) -> InstanceType | None:
    """Return the type that would be large enough if the host needed no memory itself."""
    candidates = (
        one
        for one in offered(words)
        if one.memory_mib == job.memory_mib and job.at_once(one.vcpus, one.memory_mib, one.gpus)
    )
    return min(candidates, key=lambda instance: (instance.vcpus, instance.name), default=None)


def _too_large(key: str, job: Job, queue: str, computes: list[ComputeEnvironment]) -> ManifestFinding:
    """Return the finding that names what no instance has enough of: GPUs, vCPUs or memory."""
    instances = [instance for compute in computes for instance in offered(usable_types(job, compute))]
    if not instances:
        picked = job.container_properties["instanceType"]
        offers = ", ".join(word for compute in computes for word in compute.instance_types)
        return (
            ("jobs", key, "container_properties", "instanceType"),
            f"{picked} is not among the instance types of queue {queue} ({offers}); the job would never start",
        )
    most_gpus = max(instance.gpus for instance in instances)
    if job.total_gpus > most_gpus:
        return (
            total_path(key, job, "gpus"),
            f"no instance type of queue {queue} has {job.total_gpus} GPUs, the most is {most_gpus}; "
            "the job would never start",
        )
    instances = [instance for instance in instances if instance.gpus >= job.total_gpus]
    most_vcpus = max(instance.vcpus for instance in instances)
    if job.total_vcpus > most_vcpus:
        return (
            total_path(key, job, "vcpus"),
            f"no instance type of queue {queue} has {job.total_vcpus} vCPUs, the most is {most_vcpus}; "
            "the job would never start",
        )
    large = (one for one in instances if one.vcpus >= job.total_vcpus)
    roomiest = max(large, key=lambda one: (one.usable_mib, one.name))
    asked = f"{job.total_vcpus} vCPUs or more can give {job.total_memory_mib} MiB"
    return (
        total_path(key, job, "memory_mib"),
        f"no instance type of queue {queue} with {asked} to a job; "
        f"the most is {roomiest.usable_mib}, on {roomiest.name}; the job would never start",
    )


def _words(manifest: Manifest) -> Iterator[tuple[tuple[str, str, str, int], str]]:
    """Yield each entry of each compute environment's ``instance_types``, with its path."""
    for key, compute in manifest.compute.items():
        for index, word in enumerate(() if compute.is_fargate else compute.instance_types):
            yield ("compute", key, "instance_types", index), word


ERRORS: tuple[ManifestRule, ...] = (
    instance_types_exist,
    instance_types_run_the_image,
    queues_have_one_architecture,
    instance_store_is_there,
    jobs_fit_an_instance,
)
WARNINGS: tuple[ManifestRule, ...] = (
    jobs_leave_the_host_its_share,
    gpu_instances_have_their_driver,
    gpu_images_are_for_gpus,
    instance_type_is_for_nodes,
)
