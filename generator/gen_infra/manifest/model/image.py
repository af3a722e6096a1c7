"""The model of the machine image and the volumes of its instances."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import (
    AbsolutePath,
    BucketName,
    EmailAddress,
    ImageId,
    ImageSource,
    Model,
    ParameterName,
    Schedule,
    about,
)


class RootVolume(Model, frozen=True, kw_only=True):
    """The instances' root volume ``/dev/xvda``; Docker's images and layers live on it."""

    size_gib: Annotated[int, Meta(ge=30, le=16384), about("Its size.")] = 100
    type: Annotated[Literal["gp3", "gp2"], about("The EBS volume type.")] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=16000), about("gp3: I/O operations per second; 3000 by itself.")] | None = (
        None
    )
    throughput_mib_s: Annotated[int, Meta(ge=125, le=1000), about("gp3: throughput; 125 by itself.")] | None = None


class Scratch(Model, frozen=True, kw_only=True):
    """The scratch volume ``/dev/sdb`` of every instance."""

    carrier: Annotated[
        Literal["launch_template", "baked", "instance_store"],
        about(
            "What brings it: the launch template (formatted at first boot; size and type change without a new image), "
            "the image itself, or the instance type's own disks."
        ),
    ] = "launch_template"
    size_gib: Annotated[int, Meta(ge=1, le=16384), about("Its size.")] = 1000
    mount: Annotated[AbsolutePath, about("Where the host mounts it.")] = "/docker_scratch"
    type: Annotated[Literal["gp3", "gp2"], about("The EBS volume type.")] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=16000), about("gp3: I/O operations per second; 3000 by itself.")] | None = (
        None
    )
    throughput_mib_s: Annotated[int, Meta(ge=125, le=1000), about("gp3: throughput; 125 by itself.")] | None = None
    filesystem: Annotated[Literal["xfs", "ext4"], about("What it is formatted with.")] = "xfs"


class Rebuild(Model, frozen=True, kw_only=True):
    """A schedule, in the account itself, on which the image is built again when its base or its recipe has changed."""

    schedule: Annotated[Schedule, about("When to look, in UTC; EventBridge Scheduler's `rate(…)` or `cron(…)`.")]
    bucket: Annotated[BucketName, about("A bucket that exists already, for what the image is built from.")]
    notify: Annotated[tuple[EmailAddress, ...], about("Who hears of a rebuild that failed; each confirms once.")] = ()


class Image(Model, frozen=True, kw_only=True):
    """The AMI of the instances, and the volumes they carry.

    With neither ``id`` nor ``parameter``, AWS's own recommended ECS-optimized image of that base is used.
    """

    base: Annotated[
        Literal["ecs-al2023-x86_64", "ecs-al2023-arm64", "ecs-al2023-gpu"],
        about("The ECS-optimized image to build on."),
    ] = "ecs-al2023-x86_64"
    source: Annotated[
        ImageSource | None,
        about(
            "An image of that base to build on in place of AWS's newest: an AMI id, or the SSM parameter that names it."
        ),
    ] = None
    id: Annotated[ImageId | None, about("The AMI to run, by id.")] = None
    parameter: Annotated[ParameterName | None, about("The SSM parameter that names the AMI to run.")] = None
    root: RootVolume = RootVolume()
    scratch: Scratch = Scratch()
    rebuild: Annotated[
        Rebuild | None, about("Build the image again on a schedule; the new one goes to `parameter`.")
    ] = None

    @property
    def architecture(self) -> Literal["x86_64", "arm64"]:
        """The CPU architecture of the base image, in EC2's spelling."""
        return "arm64" if self.base == "ecs-al2023-arm64" else "x86_64"

    @property
    def launch_volumes_gib(self) -> dict[str, int]:
        """Device -> size of the volumes that the launch template sets, whatever the image brings."""
        volumes = {"/dev/xvda": self.root.size_gib}
        return volumes | ({"/dev/sdb": self.scratch.size_gib} if self.scratch.carrier == "launch_template" else {})

    @property
    def build_source(self) -> str:
        """What names the image to build on: an id or an SSM parameter."""
        return self.source or self.base_parameter

    @property
    def builder_instance_type(self) -> str:
        """What Packer builds on: small, of the base's architecture (the GPU image builds without a GPU)."""
        return "m7g.large" if self.architecture == "arm64" else "m7i.large"

    @property
    def batch_image_type(self) -> Literal["ECS_AL2023", "ECS_AL2023_NVIDIA"]:
        """Batch's ``ec2Configuration.imageType`` for this base."""
        return "ECS_AL2023_NVIDIA" if self.base == "ecs-al2023-gpu" else "ECS_AL2023"

    @property
    def base_parameter(self) -> str:
        """The public SSM parameter of AWS's recommended image for this base.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html
        """
        variant = {"ecs-al2023-x86_64": "", "ecs-al2023-arm64": "/arm64", "ecs-al2023-gpu": "/gpu"}[self.base]
        return f"/aws/service/ecs/optimized-ami/amazon-linux-2023{variant}/recommended/image_id"
