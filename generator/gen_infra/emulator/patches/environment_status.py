"""Batch compute environments: VALID or INVALID, by whether all they need exists and Batch may use it.

https://docs.aws.amazon.com/batch/latest/userguide/invalid_compute_environment.html

Batch checks this from time to time. Here it is checked whenever it matters: in DescribeComputeEnvironments, for a job
queue, and for a job.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from moto.batch.exceptions import ClientException
from moto.batch.models import BatchBackend

from gen_infra.emulator.patches.compute_environments import found, is_fargate
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch
from gen_infra.emulator.patches.service_role import environment_problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moto.batch.models import ComputeEnvironment

_HEALTHY = "ComputeEnvironment Healthy"
_NO_CLUSTER = "Clusters can not be blank."  # https://github.com/aws-samples/aws-batch-genomics/issues/9


def status_of(backend: BatchBackend, environment: ComputeEnvironment) -> tuple[str, str]:
    """Return ``status`` and ``statusReason``."""
    problem = getattr(environment, "deletion_failed", "") or _missing(backend, environment)
    return ("INVALID", f"CLIENT_ERROR - {problem}") if problem else ("VALID", _HEALTHY)


def is_valid(backend: BatchBackend, environment: ComputeEnvironment) -> bool:
    """Return whether it accepts jobs and can be used by a job queue."""
    return status_of(backend, environment)[0] == "VALID"


def deletion_failed(environment: ComputeEnvironment, reason: str) -> None:
    """Record why Batch could not delete it; empty when it was updated since."""
    setattr(environment, "deletion_failed", reason)  # noqa: B010 - moto's class does not declare it


def _missing(backend: BatchBackend, environment: ComputeEnvironment) -> str:
    """Return AWS's message for the first missing requirement; empty if nothing is missing."""
    if refused := environment_problem(backend, environment):
        return refused
    cluster = backend.ecs_backend.clusters.get(environment.ecs_name or "")
    if environment.ecs_name and (cluster is None or cluster.status != "ACTIVE"):
        return _NO_CLUSTER
    resources = environment.compute_resources or {}
    if not resources or is_fargate(environment):
        return ""
    profile = resources["instanceRole"]
    if all(profile not in (each.arn, each.name) for each in [*backend.iam_backend.instance_profiles.values()]):
        return f"Invalid IamInstanceProfile: {profile}"
    return _missing_template(backend, resources.get("launchTemplate") or {})


def _missing_template(backend: BatchBackend, template: dict[str, str]) -> str:
    """Return EC2's message for a launch template that does not exist."""
    ec2 = backend.ec2_backend
    template_id, name = template.get("launchTemplateId"), template.get("launchTemplateName")
    if template_id and template_id not in ec2.launch_templates:
        return f"The specified launch template, with template ID {template_id}, does not exist."
    if name and name not in ec2.launch_template_name_to_ids:
        return f"The specified launch template, with template name {name}, does not exist."
    return ""


@moto_patch(
    moto="5.2.5 refuses a compute environment whose service role or instance profile does not exist, and shows every"
    " other one as VALID",
    aws="accepts it, and shows it as INVALID while its service role, instance profile, launch template or ECS"
    " cluster is missing, or the service role does not trust Batch or lacks a permission",
)
def environment_status() -> None:
    """Create it anyway, and compute its status when it is described."""

    @around(BatchBackend, "create_compute_environment")
    def create(original: Any, backend: BatchBackend, *args: Any, **kwargs: Any) -> Any:
        profile = (kwargs.get("compute_resources") or {}).get("instanceRole", "")
        if ":role/" in profile:
            raise ClientException("The ECS Instance Role should be an ECS Instance Profile ARN.")
        return original(_Permissive(backend, profile), *args, **kwargs)

    @around(BatchBackend, "describe_compute_environments")
    def describe(original: Any, backend: BatchBackend, *args: Any) -> list[dict[str, Any]]:
        described: list[dict[str, Any]] = original(backend, *args)
        for each in described:
            environment = found(backend, each["computeEnvironmentArn"])
            each["status"], each["statusReason"] = status_of(backend, environment)
        return described


class _Permissive:
    """moto's Batch backend for CreateComputeEnvironment, in which every role and instance profile exists."""

    def __init__(self, backend: BatchBackend, profile: str) -> None:
        self._backend: Any = backend
        self.iam_backend = _PermissiveIam(backend.iam_backend, profile)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def _validate_compute_resources(self, resources: dict[str, Any]) -> None:
        type(self._backend)._validate_compute_resources(self, resources)


class _PermissiveIam:
    def __init__(self, backend: Any, profile: str) -> None:
        self._backend = backend
        self._profile = SimpleNamespace(arn=profile, name=profile)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def get_role_by_arn(self, arn: str) -> None:
        """Accept every role; the caller ignores the result."""

    def get_instance_profiles(self) -> Iterable[SimpleNamespace]:
        return (self._profile,)


@moto_patch(
    moto="5.2.5 accepts any compute environment for a job queue",
    aws="accepts only VALID ones",
)
def queues_of_valid_environments() -> None:
    """Check every compute environment of a new order.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html, computeEnvironmentOrder.
    """
    for operation in ("create_job_queue", "update_job_queue"):

        @around(BatchBackend, operation)
        def change(original: Any, backend: BatchBackend, **kwargs: Any) -> Any:
            for each in kwargs.get("compute_env_order") or []:
                environment = backend.get_compute_environment(each["computeEnvironment"])
                if environment is not None and not is_valid(backend, environment):
                    raise ClientException(
                        f"Compute environment {environment.arn} is INVALID: compute environments must be in the VALID "
                        "state before you can associate them with a job queue"
                    )
            return original(backend, **kwargs)


PATCHES: tuple[MotoPatch, ...] = (
    environment_status,
    queues_of_valid_environments,
)
