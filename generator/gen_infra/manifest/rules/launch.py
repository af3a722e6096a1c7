"""Rules for how instances are launched: user data, capacity reservations and Elastic Fabric Adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.instances import named
from gen_infra.manifest.lustre import boot_scripts
from gen_infra.manifest.user_data import user_data

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html: 16 KB before base64; the rest is for Batch's part
USER_DATA_BYTES = 15 * 1024


def user_data_is_not_too_large(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow what EC2 does, less than which AWS Batch needs for its own part."""
    for key, compute in manifest.compute.items():
        size = len((user_data(boot_scripts(manifest, compute)) or "").encode())
        if size > USER_DATA_BYTES:
            yield (
                ("compute", key, "user_data"),
                f"these scripts are {size:,} bytes of user data, and {USER_DATA_BYTES:,} are allowed; "
                "use image.scripts for what does not change",
            )


def reserved_capacity_is_on_demand(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a capacity reservation for Spot, which never uses one.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-capacity-reservations.html
    """
    for key, compute in manifest.compute.items():
        if compute.capacity_reservation and compute.type == "SPOT":
            yield ("compute", key, "capacity_reservation"), "is for type EC2 only: Spot uses no capacity reservation"


def efa_is_supported(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require instance types with an Elastic Fabric Adapter, and the placement group that AWS Batch asks for.

    https://docs.aws.amazon.com/batch/latest/userguide/efa.html
    """
    for key, compute in manifest.compute.items():
        if not compute.efa or compute.is_fargate:
            continue
        if not compute.placement_group:
            yield ("compute", key, "efa"), "needs placement_group: the name of an existing cluster placement group"
        for index, word in enumerate(compute.instance_types):
            without = [instance.name for instance in named(word) if not instance.efa_interfaces]
            if without:
                family = word.partition(".")[0]
                having = [instance.name for instance in named(family) if instance.efa_interfaces]
                yield (
                    ("compute", key, "instance_types", index),
                    f"{without[0]} has no Elastic Fabric Adapter, and efa is true; "
                    f"use {', '.join(having[:3]) or 'a type such as c7i.48xlarge or hpc7a.96xlarge'}",
                )


ERRORS: tuple[ManifestRule, ...] = (user_data_is_not_too_large, reserved_capacity_is_on_demand, efa_is_supported)
