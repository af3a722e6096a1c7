"""What is known about a job and what it waits for or ran on, as AWS's APIs answered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gen_infra.aws.job_containers import asked_by, asked_of, container_of, container_of_attempt, containers_of
from gen_infra.manifest.model.retry import PRESETS
from gen_infra.manifest.placements import Demand
from gen_infra.why.messages import STATE_LIMIT, Failure, read_failure

if TYPE_CHECKING:
    import re
    from datetime import datetime
    from pathlib import Path

    from gen_infra.aws.session import Json
    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.retry import PresetName

WAITING = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a job is where it is.

    Args:
        name: a word for programs, such as ``vcpu-maximum``.
        message: the cause, one sentence.
        evidence: what shows it, each as one sentence.
        fix: what to do about it.
    """

    name: str
    message: str
    evidence: tuple[str, ...]
    fix: str


@dataclass(frozen=True, kw_only=True)  # without slots, for what is computed once: each cause asks for it
class Evidence:
    """What was found; what was not looked up, or does not exist, is empty.

    Args:
        manifest: the environment's manifest.
        manifest_path: its path, for commands to type.
        now: when it was gathered.
        job: the entry of DescribeJobs.
        queue: the entry of DescribeJobQueues.
        environments: DescribeComputeEnvironments, in the queue's order.
        dependencies: DescribeJobs of the jobs it depends on; of an array's child, the children it waits for.
        ahead: RUNNABLE jobs that are scheduled first, as ListJobs gives them, each with the name of its ``queue``.
        head: DescribeJobs of the first of them.
        busy_vcpus: vCPUs of the jobs that run on the queue's environments.
        children: of an array job, those that failed or wait, as ListJobs gives them.
        launches: DescribeScalingActivities of the environments' Auto Scaling groups that did not succeed, newest first.
        instances: how many instances these groups have in service.
        joined: how many of them have joined the environments' ECS clusters.
        hosts: DescribeInstances of a host that was lost.
        findings: the doctor's checks of network, key, quotas, roles and container image.
        log: the last lines of the last attempt.
    """

    manifest: Manifest
    manifest_path: Path
    now: datetime
    job: Json
    queue: Json
    environments: tuple[Json, ...] = ()
    dependencies: tuple[Json, ...] = ()
    ahead: tuple[Json, ...] = ()
    head: Json | None = None
    busy_vcpus: float = 0
    children: tuple[Json, ...] = ()
    launches: tuple[Json, ...] = ()
    instances: int = 0
    joined: int = 0
    hosts: tuple[Json, ...] = ()
    findings: tuple[Diagnosis, ...] = ()
    log: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """Return the job's state."""
        return str(self.job["status"])

    @property
    def waits(self) -> bool:
        """Return whether it has not started yet."""
        return self.status in WAITING

    @property
    def has_ended(self) -> bool:
        """Return whether it has failed, or waits for another attempt after one that failed."""
        return self.status == "FAILED" or (self.waits and bool(self.job.get("attempts")))

    @cached_property
    def container(self) -> Json:
        """Return the job's container, or its main node's."""
        return container_of(self.job)

    @property
    def last_attempt(self) -> Json:
        """Return the newest attempt that has ended."""
        attempts = self.job.get("attempts") or [{}]
        last: Json = attempts[-1]
        return last

    @cached_property
    def last_container(self) -> Json:
        """Return how that container ended in the newest attempt that has ended."""
        return container_of_attempt(self.last_attempt, self.container.get("name", ""))

    @property
    def exit_code(self) -> int | None:
        """Return the exit code of the newest attempt that has one."""
        code: int | None = self.container.get("exitCode", self.last_container.get("exitCode"))
        return code

    @property
    def callers_reason(self) -> str | None:
        """Return what a caller of CancelJob or TerminateJob gave as the reason of a job's end; None if none did."""
        ended = self.status == "FAILED" and (self.job.get("isCancelled") or self.job.get("isTerminated"))
        reason = str(self.job.get("statusReason", ""))
        return reason if ended and not STATE_LIMIT.search(reason) else None

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Return all that Batch reports about the job's state and its last attempt; not a caller's own words."""
        last = self.last_attempt
        reported = [
            self.job.get("statusReason"),
            self.container.get("reason"),
            last.get("statusReason"),
            self.last_container.get("reason"),
        ]
        return tuple(dict.fromkeys(str(reason) for reason in reported if reason and reason != self.callers_reason))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Parse what Batch reports about a container that did not start."""
        found = (failure for reason in self.reasons if (failure := read_failure(reason, secrets=self.has_secrets)))
        return tuple(found)

    @property
    def has_secrets(self) -> bool:
        """Return whether it has secrets, which ECS fetches before the container starts."""
        return bool(self.container.get("secrets"))

    def reasons_with(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Return the reasons in which the pattern is found."""
        return tuple(quoted(reason) for reason in self.reasons if pattern.search(reason))

    def failed_launches_with(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Return Auto Scaling's messages of failed launches in which the pattern is found; each once."""
        reported = (f"{each.get('StatusMessage', '')}" for each in self.launches if self.waits)
        found = dict.fromkeys(words for words in reported if pattern.search(words))
        return tuple(f"Auto Scaling says: {' '.join(words.split())}" for words in found)

    def logged(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Return the lines of the log in which the pattern is found."""
        return tuple(f"its log says: {line}" for line in self.log if pattern.search(line))

    def wrong(self, *subjects: str) -> tuple[str, ...]:
        """List what the doctor found wrong with these subjects."""
        return tuple(each.message for each in self.findings if each.subject in subjects and each.level == "wrong")

    def advice(self, *subjects: str) -> str:
        """Look up the doctor's advice on the first of them that is wrong; empty where none is."""
        found = (each.advice for each in self.findings if each.subject in subjects and each.level == "wrong")
        return next(found, "")

    @property
    def enabled(self) -> tuple[Json, ...]:
        """Return the queue's compute environments that take jobs."""
        return tuple(each for each in self.environments if each.get("state") == "ENABLED")

    @property
    def usable(self) -> tuple[Json, ...]:
        """Return the queue's compute environments that can start instances."""
        return tuple(each for each in self.enabled if each.get("status") != "INVALID")

    def requested(self, kind: str) -> float:
        """Return what the job requests: ``VCPU``, ``MEMORY`` in MiB, or ``GPU``; 0 where it says nothing."""
        return asked_by(self.job, kind)

    @property
    def memory_mib(self) -> float:
        """Return what its container, the decisive one of several, may use."""
        return asked_of(self.container, "MEMORY")

    @property
    def nodes(self) -> int:
        """Return how many instances it needs at once."""
        return int(self.job.get("nodeProperties", {}).get("numNodes", 1))

    @property
    def demand(self) -> Demand:
        """Return what it requests from one instance."""
        return Demand(
            max(math.ceil(self.requested("VCPU")), 1), max(int(self.requested("MEMORY")), 1), int(self.requested("GPU"))
        )

    @property
    def queue_name(self) -> str:
        """Return the queue's name."""
        return str(self.job["jobQueue"]).rpartition("/")[2]

    @property
    def job_key(self) -> str:
        """Return the job's key in the manifest, ``jobs.isaac``; the definition's name where it has none."""
        definition = str(self.job["jobDefinition"]).rpartition("/")[2].partition(":")[0]
        keys = [key for key in self.manifest.jobs if self.manifest.definition_name(key) == definition]
        return f"jobs.{keys[0]}" if keys else definition

    @property
    def container_key(self) -> str:
        """Return where the manifest has its container: ``jobs.isaac``, or ``jobs.isaac.containers.align``."""
        several = len(containers_of(self.job)) > 1
        return f"{self.job_key}.containers.{self.container.get('name', '')}" if several else self.job_key

    def compute_key(self, environment: Json) -> str:
        """Return a compute environment's key in the manifest, ``compute.genomicsEnv``; its name where it has none."""
        name = name_of(environment)
        existing = self.manifest.adopted.compute
        keys = [key for key, existing_name in existing.items() if existing_name == name]
        keys += [key for key in self.manifest.compute if name.startswith(f"{self.manifest.suffixed(key)}-")]
        return f"compute.{keys[0]}" if keys else name

    @property
    def compute_keys(self) -> str:
        """Return the same for all of the queue's environments that take jobs."""
        return ", ".join(self.compute_key(each) for each in self.enabled or self.environments)

    @property
    def on_fargate(self) -> bool:
        """Return whether all compute environments of its queue are Fargate's."""
        types = [str(each.get("computeResources", {}).get("type", "")) for each in self.environments]
        return bool(types) and all(each.startswith("FARGATE") for each in types)

    @property
    def architecture(self) -> str:
        """Return the CPU architecture of its instances: one for all environments of a queue."""
        keys = [self.compute_key(each).removeprefix("compute.") for each in self.environments]
        images = (self.manifest.image_of(key) for key in keys if key in self.manifest.compute)
        return next(images, self.manifest.image).architecture

    def advice_on_retries(self, preset: PresetName) -> str:
        """Say how AWS Batch would have made another attempt: with this preset, or with more attempts."""
        strategy = self.job.get("retryStrategy", {})
        rules = [each for each in strategy.get("evaluateOnExit", ()) if str(each.get("action")).upper() == "RETRY"]
        known = (PRESETS[preset].on_ec2, PRESETS[preset].on_fargate)
        patterns = {(rule.on_status_reason, rule.on_reason) for rule in known}
        if strategy.get("evaluateOnExit") and not any(
            (each.get("onStatusReason"), each.get("onReason")) in patterns for each in rules
        ):
            return f"add {preset} to retry of {self.job_key}"
        return f"raise attempts of {self.job_key} (10 at most)"

    def command(self, name: str, job_id: str) -> str:
        """Write a command of gen-infra's about a job."""
        return f"gen-infra {name} {self.manifest_path} {job_id}"


def quoted(reason: str) -> str:
    """Return Batch's words as one sentence of evidence."""
    return f"AWS Batch says: {reason}"


def name_of(environment: Json) -> str:
    """Return the name of a compute environment."""
    return str(environment.get("computeEnvironmentName", "a compute environment"))
