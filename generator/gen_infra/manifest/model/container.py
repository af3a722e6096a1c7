"""The model of a job's containers.

https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html, and of a job with several
https://docs.aws.amazon.com/batch/latest/APIReference/API_TaskContainerProperties.html
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import (
    ARN_PARTITIONS,
    INT32_MAX,
    AbsolutePath,
    ContainerImage,
    EnvironmentVariable,
    Key,
    KmsKeyArn,
    Model,
    about,
    text,
)
from gen_infra.manifest.model.file_system import AccessPointId

SecretArn = Annotated[
    str,
    text(
        rf"arn:(?:{ARN_PARTITIONS}):(?:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:[A-Za-z0-9/_+=.@-]{{1,512}}(?::[A-Za-z0-9_.-]*){{0,3}}"
        rf"|ssm:[a-z0-9-]+:[0-9]{{12}}:parameter/[A-Za-z0-9_./-]{{1,1011}})",
        "the ARN of a Secrets Manager secret or of an SSM parameter",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:genomics/licence-AbCdEf",
        "arn:aws:ssm:us-east-1:123456789012:parameter/genomics/licence",
    ),
]
RegistrySecretArn = Annotated[
    str,
    text(
        rf"arn:(?:{ARN_PARTITIONS}):secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:[A-Za-z0-9/_+=.@-]{{1,512}}",
        "the ARN of a Secrets Manager secret",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:genomics/registry-AbCdEf",
    ),
]
VolumeFileSystem = Annotated[
    str,
    text(
        "(?!fs-)[A-Za-z][A-Za-z0-9_-]{0,39}|fs-[0-9a-f]{8,40}",
        "a name of file_systems, or an EFS file system id such as fs-0123456789abcdef0",
        "refs",
        "fs-0123456789abcdef0",
    ),
]
ContainerUser = Annotated[
    str,
    text(
        "[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?", "a user, or user:group", "1000:1000"
    ),
]
UlimitName = Literal[
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice",
    "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
]  # fmt: skip
ContainerName = Annotated[
    str, text("[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, '_' and '-' (a container's name)", "align")
]
StartCondition = Literal["START", "COMPLETE", "SUCCESS"]
# https://docs.aws.amazon.com/batch/latest/APIReference/API_Tmpfs.html (mountOptions); tmpfs(5) has the values.
TmpfsOption = Annotated[
    str,
    text(
        "defaults|ro|rw|suid|nosuid|dev|nodev|exec|noexec|sync|async|dirsync|atime|noatime"
        "|diratime|nodiratime|relatime|norelatime|strictatime|nostrictatime"
        "|mode=[0-7]{3,4}|uid=[0-9]{1,10}|gid=[0-9]{1,10}|nr_inodes=[0-9]{1,12}[kmg]?|nr_blocks=[0-9]{1,12}[kmg]?"
        "|mpol=[a-z0-9:,=-]{1,40}",
        "a mount option of a tmpfs, such as noexec or mode=1777",
        "noexec",
        "mode=1777",
    ),
]


class Secret(Model, frozen=True, kw_only=True):
    """A value that ECS puts into an environment variable when the container starts; no file or state contains it."""

    arn: Annotated[
        SecretArn,
        about("The secret (`…:secret:name-AbCdEf:json-key::` for one key of it) or the SSM parameter."),
    ]
    kms_key: Annotated[KmsKeyArn | None, about("The customer managed key that encrypts it, if any.")] = None

    @property
    def is_parameter(self) -> bool:
        """Return whether it is an SSM parameter, not a Secrets Manager secret."""
        return self.arn.split(":")[2] == "ssm"

    @property
    def resource_arn(self) -> str:
        """Return the ARN for a policy, without the JSON key, version stage and version id after a secret's name."""
        return self.arn if self.is_parameter else ":".join(self.arn.split(":")[:7])


class EfsVolume(Model, frozen=True, kw_only=True):
    """An EFS file system, mounted over TLS and with the job's role."""

    file_system: Annotated[
        VolumeFileSystem, about("The name of one of `file_systems`, or the id of an existing file system.")
    ]
    mount: Annotated[AbsolutePath, about("The mount path in the container.")]
    access_point: Annotated[
        AccessPointId | None, about("The access point to mount through; it sets the directory and the user.")
    ] = None
    directory: Annotated[AbsolutePath | None, about("The directory to mount; not with an access point.")] = None
    read_only: Annotated[bool, about("Mount it read-only; the job's role gets no write permission either.")] = False


class FsxVolume(Model, frozen=True, kw_only=True):
    """An FSx for Lustre file system, which the host has mounted."""

    mount: Annotated[AbsolutePath, about("The mount path in the container.")]
    read_only: Annotated[bool, about("Mount it read-only in this container.")] = False


class Ulimit(Model, frozen=True, kw_only=True):
    """A resource limit of the container's processes."""

    soft: Annotated[int, Meta(ge=-1, le=INT32_MAX), about("The limit that a process starts with; -1: unlimited.")]
    hard: Annotated[int, Meta(ge=-1, le=INT32_MAX), about("The highest limit that it may set; -1: unlimited.")]


