"""Describe the results of `gen-infra check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["failed", "skipped"]


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """The check behind a finding.

    Attributes:
        id: such as ``CKV_AWS_7`` or ``GI_KMS_1``.
        title: the requirement.
        remedy: how to fix it; empty if the tool does not say.
        source: the address of an explanation; empty if there is none.
        severity: ``high``, ``medium`` or ``low``.
    """

    id: str
    title: str
    remedy: str = ""
    source: str = ""
    severity: str = "medium"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem that a tool reports (``failed``), or that is accepted (``skipped``, with the reason).

    Attributes:
        level: ``failed`` or ``skipped``.
        message: a sentence.
        where: the resource, the file and line, or both, in words.
        rule: the check, if the tool has checks with ids.
        address: terraform's address of the resource.
        file: relative to the environment's folder.
        line: from 1; 0 if only the file is known.
        reason: why it is accepted.
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
    """The result of one tool.

    Args:
        name: such as ``checkov (plan)``.
        summary: what was checked, with numbers.
        findings: empty if there are no problems.
        not_run: why the tool was not run; then there is no result.
    """

    name: str
    summary: str = ""
    findings: tuple[Finding, ...] = ()
    not_run: str = ""

    @property
    def failed(self) -> bool:
        """Return whether any finding has failed."""
        return any(finding.level == "failed" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The results of all tools."""

    checks: tuple[Check, ...]

    @property
    def failed(self) -> bool:
        """Return whether any check has failed."""
        return any(check.failed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the report for ``--json``."""
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
