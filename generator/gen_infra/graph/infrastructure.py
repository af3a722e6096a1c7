"""The parts of a graph that jobs run on: network, image, key, repositories, compute environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.graph.model import GraphEdge, GraphNode
from gen_infra.graph.words import count, several
from gen_infra.manifest.rules.names import repository_label
from gen_infra.render.blocks import existing_resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment

_MARKETS = {
    "SPOT": "Spot",
    "EC2": "On-Demand",
    "FARGATE": "Fargate",
    "FARGATE_SPOT": "Fargate Spot",
}


def infrastructure(manifest: Manifest) -> Iterator[GraphNode | GraphEdge]:
    """Yield the nodes, and the edges between them."""
    yield _network(manifest)
    yield from _images(manifest)
    if manifest.repositories:
        yield _repositories(manifest)
    if manifest.needs_key:
        yield _key(manifest)
    existing = [each for each in existing_resources(manifest) if not each.startswith("aws_ecr_repository.")]
    if existing:
        adopted = manifest.adopted
        named = (*adopted.roles, *adopted.instance_profiles, *adopted.log_groups)
        yield GraphNode(
            "existing",
            "existing",
            count(len(named), "resource"),
            (several(named),),
            key="existing",
            addresses=tuple(existing),
        )
    for key, compute in manifest.compute.items():
        yield _compute(manifest, key, compute)
        yield GraphEdge("network", f"compute-{key}", f"{key} runs in this network")
        if not compute.is_fargate:
            image = f"image-{key}" if compute.image else "image"
            yield GraphEdge(image, f"compute-{key}", f"the instances of {key} run this image")


def _network(manifest: Manifest) -> GraphNode:
    name, *details = _network_texts(manifest)
    addresses = () if manifest.network.ids else ("module.network",)
    return GraphNode("network", "network", name, tuple(details), key="network", addresses=addresses)


def _network_texts(manifest: Manifest) -> Iterator[str]:
    """Yield the network's name and details: it is created, found by tags, or given by ids."""
    network = manifest.network
    if create := network.create:
        gateways, endpoints = create.nat_gateways, len(create.endpoint_services)
        reach = [*([count(gateways, "NAT gateway")] if gateways else [])]
        reach += [count(endpoints, "interface endpoint")] if endpoints else []
        yield from (manifest.vpc_name, f"{create.cidr} in {create.zone_count} zones", *reach, "endpoint of S3")
    elif found := network.lookup:
        yield from (_tags(found.vpc), f"subnets {_tags(found.subnets)}")
        yield f"security groups {_tags(found.security_groups)}"
    elif ids := network.ids:
        yield from (count(len(ids.subnets), "subnet"), several(ids.subnets, 1), several(ids.security_groups, 1))


def _tags(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tags.items())


def _images(manifest: Manifest) -> Iterator[GraphNode]:
    """Yield the environment's image, which the pipeline rebuilds, and the own images of compute environments."""
    image = manifest.image
    builds = not manifest.iam.instance_profile and manifest.uses_ec2
    if builds or any(compute.image is None and not compute.is_fargate for compute in manifest.compute.values()):
        rebuild = [f"rebuilt when stale: {image.rebuild.schedule}"] if image.rebuild else []
        scripts = [count(len(image.scripts), "script")] if image.scripts else []
        yield GraphNode(
            "image",
            "image",
            image.base,
            (image.id or image.parameter or "AWS's recommended image", *scripts, *rebuild),
            key="image",
            addresses=(
                *(["module.image_pipeline"] if image.rebuild else []),
                *(["module.image_builder"] if builds else []),
            ),
        )
    for key, compute in manifest.compute.items():
        if compute.image and not compute.is_fargate:
            own = manifest.image_of(key)
            running = own.id or own.parameter or "AWS's recommended image"
            yield GraphNode(f"image-{key}", "image", own.base, (running,), key=f"compute.{key}.image")


def _repositories(manifest: Manifest) -> GraphNode:
    adopted = manifest.adopted.repositories
    return GraphNode(
        "repositories",
        "repositories",
        several([*map(manifest.repository_name, manifest.repositories)], 1),
        ("immutable tags, scanned on push",) if manifest.own_repositories else (),
        key="repositories",
        addresses=tuple(
            f"aws_ecr_repository.{repository_label(each)}"
            if each in adopted
            else f"module.repository_{repository_label(each)}"
            for each in manifest.repositories
        ),
    )


def _key(manifest: Manifest) -> GraphNode:
    created = manifest.creates_key
    return GraphNode(
        "key",
        "key",
        manifest.key_alias if created else manifest.encryption.key.rpartition("/")[2],
        ("encrypts volumes, images, logs and functions",),
        key="encryption",
        addresses=("module.encryption",) if created else (),
    )


def _compute(manifest: Manifest, key: str, compute: ComputeEnvironment) -> GraphNode:
    adopted = manifest.adopted.compute.get(key)
    price = f", up to {compute.bid_percentage} % of On-Demand" if compute.bid_percentage else ""
    stopped = [] if compute.state == "ENABLED" else ["disabled: starts no jobs"]
    own_profile = manifest.iam.instance_profile
    role, addresses = "", [f"module.compute_{key}"]
    if not compute.is_fargate and not adopted:
        role = own_profile.rpartition("/")[2] if own_profile else manifest.suffixed("batchInstance")
        addresses += [] if own_profile else ["module.instance_role"]
        addresses += ["module.service_role"] if compute.service_role == "create" else []
        addresses += ["module.spot_fleet_role"] if compute.needs_spot_fleet_role else []
    return GraphNode(
        f"compute-{key}",
        "compute",
        adopted or manifest.suffixed(key),
        (
            f"{_MARKETS[compute.type]}{price}",
            f"{compute.min_vcpus} to {compute.max_vcpus} vCPUs",
            *([] if compute.is_fargate else [f"instance types {several(compute.instance_types)}"]),
            *stopped,
        ),
        role=role,
        key=f"compute.{key}",
        addresses=tuple(addresses),
    )
