"""The manifest, typed: frozen structs whose field descriptions are also the JSON Schema and the documentation.

Defaults live here and nowhere else. Keys are AWS's or Terraform's own terms, with the unit in the name.
Limits that one value shows by itself are written here; limits between values are in :mod:`gen_infra.manifest.rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.base import (
    ARN_PARTITIONS,
    KMS_KEY_ARN,
    ROLE_ARN,
    AbsolutePath,
    EnvironmentVariable,
    InstanceProfileArn,
    KmsKeyArn,
    Model,
    RoleArn,
)
from gen_infra.manifest.base import about as _about
from gen_infra.manifest.base import text as _text
from gen_infra.manifest.container import ContainerUser, EfsVolume, Linux, Secret, Ulimit, UlimitName

EnvironmentName = Annotated[
    str,
    _text(
        "[a-z][a-z0-9-]{0,22}[a-z0-9]", "2 to 24 lower-case letters, digits and hyphens, starting with a letter", "prod"
    ),
]
Key = Annotated[
    str,
    _text("[A-Za-z][A-Za-z0-9_-]{0,39}", "1 to 40 letters, digits, '_' and '-', starting with a letter", "isaac"),
]
AccountId = Annotated[str, _text("[0-9]{12}", "twelve digits in quotes", "123456789012")]
Region = Annotated[str, _text("[a-z]{2}(?:-[a-z]+){1,2}-[0-9]", "an AWS region such as us-east-1", "us-east-1")]
BucketName = Annotated[
    str,
    _text(
        r"(?!xn--|sthree-)(?!.*(?:\.\.|\.-|-\.))(?![0-9.]+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)",
        "3 to 63 lower-case letters, digits, dots and hyphens (an S3 bucket name)",
        "genomics-results-123456789012",
    ),
]
RepositoryName = Annotated[
    str,
    _text(
        "[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*",
        "lower-case words joined by '.', '_', '-' or '/' (an ECR repository name)",
        "samtools_stats",
        max_length=200,
    ),
]
ImageId = Annotated[
    str, _text("ami-(?:[0-9a-f]{8}|[0-9a-f]{17})", "an AMI id such as ami-0123456789abcdef0", "ami-0123456789abcdef0")
]
SubnetId = Annotated[str, _text("subnet-[0-9a-f]{8,17}", "a subnet id such as subnet-0123456789abcdef0")]
SecurityGroupId = Annotated[str, _text("sg-[0-9a-f]{8,17}", "a security group id such as sg-0123456789abcdef0")]
PolicyArn = Annotated[
    str,
    _text(
        rf"arn:(?:{ARN_PARTITIONS}):iam::(?:[0-9]{{12}}|aws):policy/[\w+=,.@/-]{{1,512}}",
        "the ARN of an IAM policy",
        "arn:aws:iam::123456789012:policy/developer-boundary",
    ),
]
IamPath = Annotated[
    str,
    _text(
        r"/|/[A-Za-z0-9_+=,.@-]+(?:/[A-Za-z0-9_+=,.@-]+)*/",
        "a path that starts and ends with '/'",
        "/genomics/",
        max_length=128,
    ),
]
ParameterName = Annotated[
    str,
    _text(
        "/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+){0,14}",
        "an SSM parameter name that starts with '/'",
        "/gen-infra/prod/ami",
        max_length=1011,
    ),
]
Prefix = Annotated[
    str,
    _text(
        "(?!/)(?:[A-Za-z0-9!_.'()-]+/)+",
        "an S3 prefix that ends with '/', without wildcards",
        "genomic-workflow/",
        max_length=512,
    ),
]
TagKey = Annotated[
    str,
    _text(
        r"(?![aA][wW][sS]:)[A-Za-z0-9 _.:/=+@-]{1,128}",
        "1 to 128 letters, digits, spaces and any of _ . : / = + - @, not starting with aws:",
        "Project",
    ),
]
TagValue = Annotated[
    str,
    _text("[A-Za-z0-9 _.:/=+@-]{0,256}", "up to 256 letters, digits, spaces and any of _ . : / = + - @", "genomics"),
]
ParameterKey = Annotated[str, _text("[A-Za-z0-9_-]{1,64}", "letters, digits, '_' and '-'", "sample")]
InstanceType = Annotated[
    str,
    _text(
        r"optimal|default_x86_64|default_arm64|[a-z][a-z0-9-]*[0-9][a-z0-9-]*(?:\.[a-z0-9-]+)?",
        "'optimal', a family such as c7i, or a type such as c7i.8xlarge",
        "optimal",
        "r7i",
        "c7i.8xlarge",
    ),
]
ContainerImage = Annotated[
    str,
    _text(
        r"[A-Za-z0-9][A-Za-z0-9._-]*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
        "a repository of this manifest (isaac, isaac:1.0) or a full image URI",
        "isaac:1.0",
        "quay.io/biocontainers/samtools:1.21",
        max_length=255,
    ),
]


class StateBucket(Model, frozen=True, kw_only=True):
    """Terraform state in S3, locked by S3's own conditional writes (``use_lockfile``)."""

    bucket: Annotated[BucketName, _about("The state bucket; `gen-infra bootstrap` makes it.")]


