"""Adopts what an interrupted run left: a plan imports it, so that it is not created once more.

A resource in the account is a planned one if its fixed name matches, or if it has the planned tags, of which
``Name`` contains the environment's name, and its other members are the planned ones too: the table is
`gen_infra.aws.kinds`. What belongs to another resource, such as a route, is recognized when the id of that resource is
known: in a plan that imports it. The pipeline therefore finds and plans until nothing more is found.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.inventory import AwsResource, listed_if_possible
from gen_infra.aws.kinds import KINDS, Objects
from gen_infra.aws.leftovers import own_names
from gen_infra.aws.owners import named_definitions, require_free_names
from gen_infra.terraform.source import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.aws.session import Clients
    from gen_infra.manifest import Manifest
    from gen_infra.terraform.plan import PlanContent, ResourceChange

_GENERATED = r"[0-9a-f]{26}"  # what terraform appends to a name_prefix
_NAMES = ("name", "function_name")


@dataclass(frozen=True, slots=True)
class Found:
    """What exists of the resources that a plan creates.

    Attributes:
        imports: address to what ``terraform import`` takes.
        resources: the resources of ``imports``.
        ambiguous: resources of which several could be the planned one; none of them is imported.
    """

    imports: Mapping[str, str]
    resources: tuple[AwsResource, ...]
    ambiguous: tuple[AwsResource, ...]


def find(content: PlanContent, clients: Clients, manifest: Manifest) -> Found:
    """Find what exists of the resources that a plan creates; what the caller may not list is not found.

    Raises:
        UsageError: another environment has a resource with a name that the plan creates.
    """
    created = [each for each in content.managed_changes if each.actions == ("create",)]
    types = {each.type for each in created}
    wanted = {type_: listing for type_ in types if type_ in KINDS and (listing := KINDS[type_].adoption_listing)}
    known = {(each.kind, text) for each in content.prior_resources for text in texts(each.values)}
    existing: dict[str, list[AwsResource]] = defaultdict(list)
    for resource in listed_if_possible(clients, wanted.items()) if created else ():
        if (resource.type, resource.id or resource.name) not in known:
            existing[resource.type].append(resource)

    planned = {_planned_name(each) for each in created}
    same = [one for each in existing.values() for one in each if (one.type, _last(one.name)) in planned]
    definitions = [name for type_, name in planned if type_ == "aws_batch_job_definition"]
    taken_over = _taken_over(created, manifest)
    require_free_names(clients, [*same, *named_definitions(clients, definitions), *taken_over], manifest.name)
    ours = own_names(manifest.name, manifest.resource_keys, manifest.repositories)
    matches = {each.address: [one for one in existing[each.type] if _is(one, each, ours)] for each in created}
    uses: dict[tuple[str, str], int] = defaultdict(int)
    for found in matches.values():
        for one in found:
            uses[one.type, one.id or one.name] += 1
    imports: dict[str, str] = {}
    resources: list[AwsResource] = []
    ambiguous: list[AwsResource] = []
    for address, found in matches.items():
        if len(found) == 1 and uses[found[0].type, found[0].id or found[0].name] == 1:
            imports[address] = _import_id(found[0], manifest)
            resources += found
        else:
            ambiguous += [one for one in found if one not in ambiguous]
    return Found(imports, tuple(resources), tuple(ambiguous))


def _taken_over(created: Iterable[ResourceChange], manifest: Manifest) -> Iterator[AwsResource]:
    """Yield, by their ARNs, the planned resources that AWS overwrites silently where one has the name already.

    A dashboard and a budget need no look: their names have no part but the environment's.
    """
    forms = {
        "aws_cloudwatch_event_rule": ("events", "rule/{}"),
        "aws_cloudwatch_metric_alarm": ("cloudwatch", "alarm:{}"),
        "aws_sns_topic": ("sns", "{}"),
    }
    for change in created:
        if (form := forms.get(change.type)) and isinstance(
            name := change.planned.get("name") or change.planned.get("alarm_name"), str
        ):
            service, resource = form[0], form[1].format(name)
            arn = f"arn:{manifest.partition}:{service}:{manifest.region}:{manifest.account}:{resource}"
            yield AwsResource(KINDS[change.type].label, arn, change.type)


def _planned_name(change: ResourceChange) -> tuple[str, str]:
    """Return the type and the fixed name that AWS would give to what is created; no name without one."""
    names = [name for key in _NAMES if isinstance(name := change.planned.get(key), str)]
    return change.type, next(iter(names), "")


def _is(resource: AwsResource, planned: ResourceChange, ours: re.Pattern[str]) -> bool:
    """Return whether a resource in the account is the one that is planned; ``ours`` matches the environment's names."""
    values = planned.planned
    kind = KINDS[planned.type]
    if kind.adoption == "name":
        return ours.fullmatch(_last(resource.name)) is not None and any(
            values.get(name) in {resource.name, _last(resource.name)} for name in _NAMES
        )
    listing = kind.adoption_listing
    same = listing.names.same if listing and isinstance(listing.names, Objects) else ()
    prefix = values.get("name_prefix")
    return (
        (kind.adoption != "tags" or _bears_tags(resource, values))
        and (not isinstance(prefix, str) or re.fullmatch(re.escape(prefix) + _GENERATED, resource.name) is not None)
        and all(_equal(values.get(each.attribute), resource.member(each.member), each.may_lack) for each in same)
    )


