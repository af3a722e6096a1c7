"""The machine images of an environment, as EC2 and Parameter Store describe them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.aws.errors import aws_errors, error_code
from gen_infra.aws.tags import ENVIRONMENT_TAG
from gen_infra.errors import AwsError, MissingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.aws.session import Clients

# What the Packer template writes.
BASE_IMAGE_TAG = "gen-infra:base-image"
BASE_VERSION_TAG = "gen-infra:base-version"
RECIPE_TAG = "gen-infra:recipe"
BUILD_TAG = "gen-infra:build"

DATA_TYPE = "aws:ec2:image"
PUBLIC_PARAMETERS = "/aws/service/"  # AWS's own, whose data type is text
_AMI = re.compile("ami-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_GONE = {"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidAMIID.Malformed"}
_PUBLISH_SECONDS = 60.0


class Disk(NamedTuple):
    """One disk of an image."""

    snapshot: str
    size_gib: int
    encrypted: bool


class Base(NamedTuple):
    """An image to build on; only AWS's own have a version."""

    id: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.version} ({self.id})" if self.version else self.id


@dataclass(frozen=True, slots=True)
class MachineImage:
    """A machine image.

    Args:
        id: such as ``ami-0123456789abcdef0``.
        name: its name in EC2.
        created: when.
        state: ``available``, ``pending``, …
        tags: all of them.
        disks: device name -> disk.
        requires_imdsv2: whether instances of it take IMDSv2 alone unless their launch says otherwise.
    """

    id: str
    name: str
    created: datetime
    state: str
    tags: Mapping[str, str]
    disks: Mapping[str, Disk]
    requires_imdsv2: bool

    @property
    def base(self) -> Base:
        """Return the image that it was built on; empty for one that gen-infra did not build."""
        return Base(self.tags.get(BASE_IMAGE_TAG, ""), self.tags.get(BASE_VERSION_TAG, ""))

    @property
    def recipe(self) -> str:
        """Return the hash of the recipe that it was built by; empty for one that gen-infra did not build."""
        return self.tags.get(RECIPE_TAG, "")


@aws_errors()
def find(clients: Clients, image_id: str) -> MachineImage | None:
    """Return the image with this id; None if there is none, or none that this account may use."""
    found = describe(clients, image_id)
    return as_image(found) if found else None


def describe(clients: Clients, image_id: str) -> Mapping[str, Any] | None:
    """Return the same as EC2 describes it, with EC2's errors."""
    try:
        found = clients.ec2.describe_images(ImageIds=[image_id])["Images"]
    except clients.ec2.exceptions.ClientError as error:
        if error_code(error) not in _GONE:
            raise
        return None
    return dict(found[0]) if found else None


@aws_errors()
def builds(clients: Clients, environment: str) -> list[MachineImage]:
    """Return every image of this account that was built for the environment, the newest first."""
    pages = clients.ec2.get_paginator("describe_images").paginate(
        Owners=["self"], Filters=[{"Name": f"tag:{ENVIRONMENT_TAG}", "Values": [environment]}]
    )
    images = [as_image(found) for page in pages for found in page["Images"]]
    return sorted(images, key=lambda image: (image.created, image.name), reverse=True)


def base_image(clients: Clients, source: str) -> Base:
    """Return the image to build on now: ``source`` is its id, or the SSM parameter that names it.

    Raises:
        MissingError: the parameter does not exist.
    """
    if source.startswith("ami-"):
        return Base(source)
    image_id = named_image(clients, source)
    if image_id is None:
        raise MissingError(f'SSM parameter "{source}" not found in {clients.region}', hint="correct `image.source`")
    folder, _, last = source.rpartition("/")
    is_versioned = source.startswith(PUBLIC_PARAMETERS) and last == "image_id"
    version = parameter(clients, f"{folder}/image_version") if is_versioned else None
    return Base(image_id, version or "")


@aws_errors()
def parameter(clients: Clients, name: str) -> str | None:
    """Return the value of an SSM parameter; None if there is none of that name. It may be a secret: never print it."""
    found = _parameter(clients, name)
    return found["Value"] if found else None


@aws_errors()
def named_image(clients: Clients, name: str) -> str | None:
    """Return the id of the image that an SSM parameter names; None if there is no such parameter.

    Raises:
        UsageError: the parameter is for something else, which might be a secret.
    """
    found = _parameter(clients, name)
    if not found:
        return None
    if problem := unfit(found):
        raise UsageError(
            f'SSM parameter "{name}" {problem}',
            hint=f"name a parameter of data type {DATA_TYPE}, such as `gen-infra image build` creates",
        )
    return str(found["Value"])


def unfit(found: Mapping[str, Any]) -> str:
    """Return why a parameter cannot name an image, without its value; empty if it can.

    Args:
        found: the parameter, as GetParameter returns it.
    """
    is_public, value = found.get("Name", "").startswith(PUBLIC_PARAMETERS), found.get("Value", "")
    if not is_public and (found.get("Type") != "String" or found.get("DataType") != DATA_TYPE):
        return f"has type {found.get('Type')} and data type {found.get('DataType', 'text')}, not String and {DATA_TYPE}"
    return "" if _AMI.fullmatch(value) else f"has {shown(value)}, which is not an AMI id"


