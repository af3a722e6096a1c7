"""What the supervisor of an attempt is given, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ContainerPlan:
    """A container.

    Args:
        name: its name in the task.
        id: 64 hexadecimal digits, as Docker's; the image's runtime wrapper removes the scratch folder of that name.
        image: the image's root file system.
        config: the OCI runtime configuration.
        output: the number of the open file for its output.
        waits_for: names of other containers, with the condition START, COMPLETE or SUCCESS.
    """

    name: str
    id: str
    image: str
    config: dict[str, Any]
    output: int
    essential: bool = True
    waits_for: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NodePlan:
    """A node: an instance with a disk and a network of its own.

    Args:
        folder: the disk is mounted in ``<folder>/disk``.
        folders: folders to make on the disk, with their modes.
    """

    index: int
    folder: str
    disk_mib: int
    folders: dict[str, int]
    containers: list[ContainerPlan]


@dataclass(frozen=True)
class AttemptPlan:
    """An attempt of a job.

    Args:
        port: the emulator's.
        folder: of the attempt.
        wrapper: the image's runtime wrapper.
        scratch: the path on the disk of a node that the wrapper takes for the scratch disk.
        stop_seconds: the time between SIGTERM and SIGKILL.
    """

    port: int
    folder: str
    wrapper: str
    scratch: str
    stop_seconds: float
    main_node: int
    nodes: list[NodePlan]

    def write(self, file: Path) -> None:
        """Write the plan."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> AttemptPlan:
        """Read a plan that `write` has written."""
        content = json.loads(file.read_text(encoding="utf-8"))
        nodes = [
            NodePlan(**node | {"containers": [ContainerPlan(**each) for each in node["containers"]]})
            for node in content.pop("nodes")
        ]
        return cls(**content, nodes=nodes)
