"""Authorize what AWS services do by themselves: under their own name, or with a role that trusts them.

A service names the resource that it acts for in ``aws:SourceArn`` and ``aws:SourceAccount``, by which policies tell one
rule, schedule or build from another.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.iam.exceptions import NotFoundException
from moto.utilities.utils import get_partition

from gen_infra.emulator.authorization.callers import backend, principal_of_role
from gen_infra.emulator.authorization.context import context
from gen_infra.emulator.authorization.decide import decide
from gen_infra.emulator.authorization.keys import KeyUse, customer_key, key_uses
from gen_infra.emulator.authorization.resource_context import resource_context
from gen_infra.iam import Principal, PrincipalKind, Request
from gen_infra.iam.reference import Location

_ASSUME = "sts:AssumeRole"


class Actor(NamedTuple):
    """Who acts, and for what.

    Args:
        principal: a service, or a session of a role.
        region: where it acts.
        source: the ARN of the resource that it acts for; empty for a role's session, which no longer knows it.
    """

    principal: Principal
    region: str
    source: str = ""


def service(name: str, region: str, source: str = "") -> Actor:
    """Return a service that acts under its own name, such as ``events.amazonaws.com`` for a rule."""
    return Actor(Principal(PrincipalKind.SERVICE, name, ""), region, source)


def role(arn: str, region: str, trusted: str, *, session: str, source: str = "") -> Actor | None:
    """Return a session of a role that a service assumes; None if the role does not exist, or does not trust it.

    Args:
        arn: the role's ARN, or its name.
        region: where it acts.
        trusted: the service, such as ``ecs-tasks.amazonaws.com``.
        session: the session's name.
        source: the ARN of the resource that the service acts for.
    """
    iam = backend(ACCOUNT_ID, get_partition(region))
    try:
        found = iam.get_role_by_arn(arn) if arn.startswith("arn:") else iam.get_role(arn)
    except NotFoundException:
        return None
    if refusal(service(trusted, region, source), _ASSUME, str(found.arn)):
        return None
    return Actor(principal_of_role(str(found.arn), session, ACCOUNT_ID), region)


def role_of_profile(profile: str, region: str, session: str) -> Actor | None:
    """Return the session of an instance's role; None if its profile has no role, or the role does not trust EC2."""
    for each in [*backend(ACCOUNT_ID, get_partition(region)).instance_profiles.values()]:
        if profile in (each.arn, each.name) and each.roles:
            return role(each.roles[0].arn, region, "ec2.amazonaws.com", session=session)
    return None


def refusal(actor: Actor, action: str, resource: str = "*", more: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Return AWS's message if an actor may not do something; empty if it may.

    Args:
        actor: who acts.
        action: IAM's action.
        resource: an ARN, or ``*``.
        more: condition keys of the act, by their names in lower case.
    """
    values = context(action, {}, actor.principal, actor.region) | resource_context(action, resource, {}, ACCOUNT_ID)
    if actor.principal.kind is PrincipalKind.SERVICE:
        values["aws:sourceaccount"] = (ACCOUNT_ID,)
        if actor.source:
            values["aws:sourcearn"] = (actor.source,)
    decision = decide(Request(action, resource, ACCOUNT_ID, {**values, **(more or {})}), actor.principal)
    return "" if decision.is_allowed else decision.message


def first_refusal(actor: Actor, acts: Iterable[tuple[str, str]]) -> str:
    """Return AWS's message for the first of several actions and resources that is refused; empty if none is."""
    return next(filter(None, (refusal(actor, action, resource) for action, resource in acts)), "")


def used_keys_refusal(actor: Actor, action: str, parameters: Mapping[str, Any]) -> str:
    """Return AWS's message if an actor may not use the keys of what it reads or writes; empty if it may.

    Args:
        actor: who acts.
        action: IAM's action, such as ``s3:GetObject``.
        parameters: those of its API call, such as ``Bucket`` and ``Key``.
    """
    account = actor.principal.account or ACCOUNT_ID
    said = (
        refusal(actor, each, use.key, use.context(each, account))
        for use in key_uses(action, parameters, Location(get_partition(actor.region), actor.region, ACCOUNT_ID))
        for each in use.actions
    )
    return next(filter(None, said), "")


def key_refusal(
    actor: Actor, key: str | None, actions: Iterable[str], encryption: Mapping[str, str], *, via: str = ""
) -> str:
    """Return AWS's message if an actor may not use a key; empty if it may, or the key is AWS's own.

    Args:
        actor: who uses the key.
        key: its id, ARN or alias; None is no key.
        actions: what is done with it.
        encryption: the encryption context.
        via: the service that calls KMS for the actor, such as ``sns``; empty if the actor calls KMS itself.
    """
    found = customer_key(key, Location(get_partition(actor.region), actor.region, ACCOUNT_ID))
    if not found:
        return ""
    use = KeyUse(found, tuple(actions), f"{via}.{actor.region}.amazonaws.com" if via else "", encryption)
    account = actor.principal.account or ACCOUNT_ID
    said = (refusal(actor, action, found, use.context(action, account)) for action in use.actions)
    return next(filter(None, said), "")
