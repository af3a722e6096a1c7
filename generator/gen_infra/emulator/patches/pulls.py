"""Decide whether ECS may pull the image of a container from ECR, as the role that pulls it.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.emulator.authorization import denial
from gen_infra.emulator.authorization.callers import credentials
from gen_infra.emulator.images.names import ImageName
from gen_infra.emulator.operations import Operation

if TYPE_CHECKING:
    from moto.batch.models import BatchBackend

    from gen_infra.emulator.job import EmulatedJob

_PULLING = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")


def pull_problem(backend: BatchBackend, job: EmulatedJob, image: str, execution_role: str) -> str:
    """Return ECS's reason why it cannot pull an image; empty if it can, or if the image is not in ECR.

    Args:
        backend: moto's Batch.
        job: the job, which is placed.
        image: the image's name.
        execution_role: the ARN of the execution role; empty if there is none, and the instance's role pulls.
    """
    name = ImageName.read(image)
    place = name.ecr if name else None
    if place is None or place.account != backend.account_id:
        return ""
    role = execution_role or _instance_role(backend, job)
    if not role:
        return f"CannotPullContainerError: Error response from daemon: Head {image}: no basic auth credentials"
    key = credentials(role, job.id, backend.region_name, backend.account_id)["AWS_ACCESS_KEY_ID"]
    login = denial(Operation("ecr", "GetAuthorizationToken", "json", {}, place.region, key), {})
    if login:
        return (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
            "failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
            f"{login.code}: {login.message}"
        )
    for action in _PULLING:
        refused = denial(Operation("ecr", action, "json", {"repositoryName": place.name}, place.region, key), {})
        if refused:
            return (
                f"CannotPullContainerError: Error response from daemon: pull access denied for {image}, repository "
                f"does not exist or may require 'docker login': denied: {refused.message}"
            )
    return ""


def _instance_role(backend: BatchBackend, job: EmulatedJob) -> str:
    """Return the ARN of the role in the instance profile of the job's compute environment; empty if there is none."""
    environment = backend.get_compute_environment_by_arn(job.host.environment) if job.host else None
    profile = (environment.compute_resources or {}).get("instanceRole") if environment else None
    for each in backend.iam_backend.instance_profiles.values():
        if profile in (each.arn, each.name) and each.roles:
            return str(each.roles[0].arn)
    return ""
