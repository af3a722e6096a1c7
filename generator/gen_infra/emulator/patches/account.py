"""Connect the jobs of an account and region with moto's state."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import AWSError
from moto.ecr.models import ecr_backends

from gen_infra.emulator import images
from gen_infra.emulator.authorization.callers import credentials
from gen_infra.emulator.containers.attempt import RunningAttempt
from gen_infra.emulator.containers.instance import AttemptServices
from gen_infra.emulator.jobs import Jobs
from gen_infra.emulator.patches.events import send_event
from gen_infra.emulator.patches.functions import ENDPOINT_VARIABLE
from gen_infra.emulator.patches.placement import place
from gen_infra.emulator.patches.task_permissions import task_problem
from gen_infra.tools import container_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.batch.models import BatchBackend

    from gen_infra.emulator.job import ContainerRun, EmulatedJob, Host

DEFAULT_LOG_GROUP = "/aws/batch/job"
_IN_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)"
)
_FIRST = threading.Lock()  # of several request threads only one creates the jobs of an account


class BackendAccount:
    """The parts of moto's state that the life cycle of a job depends on."""

    def __init__(self, backend: BatchBackend) -> None:
        self._backend = backend

    def place(self, job: EmulatedJob, busy: Mapping[str, float]) -> Host | str:
        """Find a place as `placement` does."""
        return place(self._backend, job, busy)

    def start_problem(self, job: EmulatedJob) -> str:
        """Report a missing repository, log group, role or permission; Batch creates its default log group itself."""
        for container in job.containers.values():
            if problem := self._pull_problem(container.get("image", "")):
                return problem
            group = job.log_options(container)["awslogs-group"]
            if group != DEFAULT_LOG_GROUP and group not in self._backend.logs_backend.groups:
                return (
                    "CannotStartContainerError: failed to initialize logging driver: ResourceNotFoundException: "
                    f"The specified log group does not exist: {group}"
                )
        return task_problem(self._backend, job)

    def _pull_problem(self, image: str) -> str:
        """Return ECS's error for an image of this account's ECR whose repository does not exist; nothing is pulled.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html
        """
        found = _IN_ECR.match(image)
        registries = ecr_backends[self._backend.account_id]
        if not found or found["account"] != self._backend.account_id or found["region"] not in registries:
            return ""
        name = found["name"]
        if name in registries[found["region"]].repositories:
            return ""
        return (
            f"CannotPullContainerError: Error response from daemon: repository {found[0]} not found: name unknown: "
            f"The repository with name '{name}' does not exist in the registry with id '{found['account']}'"
        )

    def run(self, job: EmulatedJob) -> ContainerRun | str:
        """Start the job's containers, if this machine runs containers and has their images."""
        absent = [image for image in job.images if not images.has_image(image)]
        if absent and not images.are_offered():
            return f"the emulator has no image {absent[0]}"
        lacking, _ = container_host.missing_here()
        if lacking:
            return f"containers need {lacking}"
        backend = self._backend
        services = AttemptServices(
            endpoint=os.environ[ENDPOINT_VARIABLE],
            region=backend.region_name,
            session=lambda role: credentials(role, job.id, backend.region_name, backend.account_id),
            log=self.log,
        )
        parent = None if job.index is None else jobs_of(backend).get(job.id.rpartition(":")[0])
        return RunningAttempt(job, services, parent.size if parent else None)

    def log(self, group: str, stream: str, lines: list[str]) -> None:
        """Write to the log stream, and create it if needed."""
        logs = self._backend.logs_backend
        logs.ensure_log_group(group)
        logs.ensure_log_stream(group, stream)
        now = int(time.time() * 1000)
        if lines:
            logs.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines])

    def report_blocked(self, job: EmulatedJob) -> None:
        """Send the event of a blocked queue, to the rules of the account.

        https://docs.aws.amazon.com/batch/latest/userguide/batch-job-queue-blocked-events.html
        """
        detail = job.describe() | {"statusReason": job.status_reason}
        self._send("Batch Job Queue Blocked", detail, job.arn, job.queue)

    def report_change(self, job: EmulatedJob) -> None:
        """Send the event of a job's new state, to the rules of the account.

        https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html
        """
        self._send("Batch Job State Change", job.describe(), job.arn)

    def _send(self, kind: str, detail: dict[str, Any], *resources: str) -> None:
        backend = self._backend
        where = (backend.region_name, backend.account_id)
        send_event(*where, source="aws.batch", kind=kind, resources=resources, detail=detail)


def jobs_of(backend: BatchBackend) -> Jobs:
    """Return the jobs of the account and region; moto's reset removes them."""
    with _FIRST:
        if "job_life_cycle" not in backend.__dict__:
            backend.__dict__["job_life_cycle"] = Jobs(BackendAccount(backend))
        found: Jobs = backend.__dict__["job_life_cycle"]
    if found.failure:
        raise AWSError(f"The emulator no longer advances jobs: {found.failure}", "ServerException", 500)
    return found
