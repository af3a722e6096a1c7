"""Check AWS's limits, apart from those of names and of the instances that jobs need."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from gen_infra.aws.updates import CUSTOM_ROLE_TYPE
from gen_infra.manifest.instance_policies import instance_policies_size, pulled_repositories
from gen_infra.manifest.job_policies import (
    ROLE_POLICIES_LIMIT,
    job_definition_arns,
    role_policies_sizes,
    submit_role_policies_size,
)
from gen_infra.manifest.model.base import KeyPath
from gen_infra.manifest.rules.rule import total_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

# https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html
MOST_QUEUES = MOST_COMPUTE_ENVIRONMENTS = 50
JOB_DEFINITION_BYTES = 24 * 1024
# The size of what a definition contains beside the manifest's values: role, log options, retry rules, names.
_FIXED_BYTES = 2 * 1024
_CONTAINER_BYTES = 512  # log options and names of each container of several

_GP3_IOPS_PER_GIB = 500
_GP2_GIB = 16_384
# https://github.com/hashicorp/packer-plugin-amazon/blob/v1.8.0/builder/common/block_device.go
PACKER_IOPS = 16_000
_PACKER_THROUGHPUT = 1000
_OWNED_BY_AWS = "aws"  # the account of AWS's own policies


def there_are_not_too_many(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check fixed quotas of the account: https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html."""
    for section, most in (("compute", MOST_COMPUTE_ENVIRONMENTS), ("queues", MOST_QUEUES)):
        count = len(getattr(manifest, section))
        if count > most:
            yield (section,), f"has {count} entries; AWS Batch allows {most} in an account and region"


