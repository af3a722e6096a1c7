"""EC2: launch templates and security group rules."""

from __future__ import annotations

from inspect import signature
from typing import Any

from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses.launch_templates import LaunchTemplates

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


PATCHES: tuple[MotoPatch, ...] = (
    launch_template_tags,
    security_group_rule_description,
)
