"""Batch compute environments: how their deletion and updates affect the jobs that run there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.batch.models import BatchBackend
from moto.batch.responses import BatchResponse

from gen_infra.emulator.patches.account import jobs_of
from gen_infra.emulator.patches.compute_environments import (
    SCALING_FIELDS,
    backend_of,
    changed_fields,
    check_deletable,
    is_fargate,
)
from gen_infra.emulator.patches.environment_status import deletion_failed
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch
from gen_infra.emulator.patches.service_role import deletion_problem

if TYPE_CHECKING:
    from moto.batch.models import ComputeEnvironment

# https://docs.aws.amazon.com/batch/latest/APIReference/API_UpdatePolicy.html
DEFAULT_TIMEOUT_MINUTES = 30
_HAS_TASKS = (  # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
    "The Cluster cannot be deleted while Tasks are active. (Service: AmazonECS; Status Code: 400; "
    "Error Code: ClusterContainsTasksException)"
)


@moto_patch(
    moto="5.2.5 deletes a compute environment without any effect on its jobs",
    aws="terminates its instances and the attempts that run there; on Fargate, or where the service role may not delete"
    " what Batch made for it, it becomes INVALID instead",
)
def environment_deletion_ends_jobs() -> None:
    """Terminate the hosts, or mark the compute environment.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_DeleteComputeEnvironment.html
    """

    @around(BatchBackend, "delete_compute_environment")
    def delete(original: Any, backend: BatchBackend, name: str) -> None:
        environment, jobs = backend.get_compute_environment(name), jobs_of(backend)
        with jobs.lock:
            if environment is not None and (reason := _obstacle(backend, environment)):
                check_deletable(backend, environment)
                deletion_failed(environment, reason)
                return
            original(backend, name)
            if environment is not None and environment.env_type == "MANAGED":
                jobs.end_hosts(environment.arn)


def _obstacle(backend: BatchBackend, environment: ComputeEnvironment) -> str:
    """Return AWS's message for what keeps Batch from deleting the compute environment; empty if nothing does."""
    if is_fargate(environment) and jobs_of(backend).placed(environment.arn):
        return _HAS_TASKS
    return deletion_problem(backend, environment)


@moto_patch(
    moto="5.2.5 updates a compute environment without any effect on its jobs",
    aws="replaces its instances in an infrastructure update: at once with terminateJobsOnUpdate, otherwise after"
    " jobExecutionTimeoutMinutes",
)
def infrastructure_update_ends_jobs() -> None:
    """Terminate the hosts as the update policy says.

    Fargate has no infrastructure updates: https://docs.aws.amazon.com/batch/latest/userguide/updating-compute-environments.html
    """

    @around(BatchResponse, "updatecomputeenvironment")
    def update(original: Any, response: BatchResponse) -> str:
        backend = backend_of(response)
        environment = backend.get_compute_environment(response._get_param("computeEnvironment"))
        changed = changed_fields(environment, response._get_param("computeResources") or {}) if environment else set()
        answer: str = original(response)
        if environment is not None:
            deletion_failed(environment, "")
            if changed - SCALING_FIELDS - {"updateToLatestImageVersion"} and not is_fargate(environment):
                policy = getattr(environment, "update_policy", {})
                minutes = policy.get("jobExecutionTimeoutMinutes", DEFAULT_TIMEOUT_MINUTES)
                after = 0 if policy.get("terminateJobsOnUpdate") else minutes * 60
                jobs_of(backend).end_hosts(environment.arn, after=after)
        return answer


PATCHES: tuple[MotoPatch, ...] = (
    environment_deletion_ends_jobs,
    infrastructure_update_ends_jobs,
)
