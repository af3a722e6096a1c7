"""The model of a job's container settings beyond CPU and memory.

https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import ARN_PARTITIONS, INT32_MAX, AbsolutePath, KmsKeyArn, Model, about, text

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
    """An existing EFS file system, mounted over TLS and with the job's role."""

    file_system: Annotated[FileSystemId, about("The file system's id.")]
    mount: Annotated[AbsolutePath, about("The mount path in the container.")]
    access_point: Annotated[
        AccessPointId | None, about("The access point to mount through; it sets the directory and the user.")
    ] = None
    directory: Annotated[AbsolutePath | None, about("The directory to mount; not with an access point.")] = None
    read_only: Annotated[bool, about("Mount it read-only; the job's role gets no write permission either.")] = False


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
