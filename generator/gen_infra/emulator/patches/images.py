"""EC2: machine images and their disks."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.responses.amis import AmisResponse
from moto.kms.models import kms_backends

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


@moto_patch(
    moto="5.2.5 gives an image that is created from an instance one unencrypted disk of 15 GiB",
    aws="creates a snapshot of each disk of the instance, with the size and encryption of the disk",
)
def created_image() -> None:
    """Create the snapshots, and remove the one that moto creates."""

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
    moto="5.2.5 shows a volume's key as it was given, and no key for a snapshot",
    aws="shows the key's ARN for both, also when an alias was given",
)
def volume_key() -> None:
    """Resolve the alias, and copy the volume's key to the snapshot."""

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
    moto="5.2.5 drops ImdsSupport of ModifyImageAttribute, and changes several attributes at once",
    aws="stores and describes it; one request changes one attribute",
)
def image_imds_support() -> None:
    """Store it on the image, and refuse a request with another attribute.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html
    """
    attributes = ("Description", "ImdsSupport", "LaunchPermission")

    @around(AmisResponse, "modify_image_attribute")
    def modify_image_attribute(original: Any, response: AmisResponse) -> Any:
        given = [name for name in attributes if any(key.startswith(f"{name}.") for key in response.querystring)]
        named = str(response._get_param("Attribute") or "")
        if len({*map(str.lower, given), *([named.lower()] if named else [])}) > 1:
            message = "You can specify only one attribute at a time"
            raise EC2ClientError("InvalidParameterCombination", message)
        result = original(response)
        if support := response._get_param("ImdsSupport.Value"):
            response.ec2_backend.amis[response._get_param("ImageId")].imds_support = support
        return result


@moto_patch(
    moto="5.2.5 stores only name and description of a registered image, and shows one unencrypted disk of 15 GiB",
    aws="stores its architecture, root device and disks, with the size and encryption of their snapshots",
)
def registered_image() -> None:
    """Store the parameters of RegisterImage, and read size and encryption from the snapshots."""
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
