"""Asks AWS for everything that may explain a job's state, and notes what it looked at and what it could not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from gen_infra.aws import logs
from gen_infra.aws.errors import AccessDeniedError, aws_errors
from gen_infra.aws.job_containers import asked_by, container_of, containers_of
from gen_infra.aws.jobs import find_detail, job_from, main_node_id
from gen_infra.aws.queues import busy_vcpus
from gen_infra.doctor import containers as doctor_containers
from gen_infra.doctor import network as doctor_network
from gen_infra.doctor import quotas as doctor_quotas
from gen_infra.doctor import roles as doctor_roles
from gen_infra.doctor import runner as doctor
from gen_infra.errors import AwsError
from gen_infra.why.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Concatenate

    from mypy_boto3_batch.literals import JobStatusType

    from gen_infra.aws.session import Clients, Json
    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.manifest import Manifest

T = TypeVar("T")
P = ParamSpec("P")

_LOG_LINES = 50
_LAUNCHES = 20  # scaling activities of each group


class Notes:
    """What was looked at, and what could not be."""

    def __init__(self, clients: Clients) -> None:
        self.looked: list[str] = []
        self.unseen: list[str] = []
        self._clients = clients

    def look(
        self, subject: str, service: str, ask: Callable[Concatenate[Clients, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Ask AWS; None where it refuses or does not answer, which is noted."""
        try:
            with aws_errors():
                found = ask(self._clients, *args, **kwargs)
        except AccessDeniedError as denied:
            self.unseen.append(f"{subject}: needs {denied.action or f'{service}:{denied.operation}'}")
            return None
        except AwsError as error:
            self.unseen.append(f"{subject}: {error.message}")
            return None
        self.looked.append(subject)
        return found

    def check(self, lines: Iterable[Diagnosis]) -> tuple[Diagnosis, ...]:
        """Note what one of the doctor's checks found; those say by themselves what they could not check."""
        found = tuple(lines)
        for each in found:
            text = f"{each.subject}: {each.message}"
            (self.unseen if each.message.startswith("cannot check") else self.looked).append(text)
        return found


def gather(clients: Clients, manifest: Manifest, manifest_path: Path, job_id: str) -> tuple[Evidence, Notes]:
    """Gather all the evidence about one job.

    Raises:
        AwsError: Batch has no such job, or the call failed.
    """
    detail = find_detail(clients, job_id)
    notes = Notes(clients)
    notes.looked.append(f"job {job_id}: {detail['status']}")
    job = _with_main_node(notes, detail)
    queues = notes.look("job queues", "batch", _queues) or ()
    queue: Json = next((each for each in queues if each["jobQueueArn"] == job["jobQueue"]), {})
    environments = notes.look("compute environments", "batch", _environments, queue) or ()
    found = {
        **_about_other_jobs(notes, job, queue, queues),
        **_about_instances(notes, environments),
        **_about_attempt(notes, job, clients.region),
        "findings": _findings(clients, notes, manifest, job, environments),
    }
    now = datetime.now(UTC)
    evidence = Evidence(
        manifest=manifest,
        manifest_path=manifest_path,
        now=now,
        job=job,
        queue=queue,
        environments=environments,
        **found,
    )
    return evidence, notes


def gather_end(clients: Clients, manifest: Manifest, manifest_path: Path, detail: Json) -> Evidence:
    """Gather what a failed job says by itself: its attempts, its log, and the jobs that it needs or consists of.

    A few calls, so that many jobs can be explained; what it needs of the account is not looked up.
    """
    notes = Notes(clients)
    job = _with_main_node(notes, detail)
    found = {**_about_other_jobs(notes, job, {}, ()), **_about_attempt(notes, job, clients.region)}
    now = datetime.now(UTC)
    return Evidence(manifest=manifest, manifest_path=manifest_path, now=now, job=job, queue={}, **found)


def _with_main_node(notes: Notes, job: Json) -> Json:
    """Return a multi-node job with its main node's container and attempts, which alone know of its log and its end."""
    node_id = main_node_id(job)
    found = notes.look(f"main node {node_id}", "batch", _details, [node_id]) if node_id else None
    if not found:
        return job
    return {**job, "container": container_of(found[0]), "attempts": found[0].get("attempts") or job.get("attempts", [])}


def _queues(clients: Clients) -> tuple[Json, ...]:
    pages = clients.batch.get_paginator("describe_job_queues").paginate()
    return tuple(queue for page in pages for queue in page["jobQueues"])


def _arns(queue: Json) -> list[str]:
    order = sorted(queue.get("computeEnvironmentOrder", []), key=lambda each: each["order"])
    return [each["computeEnvironment"] for each in order]


