"""The doctor on the network: subnets in two zones, with free addresses and a way out; security groups that fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gen_infra.aws.session import Clients, Json
    from gen_infra.doctor.diagnosis import Diagnosis

# What an instance talks to before and while a job runs.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
_NEEDED_SERVICES = ("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs", "s3")


@dataclass(frozen=True, slots=True)
class ById:
    """Subnets and security groups that the manifest names."""

    subnets: Sequence[str]
    security_groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class ByTag:
    """Tags of the VPC and, in it, of the subnets and of the security groups."""

    vpc: Mapping[str, str]
    subnets: Mapping[str, str]
    security_groups: Mapping[str, str]


class FoundNetwork(NamedTuple):
    """What exists of a network: what is wrong with it, subnets, and security groups."""

    problems: list[Diagnosis]
    subnets: list[Json]
    security_groups: list[Json]


def find_network(clients: Clients, wanted: ById | ByTag) -> FoundNetwork:
    """Look up the subnets and security groups of a manifest."""
    return _by_id(clients, wanted) if isinstance(wanted, ById) else _by_tag(clients, wanted)


@check("network", "ec2")
def network(
    clients: Clients, wanted: ById | ByTag, instances: int, *, efa: bool = False, lustre: bool = False
) -> Iterator[Diagnosis]:
    """Check whether the network exists, and instances and their jobs can work in it.

    Args:
        clients: of the network's region.
        wanted: its part of the manifest.
        instances: how many may run at the same time; each takes an address.
        efa: whether instances have Elastic Fabric Adapters.
        lustre: whether instances mount FSx for Lustre, which connects to them too.
    """
    problems, subnets, groups = find_network(clients, wanted)
    yield from problems
    vpcs = sorted({each["VpcId"] for each in subnets})
    if len(vpcs) > 1:
        yield wrong("subnets", f"they are in {len(vpcs)} VPCs: {', '.join(vpcs)}", "choose subnets of one VPC")
    elif subnets:
        inside = [{"Name": "vpc-id", "Values": vpcs}]
        tables = _pages(clients, "describe_route_tables", "RouteTables", Filters=inside)
        endpoints = _pages(clients, "describe_vpc_endpoints", "VpcEndpoints", Filters=inside)
        yield zones(subnets)
        yield addresses(subnets, instances)
        yield from routes(subnets, tables, endpoints, clients.region)
    if groups:
        yield from security_groups(groups, vpcs, lustre=lustre)
        if efa:
            yield efa_traffic(groups)


def zones(subnets: Sequence[Json]) -> Diagnosis:
    """Check whether the subnets are in two zones: one zone runs out of Spot capacity sooner, and can fail."""
    names = sorted({each["AvailabilityZone"] for each in subnets})
    if len(names) < 2:
        message = f"all are in {names[0]}: less Spot capacity, and no alternative when the zone fails"
        return warning("subnets", message, "add a subnet in another zone")
    return ok("subnets", f"{len(subnets)} in {', '.join(names)}")


def addresses(subnets: Sequence[Json], instances: int) -> Diagnosis:
    """Check whether every instance gets an address."""
    free = sum(each.get("AvailableIpAddressCount", 0) for each in subnets)
    if not free:
        return wrong("addresses", "the subnets have no free address", "add subnets, or free some addresses")
    if free < instances:
        message = f"{free} are free, but {instances} instances may run at the same time"
        return warning("addresses", message, "add subnets, or lower max_vcpus")
    return ok("addresses", f"{free} are free, for {instances} instances at most")


def routes(
    subnets: Iterable[Json], tables: Sequence[Json], endpoints: Sequence[Json], region: str
) -> Iterator[Diagnosis]:
    """Check whether instances in each subnet reach the services they need: by a default route, or by endpoints."""
    for subnet in subnets:
        table = _table_of(subnet["SubnetId"], tables)
        route = next(
            (each for each in table.get("Routes", []) if each.get("DestinationCidrBlock") == "0.0.0.0/0"), None
        )
        missing = _missing_endpoints(endpoints, table.get("RouteTableId", ""), region)
        yield _way_out(subnet, route, missing)


def _way_out(subnet: Json, route: Json | None, missing: Sequence[str]) -> Diagnosis:
    name = subnet["SubnetId"]
    if not missing:
        return ok("routes", f"{name} reaches what it needs through VPC endpoints")
    if route is None:
        message = f"{name} cannot reach {', '.join(missing)}: its jobs would stay RUNNABLE"
        return wrong("routes", message, "add a route to a NAT gateway, or VPC endpoints for these services")
    target = _target(route)
    if route.get("State") == "blackhole":
        message = f"{name} sends all traffic to {target}, which no longer exists"
        return wrong("routes", message, "replace the route 0.0.0.0/0 of its route table")
    if target.startswith("igw-"):
        return _internet_gateway(subnet)
    if "s3" in missing:
        message = f"{name} reaches S3 through {target}, which costs money for each GB"
        return warning("routes", message, "add an S3 gateway endpoint to its route table: it is free")
    return ok("routes", f"{name} reaches the internet through {target}, and S3 through an endpoint")


def _internet_gateway(subnet: Json) -> Diagnosis:
    if not subnet.get("MapPublicIpOnLaunch"):
        message = f"{subnet['SubnetId']} has an internet gateway, but its instances get no public address"
        return wrong(
            "routes", message, "choose a private subnet with a NAT gateway, or turn on public addresses for it"
        )
    message = f"{subnet['SubnetId']} is public: every instance gets a public address"
    return warning("routes", message, "choose private subnets with a NAT gateway or VPC endpoints")


def security_groups(groups: Sequence[Json], vpcs: Sequence[str], *, lustre: bool = False) -> Iterator[Diagnosis]:
    """Check whether the groups belong to the subnets' VPC, allow HTTPS out, and no ingress but that of Lustre."""
    for group in groups:
        name = f"{group['GroupId']} ({group.get('GroupName', '')})"
        if vpcs and group.get("VpcId") not in vpcs:
            message = f"{name} belongs to {group.get('VpcId', 'no VPC')}, the subnets to {', '.join(vpcs)}"
            yield wrong("security groups", message, "choose a group of the subnets' VPC")
        elif opened := [rule for rule in group.get("IpPermissions", []) if _is_from_outside(group, rule)]:
            if lustre and all(map(_is_for_lustre, opened)):
                yield ok("security groups", f"{name} has no ingress from outside but that of FSx for Lustre")
                continue
            yield _opened(name, opened)
        else:
            yield ok("security groups", f"{name} has no ingress from outside")
    if not any(_covers_https(rule) for group in groups for rule in group.get("IpPermissionsEgress", [])):
        message = "none of them allows HTTPS out: instances cannot join their cluster or pull images"
        yield wrong("security groups", message, "add an egress rule for TCP port 443")


