"""Read policy documents: their form, what they grant to services and accounts, and whether they are public."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

from gen_infra.emulator.operations import models
from gen_infra.iam.matching import is_action_like, is_like

# Services that assume roles under names that are not names of boto3.
_PRINCIPALS = frozenset(
    {"batch", "builds", "cloudwatch", "delivery.logs", "ec2", "ecs-tasks", "edgelambda", "elasticfilesystem"}
    | {"elasticloadbalancing", "export.rds", "kubernetes", "monitoring", "ops.apigateway", "replicator.lambda", "spot"}
    | {"spotfleet", "ssm", "states", "streams.metrics.cloudwatch", "vpc-flow-logs", "vpce"}
)
_PRINCIPAL = re.compile(r"(?P<name>[a-z0-9.-]+?)(\.[a-z]{2}(-[a-z]+)+-[0-9])?\.amazonaws\.com(\.cn)?", re.ASCII)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
_CONFINING = frozenset(
    {"aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount", "aws:sourcearn", "aws:sourcevpc"}
    | {"aws:sourcevpce", "aws:sourceip", "aws:sourceowner", "aws:userid", "aws:principalarn", "aws:principalaccount"}
    | {"s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id"}
)


def is_policy(document: str) -> bool:
    """Return whether a text is JSON with a policy's version and statements."""
    try:
        found = json.loads(document)
    except ValueError:
        return False
    return (
        isinstance(found, dict)
        and found.get("Version", "2008-10-17") in ("2012-10-17", "2008-10-17")
        and isinstance(found.get("Statement"), dict | list)
    )


def size(document: str) -> int:
    """Count the characters of a policy as IAM does: without white space."""
    return len(re.sub(r"\s", "", document))


def statements(document: str | bytes | None) -> list[Mapping[str, Any]]:
    """Return the statements of a policy; none of a text that is not a policy."""
    try:
        found = json.loads(document or "{}")["Statement"]
    except (KeyError, TypeError, ValueError):
        return []
    return [each for each in listed(found) if isinstance(each, Mapping)]


def listed(value: Any) -> list[Any]:
    """Return a policy's value, which may be one or a list, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def account_principals(document: str | None) -> list[str]:
    """Return every AWS principal of a policy; none of a text that is not a policy."""
    named = [each.get("Principal") for each in statements(document)]
    return [str(arn) for each in named if isinstance(each, Mapping) for arn in listed(each.get("AWS"))]


def lets_its_policy_change(request: Mapping[str, Any]) -> bool:
    """Return whether a principal of an account may change a key's policy later on, or the check is bypassed."""
    document = request.get("Policy")
    if not document or request.get("BypassPolicyLockoutSafetyCheck"):
        return True
    return any(_lets_accounts_put_policies(each) for each in statements(document))


def _lets_accounts_put_policies(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    return (
        statement.get("Effect") == "Allow"
        and any(is_action_like("kms:PutKeyPolicy", str(each)) for each in listed(statement.get("Action")))
        and bool(listed(principal.get("AWS") if isinstance(principal, Mapping) else principal))
    )


def has_principals(document: str) -> bool:
    """Return whether each statement of a resource's policy says to whom it applies."""
    return all(each.get("Principal") or each.get("NotPrincipal") for each in statements(document))


def has_no_principals(document: str) -> bool:
    """Return whether no statement of an identity's policy names a principal."""
    return not any("Principal" in each or "NotPrincipal" in each for each in statements(document))


def has_no_resources(document: str) -> bool:
    """Return whether no statement of a trust policy names a resource."""
    return not any("Resource" in each or "NotResource" in each for each in statements(document))


def has_plain_sids(document: str) -> bool:
    """Return whether the ids of all statements are letters and digits."""
    return all(re.fullmatch(r"[A-Za-z0-9]*", str(each.get("Sid", "")), re.ASCII) for each in statements(document))


def assumes_roles_only(document: str) -> bool:
    """Return whether a trust policy has actions of STS alone."""
    return all(str(action).lower().startswith("sts:") for action in _actions(document))


def is_bucket_policy(document: str) -> bool:
    """Return whether a text is the JSON of a policy."""
    return document.startswith("{") and is_policy(document)


def has_s3_actions(document: str) -> bool:
    """Return whether a bucket policy has actions of S3 alone."""
    return all(str(action) == "*" or str(action).lower().startswith("s3:") for action in _actions(document))


def is_about(document: str, bucket: str) -> bool:
    """Return whether all resources of a bucket policy may be the bucket or objects in it."""
    resources = [str(each) for statement in statements(document) for each in listed(statement.get("Resource"))]
    return all(
        each == "*" or is_like(f"arn:aws:s3:::{bucket}", _any_partition(each.partition("/")[0])) for each in resources
    )


def _any_partition(arn: str) -> str:
    return re.sub(r"^arn:aws[a-z-]*:", "arn:aws:", arn)


def _actions(document: str) -> list[Any]:
    return [each for statement in statements(document) for each in listed(statement.get("Action"))]


def unknown_service(document: str) -> str:
    """Return the first principal of a trust policy that is not an AWS service; empty if there is none."""
    for statement in statements(document):
        principal = statement.get("Principal")
        for each in listed(principal.get("Service") if isinstance(principal, Mapping) else None):
            found = _PRINCIPAL.fullmatch(str(each))
            if not found or found["name"] not in _services():
                return str(each)
    return ""


@functools.cache
def _services() -> frozenset[str]:
    return _PRINCIPALS | frozenset(models().list_available_services("service-2"))


def is_public(document: str | bytes) -> bool:
    """Return whether a bucket policy grants something to everyone, as S3's public access block defines it."""
    for statement in statements(document):
        principal = statement.get("Principal")
        named = principal.get("AWS") if isinstance(principal, Mapping) else principal
        keys = {key.lower() for values in (statement.get("Condition") or {}).values() for key in values}
        if statement.get("Effect") == "Allow" and "*" in listed(named) and not keys & _CONFINING:
            return True
    return False
