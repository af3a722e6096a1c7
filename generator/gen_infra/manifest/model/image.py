"""The model of the AMI and of the instances' volumes."""

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
from gen_infra.manifest.model.base_images import BASE_IMAGES, Architecture, BaseImage, BaseImageName


class RootVolume(Model, frozen=True, kw_only=True):
    """The instances' root volume ``/dev/xvda``, which also stores Docker's images and layers."""

    size_gib: Annotated[int, Meta(ge=30, le=65_536), about("The size in GiB.")] = 100
    type: Annotated[Literal["gp3", "gp2"], about("The EBS volume type.")] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=80_000), about("gp3: I/O operations per second; default: 3000.")] | None = (
        None
    )
    throughput_mib_s: Annotated[int, Meta(ge=125, le=2000), about("gp3: throughput in MiB/s; default: 125.")] | None = (
        None
    )


class Scratch(Model, frozen=True, kw_only=True):
    """The scratch volume ``/dev/sdb`` of every instance."""

    carrier: Annotated[
        Literal["launch_template", "baked", "instance_store"],
        about(
            "Where the volume comes from: the launch template (formatted at first boot; size and type change without "
            "a new image), the image itself (`baked`), or the disks of the instance type (`instance_store`)."
        ),
    ] = "launch_template"
    size_gib: Annotated[int, Meta(ge=1, le=65_536), about("The size in GiB.")] = 1000
    mount: Annotated[AbsolutePath, about("The mount path on the host.")] = "/docker_scratch"
    type: Annotated[Literal["gp3", "gp2"], about("The EBS volume type.")] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=80_000), about("gp3: I/O operations per second; default: 3000.")] | None = (
        None
    )
    throughput_mib_s: Annotated[int, Meta(ge=125, le=2000), about("gp3: throughput in MiB/s; default: 125.")] | None = (
        None
    )
    filesystem: Annotated[Literal["xfs", "ext4"], about("The file system to format it with.")] = "xfs"


class Rebuild(Model, frozen=True, kw_only=True):
    """A schedule in the account that rebuilds the image when its base image or its recipe has changed."""

    schedule: Annotated[
        Schedule, about("When to check for changes, in UTC; EventBridge Scheduler's `rate(…)` or `cron(…)`.")
    ]
    bucket: Annotated[BucketName, about("An existing bucket, for the files that the image is built from.")]
    notify: Annotated[
        tuple[EmailAddress, ...],
        about("E-mail addresses to notify when a rebuild fails; each confirms its subscription once."),
    ] = ()


class ComputeImage(Model, frozen=True, kw_only=True):
    """The AMI of one compute environment, in place of the environment's image.

    Without ``id`` and ``parameter``, its instances run AWS's recommended ECS-optimized image for ``base``.
    """

    base: Annotated[
        BaseImageName | None,
        about("The ECS-optimized image, or that which the image was built on; default: `image.base`."),
    ] = None
    id: Annotated[ImageId | None, about("The id of the AMI to run.")] = None
    parameter: Annotated[ParameterName | None, about("The SSM parameter that contains the id of the AMI to run.")] = (
        None
    )


class Image(Model, frozen=True, kw_only=True):
    """The AMI and the volumes of the instances.

    Without ``id`` and ``parameter``, instances run AWS's recommended ECS-optimized image for ``base``.
    """

    base: Annotated[BaseImageName, about("The ECS-optimized image to build on.")] = "ecs-al2023-x86_64"
    source: Annotated[
        ImageSource | None,
        about("The image to build on instead of AWS's newest for `base`: an AMI id, or the SSM parameter that has it."),
    ] = None
    id: Annotated[ImageId | None, about("The id of the AMI to run.")] = None
    parameter: Annotated[ParameterName | None, about("The SSM parameter that contains the id of the AMI to run.")] = (
        None
    )
    root: RootVolume = RootVolume()
    scratch: Scratch = Scratch()
    rebuild: Annotated[
        Rebuild | None, about("Rebuild the image on a schedule; the new AMI's id is written to `parameter`.")
    ] = None

    @property
    def base_image(self) -> BaseImage:
        """Return what is known of the base image."""
        return BASE_IMAGES[self.base]

    @property
    def architecture(self) -> Architecture:
        """Return the CPU architecture of the base image, in EC2's spelling."""
        return self.base_image.architecture

    @property
    def run_source(self) -> str:
        """Return the image to run: an AMI id, or the SSM parameter that has it."""
        return self.id or self.parameter or self.base_parameter

    @property
    def is_stock(self) -> bool:
        """Return whether instances run AWS's own image, which has no scratch volume."""
        return not (self.id or self.parameter)

    @property
    def launch_volumes_gib(self) -> dict[str, int]:
        """Map devices to the size of the volumes that the launch template sets, whatever the AMI contains."""
        volumes = {"/dev/xvda": self.root.size_gib}
        return volumes | ({"/dev/sdb": self.scratch.size_gib} if self.scratch.carrier == "launch_template" else {})

    @property
    def build_source(self) -> str:
        """Return the image to build on: an AMI id or an SSM parameter."""
        return self.source or self.base_parameter

    @property
    def builder_instance_type(self) -> str:
        """Return the instance type that Packer builds on: small, of the base's architecture, also for the GPU image."""
        return "m7g.large" if self.architecture == "arm64" else "m7i.large"

    @property
    def base_parameter(self) -> str:
        """Return the public SSM parameter of AWS's recommended image for this base."""
        return self.base_image.parameter
