"""The doctor on the key: it is enabled, and its policy allows those that need it.

Instances with encrypted volumes are started by Auto Scaling and by Spot with their own roles. A policy that
only delegates to the account's IAM policies is not enough: service-linked roles have no permission for customer keys.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, wrong
from gen_infra.iam.matching import is_action_like, is_like

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis

    Services = Mapping[str, Sequence[str]]

USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey")
PUBLISH = ("kms:Decrypt", "kms:GenerateDataKey")
_LEND = ("kms:CreateGrant",)


@check("key", "kms")
def made_key(clients: Clients, alias: str, roles: Iterable[str], services: Services) -> Iterator[Diagnosis]:
    """Check the key that gen-infra makes: whether it can still make it, or what it made still works.

    Args:
        clients: of the key's region.
        alias: the alias it gets.
        roles: ARNs of the service-linked roles that start instances.
        services: the principals of other services that use the key, with what each has to do with it.
    """
    try:
        found = clients.kms.describe_key(KeyId=alias)["KeyMetadata"]
    except clients.kms.exceptions.NotFoundException:
        yield ok("key", f"apply makes one, {alias}")
        return
    yield from _state(alias, found)
    yield from _policy(clients, found["Arn"], roles, services)


@check("key", "kms")
def given_key(clients: Clients, arn: str, roles: Iterable[str], services: Services) -> Iterator[Diagnosis]:
    """Check a key given by ARN: its region, state, and whether its users may use it; arguments as in `made_key`."""
    if (home := arn.split(":")[3]) != clients.region:
        yield wrong("key", f"{arn} is in {home}, not in {clients.region}", "name a key of the manifest's region")
        return
    try:
        found = clients.kms.describe_key(KeyId=arn)["KeyMetadata"]
    except clients.kms.exceptions.NotFoundException:
        yield wrong("key", f"{arn} does not exist", "correct `encryption.key`, or write `create`")
        return
    yield from _state(arn, found)
    yield from _policy(clients, arn, roles, services)


def _state(name: str, key: Mapping[str, Any]) -> Iterator[Diagnosis]:
    state = key.get("KeyState", "in an unknown state")
    if state == "PendingDeletion":
        advice = f"aws kms cancel-key-deletion --key-id {key['KeyId']}; aws kms enable-key --key-id {key['KeyId']}"
        yield wrong("key", f"{name} is scheduled for deletion", advice)
    elif state != "Enabled":
        yield wrong("key", f"{name} is {state}", f"aws kms enable-key --key-id {key['KeyId']}")
    elif key.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        yield wrong("key", f"{name} is {key['KeySpec']}; EBS takes symmetric keys", "name a symmetric key")
    else:
        yield ok("key", f"{name} is enabled")


def _policy(clients: Clients, arn: str, roles: Iterable[str], services: Services) -> Iterator[Diagnosis]:
    policy = json.loads(clients.kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    pages = clients.kms.get_paginator("list_grants").paginate(KeyId=arn)
    grantees = {grant.get("GranteePrincipal") for page in pages for grant in page.get("Grants", [])}
    for role in roles:
        missing = denied_actions(statements, "AWS", role, (*USE, *_LEND))
        yield _verdict(role.rpartition("/")[2], () if role in grantees else missing)
    for service, actions in services.items():
        yield _verdict(service, denied_actions(statements, "Service", service, actions))


def _verdict(who: str, missing: Sequence[str]) -> Diagnosis:
    if missing:
        advice = "add the statements of modules/encryption/main.tf to the key's policy"
        return wrong("key policy", f"does not allow {who}: {', '.join(missing)}", advice)
    return ok("key policy", f"allows {who} to use the key")


def denied_actions(
    statements: Iterable[Mapping[str, Any]], kind: str, principal: str, actions: Iterable[str]
) -> tuple[str, ...]:
    """Return those of ``actions`` that no Allow statement gives ``principal``.

    Only conditions on who is calling are weighed; what depends on the single request counts as fulfilled. Deny
    statements are not weighed.
    """
    allowed = [
        pattern
        for statement in statements
        if statement["Effect"] == "Allow" and _meant(statement, kind, principal)
        for pattern in _listed(statement.get("Action", []))
    ]
    return tuple(action for action in actions if not any(is_action_like(action, pattern) for pattern in allowed))


def _meant(statement: Mapping[str, Any], kind: str, principal: str) -> bool:
    named = statement.get("Principal", {})
    principals = ["*"] if named == "*" else _listed(named.get(kind, []))
    callers = [
        patterns
        for operator, keys in statement.get("Condition", {}).items()
        for key, patterns in keys.items()
        if key.lower() == "aws:principalarn" and "Not" not in operator
    ]
    return ("*" in principals or principal in principals) and all(
        any(is_like(principal, pattern) for pattern in _listed(patterns)) for patterns in callers
    )


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value
