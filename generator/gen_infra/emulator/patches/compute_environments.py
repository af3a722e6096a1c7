"""Batch compute environments: their settings, the updates that Batch refuses, and their deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.batch.exceptions import ClientException
from moto.batch.models import BatchBackend, ComputeEnvironment, batch_backends
from moto.batch.responses import BatchResponse
from moto.iam.exceptions import NotFoundException
from moto.moto_api._internal import mock_random

from gen_infra.aws.updates import BEST_FIT, CUSTOM_ROLE_TYPE, FARGATE_TYPE, SERVICE_LINKED_ROLE, SERVICE_ROLE
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

if TYPE_CHECKING:
    from collections.abc import Iterable

SERVICE = "batch.amazonaws.com"
# https://docs.aws.amazon.com/batch/latest/userguide/updating-compute-environments.html
SCALING_FIELDS = {"minvCpus", "maxvCpus", "desiredvCpus"}
FARGATE_FIELDS = SCALING_FIELDS | {"securityGroupIds", "subnets"}
_ONLY_FOR = "can be updated only for a compute environment"
UPDATABLE_STRATEGIES = {"BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"}


def backend_of(response: BatchResponse) -> BatchBackend:
    """Return moto's state of the request's account and region."""
    return batch_backends[response.current_account][response.region]


@moto_patch(
    moto="5.2.5 refuses a compute environment without a service role",
    aws="uses AWSServiceRoleForBatch, and creates that role if the account has none",
)
def default_service_role() -> None:
    """Set the service-linked role."""

    @around(BatchBackend, "create_compute_environment")
    def create(original: Any, backend: BatchBackend, *args: Any, service_role: str | None, **kwargs: Any) -> Any:
        return original(backend, *args, service_role=service_role or _service_linked_role(backend), **kwargs)


def _service_linked_role(backend: BatchBackend) -> str:
    try:
        role = backend.iam_backend.get_role(SERVICE_LINKED_ROLE)
    except NotFoundException:
        role = backend.iam_backend.create_service_linked_role(SERVICE, description="", suffix="")
    arn: str = role.arn
    return arn


@moto_patch(
    moto="5.2.5 accepts any strategy for any type, SPOT without a fleet role, and ECS_AL2, which has ended",
    aws="spot strategies for SPOT only, spotIamFleetRole for SPOT with BEST_FIT, no new environment on ECS_AL2",
)
def environment_requirements() -> None:
    """Check the request before anything is created."""

    @around(BatchBackend, "create_compute_environment")
    def create(original: Any, backend: BatchBackend, *args: Any, **kwargs: Any) -> Any:
        resources = kwargs.get("compute_resources") or {}
        kind, strategy = resources.get("type"), resources.get("allocationStrategy", "BEST_FIT")
        if strategy.startswith("SPOT_") and kind != "SPOT":
            raise ClientException(f"Allocation strategy {strategy} is not for compute environments of type {kind}")
        if kind == "SPOT" and strategy == "BEST_FIT" and not resources.get("spotIamFleetRole"):
            raise ClientException("spotIamFleetRole is required for SPOT with the allocation strategy BEST_FIT")
        if any(each.get("imageType") == "ECS_AL2" for each in resources.get("ec2Configuration") or []):
            raise ClientException("ECS_AL2 is no longer supported: use ECS_AL2023")
        return original(backend, *args, **kwargs)


@moto_patch(
    moto="5.2.5 requires securityGroupIds",
    aws="takes the security groups of the launch template's network interfaces where none are given",
)
def security_groups_of_the_launch_template() -> None:
    """Give moto the launch template's groups, and describe the compute environment without them."""

    @around(BatchBackend, "create_compute_environment")
    def create(original: Any, backend: BatchBackend, *args: Any, **kwargs: Any) -> Any:
        resources = kwargs.get("compute_resources") or {}
        template = resources.get("launchTemplate", {})
        if resources.get("securityGroupIds") or not template:
            return original(backend, *args, **kwargs)
        data = backend.ec2_backend.get_launch_template(template["launchTemplateId"]).latest_version().data
        groups = [group for each in data.get("NetworkInterfaces", []) for group in each.get("Groups", [])]
        if not groups:
            raise ClientException("securityGroupIds, or network interfaces with security groups, are required")
        kwargs["compute_resources"] = {**resources, "securityGroupIds": sorted(set(groups))}
        answer = original(backend, *args, **kwargs)
        found(backend, kwargs["compute_environment_name"]).compute_resources.pop("securityGroupIds")
        return answer


