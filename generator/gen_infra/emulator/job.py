"""A Batch job, and how DescribeJobs and ListJobs show it.

https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Host:
    """The place of an attempt: one ECS task for each node and, except on Fargate, one instance for each node.

    Args:
        environment: the ARN of the compute environment.
        cluster: the name of its ECS cluster.
        tasks: ids of the ECS tasks.
        container_instances: ids of the cluster's container instances; empty on Fargate.
        instances: their EC2 instance ids, which are random because the emulator launches no instances.
    """

    environment: str
    cluster: str
    tasks: tuple[str, ...]
    container_instances: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()

    @classmethod
    def in_environment(cls, environment: str, cluster: str, *, nodes: int, fargate: bool) -> Host:
        """Make a new place in a compute environment."""
        tasks, others = (tuple(secrets.token_hex(16) for _ in range(nodes)) for _ in range(2))
        if fargate:
            return cls(environment, cluster, tasks)
        return cls(environment, cluster, tasks, others, tuple(f"i-{secrets.token_hex(9)[1:]}" for _ in range(nodes)))


@dataclass
class ContainerResult:
    """How a container ended; ``code`` is None until it has, and ``reason`` is empty after an ordinary end."""

    code: int | None = None
    reason: str = ""

    @property
    def described(self) -> dict[str, Any]:
        """Return what DescribeJobs shows of it."""
        known = {"exitCode": self.code, "reason": self.reason}
        return {key: value for key, value in known.items() if value not in (None, "")}


class ContainerRun(Protocol):
    """An attempt whose containers really run.

    Attributes:
        has_started: whether a container of the main node has started.
        has_ended: whether all containers have ended, and their output is in the log.
        problem: why none could start; empty if one did.
        results: by node and container.
    """

    has_started: bool
    has_ended: bool
    problem: str
    results: dict[tuple[int, str], ContainerResult]

    @property
    def is_lost(self) -> bool:
        """Return whether it runs for another process: for the emulator that this one is a copy of."""

    def stop(self) -> None:
        """Send SIGTERM to its containers, and SIGKILL after some seconds; it ends when they have ended."""


@dataclass(frozen=True)
class Stop:
    """Why an attempt is stopped.

    Args:
        reason: the status reason.
        is_retried: whether the retry strategy decides about another attempt.
    """

    reason: str
    is_retried: bool = False


@dataclass
class EmulatedJob:
    """One job: a single job, the parent of an array (``size``), or a child (``index``); times are seconds since 1970.

    Args:
        container: ``containerProperties`` of the definition after the submission's overrides; the main node's; of a job
            of several containers its first essential one.
        retry: ``retryStrategy``; the actions of its rules are lower case, as in Batch's answers.
        timeout: the longest run of an attempt in seconds, or None.
        waits_for: ids of the jobs that this job depends on.
        details: what DescribeJobs returns as it was submitted: tags, parameters, share identifier and so on.
        nodes: ``nodeProperties`` of a multi-node parallel job; otherwise empty.
        task: ``taskProperties`` of a job of several containers, after the submission's overrides; otherwise empty.
        host: the place of the last attempt.
        host_ends: when its host will be terminated, or None.
        runtimes: for each node, the members of ``container`` that are known only at run time.
        outcomes: the same for each container of several, by name.
        last_outcome: ``exitCode`` and ``reason`` of the last attempt, which decide whether it is retried.
        run: the containers of its attempt, if they really run.
        stop: why they are being stopped, or None.
        simulated: why the last attempt ran no container; empty if it did.
    """

    id: str
    name: str
    arn: str
    queue: str
    definition: str
    container: dict[str, Any]
    retry: dict[str, Any]
    timeout: int | None
    waits_for: tuple[str, ...]
    details: dict[str, Any]
    log_prefix: str
    nodes: dict[str, Any] = field(default_factory=dict)
    task: dict[str, Any] = field(default_factory=dict)
    size: int | None = None
    index: int | None = None
    status: str = "SUBMITTED"
    status_reason: str = ""
    created: float = field(default_factory=time.time)
    started: float | None = None
    stopped: float | None = None
    due: float = 0.0
    attempts: list[dict[str, Any]] = field(default_factory=list)
    host: Host | None = None
    host_ends: float | None = None
    runtimes: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended_by: str = ""
    last_outcome: dict[str, Any] = field(default_factory=dict)
    run: ContainerRun | None = None
    stop: Stop | None = None
    simulated: str = ""

    @property
    def command(self) -> list[str]:
        """Return the command, with overrides and parameters applied."""
        command: list[str] = self.container.get("command", [])
        return command

    @property
    def containers(self) -> dict[str, dict[str, Any]]:
        """Return the containers of each node by name; Batch calls the container of a job that has one ``default``."""
        return {each["name"]: each for each in self.task.get("containers") or ()} or {"default": self.container}

    @property
    def tasks(self) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Return each task of the job, on all nodes: what has its roles, and its containers."""
        if ranges := self.nodes.get("nodeRangeProperties"):
            return [(container, [container]) for each in ranges if (container := each.get("container"))]
        return [(self.task or self.container, [*self.containers.values()])]

    @property
    def images(self) -> list[str]:
        """Return the images of its containers, on all nodes."""
        return [each.get("image", "") for _, containers in self.tasks for each in containers]

    def requested(self, kind: str) -> float:
        """Return how much ``VCPU``, ``MEMORY`` (MiB) or ``GPU`` the job requires on each node."""
        old = {"VCPU": "vcpus", "MEMORY": "memory"}.get(kind, "")
        total = 0.0
        for container in self.containers.values():
            asked = [each["value"] for each in container.get("resourceRequirements", []) if each["type"] == kind]
            total += float(asked[0] if asked else container.get(old, 0))
        return total

    @property
    def node_count(self) -> int:
        """Return how many nodes the job has."""
        return int(self.nodes.get("numNodes", 1))

    @property
    def main_node(self) -> int:
        """Return the index of the main node, whose exit code decides the status of the job."""
        return int(self.nodes.get("mainNode", 0))

    @property
    def vcpus(self) -> float:
        """Return the vCPUs that the job uses in its compute environment."""
        return self.requested("VCPU") * self.node_count

    @property
    def is_placed(self) -> bool:
        """Return whether the job uses vCPUs of a compute environment."""
        return self.host is not None and self.status in ("STARTING", "RUNNING")

    @property
    def runtime(self) -> dict[str, Any]:
        """Return the run-time members of the container, or of the main node's container."""
        return self.runtimes[self.main_node if self.nodes else 0]

    def log_options(self, container: dict[str, Any]) -> dict[str, str]:
        """Return the options of a container's awslogs driver; the default log group is ``/aws/batch/job``."""
        options: dict[str, str] = container.get("logConfiguration", {}).get("options", {})
        return {"awslogs-group": "/aws/batch/job", "awslogs-stream-prefix": self.log_prefix} | options

    def log_stream(self, name: str, task: str) -> str:
        """Return the log stream of a container in an ECS task, as ``prefix/container/task``."""
        return f"{self.log_options(self.containers[name])['awslogs-stream-prefix']}/{name}/{task.rpartition('/')[2]}"

    def attempt(self) -> dict[str, Any]:
        """Return what DescribeJobs keeps of an attempt that ends now: how its container, or each of them, ended."""
        if not self.task:
            return {"container": dict(self.runtime)}
        ended = [{"name": name} | outcome for name, outcome in self.outcomes.items()]
        return {"taskProperties": [self.runtime | {"containers": ended}]}

    def place(self, host: Host) -> None:
        """Assign a place to a new attempt, which has ECS tasks from STARTING on."""
        self.host, self.host_ends = host, None
        self.started = self.stopped = None
        self.outcomes = {each["name"]: {} for each in self.task.get("containers") or ()}
        prefix = self.arn.split(":job/", maxsplit=1)[0].replace(":batch:", ":ecs:")
        self.runtimes = [{"taskArn": f"{prefix}:task/{host.cluster}/{task}"} for task in host.tasks]
        for runtime, instance in zip(self.runtimes, host.container_instances, strict=False):  # none on Fargate
            runtime["containerInstanceArn"] = f"{prefix}:container-instance/{host.cluster}/{instance}"

    def summary(self) -> dict[str, Any]:
        """Return the job as ListJobs shows it."""
        found: dict[str, Any] = {
            "jobArn": self.arn,
            "jobId": self.id,
            "jobName": self.name,
            "createdAt": milliseconds(self.created),
            "status": self.status,
            "jobDefinition": self.definition,
        }
        if self.status_reason:
            found["statusReason"] = self.status_reason
        for key, seconds in (("startedAt", self.started), ("stoppedAt", self.stopped)):
            if seconds is not None:
                found[key] = milliseconds(seconds)
        outcome = {key: self.runtime[key] for key in ("exitCode", "reason") if key in self.runtime}
        if outcome and not self.task:
            found["container"] = outcome
        if self.size is not None:
            found["arrayProperties"] = {"size": self.size}
        if self.index is not None:
            found["arrayProperties"] = {"index": self.index}
        if self.nodes:
            found["nodeProperties"] = {"numNodes": self.node_count}
        return found

    def describe(self) -> dict[str, Any]:
        """Return the job as DescribeJobs shows it, without ``statusSummary``, which needs the children of an array."""
        found = self.summary() | {
            "jobQueue": self.queue,
            "attempts": self.attempts,
            "retryStrategy": self.retry,
            "container": self.container | self.runtime,
            "isCancelled": self.ended_by == "CancelJob",
            "isTerminated": self.ended_by == "TerminateJob",
        }
        if self.timeout is not None:
            found["timeout"] = {"attemptDurationSeconds": self.timeout}
        if self.nodes:  # a multi-node job has containers only in its nodes
            found["nodeProperties"] = self.nodes
            del found["container"]
        if self.task:
            known = [each | self.outcomes.get(each["name"], {}) for each in self.task["containers"]]
            found["ecsProperties"] = {"taskProperties": [self.task | self.runtime | {"containers": known}]}
            del found["container"]
        return found | self.details

    def describe_node(self, node: int) -> dict[str, Any]:
        """Return a node of a multi-node parallel job, ``<job id>#<node>``, as DescribeJobs shows it."""
        found = self.describe()
        del found["nodeProperties"]
        known = self.runtimes[node] if node < len(self.runtimes) else {}
        container = self.container if node == self.main_node else node_container(self.nodes, node)
        return found | {
            "jobId": f"{self.id}#{node}",
            "jobArn": f"{self.arn}#{node}",
            "container": container | known,
            "nodeDetails": {"nodeIndex": node, "isMainNode": node == self.main_node},
        }


def node_container(nodes: dict[str, Any], node: int) -> dict[str, Any]:
    """Return the container of a node; of overlapping ranges, the one that starts last applies.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_NodeRangeProperty.html: ``0:3``, ``4:`` and ``5``
    """
    for each in sorted(nodes.get("nodeRangeProperties") or [], key=_first_node, reverse=True):
        first, colon, last = str(each["targetNodes"]).partition(":")
        if int(first or 0) <= node <= (int(last) if last else node if colon else int(first)):
            container: dict[str, Any] = each.get("container") or {}
            return container
    return {}


def _first_node(properties: dict[str, Any]) -> int:
    return int(str(properties["targetNodes"]).partition(":")[0] or 0)


def milliseconds(seconds: float) -> int:
    """Convert seconds to milliseconds, in which Batch gives times."""
    return int(seconds * 1000)
