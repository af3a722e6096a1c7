"""Lists the policies that roles get before terraform takes other ones away from them.

Terraform creates and deletes policies of a role in any order, and what runs with the role would be refused in between,
or from then on if a creation failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from gen_infra.terraform.plan import ResourceChange

_INLINE = "aws_iam_role_policy"
_KINDS = {_INLINE, "aws_iam_role_policy_attachment"}


@dataclass(frozen=True, slots=True)
class NewPolicy:
    """A policy that an existing role gets by a plan that takes another one away from it.

    Attributes:
        role: the role's name.
        name: the policy's name.
        document: its text, as JSON.
    """

    role: str
    name: str
    document: str


def losing_role(change: ResourceChange) -> str:
    """Return the name of the role that loses a policy by a change; empty for any other change."""
    is_taken = change.type in _KINDS and change.actions == ("delete",)
    return change.before["role"] if is_taken and change.before else ""


def policies_to_put_first(changes: Collection[ResourceChange]) -> list[NewPolicy]:
    """List the new policies of roles that exist, stay and lose another policy."""
    losing = {losing_role(each) for each in changes}
    staying = {
        each.before["name"]
        for each in changes
        if each.type == "aws_iam_role" and each.before and "delete" not in each.actions
    }
    return [
        NewPolicy(role, name, policy)
        for each in changes
        if each.type == _INLINE and each.actions == ("create",)
        for role, name, policy in [tuple(each.planned.get(key) for key in ("role", "name", "policy"))]
        if role in losing & staying and isinstance(name, str) and isinstance(policy, str)
    ]
