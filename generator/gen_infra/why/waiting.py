"""Causes that keep a job from being scheduled: what it waits for, its queue, its environments, and who is before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.aws.queues import vcpus_of
from gen_infra.manifest.instances import named
from gen_infra.manifest.placements import fitting, offered
from gen_infra.why.evidence import Cause

if TYPE_CHECKING:
    from gen_infra.why.evidence import Evidence, Json


def dependency(evidence: Evidence) -> Cause | None:
    """It depends on jobs that have not succeeded yet."""
    if evidence.status not in {"SUBMITTED", "PENDING"}:
        return None
    waited_for = [each for each in evidence.dependencies if each["status"] != "SUCCEEDED"]
    if not waited_for:
        return None
    said = tuple(f"{each['jobName']} ({each['jobId']}) is {each['status']}" for each in waited_for)
    fix = f"wait for it; or ask why it waits: {evidence.command('why', waited_for[0]['jobId'])}"
    return Cause("dependency", "it waits for other jobs to succeed", said, fix)


def array_children(evidence: Evidence) -> Cause | None:
    """An array's parent stays PENDING until its children have ended."""
    if evidence.status != "PENDING" or not evidence.children:
        return None
    counts = evidence.job.get("arrayProperties", {}).get("statusSummary", {})
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    child = evidence.children[0]
    fix = f"ask about one of them: {evidence.command('why', child['jobId'])}"
    return Cause(
        "array-children", "it is an array, and ends when its children have", (f"of its children: {said}",), fix
    )


def queue_disabled(evidence: Evidence) -> Cause | None:
    """The queue takes no jobs; those that are in it can finish, says AWS, so that this alone may not hold one up.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_UpdateJobQueue.html, state
    """
    if not evidence.waits or evidence.queue.get("state") != "DISABLED":
        return None
    said = f"queue {evidence.queue_name} is DISABLED: it takes no new jobs"
    fix = f"set queues.….state to ENABLED and apply, or: {_enable('job-queue', evidence.queue_name)}"
    return Cause("queue-disabled", "its queue is disabled", (said,), fix)


def queue_invalid(evidence: Evidence) -> Cause | None:
    """The queue itself is broken."""
    if not evidence.waits or evidence.queue.get("status") != "INVALID":
        return None
    said = f"queue {evidence.queue_name} is INVALID: {evidence.queue.get('statusReason', 'no reason given')}"
    return Cause("queue-invalid", "its queue is invalid", (said,), f"gen-infra apply {evidence.path}")


def environments_disabled(evidence: Evidence) -> Cause | None:
    """No compute environment of the queue takes jobs."""
    if not evidence.waits or not evidence.environments or evidence.enabled:
        return None
    said = tuple(f"{each['computeEnvironmentName']} is DISABLED" for each in evidence.environments)
    enable = _enable("compute-environment", str(evidence.environments[0]["computeEnvironmentName"]))
    fix = f"set {evidence.compute_keys} state to ENABLED and apply, or: {enable}"
    return Cause("environments-disabled", "no compute environment of its queue is enabled", said, fix)


def environments_invalid(evidence: Evidence) -> Cause | None:
    """Every enabled compute environment of the queue is INVALID; each says why.

    https://docs.aws.amazon.com/batch/latest/userguide/invalid_compute_environment.html
    """
    if not evidence.waits or not evidence.enabled or evidence.usable:
        return None
    reasons = [str(each.get("statusReason", "no reason given")) for each in evidence.enabled]
    said = tuple(
        f"{each['computeEnvironmentName']} is INVALID: {reason}"
        for each, reason in zip(evidence.enabled, reasons, strict=True)
    )
    message = "no compute environment of its queue is valid"
    return Cause(
        "environment-invalid", message, (*said, *evidence.saying("ACTION_REQUIRED")), _mend(reasons[0], evidence)
    )


def _mend(reason: str, evidence: Evidence) -> str:
    """What makes an INVALID compute environment valid again."""
    apply = f"gen-infra apply {evidence.path}"
    profile = (
        f"make the instance profile, with the instances' role in it; then {apply}"
        if evidence.manifest.iam.instance_profile
        else f"{apply} makes the instance profile again"
    )
    network = f"correct network in the manifest (gen-infra doctor {evidence.path} looks at it); then {apply}"
    fixes = {  # names may hold any word, "role" above all: what more than one word tells comes first
        "instance profile|iaminstanceprofile": profile,
        "launch template.* does not exist": f"{apply} makes the launch template again",
        "assume|role|not authorized": f"let batch.amazonaws.com assume the service role, or make it anew; then {apply}",
        "security group|subnet": network,
        "launch template|launch configuration": f"{apply} makes the launch template again",
    }
    found = (fix for pattern, fix in fixes.items() if re.search(pattern, reason, re.IGNORECASE))
    return next(found, f"mend what the reason says; then {apply}")


