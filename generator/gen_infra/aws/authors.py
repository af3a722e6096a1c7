"""Who changed something, where AWS keeps that with the thing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.errors import aws_errors

if TYPE_CHECKING:
    from gen_infra.aws.session import Clients


@aws_errors()
def launch_template_author(clients: Clients, name: str) -> str:
    """The ARN of whoever made the newest version of a launch template; Terraform needs the same permission."""
    answer = clients.ec2.describe_launch_template_versions(LaunchTemplateName=name, Versions=["$Latest"])
    return answer["LaunchTemplateVersions"][0].get("CreatedBy", "")
