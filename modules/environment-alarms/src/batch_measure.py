"""batchMeasure: measure an environment for its alarms and its dashboard.

Three kinds of events reach it. Every five minutes it counts jobs, vCPUs and INVALID compute environments, and measures
the age of machine images: AWS Batch has no metrics for these. When a job ends or loses its host, it counts that. When
an alarm fires, it sends to the alarm's topic what that is about: why jobs failed, which jobs wait, which compute
environments are INVALID or run old images.

Metrics are lines of its log, in CloudWatch's embedded metric format, so that it needs no permission for metrics:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from batch_causes import Job, cause_of, lost_to_spot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

NAMESPACE = "gen-infra"
STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
_AT_MOST = 100  # items in one call of Batch
_PAGES = 50  # of jobs in one state of one queue: of more than 5,000 jobs, 5,000 are counted
_EXAMPLES = 20  # arrays whose children are looked at
_NAMED = 5  # lines of a message about jobs or compute environments
_DAY = 86_400


@functools.cache
def client(service: str) -> Any:
    """Make a client at the first call and keep it for as long as Lambda keeps the process."""
    retries: Any = {"mode": "adaptive", "total_max_attempts": 6}
    return boto3.client(service, config=Config(connect_timeout=5, read_timeout=20, retries=retries))  # type: ignore[call-overload]


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Count the job, send the causes, or measure; at the time of the event."""
    time = datetime.fromisoformat(event["time"])
    match event["detail-type"]:
        case "Batch Job State Change":
            count_job(event["detail"], time)
        case "CloudWatch Alarm State Change":
            send_details(event["detail"], time)
        case _:
            measure(time)


def count_job(job: Job, time: datetime) -> None:
    """Count a job that ended, unless a caller ended it, and an attempt that was lost to Spot."""
    if job.get("arrayProperties", {}).get("size") or "#" in job["jobId"]:
        return  # its children are counted; a node is a part of its job
    counts = {}
    if job["status"] in ("FAILED", "RUNNABLE") and lost_to_spot(job) and _on_spot(job):
        counts["SpotLosses"] = 1.0
    if job["status"] in ("FAILED", "SUCCEEDED") and not (job.get("isCancelled") or job.get("isTerminated")):
        failed = job["status"] == "FAILED"
        counts |= {"FailedJobs": float(failed), "SucceededJobs": float(not failed)}
    if counts:
        put(counts, time)


def _on_spot(job: Job) -> bool:
    """Return whether the job's queue has Spot's compute environments, and no other that its host can be of."""
    last = job["attempts"][-1]
    container = last.get("container") or (last.get("taskProperties") or [{}])[0]
    cluster = str(container.get("containerInstanceArn", "")).partition(":container-instance/")[2].rpartition("/")[0]
    environments = compute_environments([job["jobQueue"]])
    of_host = [each for each in environments if cluster and each.get("ecsClusterArn", "").endswith(f"/{cluster}")]
    return any("SPOT" in each.get("computeResources", {}).get("type", "") for each in of_host or environments)


def measure(time: datetime) -> None:
    """Measure the environment as it is now."""
    queues = _queues()
    environments = compute_environments(queues)
    resources = [each.get("computeResources", {}) for each in environments]
    invalid = sum(each["status"] == "INVALID" for each in environments)
    metrics = {
        "InvalidComputeEnvironments": float(invalid),
        "DesiredVcpus": float(sum(each.get("desiredvCpus", 0) for each in resources)),
        "MaxVcpus": float(sum(each.get("maxvCpus", 0) for each in resources)),
    }
    if _asked("MEASURE_IMAGES") and (age := _image_age(resources, time)) is not None:
        metrics["ImageAgeDays"] = age
    for queue in queues if _asked("COUNT_JOBS") else ():
        counts = {f"{state.capitalize()}Jobs": count for state, count in _counts(queue).items()}
        put(counts, time, Queue=queue.rpartition("/")[2])
    # Without a new value, the alarm of waiting jobs keeps its state.
    if not (invalid and _asked("INVALID_ALARMS")):
        waits = (time.timestamp() - since for queue in queues for since, _ in _waiting_since(queue))
        metrics["LongestWaitMinutes"] = max(waits, default=0.0) / 60
    put(metrics, time)


def _asked(name: str) -> bool:
    return os.environ[name] == "true"


