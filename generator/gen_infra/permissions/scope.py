"""One scope: resources as ARNs, and conditions that a call must meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gen_infra.manifest.job_policies import StatementCondition

if TYPE_CHECKING:
    from gen_infra.manifest.model.manifest import Manifest


class Scope(NamedTuple):
    """Where calls may go: resources, and conditions that a call must meet."""

    arns: tuple[str, ...]
    conditions: tuple[StatementCondition, ...] = ()


def equals(key: str, *values: str) -> StatementCondition:
    """Return the condition that a key has one of these values."""
    return StatementCondition("StringEquals", key, values)


def equals_if_exists(key: str, *values: str) -> StatementCondition:
    """Return the condition that a key has one of these values, or that the request has no such key."""
    return StatementCondition("StringEqualsIfExists", key, values)


def like(key: str, *values: str) -> StatementCondition:
    """Return the condition that a key is like one of these patterns."""
    return StatementCondition("StringLike", key, values)


def lacks(key: str) -> StatementCondition:
    """Return the condition that a request has no such key."""
    return StatementCondition("Null", key, ("true",))


def arn(manifest: Manifest, service: str, resource: str) -> str:
    """Return the ARN of a resource in the environment's account and region."""
    return f"arn:{manifest.partition}:{service}:{manifest.region}:{manifest.account}:{resource}"


def iam_arn(manifest: Manifest, resource: str) -> str:
    """Return the ARN of an IAM resource of the environment's account."""
    return f"arn:{manifest.partition}:iam::{manifest.account}:{resource}"
