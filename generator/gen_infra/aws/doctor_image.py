"""The doctor on the machine image: it exists, fits the architecture, and leaves no volume unencrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.aws.doctor import check
from gen_infra.aws.errors import error_code
from gen_infra.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.aws.session import Clients
    from gen_infra.diagnosis import Diagnosis

_ABSENT = {"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidAMIID.Malformed"}


@check("image", "ssm")
def image_of_parameter(
    clients: Clients, parameter: str, architecture: str, volumes: Mapping[str, int]
) -> Iterator[Diagnosis]:
    """Whether an SSM parameter names an image that the instances can run; the rest is as in `image`."""
    try:
        value = clients.ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    except clients.ssm.exceptions.ParameterNotFound:
        advice = f"aws ssm put-parameter --name {parameter} --type String --data-type aws:ec2:image --value AMI_ID"
        yield wrong("image", f"there is no parameter {parameter} in {clients.region}", advice)
        return
    yield from image(clients, value, architecture, volumes, origin=f" from {parameter}")


@check("image", "ec2")
def image(
    clients: Clients, image_id: str, architecture: str, volumes: Mapping[str, int], origin: str = ""
) -> Iterator[Diagnosis]:
    """Whether the instances can run the image.

    Args:
        clients: of the region that the instances run in.
        image_id: the AMI.
        architecture: ``x86_64`` or ``arm64``, as the manifest's base says.
        volumes: device name -> GiB of the volumes that the launch template sets, encrypted whatever the image says.
        origin: where the id comes from, for the messages.
    """
    name = f"{image_id}{origin}"
    found = _describe(clients, image_id)
    if found is None:
        advice = "name another image, or ask its owner to share it with this account"
        yield wrong("image", f"{name} does not exist in {clients.region}, or is not shared with this account", advice)
        return
    if found["State"] != "available":
        yield wrong("image", f"{name} is {found['State']}", "wait for it, or name another image")
    elif found.get("Architecture") != architecture:
        message = f"{name} is for {found.get('Architecture', 'another architecture')}, the manifest for {architecture}"
        yield wrong("image", message, "correct `image.base`, or name another image")
    else:
        yield ok("image", f"{name}: {found.get('Name', 'without a name')}")
    disks = {each["DeviceName"]: each["Ebs"] for each in found["BlockDeviceMappings"] if "Ebs" in each}
    yield from _encryption(disks, volumes, public=found.get("Public", False))
    yield from _sizes(disks, volumes)


def _describe(clients: Clients, image_id: str) -> Mapping[str, Any] | None:
    try:
        found = clients.ec2.describe_images(ImageIds=[image_id])["Images"]
    except clients.ec2.exceptions.ClientError as error:
        if error_code(error) not in _ABSENT:
            raise
        return None
    return dict(found[0]) if found else None


def _encryption(disks: Mapping[str, Any], volumes: Mapping[str, int], *, public: bool) -> Iterator[Diagnosis]:
    """Every disk is encrypted in the image or by the launch template; a public image cannot be in the image."""
    plain = [device for device, disk in disks.items() if not disk.get("Encrypted")]
    if exposed := [device for device in plain if device not in volumes]:
        message = f"{', '.join(exposed)} would be unencrypted: neither the image nor the launch template encrypts it"
        yield wrong("image encryption", message, "build an image with encrypted snapshots: build/<name>/packer")
    elif plain and not public:
        message = f"the snapshot of {', '.join(plain)} is not encrypted; volumes made of it will be"
        yield warning("image encryption", message, "build an image with encrypted snapshots: build/<name>/packer")
    elif plain:
        yield ok("image encryption", f"AWS's public image; the launch template encrypts {', '.join(plain)}")
    else:
        yield ok("image encryption", f"every disk is encrypted: {', '.join(disks)}")


def _sizes(disks: Mapping[str, Any], volumes: Mapping[str, int]) -> Iterator[Diagnosis]:
    """EC2 refuses to make a volume smaller than its snapshot."""
    for device, size in volumes.items():
        least = disks[device].get("VolumeSize", 0) if device in disks else 0
        if size < least:
            message = f"{device} is {least} GiB in the image, {size} GiB in the manifest: no instance can start"
            yield wrong("image", message, f"ask for {least} GiB or more")
