"""IAM: the names of service-linked roles."""

from __future__ import annotations

from moto.iam import models

from gen_infra.emulator.patches.moto_patch import MotoPatch, moto_patch

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html, each service's page
ROLE_NAMES = {"batch": "Batch", "ecs": "ECS", "spot": "EC2Spot", "spotfleet": "EC2SpotFleet"}


@moto_patch(
    moto="5.2.5 names the role of batch.amazonaws.com AWSServiceRoleForbatch",
    aws="uses AWSServiceRoleForBatch, and likewise ECS, EC2Spot and EC2SpotFleet",
)
def service_linked_role_names() -> None:
    """Add the names to moto's table."""
    models.SERVICE_NAME_CONVERSION.update(ROLE_NAMES)


PATCHES: tuple[MotoPatch, ...] = (service_linked_role_names,)
