"""The model of compute environments and job queues."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import (
    ARN_PARTITIONS,
    ROLE_ARN,
    InstanceTypeName,
    Model,
    OwnTags,
    PlacementGroup,
    about,
    text,
)
from gen_infra.manifest.model.host_script import MOST_SCRIPTS, HostScript, HostScripts, read_scripts
from gen_infra.manifest.model.image import ComputeImage

AllocationStrategy = Literal[
    "BEST_FIT", "BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"
]

CapacityReservation = Annotated[
    str,
    text(
        rf"none|cr-[0-9a-f]{{17}}|arn:(?:{ARN_PARTITIONS}):resource-groups:[a-z0-9-]+:[0-9]{{12}}:group/[A-Za-z0-9_.-]{{1,300}}",
        "'none', the id of a capacity reservation, or the ARN of a resource group",
        "cr-0123456789abcdef0",
    ),
]


class ComputeEnvironment(Model, frozen=True, kw_only=True):
    """A managed compute environment, on EC2 or on Fargate."""

    type: Annotated[
        Literal["SPOT", "EC2", "FARGATE", "FARGATE_SPOT"],
        about("`SPOT`, or `EC2` for On-Demand; `FARGATE` and `FARGATE_SPOT` run without instances."),
    ] = "SPOT"
    allocation_strategy: Annotated[
        AllocationStrategy | None,
        about("Default: SPOT_CAPACITY_OPTIMIZED for SPOT, BEST_FIT_PROGRESSIVE for EC2; both allow updates in place."),
    ] = None
    bid_percentage: (
        Annotated[int, Meta(ge=1, le=100), about("SPOT: the highest price, as a percentage of the On-Demand price.")]
        | None
    ) = None
    min_vcpus: Annotated[
        int, Meta(ge=0, le=100_000), about("The vCPUs that keep running (at your cost) without jobs.")
    ] = 0
    max_vcpus: Annotated[int, Meta(ge=1, le=100_000), about("The most vCPUs that run at the same time.")]
    instance_types: Annotated[
        tuple[InstanceTypeName, ...],
        Meta(min_length=1),
        about("The instance families or types that Batch may choose from."),
    ] = ("optimal",)
    user_data: Annotated[
        HostScripts,
        Meta(max_length=MOST_SCRIPTS),
        about(
            "Shell scripts that run as root when an instance starts, in this order and before it accepts jobs; paths "
            "are relative to this file. `check` passes them only if its policy file lists their hashes."
        ),
    ] = ()
    capacity_reservation: Annotated[
        CapacityReservation | None,
        about(
            "EC2: the On-Demand capacity reservation to use, by id or by the ARN of a resource group of them; `none` "
            "uses none. Default: any open one that matches."
        ),
    ] = None
    efa: Annotated[
        bool,
        about(
            "Give each instance an Elastic Fabric Adapter on each of its network cards, for multi-node jobs; requires "
            "`placement_group`, and instance types that support it."
        ),
    ] = False
    image: Annotated[ComputeImage | None, about("The AMI of these instances alone; default: the environment's.")] = None
    service_role: Annotated[
        str,
        text(
            f"service-linked|create|{ROLE_ARN}",
            "'service-linked', 'create', or the ARN of an IAM role",
            "service-linked",
        ),
        about("Default: AWSServiceRoleForBatch; with a custom role, every change replaces the compute environment."),
    ] = "service-linked"
    placement_group: Annotated[
        PlacementGroup | None, about("The name of an existing cluster placement group, for multi-node jobs.")
    ] = None
    state: Annotated[Literal["ENABLED", "DISABLED"], about("`DISABLED` starts no new jobs.")] = "ENABLED"
    update_timeout_minutes: Annotated[
        int,
        Meta(ge=1, le=360),
        about("How long running jobs may continue during an update in place before Batch replaces their instance."),
    ] = 360
    tags: Annotated[
        OwnTags, about("More tags of the compute environment, its instances and their volumes; they win over `tags`.")
    ] = {}

    @property
    def boot_scripts(self) -> tuple[HostScript, ...]:
        """Return the scripts of the user data with their texts."""
        return read_scripts(self.user_data)

    @property
    def is_fargate(self) -> bool:
        """Return whether it runs on Fargate, without instances."""
        return self.type.startswith("FARGATE")

    @property
    def strategy(self) -> AllocationStrategy:
        """Return the allocation strategy: the manifest's or the default."""
        if self.allocation_strategy:
            return self.allocation_strategy
        return "SPOT_CAPACITY_OPTIMIZED" if self.type == "SPOT" else "BEST_FIT_PROGRESSIVE"

    @property
    def needs_spot_fleet_role(self) -> bool:
        """Return whether it needs a Spot Fleet role, which only BEST_FIT on Spot does."""
        return self.type == "SPOT" and self.strategy == "BEST_FIT"


class TimeLimits(Model, frozen=True, kw_only=True):
    """How long a job may wait in RUNNABLE for each reason that Batch reports, before Batch cancels it."""

    insufficient_capacity_minutes: Annotated[
        int, Meta(ge=10, le=1440), about("EC2 has no capacity for the instances.")
    ] = 1440
    compute_environment_maximum_minutes: Annotated[
        int, Meta(ge=10, le=1440), about("The job requires more than `max_vcpus` of the compute environments.")
    ] = 60
    job_requirement_minutes: Annotated[
        int, Meta(ge=10, le=1440), about("The job requires more than any allowed instance type has.")
    ] = 60


# The reasons that Batch reports, with the key of each.
# https://docs.aws.amazon.com/batch/latest/APIReference/API_JobStateTimeLimitAction.html
TIME_LIMIT_KEYS = {
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY": "insufficient_capacity_minutes",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": "compute_environment_maximum_minutes",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT": "job_requirement_minutes",
}


class FairShare(Model, frozen=True, kw_only=True):
    """A fair-share scheduling policy; every job of the queue has a share identifier."""

    shares: Annotated[
        dict[
            Annotated[
                str,
                text(r"[A-Za-z0-9]{1,254}\*?", "letters and digits, and a trailing '*' for a prefix", "production"),
            ],
            Annotated[float, Meta(ge=0.0001, le=999.9999)],
        ],
        Meta(max_length=500),
        about("Share identifier -> weight factor; a share with a smaller factor gets more capacity."),
    ] = {}
    share_decay_seconds: Annotated[
        int, Meta(ge=0, le=604_800), about("How long past use of a share counts, in seconds.")
    ] = 0
    compute_reservation: Annotated[
        int, Meta(ge=0, le=99), about("The percentage of the maximum vCPUs that is reserved for shares without jobs.")
    ] = 0


class Queue(Model, frozen=True, kw_only=True):
    """A job queue."""

    priority: Annotated[int, Meta(ge=0, le=1000), about("Queues with a larger number are scheduled first.")]
    compute: Annotated[
        tuple[str, ...],
        Meta(min_length=1, max_length=3),
        about("The compute environments, in the order in which Batch tries them."),
    ]
    state: Annotated[Literal["ENABLED", "DISABLED"], about("`DISABLED` accepts no jobs.")] = "ENABLED"
    time_limits: Annotated[
        Literal["none"] | TimeLimits, about("How long a job may wait for each reason; `none` cancels no waiting job.")
    ] = TimeLimits()
    fair_share: FairShare | None = None
    tags: Annotated[OwnTags, about("More tags of the queue; they win over the environment's `tags`.")] = {}
