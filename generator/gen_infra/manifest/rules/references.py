"""Rules between values: each is a small function that yields findings, with its source.

Terraform and its provider accept all of these; AWS refuses them later, or lets jobs wait forever.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from gen_infra.manifest.model.image import ComputeImage
from gen_infra.manifest.model.network import AGENT_SERVICES
from gen_infra.manifest.model.resource_names import image_repository
from gen_infra.manifest.rules.rule import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))  # RFC 1918
_DOCKER = IPv4Network("172.17.0.0/16")
_NAT_SUBNETS_IN_A_24 = 4  # the module takes subnets of sixteen addresses from a VPC's last quarter


# Regions of the partitions whose ARNs gen-infra writes; a test compares them with botocore's endpoints. Terraform's
# provider has its own list and refuses any other region.
REGIONS = (
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1",
    "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1",
    "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1",
    "us-gov-west-1", "us-west-1", "us-west-2",
)  # fmt: skip


def region_exists(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check the region: https://docs.aws.amazon.com/general/latest/gr/rande.html (regional endpoints)."""
    if manifest.region not in REGIONS:
        import difflib

        near = difflib.get_close_matches(manifest.region, REGIONS, n=3) or REGIONS
        yield ("region",), f'unknown region "{manifest.region}"; choose from: {", ".join(near)}'


