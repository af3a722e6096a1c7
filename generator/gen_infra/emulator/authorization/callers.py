"""Find out who makes a call, from the access key that signed it, with the caller's policies."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from moto.core.utils import utcnow
from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from gen_infra.emulator.administrator import ACCESS_KEY
from gen_infra.iam import PolicyDocument, Principal, PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from moto.sts.models import AssumedRole, STSBackend


class InvalidKey(Enum):
    """Why an access key does not count."""

    UNKNOWN = "IAM and STS did not issue it, or it was deleted or made inactive"
    EXPIRED = "its session has ended"
    TOO_LATE = "the presigned URL has expired"
    ABSENT = "the request is not signed"


class SessionKey(NamedTuple):
    """A temporary key of GetSessionToken: the key that asked for it, and the end of its session (UTC)."""

    user_key: str
    expiration: datetime


# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html#api_getsessiontoken: without MFA
_SESSION_LIMITS = PolicyDocument.read(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"},
        ],
    }
)


def backend(account: str, partition: str) -> IAMBackend:
    """Return moto's IAM of an account in a partition, such as ``aws`` or ``aws-cn``."""
    found: IAMBackend = iam_backends[account][partition]
    return found


def caller(access_key: str, account: str) -> Principal | InvalidKey | None:
    """Return who has an access key, or why the key does not count.

    None is the account's administrator, who may do everything.
    """
    if access_key == ACCESS_KEY:
        return None
    for sts in [*sts_backends[account].values()]:  # of each partition
        if found := session_keys(sts).get(access_key):
            return _user_session(found, account)
        for session in sts.assumed_roles:
            if session.access_key_id == access_key:
                return role_session(session, account) if session.expiration > utcnow() else InvalidKey.EXPIRED
    for iam in [*iam_backends[account].values()]:
        for user in iam.users.values():
            for key in user.access_keys:
                if key.access_key_id == access_key and key.status == "Active":
                    return _user(iam, user)
    return InvalidKey.UNKNOWN


def session_keys(sts: STSBackend) -> dict[str, SessionKey]:
    """Return the keys that GetSessionToken has issued in a partition; moto's reset removes them."""
    found: dict[str, SessionKey] = sts.__dict__.setdefault("session_keys", {})
    return found


def _user_session(key: SessionKey, account: str) -> Principal | InvalidKey | None:
    """Return the user whose key asked for a session, with the limits of sessions."""
    if key.expiration <= utcnow():
        return InvalidKey.EXPIRED
    user = caller(key.user_key, account)
    return replace(user, session_policies=(_SESSION_LIMITS,)) if isinstance(user, Principal) else user


def role_session(session: AssumedRole, account: str) -> Principal:
    """Return a session of a role, with the limits that it was given."""
    limits = (PolicyDocument.read(session.policy),) if session.policy else ()
    found = principal_of_role(session.role_arn, session.session_name, account)
    tags = {**found.tags, **session.__dict__.get("session_tags", {})}  # see `patches.sts`
    return replace(found, arn=session.arn, session_policies=limits, tags=tags)


def principal_of_role(role_arn: str, session: str, account: str) -> Principal:
    """Return a session of a role; the role may be deleted meanwhile, and then has no policies."""
    partition = role_arn.split(":")[1]
    iam = backend(account, partition)
    policies: tuple[PolicyDocument, ...] = ()
    boundary, role_id, tags = None, "", {}
    try:
        role = iam.get_role_by_arn(role_arn)
    except NotFoundException:
        pass
    else:
        policies = tuple(_policies(role))
        boundary = _managed(iam, role.permissions_boundary_arn)
        role_id = role.id
        tags = {each["Key"]: each["Value"] for each in role.tags}
    return Principal(
        PrincipalKind.ROLE,
        f"arn:{partition}:sts::{account}:assumed-role/{role_arn.rpartition('/')[2]}/{session}",
        account,
        role_arn=role_arn,
        policies=policies,
        boundary=boundary,
        user_id=f"{role_id}:{session}",
        tags=tags,
    )


def credentials(role_arn: str, session_name: str, region: str, account: str) -> dict[str, str]:
    """Return the environment variables of a new session of a role, as a service gives them to what it runs."""
    session = sts_backends[account][get_partition(region)].assume_role(region, session_name, role_arn, "", 3600, "")
    return {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
    }


def _user(iam: IAMBackend, user: Any) -> Principal:
    groups = [group for group in iam.groups.values() if user in group.users]
    policies = [policy for owner in (user, *groups) for policy in _policies(owner)]
    boundary = _managed(iam, getattr(user, "permissions_boundary_arn", None))
    return Principal(
        PrincipalKind.USER,
        user.arn,
        user.account_id,
        policies=tuple(policies),
        boundary=boundary,
        user_id=user.id,
        tags={each["Key"]: each["Value"] for each in iam.tagger.list_tags_for_resource(user.arn)["Tags"]},
    )


def _policies(owner: Any) -> Iterator[PolicyDocument]:
    """Yield the inline and the attached policies of a user, a group or a role."""
    for text in owner.policies.values():
        yield PolicyDocument.read(unquote(text) if text.startswith("%7B") else text)
    for policy in owner.managed_policies.values():
        yield _document(policy)


def _managed(iam: IAMBackend, arn: str | None) -> PolicyDocument | None:
    return _document(iam.managed_policies[arn]) if arn in iam.managed_policies else None


def _document(policy: Any) -> PolicyDocument:
    [version] = [each for each in policy.versions if each.version_id == policy.default_version_id]
    return PolicyDocument.read(version.document)
