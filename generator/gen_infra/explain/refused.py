"""What AWS refuses of a plan, by the table of updates in `gen_infra.aws.updates`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.aws.updates import conflict, refusals
from gen_infra.explain.differences import differences
from gen_infra.explain.rule import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.aws.updates import Refusal
    from gen_infra.terraform.plan import ResourceChange


def refused_replacement(resource: ResourceChange) -> tuple[Effect, ...]:
    """Return why AWS refuses to create the new resource before the old one is deleted."""
    if resource.actions != ("create", "delete") or not resource.before or not resource.after:
        return ()
    found = conflict(resource.type, resource.before, resource.planned)
    if not found:
        return ()
    return (
        Effect(
            f"AWS refuses it ({found.call}: {found.error}): what is created first cannot have the {found.attribute} of "
            "the old one",
            reason=found.source,
        ),
    )


def overlaps(resource: ResourceChange, taken: Mapping[str, Mapping[str, Any]]) -> Iterator[Effect]:
    """Yield why AWS refuses a new subnet whose addresses are those of one that the same plan deletes.

    Terraform deletes a subnet before it creates the one that replaces it, but does not wait for those of other zones.

    Args:
        resource: any resource.
        taken: the subnets that go, by their addresses.
    """
    if resource.type != "aws_subnet" or "create" not in resource.actions:
        return
    new = resource.planned
    for address, old in taken.items():
        is_same_place = old.get("vpc_id") == new.get("vpc_id") and old.get("cidr_block") == new.get("cidr_block")
        if address != resource.address and is_same_place:
            yield Effect(
                f"AWS refuses it (CreateSubnet: InvalidSubnet.Conflict) while {address} has {old['cidr_block']}: keep "
                "the zones in their order, and append new ones",
                reason="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html",
            )


def update_refusals(resource: ResourceChange) -> tuple[Refusal, ...]:
    """Return what AWS would refuse if the resource were updated; not what the provider computes anew by itself."""
    if not resource.before or not resource.after:
        return ()
    computed = {
        each.attribute for each in differences(resource) if each.unknown and not each.forces and "." not in each.path
    }
    found = refusals(resource.type, resource.before, resource.planned)
    return tuple(each for each in found if each.provider == "updates" or each.attribute not in computed)
