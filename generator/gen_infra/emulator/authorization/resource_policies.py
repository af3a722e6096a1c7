"""Find the policy of a resource: of a bucket, a key, a queue, a topic, a repository, a function, a secret or a role.

The grants of a key count as statements of its policy, and the resource policies of CloudWatch Logs as those of each log
group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from gen_infra.emulator.authorization.callers import backend
from gen_infra.iam import InvalidPolicyError, PolicyDocument
from gen_infra.iam.grants import grants_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def resource_policy(arn: str) -> PolicyDocument | None:
    """Return the policy of a resource; None if it has none, or its type cannot have one."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in _READERS:
        return None
    _, partition, service, region, account, name = parts
    try:
        found = _READERS[service](account, partition if service == "iam" else region, name)
        if isinstance(found, PolicyDocument):
            return found
        return PolicyDocument.read(found.decode() if isinstance(found, bytes) else found) if found else None
    except (KeyError, HTTPException, ServiceException, InvalidPolicyError):  # it does not exist, or has no valid policy
        return None


def _bucket(_account: str, _region: str, name: str) -> str | bytes | None:
    from moto.s3.models import s3_backends

    bucket_name = name.partition("/")[0]
    everywhere = (partition.buckets for backends in s3_backends.values() for partition in backends.values())
    for buckets in everywhere:
        if bucket_name in buckets:
            policy: bytes | None = buckets[bucket_name].policy
            return policy
    return None


def _key(account: str, region: str, name: str) -> PolicyDocument:
    from moto.kms.models import kms_backends

    key = kms_backends[account][region].keys[name.removeprefix("key/")]
    policy = PolicyDocument.read(key.policy)
    if not key.grants:
        return policy
    grants = [(each.grantee_principal, each.operations, each.constraints or {}) for each in [*key.grants.values()]]
    return PolicyDocument((*policy.statements, *grants_policy(grants).statements))


def _log_group(account: str, region: str, _name: str) -> PolicyDocument:
    from moto.logs.models import logs_backends

    policies = [*logs_backends[account][region].resource_policies.values()]
    documents = [PolicyDocument.read(each.policy_document) for each in policies]
    return PolicyDocument(tuple(statement for each in documents for statement in each.statements))


def _queue(account: str, region: str, name: str) -> str | bytes | None:
    from moto.sqs.models import sqs_backends

    policy: str | None = sqs_backends[account][region].queues[name].policy
    return policy


def _topic(account: str, region: str, name: str) -> str | bytes | None:
    from moto.sns.models import sns_backends

    policy: str = (
        sns_backends[account][region].topics[f"arn:{get_partition(region)}:sns:{region}:{account}:{name}"].policy
    )
    return policy


def _repository(account: str, region: str, name: str) -> str | bytes | None:
    from moto.ecr.models import ecr_backends

    policy: str | None = ecr_backends[account][region].repositories[name.removeprefix("repository/")].policy
    return policy


def _function(account: str, region: str, name: str) -> PolicyDocument:
    from moto.awslambda_simple.models import lambda_simple_backends

    function = lambda_simple_backends[account][region].get_function(name.removeprefix("function:"))
    statements = [
        each | {"Principal": {"AWS": each["Principal"]}}
        if str(each.get("Principal")).startswith("arn:")  # moto keeps a user's or a role's ARN as it was given
        else each
        for each in function.policy.statements
    ]
    return PolicyDocument.read({"Version": "2012-10-17", "Statement": statements})


def _secret(account: str, region: str, name: str) -> str | bytes | None:
    from moto.secretsmanager.models import FakeSecret, secretsmanager_backends

    secret = secretsmanager_backends[account][region].secrets[name.removeprefix("secret:")]
    return secret.policy if isinstance(secret, FakeSecret) else None


def _role(account: str, partition: str, name: str) -> str | bytes | None:
    kind, _, rest = name.partition("/")
    if kind != "role":
        return None
    policy: str = backend(account, partition).get_role(rest.rpartition("/")[2]).assume_role_policy_document
    return policy


_READERS: Mapping[str, Callable[[str, str, str], Any]] = {
    "ecr": _repository,
    "iam": _role,
    "kms": _key,
    "lambda": _function,
    "logs": _log_group,
    "s3": _bucket,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
