"""Causes of a job's end: its host, its memory, its time, its disk, a caller who ended it, or its own program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.aws.errors import find_refusal
from gen_infra.aws.submission import OVERRIDES_AT_MOST
from gen_infra.why import messages
from gen_infra.why.evidence import Cause, quoted
from gen_infra.why.permissions import permission_advice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_infra.why.evidence import Evidence

_SHOWN_LINES = 5


def spot_reclaimed(evidence: Evidence) -> Cause | None:
    """Check whether AWS took the Spot instance, or the Fargate Spot task, back."""
    reported = evidence.reasons_with(messages.HOST)
    fargate = evidence.reasons_with(messages.FARGATE_SPOT)
    reclaimed = tuple(words for words in _host_ends(evidence) if "Spot" in words)
    on_spot = any("SPOT" in each.get("computeResources", {}).get("type", "") for each in evidence.environments)
    if not fargate and not (
        reported and (reclaimed or (on_spot and not evidence.hosts and not _environment_gone(evidence)))
    ):
        return None
    tries = evidence.job.get("retryStrategy", {}).get("attempts", 1)
    made = f"attempt {len(evidence.job.get('attempts', []))} of {tries}"
    fix = (
        f"{evidence.advice_on_retries('host-lost')}, "
        "let the program save its progress, or add an EC2 environment behind Spot in its queue"
    )
    return Cause("spot-reclaimed", "AWS took its Spot instance back", (*reported, *fargate, *reclaimed, made), fix)


def host_lost(evidence: Evidence) -> Cause | None:
    """Check whether its instance ended for another reason."""
    reported = evidence.reasons_with(messages.HOST)
    if not reported:
        return None
    fix = f"{evidence.advice_on_retries('host-lost')}: AWS Batch then tries it again on another host"
    shown = (*reported, *_host_ends(evidence), *_environment_gone(evidence))
    return Cause("host-lost", "its instance was terminated", shown, fix)


def _environment_gone(evidence: Evidence) -> tuple[str, ...]:
    """Say where it ran, if its queue no longer has that environment: deleting one ends its instances."""
    host = evidence.last_container.get("containerInstanceArn", "")
    cluster = host.partition(":container-instance/")[2].rpartition("/")[0]
    clusters = [each.get("ecsClusterArn", "").rpartition("/")[2] for each in evidence.environments]
    if not cluster or not clusters or cluster in clusters:
        return ()
    return (f"it ran in the ECS cluster {cluster}, which no compute environment of its queue has any more",)


def _host_ends(evidence: Evidence) -> tuple[str, ...]:
    return tuple(
        f"instance {each.get('InstanceId', 'of the job')} ended: {message}"
        for each in evidence.hosts
        if (message := each.get("StateReason", {}).get("Message"))
    )


def time_limit(evidence: Evidence) -> Cause | None:
    """Check whether it ran for longer than its timeout."""
    reported = evidence.reasons_with(messages.TIMEOUT)
    if not reported:
        return None
    seconds = evidence.job.get("timeout", {}).get("attemptDurationSeconds", 0)
    limit = (f"an attempt may take {seconds / 60:g} minutes",) if seconds else ()
    fix = f"raise timeout_minutes of {evidence.job_key}, or see in its log what took so long"
    return Cause("timeout", "it ran for longer than its timeout", (*reported, *limit), fix)


def ended_by_a_caller(evidence: Evidence) -> Cause | None:
    """Check whether CancelJob or TerminateJob was called; the reason is the caller's own."""
    reason = evidence.callers_reason
    if reason is None:
        return None
    ended = "terminated" if evidence.job.get("isTerminated") else "cancelled"
    fix = "submit it again, if that was a mistake"
    reasons = tuple(quoted(each) for each in (reason, *evidence.reasons) if each)
    return Cause("cancelled", f"it was {ended} by a call of AWS Batch's API", reasons, fix)


def overrides_too_long(evidence: Evidence) -> Cause | None:
    """Check whether the submission's command and environment are longer than ECS accepts.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html, overrides
    """
    reported = evidence.reasons_with(messages.OVERRIDES)
    if not reported:
        return None
    fix = (
        f"submit it with less: {OVERRIDES_AT_MOST} characters of command and environment variables at most; "
        "put long lists into a file in a bucket, and pass the file's name"
    )
    return Cause("overrides-too-long", "the command and environment of its submission are too long", reported, fix)