class Tmpfs(Model, frozen=True, kw_only=True):
    """A file system in memory; it counts towards the job's memory."""

    path: Annotated[AbsolutePath, about("The mount path in the container.")]
    size_mib: Annotated[int, Meta(ge=1, le=INT32_MAX), about("The size in MiB.")]
    options: Annotated[tuple[TmpfsOption, ...], about("Mount options.")] = ()


class Device(Model, frozen=True, kw_only=True):
    """A device of the host that the container can use."""

    host_path: Annotated[AbsolutePath, about("The device's path on the host.")]
    container_path: Annotated[
        AbsolutePath | None, about("The device's path in the container; default: the same path.")
    ] = None
    permissions: Annotated[
        tuple[Literal["READ", "WRITE", "MKNOD"], ...], about("The container's permissions for the device.")
    ] = ("READ", "WRITE")


class Linux(Model, frozen=True, kw_only=True):
    """Linux settings of the container."""

    init_process: Annotated[bool, about("Run an init process that forwards signals and reaps child processes.")] = False
    shared_memory_mib: Annotated[int, Meta(ge=1, le=INT32_MAX), about("The size of `/dev/shm` in MiB.")] | None = None
    max_swap_mib: (
        Annotated[int, Meta(ge=0, le=INT32_MAX), about("The swap space that the job may use; the AMI must have swap.")]
        | None
    ) = None
    swappiness: (
        Annotated[int, Meta(ge=0, le=100), about("The kernel's swappiness for the container; default: 60.")] | None
    ) = None
    tmpfs: Annotated[tuple[Tmpfs, ...], about("File systems in memory.")] = ()
    devices: Annotated[tuple[Device, ...], about("Devices of the host that the container can use.")] = ()


class SharedVolume(Model, frozen=True, kw_only=True):
    """An empty volume that containers of one job share; it lives as long as the attempt."""

    mount: Annotated[AbsolutePath, about("The mount path in the container.")]
    read_only: Annotated[bool, about("Mount it read-only in this container.")] = False


_Image = Annotated[ContainerImage, about("A repository of this manifest, or the full URI of another image.")]
_Vcpus = Annotated[
    Annotated[int, Meta(ge=1, le=INT32_MAX, extra={"allowed": "a whole number"})]
    | Annotated[float, Meta(ge=0.25, le=0.5, extra={"allowed": "(on Fargate) 0.25 or 0.5"})],
    about("The container's vCPUs; on Fargate also 0.25 and 0.5."),
]
_MemoryMib = Annotated[
    int, Meta(ge=4, le=INT32_MAX), about("The hard memory limit in MiB; a container that exceeds it is killed.")
]


class ContainerSettings(Model, frozen=True, kw_only=True):
    """The settings that a container of several has itself, and the container of a job with one has on its job."""

    image: _Image | None = None
    vcpus: _Vcpus | None = None
    memory_mib: _MemoryMib | None = None
    gpus: (
        Annotated[
            int,
            Meta(ge=1, le=16),
            about("GPUs for this container alone; requires the image `ecs-al2023-gpu`."),
        ]
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
    scratch: Annotated[
        AbsolutePath | None,
        about("The scratch path in the container: its own directory on the host's scratch volume."),
    ] = None
    repository_credentials: Annotated[
        RegistrySecretArn | None,
        about("The secret with `username` and `password` of the image's private registry outside AWS."),
    ] = None
    efs: Annotated[dict[Key, EfsVolume], about("EFS file systems to mount, by a name of your choice.")] = {}
    fsx: Annotated[
        dict[Key, FsxVolume], about("FSx for Lustre file systems to mount, by their names in `file_systems`.")
    ] = {}
    user: Annotated[ContainerUser | None, about("The user that the container runs as; default: the image's user.")] = (
        None
    )
    readonly_root: Annotated[bool, about("Make the container's root file system read-only.")] = False
    ulimits: Annotated[
        dict[UlimitName, Ulimit], about("Resource limits of its processes; default: the Docker daemon's limits.")
    ] = {}
    linux: Annotated[Linux | None, about("Init process, shared memory, swap, tmpfs and devices.")] = None


class Container(ContainerSettings, frozen=True, kw_only=True):
    """One container of a job."""

    image: _Image
    vcpus: _Vcpus
    memory_mib: _MemoryMib
    essential: Annotated[bool, about("When this container ends, end the job: its exit code decides the status.")] = True
    depends_on: Annotated[
        dict[ContainerName, StartCondition],
        about(
            "Containers to wait for, each with a condition: `START`, or `COMPLETE` and `SUCCESS` of a container that "
            "is not essential."
        ),
    ] = {}
    shared_volumes: Annotated[
        dict[Key, SharedVolume], about("Volumes to share with the containers that name the same ones.")
    ] = {}
