"""The manifest, typed: frozen structs whose field descriptions are also the JSON Schema and the documentation.

Defaults live here and nowhere else. Keys are AWS's or Terraform's own terms, with the unit in the name.
Limits that one value shows by itself are written here; limits between values are in :mod:`gen_infra.manifest.rules`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

ARN_PARTITIONS = "aws|aws-us-gov|aws-cn"


def _text(pattern: str, says: str, *examples: str, max_length: int | None = None) -> Any:
    """A ``Meta`` for a string that must match ``pattern`` as a whole; ``says`` is the rule in words.

    ``$`` alone would let a trailing newline through, in Python as in ECMAScript's JSON Schema validators.
    """
    return Meta(
        pattern=rf"^(?:{pattern})$(?!\n)",
        max_length=max_length,
        examples=list(examples) or None,
        extra={"says": says},
        extra_json_schema={"patternErrorMessage": f"should be {says}"},
    )


def _about(description: str) -> Any:
    return Meta(description=description)


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
ZoneName = Annotated[
    str, _text("[a-z]{2}(?:-[a-z]+){1,2}-[0-9][a-z]", "an availability zone such as us-east-1a", "us-east-1a")
]
SecurityGroupId = Annotated[str, _text("sg-[0-9a-f]{8,17}", "a security group id such as sg-0123456789abcdef0")]
_KMS_KEY_ARN = rf"arn:(?:{ARN_PARTITIONS}):kms:[a-z0-9-]+:[0-9]{{12}}:key/[A-Za-z0-9-]{{1,64}}"
_ROLE_ARN = rf"arn:(?:{ARN_PARTITIONS}):iam::[0-9]{{12}}:role/[\w+=,.@/-]{{1,512}}"
KmsKeyArn = Annotated[
    str,
    _text(
        _KMS_KEY_ARN,
        "the ARN of a KMS key (not of an alias)",
        "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
]
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
AbsolutePath = Annotated[
    str,
    _text(
        r"/(?!(?:.*/)?\.{1,2}(?:/|$))[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*",
        "an absolute path of letters, digits, '_', '.' and '-'",
        "/docker_scratch",
        max_length=128,
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
EnvironmentVariable = Annotated[
    str,
    _text(
        "(?!AWS_BATCH)[A-Za-z_][A-Za-z0-9_]{0,127}", "letters, digits and '_', not starting with AWS_BATCH", "THREADS"
    ),
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


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """What every part of a manifest has in common: immutable, no unknown keys."""


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


EndpointService = Literal[
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "kms",
    "logs",
    "secretsmanager",
    "ssm",
    "ssmmessages",
    "sts",
]


class NetworkCreate(Model, frozen=True, kw_only=True):
    """A VPC to make: a private subnet in each zone, S3 through its gateway endpoint, and the way out that is chosen."""

    cidr: Annotated[
        str,
        _text(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}", "a block of addresses such as 10.42.0.0/16", "10.42.0.0/16"),
        _about("The VPC's addresses: a private block from /16 to /24."),
    ]
    zones: Annotated[
        Annotated[int, Meta(ge=2, le=6)] | Annotated[tuple[ZoneName, ...], Meta(min_length=2, max_length=6)],
        _about("How many availability zones, or which; add new ones at the end, and no subnet moves."),
    ] = 2
    nat: Annotated[
        Literal["none", "one", "per-zone"],
        _about("NAT gateways: one for all zones, or one in each; only they have public subnets."),
    ] = "none"
    endpoints: Annotated[
        bool | tuple[EndpointService, ...],
        _about("Interface endpoints: `true` for all that instances without NAT need, or a list of services."),
    ] = False

    @property
    def zone_count(self) -> int:
        """In how many zones the subnets are."""
        return self.zones if isinstance(self.zones, int) else len(self.zones)

    @property
    def nat_gateways(self) -> int:
        """How many NAT gateways there are."""
        return {"none": 0, "one": 1, "per-zone": self.zone_count}[self.nat]

    @property
    def endpoint_services(self) -> tuple[str, ...]:
        """The services that have an interface endpoint."""
        if isinstance(self.endpoints, bool):
            return (*AGENT_SERVICES, *SESSION_SERVICES) if self.endpoints else ()
        return self.endpoints


# What an instance without a way to the internet must reach to run a job, and what Session Manager adds; S3 has its
# gateway. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
# https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
AGENT_SERVICES = ("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs")
SESSION_SERVICES = ("ssm", "ssmmessages")


class Network(Model, frozen=True, kw_only=True):
    """Where the instances run: exactly one of ``lookup``, ``ids`` and ``create``."""

    lookup: TagLookup | None = None
    ids: NetworkIds | None = None
    create: NetworkCreate | None = None


class Encryption(Model, frozen=True, kw_only=True):
    """The key of volumes, logs, images and functions."""

    key: Annotated[
        str,
        _text(f"create|{_KMS_KEY_ARN}", "'create', or the ARN of a KMS key (not of an alias)", "create"),
        _about("`create` makes one customer managed key; an ARN uses one you own."),
    ] = "create"


class Iam(Model, frozen=True, kw_only=True):
    """What an organisation asks of every role."""

    path: Annotated[IamPath, _about("The IAM path of every role.")] = "/"
    permissions_boundary: Annotated[
        PolicyArn | None, _about("A managed policy, owned elsewhere, set on every role.")
    ] = None


class Logs(Model, frozen=True, kw_only=True):
    """CloudWatch log groups."""

    retention_days: Annotated[
        Literal[365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
        _about("How long logs are kept, in days; a year is the least that the security checks accept."),
    ] = 365


class Bucket(Model, frozen=True, kw_only=True):
    """A bucket that exists already and that jobs may use."""

    name: Annotated[BucketName, _about("The bucket's name in S3.")]
    access: Annotated[
        Literal["read", "write"],
        _about("`read` lists and gets; `write` also puts objects and aborts multipart uploads. Neither deletes."),
    ]
    prefix: Annotated[Prefix | None, _about("Only the objects under this prefix.")] = None
    kms_key: Annotated[KmsKeyArn | None, _about("The customer key that encrypts the bucket, when it has one.")] = None


class RootVolume(Model, frozen=True, kw_only=True):
    """The instances' root volume ``/dev/xvda``; Docker's images and layers live on it."""

    size_gib: Annotated[int, Meta(ge=30, le=16384), _about("Its size.")] = 100
    type: Annotated[Literal["gp3", "gp2"], _about("The EBS volume type.")] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=16000), _about("gp3: I/O operations per second; 3000 by itself.")] | None = (
        None
    )
    throughput_mib_s: Annotated[int, Meta(ge=125, le=1000), _about("gp3: throughput; 125 by itself.")] | None = None


class Scratch(Model, frozen=True, kw_only=True):
    """The scratch volume ``/dev/sdb`` of every instance."""

    carrier: Annotated[
        Literal["launch_template", "baked", "instance_store"],
        _about(
            "What brings it: the launch template (formatted at first boot; size and type change without a new image), "
            "the image itself, or the instance type's own disks."
        ),
    ] = "launch_template"
    size_gib: Annotated[int, Meta(ge=1, le=16384), _about("Its size.")] = 1000
    mount: Annotated[AbsolutePath, _about("Where the host mounts it.")] = "/docker_scratch"
    type: Annotated[Literal["gp3", "gp2"], _about("The EBS volume type.")] = "gp3"
    iops: Annotated[int, Meta(ge=3000, le=16000), _about("gp3: I/O operations per second; 3000 by itself.")] | None = (
        None
    )
    throughput_mib_s: Annotated[int, Meta(ge=125, le=1000), _about("gp3: throughput; 125 by itself.")] | None = None
    filesystem: Annotated[Literal["xfs", "ext4"], _about("What it is formatted with.")] = "xfs"


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
    """A managed compute environment on EC2."""

    type: Annotated[Literal["SPOT", "EC2"], _about("`SPOT`, or `EC2` for On-Demand.")] = "SPOT"
    allocation_strategy: Annotated[
        AllocationStrategy | None,
        _about("By default SPOT_CAPACITY_OPTIMIZED for SPOT, BEST_FIT_PROGRESSIVE for EC2: both update in place."),
    ] = None
    bid_percentage: (
        Annotated[int, Meta(ge=1, le=100), _about("SPOT: the most to pay, as a percentage of On-Demand.")] | None
    ) = None
    min_vcpus: Annotated[int, Meta(ge=0, le=100_000), _about("vCPUs that are kept (and paid for) without jobs.")] = 0
    max_vcpus: Annotated[int, Meta(ge=1, le=100_000), _about("vCPUs that it never exceeds.")]
    instance_types: Annotated[
        tuple[InstanceType, ...], Meta(min_length=1), _about("Families or types that Batch may choose from.")
    ] = ("optimal",)
    service_role: Annotated[
        str,
        _text(
            f"service-linked|create|{_ROLE_ARN}",
            "'service-linked', 'create', or the ARN of an IAM role",
            "service-linked",
        ),
        _about("AWSServiceRoleForBatch by default; a custom role makes every change of the environment a replacement."),
    ] = "service-linked"
    state: Annotated[Literal["ENABLED", "DISABLED"], _about("`DISABLED` takes no new jobs.")] = "ENABLED"
    update_timeout_minutes: Annotated[
        int,
        Meta(ge=1, le=360),
        _about("How long an in-place update lets running jobs go on before their instance is replaced."),
    ] = 360

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
    share_decay_seconds: Annotated[int, Meta(ge=0, le=604_800), _about("How long past use of a share counts.")] = 0
    compute_reservation: Annotated[
        int, Meta(ge=0, le=99), _about("Percent of the maximum vCPUs held for shares not yet used.")
    ] = 0


class Queue(Model, frozen=True, kw_only=True):
    """A job queue."""

    priority: Annotated[int, Meta(ge=0, le=1000), _about("A larger number is scheduled first.")]
    compute: Annotated[
        tuple[str, ...], Meta(min_length=1, max_length=3), _about("Compute environments, tried in this order.")
    ]
    state: Annotated[Literal["ENABLED", "DISABLED"], _about("`DISABLED` accepts no jobs.")] = "ENABLED"
    time_limits: TimeLimits = TimeLimits()
    fair_share: FairShare | None = None


class Job(Model, frozen=True, kw_only=True):
    """A job definition on EC2."""

    image: Annotated[ContainerImage, _about("A repository of this manifest, or an image elsewhere by its full URI.")]
    vcpus: Annotated[int, Meta(ge=1, le=448), _about("vCPUs of the container.")]
    memory_mib: Annotated[
        int, Meta(ge=4, le=25_165_824), _about("Hard memory limit; beyond it the container is killed.")
    ]
    command: Annotated[
        tuple[str, ...], Meta(examples=[["--sample", "Ref::sample"]]), _about("Arguments for the image's entry point.")
    ] = ()
    environment: Annotated[dict[EnvironmentVariable, str], _about("Environment variables; never a secret.")] = {}
    parameters: Annotated[dict[ParameterKey, str], _about("Defaults for `Ref::name` in the command.")] = {}
    attempts: Annotated[
        int, Meta(ge=1, le=10), _about("Tries; only a lost host (a reclaimed Spot instance) is tried again.")
    ] = 3
    timeout_minutes: Annotated[int, Meta(ge=1, le=20_160), _about("Each attempt is stopped after this time.")] = 1440
    scratch: Annotated[AbsolutePath | None, _about("Where the container sees the host's scratch volume.")] = None
    buckets: Annotated[tuple[str, ...], _about("The buckets that this job's role may use.")] = ()
    queue: Annotated[str | None, _about("Where `gen-infra submit` sends it; by default the first queue.")] = None
    scheduling_priority: (
        Annotated[int, Meta(ge=0, le=9999), _about("Its place within a share of a fair-share queue.")] | None
    ) = None


class Suppression(Model, frozen=True, kw_only=True):
    """A finding of `gen-infra check` that is accepted for a while."""

    check: Annotated[
        str,
        _text("[A-Z][A-Z0-9_]{3,39}", "a check's id", "CKV_AWS_338", "GI_NET_3"),
        _about("The check that objects, by its id."),
    ]
    resource: Annotated[
        str,
        _text(
            r"[^\s]{3,256}", "a resource's address, with * for any part", "module.compute_*.aws_launch_template.this"
        ),
        _about("The address as `gen-infra check` shows it; `*` stands for any part of it."),
    ]
    reason: Annotated[str, Meta(min_length=10, max_length=300), _about("Why it is accepted; shown on every check.")]
    expires: Annotated[
        str,
        _text("[0-9]{4}-[0-9]{2}-[0-9]{2}", 'a date in quotes, such as "2026-12-31"', "2026-12-31"),
        _about("The last day on which it is accepted."),
    ]


class Manifest(Model, frozen=True, kw_only=True):
    """One environment, as its manifest says after ``extends`` is resolved."""

    name: Annotated[EnvironmentName, _about("The environment; the suffix of every name that is made.")]
    account: Annotated[AccountId, _about("The only AWS account that Terraform may touch.")]
    region: Annotated[Region, _about("The AWS region of everything.")]
    tags: Annotated[dict[TagKey, TagValue], Meta(max_length=40), _about("Tags of everything that can carry tags.")] = {}
    state: Annotated[Literal["local"] | StateBucket, _about("`local`, or the S3 bucket of the Terraform state.")]
    network: Network
    encryption: Encryption = Encryption()
    iam: Iam = Iam()
    logs: Logs = Logs()
    buckets: Annotated[dict[Key, Bucket], _about("Buckets that jobs may use, by a name of your own.")] = {}
    repositories: Annotated[tuple[RepositoryName, ...], _about("ECR repositories to make, each under `<name>/`.")] = ()
    image: Image = Image()
    compute: Annotated[
        dict[Key, ComputeEnvironment],
        Meta(min_length=1),
        _about("Compute environments; `spot` becomes `spot-<name>-…`."),
    ]
    queues: Annotated[dict[Key, Queue], Meta(min_length=1), _about("Job queues; `main` becomes `main-<name>`.")]
    jobs: Annotated[dict[Key, Job], _about("Job definitions; `isaac` becomes `isaac-<name>`.")] = {}
    suppressions: Annotated[
        tuple[Suppression, ...], _about("Findings of `gen-infra check` that are accepted, each until a date.")
    ] = ()

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
    def log_group_patterns(self) -> list[str]:
        """The log groups of this environment, as CloudWatch Logs' encryption context names them."""
        functions = [f"/aws/lambda/{self.suffixed(name)}" for name in ("batchSubmitJob", "batchGetJobStatus")]
        flow_logs = [f"/aws/vpc/{self.vpc_name}"] if self.network.create else []
        return [self.job_log_group("*"), *functions, *flow_logs]

    @property
    def vpc_name(self) -> str:
        """The name of the VPC that ``network.create`` makes; its parts are named below it, ``batch-prod/…``."""
        return f"batch-{self.name}"

    def repository_name(self, repository: str) -> str:
        """``isaac`` -> ``prod/isaac``."""
        return f"{self.name}/{repository}"

    def job_role_name(self, job: str) -> str:
        """``isaac`` -> ``isaac-prod-job``."""
        return f"{job}-{self.name}-job"

    def job_log_group(self, job: str) -> str:
        """``isaac`` -> ``/aws/batch/prod/isaac``."""
        return f"/aws/batch/{self.name}/{job}"

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
