"""The model of a job definition."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import (
    INT32_MAX,
    AbsolutePath,
    ContainerImage,
    EnvironmentVariable,
    Key,
    Model,
    ParameterKey,
    RoleArn,
    about,
    text,
)
from gen_infra.manifest.model.container import (
    ContainerUser,
    EfsVolume,
    Linux,
    RegistrySecretArn,
    Secret,
    Ulimit,
    UlimitName,
)

_RetryPattern = Annotated[
    str,
    text(
        r"[A-Za-z0-9.:\s]{0,511}[A-Za-z0-9.:\s*]",
        "1 to 512 letters, digits, periods, colons and spaces; a final * stands for any rest",
        "CannotPullContainerError*",
    ),
]


class RetryRule(Model, frozen=True, kw_only=True):
    """The action after an attempt fails and each pattern of the rule matches.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html
    """

    action: Annotated[Literal["RETRY", "EXIT"], about("Retry while `attempts` allow it, or fail.")]
    on_status_reason: Annotated[_RetryPattern | None, about("The job's status reason (`statusReason`).")] = None
    on_reason: Annotated[_RetryPattern | None, about("The container's reason.")] = None
    on_exit_code: (
        Annotated[
            str,
            text(r"[0-9]{1,512}\*?|\*", 'an exit code in quotes, such as "137"; a final * stands for any rest', "137"),
            about("The container's exit code, in quotes."),
        ]
        | None
    ) = None


# A lost host (a reclaimed Spot instance) is worth another try; a program that failed will fail again.
RETRY_LOST_HOST = (
    RetryRule(action="RETRY", on_status_reason="Host EC2*"),
    RetryRule(action="EXIT", on_reason="*"),
)
RETRY_LOST_TASK = (RetryRule(action="RETRY", on_status_reason="Your Spot Task was interrupted*"), RETRY_LOST_HOST[1])


class Job(Model, frozen=True, kw_only=True):
    """A job definition, for EC2 or Fargate, depending on the compute environments of its queue."""

    image: Annotated[ContainerImage, about("A repository of this manifest, or the full URI of another image.")]
    vcpus: Annotated[
        Annotated[int, Meta(ge=1, le=INT32_MAX, extra={"allowed": "a whole number"})]
        | Annotated[float, Meta(ge=0.25, le=0.5, extra={"allowed": "(on Fargate) 0.25 or 0.5"})],
        about("The container's vCPUs; on Fargate also 0.25 and 0.5."),
    ]
    memory_mib: Annotated[
        int, Meta(ge=4, le=INT32_MAX), about("The hard memory limit in MiB; a container that exceeds it is killed.")
    ]
    gpus: (
        Annotated[int, Meta(ge=1, le=16), about("GPUs for this job alone; requires `image.base: ecs-al2023-gpu`.")]
        | None
    ) = None
    command: Annotated[
        tuple[str, ...],
        Meta(examples=[["--sample", "Ref::sample"]]),
        about("The arguments for the image's entry point."),
    ] = ()
    environment: Annotated[
        dict[EnvironmentVariable, str], about("Environment variables; for secrets use `secrets`.")
    ] = {}
    secrets: Annotated[
        dict[EnvironmentVariable, Secret],
        about("Environment variables that ECS sets from a secret or a parameter when the container starts."),
    ] = {}
    parameters: Annotated[dict[ParameterKey, str], about("Default values for `Ref::name` in the command.")] = {}
    required_parameters: Annotated[
        tuple[ParameterKey, ...],
        about("Parameters of the command without a default value; every submission must set them."),
    ] = ()
    attempts: Annotated[
        int,
        Meta(ge=1, le=10),
        about("The most attempts; only a job that lost its host (a reclaimed Spot instance) is retried."),
    ] = 3
    evaluate_on_exit: Annotated[
        tuple[RetryRule, ...],
        Meta(max_length=5),
        about(
            "Which failures are retried, in place of a lost host only: the first matching rule decides, and a failure "
            "that matches no rule is retried."
        ),
    ] = ()
    timeout_minutes: Annotated[
        int,
        Meta(ge=1, le=INT32_MAX // 60),
        about("The most minutes of one attempt, on Fargate at most 20,160; Batch then stops it."),
    ] = 1440
    nodes: (
        Annotated[
            int,
            Meta(ge=2, le=1000),
            about("Multi-node parallel (MPI): the number of On-Demand instances that run the container together."),
        ]
        | None
    ) = None
    scratch: Annotated[
        AbsolutePath | None,
        about("The scratch path in the container: the job's own directory on the host's scratch volume."),
    ] = None
    ephemeral_storage_gib: (
        Annotated[int, Meta(ge=21, le=200), about("Fargate: the size of the container's disk in GiB; default: 20.")]
        | None
    ) = None
    repository_credentials: Annotated[
        RegistrySecretArn | None,
        about("The secret with `username` and `password` of the image's private registry outside AWS."),
    ] = None
    buckets: Annotated[tuple[str, ...], about("The keys of the buckets that the job's role may use.")] = ()
    efs: Annotated[dict[Key, EfsVolume], about("EFS file systems to mount, by a name of your choice.")] = {}
    user: Annotated[ContainerUser | None, about("The user that the container runs as; default: the image's user.")] = (
        None
    )
    readonly_root: Annotated[bool, about("Make the container's root file system read-only.")] = False
    ulimits: Annotated[
        dict[UlimitName, Ulimit], about("Resource limits of its processes; default: the Docker daemon's limits.")
    ] = {}
    linux: Annotated[Linux | None, about("Init process, shared memory, swap, tmpfs and devices.")] = None
    role: Annotated[RoleArn | None, about("The ARN of an existing job role; default: a new role.")] = None
    queue: Annotated[str | None, about("The queue that `gen-infra submit` uses; default: the first queue.")] = None
    scheduling_priority: (
        Annotated[int, Meta(ge=0, le=9999), about("The priority among the jobs of one share in a fair-share queue.")]
        | None
    ) = None
    container_properties: Annotated[
        dict[str, Any],
        Meta(examples=[{"enableExecuteCommand": True}]),
        about(
            "Other fields of Batch's `containerProperties`, in the API's spelling; `volumes` and `mountPoints` are "
            "added to those of the keys above."
        ),
    ] = {}
