"""Refuse changes of the access roles by the role `apply` before anything is changed: AWS would refuse them halfway."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from gen_infra.aws.session import Identity
    from gen_infra.manifest import Manifest
    from gen_infra.terraform.plan import PlanContent

# What templates/access.tf.j2 renders.
_OF_ACCESS = re.compile(r"aws_iam_(?:(?:role|policy|role_policy_attachment)\.access_\w+|openid_connect_provider\.\w+)")


def require_administrator(caller: Identity, manifest: Manifest, content: PlanContent) -> None:
    """Refuse a plan that changes the access roles if the role `apply` is to apply it.

    Raises:
        UsageError: an administrator has to apply it; nothing was changed.
    """
    if f":assumed-role/{manifest.access_role_name('apply')}/" not in caller.arn:
        return
    changed = [
        each.address
        for each in content.managed_changes
        if each.actions != ("no-op",) and _OF_ACCESS.fullmatch(each.address)
    ]
    if changed:
        raise UsageError(
            f"this plan changes access, which the role {manifest.access_role_name('apply')} may not do; nothing was "
            "changed:" + "".join(f"\n  {address}" for address in changed),
            hint="let an administrator of the account apply it, with --allow access",
        )
