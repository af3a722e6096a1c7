"""EFS: backup policies and file system policies."""

from __future__ import annotations

import json
from typing import Any

from tests.emulator.probes import Lab, probe, refusal


def _file_system(lab: Lab) -> str:
    made: str = lab.client("efs").create_file_system(CreationToken=lab.name("files"), Encrypted=True)["FileSystemId"]
    return made


@probe(["accepted", "accepted", "accepted"])
def backup_policies(lab: Lab) -> Any:
    efs, system = lab.client("efs"), _file_system(lab)
    answers = [
        refusal(efs.put_backup_policy, FileSystemId=system, BackupPolicy={"Status": "ENABLED"}),
        refusal(efs.describe_backup_policy, FileSystemId=system),
    ]
    refusal(efs.put_backup_policy, FileSystemId=system, BackupPolicy={"Status": "DISABLED"})
    return [*answers, refusal(efs.describe_backup_policy, FileSystemId=system)]


@probe(["accepted", "PolicyNotFound"])
def policy_deletion(lab: Lab) -> Any:
    efs, system = lab.client("efs"), _file_system(lab)
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "elasticfilesystem:ClientMount"}
    efs.put_file_system_policy(FileSystemId=system, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    answer = refusal(efs.delete_file_system_policy, FileSystemId=system)
    return [answer, refusal(efs.describe_file_system_policy, FileSystemId=system)]


PROBES = (backup_policies, policy_deletion)
