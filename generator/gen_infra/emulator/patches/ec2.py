"""EC2: launch templates, security groups, and what a network and an instance refer to."""

from __future__ import annotations

from inspect import signature
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, InvalidParameterValue, InvalidServiceName
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.responses.security_groups import SecurityGroups

from gen_infra.aws.updates import RULE_TYPE
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


@moto_patch(
    moto="5.2.5 adds the tags of a new launch template to the tag specifications in its first version's data",
    aws="keeps the template's own tags separate from those of the launched resources",
)
def launch_template_tags() -> None:
    """Remove the template's own tags from the version."""

    @around(LaunchTemplates, "create_launch_template")
    def create_launch_template(original: Any, response: LaunchTemplates) -> Any:
        result = original(response)
        template = response.ec2_backend.get_launch_template(result.result["LaunchTemplate"]["LaunchTemplateId"])
        data = template.latest_version().data
        asked = [each for each in data.get("TagSpecifications", []) if each["ResourceType"] != "launch-template"]
        data.pop("TagSpecifications", None)
        if asked:
            data["TagSpecifications"] = asked
        return result


@moto_patch(
    moto="5.2.5 describes a launch template with the tags that it was created with, whatever they are now",
    aws="describes it with the tags that it has",
)
def changed_launch_template_tags() -> None:
    """Read the tags when they are asked for."""

    def read(template: LaunchTemplate) -> list[dict[str, str]]:
        return template.get_tags()

    def ignore(template: LaunchTemplate, tags: object) -> None:
        """Accept the assignment in moto's constructor."""

    LaunchTemplate.tags = property(read, ignore)  # type: ignore[assignment] # an attribute in moto


@moto_patch(
    moto="5.2.5 drops the description of a rule for a security group or a prefix list",
    aws="keeps it",
)
def security_group_rule_description() -> None:
    """Store the description with the rule's IP range, where moto reads it."""

    @around(SecurityGroupRule, "__init__")
    def init(original: Any, rule: SecurityGroupRule, *args: Any, **kwargs: Any) -> None:
        original(rule, *args, **kwargs)
        given = signature(original).bind(rule, *args, **kwargs).arguments
        for target in (given.get("source_group"), given.get("prefix_list_id")):
            if target and "Description" in target:
                rule.ip_range = rule.ip_range | {"Description": target["Description"]}


@moto_patch(
    moto="5.2.5 deletes a security group that rules, network interfaces or VPC endpoints refer to",
    aws="refuses that with DependencyViolation",
)
def security_group_deletion() -> None:
    """Look for the resources that refer to the group.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
    """

    @around(EC2Backend, "delete_security_group")
    def delete(original: Any, backend: Any, name: str | None = None, group_id: str | None = None) -> None:
        group = backend.get_security_group_by_name_or_id(group_id or name)
        # The default group is deleted with its VPC; moto keeps the network interfaces of deleted NAT gateways in it.
        if group is not None and group.name != "default" and _is_used(backend, group.id):
            raise DependencyViolationError(f"resource {group.id} has a dependent object")
        original(backend, name, group_id)


@moto_patch(
    moto="5.2.5 deletes the default security group of a VPC",
    aws="refuses that with CannotDelete; it goes with its VPC",
)
def default_security_groups() -> None:
    """Refuse the operation; moto itself deletes the group with its VPC.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """

    @around(SecurityGroups, "delete_security_group")
    def delete(original: Any, response: SecurityGroups) -> Any:
        given = response._get_param("GroupId") or response._get_param("GroupName")
        group = response.ec2_backend.get_security_group_by_name_or_id(given)
        if group is not None and group.name == "default":
            raise EC2ClientError(
                "CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
            )
        return original(response)


def _is_used(backend: Any, group: str) -> bool:
    others = [each for groups in [*backend.groups.values()] for each in [*groups.values()] if each.id != group]
    rules = [rule for each in others for rule in (*each.ingress_rules, *each.egress_rules)]
    return (
        any((rule.source_group or {}).get("GroupId") == group for rule in rules)
        or any(group in [own.id for own in each.group_set] for each in [*backend.enis.values()] if not _is_gone(each))
        or any(
            group in (each.security_group_ids or ())
            for each in [*backend.vpc_end_points.values()]
            if each.state != "deleted"
        )
    )