def java_heap(evidence: Evidence) -> Cause | None:
    """Check whether a Java program used up its heap, whose size is the program's own setting."""
    reported = evidence.logged(messages.LOGGED_HEAP)
    if not reported:
        return None
    limit = f"its container may use {evidence.memory_mib:g} MiB"
    fix = (
        f"raise the heap in the command of {evidence.container_key} (java -Xmx…; of gatk --java-options) to about 80 % "
        "of memory_mib; raising memory_mib alone changes nothing"
    )
    return Cause("java-heap", "its Java program used up its heap", (*reported, limit), fix)


def out_of_memory(evidence: Evidence) -> Cause | None:
    """Check whether it was killed because it used more memory than it requested.

    https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html
    """
    logged = evidence.logged(messages.LOGGED_MEMORY) if evidence.exit_code else ()
    reported = (*evidence.reasons_with(messages.OUT_OF_MEMORY), *logged)
    killed = (
        ("exit code 137: it was killed, usually because it ran out of memory",) if evidence.exit_code == 137 else ()
    )
    if not reported and not killed:
        return None
    asked = f"it may use {evidence.memory_mib:g} MiB"
    fix = f"raise memory_mib of {evidence.container_key}"
    return Cause("out-of-memory", "it ran out of memory", (*reported, *killed, asked), fix)


def gpu_memory(evidence: Evidence) -> Cause | None:
    """Check whether the memory of its GPU, which no key of a job changes, was too small."""
    reported = evidence.logged(messages.LOGGED_GPU_MEMORY) if evidence.exit_code else ()
    if not reported:
        return None
    fix = (
        f"choose instance_types with more memory on the GPU for {evidence.compute_keys}, or let the program process "
        "less at a time; memory_mib is the memory of the host"
    )
    return Cause("gpu-memory", "the memory of its GPU is full", reported[-_SHOWN_LINES:], fix)


def shared_memory(evidence: Evidence) -> Cause | None:
    """Check whether /dev/shm, 64 MiB unless the job says more, was too small for the processes of its program."""
    reported = evidence.logged(messages.LOGGED_SHARED_MEMORY) if evidence.exit_code else ()
    if not reported:
        return None
    fix = f"raise shared_memory_mib of {evidence.container_key}, or start fewer workers"
    return Cause("shared-memory", "its shared memory (/dev/shm) is full", reported[-_SHOWN_LINES:], fix)


def disk_full(evidence: Evidence) -> Cause | None:
    """Check whether its container's layer, its scratch or its host's root volume is full."""
    failures = [each for each in evidence.failures if each.kind == "full"]
    logged = evidence.logged(messages.LOGGED_FULL) if evidence.exit_code else ()
    reported = (*evidence.reasons_with(messages.FULL), *logged)
    if not reported:
        return None
    if any(each.subject in {"image", "docker", "container"} for each in failures):
        fix = (
            "raise image.root.size_gib: images and containers are on the root volume; "
            f"then gen-infra apply {evidence.manifest_path}"
        )
    else:
        fix = (
            f"write below scratch of {evidence.container_key} and raise image.scratch.size_gib, or image.root.size_gib"
            f"; then gen-infra apply {evidence.manifest_path}"
        )
    return Cause("disk-full", "a disk is full", reported, fix)


def dependency_failed(evidence: Evidence) -> Cause | None:
    """Check whether a job that it depends on failed."""
    reported = evidence.reasons_with(messages.DEPENDENCY)
    if not reported:
        return None
    failed = [each for each in evidence.dependencies if each.get("status") == "FAILED"]
    which = tuple(f"{each.get('jobName', 'a job')} ({each['jobId']}) FAILED" for each in failed)
    fix = evidence.command("why", failed[0]["jobId"]) if failed else "see why the jobs failed that it depends on"
    return Cause("dependency-failed", "a job that it depends on failed", (*reported, *which), fix)


def child_failed(evidence: Evidence) -> Cause | None:
    """Check whether a child of the array failed."""
    failed = [each for each in evidence.children if each.get("status") == "FAILED"]
    if evidence.status != "FAILED" or not failed:
        return None
    array = evidence.job.get("arrayProperties", {})
    count = array.get("statusSummary", {}).get("FAILED", len(failed))
    counted = f"{count} of {array.get('size', 'its')} children FAILED"
    why = evidence.command("why", failed[0]["jobId"])
    return Cause("child-failed", "children of the array failed", (counted,), why)


