"""Causes that keep a job from being scheduled: jobs that it waits for, its queue, its compute environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.errors import find_refusal
from gen_infra.aws.queues import stopped_by_budget, vcpus_of
from gen_infra.manifest.instances import named
from gen_infra.manifest.placements import fitting, offered
from gen_infra.why import messages
from gen_infra.why.evidence import Cause, name_of

if TYPE_CHECKING:
    from gen_infra.aws.session import Json
    from gen_infra.why.evidence import Evidence


def dependency(evidence: Evidence) -> Cause | None:
    """Check whether it depends on jobs that have not succeeded yet; of arrays, a child on a child."""
    if evidence.status not in {"SUBMITTED", "PENDING"}:
        return None
    waited_for = [each for each in evidence.dependencies if each.get("status") != "SUCCEEDED"]
    if not waited_for:
        return None
    reported = tuple(
        f"{each.get('jobName', 'a job')} ({each['jobId']}) is {each.get('status', 'not known')}" for each in waited_for
    )
    fix = f"wait for it, or see why it waits: {evidence.command('why', waited_for[0]['jobId'])}"
    return Cause("dependency", "it waits for other jobs to succeed", reported, fix)


def array_children(evidence: Evidence) -> Cause | None:
    """Check whether it is the parent of an array, which stays PENDING until its children have ended."""
    if evidence.status != "PENDING" or not evidence.children:
        return None
    counts = evidence.job.get("arrayProperties", {}).get("statusSummary", {})
    reported = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    child = evidence.children[0]
    fix = f"see why one of them waits: {evidence.command('why', child['jobId'])}"
    return Cause(
        "array-children", "it is an array, and ends when its children have", (f"of its children: {reported}",), fix
    )


def queue_disabled(evidence: Evidence) -> Cause | None:
    """Check whether the queue takes no new jobs; jobs in it still run, so this alone may not be the cause.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_UpdateJobQueue.html, state
    """
    if not evidence.waits or evidence.queue.get("state") != "DISABLED":
        return None
    reported = f"queue {evidence.queue_name} is DISABLED: it accepts no new jobs"
    if stopped := stopped_by_budget("DISABLED", evidence.queue.get("tags")):
        reported = f"{reported} since {stopped}, when notifications.budget was used up; those in it still run"
        fix = f"raise the budget, then gen-infra apply {evidence.manifest_path} --allow enable-queues"
        return Cause("queue-disabled", "its queue is disabled because the budget was used up", (reported,), fix)
    fix = f"set queues.….state to ENABLED and apply, or: {_enable('job-queue', evidence.queue_name)}"
    return Cause("queue-disabled", "its queue is disabled", (reported,), fix)


def queue_invalid(evidence: Evidence) -> Cause | None:
    """Check whether the queue itself is INVALID."""
    if not evidence.waits or evidence.queue.get("status") != "INVALID":
        return None
    reported = f"queue {evidence.queue_name} is INVALID: {evidence.queue.get('statusReason', 'no reason given')}"
    return Cause("queue-invalid", "its queue is invalid", (reported,), f"gen-infra apply {evidence.manifest_path}")


def environments_disabled(evidence: Evidence) -> Cause | None:
    """Check whether no compute environment of the queue takes jobs."""
    if not evidence.waits or not evidence.environments or evidence.enabled:
        return None
    reported = tuple(f"{name_of(each)} is DISABLED" for each in evidence.environments)
    enable = _enable("compute-environment", name_of(evidence.environments[0]))
    fix = f"set {evidence.compute_keys} state to ENABLED and apply, or: {enable}"
    return Cause("environments-disabled", "no compute environment of its queue is enabled", reported, fix)


def environments_invalid(evidence: Evidence) -> Cause | None:
    """Check whether every enabled compute environment of the queue is INVALID; each says why.

    https://docs.aws.amazon.com/batch/latest/userguide/invalid_compute_environment.html
    """
    if not evidence.waits or not evidence.enabled or evidence.usable:
        return None
    reasons = [str(each.get("statusReason", "no reason given")) for each in evidence.enabled]
    reported = tuple(
        f"{name_of(each)} is INVALID: {reason}" for each, reason in zip(evidence.enabled, reasons, strict=True)
    )
    message = "no compute environment of its queue is valid"
    return Cause(
        "environment-invalid",
        message,
        (*reported, *evidence.reasons_with(messages.INVALID_ENVIRONMENTS)),
        _fix_of(reasons[0], evidence),
    )


def _fix_of(reason: str, evidence: Evidence) -> str:
    """Say what makes an INVALID compute environment valid again."""
    apply = f"gen-infra apply {evidence.manifest_path}"
    refusal = find_refusal(reason)
    if messages.INVALID_CLUSTER.search(reason):
        return _replace(evidence)
    linked = f"or set service_role of {evidence.compute_keys} to service-linked; then {apply}"
    if refusal and refusal.action != "sts:AssumeRole":
        role = refusal.role or "its service role"
        return f"allow {refusal.action} in {role} (the managed policy AWSBatchServiceRole does), {linked}"
    profile = (
        f"create the instance profile, with the instances' role in it; then {apply}"
        if evidence.manifest.iam.instance_profile
        else f"{apply} makes the instance profile again"
    )
    network = f"correct network in the manifest (gen-infra doctor {evidence.manifest_path} looks at it); then {apply}"
    template = f"{apply} makes the launch template again"
    fixes = (  # names may hold any word: what more than one word says comes first
        (messages.INVALID_PROFILE, profile),
        (messages.INVALID_TEMPLATE_ABSENT, template),
        (messages.MACHINE_IMAGE, f"name another image (image.id, image.parameter); then {apply}"),
        (messages.INVALID_ROLE, f"let batch.amazonaws.com assume the service role, or create it again, {linked}"),
        (messages.INVALID_NETWORK, network),
        (messages.INVALID_TEMPLATE, template),
    )
    return next((fix for pattern, fix in fixes if pattern.search(reason)), f"fix what the reason says; then {apply}")


def _replace(evidence: Evidence) -> str:
    """Explain how to replace a compute environment that no update repairs: its plan has no difference."""
    name = evidence.manifest.name
    keys = [evidence.compute_key(each).partition("compute.")[2] for each in evidence.enabled]
    addresses = [f"module.compute_{key}.aws_batch_compute_environment.this" for key in keys if key]
    taints = "; ".join(f"terraform -chdir=build/{name}/terraform taint {address}" for address in addresses)
    plan_and_apply = f"gen-infra plan {evidence.manifest_path}; gen-infra apply {evidence.manifest_path}"
    taint = taints or "terraform taint its resource"
    return f"replace it, as apply alone changes nothing: {taint}; then {plan_and_apply}"


def no_instance_type(evidence: Evidence) -> Cause | None:
    """Check whether no allowed instance type is large enough.

    https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html
    """
    reported = evidence.reasons_with(messages.NO_INSTANCE_TYPE)
    if not reported and not (
        evidence.waits and evidence.usable and not any(_holds(evidence, e) for e in evidence.usable)
    ):
        return None
    asked = evidence.demand
    gpus = f", {asked.gpus} GPUs" if asked.gpus else ""
    requested = f"it asks for {asked.vcpus} vCPUs, {asked.memory_mib} MiB{gpus}"
    largest = tuple(line for each in evidence.enabled if (line := _largest(evidence, each)))
    fix = f"lower {evidence.job_key}, or add a larger family to instance_types of {evidence.compute_keys}"
    message = "no instance type of its queue can hold it"
    return Cause("no-instance-type", message, (requested, *largest, *reported), fix)


def _holds(evidence: Evidence, environment: Json) -> bool:
    """Check whether the compute environment has a type for the job; unknown types count as large enough."""
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
    name = name_of(environment)
    return f"the most that {name} can give is {best.vcpus} vCPUs and {best.usable_mib} MiB, on {best.name}"


def above_vcpu_maximum(evidence: Evidence) -> Cause | None:
    """Check whether it asks for more vCPUs than any compute environment may ever have."""
    reported = evidence.reasons_with(messages.ABOVE_MAXIMUM)
    wanted = evidence.requested("VCPU") * evidence.nodes
    above = evidence.usable and all(wanted > most for each in evidence.usable if (most := _maximum(each)) is not None)
    if not reported and not (evidence.waits and above):
        return None
    limits = tuple(
        f"{name_of(each)} may have {most} vCPUs at most"
        for each in evidence.enabled
        if (most := _maximum(each)) is not None
    )
    fix = f"lower {evidence.job_key}.vcpus, or raise max_vcpus of {evidence.compute_keys}"
    message = "it asks for more vCPUs than its queue's compute environments may ever have"
    return Cause("above-vcpu-maximum", message, (f"it asks for {wanted:g} vCPUs", *limits, *reported), fix)


def vcpu_maximum_reached(evidence: Evidence) -> Cause | None:
    """Check whether all the vCPUs that the compute environments may have are busy."""
    limits = [most for each in evidence.usable if (most := _maximum(each)) is not None]
    if evidence.status != "RUNNABLE" or not limits or evidence.busy_vcpus + evidence.requested("VCPU") <= sum(limits):
        return None
    reported = f"the jobs that run there have {evidence.busy_vcpus:g} of {sum(limits)} vCPUs"
    wanted = f"it asks for {evidence.requested('VCPU'):g}"
    fix = f"wait for them, or raise max_vcpus of {evidence.compute_keys}"
    return Cause("vcpu-maximum", "its queue's compute environments are at their maximum", (reported, wanted), fix)


def _maximum(environment: Json) -> int | None:
    """Look up the vCPU maximum; an unmanaged compute environment has none."""
    most: int | None = environment.get("computeResources", {}).get("maxvCpus")
    return most


def behind_other_jobs(evidence: Evidence) -> Cause | None:
    """Check whether older jobs, or jobs of a higher priority, wait too: a queue is served in order."""
    if evidence.status != "RUNNABLE" or not evidence.ahead or evidence.head is None:
        return None
    head = evidence.head
    reason = f"; AWS Batch says: {head['statusReason']}" if head.get("statusReason") else ""
    first = f"the first of them, {head['jobName']} ({head['jobId']}), asks for {vcpus_of(head):g} vCPUs{reason}"
    queues = ", ".join(sorted({str(each["queue"]) for each in evidence.ahead}))
    count = len(evidence.ahead)
    waiting = f"{count} older or higher-ranking job{'s' if count > 1 else ''} waiting in {queues}"
    fix = f"see why the first one waits: {evidence.command('why', head['jobId'])}"
    return Cause("behind-others", "other jobs are scheduled before it", (waiting, first), fix)


def _enable(kind: str, name: str) -> str:
    return f"aws batch update-{kind} --{kind} {name} --state ENABLED"
