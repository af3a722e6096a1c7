"""Which resources Terraform imports: those of the manifest's ``existing`` section, by their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.rules.names import repository_label

if TYPE_CHECKING:
    from gen_infra.manifest.model.manifest import Manifest


def import_ids(manifest: Manifest) -> dict[str, str]:
    """Return what ``terraform import`` takes, by address.

    A job definition without a revision is not imported: the next revision is registered under its name.
    """
    existing = manifest.adopted
    batch = f"arn:{manifest.partition}:batch:{manifest.region}:{manifest.account}"
    return {
        **{f"module.compute_{key}.{COMPUTE_ENVIRONMENT}": name for key, name in existing.compute.items()},
        **{f"aws_batch_job_queue.{key}": f"{batch}:job-queue/{name}" for key, name in existing.queues.items()},
        **{
            f"aws_batch_scheduling_policy.{key}": f"{batch}:scheduling-policy/{name}"
            for key, name in existing.scheduling_policies.items()
        },
        **{
            f"aws_batch_job_definition.{key}": f"{batch}:job-definition/{existing.jobs[key]}"
            for key in manifest.kept_jobs
        },
        **{f"aws_ecr_repository.{repository_label(key)}": name for key, name in existing.repositories.items()},
        **{f'aws_cloudwatch_log_group.existing["{name}"]': name for name in existing.log_groups},
        **{f'aws_iam_role.existing["{name}"]': name for name in existing.roles},
        **{f'aws_iam_instance_profile.existing["{name}"]': name for name in existing.instance_profiles},
    }


COMPUTE_ENVIRONMENT = "aws_batch_compute_environment.this"
