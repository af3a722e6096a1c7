"""EC2: machine images and the disks that they are made of."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.responses.amis import AmisResponse
from moto.kms.models import kms_backends

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


@moto_patch(
    moto="5.2.5 gives an image that is made of an instance one unencrypted disk of 15 GiB",
    aws="makes a snapshot of each of the instance's disks, as large and as encrypted as the disk",
)
def created_image() -> None:
    """Make the snapshots, and forget the one that moto makes."""

    @around(AmisResponse, "create_image")
    def create_image(original: Any, response: AmisResponse) -> Any:
        result = original(response)
        backend = response.ec2_backend
        image = backend.amis[result.result["ImageId"]]
        image.root_device_name = image.instance.root_device_name
        image.root_device_type = "ebs"
        del backend.snapshots[image.ebs_snapshot.id]
        image.given_disks = [
            _snapshot_of(backend, device.volume_id, name, image.id)
            for name, device in image.instance.get_block_device_mapping
        ]
        return result


def _snapshot_of(backend: Any, volume: str, device: str, image: str) -> dict[str, Any]:
    snapshot = backend.create_snapshot(volume, f"Created by CreateImage for {image}", from_ami=image)
    return {"DeviceName": device, "Ebs": {"SnapshotId": snapshot.id}}


@moto_patch(
    moto="5.2.5 shows the key of a volume as it was given, and none for a snapshot",
    aws="shows the ARN of the key that the alias stood for, for both",
)
def volume_key() -> None:
    """Look the alias up, and hand the volume's key on."""

    @around(EBSBackend, "create_volume")
    def create_volume(original: Any, backend: Any, *args: Any, **kwargs: Any) -> Any:
        volume = original(backend, *args, **kwargs)
        if volume.kms_key_id:
            kms = kms_backends[backend.account_id][backend.region_name]
            volume.kms_key_id = kms.describe_key(kms.any_id_to_key_id(volume.kms_key_id)).arn
        return volume

    @around(EBSBackend, "create_snapshot")
    def create_snapshot(original: Any, backend: Any, volume_id: str, *args: Any, **kwargs: Any) -> Snapshot:
        snapshot: Snapshot = original(backend, volume_id, *args, **kwargs)
        snapshot.kms_key_id = snapshot.volume.kms_key_id
        return snapshot


@moto_patch(
    moto="5.2.5 forgets that an image is to require IMDSv2",
    aws="shows ImdsSupport from then on",
)
def image_imds_support() -> None:
    """Keep it."""

    @around(AmisResponse, "modify_image_attribute")
    def modify_image_attribute(original: Any, response: AmisResponse) -> Any:
        result = original(response)
        if support := response._get_param("ImdsSupport.Value"):
            response.ec2_backend.amis[response._get_param("ImageId")].imds_support = support
        return result


@moto_patch(
    moto="5.2.5 keeps the name and description of a registered image, and shows one unencrypted disk of 15 GiB",
    aws="keeps its architecture, root device and disks; each is as large and as encrypted as its snapshot",
)
def registered_image() -> None:
    """Keep what RegisterImage was given, and look each disk's snapshot up."""
    shown: Any = Ami.block_device_mappings  # a property, which setattr replaces

    @around(AmisResponse, "register_image")
    def register_image(original: Any, response: AmisResponse) -> Any:
        result = original(response)
        image = response.ec2_backend.amis[result.result["ImageId"]]
        image.architecture = response._get_param("Architecture", "i386")
        image.root_device_name = response._get_param("RootDeviceName", image.root_device_name)
        image.virtualization_type = response._get_param("VirtualizationType", "paravirtual")
        image.root_device_type = "ebs"
        image.given_disks = response._get_param("BlockDeviceMappings", [])
        return result

    def disks(image: Ami) -> list[dict[str, Any]]:
        given: list[dict[str, Any]] = getattr(image, "given_disks", [])
        return [_with_snapshot(image, disk) for disk in given] or shown.fget(image)

    setattr(Ami, "block_device_mappings", property(disks))  # noqa: B010 - mypy takes it for a method


def _with_snapshot(image: Ami, disk: dict[str, Any]) -> dict[str, Any]:
    snapshot = image.ec2_backend.snapshots.get(disk.get("Ebs", {}).get("SnapshotId"))
    if snapshot is None:
        return disk
    ebs = {"VolumeSize": snapshot.volume.size} | disk["Ebs"] | {"Encrypted": snapshot.encrypted}
    return disk | {"Ebs": ebs}


PATCHES: tuple[MotoPatch, ...] = (
    created_image,
    volume_key,
    image_imds_support,
    registered_image,
)
