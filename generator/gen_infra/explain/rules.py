"""The effects of changes, on the resource and on running jobs: a table, each row with its reason.

A row names a resource type, what terraform does to it, and an attribute; if a plan has all three, the row says what
happens. Reasons are those of version 5.100 of the AWS provider and of AWS's documentation:

* https://github.com/hashicorp/terraform-provider-aws/tree/v5.100.0/internal/service/batch
* https://docs.aws.amazon.com/batch/latest/userguide/updating-compute-environments.html
* https://docs.aws.amazon.com/batch/latest/APIReference/API_DeleteJobQueue.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.kinds import KINDS
from gen_infra.explain.access_rules import ACCESS_RULES
from gen_infra.explain.compute_rules import COMPUTE_RULES
from gen_infra.explain.data_rules import DATA_RULES
from gen_infra.explain.need_rules import NEED_RULES
from gen_infra.explain.queue_rules import QUEUE_RULES
from gen_infra.explain.rule import Action, Danger, Effect, EffectRule, Facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws.updates import Refusal
    from gen_infra.explain.differences import Difference

RULES: tuple[EffectRule, ...] = (*COMPUTE_RULES, *QUEUE_RULES, *DATA_RULES, *NEED_RULES, *ACCESS_RULES)
TAGS = frozenset({"tags", "tags_all"})


def _reasons(rule: EffectRule, facts: Facts) -> list[str]:
    """Return the row's reason; for a replacement that AWS makes necessary, AWS's, and the row's if it is special."""
    necessary = [refusal.message for refusal in facts.refusals] if rule.action == "replace" else []
    return necessary if necessary and not rule.attribute else [rule.reason, *necessary]


def _necessary(refusal: Refusal, *, explained: bool) -> Iterator[str]:
    """Say what no row says: that AWS makes the replacement necessary, and when only a new name keeps the content."""
    if not explained:
        yield f"AWS never changes its {refusal.attribute}: it is deleted and created again"
    if refusal.needs_new_name and refusal.provider == "replaces":
        label = KINDS[refusal.type].label
        yield f"to keep what it holds, add a {label} with a new name, and move the content first"


def effects(kind: str, action: Action, changed: list[Difference], facts: Facts) -> Iterator[Effect]:
    """Apply the table to a change, each sentence once.

    Rows for any change count only if no other row does, and not for tags, which change nothing but themselves.
    """
    met = [rule for rule in RULES if rule.meets(kind, action, changed)]
    is_tagged_only = (
        action == "update" and bool(changed) and all(each.path.partition(".")[0] in TAGS for each in changed)
    )
    found: dict[tuple[str, Danger | None], list[str]] = {}
    for rule in [rule for rule in met if rule.attribute] or ([] if is_tagged_only else met):
        found.setdefault(rule.says(facts), []).extend(_reasons(rule, facts))
    if action == "update":
        for refusal in facts.refusals:
            text = f"AWS refuses this ({refusal.call}), so the apply fails; render the files again, or use a new name"
            found.setdefault((text, None), []).append(refusal.message)
    if action == "replace":
        for refusal in facts.refusals:
            for text in _necessary(refusal, explained=bool(met)):
                found.setdefault((text, None), []).append(refusal.message)
    for (text, danger), reasons in found.items():
        yield Effect(text, danger, "; ".join(dict.fromkeys(reasons)))