@moto_patch(
    moto="5.2.5 deletes a subnet with instances or network interfaces",
    aws="refuses that with DependencyViolation",
)
def subnet_deletion() -> None:
    """Look for what is in the subnet.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSubnet.html
    """

    @around(EC2Backend, "delete_subnet")
    def delete(original: Any, backend: Any, subnet_id: str) -> Any:
        gateways = [each for each in [*backend.nat_gateways.values()] if each.subnet_id == subnet_id]
        gone = {each._eni.id for each in gateways if each.state == "deleted"}  # moto keeps their interfaces
        if any(
            each.subnet.id == subnet_id and each.id not in gone and not _is_gone(each)
            for each in [*backend.enis.values()]
        ):
            raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        return original(backend, subnet_id)


@moto_patch(
    moto="5.2.5 attaches several internet gateways to a VPC",
    aws="refuses a second one with InvalidParameterValue",
)
def internet_gateways() -> None:
    """Look for another gateway of the VPC.

    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-gateways
    """

    @around(EC2Backend, "attach_internet_gateway")
    def attach(original: Any, backend: Any, internet_gateway_id: str, vpc_id: str) -> Any:
        others = [each for each in [*backend.internet_gateways.values()] if each.id != internet_gateway_id]
        if any(each.vpc is not None and each.vpc.id == vpc_id for each in others):
            raise InvalidParameterValue(f"Network {vpc_id} already has an internet gateway attached")
        return original(backend, internet_gateway_id, vpc_id)


@moto_patch(
    moto="5.2.5 makes a VPC endpoint for any text",
    aws="refuses a service that its region does not have with InvalidServiceName",
)
def endpoint_services() -> None:
    """Look up AWS's own services; those of other accounts are accepted.

    https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
    """

    @around(EC2Backend, "create_vpc_endpoint")
    def create(original: Any, backend: Any, vpc_id: str, service_name: str, *args: Any, **kwargs: Any) -> Any:
        domain, _, service = service_name.partition(f"com.amazonaws.{backend.region_name}.")
        known = domain in ("", "cn.") and service in AWS_ENDPOINT_SERVICES
        if not known and not service_name.startswith("com.amazonaws.vpce."):
            raise InvalidServiceName(service_name)
        return original(backend, vpc_id, service_name, *args, **kwargs)


@moto_patch(
    moto="5.2.5 launches instances of an image that does not exist",
    aws="refuses that with InvalidAMIID.NotFound",
)
def launched_images() -> None:
    """Look up the image, whose absence moto's own description of images refuses.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
    """

    @around(EC2Backend, "run_instances")
    def run(original: Any, backend: Any, image_id: str, *args: Any, **kwargs: Any) -> Any:
        if image_id:
            backend.describe_images(ami_ids=[image_id])
        return original(backend, image_id, *args, **kwargs)


def _is_gone(interface: Any) -> bool:
    """Return whether the interface belongs to a terminated instance, which AWS deletes with it and moto does not."""
    return interface.instance is not None and interface.instance.state == "terminated"


@moto_patch(
    moto="5.2.5 accepts another type of source in an update of a security group rule, and keeps the old one",
    aws="refuses to change the type of a rule",
)
def security_group_rule_type() -> None:
    """Compare the source of each rule with the one that it has."""

    @around(EC2Backend, "modify_security_group_rules")
    def modify(original: Any, backend: Any, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
        group = backend.get_security_group_by_name_or_id(group_id)
        for rule_id, wanted in rules.items():
            rule = group.get_rule(rule_id) if group else None
            if rule is not None and _sources(rule).isdisjoint(wanted):
                raise InvalidParameterValue(f"Invalid rule type for security group rule '{rule_id}'. {RULE_TYPE}")
        original(backend, group_id, rules)


def _sources(rule: SecurityGroupRule) -> set[str]:
    """Return the members of a request that fit the source of a rule."""
    held = {
        "CidrIpv4": rule.ip_range.get("CidrIp"),
        "CidrIpv6": rule.ip_range.get("CidrIpv6"),
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupId": rule.source_group,
    }
    return {member for member, value in held.items() if value}


PATCHES: tuple[MotoPatch, ...] = (
    launch_template_tags,
    changed_launch_template_tags,
    security_group_rule_description,
    security_group_deletion,
    default_security_groups,
    subnet_deletion,
    internet_gateways,
    endpoint_services,
    launched_images,
    security_group_rule_type,
)
