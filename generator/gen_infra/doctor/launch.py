"""The doctor on what instances are launched into: placement groups and capacity reservations, which exist already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.errors import error_code
from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.aws.session import Clients, Json
    from gen_infra.doctor.diagnosis import Diagnosis


@check("placement groups", "ec2")
def placement_groups(clients: Clients, names: Iterable[str]) -> Iterator[Diagnosis]:
    """Check whether the placement groups exist, and keep instances close together.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-strategies.html
    """
    for name in names:
        found = clients.ec2.describe_placement_groups(Filters=[{"Name": "group-name", "Values": [name]}])
        create = f"aws ec2 create-placement-group --group-name {name} --strategy cluster --region {clients.region}"
        if not found["PlacementGroups"]:
            yield wrong("placement groups", f"{name} does not exist in {clients.region}", create)
            continue
        group = found["PlacementGroups"][0]
        if (state := group.get("State", "available")) != "available":
            yield wrong("placement groups", f"{name} is {state}", "wait, or name another one under placement_group")
        elif (strategy := group.get("Strategy", "")) != "cluster":
            message = f"{name} has the strategy {strategy}, which does not keep instances close together"
            yield warning("placement groups", message, "name a group with the strategy cluster under placement_group")
        else:
            yield ok("placement groups", name)


@check("capacity reservations", "ec2")
def capacity_reservation(clients: Clients, name: str, instance_types: Iterable[str]) -> Iterator[Diagnosis]:
    """Check whether a reservation is active, and for an instance type that the compute environment may use.

    Args:
        clients: of the reservation's region.
        name: its id, or the ARN of a resource group of reservations.
        instance_types: of the compute environment.
    """
    if name.startswith("arn:"):
        yield _group(clients, name)
        return
    try:
        [found] = clients.ec2.describe_capacity_reservations(CapacityReservationIds=[name])["CapacityReservations"]
    except clients.ec2.exceptions.ClientError as error:
        if error_code(error) != "InvalidCapacityReservationId.NotFound":
            raise
        advice = f"correct capacity_reservation; aws ec2 describe-capacity-reservations --region {clients.region}"
        yield wrong("capacity reservations", f"{name} does not exist in {clients.region}", advice)
        return
    yield _reservation(name, found, set(instance_types))


def _reservation(name: str, found: Json, instance_types: set[str]) -> Diagnosis:
    instance_type, total, free = (
        found["InstanceType"],
        found.get("TotalInstanceCount", 0),
        found.get("AvailableInstanceCount", 0),
    )
    if (state := found.get("State", "")) != "active":
        message = f"{name} is {state}: no instance starts in it"
        return wrong("capacity reservations", message, "name an active one under capacity_reservation")
    if instance_type not in instance_types:
        message = f"{name} is for {instance_type}, which its compute environment does not use"
        return wrong("capacity reservations", message, f"add {instance_type} to instance_types, or name another one")
    if not free:
        message = f"{name} has no free instance of its {total} {instance_type}"
        return warning("capacity reservations", message, "jobs wait until one is free")
    return ok("capacity reservations", f"{name}: {free} of {total} {instance_type} are free")


def _group(clients: Clients, arn: str) -> Diagnosis:
    try:
        found = clients.groups.list_group_resources(Group=arn)["ResourceIdentifiers"]
    except clients.groups.exceptions.NotFoundException:
        return wrong("capacity reservations", f"{arn} does not exist", "correct capacity_reservation")
    reservations = [each for each in found if each.get("ResourceType") == "AWS::EC2::CapacityReservation"]
    if not reservations:
        advice = f"aws resource-groups group-resources --group {arn} --resource-arns ARN"
        return wrong("capacity reservations", f"{arn} has no capacity reservation", advice)
    return ok("capacity reservations", f"{arn} has {len(reservations)}")