def efa_traffic(groups: Sequence[Json]) -> Diagnosis:
    """Check whether one group allows all traffic from and to itself, which Elastic Fabric Adapters need.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html
    """
    for group in groups:
        ways = (group.get("IpPermissions", []), group.get("IpPermissionsEgress", []))
        if all(any(_is_all_within(group, rule) for rule in rules) for rules in ways):
            return ok("security groups", f"{group['GroupId']} allows all traffic between Elastic Fabric Adapters")
    name = groups[0]["GroupId"]
    message = "none of them allows all traffic from and to itself: Elastic Fabric Adapters cannot reach each other"
    rule = f"--group-id {name} --ip-permissions 'IpProtocol=-1,UserIdGroupPairs=[{{GroupId={name}}}]'"
    ways_to_add = (f"aws ec2 authorize-security-group-{way} {rule}" for way in ("ingress", "egress"))
    return wrong("security groups", message, " && ".join(ways_to_add))


def _is_all_within(group: Json, rule: Json) -> bool:
    """Check whether a rule allows all traffic between the members of its group; a range of addresses is not enough."""
    pairs = rule.get("UserIdGroupPairs", [])
    return rule.get("IpProtocol") == "-1" and any(pair.get("GroupId") == group["GroupId"] for pair in pairs)


def _by_id(clients: Clients, wanted: ById) -> FoundNetwork:
    def named(operation: str, key: str, filter_name: str, ids: Sequence[str]) -> list[Json]:
        return _pages(clients, operation, key, Filters=[{"Name": filter_name, "Values": list(ids)}])

    subnets = named("describe_subnets", "Subnets", "subnet-id", wanted.subnets)
    groups = named("describe_security_groups", "SecurityGroups", "group-id", wanted.security_groups)
    missing = [("subnets", each) for each in wanted.subnets if each not in {found["SubnetId"] for found in subnets}]
    known = {found["GroupId"] for found in groups}
    missing += [("security groups", each) for each in wanted.security_groups if each not in known]
    advice = f"correct it under network.ids; aws ec2 describe-subnets --region {clients.region} lists them"
    problems = [
        wrong(
            subject, f"{each} does not exist in {clients.region}", advice.replace("subnets", subject.replace(" ", "-"))
        )
        for subject, each in missing
    ]
    return FoundNetwork(problems, subnets, groups)


