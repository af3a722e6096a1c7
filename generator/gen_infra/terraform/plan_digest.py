"""A hash of what a plan changes, by which a plan that was reviewed elsewhere is recognized.

A plan file holds secrets, so it should not leave the machine that made it. Its digest can: two plans have the same one
if they do the same to the same resources. Values that Terraform marks as sensitive are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen_infra.terraform.plan import PlanContent, ResourceChange


def digest(content: PlanContent) -> str:
    """Return the SHA-256 of the changes of a plan, in hexadecimal."""
    changes = [_change(each) for each in content.changes if each.has_effect or each.import_id]
    outputs = {name: each["actions"] for name, each in content.raw.get("output_changes", {}).items()}
    changed_outputs = {name: actions for name, actions in outputs.items() if actions != ["no-op"]}
    return hashlib.sha256(json.dumps([changes, changed_outputs], sort_keys=True).encode()).hexdigest()


def counts(content: PlanContent) -> dict[str, int]:
    """Count the resources that a plan creates, updates and deletes, as GitLab does: a replacement is two of them."""
    actions = Counter(action for each in content.managed_changes for action in each.actions)
    return {action: actions[action] for action in ("create", "update", "delete")}


def _change(change: ResourceChange) -> list[Any]:
    """Return what identifies a change: the new values, without those of a resource that stay, which AWS may change."""
    before, after = change.before or {}, change.after or {}
    stays = "update" in change.actions
    marks = [each if isinstance(each, dict) else {} for each in (change.before_sensitive, change.after_sensitive)]
    values = {
        name: value
        for name, value in after.items()
        if not (stays and name in before and before[name] == value) and not any(each.get(name) for each in marks)
    }
    return [change.address, change.actions, values, change.after_unknown, change.replace_paths, change.import_id]