def lists_name_each_thing_once(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a second mention: it has no effect, or AWS refuses it; another name was meant."""
    for path, items in _lists(manifest):
        for index, item in enumerate(items):
            if item in items[:index]:
                yield (*path, index), f'"{item}" is listed twice'


def _lists(manifest: Manifest) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Yield the lists of names, ids and addresses, with their paths."""
    network = manifest.network
    if network.ids:
        yield ("network", "ids", "subnets"), network.ids.subnets
        yield ("network", "ids", "security_groups"), network.ids.security_groups
    if network.create:
        for key in ("zones", "endpoints"):
            listed = getattr(network.create, key)
            yield ("network", "create", key), listed if isinstance(listed, tuple) else ()
    for key in ("blocked_queues", "critical", "warning"):
        yield ("notifications", key), getattr(manifest.notifications, key)
    if manifest.notifications.budget:
        yield ("notifications", "budget", "emails"), manifest.notifications.budget.emails
    for role, access in manifest.access.roles.items() if manifest.access else ():
        for key in ("principals", "github", "gitlab", "queues"):
            yield ("access", role, key), getattr(access, key, ())
    if manifest.image.rebuild:
        yield ("image", "rebuild", "notify"), manifest.image.rebuild.notify
    yield from _lists_of_what_runs(manifest)


def _lists_of_what_runs(manifest: Manifest) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    for name, compute in manifest.compute.items():
        yield ("compute", name, "instance_types"), compute.instance_types
    for name, queue in manifest.queues.items():
        yield ("queues", name, "compute"), queue.compute
    for name, engine in manifest.given_engines.items():
        for key in ("principals", "buckets", "jobs", "tasks"):
            yield ("engines", name, key), getattr(engine, key)
    for name, job in manifest.jobs.items():
        yield ("jobs", name, "buckets"), job.buckets
        yield ("jobs", name, "required_parameters"), job.required_parameters


def network_is_given_one_way(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require exactly one network: of two, one would be ignored."""
    given = [way for way in ("lookup", "ids", "create") if getattr(manifest.network, way)]
    if len(given) != 1:
        yield (
            ("network",),
            "set exactly one of lookup, ids and create" + (f", not {' and '.join(given)}" if given else ""),
        )


def new_network_has_a_private_block(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check the block: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html, and Docker's bridge."""
    create, path = manifest.network.create, ("network", "create", "cidr")
    if not create:
        return
    try:
        block = IPv4Network(create.cidr)
    except ValueError as error:
        yield path, f"{error}; write the first address of the block, such as 10.42.0.0/16"
        return
    if not 16 <= block.prefixlen <= 24:
        yield path, f"{block} should be from /16 (65,536 addresses) to /24 (256)"
    elif not any(block.subnet_of(private) for private in _PRIVATE):
        yield path, f"{block} is not private; choose a block in {', '.join(map(str, _PRIVATE))}"
    elif block.subnet_of(_DOCKER):
        yield path, f"{_DOCKER} is Docker's network on every instance; choose another block"
    elif block.prefixlen == 24 and create.nat_gateways > _NAT_SUBNETS_IN_A_24:
        yield path, f"a /24 has space for {_NAT_SUBNETS_IN_A_24} NAT gateways, not {create.nat_gateways}; use a /23"


def new_network_names_its_zones_once(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse zones of other regions."""
    create = manifest.network.create
    if not create or isinstance(create.zones, int):
        return
    for index, zone in enumerate(create.zones):
        path = ("network", "create", "zones", index)
        if zone[:-1] != manifest.region:
            yield path, f"{zone} is not in {manifest.region}"


def new_network_has_a_way_out(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a route to ECS, ECR and CloudWatch Logs: without it no instance joins its cluster, and jobs wait forever.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
    """
    create, path = manifest.network.create, ("network", "create")
    if not create or create.nat != "none":
        return
    missing = [service for service in AGENT_SERVICES if service not in create.endpoint_services]
    if missing == list(AGENT_SERVICES):
        yield path, "has no route to ECR, ECS and CloudWatch Logs; choose nat: one, nat: per-zone or endpoints: true"
    elif missing:
        yield (*path, "endpoints"), f"without NAT, add {', '.join(missing)}; or set endpoints: true for all of them"


def new_network_has_endpoints_where_their_names_are_known(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse endpoints in China, where the prefix differs by service: https://github.com/aws/aws-cdk/pull/16139."""
    create = manifest.network.create
    if create and create.endpoint_services and manifest.partition == "aws-cn":
        yield ("network", "create", "endpoints"), "interface endpoints are not supported in China; use nat there"


def image_is_given_one_way(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse an id beside a parameter: they could name different images."""
    if manifest.image.id and manifest.image.parameter:
        yield ("image", "parameter"), "image.id is set too; keep one of them"
    for key, compute in manifest.compute.items():
        if compute.image and compute.image.id and compute.image.parameter:
            yield ("compute", key, "image", "parameter"), f"compute.{key}.image.id is set too; keep one of them"


def images_of_compute_environments_say_something(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse an empty `image`: without it, the compute environment runs the environment's image."""
    for key, compute in manifest.compute.items():
        if compute.image == ComputeImage():
            yield ("compute", key, "image"), "is empty; add base, id or parameter, or remove it"


def gp2_has_no_performance(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse settings of gp3 for gp2: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html."""
    for volume_key, volume in (("root", manifest.image.root), ("scratch", manifest.image.scratch)):
        for key in ("iops", "throughput_mib_s"):
            if volume.type == "gp2" and getattr(volume, key) is not None:
                yield ("image", volume_key, key), "is for gp3 volumes only; the performance of gp2 depends on its size"


def gp3_throughput_needs_iops(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow at most 0.25 MiB/s for each provisioned IOPS of gp3 (same page)."""
    for volume_key, volume in (("root", manifest.image.root), ("scratch", manifest.image.scratch)):
        iops, throughput = volume.iops or 3000, volume.throughput_mib_s or 125
        if volume.type == "gp3" and throughput > iops / 4:
            yield (
                ("image", volume_key, "throughput_mib_s"),
                f"{throughput} MiB/s needs at least {throughput * 4} iops, not {iops}",
            )


def spot_terms_fit_the_type(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse Spot's settings without Spot.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html
    """
    for key, compute in manifest.compute.items():
        if compute.type == "EC2" and compute.bid_percentage is not None:
            yield ("compute", key, "bid_percentage"), "is for SPOT compute environments only"
        if compute.type == "EC2" and compute.strategy.startswith("SPOT_"):
            yield ("compute", key, "allocation_strategy"), f"{compute.strategy} is for SPOT compute environments"


def minimum_is_not_above_maximum(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a minimum above the maximum, as Batch does."""
    for key, compute in manifest.compute.items():
        if compute.min_vcpus > compute.max_vcpus:
            yield ("compute", key, "min_vcpus"), f"{compute.min_vcpus} is greater than max_vcpus {compute.max_vcpus}"


def queues_name_compute_environments(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require compute environments of this manifest."""
    for key, queue in manifest.queues.items():
        for index, compute in enumerate(queue.compute):
            path = ("queues", key, "compute", index)
            if compute not in manifest.compute:
                yield path, unknown_name("unknown compute environment", compute, manifest.compute)


def queues_do_not_mix_on_one_order(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Weight factors of overlapping share identifiers would be ambiguous.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ShareAttributes.html
    """
    for key, queue in manifest.queues.items():
        shares = queue.fair_share.shares if queue.fair_share else {}
        for share in shares:
            for other in shares:
                if share != other and other.endswith("*") and share.rstrip("*").startswith(other[:-1]):
                    yield ("queues", key, "fair_share", "shares", share), f"overlaps with {other}"


def jobs_for_fair_share_queues_have_a_priority(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a priority for jobs in a fair-share queue, as Batch does.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html (schedulingPriorityOverride)
    """
    for key, job in manifest.jobs.items():
        name = manifest.queue_of(job)
        queue = manifest.queues.get(name)
        if queue and queue.fair_share and job.scheduling_priority is None:
            yield ("jobs", key), f"scheduling_priority is missing; the fair-share queue {name} requires it"


def jobs_refer_to_what_exists(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require that the images, buckets and queues that a job names exist."""
    for key, job in manifest.jobs.items():
        for index, bucket in enumerate(job.buckets):
            if bucket not in manifest.buckets:
                yield ("jobs", key, "buckets", index), unknown_name("unknown bucket", bucket, manifest.buckets)
        if job.queue is not None and job.queue not in manifest.queues:
            yield ("jobs", key, "queue"), unknown_name("unknown queue", job.queue, manifest.queues)
    for path, _, container in manifest.containers():
        repository = image_repository(container.image)
        if "/" not in container.image and repository not in manifest.repositories:
            problem = unknown_name("unknown repository", repository, manifest.repositories)
            yield (*path, "image"), f"{problem}; or give the full URI of another image"


ERRORS: tuple[ManifestRule, ...] = (
    region_exists,
    lists_name_each_thing_once,
    network_is_given_one_way,
    new_network_has_a_private_block,
    new_network_names_its_zones_once,
    new_network_has_a_way_out,
    new_network_has_endpoints_where_their_names_are_known,
    image_is_given_one_way,
    images_of_compute_environments_say_something,
    gp2_has_no_performance,
    gp3_throughput_needs_iops,
    spot_terms_fit_the_type,
    minimum_is_not_above_maximum,
    queues_name_compute_environments,
    queues_do_not_mix_on_one_order,
    jobs_for_fair_share_queues_have_a_priority,
    jobs_refer_to_what_exists,
)
