"""Batch job queues and scheduling policies: their limits, settings and deletion."""

from __future__ import annotations

from typing import Any

from moto.batch.exceptions import ClientException
from moto.batch.models import BatchBackend, JobQueue
from moto.batch.responses import BatchResponse

from gen_infra.aws.updates import SCHEDULING_ADDED, SCHEDULING_REMOVED
from gen_infra.emulator.patches.compute_environments import backend_of
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


@moto_patch(
    moto="5.2.5 accepts EC2 and Fargate compute environments in one job queue",
    aws="refuses that mixture",
)
def queue_mixtures() -> None:
    """Check the compute environments before a job queue is created or updated."""

    @around(BatchBackend, "create_job_queue")
    def create(original: Any, backend: BatchBackend, **kwargs: Any) -> Any:
        _check(backend, kwargs.get("compute_env_order"))
        kwargs["state"] = kwargs.get("state") or "ENABLED"
        return original(backend, **kwargs)

    @around(BatchBackend, "update_job_queue")
    def update(original: Any, backend: BatchBackend, **kwargs: Any) -> Any:
        _check(backend, kwargs.get("compute_env_order"))
        return original(backend, **kwargs)


def _check(backend: BatchBackend, order: list[dict[str, Any]] | None) -> None:
    if order is None:
        return
    environments = [backend.get_compute_environment(each["computeEnvironment"]) for each in order]
    kinds = {"FARGATE" in (each.compute_resources or {}).get("type", "") for each in environments if each}
    if len(kinds) > 1:
        raise ClientException("A job queue cannot mix Fargate and EC2 compute environments")


@moto_patch(
    moto="5.2.5 drops jobStateTimeLimitActions, and accepts only ARNs in an update of the order",
    aws="stores them, and accepts names and ARNs of compute environments, but describes ARNs",
)
def queue_settings() -> None:
    """Store the actions on the job queue, and resolve names."""

    @around(BatchResponse, "createjobqueue")
    def create(original: Any, response: BatchResponse) -> str:
        answer: str = original(response)
        _keep_actions(response, response._get_param("jobQueueName"))
        return answer

    @around(BatchResponse, "updatejobqueue")
    def update(original: Any, response: BatchResponse) -> str:
        answer: str = original(response)
        _keep_actions(response, response._get_param("jobQueue"))
        return answer

    @around(JobQueue, "describe")
    def describe(original: Any, queue: JobQueue) -> dict[str, Any]:
        described: dict[str, Any] = original(queue)
        if not queue.schedule_policy:
            del described["schedulingPolicyArn"]
        return described | {
            "computeEnvironmentOrder": sorted(
                _by_arn(queue.backend, queue.env_order_json), key=lambda each: each["order"]
            ),
            "jobStateTimeLimitActions": getattr(queue, "time_limit_actions", []),
            "statusReason": "JobQueue Healthy",
        }

    @around(BatchBackend, "update_job_queue")
    def update_by_name(original: Any, backend: BatchBackend, **kwargs: Any) -> Any:
        if order := kwargs.get("compute_env_order"):
            kwargs["compute_env_order"] = _by_arn(backend, order)
        return original(backend, **kwargs)


def _keep_actions(response: BatchResponse, name: str) -> None:
    queue, actions = backend_of(response).get_job_queue(name), response._get_param("jobStateTimeLimitActions")
    if queue is not None and actions is not None:
        setattr(queue, "time_limit_actions", actions)  # noqa: B010 - moto's class does not declare it


def _by_arn(backend: BatchBackend, order: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace names by ARNs; unknown names stay, and moto refuses them."""
    found = [(each, backend.get_compute_environment(each["computeEnvironment"])) for each in order]
    return [each | ({"computeEnvironment": environment.arn} if environment else {}) for each, environment in found]


@moto_patch(
    moto="5.2.5 deletes an enabled job queue, and a scheduling policy that is in use",
    aws="deletes a job queue only when it is DISABLED, and a scheduling policy only when no job queue uses it",
)
def queue_deletion_order() -> None:
    """Refuse to delete either too early."""

    @around(BatchBackend, "delete_job_queue")
    def delete(original: Any, backend: BatchBackend, name: str) -> None:
        queue = backend.get_job_queue(name)
        if queue is not None and queue.state != "DISABLED":
            raise ClientException("Cannot delete, resource is not DISABLED")
        original(backend, name)

    @around(BatchBackend, "delete_scheduling_policy")
    def delete_policy(original: Any, backend: BatchBackend, arn: str) -> None:
        if any(queue.schedule_policy == arn for queue in backend._job_queues.values()):
            raise ClientException("Cannot delete, found existing JobQueue relationship")
        original(backend, arn)


@moto_patch(
    moto="5.2.5 adds a scheduling policy to a FIFO queue, ignores an empty one, and accepts one that does not exist",
    aws="neither adds nor removes a scheduling policy, and replaces one by another, which exists",
)
def queue_scheduling() -> None:
    """Refuse what an update can never do, and a scheduling policy that does not exist."""

    @around(BatchBackend, "create_job_queue")
    def create(original: Any, backend: BatchBackend, **kwargs: Any) -> Any:
        _check_policy(backend, kwargs.get("schedule_policy"))
        return original(backend, **kwargs)

    @around(BatchBackend, "update_job_queue")
    def update(original: Any, backend: BatchBackend, **kwargs: Any) -> Any:
        queue, wanted = backend.get_job_queue(kwargs["queue_name"]), kwargs.get("schedule_policy")
        if queue is not None and wanted is not None:
            for refusal in (SCHEDULING_ADDED, SCHEDULING_REMOVED):
                if refusal.refuses(queue.schedule_policy, wanted):
                    raise ClientException(refusal.message)
        _check_policy(backend, wanted)
        return original(backend, **kwargs)


@moto_patch(
    moto="5.2.5 fails with KeyError where a scheduling policy to update does not exist",
    aws="answers ClientException",
)
def absent_scheduling_policies() -> None:
    """Look up the policy before the call."""

    @around(BatchBackend, "update_scheduling_policy")
    def update(original: Any, backend: BatchBackend, arn: str, fairshare_policy: dict[str, Any]) -> None:
        _check_policy(backend, arn)
        original(backend, arn, fairshare_policy)


def _check_policy(backend: BatchBackend, arn: str | None) -> None:
    if arn and arn not in backend._scheduling_policies:
        raise ClientException(f"Scheduling policy {arn} does not exist")


PATCHES: tuple[MotoPatch, ...] = (
    queue_mixtures,
    absent_scheduling_policies,
    queue_scheduling,
    queue_settings,
    queue_deletion_order,
)
