"""Patches for moto: everything in which it differs from AWS and that a Batch stack depends on.

Each is a function under ``@moto_patch``, which says what moto does, what AWS does, and the moto version that it was
written against. Its probe in ``tests/emulator/probes`` passes against this emulator and fails against an unpatched
moto, so the tests report a patch that a newer moto no longer needs. Importing the package loads moto; nothing changes
before `apply_all`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.emulator.patches import (
    alarms,
    autoscaling,
    budgets,
    builds,
    cloudtrail,
    codebuild,
    compute_environments,
    core,
    deliveries,
    ec2,
    ecr,
    ecs,
    environment_jobs,
    environment_status,
    events,
    execution_logs,
    executions,
    file_systems,
    flow_logs,
    functions,
    iam,
    images,
    job_definitions,
    job_queues,
    jobs,
    kms,
    logs,
    quotas,
    requests,
    s3,
    schedules,
    sqs,
    ssm,
    stacks,
    state_machine_roles,
    state_machines,
    sts,
)

if TYPE_CHECKING:
    from gen_infra.emulator.patches.moto_patch import MotoPatch

PATCHES: tuple[MotoPatch, ...] = (
    *core.PATCHES,
    *requests.PATCHES,
    *iam.PATCHES,
    *sts.PATCHES,
    *kms.PATCHES,
    *logs.PATCHES,
    *ec2.PATCHES,
    *ecr.PATCHES,
    *ecs.PATCHES,
    *images.PATCHES,
    *s3.PATCHES,
    *sqs.PATCHES,
    *ssm.PATCHES,
    *stacks.PATCHES,
    *quotas.PATCHES,
    *autoscaling.PATCHES,
    *cloudtrail.PATCHES,
    *codebuild.PATCHES,
    *builds.PATCHES,
    *deliveries.PATCHES,
    *budgets.PATCHES,
    *events.PATCHES,
    *alarms.PATCHES,
    *schedules.PATCHES,
    *file_systems.PATCHES,
    *flow_logs.PATCHES,
    *functions.PATCHES,
    *compute_environments.PATCHES,
    *environment_status.PATCHES,
    *environment_jobs.PATCHES,
    *job_queues.PATCHES,
    *job_definitions.PATCHES,
    *jobs.PATCHES,
    *state_machine_roles.PATCHES,
    *state_machines.PATCHES,
    *executions.PATCHES,
    *execution_logs.PATCHES,
)


def apply_all() -> None:
    """Patch moto in this process; there is no way back."""
    for each in PATCHES:
        each.patch()
