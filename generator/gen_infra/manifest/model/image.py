"""The model of the AMI and of the instances' volumes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import (
    AbsolutePath,
    BucketName,
    CodeBuildImage,
    EmailAddress,
    ImageId,
    ImageSource,
    Model,
    ParameterName,
    Schedule,
    about,
    text,
)
from gen_infra.manifest.model.base_images import BASE_IMAGES, Architecture, BaseImage, BaseImageName
from gen_infra.manifest.model.host_script import MOST_SCRIPTS, HostScript, HostScripts, read_scripts

CURATED_BUILD_IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
"""CodeBuild's own image, which AWS updates under this name: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html."""

CliFolder = Annotated[
    str,
    text(
        r"/opt(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.-]+)+",
        "a folder below /opt, of letters, digits, '_', '.' and '-'",
        "/opt/aws-cli",
        max_length=128,
    ),
]


class RootVolume(Model, frozen=True, kw_only=True):
    """The instances' root volume ``/dev/xvda``, which also stores Docker's images and layers."""

    size_gib: Annotated[int, Meta(ge=30, le=65_536), about("The size in GiB.")] = 100
    type: Annotated[Literal["gp3", "gp2"], about("The EBS volume type.")] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=80_000), about("gp3: I/O operations per second; default: 3000.")] | None = (
        None
    )
    throughput_mib_s: Annotated[int, Meta(ge=125, le=2000), about("gp3: throughput in MiB/s; default: 250.")] | None = (
        None
    )

    @property
    def throughput(self) -> int | None:
        """Return the throughput to provision: jobs that start together wait for it while their images are unpacked."""
        return self.throughput_mib_s or (250 if self.type == "gp3" else None)


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

    @property
    def throughput(self) -> int | None:
        """Return the throughput to provision; None for EBS's default."""
        return self.throughput_mib_s


class EcsAgent(Model, frozen=True, kw_only=True):
    """Settings of the ECS agent in a built image, for hosts that start many jobs at once."""

    # https://github.com/aws/amazon-ecs-agent/blob/master/README.md#environment-variables

    pull_behavior: Annotated[
        Literal["default", "always", "once", "prefer-cached"],
        about(
            "When to pull a container image: `once` for each host until its copy is removed; `default` asks the "
            "registry for each job; `always` also fails without it; `prefer-cached` never removes a copy."
        ),
    ] = "once"
    manifest_pull_timeout_minutes: Annotated[
        int, Meta(ge=1, le=60), about("How long to wait for an image's manifest; the agent's own default is 1.")
    ] = 5
    image_pull_timeout_minutes: Annotated[
        int, Meta(ge=1, le=1440), about("How long to wait for an image; the agent's own default is 120.")
    ] = 120
    container_create_timeout_minutes: Annotated[
        int, Meta(ge=1, le=60), about("How long Docker may take to create a container; the agent's own default is 4.")
    ] = 10
    container_start_timeout_minutes: Annotated[
        int, Meta(ge=1, le=60), about("How long Docker may take to start a container; the agent's own default is 3.")
    ] = 10
    container_stop_timeout_seconds: Annotated[
        int, Meta(ge=1, le=600), about("How long a stopped job may take to end before it is killed.")
    ] = 30
    container_keep_minutes: Annotated[
        int, Meta(ge=1, le=10_080), about("How long a stopped container stays on the root volume.")
    ] = 180
    image_cleanup_minutes: Annotated[int, Meta(ge=10, le=1440), about("How often unused images are removed.")] = 10
    image_keep_minutes: Annotated[
        int, Meta(ge=1, le=10_080), about("How long an image stays at least after it was pulled.")
    ] = 60
    images_removed_at_once: Annotated[int, Meta(ge=1, le=100), about("The most images of one cleanup.")] = 5

    @property
    def options(self) -> dict[str, str]:
        """Return the agent's options, as in ``/etc/ecs/ecs.config``."""
        return {
            "ECS_IMAGE_PULL_BEHAVIOR": self.pull_behavior,
            "ECS_MANIFEST_PULL_TIMEOUT": f"{self.manifest_pull_timeout_minutes}m",
            "ECS_IMAGE_PULL_TIMEOUT": f"{self.image_pull_timeout_minutes}m",
            "ECS_CONTAINER_CREATE_TIMEOUT": f"{self.container_create_timeout_minutes}m",
            "ECS_CONTAINER_START_TIMEOUT": f"{self.container_start_timeout_minutes}m",
            "ECS_CONTAINER_STOP_TIMEOUT": f"{self.container_stop_timeout_seconds}s",
            "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION": f"{self.container_keep_minutes}m",
            "ECS_IMAGE_CLEANUP_INTERVAL": f"{self.image_cleanup_minutes}m",
            "ECS_IMAGE_MINIMUM_CLEANUP_AGE": f"{self.image_keep_minutes}m",
            "ECS_NUM_IMAGES_DELETE_PER_CYCLE": str(self.images_removed_at_once),
        }


