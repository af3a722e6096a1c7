"""Read the policies that gen-infra does not render: of boundaries, buckets, keys, and roles that exist already."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from gen_infra.aws.errors import AccessDeniedError, aws_errors
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gen_infra.aws.session import Clients

T = TypeVar("T")


class PolicyOwners(NamedTuple):
    """What has policies to read.

    Args:
        managed: ARNs of managed policies.
        buckets: names of buckets.
        keys: ARNs of keys.
        roles: ARNs of roles.
    """

    managed: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class RolePolicies(NamedTuple):
    """The policies of a role: each one's name and JSON, and the boundary's JSON, which is empty without one."""

    policies: tuple[tuple[str, str], ...]
    boundary: str


@dataclass(frozen=True, slots=True)
class ExistingPolicies:
    """What could be read, and why the rest could not.

    Args:
        documents: JSON by the ARN of a managed policy or key, or the name of a bucket; empty for one without a policy.
        roles: by ARN.
        unread: why one could not be read, by its ARN or name.
        why: why none was looked up; empty if they were.
    """

    documents: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, RolePolicies] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    def why_unread(self, name: str) -> str:
        """Return why the policies of something are not known; empty if they are."""
        return "" if name in self.documents or name in self.roles else self.unread.get(name, self.why)


def existing_policies(clients: Clients, owners: PolicyOwners) -> ExistingPolicies:
    """Read them all; what AWS refuses to show is noted."""
    unread: dict[str, str] = {}

    def found(names: Iterable[str], read: Callable[[Clients, str], T]) -> Iterator[tuple[str, T]]:
        for name in names:
            try:
                with aws_errors():
                    yield name, read(clients, name)
            except AccessDeniedError as denied:
                unread[name] = f"needs {denied.action or denied.operation}"
            except AwsError as error:
                unread[name] = error.message

    documents = {
        **dict(found(owners.managed, _managed)),
        **dict(found(owners.buckets, _of_bucket)),
        **dict(found(owners.keys, _of_key)),
    }
    return ExistingPolicies(documents, dict(found(owners.roles, _of_role)), unread)


def _managed(clients: Clients, arn: str) -> str:
    version = clients.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = clients.iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return json.dumps(found["PolicyVersion"]["Document"])


def _of_bucket(clients: Clients, name: str) -> str:
    try:
        return str(clients.s3.get_bucket_policy(Bucket=name)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return ""
        raise


def _of_key(clients: Clients, arn: str) -> str:
    return str(clients.kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])


def _of_role(clients: Clients, arn: str) -> RolePolicies:
    iam, name = clients.iam, arn.rpartition("/")[2]
    boundary = iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    found = []
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=name):
        for each in page["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
            found.append((each, json.dumps(document)))
    for attached in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name):
        found.extend(
            (policy["PolicyName"], _managed(clients, policy["PolicyArn"])) for policy in attached["AttachedPolicies"]
        )
    return RolePolicies(tuple(found), _managed(clients, boundary) if boundary else "")