def _environments(clients: Clients, queue: Json) -> tuple[Json, ...]:
    if not (arns := _arns(queue)):
        return ()
    found = clients.batch.describe_compute_environments(computeEnvironments=arns)["computeEnvironments"]
    return tuple(sorted(found, key=lambda each: arns.index(each["computeEnvironmentArn"])))


def _about_other_jobs(notes: Notes, job: Json, queue: Json, queues: Iterable[Json]) -> dict[str, Any]:
    """Look up the jobs it depends on, those scheduled before it, those that run, and an array's children."""
    found: dict[str, Any] = {}
    if ids := dependency_ids(job, _dependencies_of_array(notes, job)):
        found["dependencies"] = notes.look("the jobs it depends on", "batch", _details, ids) or ()
    if job.get("arrayProperties", {}).get("size"):
        found["children"] = notes.look("its children", "batch", _children, job["jobId"]) or ()
    elif job["status"] == "RUNNABLE":
        shared = [each for each in queues if set(_arns(each)) & set(_arns(queue))]
        found["ahead"] = notes.look("jobs before it", "batch", _ahead, job, queue, shared) or ()
        first = [each["jobId"] for each in found["ahead"][:1]]
        found["head"] = (
            next(iter(notes.look("the first of them", "batch", _details, first) or ()), None) if first else None
        )
        names = [each["jobQueueName"] for each in shared]
        found["busy_vcpus"] = notes.look("jobs that run", "batch", busy_vcpus, names) or 0
    return found


def _dependencies_of_array(notes: Notes, job: Json) -> list[Json]:
    """Return what the array depends on whose child the job is."""
    array, _, index = str(job["jobId"]).rpartition(":")
    if not array or not index.isdecimal():
        return []
    found = notes.look(f"its array {array}", "batch", _details, [array]) or ()
    return [each for parent in found for each in parent.get("dependsOn", [])]


def dependency_ids(job: Json, of_array: Iterable[Json]) -> list[str]:
    """List the ids of the jobs that a job waits for.

    A child of an array waits for the child before it (SEQUENTIAL), or for the same child of another array (N_TO_N):
    https://docs.aws.amazon.com/batch/latest/userguide/job_dependencies.html

    Args:
        job: the entry of DescribeJobs.
        of_array: what its array depends on, if it is a child.
    """
    array, _, number = str(job["jobId"]).rpartition(":")
    index = int(number) if array and number.isdecimal() else None
    found = []
    for each in (*job.get("dependsOn", []), *of_array):
        other, kind = each.get("jobId", ""), each.get("type")
        if kind == "SEQUENTIAL" and not other:
            found += [f"{array}:{index - 1}"] if index else []
        elif kind == "N_TO_N" and index is not None and other and ":" not in other:
            found.append(f"{other}:{index}")
        elif other:
            found.append(other)
    return list(dict.fromkeys(found))


def _details(clients: Clients, ids: list[str]) -> tuple[Json, ...]:
    return tuple(clients.batch.describe_jobs(jobs=ids)["jobs"])


def _children(clients: Clients, job_id: str) -> tuple[Json, ...]:
    """List those that failed, else those that wait for an instance."""
    statuses: tuple[JobStatusType, ...] = ("FAILED", "RUNNABLE", "STARTING", "PENDING")
    for status in statuses:
        if found := clients.batch.list_jobs(arrayJobId=job_id, jobStatus=status)["jobSummaryList"]:
            return tuple(found)
    return ()


def _ahead(clients: Clients, job: Json, queue: Json, shared: Iterable[Json]) -> tuple[Json, ...]:
    """List RUNNABLE jobs of higher-ranking queues that share its compute environments, and older ones of its queue."""
    found: list[Json] = []
    for each in sorted(shared, key=lambda other: -other.get("priority", 0)):
        name, own = each["jobQueueName"], each["jobQueueArn"] == queue["jobQueueArn"]
        if not own and each.get("priority", 0) <= queue.get("priority", 0):
            continue
        pages = clients.batch.get_paginator("list_jobs").paginate(jobQueue=name, jobStatus="RUNNABLE")
        waiting = [{**summary, "queue": name} for page in pages for summary in page["jobSummaryList"]]
        older = [other for other in waiting if not own or other.get("createdAt", 0) < job.get("createdAt", 0)]
        found += sorted(older, key=lambda other: other.get("createdAt", 0))
    return tuple(found)


