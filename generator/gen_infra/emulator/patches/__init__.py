"""Every place where moto is mended so that a Batch stack finds what it would find at AWS.

Each is a function under ``@difference``, which says what moto does, what AWS does, and the moto version it was written
against. Its probe in ``tests/emulator`` passes against this emulator and fails against moto as it comes, so a newer
moto that no longer needs a patch is noticed. Importing the package loads moto; nothing changes before `apply_all`.
"""

from __future__ import annotations

from gen_infra.emulator.patches import (
    autoscaling,
    cloudtrail,
    codebuild,
    compute_environments,
    core,
    ec2,
    environment_jobs,
    environment_status,
    functions,
    iam,
    images,
    job_definitions,
    job_queues,
    jobs,
    kms,
    quotas,
    s3,
    sqs,
    ssm,
)
from gen_infra.emulator.patches._registry import REGISTRY, Difference

__all__ = ["REGISTRY", "Difference", "apply_all"]

MODULES = (
    core,
    iam,
    kms,
    ec2,
    images,
    s3,
    sqs,
    ssm,
    quotas,
    autoscaling,
    cloudtrail,
    codebuild,
    functions,
    compute_environments,
    environment_status,
    environment_jobs,
    job_queues,
    job_definitions,
    jobs,
)


def apply_all() -> None:
    """Mend every difference, in this process and for good."""
    for each in REGISTRY.values():
        each.mend()
