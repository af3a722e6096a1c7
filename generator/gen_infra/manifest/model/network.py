"""The model of the network."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import Model, SecurityGroupId, SubnetId, TagKey, TagValue, ZoneName, about, text


class TagLookup(Model, frozen=True, kw_only=True):
    """Network pieces that exist already, found by their tags."""

    vpc: Annotated[dict[TagKey, TagValue], Meta(min_length=1), about("Tags of exactly one VPC.")]
    subnets: Annotated[dict[TagKey, TagValue], Meta(min_length=1), about("Tags of the private subnets in that VPC.")]
    security_groups: Annotated[
        dict[TagKey, TagValue], Meta(min_length=1), about("Tags of the security groups in that VPC.")
    ]


class NetworkIds(Model, frozen=True, kw_only=True):
    """Network pieces that exist already, by id."""

    subnets: Annotated[
        tuple[SubnetId, ...], Meta(min_length=1, max_length=16), about("Private subnets, in two zones or more.")
    ]
    security_groups: Annotated[
        tuple[SecurityGroupId, ...], Meta(min_length=1, max_length=5), about("Security groups of the instances.")
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
        text(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}", "a block of addresses such as 10.42.0.0/16", "10.42.0.0/16"),
        about("The VPC's addresses: a private block from /16 to /24."),
    ]
    zones: Annotated[
        Annotated[int, Meta(ge=2, le=6)] | Annotated[tuple[ZoneName, ...], Meta(min_length=2, max_length=6)],
        about("How many availability zones, or which; add new ones at the end, and no subnet moves."),
    ] = 2
    nat: Annotated[
        Literal["none", "one", "per-zone"],
        about("NAT gateways: one for all zones, or one in each; only they have public subnets."),
    ] = "none"
    endpoints: Annotated[
        bool | tuple[EndpointService, ...],
        about("Interface endpoints: `true` for all that instances without NAT need, or a list of services."),
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
