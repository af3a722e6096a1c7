"""What a Batch job is, and what DescribeJobs and ListJobs say of it.

https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Host:
    """Where an attempt runs: one task for each node and, except on Fargate, an instance of its own for each.

    Args:
        environment: the ARN of the compute environment.
        cluster: the name of its ECS cluster.
        tasks: ids of ECS's tasks.
        container_instances: ids of the instances in the cluster; none on Fargate.
        instances: their ids in EC2, made up, because the emulator starts none.
    """

    environment: str
    cluster: str
    tasks: tuple[str, ...]
    container_instances: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()

    @classmethod
    def in_environment(cls, environment: str, cluster: str, *, nodes: int, fargate: bool) -> Host:
        """A new place there."""
        tasks, others = (tuple(secrets.token_hex(16) for _ in range(nodes)) for _ in range(2))
        if fargate:
            return cls(environment, cluster, tasks)
        return cls(environment, cluster, tasks, others, tuple(f"i-{secrets.token_hex(9)[1:]}" for _ in range(nodes)))


@dataclass
class Job:
    """One job: a single one, an array's parent (``size``), or an array's child (``index``); times are epoch seconds.

    Args:
        container: ``containerProperties`` of the definition after the submission's overrides; the main node's.
        retry: ``retryStrategy``; its rules' actions are lower case, as Batch keeps them.
        timeout: seconds that an attempt may run, or None.
        waits_for: ids of the jobs that must succeed first.
        details: what DescribeJobs gives back as it was submitted: tags, parameters, share identifier and so on.
        nodes: ``nodeProperties`` of a multi-node parallel job, else empty.
        host: where the last attempt was placed.
        host_ends: when its host will be taken away, or None.
        runtimes: what is known of its container while and after it runs, of each node.
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
    ended_by: str = ""

    @property
    def command(self) -> list[str]:
        """The command after overrides and parameters."""
        command: list[str] = self.container.get("command", [])
        return command

    def asks(self, kind: str) -> float:
        """How much of ``VCPU``, ``MEMORY`` (MiB) or ``GPU`` it asks for, on each node."""
        asked = [each["value"] for each in self.container.get("resourceRequirements", []) if each["type"] == kind]
        old = {"VCPU": "vcpus", "MEMORY": "memory"}.get(kind, "")
        return float(asked[0] if asked else self.container.get(old, 0))

    @property
    def node_count(self) -> int:
        """How many instances it needs at once."""
        return int(self.nodes.get("numNodes", 1))

    @property
    def main_node(self) -> int:
        """The index of the node whose container decides how the job ends."""
        return int(self.nodes.get("mainNode", 0))

    @property
    def vcpus(self) -> float:
        """The vCPUs that the job takes of its compute environment's maximum."""
        return self.asks("VCPU") * self.node_count

    @property
    def is_placed(self) -> bool:
        """It occupies a compute environment."""
        return self.host is not None and self.status in ("STARTING", "RUNNING")

    @property
    def runtime(self) -> dict[str, Any]:
        """What is known of its container, or its main node's."""
        return self.runtimes[self.main_node if self.nodes else 0]

    @property
    def log_options(self) -> dict[str, str]:
        """The options of the awslogs driver; Batch logs to ``/aws/batch/job`` where the definition names no group."""
        options: dict[str, str] = self.container.get("logConfiguration", {}).get("options", {})
        return {"awslogs-group": "/aws/batch/job"} | options

    def place(self, host: Host) -> None:
        """Take the place for a new attempt: each has a task from STARTING on."""
        self.host, self.host_ends = host, None
        self.started = self.stopped = None
        prefix = self.arn.split(":job/", maxsplit=1)[0].replace(":batch:", ":ecs:")
        self.runtimes = [{"taskArn": f"{prefix}:task/{host.cluster}/{task}"} for task in host.tasks]
        for runtime, instance in zip(self.runtimes, host.container_instances, strict=False):  # none on Fargate
            runtime["containerInstanceArn"] = f"{prefix}:container-instance/{host.cluster}/{instance}"

    def summary(self) -> dict[str, Any]:
        """The job as ListJobs gives it."""
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
        for key, moment in (("startedAt", self.started), ("stoppedAt", self.stopped)):
            if moment is not None:
                found[key] = milliseconds(moment)
        if outcome := {key: self.runtime[key] for key in ("exitCode", "reason") if key in self.runtime}:
            found["container"] = outcome
        if self.size is not None:
            found["arrayProperties"] = {"size": self.size}
        if self.index is not None:
            found["arrayProperties"] = {"index": self.index}
        if self.nodes:
            found["nodeProperties"] = {"numNodes": self.node_count}
        return found

    def describe(self) -> dict[str, Any]:
        """The job as DescribeJobs gives it; an array's parent lacks its ``statusSummary``, which needs the children."""
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
        if self.nodes:  # a multi-node job has a container in each of its nodes, and none of its own
            found["nodeProperties"] = self.nodes
            del found["container"]
        return found | self.details

    def describe_node(self, node: int) -> dict[str, Any]:
        """One node of a multi-node parallel job, ``<job id>#<node>``, as DescribeJobs gives it."""
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
    """The container of a node; where ranges overlap, the one that begins last is meant.

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


def milliseconds(moment: float) -> int:
    """As Batch writes times."""
    return int(moment * 1000)
