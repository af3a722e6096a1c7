"""Documented limits of EC2: launch templates, security groups and tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gen_infra.emulator.validation.limit import Limit, between, length, limit, matches, values

_RULES = "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress"
_TARGETS = (
    *("CarrierGatewayId", "CoreNetworkArn", "EgressOnlyInternetGatewayId", "GatewayId", "InstanceId", "LocalGatewayId"),
    *("NatGatewayId", "NetworkInterfaceId", "OdbNetworkArn", "TransitGatewayId", "VpcEndpointId"),
    "VpcPeeringConnectionId",
)
EC2 = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"


def _has_at_most_50_tags(request: Mapping[str, Any]) -> bool:
    return len([*values(request, "Tags[]")]) <= 50 and all(
        len(each.get("Tags") or ()) <= 50 for each in values(request, "TagSpecifications[]")
    )


def _is_no_group_id(name: str) -> bool:
    return not name.lower().startswith("sg-")


def _has_subnet_size(block: str) -> bool:
    return 16 <= int(block.rpartition("/")[2]) <= 28


def _is_protocol(name: Any) -> bool:
    return str(name).lower() in {"tcp", "udp", "icmp", "icmpv6", "-1"} or (
        str(name).isdecimal() and 0 <= int(name) <= 255
    )


def _targets(route: Mapping[str, Any]) -> list[str]:
    return [key for key in _TARGETS if route.get(key)]


def _has_destination(route: Mapping[str, Any]) -> bool:
    return any(key.startswith("Destination") for key in route)


def _has_ports(rule: Mapping[str, Any]) -> bool:
    if str(rule.get("IpProtocol", "")).lower() not in {"tcp", "udp", "6", "17"}:
        return True
    first, last = rule.get("FromPort"), rule.get("ToPort")
    return first is None or last is None or 0 <= int(first) <= int(last) <= 65_535


def _show_ports(rule: Mapping[str, Any]) -> str:
    return f"{rule.get('FromPort')}-{rule.get('ToPort')}"


LIMITS: tuple[Limit, ...] = (
    *(
        limit("ec2", "CreateRoute", "", holds, code, words, f"{EC2}API_CreateRoute.html")
        for holds, code, words in (
            (_has_destination, "MissingParameter", "The request must contain the parameter destinationCidrBlock"),
            (
                lambda route: bool(_targets(route)),
                "MissingParameter",
                "The request must contain exactly one target, such as gatewayId or natGatewayId",
            ),
            (
                lambda route: len(_targets(route)) == 1,
                "InvalidParameterCombination",
                "The request must contain exactly one target, such as gatewayId or natGatewayId",
            ),
        )
    ),
    limit(
        "ec2",
        "CreateSubnet",
        "CidrBlock",
        _has_subnet_size,
        "InvalidSubnet.Range",
        "The CIDR '{value}' is invalid.",
        f"{EC2}API_CreateSubnet.html",
    ),
    *(
        limit("ec2", _RULES, f"IpPermissions[]{path}", holds, "InvalidParameterValue", words, source, show=show)
        for path, holds, words, source, show in (
            (
                ".IpProtocol",
                _is_protocol,
                "Invalid value '{value}' for IP protocol. Unknown protocol.",
                f"{EC2}API_IpPermission.html",
                str,
            ),
            (
                "",
                _has_ports,
                "Invalid value '{value}' for portRange: ports must be between 0 and 65535, the first one the lower",
                f"{EC2}API_IpPermission.html",
                _show_ports,
            ),
        )
    ),
    limit(
        "ec2",
        "CreateLaunchTemplate",
        "LaunchTemplateName",
        matches(r"[A-Za-z0-9()./_-]{3,128}"),
        "InvalidLaunchTemplateName.MalformedException",
        "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the "
        "following characters: - ( ) . / _.",
        f"{EC2}API_CreateLaunchTemplate.html",
    ),
    limit(
        "ec2",
        "CreateSecurityGroup",
        "GroupName",
        length(1, 255),
        "InvalidParameterValue",
        "Value ({value}) for parameter GroupName is invalid. It must have 1 to 255 characters.",
        f"{EC2}API_CreateSecurityGroup.html",
    ),
    limit(
        "ec2",
        "CreateSecurityGroup",
        "GroupName",
        _is_no_group_id,
        "InvalidParameterValue",
        "Value ({value}) for parameter GroupName is invalid. Group names may not be in the format sg-*",
        f"{EC2}API_CreateSecurityGroup.html",
    ),
    limit(
        "ec2",
        "CreateSecurityGroup",
        "Description",
        matches(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}"),
        "InvalidParameterValue",
        "Value ({value}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.",
        f"{EC2}API_CreateSecurityGroup.html",
    ),
    limit(
        "ec2",
        "CreateTags CreateLaunchTemplate CreateSecurityGroup CreateVpc CreateSubnet RunInstances",
        "",
        _has_at_most_50_tags,
        "TagLimitExceeded",
        "More than 50 tags specified",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html",
    ),
    limit(
        "ec2",
        "CreateLaunchTemplate CreateLaunchTemplateVersion",
        "LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit",
        between(1, 64),
        "InvalidParameterValue",
        "Value ({value}) for parameter HttpPutResponseHopLimit is invalid.",
        f"{EC2}API_LaunchTemplateInstanceMetadataOptionsRequest.html",
    ),
    limit(
        "ec2",
        "CreateLaunchTemplate CreateLaunchTemplateVersion",
        "LaunchTemplateData.BlockDeviceMappings[].Ebs.VolumeSize",
        between(1, 65_536),
        "InvalidParameterValue",
        "Volume of {value}GiB is too large for volume type",
        f"{EC2}API_LaunchTemplateEbsBlockDeviceRequest.html",
    ),
)
