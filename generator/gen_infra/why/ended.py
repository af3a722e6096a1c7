"""Causes of a job's end: its host, its memory, its time, its disk, somebody's will, or its own program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.why.evidence import Cause

if TYPE_CHECKING:
    from gen_infra.why.evidence import Evidence

_HOST = r"Host EC2 \(instance"
_TIMEOUT = r"attempt duration exceeded timeout"
_FULL = r"no space left on device|disk quota exceeded|ENOSPC"
_SHOWN_LINES = 5


def spot_reclaimed(evidence: Evidence) -> Cause | None:
    """AWS took the Spot instance back."""
    said = evidence.saying(_HOST)
    reclaimed = tuple(words for words in _host_ends(evidence) if "Spot" in words)
    on_spot = any("SPOT" in each.get("computeResources", {}).get("type", "") for each in evidence.environments)
    if not said or not (reclaimed or (on_spot and not evidence.hosts and not _environment_gone(evidence))):
        return None
    tries = evidence.job.get("retryStrategy", {}).get("attempts", 1)
    made = f"attempt {len(evidence.job.get('attempts', []))} of {tries}"
    fix = (
        f"it is tried again on its own while attempts are left: raise attempts of {evidence.job_key} (10 at most), "
        "let it save its progress, or add an EC2 environment behind Spot in its queue"
    )
    return Cause("spot-reclaimed", "AWS took its Spot instance back", (*said, *reclaimed, made), fix)


def host_lost(evidence: Evidence) -> Cause | None:
    """Its instance ended for another reason."""
    said = evidence.saying(_HOST)
    if not said:
        return None
    fix = f"raise attempts of {evidence.job_key}: a lost host is tried again on its own"
    shown = (*said, *_host_ends(evidence), *_environment_gone(evidence))
    return Cause("host-lost", "its instance was terminated", shown, fix)


def _environment_gone(evidence: Evidence) -> tuple[str, ...]:
    """Where it ran, if its queue no longer has that environment: whoever deletes one ends its instances."""
    host = evidence.last_attempt.get("container", {}).get("containerInstanceArn", "")
    cluster = host.partition(":container-instance/")[2].rpartition("/")[0]
    clusters = [each.get("ecsClusterArn", "").rpartition("/")[2] for each in evidence.environments]
    if not cluster or not clusters or cluster in clusters:
        return ()
    return (f"it ran in the ECS cluster {cluster}, which no compute environment of its queue has any more",)


def _host_ends(evidence: Evidence) -> tuple[str, ...]:
    return tuple(
        f"instance {each['InstanceId']} ended: {each['StateReason']['Message']}"
        for each in evidence.hosts
        if each.get("StateReason", {}).get("Message")
    )


def time_limit(evidence: Evidence) -> Cause | None:
    """It ran for longer than it may."""
    said = evidence.saying(_TIMEOUT)
    if not said:
        return None
    seconds = evidence.job.get("timeout", {}).get("attemptDurationSeconds", 0)
    limit = (f"an attempt may take {seconds / 60:g} minutes",) if seconds else ()
    fix = f"raise timeout_minutes of {evidence.job_key}, or see in its log what took so long"
    return Cause("timeout", "it ran for longer than it may", (*said, *limit), fix)


def ended_by_somebody(evidence: Evidence) -> Cause | None:
    """A call of CancelJob or TerminateJob; the reason is the caller's own."""
    called = [
        name for name, key in (("cancelled", "isCancelled"), ("terminated", "isTerminated")) if evidence.job.get(key)
    ]
    if not called or evidence.status != "FAILED":
        return None
    fix = "submit it again, if that was not meant"
    return Cause("cancelled", f"somebody {called[-1]} it", evidence.saying("."), fix)


def out_of_memory(evidence: Evidence) -> Cause | None:
    """It was killed because it used more memory than it asked for.

    https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html
    """
    said = (*evidence.saying("OutOfMemory|memory usage"), *evidence.logged(r"out of memory|OOM|Cannot allocate memory"))
    killed = ("exit code 137: it was killed, as what runs out of memory is",) if evidence.exit_code == 137 else ()
    if not said and not killed:
        return None
    asked = f"it may use {evidence.asks('MEMORY'):g} MiB"
    fix = f"raise memory_mib of {evidence.job_key}"
    return Cause("out-of-memory", "it ran out of memory", (*said, *killed, asked), fix)


def disk_full(evidence: Evidence) -> Cause | None:
    """Its container's layer, its scratch or its host's root volume is full."""
    said = (*evidence.saying(_FULL), *evidence.logged(_FULL))
    if not said:
        return None
    if any("CannotPull" in words for words in said):
        fix = "raise image.root.size_gib: images and containers live on the root volume"
    else:
        fix = f"write below scratch of {evidence.job_key} and raise image.scratch.size_gib, or image.root.size_gib"
    return Cause("disk-full", "a disk is full", said, f"{fix}; then gen-infra apply {evidence.path}")


def dependency_failed(evidence: Evidence) -> Cause | None:
    """A job that it depends on failed."""
    said = evidence.saying("Dependent Job")
    if not said:
        return None
    failed = [each for each in evidence.dependencies if each["status"] == "FAILED"]
    which = tuple(f"{each['jobName']} ({each['jobId']}) FAILED" for each in failed)
    fix = evidence.command("why", failed[0]["jobId"]) if failed else "see why the jobs failed that it depends on"
    return Cause("dependency-failed", "a job that it depends on failed", (*said, *which), fix)


def child_failed(evidence: Evidence) -> Cause | None:
    """A child of the array failed."""
    failed = [each for each in evidence.children if each["status"] == "FAILED"]
    if evidence.status != "FAILED" or not failed:
        return None
    counts = evidence.job.get("arrayProperties", {}).get("statusSummary", {})
    said = f"{counts.get('FAILED', len(failed))} of {evidence.job['arrayProperties']['size']} children FAILED"
    return Cause("child-failed", "children of the array failed", (said,), evidence.command("why", failed[0]["jobId"]))


def program_failed(evidence: Evidence) -> Cause | None:
    """The program itself ended with an error."""
    code = evidence.exit_code
    if code is None or code == 0:
        return None
    known = {
        134: " (it aborted itself)",
        139: " (it used memory that is not its own: a fault of the program)",
        143: " (it was asked to stop)",
    }
    last = tuple(f"its log says: {line}" for line in evidence.log[-_SHOWN_LINES:])
    fix = f"read its log: {evidence.command('logs', evidence.job['jobId'])}"
    said = (f"exit code {code}{known.get(code, '')}", *last)
    return Cause("program-failed", "its program failed", said, fix)