def _by_tag(clients: Clients, wanted: ByTag) -> FoundNetwork:
    vpcs = _pages(clients, "describe_vpcs", "Vpcs", Filters=_tagged(wanted.vpc))
    if len(vpcs) != 1:
        found = ", ".join(each["VpcId"] for each in vpcs) or "none"
        message = f"one VPC must have the tags {_words(wanted.vpc)}; found {found}"
        return FoundNetwork([wrong("network", message, "correct network.lookup.vpc, or the tags of the VPC")], [], [])
    inside = [{"Name": "vpc-id", "Values": [vpcs[0]["VpcId"]]}]
    subnets = _pages(clients, "describe_subnets", "Subnets", Filters=[*inside, *_tagged(wanted.subnets)])
    groups = _pages(
        clients, "describe_security_groups", "SecurityGroups", Filters=[*inside, *_tagged(wanted.security_groups)]
    )
    problems = [
        wrong(
            subject,
            f"none in {vpcs[0]['VpcId']} has the tags {_words(tags)}",
            f"correct network.lookup.{subject.replace(' ', '_')}, or tag them",
        )
        for subject, tags, found in (
            ("subnets", wanted.subnets, subnets),
            ("security groups", wanted.security_groups, groups),
        )
        if not found
    ]
    return FoundNetwork(problems, subnets, groups)


def _pages(clients: Clients, operation: str, key: str, **arguments: Any) -> list[Json]:
    ec2: Any = clients.ec2  # its stubs know a paginator by a literal name only
    return [item for page in ec2.get_paginator(operation).paginate(**arguments) for item in page[key]]


def _tagged(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]


def _words(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tags.items())


def _table_of(subnet: str, tables: Sequence[Json]) -> Json:
    """Return the subnet's own route table, else the VPC's main one."""
    associated = ((entry, table) for table in tables for entry in table.get("Associations", []))
    own: dict[bool, Json] = {}
    for entry, table in associated:
        if entry.get("SubnetId") == subnet or entry.get("Main"):
            own[bool(entry.get("Main"))] = table
    return own.get(False) or own.get(True) or {}


def _missing_endpoints(endpoints: Sequence[Json], table: str, region: str) -> list[str]:
    """Return the services that no endpoint serves; a gateway endpoint serves the route tables it is tied to."""
    served = {
        each.get("ServiceName", "").partition(f".{region}.")[2]
        for each in endpoints
        if each.get("State", "").lower() == "available"
        and (each.get("VpcEndpointType", "Gateway") != "Gateway" or table in each.get("RouteTableIds", []))
    }
    return [service for service in _NEEDED_SERVICES if service not in served]


def _target(route: Json) -> str:
    ids = ("NatGatewayId", "GatewayId", "TransitGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId")
    return next((str(route[key]) for key in ids if route.get(key)), "its route 0.0.0.0/0")


def _is_from_outside(group: Json, rule: Json) -> bool:
    """Check whether a rule allows ingress from anything but the group's own members."""
    pairs = rule.get("UserIdGroupPairs", [])
    ranges = any(rule.get(key) for key in ("IpRanges", "Ipv6Ranges", "PrefixListIds"))
    return ranges or any(pair.get("GroupId") != group.get("GroupId") for pair in pairs)


def _is_for_lustre(rule: Json) -> bool:
    """Check whether a rule admits the ports of Lustre alone, and not from the whole internet.

    https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html
    """
    ranges = [
        each.get("CidrIp") or each.get("CidrIpv6") for key in ("IpRanges", "Ipv6Ranges") for each in rule.get(key, ())
    ]
    low, high = rule.get("FromPort", 0), rule.get("ToPort", 65535)
    is_narrow = low == high == 988 or 1018 <= low <= high <= 1023
    return is_narrow and not {"0.0.0.0/0", "::/0"}.intersection(ranges)


def _opened(name: str, rules: Iterable[Json]) -> Diagnosis:
    advice = "remove the ingress rules: use Session Manager to reach workers"
    ranges = [item for rule in rules for item in (*rule.get("IpRanges", []), *rule.get("Ipv6Ranges", []))]
    if any(each.get("CidrIp") == "0.0.0.0/0" or each.get("CidrIpv6") == "::/0" for each in ranges):
        return wrong("security groups", f"{name} allows ingress from the whole internet", advice)
    return warning("security groups", f"{name} has ingress rules; workers need none", advice)


def _covers_https(rule: Json) -> bool:
    if rule.get("IpProtocol") == "-1":
        return True
    return bool(rule.get("IpProtocol") == "tcp" and rule.get("FromPort", 0) <= 443 <= rule.get("ToPort", 65535))