class TagLookup(Model, frozen=True, kw_only=True):
    """Network pieces that exist already, found by their tags."""

    vpc: Annotated[dict[TagKey, TagValue], Meta(min_length=1), _about("Tags of exactly one VPC.")]
    subnets: Annotated[dict[TagKey, TagValue], Meta(min_length=1), _about("Tags of the private subnets in that VPC.")]
    security_groups: Annotated[
        dict[TagKey, TagValue], Meta(min_length=1), _about("Tags of the security groups in that VPC.")
    ]


class NetworkIds(Model, frozen=True, kw_only=True):
    """Network pieces that exist already, by id."""

    subnets: Annotated[
        tuple[SubnetId, ...], Meta(min_length=1, max_length=16), _about("Private subnets, in two zones or more.")
    ]
    security_groups: Annotated[
        tuple[SecurityGroupId, ...], Meta(min_length=1, max_length=5), _about("Security groups of the instances.")
    ]


class Network(Model, frozen=True, kw_only=True):
    """Where the instances run: exactly one of ``lookup`` and ``ids``."""

    lookup: TagLookup | None = None
    ids: NetworkIds | None = None


class Encryption(Model, frozen=True, kw_only=True):
    """The key of volumes, logs, images and functions."""

    key: Annotated[
        str,
        _text(f"create|{KMS_KEY_ARN}", "'create', or the ARN of a KMS key (not of an alias)", "create"),
        _about("`create` makes one customer managed key; an ARN uses one you own."),
    ] = "create"


class Iam(Model, frozen=True, kw_only=True):
    """What an organisation asks of every role."""

    path: Annotated[IamPath, _about("The IAM path of every role.")] = "/"
    permissions_boundary: Annotated[
        PolicyArn | None, _about("A managed policy, owned elsewhere, set on every role.")
    ] = None
    instance_profile: Annotated[
        InstanceProfileArn | None, _about("The instances' profile, owned elsewhere; by default one is made.")
    ] = None


class Logs(Model, frozen=True, kw_only=True):
    """CloudWatch log groups."""

    retention_days: Annotated[
        Literal[365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
        _about("How long logs are kept, in days; a year is the least that the security checks accept."),
    ] = 365


class Bucket(Model, frozen=True, kw_only=True):
    """A bucket that exists already and that jobs may use."""

    name: BucketName
    access: Annotated[
        Literal["read", "write"],
        _about("`read` lists and gets; `write` also puts objects and aborts multipart uploads. Neither deletes."),
    ]
    prefix: Annotated[Prefix | None, _about("Only the objects under this prefix.")] = None
    kms_key: Annotated[KmsKeyArn | None, _about("The customer key that encrypts the bucket, when it has one.")] = None


class RootVolume(Model, frozen=True, kw_only=True):
    """The instances' root volume ``/dev/xvda``; Docker's images and layers live on it."""

    size_gib: Annotated[int, Meta(ge=30, le=16384)] = 100
    type: Literal["gp3", "gp2"] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=16000)] | None = None
    throughput_mib_s: Annotated[int, Meta(ge=125, le=1000)] | None = None


class Scratch(Model, frozen=True, kw_only=True):
    """The scratch volume ``/dev/sdb`` of every instance."""

    carrier: Annotated[
        Literal["launch_template", "baked", "instance_store"],
        _about(
            "What brings it: the launch template (formatted at first boot; size and type change without a new image), "
            "the image itself, or the instance type's own disks."
        ),
    ] = "launch_template"
    size_gib: Annotated[int, Meta(ge=1, le=16384)] = 1000
    mount: Annotated[AbsolutePath, _about("Where the host mounts it.")] = "/docker_scratch"
    type: Literal["gp3", "gp2"] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=16000)] | None = None
    throughput_mib_s: Annotated[int, Meta(ge=125, le=1000)] | None = None
    filesystem: Literal["xfs", "ext4"] = "xfs"


