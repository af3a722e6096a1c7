"""The condition keys that depend on the resource of a call: its tags, and what some services tell about it.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html and the other services' pages
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.emulator.authorization.tags import resource_tags, tag_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.emulator.authorization.keys import ContextValues


def resource_context(action: str, arn: str, parameters: Mapping[str, Any], account: str) -> ContextValues:
    """Return the condition keys of one resource of a call, by their names in lower case.

    Args:
        action: IAM's action.
        arn: the resource.
        parameters: the call's nested parameters.
        account: the account of the emulator, which owns its resources.
    """
    service, _, name = action.partition(":")
    values: ContextValues = {"aws:resourceaccount": (account,)}
    for tag, value in resource_tags(arn).items() if service != "s3" else ():
        values[f"aws:resourcetag/{tag.lower()}"] = values[f"{service}:resourcetag/{tag.lower()}"] = (value,)
    if action in _OF_BOUNDED_ROLES and (boundary := _boundary(arn, account)):
        values["iam:permissionsboundary"] = (boundary,)
    return values | (_ec2(name, arn, parameters, account) if service == "ec2" else request_tags(parameters))


# These have the boundary of the role as a condition key; CreateRole has the one that it sets.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
_OF_BOUNDED_ROLES = frozenset(
    f"iam:{name}"
    for name in (
        "AttachRolePolicy",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePolicy",
    )
)


def _boundary(role_arn: str, account: str) -> str:
    """Return the ARN of a role's permissions boundary; empty if it has none."""
    from gen_infra.emulator.authorization.callers import backend

    if not role_arn.startswith("arn:"):
        return ""
    roles = backend(account, role_arn.split(":")[1]).roles.values()
    found = next((role for role in roles if role.arn == role_arn), None)
    return (found.permissions_boundary_arn or "") if found else ""


def request_tags(parameters: Mapping[str, Any], kind: str = "") -> ContextValues:
    """Return ``aws:RequestTag/…`` and ``aws:TagKeys`` of a call; for EC2 of one kind of resource, if it is given."""
    given = next((parameters[name] for name in ("tags", "Tags", "TagList") if parameters.get(name)), None)
    tags = dict(tag_pairs(given))
    for specification in parameters.get("TagSpecifications") or []:
        if kind in ("", specification.get("ResourceType")):
            tags |= tag_pairs(specification.get("Tags"))
    values: ContextValues = {f"aws:requesttag/{name.lower()}": (value,) for name, value in tags.items()}
    if keys := tuple(tags) or tuple(parameters.get("tagKeys") or parameters.get("TagKeys") or ()):
        values["aws:tagkeys"] = keys
    return values


def _ec2(name: str, arn: str, parameters: Mapping[str, Any], account: str) -> ContextValues:
    from moto.ec2.models import ec2_backends

    parts = arn.split(":", 5)
    kind, _, resource_id = parts[-1].partition("/")
    values = request_tags(parameters, kind.strip("*"))
    if len(parts) < 6:
        return values
    ec2: Any = ec2_backends[account][parts[3]]
    if kind == "image" and (image := ec2.amis.get(resource_id)):
        values["ec2:owner"] = (str(image.owner_id),)
    if kind == "network-interface" and (interface := ec2.enis.get(resource_id)):
        values["ec2:subnet"] = (f"{arn.partition(':network-interface/')[0]}:subnet/{interface.subnet.id}",)
    if name == "CreateNetworkInterfacePermission" and (service := parameters.get("AwsService")):
        values["ec2:authorizedservice"] = (str(service),)
    if name == "ModifyImageAttribute":
        values |= _new_attributes(parameters)
    if name == "RunInstances" and kind == "volume":
        values["ec2:encrypted"] = (str(all(_encryption(ec2, parameters))).lower(),)
    return values


def _new_attributes(parameters: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the condition key of each attribute of an image that has one value; launch permissions have none.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html#attribute-key
    """
    for name in ("Description", "ImdsSupport"):
        if isinstance(given := parameters.get(name), dict) and "Value" in given:
            yield f"ec2:attribute/{name.lower()}", (str(given["Value"]),)


def _encryption(ec2: Any, parameters: Mapping[str, Any]) -> Iterator[bool]:
    """Yield whether each volume of new instances is encrypted: as the call says, or as its snapshot is."""
    image = ec2.amis.get(parameters.get("ImageId"))
    devices = {each["DeviceName"]: each.get("Ebs", {}) for each in (image.block_device_mappings if image else ())}
    for each in parameters.get("BlockDeviceMappings") or []:
        name = each.get("DeviceName")
        devices[name] = {**devices.get(name, {}), **(each.get("Ebs") or {})}
    for ebs in devices.values():
        yield str(ebs.get("Encrypted", ec2.ebs_encryption_by_default)).lower() == "true"