def access_denied(evidence: Evidence) -> Cause | None:
    """Check whether the program ended after AWS refused it a call."""
    reported = evidence.logged(messages.LOGGED_REFUSAL) if evidence.exit_code else ()
    if not reported:
        return None
    said = next(((line, found) for line in reported if (found := find_refusal(line))), None)
    role = evidence.container.get("jobRoleArn", "").rpartition("/")[2]
    fix = (
        f"allow the call that its log names in its role {role or '(it has none)'}: name the bucket in buckets of "
        f"{evidence.job_key}, or give the job a role of yours (role) that may"
    )
    message = "its role lacks a permission"
    if said:
        line, refusal = said
        fix = permission_advice(line, refusal, evidence)
        where = f" on {refusal.resource}" if refusal.resource else ""
        message = f"its role {refusal.role or role or '(it has none)'} may not {refusal.action}{where}"
    shown = (*reported[-_SHOWN_LINES:], f"exit code {evidence.exit_code}")
    return Cause("access-denied", message, shown, fix)


def no_credentials(evidence: Evidence) -> Cause | None:
    """Check whether the program found no credentials: its job has no role, or it cannot reach what gives them."""
    reported = evidence.logged(messages.LOGGED_NO_CREDENTIALS) if evidence.exit_code else ()
    if not reported:
        return None
    role = evidence.container.get("jobRoleArn", "").rpartition("/")[2]
    fix = f"name its buckets in buckets of {evidence.job_key}, or give it a role of yours (role)"
    if role:
        fix = (
            f"its role is {role}: let the program use it; it must see AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, reach "
            "http://169.254.170.2, and have no profile or empty key in its own environment variables"
        )
    return Cause("no-credentials", "its program found no AWS credentials", reported[-_SHOWN_LINES:], fix)


def host_unreachable(evidence: Evidence) -> Cause | None:
    """Check whether the program could not reach a host: a wrong name, no way out, or a server that does not answer."""
    reported = evidence.logged(messages.LOGGED_UNREACHABLE) if evidence.exit_code else ()
    if not reported:
        return None
    copied = (
        f"copy the file into a bucket once, name the bucket in buckets of {evidence.job_key}, and read it from there"
    )
    fix = evidence.advice("routes", "security groups") or (
        "check the name of the host, and submit it again, as a server may be away for a while; hosts outside AWS need "
        f"subnets behind a NAT gateway (network.create.nat), which VPC endpoints do not replace; or {copied}"
    )
    shown = (*reported[-_SHOWN_LINES:], *evidence.wrong("routes", "security groups"), f"exit code {evidence.exit_code}")
    return Cause("host-unreachable", "its program could not reach a host on the network", shown, fix)


def program_failed(evidence: Evidence) -> Cause | None:
    """Check whether the program itself ended with an error."""
    code = evidence.exit_code
    if code is None or code == 0:
        return None
    known = {
        134: " (it aborted itself)",
        139: " (segmentation fault: a defect of the program)",
        143: " (it received SIGTERM)",
    }
    last = tuple(f"its log says: {line}" for line in _last_words(evidence.log))
    fix = f"read its log: {evidence.command('logs', evidence.job['jobId'])}"
    which = f"container {name}: " if (name := evidence.container.get("name")) else ""
    reported = (f"{which}exit code {code}{known.get(code, '')}", *last)
    return Cause("program-failed", "its program failed", reported, fix)


# Snakemake writes a score of lines after those of the program that failed, its command among them.
_RULE_FAILED = re.compile(r"RuleException:|Error in rule \S+:")
_COMMAND_FAILED = re.compile(r"Command '.*")


def _last_words(log: Sequence[str]) -> Sequence[str]:
    """Return the last lines of a program, and its command where a workflow engine names it."""
    end = next((number for number, line in enumerate(log) if _RULE_FAILED.fullmatch(line.strip())), None)
    if end is None:
        return log[-_SHOWN_LINES:]
    command = [line for line in log[end:] if _COMMAND_FAILED.fullmatch(line)][:1]
    return [*log[max(end - _SHOWN_LINES + 1, 0) : end], *command]