class Image(Model, frozen=True, kw_only=True):
    """The AMI of the instances, and the volumes they carry.

    With neither ``id`` nor ``parameter``, AWS's own recommended ECS-optimized image of that base is used.
    """

    base: Annotated[
        Literal["ecs-al2023-x86_64", "ecs-al2023-arm64", "ecs-al2023-gpu"],
        _about("The ECS-optimized image to build on."),
    ] = "ecs-al2023-x86_64"
    id: Annotated[ImageId | None, _about("The AMI to run, by id.")] = None
    parameter: Annotated[ParameterName | None, _about("The SSM parameter that names the AMI to run.")] = None
    root: RootVolume = RootVolume()
    scratch: Scratch = Scratch()

    @property
    def architecture(self) -> Literal["x86_64", "arm64"]:
        """The CPU architecture of the base image, in EC2's spelling."""
        return "arm64" if self.base == "ecs-al2023-arm64" else "x86_64"

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


AllocationStrategy = Literal[
    "BEST_FIT", "BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"
]


class ComputeEnvironment(Model, frozen=True, kw_only=True):
    """A managed compute environment, on EC2 or on Fargate."""

    type: Annotated[
        Literal["SPOT", "EC2", "FARGATE", "FARGATE_SPOT"],
        _about("`SPOT`, or `EC2` for On-Demand; `FARGATE` and `FARGATE_SPOT` have no instances to look after."),
    ] = "SPOT"
    allocation_strategy: Annotated[
        AllocationStrategy | None,
        _about("By default SPOT_CAPACITY_OPTIMIZED for SPOT, BEST_FIT_PROGRESSIVE for EC2: both update in place."),
    ] = None
    bid_percentage: (
        Annotated[int, Meta(ge=1, le=100), _about("SPOT: the most to pay, as a percentage of On-Demand.")] | None
    ) = None
    min_vcpus: Annotated[int, Meta(ge=0, le=100_000)] = 0
    max_vcpus: Annotated[int, Meta(ge=1, le=100_000)]
    instance_types: Annotated[tuple[InstanceType, ...], Meta(min_length=1)] = ("optimal",)
    service_role: Annotated[
        str,
        _text(
            f"service-linked|create|{ROLE_ARN}",
            "'service-linked', 'create', or the ARN of an IAM role",
            "service-linked",
        ),
        _about("AWSServiceRoleForBatch by default; a custom role makes every change of the environment a replacement."),
    ] = "service-linked"
    state: Literal["ENABLED", "DISABLED"] = "ENABLED"
    update_timeout_minutes: Annotated[
        int,
        Meta(ge=1, le=360),
        _about("How long an in-place update lets running jobs go on before their instance is replaced."),
    ] = 360

    @property
    def is_fargate(self) -> bool:
        """Whether there are no instances."""
        return self.type.startswith("FARGATE")

    @property
    def strategy(self) -> AllocationStrategy:
        """The allocation strategy in force."""
        if self.allocation_strategy:
            return self.allocation_strategy
        return "SPOT_CAPACITY_OPTIMIZED" if self.type == "SPOT" else "BEST_FIT_PROGRESSIVE"

    @property
    def needs_spot_fleet_role(self) -> bool:
        """BEST_FIT on Spot is the one strategy that asks for a Spot fleet role."""
        return self.type == "SPOT" and self.strategy == "BEST_FIT"


class TimeLimits(Model, frozen=True, kw_only=True):
    """How long a job may wait in RUNNABLE for a cause that AWS Batch can name, before it is cancelled."""

    insufficient_capacity_minutes: Annotated[int, Meta(ge=10, le=1440), _about("No instance capacity.")] = 1440
    compute_environment_maximum_minutes: Annotated[
        int, Meta(ge=10, le=1440), _about("The job asks for more than the compute environments' maximum.")
    ] = 60
    job_requirement_minutes: Annotated[
        int, Meta(ge=10, le=1440), _about("No allowed instance type can hold the job.")
    ] = 60


