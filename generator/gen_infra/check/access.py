"""Check whom a pull request lets assume the access roles, which act in the account like their owners' own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.check.places import finding_at
from gen_infra.check.report import Check, RuleInfo
from gen_infra.iam.matching import is_like
from gen_infra.manifest.model.access import SESSION_HOURS

if TYPE_CHECKING:
    from collections.abc import Collection

    from gen_infra.check.base import BaseManifest
    from gen_infra.check.policy import Policy
    from gen_infra.environment import Environment

ACCESS = "access"
ACCESS_RULE = RuleInfo(
    "GI_ACCESS_1",
    "The base or the policy file has whom a change lets assume an access role, and with what",
    "let an owner of the policy file add it to access, under the role",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage_modify.html",
    "high",
)


def access_verdicts(environment: Environment, policy: Policy, base: BaseManifest | None) -> list[Check]:
    """Give the verdict on an environment's access roles; none where it is not compared with a base."""
    access = environment.manifest.access
    if base is None or access is None:
        return []
    granted = list(access.grants())
    known = {role: (*base.access.get(role, ()), *policy.access.get(role, ())) for role in access.roles}
    new = [each for each in granted if not _is_known(each.item, known[each.role])]
    findings = tuple(
        finding_at(environment, each.place, ACCESS_RULE, f'"{each.item}" is new in {each.role}') for each in new
    )
    return [Check(ACCESS, f"{len(granted)} in all roles, {len(new)} not accepted", findings)]


def _is_known(item: str, known: Collection[str]) -> bool:
    """Return whether a role has something already: an item, a pattern that covers it, or longer sessions."""
    if item.startswith(SESSION_HOURS):
        hours = [each.removeprefix(SESSION_HOURS) for each in known if each.startswith(SESSION_HOURS)]
        if any(each.isdecimal() and int(item.removeprefix(SESSION_HOURS)) <= int(each) for each in hours):
            return True
    return any(is_like(item, each) for each in known)
