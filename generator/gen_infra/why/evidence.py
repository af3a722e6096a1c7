"""What is known about a job and all that it waits for or ran on, as AWS's APIs answered."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.manifest.placements import Demand

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.manifest import Manifest

Json = Mapping[str, Any]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found; what was not looked for, or is not there, is empty.

    Args:
        manifest: the environment's manifest.
        path: the manifest's file, for commands to type.
        now: when it was gathered.
        job: the entry of DescribeJobs.
        queue: the entry of DescribeJobQueues.
        environments: DescribeComputeEnvironments, in the queue's order.
        dependencies: DescribeJobs of the jobs it depends on.
        ahead: RUNNABLE jobs that come first, as ListJobs gives them, each with the name of its ``queue``.
        head: DescribeJobs of the first of them.
        busy_vcpus: vCPUs of the jobs that run on the queue's environments.
        children: of an array job, those that failed or wait, as ListJobs gives them.
        launches: DescribeScalingActivities of the environments' Auto Scaling groups that did not succeed, newest first.
        instances: how many instances these groups have in service.
        joined: how many of them have joined the environments' ECS clusters.
        hosts: DescribeInstances of a host that was lost.
        findings: what the doctor's checks say that is not well, of network, key, quotas, roles and container image.
        log: the last lines of the last attempt.
    """

    manifest: Manifest
    path: Path
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
        """The job's state."""
        return str(self.job["status"])

    @property
    def waits(self) -> bool:
        """It has not started yet."""
        return self.status in WAITING

    @property
    def container(self) -> Json:
        """The job's container, or its main node's."""
        ranges = self.job.get("nodeProperties", {}).get("nodeRangeProperties") or [{}]
        found: Json = self.job.get("container") or ranges[0].get("container") or {}
        return found

    @property
    def last_attempt(self) -> Json:
        """The newest attempt that has ended."""
        attempts = self.job.get("attempts") or [{}]
        last: Json = attempts[-1]
        return last

    @property
    def exit_code(self) -> int | None:
        """The exit code of the newest attempt that has one."""
        last = self.last_attempt.get("container", {})
        code: int | None = self.container.get("exitCode", last.get("exitCode"))
        return code

    @property
    def reasons(self) -> tuple[str, ...]:
        """All that Batch says about the job's state and its last attempt."""
        last = self.last_attempt
        said = [
            self.job.get("statusReason"),
            self.container.get("reason"),
            last.get("statusReason"),
            last.get("container", {}).get("reason"),
        ]
        return tuple(dict.fromkeys(str(reason) for reason in said if reason))

    def saying(self, pattern: str) -> tuple[str, ...]:
        """The reasons in which the regular expression is found, whatever the case."""
        return tuple(
            f"AWS Batch says: {reason}" for reason in self.reasons if re.search(pattern, reason, re.IGNORECASE)
        )

    def launches_saying(self, pattern: str) -> tuple[str, ...]:
        """What Auto Scaling said of launches that failed, where the regular expression is found; each sentence once."""
        said = (f"{each.get('StatusMessage', '')}" for each in self.launches)
        found = dict.fromkeys(words for words in said if re.search(pattern, words, re.IGNORECASE))
        return tuple(f"Auto Scaling says: {' '.join(words.split())}" for words in found)

    def logged(self, pattern: str) -> tuple[str, ...]:
        """Lines of the log in which the regular expression is found, whatever the case."""
        return tuple(f"its log says: {line}" for line in self.log if re.search(pattern, line, re.IGNORECASE))

    def wrong(self, *subjects: str) -> tuple[str, ...]:
        """What the doctor found wrong there."""
        return tuple(each.message for each in self.findings if each.subject in subjects and each.level == "wrong")

    def advice(self, *subjects: str) -> str:
        """What the doctor advises about the first thing that is wrong there; empty where nothing is."""
        found = (each.advice for each in self.findings if each.subject in subjects and each.level == "wrong")
        return next(found, "")

    @property
    def enabled(self) -> tuple[Json, ...]:
        """The queue's compute environments that take jobs."""
        return tuple(each for each in self.environments if each.get("state") == "ENABLED")

    @property
    def usable(self) -> tuple[Json, ...]:
        """Those that can start instances."""
        return tuple(each for each in self.enabled if each.get("status") != "INVALID")

    def asks(self, kind: str) -> float:
        """What the job asks for: ``VCPU``, ``MEMORY`` in MiB, or ``GPU``; 0 where it says nothing."""
        needs = {each["type"]: float(each["value"]) for each in self.container.get("resourceRequirements", [])}
        old = {"VCPU": "vcpus", "MEMORY": "memory"}.get(kind, "")
        return needs.get(kind, float(self.container.get(old, 0)))

    @property
    def nodes(self) -> int:
        """How many instances it needs at once."""
        return int(self.job.get("nodeProperties", {}).get("numNodes", 1))

    @property
    def demand(self) -> Demand:
        """What it asks of one instance."""
        return Demand(max(math.ceil(self.asks("VCPU")), 1), max(int(self.asks("MEMORY")), 1), int(self.asks("GPU")))

    @property
    def queue_name(self) -> str:
        """The queue's name."""
        return str(self.job["jobQueue"]).rpartition("/")[2]

    @property
    def job_key(self) -> str:
        """Where the manifest says what the job is: ``jobs.isaac``; its definition, where the manifest has no such."""
        definition = str(self.job["jobDefinition"]).rpartition("/")[2].partition(":")[0]
        key = definition.removesuffix(f"-{self.manifest.name}")
        return f"jobs.{key}" if key in self.manifest.jobs else definition

    def compute_key(self, environment: Json) -> str:
        """Where the manifest says what a compute environment is: ``compute.genomicsEnv``; its name if it does not."""
        name = str(environment["computeEnvironmentName"])
        keys = [key for key in self.manifest.compute if name.startswith(f"{self.manifest.suffixed(key)}-")]
        return f"compute.{keys[0]}" if keys else name

    @property
    def compute_keys(self) -> str:
        """The same for all of the queue's environments that take jobs."""
        return ", ".join(self.compute_key(each) for each in self.enabled or self.environments)

    def command(self, name: str, job_id: str) -> str:
        """A command of gen-infra's about another job, to type."""
        return f"gen-infra {name} {self.path} {job_id}"
