"""Batch jobs: the five job actions, implemented by `gen_infra.emulator.jobs`."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from moto.batch import urls
from moto.batch.exceptions import ClientException
from moto.batch.models import BatchBackend, JobDefinition, JobQueue
from moto.batch.responses import BatchResponse
from moto.moto_api._internal import mock_random

from gen_infra.aws.jobs import SIMULATED_HEADER
from gen_infra.emulator.job import EmulatedJob, milliseconds, node_container
from gen_infra.emulator.patches.account import jobs_of
from gen_infra.emulator.patches.compute_environments import backend_of
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch
from gen_infra.emulator.validation import containers

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 100


@moto_patch(
    moto="5.2.5 starts a container or ends the job at once, and describes few of its settings",
    aws="runs it through its states, with dependencies, retries, array sizes and overrides, on a compute environment"
    " with enough room, and describes all its settings, also of the nodes of a multi-node job",
)
def job_life_cycle() -> None:
    """Answer the five job actions from the simulated jobs."""

    @instead_of(BatchResponse, "submitjob")
    def submit(response: BatchResponse) -> str:
        request, backend = json.loads(response.body), backend_of(response)
        with jobs_of(backend).lock:
            job, *children = _new_jobs(backend, request)
            jobs_of(backend).add((job, *children))
        return json.dumps({"jobId": job.id, "jobName": job.name, "jobArn": job.arn})

    @instead_of(BatchResponse, "describejobs")
    def describe(response: BatchResponse) -> tuple[int, dict[str, str], str]:
        jobs = jobs_of(backend_of(response))
        found = [each for each in map(jobs.describe, response._get_param("jobs")) if each]
        simulated = ",".join(each["jobId"] for each in found if jobs.is_simulated(each["jobId"]))
        return 200, {SIMULATED_HEADER: simulated} if simulated else {}, json.dumps({"jobs": found})

    @instead_of(BatchResponse, "listjobs")
    def list_jobs(response: BatchResponse) -> str:
        request = json.loads(response.body)
        matching = list(_listed(backend_of(response), request))
        first = int(request.get("nextToken") or 0)
        after = first + min(int(request.get("maxResults") or PAGE), PAGE)
        answer: dict[str, Any] = {"jobSummaryList": [each.summary() for each in matching[first:after]]}
        return json.dumps(answer | ({"nextToken": str(after)} if after < len(matching) else {}))

    @instead_of(BatchResponse, "canceljob")
    def cancel(response: BatchResponse) -> str:
        return _end(response, "CancelJob")

    @instead_of(BatchResponse, "terminatejob")
    def terminate(response: BatchResponse) -> str:
        return _end(response, "TerminateJob")

    @around(BatchBackend, "delete_job_queue")
    def delete_queue(original: Any, backend: BatchBackend, name: str) -> None:
        queue = backend.get_job_queue(name)
        original(backend, name)
        jobs = jobs_of(backend)
        for job in jobs.all():
            if queue is not None and job.queue == queue.arn:
                jobs.end(job, call="TerminateJob", reason="Job queue deleted")


def _end(response: BatchResponse, call: str) -> str:
    jobs = jobs_of(backend_of(response))
    if (job := jobs.get(response._get_param("jobId"))) is not None:
        jobs.end(job, call=call, reason=response._get_param("reason"))
    return "{}"


def _new_jobs(backend: BatchBackend, request: dict[str, Any]) -> Iterator[EmulatedJob]:
    """Make the requested job, and the children of an array."""
    queue, definition = _checked_queue(backend, request), _checked_definition(backend, request)
    _check_share(queue, definition, request)
    job = _job(backend, queue, definition, request)
    _check_resources(definition, job)
    size = (request.get("arrayProperties") or {}).get("size")
    if size is None:
        yield job
        return
    job.size = int(size)
    yield job
    for index in range(job.size):
        child = _job(backend, queue, definition, request, job_id=f"{job.id}:{index}")
        child.index = index
        child.waits_for = tuple(_child_dependencies(backend, request, job.id, index))
        yield child


def _job(
    backend: BatchBackend,
    queue: JobQueue,
    definition: JobDefinition,
    request: dict[str, Any],
    job_id: str | None = None,
) -> EmulatedJob:
    job_id = job_id or str(mock_random.uuid4())
    parameters = {**(definition.parameters or {}), **(request.get("parameters") or {})}
    nodes = _nodes(definition, request, parameters)
    task = _task(definition, request, parameters)
    timeout = (request.get("timeout") or definition.timeout or {}).get("attemptDurationSeconds")
    details = {
        "parameters": parameters,
        "dependsOn": _dependencies(backend, request),
        "tags": request.get("tags") or {},
    }
    details["propagateTags"] = bool(request.get("propagateTags", definition.propagate_tags))
    details["platformCapabilities"] = definition.platform_capabilities or ["EC2"]
    details |= {key: request[key] for key in ("shareIdentifier", "schedulingPriorityOverride") if key in request}
    return EmulatedJob(
        id=job_id,
        name=request["jobName"],
        arn=f"arn:{backend.partition}:batch:{backend.region_name}:{backend.account_id}:job/{job_id}",
        queue=queue.arn,
        definition=definition.arn,
        container=_main_container(task)
        or _container(
            definition.container_properties or node_container(nodes, int(nodes.get("mainNode", 0))),
            request.get("containerOverrides") or {},
            parameters,
        ),
        retry={"attempts": 1} | (request.get("retryStrategy") or definition.retry_strategy or {}),
        timeout=timeout,
        waits_for=tuple(each["jobId"] for each in details["dependsOn"] if "jobId" in each),
        details=details,
        log_prefix=definition.name,
        nodes=nodes,
        task=task,
    )


def _task(definition: JobDefinition, request: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Return the task of a job of several containers with the submission's overrides; empty for any other job."""
    properties = getattr(definition, "ecs_properties", None)
    tasks = (request.get("ecsPropertiesOverride") or {}).get("taskProperties") or [{}]
    overrides = {each.get("name"): each for each in tasks[0].get("containers") or ()}
    if not properties:
        if overrides:
            raise ClientException("ecsPropertiesOverride is only for job definitions with ecsProperties")
        return {}
    if request.get("containerOverrides"):
        raise ClientException("containerOverrides is not for job definitions with ecsProperties")
    task: dict[str, Any] = properties["taskProperties"][0]
    if unknown := set(overrides) - {each["name"] for each in task["containers"]}:
        raise ClientException(f"Container {min(map(str, unknown))} of ecsPropertiesOverride is not in the definition")
    containers = [_container(each, overrides.get(each["name"], {}), parameters) for each in task["containers"]]
    return task | {"containers": containers}