@moto_patch(
    moto="5.2.5 calls each ECS cluster OnDemand_Batch_ and an id",
    aws="names it after the compute environment, so that policies can tell whose tasks it has",
)
def named_clusters() -> None:
    """Replace the cluster by one that has such a name."""

    @around(BatchBackend, "create_compute_environment")
    def create(original: Any, backend: BatchBackend, *args: Any, **kwargs: Any) -> ComputeEnvironment:
        environment: ComputeEnvironment = original(backend, *args, **kwargs)
        backend.ecs_backend.clusters.pop(environment.ecs_name)
        cluster = backend.ecs_backend.create_cluster(f"AWSBatch-{environment.name}-{mock_random.uuid4()}")
        environment.set_ecs(cluster.arn, cluster.name)
        return environment


@moto_patch(
    moto="5.2.5 drops updatePolicy, and describes neither containerOrchestrationType, uuid nor a default state",
    aws="describes the policy, and sets the others",
)
def described_settings() -> None:
    """Store the settings on the compute environment, and describe them."""

    @around(BatchResponse, "createcomputeenvironment")
    def create(original: Any, response: BatchResponse) -> str:
        answer: str = original(response)
        environment = found(backend_of(response), response._get_param("computeEnvironmentName"))
        environment.state = environment.state or "ENABLED"
        setattr(environment, "uuid", str(mock_random.uuid4()))  # noqa: B010 - moto's class does not declare it
        _keep_update_policy(environment, response)
        if environment.compute_resources:
            environment.compute_resources = _with_defaults(environment.compute_resources)
        return answer

    @around(BatchResponse, "updatecomputeenvironment")
    def update(original: Any, response: BatchResponse) -> str:
        answer: str = original(response)
        _keep_update_policy(found(backend_of(response), response._get_param("computeEnvironment")), response)
        return answer

    @around(BatchBackend, "describe_compute_environments")
    def describe(original: Any, backend: BatchBackend, *args: Any) -> list[dict[str, Any]]:
        described: list[dict[str, Any]] = original(backend, *args)
        for each in described:
            environment = found(backend, each["computeEnvironmentArn"])
            each["containerOrchestrationType"] = "ECS"
            each["uuid"] = getattr(environment, "uuid", "")
            if policy := getattr(environment, "update_policy", None):
                each["updatePolicy"] = policy
        return described


def _keep_update_policy(environment: ComputeEnvironment, response: BatchResponse) -> None:
    if policy := response._get_param("updatePolicy"):
        setattr(environment, "update_policy", policy)  # noqa: B010 - moto's class does not declare it


def _with_defaults(resources: dict[str, Any]) -> dict[str, Any]:
    if "FARGATE" in resources["type"]:
        return resources
    return {"allocationStrategy": "BEST_FIT", "desiredvCpus": resources["minvCpus"], "tags": {}} | resources


@moto_patch(
    moto="5.2.5 ignores computeResources of an update",
    aws="changes the given fields, in a scaling or an infrastructure update",
)
def updated_resources() -> None:
    """Apply the fields of an accepted update."""

    @around(BatchBackend, "update_compute_environment")
    def update(
        original: Any, backend: BatchBackend, *, compute_resources: dict[str, Any] | None, **kwargs: Any
    ) -> tuple[str, str]:
        answer: tuple[str, str] = original(backend, compute_resources=None, **kwargs)
        if compute_resources:
            environment = found(backend, kwargs["compute_environment_name"])
            environment.compute_resources = environment.compute_resources | compute_resources
        return answer


@moto_patch(
    moto="5.2.5 accepts any update",
    aws="updates more than vCPUs, state and service role only with the service-linked role and some strategies, never"
    " replaces a service role by the service-linked one or the reverse, and checks the vCPU limits",
)
def refused_updates() -> None:
    """Check the request before anything is changed."""

    @around(BatchBackend, "update_compute_environment")
    def update(
        original: Any,
        backend: BatchBackend,
        *,
        compute_environment_name: str,
        compute_resources: dict[str, Any] | None,
        service_role: str | None,
        **kwargs: Any,
    ) -> Any:
        environment = found(backend, compute_environment_name)
        _check_role(environment, service_role)
        _check_resources(environment, compute_resources or {})
        return original(
            backend,
            compute_environment_name=compute_environment_name,
            compute_resources=compute_resources,
            service_role=service_role,
            **kwargs,
        )


