"""Terraform's plans: the one that is kept beside the rendered files, and what one says."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gen_infra.explain.causes import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ENVIRONMENT = "aws_batch_compute_environment"


@dataclass(frozen=True)
class SavedPlan:
    """A plan on disk, and what it was made from.

    The plan holds values of the state, so its folder is for its owner only.
    """

    folder: Path

    @property
    def path(self) -> Path:
        """The file that terraform applies."""
        return self.folder / "tfplan"

    @property
    def _record(self) -> Path:
        return self.folder / "made-from.json"

    def prepare(self) -> None:
        """An empty folder for a new plan."""
        self.discard()
        self.folder.mkdir(mode=0o700, parents=True)

    def record(self, files: str, *, destroy: bool) -> None:
        """Note the hash of the files that it was made from; without this note a plan counts for nothing."""
        self._record.write_text(json.dumps({"files": files, "destroy": destroy}))

    def spend(self) -> None:
        """It is about to be applied, once, whole or in part: whoever finds it after a kill is to plan again."""
        self._record.unlink(missing_ok=True)

    def is_current(self, files: str) -> bool:
        """Whether the plan was made from the files with this hash, to apply them."""
        try:
            made_from = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return False
        return made_from == {"files": files, "destroy": False} and self.path.is_file()

    def discard(self) -> None:
        """Forget the plan."""
        if self.folder.exists():
            shutil.rmtree(self.folder)


@dataclass(frozen=True)
class Plan:
    """What terraform would do, as ``terraform show -json`` tells it."""

    content: Mapping[str, Any] = field(repr=False)

    @property
    def has_changes(self) -> bool:
        """Whether a resource or an output changes; the record of the manifest alone is no change."""
        resources = [each["change"] for each in self._resources if each["address"] != RECORD]
        outputs = self.content.get("output_changes", {}).values()
        return any(change["actions"] not in (["no-op"], ["read"]) for change in [*resources, *outputs])

    @property
    def going_environments(self) -> dict[str, str]:
        """The compute environments that it deletes, whatever takes their place: full name to address."""
        return {
            resource["change"]["before"]["compute_environment_name"]: resource["address"]
            for resource in self._resources
            if resource["type"] == _ENVIRONMENT and "delete" in resource["change"]["actions"]
        }

    @property
    def deletes_more_than_environments(self) -> bool:
        """Whether something else goes with them, such as a role."""
        return any(
            "delete" in resource["change"]["actions"] and resource["type"] != _ENVIRONMENT
            for resource in self._resources
        )

    @property
    def has_replaced_environment(self) -> bool:
        """Whether it deletes a compute environment that an earlier run has replaced (``deposed``)."""
        return any(resource["type"] == _ENVIRONMENT and "deposed" in resource for resource in self._resources)

    @property
    def addresses_that_stay(self) -> tuple[str, ...]:
        """The addresses of what it creates, updates or replaces."""
        return tuple(address for address, actions in self._actions() if actions - {"delete"})

    def is_part_of(self, other: Plan) -> bool:
        """Whether it does nothing that the other plan does not do."""
        planned: dict[str, set[str]] = {}
        for address, actions in other._actions():
            planned.setdefault(address, set()).update(actions)
        return all(actions <= planned.get(address, set()) for address, actions in self._actions())

    @property
    def _resources(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.content.get("resource_changes", [])
        return found

    def _actions(self) -> Iterator[tuple[str, set[str]]]:
        for resource in self._resources:
            yield resource["address"], {*resource["change"]["actions"]} - {"no-op", "read"}

    @property
    def destroyed_job_definitions(self) -> list[str]:
        """The names of the job definitions that go and do not come back."""
        return [
            resource["change"]["before"]["name"]
            for resource in self._resources
            if resource["type"] == "aws_batch_job_definition" and resource["change"]["actions"] == ["delete"]
        ]