class Rebuild(Model, frozen=True, kw_only=True):
    """A schedule in the account that rebuilds the image when its base image or its recipe has changed."""

    schedule: Annotated[
        Schedule, about("When to check for changes, in UTC; EventBridge Scheduler's `rate(…)` or `cron(…)`.")
    ]
    bucket: Annotated[BucketName, about("An existing bucket, for the files that the image is built from.")]
    codebuild_image: Annotated[
        CodeBuildImage | None,
        about(
            "The container image of the build, by digest: AWS's public one, or a copy of it in an ECR repository of "
            "the environment's region; default: `aws/codebuild/amazonlinux-x86_64-standard:5.0`, which AWS updates."
        ),
    ] = None
    notify: Annotated[
        tuple[EmailAddress, ...],
        about("E-mail addresses to notify when a rebuild fails; each confirms its subscription once."),
    ] = ()

    @property
    def is_pinned(self) -> bool:
        """Return whether the container image of the build is given by digest."""
        return self.codebuild_image is not None

    @property
    def build_image(self) -> str:
        """Return the container image of the build; without a digest it is CodeBuild's own."""
        return self.codebuild_image or CURATED_BUILD_IMAGE


class ComputeImage(Model, frozen=True, kw_only=True):
    """The AMI of one compute environment, in place of the environment's image.

    Without ``id`` and ``parameter``, its instances run AWS's recommended ECS-optimized image for ``base``.
    """

    base: Annotated[
        BaseImageName | None,
        about("The ECS-optimized image, or that which the image was built on; default: `image.base`."),
    ] = None
    id: Annotated[ImageId | None, about("The id of the AMI to run.")] = None
    parameter: Annotated[
        ParameterName | None,
        about("The SSM parameter that contains the id of the AMI to run, of data type `aws:ec2:image`."),
    ] = None


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
    parameter: Annotated[
        ParameterName | None,
        about("The SSM parameter that contains the id of the AMI to run, of data type `aws:ec2:image`."),
    ] = None
    root: RootVolume = RootVolume()
    scratch: Scratch = Scratch()
    ecs: EcsAgent = EcsAgent()
    aws_cli: Annotated[
        bool | CliFolder | None,
        about(
            "Make a folder with the AWS CLI 2 when the image is built, for containers with any C library: `true` for "
            "`/opt/aws-cli`, or another folder. Nextflow mounts it into each container: set `aws.batch.cliPath` to "
            "`bin/aws` in it, such as `/opt/aws-cli/bin/aws`."
        ),
    ] = None
    scripts: Annotated[
        HostScripts,
        Meta(max_length=MOST_SCRIPTS),
        about(
            "Shell scripts that bash runs as root when the image is built, in this order, before its clean-up; paths "
            "are relative to this file. `check` passes them only if its policy file lists their hashes."
        ),
    ] = ()
    rebuild: Annotated[
        Rebuild | None, about("Rebuild the image on a schedule; the new AMI's id is written to `parameter`.")
    ] = None

    @property
    def cli_folder(self) -> str:
        """Return the folder of the AWS CLI in the image; empty without it."""
        if isinstance(self.aws_cli, str):
            return self.aws_cli
        return "/opt/aws-cli" if self.aws_cli else ""

    @property
    def base_image(self) -> BaseImage:
        """Return what is known of the base image."""
        return BASE_IMAGES[self.base]

    @property
    def architecture(self) -> Architecture:
        """Return the CPU architecture of the base image, in EC2's spelling."""
        return self.base_image.architecture

    @property
    def build_scripts(self) -> tuple[HostScript, ...]:
        """Return the scripts of the build with their texts."""
        return read_scripts(self.scripts)

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
        """Map devices to the size of the volumes that the launch template sets, for any AMI."""
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
