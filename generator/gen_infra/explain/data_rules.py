"""Effects of changes of resources that hold data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_infra.explain.differences import decoded
from gen_infra.explain.rule import GONE, NEW_RESOURCE, Danger, EffectRule, Facts, Says, always

if TYPE_CHECKING:
    from collections.abc import Mapping


def _new_retention(attribute: str) -> Says:
    def says(facts: Facts) -> tuple[str, Danger | None]:
        old, new = (state.get(attribute) or 0 for state in (facts.before, facts.after))
        if facts.is_adopted and not old:
            return "its creation was not finished: it gets its retention", None
        if new and (not old or new < old):  # 0 is forever
            return "what is older than the new time is deleted", "destroy-data"
        return "kept for longer", None

    return says


def _gone_repository(facts: Facts) -> tuple[str, Danger | None]:
    if facts.before.get("force_delete"):
        return "every image in it is deleted", "destroy-data"
    return "refused while there are images in it", None


def _changed_access_days(facts: Facts) -> tuple[str, Danger | None]:
    if not facts.after.get("lifecycle_policy"):
        return "files stay where they are until they are read; no more move to Infrequent Access", None
    return "files that were not read for so long move to Infrequent Access; jobs read them as before", None


def _new_expiry(facts: Facts) -> tuple[str, Danger | None]:
    """Explain that ECR expires what a rule selects within a day; fewer images or days, or a new rule, expire more."""
    old, new = _expiries(facts.before), _expiries(facts.after)
    if any(count < old.get(selected, float("inf")) for selected, count in new.items()):
        return "images that the rules select are deleted within a day", "destroy-data"
    return "fewer images are deleted by rule", None


def _expiries(state: Mapping[str, Any]) -> dict[str, float]:
    """Return how many images or days each selection leaves."""
    policy = decoded(state.get("policy"))
    found: dict[str, float] = {}
    for rule in policy.get("rules", []) if isinstance(policy, dict) else []:
        selection = dict(rule["selection"])
        count = selection.pop("countNumber")
        found[json.dumps(selection, sort_keys=True)] = count
    return found


DATA_RULES = (
    *(
        EffectRule(
            "aws_cloudwatch_log_group", action, "", always("every log in it is deleted", "destroy-data"),
            "DeleteLogGroup deletes the events too; a new name is a new group to the provider",
        )
        for action in GONE
    ),
    EffectRule(
        "aws_cloudwatch_log_group", "update", "retention_in_days", _new_retention("retention_in_days"),
        "CloudWatch Logs deletes events that are older than the retention",
    ),
    EffectRule(
        "aws_cloudwatch_log_group", "update", "kms_key_id",
        always("events from now on are encrypted with it; older ones need the old key"),
        "AssociateKmsKey applies to new events",
    ),
    EffectRule(
        "aws_ecr_repository", "replace", "", _gone_repository,
        f"name, encryption: {NEW_RESOURCE}; ECR deletes images only by force_delete",
    ),
    EffectRule("aws_ecr_repository", "destroy", "", _gone_repository, "ECR deletes images only by force_delete"),
    *(
        EffectRule(
            "aws_ecr_repository", "update", name,
            always(text), "changed in place, for what is pushed from now on",
        )
        for name, text in (
            ("image_scanning_configuration", "scanning on push changes"),
            ("image_tag_mutability", "tags of images may, or may no longer, be moved"),
        )
    ),
    EffectRule(
        "aws_ecr_lifecycle_policy", "replace", "policy", _new_expiry,
        "ECR expires images within a day of the policy, which the provider replaces for each change",
    ),
    *(
        EffectRule(
            "aws_efs_file_system", action, "",
            always(
                "every file on it is deleted, and running jobs that mount it fail; AWS Backup keeps its last copies "
                "for 35 days",
                "destroy-data",
            ),
            "DeleteFileSystem deletes the files; another key or mode needs a new file system",
        )
        for action in GONE
    ),
    EffectRule(
        "aws_efs_file_system", "update", "lifecycle_policy", _changed_access_days,
        "PutLifecycleConfiguration moves files between storage classes, and deletes none",
    ),
    *(
        EffectRule(
            "aws_efs_mount_target", action, "",
            always("running jobs that mount the file system in this zone lose it until they are started again",
                   "stop-jobs"),
            "EFS has one mount target in each zone, and DeleteMountTarget breaks its mounts",
        )
        for action in GONE
    ),
    *(
        EffectRule(
            "aws_efs_access_point", action, "",
            always("running jobs that mount it fail; files stay, as those of the users who own them", "stop-jobs"),
            "an access point has no update: CreateAccessPoint sets its directory and user",
        )
        for action in GONE
    ),
    *(
        EffectRule(
            "aws_efs_backup_policy", action, "",
            always("no more backups are made; those that exist stay until they expire"),
            "PutBackupPolicy",
        )
        for action in GONE
    ),
    *(
        EffectRule(
            "aws_kms_key", action, "",
            always(
                "volumes, logs and images encrypted with it cannot be read once it is deleted; until then it can be "
                "saved (CancelKeyDeletion)",
                "destroy-data",
            ),
            "ScheduleKeyDeletion, after deletion_window_in_days",
        )
        for action in GONE
    ),
    *(
        EffectRule("aws_sqs_queue", action, "", always("every message in it is deleted", "destroy-data"), "DeleteQueue")
        for action in GONE
    ),
    EffectRule(
        "aws_sqs_queue", "update", "message_retention_seconds", _new_retention("message_retention_seconds"),
        "SQS deletes messages that are older than the retention",
    ),
)  # fmt: skip
