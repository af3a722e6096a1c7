"""The environment variables that AWS Batch gives a container.

https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_infra.emulator.job import EmulatedJob


def batch_variables(job: EmulatedJob, *, node: int, array_size: int | None, main_address: str) -> dict[str, str]:
    """Return Batch's variables for the containers of a node, in the attempt that starts now.

    Args:
        job: the job, which is placed.
        node: the index of the node; 0 for a job that is not multi-node.
        array_size: the size of the array that the job is a child of, or None.
        main_address: the IPv4 address of the main node.
    """
    found = {
        "AWS_BATCH_CE_NAME": job.host.environment.rpartition("/")[2] if job.host else "",
        "AWS_BATCH_JOB_ATTEMPT": str(len(job.attempts) + 1),
        "AWS_BATCH_JOB_ID": job.id,
        "AWS_BATCH_JQ_NAME": job.queue.rpartition("/")[2],
    }
    if job.index is not None:
        found |= {"AWS_BATCH_JOB_ARRAY_INDEX": str(job.index), "AWS_BATCH_JOB_ARRAY_SIZE": str(array_size)}
    if job.nodes:
        found |= {
            "AWS_BATCH_JOB_MAIN_NODE_INDEX": str(job.main_node),
            "AWS_BATCH_JOB_NODE_INDEX": str(node),
            "AWS_BATCH_JOB_NUM_NODES": str(job.node_count),
        }
        if node != job.main_node:
            found["AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS"] = main_address
    return found


def ecs_variables(region: str, endpoint: str, credentials: str, *, fargate: bool) -> dict[str, str]:
    """Return what ECS gives a container, and the address of the emulator; ``credentials`` is a path, or empty.

    On EC2 a container learns its region from the instance's metadata, which the emulator does not have.
    """
    found = {
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE" if fargate else "AWS_ECS_EC2",
        "AWS_REGION": region,
    }
    return found | ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": credentials} if credentials else {})
