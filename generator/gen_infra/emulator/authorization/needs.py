"""What a call needs: each of its actions on each of its resources, the roles that it passes, the keys that it uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.utilities.utils import get_partition

from gen_infra.emulator.authorization.actions import actions
from gen_infra.emulator.authorization.callers import backend
from gen_infra.emulator.authorization.context import context
from gen_infra.emulator.authorization.keys import direct_context, key_id, key_uses, with_key
from gen_infra.emulator.authorization.linked_roles import linked_role_name, missing_linked_role
from gen_infra.emulator.authorization.passed_roles import PassedRole, passed_roles
from gen_infra.emulator.authorization.resource_context import resource_context
from gen_infra.emulator.authorization.resources import Asked, Lookup, resources
from gen_infra.iam import Request
from gen_infra.iam.reference import Location, arn, is_action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.emulator.operations import Operation
    from gen_infra.iam import Principal


class Needed(NamedTuple):
    """One thing that a call needs.

    Args:
        request: what the policies are evaluated for.
        is_known: whether the call's resource is known; otherwise it is ``*``.
    """

    request: Request
    is_known: bool = True


@dataclass(frozen=True)
class _Call:
    """A call of AWS; `needed` has the members."""

    operation: Operation
    given: Mapping[str, Any]
    principal: Principal
    place: Location

    @property
    def names(self) -> list[str]:
        """Return its IAM actions, its own first; none if it needs no permission."""
        return actions(self.operation.service, self.operation.action, self.given)

    def needs(self, action: str, resource: str, more: Mapping[str, tuple[str, ...]]) -> Request:
        """Return one thing that it needs, with the condition keys of every call."""
        common = context(action, self.given, self.principal, self.place.region)
        return Request(action, resource, ACCOUNT_ID, {**common, **more})


def needed(operation: Operation, given: Mapping[str, Any], principal: Principal) -> Iterator[Needed]:
    """Yield what a call needs, its own action first.

    Args:
        operation: the call.
        given: its nested parameters.
        principal: the caller.
    """
    call = _Call(operation, given, principal, Location(get_partition(operation.region), operation.region, ACCOUNT_ID))
    names = call.names
    for action in names:
        if action == "ec2:CreateTags" and action != names[0]:
            yield from _tags_on_creation(call)
        else:
            yield from _of_action(call, action)
    if names:
        yield from map(Needed, _passed(call, names[0]))
        yield from map(Needed, _created_role(call, names[0]))
        yield from map(Needed, _used_keys(call, names[0]))


def _of_action(call: _Call, action: str) -> Iterator[Needed]:
    lookup = Lookup(partial(_path, call.place.partition), lambda name: key_id(name, call.place), linked_role_name)
    given = with_key(action, call.given)
    found = resources(action, given, call.place, lookup) if is_action(action) else Asked(("*",), is_known=False)
    for resource in found.arns:
        more = resource_context(action, resource, call.given, ACCOUNT_ID)
        if action == "elasticfilesystem:TagResource" and action != call.names[0]:
            more["elasticfilesystem:createaction"] = (call.operation.action,)
        if action.startswith("kms:"):
            more |= direct_context(action, resource, call.given, call.principal.account)
        yield Needed(call.needs(action, resource, more), found.is_known)


def _tags_on_creation(call: _Call) -> Iterator[Needed]:
    """Yield ``ec2:CreateTags`` on each type of resource that a call of EC2 creates with tags."""
    action, place = "ec2:CreateTags", call.place
    for specification in call.given.get("TagSpecifications") or []:
        kind = specification.get("ResourceType", "*")
        owner = "" if kind in ("image", "snapshot") else place.account
        resource = f"arn:{place.partition}:ec2:{place.region}:{owner}:{kind}/*"
        more = resource_context(action, resource, call.given, ACCOUNT_ID)
        yield Needed(call.needs(action, resource, more | {"ec2:createaction": (call.operation.action,)}))


def _passed(call: _Call, action: str) -> Iterator[Request]:
    """Yield ``iam:PassRole`` on each role that the call passes to a service."""
    for role in passed_roles(action, call.given):
        resource = _role_arn(role, call.place)
        more = resource_context("iam:PassRole", resource, {}, ACCOUNT_ID)
        yield call.needs("iam:PassRole", resource, more | {"iam:passedtoservice": (role.service,)})


def _created_role(call: _Call, action: str) -> Iterator[Request]:
    """Yield ``iam:CreateServiceLinkedRole`` if the call creates a service-linked role."""
    if service := missing_linked_role(action, call.given, call.place.partition):
        resource = arn("iam", "role", call.place, f"aws-service-role/{service}/{linked_role_name(service)}")
        yield call.needs("iam:CreateServiceLinkedRole", resource, {"iam:awsservicename": (service,)})


def _used_keys(call: _Call, action: str) -> Iterator[Request]:
    """Yield what is done with the keys that a service uses for the caller."""
    for use in key_uses(action, call.given, call.place):
        for each in use.actions:
            more = resource_context(each, use.key, {}, ACCOUNT_ID) | use.context(each, call.principal.account)
            yield call.needs(each, use.key, more)


def _role_arn(role: PassedRole, place: Location) -> str:
    """Return the ARN of a passed role; a role's or an instance profile's name stands for it."""
    iam = backend(ACCOUNT_ID, place.partition)
    name = role.name.rpartition("/")[2]
    if ":role/" in role.name:
        return role.name
    profiles = [each for each in iam.instance_profiles.values() if each.name == name and each.roles]
    if profiles:
        found: str = profiles[0].roles[0].arn
        return found
    return arn("iam", "role", place, f"{_path(place.partition, 'role', name)}{name}".lstrip("/"))


def _path(partition: str, kind: str, name: str) -> str:
    """Return the path of an IAM resource; ``/`` for one that does not exist."""
    iam = backend(ACCOUNT_ID, partition)
    several: Mapping[str, Iterable[Any]] = {
        "group": iam.groups.values(),
        "instance-profile": iam.instance_profiles.values(),
        "policy": iam.managed_policies.values(),
        "role": iam.roles.values(),
        "user": iam.users.values(),
    }
    return next((each.path for each in several.get(kind, ()) if each.name == name), "/")
