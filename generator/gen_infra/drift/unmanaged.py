"""Find policies and rules that were added to the environment's resources outside Terraform.

Terraform does not report these: it manages policies and rules one by one and ignores the others of the same resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.drift.cloudtrail_events import CloudTrailEvents, events_adding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.terraform.plan import PlanContent
    from gen_infra.terraform.source import Resource


class Unmanaged(NamedTuple):
    """One policy or rule that Terraform does not manage; address and type are those of the resource it was added to."""

    address: str
    type: str
    kind: str
    name: str
    meaning: str
    remedy: str
    events: CloudTrailEvents


class _Rule(NamedTuple):
    """One security group rule, in the form in which group and rule resources can be compared."""

    direction: str
    protocol: str
    ports: tuple[int, int]
    peer: str

    def __str__(self) -> str:
        low, high = self.ports
        ports = "all ports" if self.protocol == "-1" else f"{self.protocol} {low}" if low == high else f"{low}-{high}"
        return f"{self.direction} {ports} {'from' if self.direction == 'ingress' else 'to'} {self.peer}"

    @property
    def permission(self) -> str:
        """Return the rule as an argument of ``aws ec2 revoke-security-group-…``."""
        ports = "" if self.protocol == "-1" else f"FromPort={self.ports[0]},ToPort={self.ports[1]},"
        kinds = {
            "sg-": "UserIdGroupPairs=[{GroupId=%s}]",
            "pl-": "PrefixListIds=[{PrefixListId=%s}]",
        }
        ranges = "Ipv6Ranges=[{CidrIpv6=%s}]" if ":" in self.peer else "IpRanges=[{CidrIp=%s}]"
        return f"IpProtocol={self.protocol},{ports}{kinds.get(self.peer[:3], ranges) % self.peer}"

    @property
    def mentions(self) -> tuple[str, str]:
        """Return what the call that creates the rule contains, besides the group."""
        return self.peer, "-1" if self.protocol == "-1" else str(self.ports[0])


def unmanaged(content: PlanContent) -> Iterator[Unmanaged]:
    """Yield all that the refreshed state of a plan lists beside what is managed."""
    resources = list(content.prior_resources)
    yield from _inline_policies(resources)
    yield from _attached_policies(resources)
    yield from _rules(resources)


def _of(resources: list[Resource], *types: str) -> Iterator[Resource]:
    return (resource for resource in resources if resource.kind in types)


def _inline_policies(resources: list[Resource]) -> Iterator[Unmanaged]:
    planned = {
        (policy.values.get("role"), policy.values.get("name")) for policy in _of(resources, "aws_iam_role_policy")
    }
    for role in _of(resources, "aws_iam_role"):
        name = role.values.get("name")
        for policy in role.values.get("inline_policy") or []:
            if name and policy.get("name") and (name, policy["name"]) not in planned:
                yield Unmanaged(
                    role.address,
                    role.kind,
                    "policy",
                    f"{policy['name']} of role {name}",
                    "the role has gained its permissions, for running jobs too",
                    f"aws iam delete-role-policy --role-name {name} --policy-name {policy['name']}",
                    events_adding("PutRolePolicy", name, policy["name"]),
                )


def _attached_policies(resources: list[Resource]) -> Iterator[Unmanaged]:
    attachments = _of(resources, "aws_iam_role_policy_attachment")
    planned = {(attachment.values.get("role"), attachment.values.get("policy_arn")) for attachment in attachments}
    for role in _of(resources, "aws_iam_role"):
        name = role.values.get("name")
        for arn in role.values.get("managed_policy_arns") or []:
            if name and (name, arn) not in planned:
                yield Unmanaged(
                    role.address,
                    role.kind,
                    "policy",
                    f"{arn} attached to role {name}",
                    "the role has gained its permissions, for running jobs too",
                    f"aws iam detach-role-policy --role-name {name} --policy-arn {arn}",
                    events_adding("AttachRolePolicy", name, arn),
                )


def _rules(resources: list[Resource]) -> Iterator[Unmanaged]:
    planned = {
        (rule.values.get("security_group_id"), _planned_rule(rule.kind.split("_")[-2], rule.values))
        for rule in _of(resources, "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule")
    }
    for group in _of(resources, "aws_security_group"):
        values = group.values
        for rule in _listed_rules(values):
            if values.get("id") and (values["id"], rule) not in planned:
                yield Unmanaged(
                    group.address,
                    group.kind,
                    "rule",
                    f"{rule} of security group {values.get('name') or values['id']}",
                    "the security group allows traffic that it did not",
                    f"aws ec2 revoke-security-group-{rule.direction} --group-id {values['id']} "
                    f"--ip-permissions '{rule.permission}'",
                    events_adding(f"AuthorizeSecurityGroup{rule.direction.capitalize()}", values["id"], *rule.mentions),
                )


def _planned_rule(direction: str, values: Mapping[str, Any]) -> _Rule:
    peers = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
    peer = next((str(values[key]) for key in peers if values.get(key)), "")
    return _rule(direction, values.get("ip_protocol"), values.get("from_port"), values.get("to_port"), peer)


def _listed_rules(group: Mapping[str, Any]) -> Iterator[_Rule]:
    for direction in ("ingress", "egress"):
        for rule in group.get(direction) or []:
            for peer in _peers(rule, group.get("id") or ""):
                yield _rule(direction, rule.get("protocol"), rule.get("from_port"), rule.get("to_port"), peer)


def _peers(rule: Mapping[str, Any], group: str) -> Iterable[str]:
    keys = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")
    return [*(peer for key in keys for peer in rule.get(key) or []), *([group] if rule.get("self") else [])]


def _rule(direction: str, protocol: str | None, low: int | None, high: int | None, peer: str) -> _Rule:
    """Build a rule; for all protocols AWS writes the ports as 0, as -1 or not at all."""
    protocol = protocol or "-1"
    return _Rule(direction, protocol, (0, 0) if protocol == "-1" else (low or 0, high or 0), peer)
