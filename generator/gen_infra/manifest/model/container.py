"""The model of what a job's container asks of its host beyond CPU and memory.

https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import ARN_PARTITIONS, AbsolutePath, KmsKeyArn, Model, about, text

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
FileSystemId = Annotated[
    str, text("fs-[0-9a-f]{8,40}", "an EFS file system id such as fs-0123456789abcdef0", "fs-0123456789abcdef0")
]
AccessPointId = Annotated[
    str, text("fsap-[0-9a-f]{8,40}", "an EFS access point id such as fsap-0123456789abcdef0", "fsap-0123456789abcdef0")
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
TmpfsOption = Literal[
    "defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "noatime", "nodiratime"
]


class Secret(Model, frozen=True, kw_only=True):
    """A value that ECS puts into an environment variable when the container starts; it is in no file and no state."""

    arn: Annotated[SecretArn, about("A secret (`…:secret:name-AbCdEf:json-key::` for one key of it) or a parameter.")]
    kms_key: Annotated[KmsKeyArn | None, about("The customer key that encrypts it, when it has one.")] = None

    @property
    def is_parameter(self) -> bool:
        """Whether SSM, and not Secrets Manager, keeps it."""
        return self.arn.split(":")[2] == "ssm"

    @property
    def resource_arn(self) -> str:
        """What a policy names: the ARN without the JSON key, version stage and version id that may follow a secret."""
        return self.arn if self.is_parameter else ":".join(self.arn.split(":")[:7])


class EfsVolume(Model, frozen=True, kw_only=True):
    """An EFS file system that exists already, mounted through TLS and with the job's role."""

    file_system: Annotated[FileSystemId, about("The file system, by id.")]
    mount: Annotated[AbsolutePath, about("Where the container sees it.")]
    access_point: Annotated[
        AccessPointId | None, about("The access point to go through; it sets the directory and the user.")
    ] = None
    directory: Annotated[AbsolutePath | None, about("The directory to mount, without an access point.")] = None
    read_only: Annotated[bool, about("The container cannot write to it, and its role may not.")] = False


class Ulimit(Model, frozen=True, kw_only=True):
    """A resource limit of the container's processes."""

    soft: Annotated[int, Meta(ge=-1, le=2_147_483_647), about("What a process starts with; -1 is unlimited.")]
    hard: Annotated[int, Meta(ge=-1, le=2_147_483_647), about("What it may raise that to; -1 is unlimited.")]


class Tmpfs(Model, frozen=True, kw_only=True):
    """A file system in memory; it counts towards the job's memory."""

    path: Annotated[AbsolutePath, about("Where the container sees it.")]
    size_mib: Annotated[int, Meta(ge=1, le=1_048_576), about("Its size.")]
    options: Annotated[tuple[TmpfsOption, ...], about("Mount options.")] = ()


class Device(Model, frozen=True, kw_only=True):
    """A device of the host, shown to the container."""

    host_path: Annotated[AbsolutePath, about("The device on the host.")]
    container_path: Annotated[AbsolutePath | None, about("By default the same path.")] = None
    permissions: Annotated[
        tuple[Literal["READ", "WRITE", "MKNOD"], ...], about("What the container may do with it.")
    ] = ("READ", "WRITE")


class Linux(Model, frozen=True, kw_only=True):
    """Linux settings of the container."""

    init_process: Annotated[bool, about("Run an init process that forwards signals and reaps children.")] = False
    shared_memory_mib: Annotated[int, Meta(ge=1, le=1_048_576), about("The size of `/dev/shm`.")] | None = None
    max_swap_mib: (
        Annotated[int, Meta(ge=0, le=1_048_576), about("Swap that the job may use; the image must have it.")] | None
    ) = None
    swappiness: Annotated[int, Meta(ge=0, le=100), about("How readily it swaps; 60 by itself.")] | None = None
    tmpfs: Annotated[tuple[Tmpfs, ...], about("File systems in memory.")] = ()
    devices: Annotated[tuple[Device, ...], about("Devices of the host that it sees.")] = ()