def job_definitions_are_not_too_large(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow 24 KiB each: https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html."""
    for key, job in manifest.jobs.items():
        size = job_definition_bytes(job)
        if size > JOB_DEFINITION_BYTES:
            yield (
                ("jobs", key),
                f"makes a definition of about {size:,} bytes, and AWS Batch allows {JOB_DEFINITION_BYTES:,}; "
                "shorten its command, environment and parameters, or let the job read them from a bucket",
            )


def job_definition_bytes(job: Job) -> int:
    """Estimate the size of a job definition; each environment variable becomes an object with a name and a value."""
    variables = sum(len(container.environment) for container in job.all_containers.values())
    fixed = _FIXED_BYTES + _CONTAINER_BYTES * len(job.containers)
    return fixed + len(msgspec.json.encode(job)) + variables * len('{"name":,"value":}')


def job_role_policies_are_not_too_large(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow 10,240 characters a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
    for key, job in manifest.jobs.items():
        if not all(bucket in manifest.buckets for bucket in job.buckets):
            continue  # another rule reports it
        for role, size in role_policies_sizes(manifest, key).items():
            if size > ROLE_POLICIES_LIMIT:
                is_job_role = role == key
                what = "buckets" if is_job_role else "secrets"
                secrets = sum(len(container.secrets) for container in job.all_containers.values())
                count = len(job.buckets) if is_job_role else secrets
                yield (
                    ("jobs", key, what) if is_job_role else total_path(key, job, what),
                    f"these {count} {what} make role policies of {size:,} characters, and IAM allows "
                    f"{ROLE_POLICIES_LIMIT:,}; use fewer",
                )


def submit_role_policies_are_not_too_large(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow as many for the submit function's role, which names each definition that existed before."""
    definitions = job_definition_arns(manifest)
    size = submit_role_policies_size(manifest, definitions)
    if manifest.jobs and size > ROLE_POLICIES_LIMIT:
        yield (
            ("existing", "jobs") if manifest.existing else ("queues",),
            f"{len(definitions)} job definitions make policies of the submit function's role of {size:,} characters, "
            f"and IAM allows {ROLE_POLICIES_LIMIT:,}; use fewer, or two environments",
        )


def instance_role_policies_are_not_too_large(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow as many for the instances' role, which names the repositories of images."""
    if manifest.iam.instance_profile or not manifest.uses_ec2:
        return
    repositories = pulled_repositories(manifest)
    size = instance_policies_size(manifest, repositories)
    if size > ROLE_POLICIES_LIMIT:
        yield (
            ("iam", "image_repositories") if manifest.iam.image_repositories else ("jobs",),
            f"images come from {len(repositories)} ECR repositories, which make policies of the instances' role of "
            f"{size:,} characters, and IAM allows {ROLE_POLICIES_LIMIT:,}; use fewer, or patterns in "
            "iam.image_repositories",
        )


def iops_fit_the_size(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow 500 IOPS for each GiB of gp3: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html."""
    for key, volume in (("root", manifest.image.root), ("scratch", manifest.image.scratch)):
        most = volume.size_gib * _GP3_IOPS_PER_GIB
        if volume.iops is not None and volume.iops > max(most, 3000):
            yield ("image", key, "iops"), f"{volume.iops} is more than {volume.size_gib} GiB take: {max(most, 3000)}"


def volumes_are_within_the_tools_limits(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check gp3 limits that EBS raised in September 2025 (64 TiB, 80,000 IOPS, 2,000 MiB/s) and some tools did not.

    https://aws.amazon.com/about-aws/whats-new/2025/09/amazon-ebs-size-provisioned-performance-gp3-volumes/ and
    https://github.com/hashicorp/terraform-provider-aws/pull/44604
    """
    for key, volume in (("root", manifest.image.root), ("scratch", manifest.image.scratch)):
        if volume.type == "gp2" and volume.size_gib > _GP2_GIB:
            yield (
                ("image", key, "size_gib"),
                f"{volume.size_gib} is above {_GP2_GIB}, the most of a gp2 volume; use gp3",
            )
        most = manifest.provider.gp3_throughput
        if (volume.throughput_mib_s or 0) > most:
            yield (
                ("image", key, "throughput_mib_s"),
                f"{volume.throughput_mib_s} is above {most}, the most that {manifest.provider} accepts; "
                "AWS itself allows 2000",
            )
    scratch = manifest.image.scratch
    for key, value, most, allowed in (
        ("iops", scratch.iops, PACKER_IOPS, 80_000),
        ("throughput_mib_s", scratch.throughput_mib_s, _PACKER_THROUGHPUT, manifest.provider.gp3_throughput),
    ):
        if scratch.carrier == "baked" and (value or 0) > most < allowed:
            yield (
                ("image", "scratch", key),
                f"{value} is above {most}, the most that Packer's Amazon plugin accepts for a baked volume; "
                f"AWS itself allows {allowed}, with carrier launch_template",
            )


def arns_are_of_this_place(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require keys of this region, because a KMS key works in its own only, and roles and boundaries of this account.

    https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html and
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    here = {"partition": manifest.partition, "region": manifest.region, "account": manifest.account}
    for path, arn, parts in _arns(manifest):
        _, partition, _, region, account, _ = arn.split(":", 5)
        there = {"partition": partition, "region": region, "account": account}
        for part in parts:
            if there[part] != here[part] and there[part] != _OWNED_BY_AWS:
                yield path, f"is in {part} {there[part]}, and this environment is in {here[part]}"
                break


_Place: TypeAlias = tuple[KeyPath, str | None, tuple[str, ...]]


def _arns(manifest: Manifest) -> Iterable[tuple[KeyPath, str, tuple[str, ...]]]:
    """Yield each ARN of the manifest, with those of its parts that must be the environment's."""
    for path, text, parts in (*_arns_of_environment(manifest), *_arns_of_jobs(manifest)):
        if text and text.startswith("arn:"):
            yield path, text, parts


def _arns_of_environment(manifest: Manifest) -> Iterable[_Place]:
    yield ("encryption", "key"), manifest.encryption.key, ("partition", "region")
    for name in ("permissions_boundary", "instance_profile"):
        yield ("iam", name), getattr(manifest.iam, name), ("partition", "account")
    for key, compute in manifest.compute.items():
        yield ("compute", key, "service_role"), compute.service_role, ("partition", "account")
        yield ("compute", key, "capacity_reservation"), compute.capacity_reservation, ("partition", "region", "account")
    for key, bucket in manifest.buckets.items():
        yield ("buckets", key, "kms_key"), bucket.kms_key, ("partition",)


def _arns_of_jobs(manifest: Manifest) -> Iterable[_Place]:
    for key, job in manifest.jobs.items():
        yield ("jobs", key, "role"), job.role, ("partition", "account")
    for path, _, container in manifest.containers():
        for name, secret in container.secrets.items():
            yield (*path, "secrets", name, "arn"), secret.arn, ("partition", "region")
            yield (*path, "secrets", name, "kms_key"), secret.kms_key, ("partition", "region")


def environments_can_change_in_place(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of replacements: Batch updates in place only with the service-linked role and one of these strategies.

    https://docs.aws.amazon.com/batch/latest/userguide/updating-compute-environments.html; Terraform's provider replaces
    with some strategies that AWS itself updates.
    """
    in_place = manifest.provider.in_place
    for key, compute in manifest.compute.items():
        if compute.is_fargate:
            continue
        role = "" if compute.service_role == "service-linked" else compute.service_role
        if CUSTOM_ROLE_TYPE.where({"service_role": role}):
            yield (
                ("compute", key, "service_role"),
                "with any role but the service-linked one, every change replaces the compute environment",
            )
        elif compute.strategy not in in_place:
            yield (
                ("compute", key, "allocation_strategy"),
                f"with {compute.strategy}, every change replaces the compute environment; "
                f"{', '.join(in_place[:-1])} and {in_place[-1]} allow changes in place",
            )


def nothing_runs_without_jobs(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of minvCpus: https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html."""
    for key, compute in manifest.compute.items():
        if compute.min_vcpus:
            yield (
                ("compute", key, "min_vcpus"),
                f"{compute.min_vcpus} vCPUs always run and cost money; with 0, no instances run without jobs",
            )


def queues_have_an_enabled_environment(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require an enabled compute environment: a disabled one starts no jobs.

    https://docs.aws.amazon.com/batch/latest/userguide/compute_environments.html
    """
    for key, queue in manifest.queues.items():
        if queue.state == "ENABLED" and all(manifest.compute[name].state == "DISABLED" for name in queue.compute):
            yield (
                ("queues", key, "compute"),
                "all of these compute environments are DISABLED, so that jobs would wait forever",
            )


def jobs_have_an_enabled_queue(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of a disabled queue, which accepts no jobs.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html (state)
    """
    for key, job in manifest.jobs.items():
        queue = manifest.queue_of(job)
        if manifest.queues[queue].state == "DISABLED":
            yield ("jobs", key, "queue"), f"queue {queue} is DISABLED and accepts no jobs"


def scratch_is_mounted(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of AWS's image: only an image built from the Packer template formats and mounts the scratch volume."""
    images = manifest.images()
    for path, job, container in manifest.containers():
        computes = manifest.queues[manifest.queue_of(job)].compute if container.scratch else ()
        stock = next((key for key in computes if key in images and images[key].is_stock), None)
        if stock is not None:
            place = f"compute.{stock}.image" if manifest.compute[stock].image else "image"
            yield (
                (*path, "scratch"),
                f"AWS's image does not mount the scratch volume, so {manifest.image.scratch.mount} is a folder of the "
                f"root volume, which all jobs on an instance share; build the image and set {place}.parameter",
            )


ERRORS: tuple[ManifestRule, ...] = (
    there_are_not_too_many,
    job_definitions_are_not_too_large,
    job_role_policies_are_not_too_large,
    instance_role_policies_are_not_too_large,
    submit_role_policies_are_not_too_large,
    iops_fit_the_size,
    volumes_are_within_the_tools_limits,
    arns_are_of_this_place,
)
WARNINGS: tuple[ManifestRule, ...] = (
    environments_can_change_in_place,
    nothing_runs_without_jobs,
    queues_have_an_enabled_environment,
    jobs_have_an_enabled_queue,
    scratch_is_mounted,
)