def _bears_tags(resource: AwsResource, values: Mapping[str, Any]) -> bool:
    planned = values.get("tags_all")
    if planned is UNKNOWN:  # where neither the provider nor the resource has tags
        planned = values.get("tags")
    return planned is None or (isinstance(planned, dict) and planned.items() <= resource.tags.items())


def _equal(planned: Any, found: Any, may_lack: bool) -> bool:
    """Compare a planned attribute, which may be unset, with a member."""
    if planned is UNKNOWN:
        return False
    return planned is None or planned == found or (may_lack and found is None)


def _last(name: str) -> str:
    """Return the name in an ARN or a URL."""
    return re.split("[/:]", name)[-1] if name.startswith(("arn:", "http")) else name


def _import_id(resource: AwsResource, manifest: Manifest) -> str:
    if resource.id:
        return resource.id
    import_id = KINDS[resource.type].import_id
    if resource.name != _last(resource.name) or not isinstance(import_id, str):
        return resource.name
    return import_id.format(
        name=resource.name,
        partition=manifest.partition,
        domain=manifest.dns_suffix,
        region=manifest.region,
        account=manifest.account,
    )


@aws_errors()
def revoke_default_egress(clients: Clients, content: PlanContent) -> None:
    """Revoke the rule that lets every new security group's members reach everything, of the groups that are adopted.

    Terraform does that right after it creates a group, and does not look for the rule later.
    """
    groups = [each.import_id for each in content.changes if each.import_id and each.type == "aws_security_group"]
    if not groups:
        return
    filters: Any = [{"Name": "group-id", "Values": groups}]
    pages = clients.ec2.get_paginator("describe_security_group_rules").paginate(Filters=filters)
    for rule in (rule for page in pages for rule in page.get("SecurityGroupRules", ())):
        is_default = rule.get("IsEgress") and rule.get("IpProtocol") == "-1"
        if is_default and (rule.get("CidrIpv4") == "0.0.0.0/0" or rule.get("CidrIpv6") == "::/0"):
            clients.ec2.revoke_security_group_egress(
                GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
            )


def texts(value: object) -> Iterator[str]:
    """Yield every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def named(resources: Iterable[AwsResource], at_most: int = 5) -> str:
    """List resources with their ids, such as ``VPC batch-prod (vpc-0123), role batchInstance-prod and 12 more``."""
    found = [f"{each}{f' ({each.id})' if each.id and each.id not in each.name else ''}" for each in resources]
    rest = f" and {len(found) - at_most} more" if len(found) > at_most else ""
    return ", ".join(found[:at_most]) + rest
