"""Patches for moto: everything in which it differs from AWS and that a Batch stack depends on.

Each is a function under ``@moto_patch``, which says what moto does, what AWS does, and the moto version that it was
written against. Its probe in ``tests/emulator/probes`` passes against this emulator and fails against an unpatched
moto, so the tests report a patch that a newer moto no longer needs. Importing the package loads moto; nothing changes
before `apply_all`.
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
from gen_infra.emulator.patches._registry import REGISTRY, MotoPatch

__all__ = ["REGISTRY", "MotoPatch", "apply_all"]

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
    """Patch moto in this process; there is no way back."""
    for each in REGISTRY.values():
        each.patch()
