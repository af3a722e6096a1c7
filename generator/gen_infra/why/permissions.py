"""What to do about a permission that AWS names: which key of the manifest gives it, or which other policy refuses it.

AWS says at the end of its message which kind of policy decided:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.iam.matching import is_action_like
from gen_infra.manifest.job_policies import S3_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_infra.aws.errors import DeniedCall
    from gen_infra.why.evidence import Evidence

_DECIDED_BY = re.compile(
    r"with an explicit deny in an? (?P<denying>[\w -]+?) policy\b"
    r"|with an explicit deny in a permissions (?P<bound>boundary)"
    r"|because no (?P<lacking>[\w -]+?) policy allows|because no permissions (?P<unbound>boundary) allows",
    re.IGNORECASE,
)


def permission_advice(words: str, refusal: DeniedCall, evidence: Evidence) -> str:
    """Say what gives a permission.

    Args:
        words: the line with AWS's message, which may have been cut.
        refusal: what the line says.
        evidence: about the job.
    """
    if other := other_policy(words, refusal, evidence):
        return other
    role = refusal.role or evidence.container.get("jobRoleArn", "").rpartition("/")[2] or "(it has none)"
    return f"allow {refusal.action} in its role {role}: {_manifest_key(refusal, evidence)}"


def other_policy(words: str, refusal: DeniedCall, evidence: Evidence) -> str:
    """Say which policy refuses a call, if it is not that its role's policies do not allow it; otherwise empty."""
    found = _DECIDED_BY.search(words)
    if not found:
        return ""
    kind = (found["denying"] or found["bound"] or found["lacking"] or found["unbound"]).lower()
    change = "remove the Deny of" if found["denying"] or found["bound"] else "allow"
    call = f"{refusal.action} on {refusal.resource}" if refusal.resource else refusal.action
    boundary = evidence.manifest.iam.permissions_boundary or "the permissions boundary of its role"
    advice = {
        "boundary": f"{change} {call} in {boundary} (iam.permissions_boundary)",
        "service control": f"ask the administrator of your AWS organization: a service control policy refuses {call}",
        "resource control": f"ask the administrator of your AWS organization: a resource control policy refuses {call}",
        "vpc endpoint": f"{change} {call} in the policy of the VPC endpoint",
        "resource-based": f"{change} {refusal.action} in the policy of {refusal.resource or 'the resource'}",
        "session": f"{change} {call} in the policy that its session was given",
    }
    if kind == "identity-based" and found["denying"]:
        return f"remove the Deny of {call} in a policy of its role"
    return advice.get(kind, "")


def _manifest_key(refusal: DeniedCall, evidence: Evidence) -> str:
    service = refusal.action.partition(":")[0].lower()
    advise = _KEYS.get(service)
    found = advise(refusal, evidence) if advise else ""
    where = f" on {refusal.resource}" if refusal.resource else ""
    own_role = f"give {evidence.job_key} a role of yours (role) that may {refusal.action}{where}"
    return found or own_role


def _s3(refusal: DeniedCall, evidence: Evidence) -> str:
    """Name the bucket and the access, as far as the manifest lacks them."""
    name, _, key = refusal.resource.rpartition(":")[2].partition("/")
    access = next((each for each in S3_ACTIONS if _gives(each, refusal.action)), "")
    if not name or not access:
        return ""
    job = evidence.manifest.jobs.get(evidence.job_key.removeprefix("jobs."))
    buckets = {each: bucket for each, bucket in evidence.manifest.buckets.items() if bucket.name == name}
    used = {each: bucket for each, bucket in buckets.items() if job and each in job.buckets}
    for each, bucket in used.items():
        if not _gives(bucket.access, refusal.action):
            return f"set buckets.{each}.access to {access}"
        if bucket.prefix and key and not key.startswith(bucket.prefix):
            return f"use keys below {bucket.prefix} in {name}, or change buckets.{each}.prefix"
    if used:  # it has the permission in the manifest
        return ""
    able = [each for each, bucket in buckets.items() if _gives(bucket.access, refusal.action)]
    if able:
        return f"add {able[0]} to {evidence.job_key}.buckets"
    return f"add {{name: {name}, access: {access}}} to buckets, and its key to {evidence.job_key}.buckets"


def _gives(access: str, action: str) -> bool:
    allowed = S3_ACTIONS[access]
    return any(is_action_like(action, each) for each in (*allowed.lists, *allowed.objects))


def _secret(refusal: DeniedCall, evidence: Evidence) -> str:
    return f"add {refusal.resource or 'the secret'} to secrets of {evidence.container_key}, which ECS then fetches"


def _key(refusal: DeniedCall, evidence: Evidence) -> str:
    key = refusal.resource or "the key's ARN"
    return (
        f"set kms_key to {key} at the bucket in buckets, or at the secret of {evidence.container_key}, that it "
        "encrypts; the policy of the key must allow the account's IAM policies too"
    )


def _repository(refusal: DeniedCall, evidence: Evidence) -> str:
    name = refusal.resource.partition(":repository/")[2]
    own = f"{evidence.manifest.name}/"
    who = "the instances' role (on Fargate the execution role)"
    if name.startswith(own) and name.removeprefix(own) not in evidence.manifest.repositories:
        return f"add {name.removeprefix(own)} to repositories"
    return f"allow {refusal.action} to {who}, and for a repository of another account in its policy"


def _file_system(refusal: DeniedCall, evidence: Evidence) -> str:
    file_system = refusal.resource.rpartition("/")[2] or "the file system"
    writes = " with read_only: false" if refusal.action.endswith("ClientWrite") else ""
    return f"add {file_system} to efs of {evidence.container_key}{writes}"


def _log_group(refusal: DeniedCall, evidence: Evidence) -> str:
    group = refusal.resource.partition(":log-group:")[2].partition(":")[0]
    return (
        f"let {evidence.job_key} print to its own log, or give it a role of yours (role) that may {refusal.action}"
        f"{f' on {group}' if group else ''}"
    )


_KEYS: Mapping[str, Callable[[DeniedCall, Evidence], str]] = {
    "ecr": _repository,
    "elasticfilesystem": _file_system,
    "kms": _key,
    "logs": _log_group,
    "s3": _s3,
    "secretsmanager": _secret,
    "ssm": _secret,
}
