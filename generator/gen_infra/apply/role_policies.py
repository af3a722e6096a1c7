"""Puts the new policies of existing roles before terraform takes other ones away; terraform puts them once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.errors import aws_errors
from gen_infra.explain.role_policies import policies_to_put_first

if TYPE_CHECKING:
    from collections.abc import Collection

    from gen_infra.aws.session import Clients
    from gen_infra.terraform.plan import ResourceChange
    from gen_infra.tools.process import Progress


@aws_errors()
def put_new_policies(clients: Clients, changes: Collection[ResourceChange], progress: Progress) -> None:
    """Put the new policies of roles that lose others by the same plan."""
    policies = policies_to_put_first(changes)
    for each in policies:
        clients.iam.put_role_policy(RoleName=each.role, PolicyName=each.name, PolicyDocument=each.document)
    for role in dict.fromkeys(each.role for each in policies):
        names = ", ".join(each.name for each in policies if each.role == role)
        progress(f"{role} has its new policies ({names}) before it loses others")