def _nodes(definition: JobDefinition, request: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Return the nodes of a multi-node job with the submission's overrides; empty for any other job.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_NodeOverrides.html
    """
    nodes: dict[str, Any] = definition.node_properties or {}
    overrides = (request.get("nodeOverrides") or {}).get("nodePropertyOverrides") or []
    if not nodes:
        if request.get("nodeOverrides"):
            raise ClientException("nodeOverrides is only for multi-node parallel job definitions")
        return {}
    if request.get("containerOverrides"):
        raise ClientException("containerOverrides is not for multi-node parallel job definitions; use nodeOverrides")
    changes = {each["targetNodes"]: each.get("containerOverrides") or {} for each in overrides}
    ranges = nodes.get("nodeRangeProperties") or []
    if unknown := set(changes) - {each["targetNodes"] for each in ranges}:
        raise ClientException(f"Node range {min(unknown)} of nodeOverrides is not in the definition")
    changed = [
        each | {"container": _container(each.get("container") or {}, changes.get(each["targetNodes"], {}), parameters)}
        for each in ranges
    ]
    return nodes | {"nodeRangeProperties": changed}


def _main_container(task: dict[str, Any]) -> dict[str, Any]:
    """Return the first essential container of a task; empty without a task."""
    found: dict[str, Any] = next((each for each in task.get("containers") or () if each.get("essential", True)), {})
    return found


def _check_resources(definition: JobDefinition, job: EmulatedJob) -> None:
    """Check the job's resources after its overrides, which may suit another platform than the definition's."""
    if "FARGATE" in (definition.platform_capabilities or ()):
        whole = containers.as_one(job.task) if job.task else job.container
        if not containers.fits_fargate(whole):
            raise ClientException(f"Fargate resource requirements ({containers.show_sizes(whole)}) not valid.")
    elif not all(map(containers.has_whole_vcpus, job.containers.values())):
        raise ClientException("vCPU must be a whole number of at least 1 on EC2")


def _checked_queue(backend: BatchBackend, request: dict[str, Any]) -> JobQueue:
    queue = backend.get_job_queue(request["jobQueue"])
    if queue is None:
        raise ClientException(f"JobQueue {request['jobQueue']} not found.")
    if queue.state != "ENABLED":
        raise ClientException(f"JobQueue {queue.name} is not in ENABLED state")
    return queue


def _checked_definition(backend: BatchBackend, request: dict[str, Any]) -> JobDefinition:
    definition = backend.get_job_definition(request["jobDefinition"])
    if definition is None:
        name = request["jobDefinition"]
        if name.startswith("arn:"):
            raise ClientException(f"JobDefinition {name} not found.")
        raise ClientException(f"JobDefinition name {name} does not exist or is not in ACTIVE status")
    return definition


def _check_share(queue: JobQueue, definition: JobDefinition, request: dict[str, Any]) -> None:
    """Check https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html, shareIdentifier."""
    if not queue.schedule_policy:
        if "shareIdentifier" in request:
            raise ClientException(f"Job queue {queue.name} has no scheduling policy: shareIdentifier is not allowed")
        return
    if "shareIdentifier" not in request:
        raise ClientException(f"Job queue {queue.name} has a scheduling policy: shareIdentifier is required")
    if "schedulingPriorityOverride" not in request and getattr(definition, "scheduling_priority", None) is None:
        raise ClientException(f"Job queue {queue.name} has a scheduling policy: schedulingPriority is required")


def _dependencies(backend: BatchBackend, request: dict[str, Any]) -> list[dict[str, str]]:
    dependencies: list[dict[str, str]] = request.get("dependsOn") or []
    size = (request.get("arrayProperties") or {}).get("size")
    for each in dependencies:
        if "jobId" not in each:
            continue
        if (other := jobs_of(backend).get(each["jobId"])) is None:
            raise ClientException(f"Dependent job {each['jobId']} does not exist")
        if each.get("type") == "N_TO_N" and other.size != size:
            raise ClientException(f"Job {other.id} must be an array of the same size for a dependency of type N_TO_N")
    return dependencies


def _child_dependencies(backend: BatchBackend, request: dict[str, Any], parent: str, index: int) -> Iterator[str]:
    """Return the jobs that a child depends on: with N_TO_N the same index, with SEQUENTIAL the previous child."""
    for each in request.get("dependsOn") or []:
        kind, other = each.get("type"), each.get("jobId", parent)
        if kind == "SEQUENTIAL":
            if index:
                yield f"{parent}:{index - 1}"
        elif kind == "N_TO_N" and jobs_of(backend).get(f"{other}:{index}"):
            yield f"{other}:{index}"
        else:
            yield other


def _container(properties: dict[str, Any], overrides: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Apply the overrides and the parameters to the container of the definition."""
    merged = properties | {key: value for key, value in overrides.items() if key in ("command", "instanceType")}
    merged["environment"] = _merged("name", properties, overrides, "environment")
    merged["resourceRequirements"] = _merged("type", properties, overrides, "resourceRequirements")
    for old in ("vcpus", "memory"):  # resourceRequirements have priority
        if old in properties and old in overrides:
            merged[old] = overrides[old]
    merged["command"] = [_with_parameters(part, parameters) for part in merged.get("command") or []]
    return merged


def _merged(key: str, properties: dict[str, Any], overrides: dict[str, Any], name: str) -> list[dict[str, str]]:
    values = {each[key]: each for each in properties.get(name) or []}
    return list((values | {each[key]: each for each in overrides.get(name) or []}).values())


def _with_parameters(part: str, parameters: dict[str, str]) -> str:
    if not parameters:
        return part
    names = "|".join(re.escape(name) for name in sorted(parameters, key=len, reverse=True))
    return re.sub(f"Ref::({names})", lambda found: parameters[found.group(1)], part)


def _listed(backend: BatchBackend, request: dict[str, Any]) -> Iterator[EmulatedJob]:
    """Select the jobs of a job queue or an array by status (default: RUNNING) or by filter."""
    queue = backend.get_job_queue(request["jobQueue"]) if request.get("jobQueue") else None
    parent = request.get("arrayJobId")
    if queue is None and not parent:
        raise ClientException(f"Job queue {request.get('jobQueue')} does not exist")
    filters = request.get("filters") or []
    for job in jobs_of(backend).all():
        if job.index is not None and job.id.rpartition(":")[0] != parent:
            continue
        if job.index is None and (queue is None or job.queue != queue.arn):
            continue
        if filters:
            if all(_passes(job, each) for each in filters):
                yield job
        elif job.status == (request.get("jobStatus") or "RUNNING"):
            yield job


def _passes(job: EmulatedJob, rule: dict[str, Any]) -> bool:
    """Apply a filter: https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html."""
    name, values = rule["name"], rule["values"]
    if name == "BEFORE_CREATED_AT":
        return job.created * 1000 < float(values[0])
    if name == "AFTER_CREATED_AT":
        return job.created * 1000 > float(values[0])
    definition = job.definition.rpartition("/")[2]
    candidates = {
        "JOB_NAME": [job.name],
        "JOB_DEFINITION": [job.definition, definition, definition.partition(":")[0]],
        "SHARE_IDENTIFIER": [job.details.get("shareIdentifier", "")],
    }.get(name, [])
    return any(
        candidate.lower() == value.lower() or (value.endswith("*") and candidate.lower().startswith(value[:-1].lower()))
        for candidate in candidates
        for value in values
    )


@moto_patch(
    moto="5.2.5 does not implement GetJobQueueSnapshot",
    aws="shows the first 100 RUNNABLE jobs of a job queue",
)
def job_queue_snapshot() -> None:
    """Answer with the jobs in the order of their submission.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_GetJobQueueSnapshot.html
    """
    urls.url_paths["{0}/v1/getjobqueuesnapshot$"] = BatchResponse.dispatch

    @instead_of(BatchResponse, "getjobqueuesnapshot")
    def snapshot(response: BatchResponse) -> str:
        backend = backend_of(response)
        queue = backend.get_job_queue(response._get_param("jobQueue"))
        if queue is None:
            raise ClientException(f"JobQueue {response._get_param('jobQueue')} not found.")
        waiting = [
            job for job in reversed(jobs_of(backend).all()) if job.queue == queue.arn and job.status == "RUNNABLE"
        ]
        front = [
            {"jobArn": job.arn, "earliestTimeAtPosition": milliseconds(job.created)}
            for job in waiting
            if job.size is None
        ][:PAGE]
        return json.dumps({"frontOfQueue": {"jobs": front, "lastUpdatedAt": milliseconds(time.time())}})


PATCHES: tuple[MotoPatch, ...] = (
    job_life_cycle,
    job_queue_snapshot,
)
