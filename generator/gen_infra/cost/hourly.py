"""What runs by the hour: instances of a compute environment with their volumes, and Fargate tasks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.prices import HOURS_A_MONTH, on_demand_price, service_price, spot_prices
from gen_infra.cost.amounts import UsdRange, as_json
from gen_infra.manifest.placements import offered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.manifest.instances import InstanceType
    from gen_infra.manifest.model.image import Image, RootVolume, Scratch
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment

# What a gp3 volume has without an extra price: https://aws.amazon.com/ebs/pricing/
_GP3_IOPS, _GP3_MIB_S = 3000, 125
# "up to 90% off On-Demand prices": https://aws.amazon.com/ec2/spot/pricing/, for types without a known Spot price.
_LEAST_OF_SPOT = 0.1
# "up to 70% off": https://aws.amazon.com/fargate/pricing/
_LEAST_OF_FARGATE_SPOT = 0.3
_FARGATE_STORAGE_GIB = 20  # without an extra price


@dataclass(frozen=True, slots=True)
class InstancePrice:
    """What an instance of one type costs by the hour in a compute environment; None: unknown.

    Args:
        compute: the compute environment.
        instance: the instance type.
        is_spot: whether it runs on Spot.
        usd: the instance: its On-Demand price, or from the lowest to the highest Spot price.
        volumes_usd: its volumes.
    """

    compute: str
    instance: InstanceType
    is_spot: bool
    usd: UsdRange | None
    volumes_usd: UsdRange | None

    @property
    def all_usd(self) -> UsdRange | None:
        """Return the price of the instance with its volumes; None if either is unknown."""
        return self.usd + self.volumes_usd if self.usd and self.volumes_usd else None

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {
            "compute_environment": self.compute,
            "instance_type": self.instance.name,
            "vcpus": self.instance.vcpus,
            "memory_mib": self.instance.memory_mib,
            "purchase": "SPOT" if self.is_spot else "ON_DEMAND",
            "usd_an_hour": as_json(self.usd),
            "volumes_usd_an_hour": as_json(self.volumes_usd),
        }


def instance_prices(manifest: Manifest) -> Iterator[InstancePrice]:
    """Yield the price of each type that each compute environment with instances may start."""
    for key, compute in manifest.compute.items():
        if not compute.is_fargate:
            volumes = volumes_price(manifest.region, manifest.image_of(key))
            for instance in offered(compute.instance_types):
                usd = instance_price(manifest.region, instance.name, compute)
                yield InstancePrice(key, instance, compute.type == "SPOT", usd, volumes)


def instance_price(region: str, instance_type: str, compute: ComputeEnvironment) -> UsdRange | None:
    """Return what an instance costs by the hour in a compute environment; None: unknown.

    A Spot price is never above the On-Demand price, nor above the percentage of it that the manifest allows.
    """
    on_demand = on_demand_price(region, instance_type)
    if on_demand is None or compute.type != "SPOT":
        return None if on_demand is None else UsdRange.exactly(on_demand)
    low, high = spot_prices(region, instance_type) or (on_demand * _LEAST_OF_SPOT, on_demand)
    most = on_demand * (compute.bid_percentage or 100) / 100
    return UsdRange(min(low, most), min(high, most))


def volumes_price(region: str, image: Image) -> UsdRange | None:
    """Return what the volumes of one instance cost by the hour; None: unknown."""
    amounts: Counter[str] = Counter()
    for volume in volumes_of(image):
        amounts[f"{volume.type}_gib_month"] += volume.size_gib
        if volume.type == "gp3":
            amounts["gp3_iops_month"] += max((volume.iops or 0) - _GP3_IOPS, 0)
            amounts["gp3_mib_s_month"] += max((volume.throughput or 0) - _GP3_MIB_S, 0)
    usd = _priced(region, amounts)
    return None if usd is None else UsdRange.exactly(usd / HOURS_A_MONTH)


def volumes_of(image: Image) -> list[RootVolume | Scratch]:
    """Return the EBS volumes of one instance: AWS's own image has no baked scratch volume."""
    carrier = image.scratch.carrier
    has_scratch = carrier == "launch_template" or (carrier == "baked" and not image.is_stock)
    return [image.root, *([image.scratch] if has_scratch else [])]


def _priced(region: str, amounts: Mapping[str, float]) -> float | None:
    """Multiply amounts by the prices of their names; None if the price of any of them is unknown."""
    usd = 0.0
    for name, amount in amounts.items():
        if amount:
            price = service_price(region, name)
            if price is None:
                return None
            usd += amount * price
    return usd


def fargate_price(
    region: str, vcpus: float, memory_gib: float, storage_gib: int, *, on_arm: bool, is_spot: bool
) -> UsdRange | None:
    """Return what a task on Fargate costs by the hour; None: unknown."""
    kind = "fargate_arm" if on_arm else "fargate"
    amounts = {
        f"{kind}_vcpu_hour": vcpus,
        f"{kind}_gib_hour": memory_gib,
        "fargate_storage_gib_hour": max(storage_gib - _FARGATE_STORAGE_GIB, 0),
    }
    usd = _priced(region, amounts)
    return None if usd is None else UsdRange(usd * (_LEAST_OF_FARGATE_SPOT if is_spot else 1), usd)


def task_price(region: str, job: Job, *, is_spot: bool) -> UsdRange | None:
    """Return what a job costs on Fargate by the hour; None: unknown."""
    return fargate_price(
        region,
        job.total_vcpus,
        job.total_memory_mib / 1024,
        job.ephemeral_storage_gib or 0,
        on_arm=is_on_arm(job),
        is_spot=is_spot,
    )


def is_on_arm(job: Job) -> bool:
    """Return whether a job on Fargate runs on Graviton."""
    platform = (job.container_properties or job.task_properties).get("runtimePlatform") or {}
    return platform.get("cpuArchitecture") == "ARM64"
