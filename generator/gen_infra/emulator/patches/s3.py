"""S3: lifecycle rules and bucket policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.exceptions import AccessDeniedByLock, NoSuchUpload
from moto.s3.models import FakeBucket, S3Backend
from moto.s3.responses import S3Response

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch
from gen_infra.emulator.validation.policies import is_public

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.core.responses import ActionResult


@moto_patch(
    moto="5.2.5 drops NewerNoncurrentVersions of a NoncurrentVersionExpiration",
    aws="returns it",
)
def newer_noncurrent_versions() -> None:
    """Store it on the rule, and add it to the answer."""

    @around(FakeBucket, "set_lifecycle")
    def set_lifecycle(original: Callable[..., None], bucket: Any, rules: list[dict[str, Any]]) -> None:
        original(bucket, rules)
        for rule, given in zip(bucket.rules, rules, strict=True):
            rule.nve_newer_versions = (given.get("NoncurrentVersionExpiration") or {}).get("NewerNoncurrentVersions")

    @around(S3Response, "serialized")
    def serialized(original: Callable[..., Any], response: Any, answer: ActionResult) -> Any:
        if isinstance(answer.result, dict) and response.data.get("Action") == "GetBucketLifecycleConfiguration":
            rules = response.backend.get_bucket_lifecycle(response.bucket_name)
            for shown, rule in zip(answer.result["Rules"], rules, strict=True):
                if rule.nve_newer_versions:
                    shown["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] = rule.nve_newer_versions
        return original(response, answer)


@moto_patch(
    moto="5.2.5 ignores the condition of a Deny statement, so a TLS-only bucket refuses every request",
    aws="applies aws:SecureTransport only to requests without TLS; the emulator treats its own as having TLS",
)
def secure_transport_condition() -> None:
    """Ignore the statements that deny plain HTTP, and evaluate the others."""

    @around(FakeBucket, "get_permission")
    def get_permission(original: Callable[..., Any], bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return original(bucket, action, resource)
        policy = json.loads(bucket.policy)
        kept = [statement for statement in policy["Statement"] if not _denies_plain_http(statement)]
        if not kept:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps(policy | {"Statement": kept})).is_action_permitted(action, resource)


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    return statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}


@moto_patch(
    moto="5.2.5 accepts a public bucket policy without looking at the bucket's public access block",
    aws="refuses one under BlockPublicPolicy with AccessDenied",
)
def blocked_public_policies() -> None:
    """Check the policy against the bucket's public access block.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """

    @around(S3Backend, "put_bucket_policy")
    def put_bucket_policy(original: Any, backend: Any, bucket_name: str, policy: bytes) -> None:
        block = backend.get_bucket(bucket_name).public_access_block
        if block and str(block.block_public_policy).lower() == "true" and is_public(policy):
            raise AccessDeniedByLock
        original(backend, bucket_name, policy)


@moto_patch(
    moto="5.2.5 fails with KeyError where a part of an unknown upload is sent, or the upload is completed",
    aws="answers NoSuchUpload",
)
def unknown_uploads() -> None:
    """Look up the upload before the call.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
    """
    for name in ("upload_part", "upload_part_copy", "complete_multipart_upload"):

        @around(S3Backend, name)
        def call(original: Any, backend: Any, bucket_name: str, multipart_id: str, *args: Any, **kwargs: Any) -> Any:
            if multipart_id not in backend.get_bucket(bucket_name).multiparts:
                raise NoSuchUpload(upload_id=multipart_id)
            return original(backend, bucket_name, multipart_id, *args, **kwargs)


PATCHES: tuple[MotoPatch, ...] = (
    newer_noncurrent_versions,
    secure_transport_condition,
    blocked_public_policies,
    unknown_uploads,
)
