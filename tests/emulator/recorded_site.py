"""An applied environment whose plans are compared with the record of the manifest that was applied last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

    from tests.emulator.session import Site


class RecordedSite:
    """One applied environment in an account of its own."""

    def __init__(self, site: Site) -> None:
        self.site, self.aws = site, site.aws
        self.manifest = site.folder / "small.yaml"
        self.cost: dict[str, Any] = {}  # of the last plan

    def run(self, command: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = self.site.run(command, "small.yaml", *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def causes(self) -> tuple[dict[str, list[str]], list[str]]:
        """Return what a plan changes, each with the manifest's keys behind it; and the keys behind nothing."""
        answer: dict[str, Any] = json.loads(self.run("plan", "--json").stdout)
        assert answer["has_changes"] == bool(answer["changes"])
        self.cost = answer["cost"]
        behind = {change["address"]: [cause["key"] for cause in change["causes"]] for change in answer["changes"]}
        return behind, [change["key"] for change in answer["without_effect"]]
