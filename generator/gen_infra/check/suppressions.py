"""Apply the suppressions of the manifest and of the policy file: accepted findings, with a reason and an expiry date.

A suppression turns a failed finding into a skipped one, for its check and the addresses that it matches. A suppression
that has expired, or that no longer matches anything, is a failed finding itself. It counts as unneeded only if the tool
of its check has read both the source and the plan; the other tools do not matter.

A manifest may come from outside, so its suppressions have limits: they expire within a year, cannot accept a check of
`privileges`, and can be compared with those of a base. The policy file has no such limits. It serves several
environments, so a suppression there may accept nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gen_infra.check.access import ACCESS, ACCESS_RULE
from gen_infra.check.host_scripts import HOST_SCRIPT_RULE
from gen_infra.check.host_scripts import NAME as SCRIPTS
from gen_infra.check.images import IMAGE_RULE, IMAGES
from gen_infra.check.privileges import PRIVILEGE_CHECKS
from gen_infra.check.report import Check, Finding
from gen_infra.check.secrets import DETECTOR, SECRET_RULE
from gen_infra.iam.matching import with_any_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_infra.manifest.model.settings import Suppression

_NAME = "suppressions"
_LONGEST = timedelta(days=366)


def suppressed(
    checks: Sequence[Check],
    suppressions: Sequence[Suppression],
    today: date,
    *,
    policy: Sequence[Suppression] = (),
    base: Sequence[Suppression] | None = None,
) -> tuple[Check, ...]:
    """Apply the suppressions, and add a separate result if there are any.

    Args:
        checks: the results of all tools.
        suppressions: of the manifest.
        today: decides which of them have expired.
        policy: the suppressions of the policy file.
        base: the suppressions of the manifest that this one is compared with; None if it is not compared.
    """
    if not suppressions and not policy:
        return tuple(checks)
    objections = {each: objection for each in suppressions if (objection := _objection(each, today, base))}
    objections |= {each: _expired(each) for each in policy if _has_expired(each, today)}
    valid = [each for each in (*suppressions, *policy) if each not in objections]
    findings = [finding for check in checks for finding in check.findings]
    unneeded = [
        _unneeded(each, checks)
        for each in suppressions
        if each in valid and not any(_accepts(each, finding) for finding in findings)
    ]
    messages = [*(Finding("failed", why, each.resource) for each, why in objections.items()), *unneeded]
    counts = f"{len(suppressions)} in the manifest, {len(objections)} not accepted, {len(unneeded)} unneeded"
    summary = f"{counts}, {len(policy)} in the policy file" if policy else counts
    return (*(_with_suppressions(check, valid) for check in checks), Check(_NAME, summary, tuple(messages)))


def _objection(suppression: Suppression, today: date, base: Sequence[Suppression] | None) -> str:
    """Return why a suppression of the manifest is not applied; empty if it is."""
    if _has_expired(suppression, today):
        return _expired(suppression)
    named = f"the suppression of {suppression.check}"
    if suppression.check in PRIVILEGE_CHECKS:
        return (
            f"{named} is not for a manifest, because the check protects hosts or the account: "
            "fix what it reports, or let an owner of the policy file add it there (--policy FILE)"
        )
    if date.fromisoformat(suppression.expires) > today + _LONGEST:
        latest = today + _LONGEST
        return f"{named} expires on {suppression.expires}: use a date within a year, {latest} at the latest"
    if base is not None and not any(_covers(old, suppression) for old in base):
        return f"new suppression of {suppression.check}: the manifest of --against has none with this pattern and date"
    return ""


def _covers(old: Suppression, new: Suppression) -> bool:
    """Return whether the new one accepts no more than the old one; dates in this form are in text order."""
    return (old.check, old.resource) == (new.check, new.resource) and old.expires >= new.expires


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
    pattern = with_any_text([re.escape(part) for part in suppression.resource.split("*")])
    return re.fullmatch(pattern, finding.address, re.DOTALL) is not None


def _has_expired(suppression: Suppression, today: date) -> bool:
    return date.fromisoformat(suppression.expires) < today


def _expired(suppression: Suppression) -> str:
    return f"the suppression of {suppression.check} expired on {suppression.expires}: fix what it accepts, or renew it"


def _unneeded(suppression: Suppression, checks: Sequence[Check]) -> Finding:
    """Report a suppression without a match; it may be needed by a scan of its tool that was not run."""
    message = f"the suppression of {suppression.check} accepts nothing"
    scans = _scans(suppression.check)
    if scans <= {check.name for check in checks if not check.not_run}:
        return Finding("failed", f"{message}: remove it from the manifest", suppression.resource)
    return Finding("skipped", f"{message} in the scans that were run", suppression.resource)


def _scans(check_id: str) -> frozenset[str]:
    """Return the names of the scans that run the check."""
    own = {SECRET_RULE.id: DETECTOR, HOST_SCRIPT_RULE.id: SCRIPTS, IMAGE_RULE.id: IMAGES, ACCESS_RULE.id: ACCESS}
    if check_id in own:
        return frozenset({own[check_id]})
    tool = "gen-infra" if check_id.startswith("GI_") else "checkov"
    return frozenset({f"{tool} (source)", f"{tool} (plan)"})
