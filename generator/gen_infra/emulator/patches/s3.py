"""S3: the rules of a bucket's lifecycle, and policies that ask for TLS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.core.responses import ActionResult


@moto_patch(
    moto="5.2.5 forgets how many newer versions a NoncurrentVersionExpiration keeps",
    aws="gives NewerNoncurrentVersions back as it was put",
)
def newer_noncurrent_versions() -> None:
    """Remember it on the rule, and add it when the rules are asked for."""

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
    moto="5.2.5 applies a Deny statement whatever its condition, so a TLS-only bucket refuses everybody",
    aws="denies by aws:SecureTransport only what does not come over TLS; the emulator's loopback stands in for that",
)
def secure_transport_condition() -> None:
    """Leave out the statements that deny plain HTTP; the others are judged as before."""

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


PATCHES: tuple[MotoPatch, ...] = (
    newer_noncurrent_versions,
    secure_transport_condition,
)