def _about_instances(notes: Notes, environments: Iterable[Json]) -> dict[str, Any]:
    """Ask Auto Scaling and ECS about the compute environments' instances."""
    managed = [each for each in environments if each.get("computeResources", {}).get("type") in {"EC2", "SPOT"}]
    if not managed:
        return {}
    names = [each["computeEnvironmentName"] for each in managed]
    groups = notes.look("Auto Scaling groups", "autoscaling", _groups, names) or []
    launches: list[Json] = []
    for group in (each["AutoScalingGroupName"] for each in groups):
        launches += notes.look(f"launches of {group}", "autoscaling", _failed_launches, group) or ()
    clusters = [each["ecsClusterArn"] for each in managed if each.get("ecsClusterArn")]
    return {
        "instances": sum(
            each.get("LifecycleState") == "InService" for group in groups for each in group.get("Instances", [])
        ),
        "launches": tuple(launches),
        "joined": notes.look("ECS clusters", "ecs", _joined, clusters) or 0,
    }


def _groups(clients: Clients, environments: Iterable[str]) -> list[Json]:
    """Return the groups that Batch made: it names them after their environment, ``AWSBatch-<name>-asg-…``."""
    prefixes = tuple(f"AWSBatch-{name}-asg-" for name in environments)
    pages = clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
    groups = (group for page in pages for group in page["AutoScalingGroups"])
    return [group for group in groups if group["AutoScalingGroupName"].startswith(prefixes)]


def _failed_launches(clients: Clients, group: str) -> tuple[Json, ...]:
    """Return them newest first; those before the last one that succeeded are over."""
    answer = clients.autoscaling.describe_scaling_activities(AutoScalingGroupName=group, MaxRecords=_LAUNCHES)
    launches = [each for each in answer["Activities"] if each.get("Description", "").startswith("Launching")]
    ended = [each["StatusCode"] for each in launches]
    return tuple(
        each
        for each in launches[: ended.index("Successful") if "Successful" in ended else None]
        if each["StatusCode"] in {"Failed", "Cancelled"}
    )


def _joined(clients: Clients, clusters: list[str]) -> int:
    if not clusters:
        return 0
    found = clients.ecs.describe_clusters(clusters=clusters).get("clusters", [])
    return sum(each.get("registeredContainerInstancesCount", 0) for each in found)


def _about_attempt(notes: Notes, job: Any, region: str) -> dict[str, Any]:
    """Read the last lines of its log, and look up the host that it lost."""
    last = job_from(job, region)
    found: dict[str, Any] = {}
    if last.log_stream:
        lines = notes.look(f"log group {last.log_group}", "logs", logs.tail, last, _LOG_LINES) or ()
        found["log"] = tuple(line.text for line in lines)
    reported = " ".join(
        [last.reason, *(str(attempt.get("statusReason", "")) for attempt in job.get("attempts", [])[-1:])]
    )
    if host := re.search(r"Host EC2 \(instance (i-[0-9a-f]+)\)", reported):
        found["hosts"] = notes.look(f"instance {host[1]}", "ec2", _host, host[1]) or ()
    return found


def _host(clients: Clients, instance: str) -> tuple[Json, ...]:
    """Look it up by a filter: EC2 removes an instance about an hour after its end, and an id is then an error."""
    answer = clients.ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance]}])
    return tuple(each for reservation in answer.get("Reservations", []) for each in reservation.get("Instances", []))


def _findings(
    clients: Clients, notes: Notes, manifest: Manifest, job: Json, environments: Iterable[Json]
) -> tuple[Diagnosis, ...]:
    """Run the doctor's checks of what this job needs."""
    container = container_of(job)
    found: tuple[Diagnosis, ...] = ()
    for image in dict.fromkeys(each["image"] for each in containers_of(job) if each.get("image")):
        found += notes.check(doctor_containers.container_image(clients, manifest.account, image))
    arns = [container[key] for key in ("jobRoleArn", "executionRoleArn") if container.get(key)]
    found += notes.check(doctor_roles.roles(clients, manifest.account, arns))
    for environment in environments:
        resources = environment.get("computeResources")
        if not resources:
            continue
        wanted = doctor_network.ById(resources.get("subnets", ()), resources.get("securityGroupIds", ()))
        found += notes.check(doctor_network.network(clients, wanted, 1))
        if resources.get("type") in {"EC2", "SPOT"}:
            ask = _quota_ask(resources, job)
            found += notes.check(doctor_quotas.vcpu_quotas(clients, [ask]))
    return found + notes.check(doctor.key(clients, manifest)()) if manifest.uses_ec2 else found


def _quota_ask(resources: Json, job: Json) -> doctor_quotas.Ask:
    vcpus = int(asked_by(job, "VCPU")) or 1
    types, most = resources.get("instanceTypes", ()), resources.get("maxvCpus", 0)
    return doctor_quotas.Ask(resources["type"], types, most, vcpus)