class FairShare(Model, frozen=True, kw_only=True):
    """A fair-share scheduling policy; every job in such a queue carries a share identifier."""

    shares: Annotated[
        dict[
            Annotated[
                str,
                _text(r"[A-Za-z0-9]{1,254}\*?", "letters and digits, and a trailing '*' for a prefix", "production"),
            ],
            Annotated[float, Meta(ge=0.0001, le=999.9999)],
        ],
        Meta(max_length=500),
        _about("Share identifier -> weight factor; a smaller factor gets more."),
    ] = {}
    share_decay_seconds: Annotated[int, Meta(ge=0, le=604_800)] = 0
    compute_reservation: Annotated[
        int, Meta(ge=0, le=99), _about("Percent of the maximum vCPUs held for shares not yet used.")
    ] = 0


class Queue(Model, frozen=True, kw_only=True):
    """A job queue."""

    priority: Annotated[int, Meta(ge=0, le=1000), _about("A larger number is scheduled first.")]
    compute: Annotated[
        tuple[str, ...], Meta(min_length=1, max_length=3), _about("Compute environments, tried in this order.")
    ]
    state: Literal["ENABLED", "DISABLED"] = "ENABLED"
    time_limits: TimeLimits = TimeLimits()
    fair_share: FairShare | None = None


class Job(Model, frozen=True, kw_only=True):
    """A job definition, on what its queue's compute environments are."""

    image: ContainerImage
    vcpus: (
        Annotated[int, Meta(ge=1, le=448, extra={"says": "a whole number from 1 to 448"})]
        | Annotated[float, Meta(ge=0.25, le=0.5, extra={"says": "(on Fargate) 0.25 or 0.5"})]
    )
    memory_mib: Annotated[int, Meta(ge=4, le=25_165_824)]
    command: tuple[str, ...] = ()
    environment: dict[EnvironmentVariable, str] = {}
    secrets: Annotated[
        dict[EnvironmentVariable, Secret], _about("Environment variables that ECS fills when the container starts.")
    ] = {}
    parameters: Annotated[dict[ParameterKey, str], _about("Defaults for `Ref::name` in the command.")] = {}
    required_parameters: Annotated[
        tuple[ParameterKey, ...], _about("Parameters of the command without a default: every submission gives them.")
    ] = ()
    gpus: Annotated[int, Meta(ge=1, le=16), _about("GPUs of its own; needs `image.base: ecs-al2023-gpu`.")] | None = (
        None
    )
    attempts: Annotated[
        int, Meta(ge=1, le=10), _about("Tries; only a lost host (a reclaimed Spot instance) is tried again.")
    ] = 3
    timeout_minutes: Annotated[int, Meta(ge=1, le=20_160), _about("Each attempt is stopped after this time.")] = 1440
    scratch: Annotated[AbsolutePath | None, _about("Where the container sees the host's scratch volume.")] = None
    ephemeral_storage_gib: (
        Annotated[int, Meta(ge=21, le=200), _about("Fargate: the size of the container's own disk; 20 by default.")]
        | None
    ) = None
    buckets: Annotated[tuple[str, ...], _about("The buckets that this job's role may use.")] = ()
    efs: Annotated[dict[Key, EfsVolume], _about("EFS file systems that the container sees.")] = {}
    user: Annotated[ContainerUser | None, _about("Who the container runs as; by default, as its image says.")] = None
    readonly_root: Annotated[bool, _about("The container cannot write to its own root file system.")] = False
    ulimits: dict[UlimitName, Ulimit] = {}
    linux: Linux | None = None
    role: Annotated[RoleArn | None, _about("The job's role, owned elsewhere; by default one is made.")] = None
    queue: Annotated[str | None, _about("Where `gen-infra submit` sends it; by default the first queue.")] = None
    scheduling_priority: (
        Annotated[int, Meta(ge=0, le=9999), _about("Its place within a share of a fair-share queue.")] | None
    ) = None