def shown(value: str) -> str:
    """Return the value of an image parameter if it is an AMI id, else its length."""
    return value if _AMI.fullmatch(value) else f"a value of {len(value)} characters"


def _parameter(clients: Clients, name: str) -> Mapping[str, Any] | None:
    try:
        return dict(clients.ssm.get_parameter(Name=name)["Parameter"])
    except clients.ssm.exceptions.ParameterNotFound:
        return None


@aws_errors()
def publish(clients: Clients, name: str, image_id: str) -> None:
    """Let the parameter name the image, and return when it does: SSM looks the image up after it has answered.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
    """
    clients.ssm.put_parameter(
        Name=name, Value=image_id, Type="String", DataType=DATA_TYPE, Overwrite=True, Description="AMI of the instances"
    )
    deadline = time.monotonic() + _PUBLISH_SECONDS
    while parameter(clients, name) != image_id:
        if time.monotonic() > deadline:
            raise AwsError(
                f"SSM did not accept {image_id} as the value of {name}",
                hint="check that the image exists and is available",
            )
        time.sleep(1)


@aws_errors()
def key_arn(clients: Clients, key: str) -> str | None:
    """Return the ARN of a key, given by ARN or by its alias's; None if there is none."""
    try:
        return clients.kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    except clients.kms.exceptions.NotFoundException:
        return None


@aws_errors()
def require_imdsv2(clients: Clients, image_id: str) -> None:
    """Let instances of the image take IMDSv2 alone."""
    clients.ec2.modify_image_attribute(ImageId=image_id, ImdsSupport={"Value": "v2.0"})


@aws_errors()
def faults(clients: Clients, image: MachineImage, key: str) -> list[str]:
    """Yield why a finished image cannot be used: each disk must be encrypted with the key, and IMDSv2 required."""
    return list(_faults(clients, image, key))


def _faults(clients: Clients, image: MachineImage, key: str) -> Iterator[str]:
    if image.state != "available":
        yield f"it is {image.state}"
    if not image.requires_imdsv2:
        yield "its instances would take IMDSv1"
    snapshots = {disk.snapshot: device for device, disk in image.disks.items()}
    for found in clients.ec2.describe_snapshots(SnapshotIds=list(snapshots))["Snapshots"]:
        device = snapshots[found["SnapshotId"]]
        if not found.get("Encrypted"):
            yield f"{device} is not encrypted"
        elif found.get("KmsKeyId") != key:
            yield f"{device} is encrypted with {found.get('KmsKeyId', 'another key')}, not with {key}"


@aws_errors()
def least_sizes(clients: Clients, image: MachineImage) -> dict[str, int]:
    """Map devices to the GiB of their snapshot; where it is not visible, as AWS's are not, GiB in the image."""
    wanted = [disk.snapshot for disk in image.disks.values()]
    shown = clients.ec2.describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": wanted}])["Snapshots"]
    sizes = {each["SnapshotId"]: each["VolumeSize"] for each in shown if "VolumeSize" in each}
    return {device: sizes.get(disk.snapshot, disk.size_gib) for device, disk in image.disks.items()}


def too_small(least: Mapping[str, int], volumes: Mapping[str, int]) -> list[str]:
    """Describe the volumes that EC2 would refuse: those smaller than the image's snapshots, with both sizes."""
    return [
        f"{device} is {size} GiB in the manifest, its snapshot {least[device]} GiB"
        for device, size in volumes.items()
        if size < least.get(device, 0)
    ]


@aws_errors()
def terminate_builder(clients: Clients, build: str) -> list[str]:
    """Terminate what is left of a build's instances and return their ids."""
    pages = clients.ec2.get_paginator("describe_instances").paginate(
        Filters=[
            {"Name": f"tag:{BUILD_TAG}", "Values": [build]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
        ]
    )
    left = [
        instance["InstanceId"]
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]
    if left:
        clients.ec2.terminate_instances(InstanceIds=left)
    return left


def as_image(found: Mapping[str, Any]) -> MachineImage:
    """Return an image as DescribeImages shows it."""
    return MachineImage(
        id=found["ImageId"],
        name=found.get("Name", ""),
        created=_created(found.get("CreationDate")),
        state=found.get("State", ""),
        tags={tag.get("Key", ""): tag.get("Value", "") for tag in found.get("Tags", [])},
        disks=dict(_disks(found)),
        requires_imdsv2=found.get("ImdsSupport") == "v2.0",
    )


def _created(date: str | None) -> datetime:
    """Parse EC2's date; an image that has none counts as the oldest."""
    try:
        return datetime.fromisoformat(date or "")
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _disks(found: Mapping[str, Any]) -> Iterator[tuple[str, Disk]]:
    for mapping in found.get("BlockDeviceMappings", []):
        if snapshot := mapping.get("Ebs", {}).get("SnapshotId"):
            ebs = mapping["Ebs"]
            yield mapping.get("DeviceName", ""), Disk(snapshot, ebs.get("VolumeSize", 0), ebs.get("Encrypted", False))
