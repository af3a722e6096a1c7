"""The doctor on roles and policies that gen-infra does not make: service-linked ones, and those given by ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis

# https://docs.aws.amazon.com/batch/latest/userguide/using-service-linked-roles.html
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html
SERVICE_LINKED_ROLES = {
    "batch": "AWSServiceRoleForBatch",
    "autoscaling": "AWSServiceRoleForAutoScaling",
    "spot": "AWSServiceRoleForEC2Spot",
    "spotfleet": "AWSServiceRoleForEC2SpotFleet",
}


@check("service-linked roles", "iam")
def service_linked_roles(clients: Clients, services: Iterable[str]) -> Iterator[Diagnosis]:
    """Check whether the roles exist that AWS's own services act with.

    ``services`` are keys of ``SERVICE_LINKED_ROLES``.
    """
    for service in services:
        name = SERVICE_LINKED_ROLES[service]
        if _role_exists(clients, name):
            yield ok("service-linked roles", name)
        else:
            advice = f"aws iam create-service-linked-role --aws-service-name {service}.amazonaws.com"
            yield warning("service-linked roles", f"{name} does not exist yet; AWS creates it at its first use", advice)


@check("roles", "iam")
def roles(clients: Clients, account: str, arns: Iterable[str]) -> Iterator[Diagnosis]:
    """Check whether the roles exist that the manifest names by ARN."""
    for arn in arns:
        # Batch accepts a bare name, too.
        owner, name = arn.split(":")[4] if arn.count(":") >= 5 else account, arn.rpartition("/")[2]
        if owner != account:
            advice = "name a role of the manifest's account"
            yield wrong("roles", f"{arn} belongs to account {owner}, not to {account}", advice)
        elif not _role_exists(clients, name):
            yield wrong("roles", f"{arn} does not exist", "correct the ARN, or create the role")
        else:
            yield ok("roles", arn)


@check("permissions boundary", "iam")
def permissions_boundary(clients: Clients, arn: str) -> Iterator[Diagnosis]:
    """Check whether the policy exists that bounds every role."""
    try:
        clients.iam.get_policy(PolicyArn=arn)
    except clients.iam.exceptions.NoSuchEntityException:
        advice = "correct `iam.permissions_boundary`, or create the policy"
        yield wrong("permissions boundary", f"{arn} does not exist", advice)
    else:
        yield ok("permissions boundary", arn)


@check("instance profile", "iam")
def instance_profile(clients: Clients, arn: str) -> Iterator[Diagnosis]:
    """Check whether the instances' profile exists, and holds a role."""
    try:
        found = clients.iam.get_instance_profile(InstanceProfileName=arn.rpartition("/")[2])["InstanceProfile"]
    except clients.iam.exceptions.NoSuchEntityException:
        advice = "correct `iam.instance_profile`, or create the profile"
        yield wrong("instance profile", f"{arn} does not exist", advice)
        return
    if found.get("Roles"):
        yield ok("instance profile", arn)
    else:
        yield wrong("instance profile", f"{arn} has no role", "add the instances' role to it")


def _role_exists(clients: Clients, name: str) -> bool:
    try:
        clients.iam.get_role(RoleName=name)
    except clients.iam.exceptions.NoSuchEntityException:
        return False
    return True