class Manifest(Model, frozen=True, kw_only=True):
    """One environment, as its manifest says after ``extends`` is resolved."""

    name: Annotated[EnvironmentName, _about("The environment; the suffix of every name that is made.")]
    account: Annotated[AccountId, _about("The only AWS account that Terraform may touch.")]
    region: Region
    tags: Annotated[dict[TagKey, TagValue], Meta(max_length=40), _about("Tags of everything that can carry tags.")] = {}
    state: Annotated[Literal["local"] | StateBucket, _about("`local`, or the S3 bucket of the Terraform state.")]
    network: Network
    encryption: Encryption = Encryption()
    iam: Iam = Iam()
    logs: Logs = Logs()
    buckets: dict[Key, Bucket] = {}
    repositories: Annotated[tuple[RepositoryName, ...], _about("ECR repositories to make, each under `<name>/`.")] = ()
    image: Image = Image()
    compute: Annotated[dict[Key, ComputeEnvironment], Meta(min_length=1)]
    queues: Annotated[dict[Key, Queue], Meta(min_length=1)]
    jobs: dict[Key, Job] = {}

    # Names and ARNs that more than one file must agree on.

    @property
    def partition(self) -> str:
        """The ARN partition of the region."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")

    @property
    def dns_suffix(self) -> str:
        """The domain of the partition's regional endpoints."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def key_alias(self) -> str:
        """The alias of the key that ``encryption.key: create`` makes."""
        return f"alias/batch-{self.name}"

    def suffixed(self, key: str) -> str:
        """``isaac`` -> ``isaac-prod``: queues, definitions, compute environments, functions, fixed roles."""
        return f"{key}-{self.name}"

    @property
    def state_key(self) -> str:
        """The object that holds the Terraform state, in the state bucket."""
        return f"gen-infra/{self.name}/terraform.tfstate"

    @property
    def uses_spot(self) -> bool:
        """Whether any compute environment runs on Spot."""
        return any(compute.type == "SPOT" for compute in self.compute.values())

    @property
    def uses_ec2(self) -> bool:
        """Whether any compute environment has instances."""
        return not all(compute.is_fargate for compute in self.compute.values())

    def queue_of(self, job: Job) -> str:
        """The queue that a job goes to unless a submission says otherwise."""
        return job.queue or next(iter(self.queues))

    def is_on_fargate(self, job: Job) -> bool:
        """Whether the job's queue is on Fargate; a queue that does not exist is for another rule to find."""
        queue = self.queues.get(self.queue_of(job))
        environments = [self.compute[name] for name in queue.compute if name in self.compute] if queue else []
        return bool(environments) and environments[0].is_fargate

    def needs_execution_role(self, job: Job) -> bool:
        """Whether ECS must act for the job: on Fargate always, on an instance to fetch secrets."""
        return bool(job.secrets) or self.is_on_fargate(job)

    @property
    def log_group_patterns(self) -> list[str]:
        """The log groups of this environment, as CloudWatch Logs' encryption context names them."""
        functions = [f"/aws/lambda/{self.suffixed(name)}" for name in ("batchSubmitJob", "batchGetJobStatus")]
        return [self.job_log_group("*"), *functions]

    def repository_name(self, repository: str) -> str:
        """``isaac`` -> ``prod/isaac``."""
        return f"{self.name}/{repository}"

    def job_role_name(self, job: str) -> str:
        """``isaac`` -> ``isaac-prod-job``."""
        return f"{job}-{self.name}-job"

    def execution_role_name(self, job: str) -> str:
        """``isaac`` -> ``isaac-prod-execution``."""
        return f"{job}-{self.name}-execution"

    def job_log_group(self, job: str) -> str:
        """``isaac`` -> ``/aws/batch/prod/isaac``."""
        return f"/aws/batch/{self.name}/{job}"

    def job_role_arn(self, job: str) -> str:
        """The role that a job runs as: its own, or one that is owned elsewhere."""
        return self.jobs[job].role or self.role_arn(self.job_role_name(job))

    def role_arn(self, role_name: str) -> str:
        """The ARN of a role of this environment, known before it exists."""
        return f"arn:{self.partition}:iam::{self.account}:role{self.iam.path}{role_name}"

    def batch_arn(self, kind: Literal["job-queue", "job-definition"], key: str) -> str:
        """The ARN (without revision) of a queue or job definition."""
        return f"arn:{self.partition}:batch:{self.region}:{self.account}:{kind}/{self.suffixed(key)}"

    def image_uri(self, job: Job) -> str:
        """The image of a job: one of the manifest's repositories, or a full URI as it stands."""
        repository = image_repository(job.image)
        if repository not in self.repositories:
            return job.image
        registry = f"{self.account}.dkr.ecr.{self.region}.{self.dns_suffix}"
        return f"{registry}/{self.name}/{job.image}"


def image_repository(image: str) -> str:
    """``isaac:1.0`` or ``isaac@sha256:…`` -> ``isaac``."""
    return image.partition("@")[0].partition(":")[0]
