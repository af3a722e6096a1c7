"""The model of the network."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import Model, SecurityGroupId, SubnetId, TagKey, TagValue, ZoneName, about, text


class TagLookup(Model, frozen=True, kw_only=True):
    """An existing network, found by tags."""

    vpc: Annotated[dict[TagKey, TagValue], Meta(min_length=1), about("Tags that exactly one VPC has.")]
    subnets: Annotated[dict[TagKey, TagValue], Meta(min_length=1), about("Tags of the private subnets in that VPC.")]
    security_groups: Annotated[
        dict[TagKey, TagValue], Meta(min_length=1), about("Tags of the security groups in that VPC.")
    ]


class NetworkIds(Model, frozen=True, kw_only=True):
    """An existing network, by ids."""

    subnets: Annotated[
        tuple[SubnetId, ...], Meta(min_length=1, max_length=16), about("Private subnets, in at least two zones.")
    ]
    security_groups: Annotated[
        tuple[SecurityGroupId, ...], Meta(min_length=1, max_length=5), about("The instances' security groups.")
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
    """A VPC to create: a private subnet in each zone, S3's gateway endpoint, and NAT or interface endpoints."""

    cidr: Annotated[
        str,
        text(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}", "a block of addresses such as 10.42.0.0/16", "10.42.0.0/16"),
        about("The VPC's CIDR block: private, from /16 to /24."),
    ]
    zones: Annotated[
        Annotated[int, Meta(ge=2, le=6)] | Annotated[tuple[ZoneName, ...], Meta(min_length=2, max_length=6)],
        about("The number of availability zones, or their names; append new zones, so that existing subnets stay."),
    ] = 2
    nat: Annotated[
        Literal["none", "one", "per-zone"],
        about("NAT gateways: one for all zones, or one in each; only NAT gateways have public subnets."),
    ] = "none"
    endpoints: Annotated[
        bool | tuple[EndpointService, ...],
        about("Interface endpoints: `true` for all services that instances without NAT need, or a list of services."),
    ] = False

    @property
    def zone_count(self) -> int:
        """Return the number of zones that have subnets."""
        return self.zones if isinstance(self.zones, int) else len(self.zones)

    @property
    def nat_gateways(self) -> int:
        """Return the number of NAT gateways."""
        return {"none": 0, "one": 1, "per-zone": self.zone_count}[self.nat]

    @property
    def endpoint_services(self) -> tuple[str, ...]:
        """Return the services that have an interface endpoint."""
        if isinstance(self.endpoints, bool):
            return (*AGENT_SERVICES, *SESSION_SERVICES) if self.endpoints else ()
        return self.endpoints


# The services that an instance without internet access needs to run a job, and those of Session Manager; S3 has its
# gateway endpoint. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
# https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
AGENT_SERVICES = ("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs")
SESSION_SERVICES = ("ssm", "ssmmessages")


class Network(Model, frozen=True, kw_only=True):
    """The network of the instances: exactly one of ``lookup``, ``ids`` and ``create``."""

    lookup: TagLookup | None = None
    ids: NetworkIds | None = None
    create: NetworkCreate | None = None
