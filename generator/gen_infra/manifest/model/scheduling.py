"""The model of compute environments and job queues."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import ROLE_ARN, InstanceType, Model, PlacementGroup, about, text

AllocationStrategy = Literal[
    "BEST_FIT", "BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"
]


class ComputeEnvironment(Model, frozen=True, kw_only=True):
    """A managed compute environment, on EC2 or on Fargate."""

    type: Annotated[
        Literal["SPOT", "EC2", "FARGATE", "FARGATE_SPOT"],
        about("`SPOT`, or `EC2` for On-Demand; `FARGATE` and `FARGATE_SPOT` have no instances to look after."),
    ] = "SPOT"
    allocation_strategy: Annotated[
        AllocationStrategy | None,
        about("By default SPOT_CAPACITY_OPTIMIZED for SPOT, BEST_FIT_PROGRESSIVE for EC2: both update in place."),
    ] = None
    bid_percentage: (
        Annotated[int, Meta(ge=1, le=100), about("SPOT: the most to pay, as a percentage of On-Demand.")] | None
    ) = None
    min_vcpus: Annotated[int, Meta(ge=0, le=100_000), about("vCPUs that are kept (and paid for) without jobs.")] = 0
    max_vcpus: Annotated[int, Meta(ge=1, le=100_000), about("vCPUs that it never exceeds.")]
    instance_types: Annotated[
        tuple[InstanceType, ...], Meta(min_length=1), about("Families or types that Batch may choose from.")
    ] = ("optimal",)
    service_role: Annotated[
        str,
        text(
            f"service-linked|create|{ROLE_ARN}",
            "'service-linked', 'create', or the ARN of an IAM role",
            "service-linked",
        ),
        about("AWSServiceRoleForBatch by default; a custom role makes every change of the environment a replacement."),
    ] = "service-linked"
    placement_group: Annotated[
        PlacementGroup | None, about("A cluster placement group that exists already, for multi-node jobs.")
    ] = None
    state: Annotated[Literal["ENABLED", "DISABLED"], about("`DISABLED` takes no new jobs.")] = "ENABLED"
    update_timeout_minutes: Annotated[
        int,
        Meta(ge=1, le=360),
        about("How long an in-place update lets running jobs go on before their instance is replaced."),
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

    insufficient_capacity_minutes: Annotated[int, Meta(ge=10, le=1440), about("No instance capacity.")] = 1440
    compute_environment_maximum_minutes: Annotated[
        int, Meta(ge=10, le=1440), about("The job asks for more than the compute environments' maximum.")
    ] = 60
    job_requirement_minutes: Annotated[
        int, Meta(ge=10, le=1440), about("No allowed instance type can hold the job.")
    ] = 60


class FairShare(Model, frozen=True, kw_only=True):
    """A fair-share scheduling policy; every job in such a queue carries a share identifier."""

    shares: Annotated[
        dict[
            Annotated[
                str,
                text(r"[A-Za-z0-9]{1,254}\*?", "letters and digits, and a trailing '*' for a prefix", "production"),
            ],
            Annotated[float, Meta(ge=0.0001, le=999.9999)],
        ],
        Meta(max_length=500),
        about("Share identifier -> weight factor; a smaller factor gets more."),
    ] = {}
    share_decay_seconds: Annotated[int, Meta(ge=0, le=604_800), about("How long past use of a share counts.")] = 0
    compute_reservation: Annotated[
        int, Meta(ge=0, le=99), about("Percent of the maximum vCPUs held for shares not yet used.")
    ] = 0


class Queue(Model, frozen=True, kw_only=True):
    """A job queue."""

    priority: Annotated[int, Meta(ge=0, le=1000), about("A larger number is scheduled first.")]
    compute: Annotated[
        tuple[str, ...], Meta(min_length=1, max_length=3), about("Compute environments, tried in this order.")
    ]
    state: Annotated[Literal["ENABLED", "DISABLED"], about("`DISABLED` accepts no jobs.")] = "ENABLED"
    time_limits: TimeLimits = TimeLimits()
    fair_share: FairShare | None = None
