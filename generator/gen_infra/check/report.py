"""What `gen-infra check` found, and how to say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["failed", "skipped"]


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What is known of the check behind a finding.

    Attributes:
        id: such as ``CKV_AWS_7`` or ``GI_KMS_1``.
        title: what must hold.
        remedy: what to do when it does not; empty for a tool that does not say.
        source: an address where that is explained; empty likewise.
        severity: ``high``, ``medium`` or ``low``.
    """

    id: str
    title: str
    remedy: str = ""
    source: str = ""
    severity: str = "medium"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a tool objects to (``failed``) or was told to accept (``skipped``, with the reason).

    Attributes:
        level: which of the two.
        message: a sentence.
        where: for people: the resource, the file and line, or both.
        rule: the check, where the tool has checks with ids.
        address: the resource, as terraform names it.
        file: relative to the environment's folder.
        line: from 1; 0 where only the file is known.
        reason: why it is skipped.
    """

    level: Level
    message: str
    where: str = ""
    rule: RuleInfo | None = None
    address: str = ""
    file: str = ""
    line: int = 0
    reason: str = ""


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
