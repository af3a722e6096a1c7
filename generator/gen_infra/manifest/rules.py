"""Rules between values: each a small function that yields what is wrong and where, with its source.

Terraform and its provider accept all of this; AWS refuses it later, or lets jobs wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from gen_infra.manifest.fargate_rules import FARGATE_RULES
from gen_infra.manifest.job_rules import JOB_RULES
from gen_infra.manifest.model import Manifest, image_repository

Finding: TypeAlias = tuple[tuple[str | int, ...], str]
Rule: TypeAlias = Callable[[Manifest], Iterable[Finding]]

_RULES: list[Rule] = [*JOB_RULES, *FARGATE_RULES]


def violations(manifest: Manifest) -> Iterator[Finding]:
    """What every rule finds."""
    for rule in _RULES:
        yield from rule(manifest)


def _rule(function: Rule) -> Rule:
    _RULES.append(function)
    return function


@_rule
def network_is_given_one_way(manifest: Manifest) -> Iterable[Finding]:
    """Two answers to where the instances run would leave one of them unused, silently."""
    given = [way for way in ("lookup", "ids") if getattr(manifest.network, way)]
    if len(given) != 1:
        yield ("network",), "give exactly one of lookup and ids" + (f", not {' and '.join(given)}" if given else "")


@_rule
def image_is_given_one_way(manifest: Manifest) -> Iterable[Finding]:
    """An id pins the image, a parameter names it: both at once would contradict each other."""
    if manifest.image.id and manifest.image.parameter:
        yield ("image", "parameter"), "image.id is given too; keep one of them"


@_rule
def gp2_has_no_performance(manifest: Manifest) -> Iterable[Finding]:
    """https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html: gp2's performance follows its size."""
    for volume_key, volume in (("root", manifest.image.root), ("scratch", manifest.image.scratch)):
        for key in ("iops", "throughput_mib_s"):
            if volume.type == "gp2" and getattr(volume, key) is not None:
                yield ("image", volume_key, key), "only a gp3 volume takes this; gp2 grows with its size"


@_rule
def gp3_throughput_needs_iops(manifest: Manifest) -> Iterable[Finding]:
    """gp3 gives at most 0.25 MiB/s for each provisioned IOPS (same page)."""
    for volume_key, volume in (("root", manifest.image.root), ("scratch", manifest.image.scratch)):
        iops, throughput = volume.iops or 3000, volume.throughput_mib_s or 125
        if volume.type == "gp3" and throughput > iops / 4:
            yield (
                ("image", volume_key, "throughput_mib_s"),
                f"{throughput} MiB/s needs at least {throughput * 4} iops, not {iops}",
            )


@_rule
def spot_terms_fit_the_type(manifest: Manifest) -> Iterable[Finding]:
    """Batch refuses it: https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html."""
    for key, compute in manifest.compute.items():
        if compute.type == "EC2" and compute.bid_percentage is not None:
            yield ("compute", key, "bid_percentage"), "only a SPOT compute environment bids"
        if compute.type == "EC2" and compute.strategy.startswith("SPOT_"):
            yield ("compute", key, "allocation_strategy"), f"{compute.strategy} is for SPOT compute environments"


@_rule
def minimum_is_not_above_maximum(manifest: Manifest) -> Iterable[Finding]:
    """Batch refuses it."""
    for key, compute in manifest.compute.items():
        if compute.min_vcpus > compute.max_vcpus:
            yield ("compute", key, "min_vcpus"), f"{compute.min_vcpus} is above max_vcpus {compute.max_vcpus}"


@_rule
def optimal_stands_with_families_of_its_architecture(manifest: Manifest) -> Iterable[Finding]:
    """`optimal` means x86-64 families; an arm64 image cannot start on them."""
    if manifest.image.architecture != "arm64":
        return
    for key, compute in manifest.compute.items():
        for index, instance_type in enumerate(compute.instance_types):
            if instance_type in {"optimal", "default_x86_64"}:
                yield ("compute", key, "instance_types", index), f"{instance_type} is x86-64; image.base is arm64"


@_rule
def queues_name_compute_environments(manifest: Manifest) -> Iterable[Finding]:
    """A queue takes one to three different compute environments of this manifest."""
    for key, queue in manifest.queues.items():
        for index, compute in enumerate(queue.compute):
            path = ("queues", key, "compute", index)
            if compute not in manifest.compute:
                yield path, _no_such("compute environment", compute, manifest.compute)
            elif compute in queue.compute[:index]:
                yield path, f"{compute} is listed twice"


@_rule
def queues_do_not_mix_on_one_order(manifest: Manifest) -> Iterable[Finding]:
    """Weight factors of overlapping share identifiers would be ambiguous.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ShareAttributes.html
    """
    for key, queue in manifest.queues.items():
        shares = queue.fair_share.shares if queue.fair_share else {}
        for share in shares:
            for other in shares:
                if share != other and other.endswith("*") and share.rstrip("*").startswith(other[:-1]):
                    yield ("queues", key, "fair_share", "shares", share), f"overlaps with {other}"


@_rule
def jobs_for_fair_share_queues_have_a_priority(manifest: Manifest) -> Iterable[Finding]:
    """Batch refuses a job without one there.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html (schedulingPriorityOverride)
    """
    for key, job in manifest.jobs.items():
        name = job.queue or next(iter(manifest.queues))
        queue = manifest.queues.get(name)
        if queue and queue.fair_share and job.scheduling_priority is None:
            yield ("jobs", key), f"scheduling_priority is missing; the fair-share queue {name} needs one"


@_rule
def jobs_refer_to_what_exists(manifest: Manifest) -> Iterable[Finding]:
    """Images, buckets and queues by name."""
    for key, job in manifest.jobs.items():
        for index, bucket in enumerate(job.buckets):
            if bucket not in manifest.buckets:
                yield ("jobs", key, "buckets", index), _no_such("bucket", bucket, manifest.buckets)
        if job.queue is not None and job.queue not in manifest.queues:
            yield ("jobs", key, "queue"), _no_such("queue", job.queue, manifest.queues)
        repository = image_repository(job.image)
        if "/" not in job.image and repository not in manifest.repositories:
            yield (
                ("jobs", key, "image"),
                f"{_no_such('repository', repository, manifest.repositories)}; an image elsewhere needs its full URI",
            )


@_rule
def shared_names_differ(manifest: Manifest) -> Iterable[Finding]:
    """Repositories become resource names, and log groups and roles differ only by the job's key."""
    seen: dict[str, str] = {}
    for index, repository in enumerate(manifest.repositories):
        label = repository_label(repository)
        if label in seen:
            yield (
                ("repositories", index),
                f"{repository} and {seen[label]} get the same Terraform name {label}; rename one",
            )
        seen[label] = repository


def repository_label(repository: str) -> str:
    """The Terraform label of a repository: ``team/tool.v2`` -> ``team_tool_v2``."""
    label = "".join(character if character.isalnum() else "_" for character in repository)
    return label if label[0].isalpha() else f"_{label}"


def _no_such(what: str, name: str, known: Iterable[str]) -> str:
    names = ", ".join(known)
    return f"there is no {what} {name}" + (f"; there is {names}" if names else "")
