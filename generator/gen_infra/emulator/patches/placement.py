"""Place a job in one of the compute environments of its queue, in their order.

The first VALID one with enough room is used:
https://docs.aws.amazon.com/batch/latest/userguide/compute_environments.html
The status reasons of jobs that cannot be placed: https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from moto.ec2.models.instance_types import INSTANCE_TYPES

from gen_infra.emulator.job import Host
from gen_infra.emulator.patches.compute_environments import is_fargate
from gen_infra.emulator.patches.environment_status import is_valid
from gen_infra.emulator.patches.launch_keys import launch_refusal
from gen_infra.emulator.patches.service_role import runs_tasks
from gen_infra.emulator.patches.task_permissions import joins_cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.batch.models import BatchBackend, ComputeEnvironment

    from gen_infra.emulator.job import EmulatedJob

_NO_ENVIRONMENT = "MISCONFIGURATION:NO_ENABLED_COMPUTE_ENVIRONMENT - the job queue has none"
_ABOVE_MAXIMUM = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - the job asks for more than the maximum vCPUs"
_TOO_LARGE = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is higher than that "
    "can be met by the CE(s) attached to the job queue."
)
_NO_CAPACITY = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for instance type "
    "[instanceTypeName]"
)
_SERVICE_ROLE = "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - Batch service role has a permission issue."
_INVALID = "ACTION_REQUIRED - CE(s) associated with the job queue are invalid."
# https://docs.aws.amazon.com/batch/latest/userguide/instance-type-compute-table.html
_OPTIMAL = ("m6i", "c6i", "r6i", "c7i")


def place(backend: BatchBackend, job: EmulatedJob, busy: Mapping[str, float]) -> Host | str:
    """Return a place in the first compute environment with room, or the status reason of a job that waits."""
    queue = backend.get_job_queue_by_arn(job.queue)
    enabled = [each for each in queue.environments if each.state == "ENABLED"] if queue else []
    valid = [each for each in enabled if is_valid(backend, each)]
    if blocked := _blocked(backend, job, enabled, valid):
        return blocked
    for each in valid:
        if launch_refusal(backend, each) is None and _has_room(backend, each, job, busy):
            cluster = each.ecs_arn.rpartition("/")[2]
            return Host.in_environment(each.arn, cluster, nodes=job.node_count, fargate=is_fargate(each))
    return ""


def _blocked(
    backend: BatchBackend, job: EmulatedJob, enabled: list[ComputeEnvironment], valid: list[ComputeEnvironment]
) -> str:
    """Return Batch's status reason for a job that can never be placed as it is; empty if it only has to wait."""
    refusals = [launch_refusal(backend, each) for each in valid]
    reasons = {
        _NO_ENVIRONMENT: not enabled,
        _ABOVE_MAXIMUM: all(job.vcpus > maximum(each) for each in enabled),
        _TOO_LARGE: not any(_holds(each, job) for each in enabled),
        _INVALID: not valid,
        _SERVICE_ROLE: not any(runs_tasks(backend, each, job) for each in valid),
        _NO_CAPACITY: all(refusal and refusal.is_insufficient_capacity for refusal in refusals),
    }
    reason = next((reason for reason, holds in reasons.items() if holds), "")
    types = [name for each in valid for name in (each.compute_resources or {}).get("instanceTypes", ())]
    return reason.replace("[instanceTypeName]", f"[{', '.join(types)}]")


def _has_room(
    backend: BatchBackend, environment: ComputeEnvironment, job: EmulatedJob, busy: Mapping[str, float]
) -> bool:
    in_all = busy.get(environment.arn, 0) + job.vcpus
    return (
        in_all <= maximum(environment)
        and _holds(environment, job)
        and _reaches_aws(backend, environment)
        and joins_cluster(backend, environment)
        and runs_tasks(backend, environment, job)
    )


def maximum(environment: ComputeEnvironment) -> float:
    """Return its maximum vCPUs; an UNMANAGED one has no limit."""
    return float((environment.compute_resources or {}).get("maxvCpus", "inf"))


def _holds(environment: ComputeEnvironment, job: EmulatedJob) -> bool:
    """Return whether one of its instance types is large enough for a node of the job."""
    resources = environment.compute_resources or {}
    if not resources or is_fargate(environment):
        return True
    sizes = _sizes(tuple(resources.get("instanceTypes", ())))
    asked = (job.requested("VCPU"), job.requested("MEMORY"), job.requested("GPU"))
    return not sizes or any(all(a <= b for a, b in zip(asked, size, strict=True)) for size in sizes)


@functools.cache
def _sizes(words: tuple[str, ...]) -> tuple[tuple[float, float, float], ...]:
    """Return vCPUs, memory and GPUs of instance types, given as types, families or ``optimal``."""
    wanted = {name for word in words for name in (_OPTIMAL if word == "optimal" else (word,))}
    return tuple(
        (
            float(details["VCpuInfo"]["DefaultVCpus"]),
            # An instance has less than its advertised memory, and the ECS agent keeps some.
            # https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html
            details["MemoryInfo"]["SizeInMiB"] * 0.97 - 32,
            float(sum(each["Count"] for each in details.get("GpuInfo", {}).get("Gpus", []))),
        )
        for name, details in INSTANCE_TYPES.items()
        if name in wanted or name.partition(".")[0] in wanted
    )


def _reaches_aws(backend: BatchBackend, environment: ComputeEnvironment) -> bool:
    """Return whether instances in one of its subnets reach ECS, through a route or a VPC endpoint."""
    subnets = (environment.compute_resources or {}).get("subnets", [])
    return not subnets or any(_has_way_out(backend, each) for each in subnets)


def _has_way_out(backend: BatchBackend, subnet_id: str) -> bool:
    ec2 = backend.ec2_backend
    vpc_id = next((zone[subnet_id].vpc_id for zone in [*ec2.subnets.values()] if subnet_id in zone), None)
    if vpc_id is None:
        return False
    if ec2.get_vpc(vpc_id).is_default:  # it has an internet gateway at AWS, but not in moto
        return True
    if any(each.vpc_id == vpc_id and each.service_name.endswith(".ecs") for each in [*ec2.vpc_end_points.values()]):
        return True
    tables = [each for each in [*ec2.route_tables.values()] if each.vpc_id == vpc_id]
    own = [each for each in tables if subnet_id in each._associations.values()]
    return any(
        route.destination_cidr_block == "0.0.0.0/0"
        and (route.nat_gateway is None or route.nat_gateway.state == "available")
        for table in own or [each for each in tables if each.main_association_id]
        for route in table.routes
    )
