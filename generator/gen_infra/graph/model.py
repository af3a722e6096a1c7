"""The values that a picture is drawn from: nodes in columns, and edges between them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

NodeKind: TypeAlias = Literal[
    "network",
    "image",
    "repositories",
    "key",
    "existing",
    "compute",
    "access",
    "functions",
    "queue",
    "workflow",
    "notifications",
    "job",
    "engine",
    "bucket",
    "file_system",
    "logs",
    "other",
]
PlannedChange: TypeAlias = Literal["created", "changed", "replaced", "deleted"]
Direction: TypeAlias = Literal["forward", "back", "both"]

# From left to right, and from top to bottom where nothing else decides.
COLUMNS: tuple[tuple[NodeKind, ...], ...] = (
    ("network", "image", "repositories", "key", "existing", "other"),
    ("compute", "functions", "access"),
    ("queue", "workflow", "notifications"),
    ("job", "engine"),
    ("bucket", "file_system", "logs"),
)

# What a node is, in the vendor's words.
LABELS: dict[NodeKind, str] = {
    "network": "network",
    "image": "machine image",
    "repositories": "ECR repositories",
    "key": "KMS key",
    "existing": "existed before",
    "compute": "compute environment",
    "access": "access role",
    "functions": "Lambda functions",
    "queue": "job queue",
    "workflow": "workflow",
    "notifications": "notifications",
    "job": "job definition",
    "engine": "workflow engine",
    "bucket": "S3 bucket",
    "file_system": "file system",
    "logs": "log groups",
    "other": "other changes",
}


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One part of an environment.

    Args:
        id: such as ``job-isaac``: letters, digits, ``_`` and ``-``.
        kind: which part it is.
        name: such as ``isaac-prod``.
        details: more lines, each a few words.
        role: the IAM role that it runs as; empty without one.
        key: where the manifest describes it, such as ``jobs.isaac``; empty for what follows from other keys.
        file: the manifest file of that key; empty for a default.
        line: the line in it, from 1; 0 for a default.
        addresses: Terraform's addresses of its modules and resources, the one that decides what it is first; empty for
            what Terraform does not manage.
        change: what the plan does to it; None where it stays as it is, or without a plan.
        members: what is folded into it; empty for all others.
    """

    id: str
    kind: NodeKind
    name: str
    details: tuple[str, ...] = ()
    role: str = ""
    key: str = ""
    file: str = ""
    line: int = 0
    addresses: tuple[str, ...] = ()
    change: PlannedChange | None = None
    members: tuple[GraphNode, ...] = ()

    @property
    def label(self) -> str:
        """Return what it is, such as ``job queue``."""
        return LABELS[self.kind]

    @property
    def place(self) -> str:
        """Return text such as ``envs/base.yaml:26``; empty for a default."""
        return f"{self.file}:{self.line}" if self.file else ""


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """Which node serves, runs or reads which other one.

    Args:
        source: the id of the node on the left.
        target: the id of the node on the right.
        title: what it means, as a sentence without a full stop.
        direction: which end has an arrow; between jobs and their data, where the data goes.
        is_indirect: whether the line is dashed: what a workflow does, beside what the manifest says of the job itself.
    """

    source: str
    target: str
    title: str
    direction: Direction = "forward"
    is_indirect: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """An environment as a picture shows it.

    Args:
        name: the environment's name.
        account: its account's id.
        region: its region.
        nodes: the parts, in the manifest's order; queues by priority.
        edges: in the order of their nodes.
        is_plan: whether it shows what a plan changes.
    """

    name: str
    account: str
    region: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    is_plan: bool = False

    @property
    def title(self) -> str:
        """Return the heading."""
        return f"Planned changes of {self.name}" if self.is_plan else self.name

    @property
    def subtitle(self) -> str:
        """Return the line below the heading."""
        return f"account {self.account}, {self.region}"

    @property
    def description(self) -> str:
        """Return what the picture shows, for readers who do not see it."""
        parts = ", ".join(f"{label} {', '.join(names)}" for label, names in self._names().items())
        changes = f" The plan changes: {'; '.join(self._changes()) or 'nothing'}." if self.is_plan else ""
        return f"AWS Batch environment {self.name} in {self.subtitle}: {parts}.{changes}"

    def _names(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for node in self.nodes:
            names.setdefault(node.label, []).append(node.name)
        return names

    def _changes(self) -> list[str]:
        return [f"{node.label} {node.name} is {node.change}" for node in self.nodes if node.change]

    def column(self, number: int) -> list[GraphNode]:
        """Return the nodes of a column."""
        return [node for kind in COLUMNS[number] for node in self.nodes if node.kind == kind]

    def to_dict(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)
