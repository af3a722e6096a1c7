"""The model of a job definition."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from gen_infra.manifest.model.base import (
    AbsolutePath,
    ContainerImage,
    EnvironmentVariable,
    Key,
    Model,
    ParameterKey,
    RoleArn,
    about,
)
from gen_infra.manifest.model.container import ContainerUser, EfsVolume, Linux, Secret, Ulimit, UlimitName


class Job(Model, frozen=True, kw_only=True):
    """A job definition: on EC2 or on Fargate, as the compute environments of its queue are."""

    image: Annotated[ContainerImage, about("A repository of this manifest, or an image elsewhere by its full URI.")]
    vcpus: Annotated[
        Annotated[int, Meta(ge=1, le=448, extra={"says": "a whole number from 1 to 448"})]
        | Annotated[float, Meta(ge=0.25, le=0.5, extra={"says": "(on Fargate) 0.25 or 0.5"})],
        about("vCPUs of the container; on Fargate also 0.25 and 0.5."),
    ]
    memory_mib: Annotated[
        int, Meta(ge=4, le=25_165_824), about("Hard memory limit; beyond it the container is killed.")
    ]
    gpus: Annotated[int, Meta(ge=1, le=16), about("GPUs of its own; needs `image.base: ecs-al2023-gpu`.")] | None = None
    command: Annotated[
        tuple[str, ...], Meta(examples=[["--sample", "Ref::sample"]]), about("Arguments for the image's entry point.")
    ] = ()
    environment: Annotated[dict[EnvironmentVariable, str], about("Environment variables; never a secret.")] = {}
    secrets: Annotated[
        dict[EnvironmentVariable, Secret], about("Environment variables that ECS fills when the container starts.")
    ] = {}
    parameters: Annotated[dict[ParameterKey, str], about("Defaults for `Ref::name` in the command.")] = {}
    required_parameters: Annotated[
        tuple[ParameterKey, ...], about("Parameters of the command without a default: every submission gives them.")
    ] = ()
    attempts: Annotated[
        int, Meta(ge=1, le=10), about("Tries; only a lost host (a reclaimed Spot instance) is tried again.")
    ] = 3
    timeout_minutes: Annotated[int, Meta(ge=1, le=20_160), about("Each attempt is stopped after this time.")] = 1440
    nodes: (
        Annotated[
            int,
            Meta(ge=2, le=1000),
            about("Multi-node parallel (MPI): the container runs on this many On-Demand instances at once."),
        ]
        | None
    ) = None
    scratch: Annotated[
        AbsolutePath | None, about("Where the container sees scratch: a directory of its own on the host's volume.")
    ] = None
    ephemeral_storage_gib: (
        Annotated[int, Meta(ge=21, le=200), about("Fargate: the size of the container's own disk; 20 by default.")]
        | None
    ) = None
    buckets: Annotated[tuple[str, ...], about("The buckets that this job's role may use.")] = ()
    efs: Annotated[dict[Key, EfsVolume], about("EFS file systems that the container sees.")] = {}
    user: Annotated[ContainerUser | None, about("Who the container runs as; by default, as its image says.")] = None
    readonly_root: Annotated[bool, about("The container cannot write to its own root file system.")] = False
    ulimits: Annotated[dict[UlimitName, Ulimit], about("Limits of its processes; by default the Docker daemon's.")] = {}
    linux: Annotated[Linux | None, about("Init process, shared memory, swap, tmpfs and devices.")] = None
    role: Annotated[RoleArn | None, about("The job's role, owned elsewhere; by default one is made.")] = None
    queue: Annotated[str | None, about("Where `gen-infra submit` sends it; by default the first queue.")] = None
    scheduling_priority: (
        Annotated[int, Meta(ge=0, le=9999), about("Its place within a share of a fair-share queue.")] | None
    ) = None
    container_properties: Annotated[
        dict[str, Any],
        Meta(examples=[{"enableExecuteCommand": True}]),
        about(
            "Anything else of Batch's `containerProperties`, in the API's spelling; `volumes` and `mountPoints` are "
            "added to those that the keys above make."
        ),
    ] = {}

    @property
    def registry_secret(self) -> str | None:
        """The ARN of the secret that opens a private registry outside AWS (``repositoryCredentials``)."""
        credentials = self.container_properties.get("repositoryCredentials")
        arn = credentials.get("credentialsParameter") if isinstance(credentials, dict) else None
        return arn if isinstance(arn, str) else None