def put(metrics: Mapping[str, float], time: datetime, **dimensions: str) -> None:
    """Write metrics with the environment, and perhaps a queue, as their dimensions."""
    names = {"Environment": os.environ["ENVIRONMENT"], **dimensions}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[*names]],
        "Metrics": [{"Name": name, "Unit": "None"} for name in metrics],
    }
    about = {"Timestamp": int(time.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    sys.stdout.write(json.dumps({"_aws": about, **names, **metrics}) + "\n")


def compute_environments(queues: Iterable[str]) -> list[dict[str, Any]]:
    """Describe the compute environments of queues."""
    batch = client("batch")
    described = (batch.describe_job_queues(jobQueues=some)["jobQueues"] for some in _slices([*queues]))
    orders = (queue.get("computeEnvironmentOrder", []) for some in described for queue in some)
    arns = {entry["computeEnvironment"] for order in orders for entry in order}
    return [
        environment
        for some in _slices(sorted(arns))
        for environment in batch.describe_compute_environments(computeEnvironments=some)["computeEnvironments"]
    ]


def _queues() -> list[str]:
    queues: list[str] = json.loads(os.environ["QUEUES"])
    return queues


def _slices(items: list[str]) -> Iterator[list[str]]:
    return (items[start : start + _AT_MOST] for start in range(0, len(items), _AT_MOST))


def _image_age(resources: Iterable[Mapping[str, Any]], time: datetime) -> float | None:
    """Return the age in days of the oldest image that instances start from; None where none is known."""
    configured = (each for resource in resources for each in resource.get("ec2Configuration") or ())
    return max(
        _ages({each["imageIdOverride"] for each in configured if each.get("imageIdOverride")}, time).values(),
        default=None,
    )


def _ages(images: set[str], time: datetime) -> dict[str, float]:
    """Map images to their ages in days; those that are gone have none."""
    if not images:
        return {}
    # A filter, because EC2 refuses the whole call for one id that is gone.
    described = client("ec2").describe_images(Filters=[{"Name": "image-id", "Values": sorted(images)}])["Images"]
    created = {each["ImageId"]: datetime.fromisoformat(each["CreationDate"]) for each in described}
    return {image: (time - since).total_seconds() / _DAY for image, since in created.items()}


def _listed(status: str, **whose: str) -> list[Job]:
    """List summaries of jobs in one state."""
    pages = client("batch").get_paginator("list_jobs").paginate(jobStatus=status, **whose)
    found: list[Job] = []
    for number, page in enumerate(pages, start=1):
        found += page["jobSummaryList"]
        if number == _PAGES:
            break
    return found


def _described(jobs: Iterable[str]) -> list[Job]:
    batch = client("batch")
    return [job for some in _slices([*dict.fromkeys(jobs)]) for job in batch.describe_jobs(jobs=some)["jobs"]]


def _counts(queue: str) -> dict[str, float]:
    """Count a queue's jobs by state; an array counts as its children."""
    counts = dict.fromkeys(STATES, 0.0)
    arrays = []
    for state in STATES:
        for job in _listed(state, jobQueue=queue):
            if job.get("arrayProperties", {}).get("size"):
                arrays.append(job["jobId"])
            else:
                counts[state] += 1
    for array in _described(arrays):
        for state, count in array["arrayProperties"].get("statusSummary", {}).items():
            if state in counts:
                counts[state] += count
    return counts


def _waiting_since(queue: str) -> Iterator[tuple[float, Job]]:
    """Yield since when each of the queue's oldest RUNNABLE jobs waits, in seconds since 1970, and the job.

    That is since its submission, the end of the last job that it depends on, or the end of its last attempt.
    """
    waiting = _listed("RUNNABLE", jobQueue=queue)
    arrays = [job["jobId"] for job in _listed("PENDING", jobQueue=queue) if job.get("arrayProperties", {}).get("size")]
    for array in arrays[-_EXAMPLES:]:
        waiting += _listed("RUNNABLE", arrayJobId=array)
    oldest = sorted(waiting, key=lambda job: job["createdAt"])[:_AT_MOST]
    jobs = _described(job["jobId"] for job in oldest)
    needed = {each["jobId"] for job in jobs for each in job.get("dependsOn") or () if each.get("jobId")}
    stopped = {job["jobId"]: job.get("stoppedAt", 0) for job in _described(needed)}
    for job in jobs:
        times = [
            job["createdAt"],
            *(stopped.get(each.get("jobId"), 0) for each in job.get("dependsOn") or ()),
            *(attempt.get("stoppedAt", 0) for attempt in job.get("attempts") or ()),
        ]
        yield max(times) / 1000, job


def send_details(alarm: Mapping[str, Any], time: datetime) -> None:
    """Send to an alarm's topic what it says, and which jobs, compute environments or images it is about."""
    name, environment = alarm["alarmName"], os.environ["ENVIRONMENT"]
    subject, described = _ABOUT[name.removesuffix(f"-{environment}")]
    lines = [f"ALARM: {alarm['configuration']['description']}.", "", *described(time), "", f"The alarm is {name}."]
    topic = json.loads(os.environ["ALARM_TOPICS"])[name]
    client("sns").publish(TopicArn=topic, Subject=f"ALARM: {subject.format(environment)}", Message="\n".join(lines))


def _waits(time: datetime) -> Iterator[str]:
    """Yield a line for each of the jobs that wait longest; none where they have started since."""
    waiting = [entry for queue in _queues() for entry in _waiting_since(queue)]
    for since, job in sorted(waiting, key=lambda entry: entry[0])[:_NAMED]:
        minutes = int(time.timestamp() - since) // 60
        yield f"{_named(job)} waits for {minutes} minutes: gen-infra why MANIFEST {job['jobId']}"


def _invalid(_time: datetime) -> Iterator[str]:
    """Yield a line for each INVALID compute environment, with AWS Batch's reason."""
    for each in compute_environments(_queues()):
        if each["status"] == "INVALID":
            yield f"{each['computeEnvironmentName']}: {each.get('statusReason') or 'AWS Batch gives no reason'}"


def _old_images(time: datetime) -> Iterator[str]:
    """Yield a line for each compute environment, that with the oldest image first."""
    images = {
        each["computeEnvironmentName"]: configured["imageIdOverride"]
        for each in compute_environments(_queues())
        for configured in each.get("computeResources", {}).get("ec2Configuration") or ()
        if configured.get("imageIdOverride")
    }
    ages = _ages({*images.values()}, time)
    known = [(ages[image], image, name) for name, image in images.items() if image in ages]
    for age, image, name in sorted(known, reverse=True)[:_NAMED]:
        yield f"{name} runs {image}, which is {int(age)} days old"


def _causes(time: datetime) -> Iterator[str]:
    """Yield a line for each cause of the failures in the alarm's window, the most frequent first."""
    minutes = int(os.environ["FAILED_WINDOW_MINUTES"])
    since = (time.timestamp() - minutes * 60) * 1000
    by_cause: defaultdict[str, list[Job]] = defaultdict(list)
    for job in _failed(since):
        by_cause[cause_of(job)].append(job)
    for cause, jobs in sorted(by_cause.items(), key=lambda item: -len(item[1])):
        yield f"{len(jobs)} x {cause}; for example {_named(jobs[0])}: gen-infra why MANIFEST {jobs[0]['jobId']}"


def _named(job: Job) -> str:
    return f"{job['jobName']} in {job['jobQueue'].rpartition('/')[2]}"


# By the alarm's name without the environment: the subject, and the lines about what the alarm says.
_ABOUT: Mapping[str, tuple[str, Callable[[datetime], Iterator[str]]]] = {
    "batchFailedJobs": ("jobs of {} fail", _causes),
    "batchImageAge": ("a machine image of {} is old", _old_images),
    "batchInvalidComputeEnvironments": ("a compute environment of {} is INVALID", _invalid),
    "batchJobsWait": ("jobs of {} wait", _waits),
}


def _failed(since: float) -> list[Job]:
    """Describe the newest jobs that failed since then, in milliseconds since 1970; of an array, its children."""
    found: list[Job] = []
    for queue in _queues():
        ended = [job for job in _listed("FAILED", jobQueue=queue) if job.get("stoppedAt", 0) >= since]
        for job in sorted(ended, key=lambda job: -job["stoppedAt"])[:_AT_MOST]:
            is_array = job.get("arrayProperties", {}).get("size")
            found += _listed("FAILED", arrayJobId=job["jobId"])[:_EXAMPLES] if is_array else [job]
    newest = sorted(found, key=lambda job: -job.get("stoppedAt", 0))[:_AT_MOST]
    described = _described(job["jobId"] for job in newest)
    return [job for job in described if not (job.get("isCancelled") or job.get("isTerminated"))]