def _check_role(environment: ComputeEnvironment, wanted: str | None) -> None:
    if wanted and is_linked(wanted) != is_linked(environment.service_role):
        raise ClientException(f"{environment.name}: {SERVICE_ROLE.message}")


def _check_resources(environment: ComputeEnvironment, wanted: dict[str, Any]) -> None:
    resources = environment.compute_resources or {}
    changed = changed_fields(environment, wanted)
    result = resources | wanted
    strategy = resources.get("allocationStrategy", "BEST_FIT")
    if FARGATE_TYPE.refuses(resources.get("type"), result.get("type")):
        raise ClientException(f"{environment.name}: {FARGATE_TYPE.message}")
    if is_fargate(environment):
        _refuse(changed - FARGATE_FIELDS, environment, f"{_ONLY_FOR} that does not use Fargate")
    elif not is_linked(environment.service_role):
        _refuse(changed - SCALING_FIELDS, environment, CUSTOM_ROLE_TYPE.message)
    elif strategy not in UPDATABLE_STRATEGIES:
        _refuse(changed - SCALING_FIELDS, environment, f"{_ONLY_FOR} of another allocation strategy than {strategy}")
    elif result.get("allocationStrategy") not in UPDATABLE_STRATEGIES:
        raise ClientException(f"{environment.name}: {BEST_FIT.message}")
    if (
        not int(result.get("minvCpus", 0))
        <= int(result.get("desiredvCpus", result.get("minvCpus", 0)))
        <= int(result.get("maxvCpus", 0))
    ):
        raise ClientException("desiredvCpus must be between minvCpus and maxvCpus")
    if int(result.get("desiredvCpus", 0)) < int(resources.get("desiredvCpus", 0)):
        raise ClientException("Manually scaling down compute environment is not supported")


def _refuse(fields: Iterable[str], environment: ComputeEnvironment, rule: str) -> None:
    if names := ", ".join(sorted(fields)):
        raise ClientException(f"Following fields [{names}] of {environment.name} {rule}")


def changed_fields(environment: ComputeEnvironment, wanted: dict[str, Any]) -> set[str]:
    """Return the fields of ``computeResources`` to which an update gives another value."""
    resources = environment.compute_resources or {}
    return {field for field, value in wanted.items() if resources.get(field) != value}


def is_fargate(environment: ComputeEnvironment) -> bool:
    """Return whether its jobs run on Fargate, without instances."""
    return "FARGATE" in (environment.compute_resources or {}).get("type", "")


def is_linked(role: str) -> bool:
    """Return whether it is Batch's service-linked role."""
    return role.rsplit("/", 1)[-1] == SERVICE_LINKED_ROLE


@moto_patch(
    moto="5.2.5 deletes a compute environment in any state, and while job queues use it",
    aws="deletes it only when it is DISABLED and no job queue uses it",
)
def environment_deletion_order() -> None:
    """Refuse to delete it too early."""

    @around(BatchBackend, "delete_compute_environment")
    def delete(original: Any, backend: BatchBackend, name: str) -> None:
        environment = backend.get_compute_environment(name)
        if environment is not None:
            check_deletable(backend, environment)
        original(backend, name)


def check_deletable(backend: BatchBackend, environment: ComputeEnvironment) -> None:
    """Raise Batch's error if the compute environment cannot be deleted yet."""
    if any(environment in queue.environments for queue in backend._job_queues.values()):
        raise ClientException("Cannot delete, found existing JobQueue relationship")
    if environment.state != "DISABLED":
        raise ClientException("Cannot delete, resource is not DISABLED")


def found(backend: BatchBackend, name: str) -> ComputeEnvironment:
    """Return the compute environment with that name or ARN.

    Raises:
        ClientException: it does not exist.
    """
    environment = backend.get_compute_environment(name)
    if environment is None:
        raise ClientException(f"Compute environment {name} does not exist")
    return environment


PATCHES: tuple[MotoPatch, ...] = (
    default_service_role,
    environment_requirements,
    security_groups_of_the_launch_template,
    named_clusters,
    described_settings,
    updated_resources,
    refused_updates,
    environment_deletion_order,
)