def no_instance_type(evidence: Evidence) -> Cause | None:
    """No allowed instance type is large enough.

    https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html
    """
    said = evidence.saying("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
    if not said and not (evidence.waits and evidence.usable and not any(_holds(evidence, e) for e in evidence.usable)):
        return None
    asked = evidence.demand
    gpus = f", {asked.gpus} GPUs" if asked.gpus else ""
    wants = f"it asks for {asked.vcpus} vCPUs, {asked.memory_mib} MiB{gpus}"
    largest = tuple(line for each in evidence.enabled if (line := _largest(evidence, each)))
    fix = f"lower {evidence.job_key}, or add a larger family to instance_types of {evidence.compute_keys}"
    message = "no instance type of its queue can hold it"
    return Cause("no-instance-type", message, (wants, *largest, *said), fix)


def _holds(evidence: Evidence, environment: Json) -> bool:
    """Whether the environment has a type for the job, as far as is known here."""
    words = _types(environment)
    known = words and all(map(named, words))
    return not known or bool(fitting(words, evidence.demand))


def _types(environment: Json) -> tuple[str, ...]:
    resources = environment.get("computeResources", {})
    return () if "FARGATE" in resources.get("type", "") else tuple(resources.get("instanceTypes", ()))


def _largest(evidence: Evidence, environment: Json) -> str:
    enough = [each for each in offered(_types(environment)) if each.vcpus >= evidence.demand.vcpus]
    best = max(enough or offered(_types(environment)), key=lambda each: (each.usable_mib, each.name), default=None)
    if best is None:
        return ""
    name = environment["computeEnvironmentName"]
    return f"the most that {name} can give is {best.vcpus} vCPUs and {best.usable_mib} MiB, on {best.name}"


def above_vcpu_maximum(evidence: Evidence) -> Cause | None:
    """It asks for more vCPUs than any environment may ever have."""
    said = evidence.saying("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE")
    wanted = evidence.asks("VCPU") * evidence.nodes
    above = evidence.usable and all(wanted > most for each in evidence.usable if (most := _maximum(each)) is not None)
    if not said and not (evidence.waits and above):
        return None
    limits = tuple(
        f"{each['computeEnvironmentName']} may have {_maximum(each)} vCPUs at most" for each in evidence.enabled
    )
    fix = f"lower {evidence.job_key}.vcpus, or raise max_vcpus of {evidence.compute_keys}"
    message = "it asks for more vCPUs than its queue's environments may ever have"
    return Cause("above-vcpu-maximum", message, (f"it asks for {wanted:g} vCPUs", *limits, *said), fix)


def vcpu_maximum_reached(evidence: Evidence) -> Cause | None:
    """All the vCPUs that the environments may have are busy."""
    limits = [most for each in evidence.usable if (most := _maximum(each)) is not None]
    if evidence.status != "RUNNABLE" or not limits or evidence.busy_vcpus + evidence.asks("VCPU") <= sum(limits):
        return None
    said = f"the jobs that run there have {evidence.busy_vcpus:g} of {sum(limits)} vCPUs"
    wanted = f"it asks for {evidence.asks('VCPU'):g}"
    fix = f"wait for them, or raise max_vcpus of {evidence.compute_keys}"
    return Cause("vcpu-maximum", "its queue's environments are at their maximum", (said, wanted), fix)


def _maximum(environment: Json) -> int | None:
    """The vCPU maximum; an unmanaged environment has none."""
    most: int | None = environment.get("computeResources", {}).get("maxvCpus")
    return most


def behind_others(evidence: Evidence) -> Cause | None:
    """Jobs that came first wait too: a queue is served from its head."""
    if evidence.status != "RUNNABLE" or not evidence.ahead or evidence.head is None:
        return None
    head = evidence.head
    reason = f", and AWS Batch says of it: {head['statusReason']}" if head.get("statusReason") else ""
    first = f"the first of them, {head['jobName']} ({head['jobId']}), asks for {vcpus_of(head):g} vCPUs{reason}"
    queues = ", ".join(sorted({str(each["queue"]) for each in evidence.ahead}))
    count = len(evidence.ahead)
    said = f"{count} job{'s' if count > 1 else ''} that came first or rank higher wait in {queues}"
    fix = f"ask why the first one waits: {evidence.command('why', head['jobId'])}"
    return Cause("behind-others", "other jobs are before it", (said, first), fix)


def _enable(kind: str, name: str) -> str:
    return f"aws batch update-{kind} --{kind} {name} --state ENABLED"
