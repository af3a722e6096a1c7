"""Finds what uses a machine image, and removes images with their snapshots."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.images import DATA_TYPE, parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.aws.images import MachineImage
    from gen_infra.aws.session import Clients

_GIB = 1 << 30
_NAMES_AT_MOST = 10  # in one GetParameters
_BY_PARAMETER = "resolve:ssm:"  # how a launch template names a parameter, perhaps with its version behind another colon


@aws_errors()
def environment_images(clients: Clients, names: Iterable[str]) -> dict[str, str]:
    """Name of each compute environment that Terraform made for one of ``names`` -> the image that it runs.

    A name may have several while a successor takes over; an image that Batch chose itself is an empty text.
    """
    ours = re.compile(rf"(?:{'|'.join(map(re.escape, names))})-[0-9a-f]{{26}}")
    return {name: image for name, image in _compute_environments(clients) if ours.fullmatch(name)}


@aws_errors()
def users(clients: Clients, own_parameter: str) -> dict[str, list[str]]:
    """Map image ids to all that uses them in this account and region, such as ``instance i-0123456789abcdef0``.

    Args:
        clients: where to look.
        own_parameter: a parameter that counts with any data type; others count only with the data type of images.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for image_id, user in (
        *_by_instances(clients),
        *_by_launch_templates(clients),
        *((image, f"compute environment {name}") for name, image in _compute_environments(clients)),
        *_by_parameters(clients, own_parameter),
    ):
        found[image_id].append(user)
    return dict(found)


@aws_errors()
def sizes(clients: Clients, image: MachineImage) -> dict[str, int]:
    """Map the image's snapshots to their bytes: those that EC2 bills, or if unknown, those of the whole disk."""
    snapshots = [disk.snapshot for disk in image.disks.values()]
    found = clients.ec2.describe_snapshots(SnapshotIds=snapshots)["Snapshots"] if snapshots else []
    return {each["SnapshotId"]: each.get("FullSnapshotSizeInBytes") or each["VolumeSize"] * _GIB for each in found}


@aws_errors()
def remove(clients: Clients, image: MachineImage) -> None:
    """Deregister an image and delete its snapshots, which EC2 keeps while an image refers to them."""
    clients.ec2.deregister_image(ImageId=image.id)
    for disk in image.disks.values():
        clients.ec2.delete_snapshot(SnapshotId=disk.snapshot)


def _compute_environments(clients: Clients) -> Iterator[tuple[str, str]]:
    for page in clients.batch.get_paginator("describe_compute_environments").paginate():
        for found in page["computeEnvironments"]:
            if found.get("status") != "DELETED":
                yield found["computeEnvironmentName"], _image_of(found.get("computeResources", {}))


def _image_of(resources: Mapping[str, Any]) -> str:
    """Return the image by its newer key, else by its older one."""
    overrides: list[str] = [each.get("imageIdOverride", "") for each in resources.get("ec2Configuration", [])]
    return next(filter(None, [*overrides, str(resources.get("imageId", ""))]), "")


def _by_instances(clients: Clients) -> Iterator[tuple[str, str]]:
    not_terminated = ["pending", "running", "shutting-down", "stopping", "stopped"]
    pages = clients.ec2.get_paginator("describe_instances")
    for page in pages.paginate(Filters=[{"Name": "instance-state-name", "Values": not_terminated}]):
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                yield instance.get("ImageId", ""), f"instance {instance.get('InstanceId', '')}"


def _by_launch_templates(clients: Clients) -> Iterator[tuple[str, str]]:
    """Yield the images of every version, because an Auto Scaling group may use an old one."""
    for page in clients.ec2.get_paginator("describe_launch_templates").paginate():
        for template in page["LaunchTemplates"]:
            versions = clients.ec2.get_paginator("describe_launch_template_versions").paginate(
                LaunchTemplateId=template["LaunchTemplateId"]
            )
            for version in (each for answer in versions for each in answer["LaunchTemplateVersions"]):
                image = version.get("LaunchTemplateData", {}).get("ImageId", "")
                if image.startswith(_BY_PARAMETER):
                    image = parameter(clients, image.removeprefix(_BY_PARAMETER)) or ""
                if image:
                    number, name = version["VersionNumber"], version["LaunchTemplateName"]
                    yield image, f"launch template {name}, version {number}"


def _by_parameters(clients: Clients, own: str) -> Iterator[tuple[str, str]]:
    pages = clients.ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Type", "Values": ["String"]}]
    )
    names = {own} | {each["Name"] for page in pages for each in page["Parameters"] if each.get("DataType") == DATA_TYPE}
    ordered = sorted(names)
    for start in range(0, len(ordered), _NAMES_AT_MOST):
        answer = clients.ssm.get_parameters(Names=ordered[start : start + _NAMES_AT_MOST])
        for found in answer["Parameters"]:
            yield found["Value"], f"parameter {found['Name']}"
