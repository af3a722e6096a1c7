"""The doctor on the machine image: it exists, fits the architecture and the volumes, and leaves none unencrypted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.images import DATA_TYPE, as_image, describe, least_sizes, unfit
from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume that the manifest gives a size.

    Args:
        size_gib: that size.
        key: its key in the manifest.
        in_template: whether the launch template makes it, and encrypts it; else the image does.
    """

    size_gib: int
    key: str
    in_template: bool = True


@check("image", "ssm")
def image_of_parameter(
    clients: Clients, parameter: str, architecture: str, volumes: Mapping[str, Volume], account: str = ""
) -> Iterator[Diagnosis]:
    """Check whether an SSM parameter names an image that the instances can run; the rest is as in `image`."""
    try:
        found = clients.ssm.get_parameter(Name=parameter)["Parameter"]
    except clients.ssm.exceptions.ParameterNotFound:
        advice = "gen-infra image build MANIFEST"
        yield wrong("image", f"parameter {parameter} does not exist in {clients.region}", advice)
        return
    if problem := unfit(found):
        yield wrong("image", f"parameter {parameter} {problem}", f"name a parameter of data type {DATA_TYPE}")
        return
    yield from image(clients, found["Value"], architecture, volumes, account, origin=f" from {parameter}")


@check("image", "ec2")
def image(
    clients: Clients,
    image_id: str,
    architecture: str,
    volumes: Mapping[str, Volume],
    account: str = "",
    *,
    origin: str = "",
) -> Iterator[Diagnosis]:
    """Check whether the instances can run the image.

    Args:
        clients: of the region that the instances run in.
        image_id: the AMI.
        architecture: ``x86_64`` or ``arm64``, as the manifest's base says.
        volumes: by device name, those that the manifest gives a size.
        account: the environment's; an image of another account, but AWS's own, is a warning.
        origin: where the id comes from, for the messages.
    """
    name = f"{image_id}{origin}"
    found = describe(clients, image_id)
    if found is None:
        advice = "name another image, or ask its owner to share it with this account"
        yield wrong("image", f"{name} does not exist in {clients.region}, or is not shared with this account", advice)
        return
    if found.get("State") != "available":
        yield wrong(
            "image", f"{name} is {found.get('State', 'in an unknown state')}", "wait for it, or name another image"
        )
    elif found.get("Architecture") != architecture:
        message = f"{name} is for {found.get('Architecture', 'another architecture')}, the manifest for {architecture}"
        yield wrong("image", message, "correct `image.base`, or name another image")
    elif account and found.get("OwnerId", account) != account and found.get("ImageOwnerAlias") != "amazon":
        message = f"{name} belongs to account {found.get('OwnerId')}, which is root on every host that runs it"
        yield warning("image", message, "build an image of your own, or make sure that you trust that account")
    else:
        yield ok("image", f"{name}: {found.get('Name', 'without a name')}")
    disks = {each.get("DeviceName", ""): each["Ebs"] for each in found.get("BlockDeviceMappings", []) if "Ebs" in each}
    in_template = {device for device, volume in volumes.items() if volume.in_template}
    yield from _encryption(disks, in_template, public=found.get("Public", False))
    yield from _sizes(least_sizes(clients, as_image(found)), volumes)


def _encryption(disks: Mapping[str, Any], in_template: Set[str], *, public: bool) -> Iterator[Diagnosis]:
    """Check whether every disk is encrypted, by the image or the launch template; in a public image none can be."""
    plain = [device for device, disk in disks.items() if not disk.get("Encrypted")]
    if exposed := [device for device in plain if device not in in_template]:
        message = f"{', '.join(exposed)} would be unencrypted: neither the image nor the launch template encrypts it"
        yield wrong("image encryption", message, "build an image with encrypted snapshots: build/<name>/packer")
    elif plain and not public:
        message = f"the snapshot of {', '.join(plain)} is not encrypted; volumes made of it will be"
        yield warning("image encryption", message, "build an image with encrypted snapshots: build/<name>/packer")
    elif plain:
        yield ok("image encryption", f"AWS's public image; the launch template encrypts {', '.join(plain)}")
    else:
        yield ok("image encryption", f"every disk is encrypted: {', '.join(disks)}")


def _sizes(least: Mapping[str, int], volumes: Mapping[str, Volume]) -> Iterator[Diagnosis]:
    """Check whether each volume is as large as its snapshot; EC2 refuses a smaller one.

    A volume that the manifest gives no size is as large as the image says.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html
    """
    for device, volume in volumes.items():
        needed = least.get(device, 0)
        if volume.size_gib >= needed:
            continue
        effect = "no instance can start" if volume.in_template else f"instances have {needed} GiB"
        message = f"{device} is {volume.size_gib} GiB in the manifest, its snapshot {needed} GiB: {effect}"
        advice = f"set `{volume.key}` to {needed} or more, or name an image with a smaller snapshot"
        yield wrong("image", message, advice)
