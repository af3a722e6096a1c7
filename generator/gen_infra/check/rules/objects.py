"""Check which objects in S3 the roles of jobs, engines, workflows and builds reach: those of the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.check.rules.rule import Accepted, Rule, rule_beyond
from gen_infra.terraform.policy_documents import allowing, conditions, listed, may_be_anything, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.terraform.source import Resource


@rule_beyond(
    "GI_IAM_15",
    "aws_iam_role_policy",
    severity="high",
    title="Roles reach the objects of the manifest's buckets and prefixes only",
    remedy="name the bucket and its prefix in the manifest, and use them in the policy",
    source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html",
)
def objects_are_of_the_manifest(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Refuse other buckets, and whole buckets or wider prefixes where the manifest names a prefix."""
    if accepted.objects is None:
        return
    for statement in allowing(resource.values.get("policy")):
        for arn in listed(statement.get("Resource")):
            service, _, place = str(arn).partition(":s3:::") if isinstance(arn, str) else ("", "", "")
            bucket, slash, key = place.partition("/")
            if not service.startswith("arn:") or not bucket:
                continue
            prefixes = accepted.objects.get(bucket)
            if prefixes is None:
                yield f"{named(statement)} allows {arn}, a bucket that the manifest does not name"
            elif slash and not _is_within(key, prefixes):
                yield f"{named(statement)} allows {arn}, beyond {' and '.join(sorted(prefixes))}"
            elif not slash:
                yield from _problems_with_lists(statement, prefixes)


def _problems_with_lists(statement: dict[str, Any], prefixes: frozenset[str]) -> Iterator[str]:
    """Yield lists of a bucket that show more than the prefixes; one without any prefix is `HeadBucket`."""
    if "" in prefixes or may_be_anything(statement) or "s3:ListBucket" not in listed(statement.get("Action")):
        return
    shown = [(operator, values) for operator, key, values in conditions(statement) if key == "s3:prefix"]
    if not shown:
        yield f"{named(statement)} allows lists of the whole bucket"
    for operator, values in shown:
        if operator != "Null" and not all(_is_within(str(each), prefixes) for each in values if isinstance(each, str)):
            yield f"{named(statement)} allows lists of {', '.join(map(str, values))}"


def _is_within(key: str, prefixes: frozenset[str]) -> bool:
    return any(not prefix or key == prefix or key.startswith(f"{prefix}/") for prefix in prefixes)


RULES: tuple[Rule, ...] = (objects_are_of_the_manifest,)
