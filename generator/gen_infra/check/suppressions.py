"""Apply the manifest's suppressions: findings that are accepted, with a reason and an expiry date.

A suppression turns a failed finding into a skipped one, for its check and the addresses that it matches. A suppression
that has expired, or that no longer matches anything, is a failed finding itself. It counts as unneeded only if the tool
of its check has read both the source and the plan; the other tools do not matter.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from gen_infra.check.report import Check, Finding
from gen_infra.check.secrets import DETECTOR, SECRET_RULE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_infra.manifest.model.manifest import Suppression

_NAME = "suppressions"


def suppressed(checks: Sequence[Check], suppressions: Sequence[Suppression], today: date) -> tuple[Check, ...]:
    """Apply the suppressions, and add a separate result if there are any."""
    if not suppressions:
        return tuple(checks)
    valid = [each for each in suppressions if date.fromisoformat(each.expires) >= today]
    findings = [finding for check in checks for finding in check.findings]
    own = [
        _expired(each) if each not in valid else _unneeded(each, checks)
        for each in suppressions
        if each not in valid or not any(_accepts(each, finding) for finding in findings)
    ]
    verdict = Check(_NAME, f"{len(suppressions)} in the manifest, {len(own)} expired or unneeded", tuple(own))
    return (*(_with_suppressions(check, valid) for check in checks), verdict)


def _with_suppressions(check: Check, valid: Sequence[Suppression]) -> Check:
    return replace(check, findings=tuple(_judged(finding, valid) for finding in check.findings))


def _judged(finding: Finding, valid: Sequence[Suppression]) -> Finding:
    accepting = next((each for each in valid if _accepts(each, finding)), None)
    if accepting is None:
        return finding
    message = f"{accepting.check}: {accepting.reason} (until {accepting.expires})"
    return replace(finding, level="skipped", message=message, reason=accepting.reason)


def _accepts(suppression: Suppression, finding: Finding) -> bool:
    if finding.level != "failed" or finding.rule is None or finding.rule.id != suppression.check:
        return False
    pattern = ".*".join(map(re.escape, suppression.resource.split("*")))
    return re.fullmatch(pattern, finding.address, re.DOTALL) is not None


def _expired(suppression: Suppression) -> Finding:
    message = (
        f"the suppression of {suppression.check} expired on {suppression.expires}: fix what it accepts, or renew it"
    )
    return Finding("failed", message, suppression.resource)


def _unneeded(suppression: Suppression, checks: Sequence[Check]) -> Finding:
    """Report a suppression without a match; it may be needed by a scan of its tool that was not run."""
    message = f"the suppression of {suppression.check} accepts nothing"
    scans = _scans(suppression.check)
    if scans <= {check.name for check in checks if not check.not_run}:
        return Finding("failed", f"{message}: remove it from the manifest", suppression.resource)
    return Finding("skipped", f"{message} in the scans that were run", suppression.resource)


def _scans(check_id: str) -> frozenset[str]:
    """Return the names of the scans that run the check."""
    if check_id == SECRET_RULE.id:
        return frozenset({DETECTOR})
    tool = "gen-infra" if check_id.startswith("GI_") else "checkov"
    return frozenset({f"{tool} (source)", f"{tool} (plan)"})
