"""The IAM policies that grow with a manifest: what they say, and how much room IAM leaves them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gen_infra.manifest.model import Job, Manifest

# All inline policies of a role together, in characters without blanks.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ROLE_POLICIES_LIMIT = 10_240
# The submit function's other policies (logs, traces, dead letters, key), which do not grow: at most 850 characters.
_FUNCTION_POLICIES = 1_000


class Statement(NamedTuple):
    """One statement of an identity policy."""

    sid: str
    actions: list[str]
    resources: list[str]
    conditions: Sequence[Mapping[str, object]]


def job_role_policies_size(manifest: Manifest, job: Job) -> int:
    """Characters of the inline policy of a job's role, as IAM counts them."""
    return _policy_size(bucket_statements(manifest, job)) if job.buckets else 0


def job_definition_arns(manifest: Manifest) -> list[str]:
    """What the submit function may submit: each definition, or beyond a policy's size all names of the environment."""
    each = [manifest.batch_arn("job-definition", key) for key in manifest.jobs]
    if submit_role_policies_size(manifest, each) <= ROLE_POLICIES_LIMIT:
        return each
    return [manifest.batch_arn("job-definition", "*")]


def bucket_statements(manifest: Manifest, job: Job) -> Iterator[Statement]:
    """What a job's role may do in the buckets that the job names: list and get, or also put."""
    for index, key in enumerate(job.buckets):
        bucket = manifest.buckets[key]
        arn = f"arn:{manifest.partition}:s3:::{bucket.name}"
        prefix = bucket.prefix or ""
        under_prefix = [{"test": "StringLike", "variable": "s3:prefix", "values": [f"{prefix}*"]}] if prefix else []
        sid = f"Bucket{index}"
        yield Statement(f"{sid}List", ["s3:ListBucket"], [arn], under_prefix)
        actions = ["s3:GetObject"]
        if bucket.access == "write":
            actions += ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        yield Statement(f"{sid}Objects", actions, [f"{arn}/{prefix}*"], [])
        if bucket.kms_key:
            key_actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if bucket.access == "write" else [])]
            via_s3 = f"s3.{manifest.region}.{manifest.dns_suffix}"
            condition = {"test": "StringEquals", "variable": "kms:ViaService", "values": [via_s3]}
            yield Statement(f"{sid}Key", key_actions, [bucket.kms_key], [condition])


def submit_role_policies_size(manifest: Manifest, definitions: Sequence[str]) -> int:
    """Characters of all inline policies of the submit function's role, when it may submit these definitions."""
    queues = [manifest.batch_arn("job-queue", key) for key in manifest.queues]
    resources = [*queues, *definitions, *(f"{arn}:*" for arn in definitions)]
    statement = Statement("SubmitThisEnvironmentsJobs", ["batch:SubmitJob"], resources, [])
    return _policy_size([statement]) + _FUNCTION_POLICIES


def _policy_size(statements: Iterable[Statement]) -> int:
    """The length of the policy that the provider makes of these statements."""
    document = {"Version": "2012-10-17", "Statement": [_as_json(statement) for statement in statements]}
    return len(json.dumps(document, separators=(",", ":")))


def _as_json(statement: Statement) -> dict[str, object]:
    conditions = {str(each["test"]): {each["variable"]: each["values"]} for each in statement.conditions}
    return {
        "Sid": statement.sid,
        "Effect": "Allow",
        "Action": statement.actions,
        "Resource": statement.resources,
        **({"Condition": conditions} if conditions else {}),
    }
