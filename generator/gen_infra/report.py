"""What `gen-infra check` found, and how to say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a tool objects to (``failed``) or was told to accept (``skipped``, with the reason)."""

    level: Level
    message: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One tool's verdict.

    Args:
        name: such as ``checkov (plan)``.
        summary: what was looked at, with figures.
        findings: empty when all is well.
        not_run: why the tool was not used; then there is no verdict.
    """

    name: str
    summary: str = ""
    findings: tuple[Finding, ...] = ()
    not_run: str = ""

    @property
    def failed(self) -> bool:
        """Whether anything stands against the files."""
        return any(finding.level == "failed" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every tool's verdict."""

    checks: tuple[Check, ...]

    @property
    def failed(self) -> bool:
        """Whether any tool objects."""
        return any(check.failed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "failed": self.failed,
            "checks": [
                {
                    "name": check.name,
                    "result": "not run" if check.not_run else "failed" if check.failed else "passed",
                    "summary": check.not_run or check.summary,
                    "findings": [
                        {"level": finding.level, "message": finding.message, "where": finding.where}
                        for finding in check.findings
                    ],
                }
                for check in self.checks
            ],
        }
