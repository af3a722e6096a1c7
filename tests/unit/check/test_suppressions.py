"""Suppressions of the manifest: exactly one check, exactly those resources, until that day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest

from gen_infra.check.report import Check, Finding, RuleInfo
from gen_infra.check.suppressions import suppressed
from gen_infra.errors import UsageError
from gen_infra.manifest.model.settings import Suppression
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 6, 30)
SUPPRESSION = Suppression(
    check="CKV_AWS_338", resource='aws_log.g["*"]', reason="three months are enough", expires="2026-06-30"
)
FINDING = Finding("failed", "too short", "g", RuleInfo("CKV_AWS_338", "long"), 'aws_log.g["a"]')
CHECK = Check("checkov (source)", "1 failed", (FINDING,))


def test_a_suppression_accepts_its_finding_up_to_its_last_day_and_gives_the_reason() -> None:
    check, own = suppressed([CHECK], [SUPPRESSION], TODAY)

    (finding,) = check.findings
    assert not check.failed
    assert finding.level == "skipped"
    assert finding.message == "CKV_AWS_338: three months are enough (until 2026-06-30)"
    assert own.findings == ()


@pytest.mark.parametrize(
    "other",
    [
        replace(FINDING, rule=RuleInfo("CKV_AWS_33", "other")),
        replace(FINDING, address="module.m.aws_log.g"),
        replace(FINDING, rule=None),
    ],
)
def test_it_accepts_nothing_else(other: Finding) -> None:
    checks = suppressed([Check("checkov", "", (FINDING, other))], [SUPPRESSION], TODAY)

    assert [finding.level for finding in checks[0].findings] == ["skipped", "failed"]


def test_an_expired_one_fails_and_accepts_nothing() -> None:
    check, own = suppressed([CHECK], [SUPPRESSION], date(2026, 7, 1))

    assert check.failed
    assert [finding.message for finding in own.findings] == [
        "the suppression of CKV_AWS_338 expired on 2026-06-30: fix what it accepts, or renew it"
    ]
    assert own.failed


ALL = ("checkov (source)", "gen-infra (source)", "checkov (plan)", "gen-infra (plan)", "packer validate")


@pytest.mark.parametrize(
    ("check", "missing", "level"),
    [
        ("CKV_AWS_338", (), "failed"),
        ("CKV2_AWS_5", ("packer validate",), "failed"),
        ("CKV_AWS_338", ("gen-infra (source)", "gen-infra (plan)"), "failed"),
        ("CKV_AWS_338", ("checkov (plan)", "gen-infra (plan)"), "skipped"),
        ("GI_NET_1", (), "failed"),
        ("GI_NET_1", ("packer validate", "checkov (source)", "checkov (plan)"), "failed"),
        ("GI_NET_1", ("checkov (plan)", "gen-infra (plan)"), "skipped"),
    ],
)
def test_one_that_accepts_nothing_fails_once_its_own_tool_has_read_everything(
    check: str, missing: tuple[str, ...], level: str
) -> None:
    checks = [Check(name, not_run="no way" if name in missing else "") for name in ALL]

    *_, own = suppressed(checks, [msgspec.structs.replace(SUPPRESSION, check=check)], TODAY)

    said = {"failed": "nothing: remove it from the manifest", "skipped": "nothing in the scans that were run"}[level]
    assert [(finding.level, finding.message) for finding in own.findings] == [
        (level, f"the suppression of {check} accepts {said}")
    ]


def test_a_scan_that_does_not_even_appear_was_not_run() -> None:
    *_, own = suppressed([Check("checkov (source)")], [SUPPRESSION], TODAY)

    assert not own.failed


def test_without_suppressions_nothing_changes() -> None:
    assert suppressed([CHECK], [], TODAY) == (CHECK,)


def changed_suppression(**changes: str) -> Suppression:
    return msgspec.structs.replace(SUPPRESSION, **changes)


@pytest.mark.parametrize("check", ["GI_BATCH_2", "GI_IAM_2", "GI_KMS_1", "CKV_AWS_210", "CKV2_AWS_40"])
def test_only_the_policy_file_accepts_what_gives_power_over_hosts_or_the_account(check: str) -> None:
    finding = replace(FINDING, rule=RuleInfo(check, "power"))
    accepted = changed_suppression(check=check)

    refused, own = suppressed([Check("x", "", (finding,))], [accepted], TODAY)
    by_policy, of_policy = suppressed([Check("x", "", (finding,))], [], TODAY, policy=[accepted])

    assert refused.failed
    assert [(each.level, each.where) for each in own.findings] == [("failed", accepted.resource)]
    assert f"the suppression of {check} is not for a manifest" in own.findings[0].message
    assert "--policy FILE" in own.findings[0].message
    assert not by_policy.failed
    assert not of_policy.failed


@pytest.mark.parametrize(("expires", "accepted"), [("2027-07-01", True), ("2027-07-02", False), ("9999-12-31", False)])
def test_one_expires_within_a_year(expires: str, accepted: bool) -> None:
    check, own = suppressed([CHECK], [changed_suppression(expires=expires)], TODAY)

    assert check.failed is own.failed is not accepted
    if not accepted:
        assert f"expires on {expires}: use a date within a year, 2027-07-01 at the latest" in own.findings[0].message


@pytest.mark.parametrize(
    ("base", "accepted"),
    [
        ([SUPPRESSION], True),
        ([changed_suppression(reason="other words say it", expires="2026-12-31")], True),
        ([changed_suppression(resource="aws_log.g[0]")], False),
        ([changed_suppression(expires="2026-06-29")], False),
        ([changed_suppression(check="GI_NET_3")], False),
        ([], False),
    ],
)
def test_against_a_base_none_is_new_or_wider(base: list[Suppression], accepted: bool) -> None:
    check, own = suppressed([CHECK], [SUPPRESSION], TODAY, base=base)

    assert check.failed is own.failed is not accepted
    assert accepted or "new suppression of CKV_AWS_338: the manifest of --against has none" in own.findings[0].message


def test_one_of_the_policy_file_fails_once_it_has_expired_but_may_be_unneeded() -> None:
    unneeded = changed_suppression(check="GI_NET_1")
    expired = changed_suppression(expires="2026-06-29")
    checks = [Check(name) for name in ALL]

    *_, own = suppressed(checks, [], TODAY, policy=[unneeded, expired])

    assert [finding.message for finding in own.findings] == [
        "the suppression of CKV_AWS_338 expired on 2026-06-29: fix what it accepts, or renew it"
    ]


def test_they_come_from_the_manifest(tmp_path: Path) -> None:
    entry = {
        "check": "GI_NET_3",
        "resource": "aws_security_group.*",
        "reason": "a proxy is to come",
        "expires": "2026-12-31",
    }

    assert accept(tmp_path, suppressions=[entry]).suppressions[0].expires == "2026-12-31"
    for wrong, said in (
        ({"expires": "2026-02-30"}, 'invalid date "2026-02-30": the month has no such day'),
        ({"expires": "soon"}, "a date in quotes"),
        ({"reason": ""}, "reason"),
        ({"reason": "          "}, "does not say why the finding is accepted; use at least 3 words"),
        ({"reason": "xxxxxxxxxxxxxxxxxxx ok"}, "use at least 3 words"),
        ({"resource": "***"}, r'"\*\*\*" matches almost every resource'),
        ({"resource": "*.**"}, r"name a type, a module or a key, such as aws_batch_job_definition\.\*"),
        ({"resource": "aws*"}, "matches almost every resource"),
        ({"resource": "*aws_*"}, "matches almost every resource"),
        ({"resource": "jobs.*"}, "matches almost every resource"),
        ({"resource": "*.this"}, "matches almost every resource"),
        ({"reason": "because because because"}, "use at least 3 words"),
        ({"check": "everything"}, "a check's id"),
    ):
        with pytest.raises(UsageError, match=said):
            accept(tmp_path, suppressions=[{**entry, **wrong}])


def test_a_pattern_of_many_wildcards_is_matched_at_once() -> None:
    """With backtracking this takes longer than the tests may."""
    address = "aws_log." + "a" * 240
    for end, level in (("*b", "failed"), ("*", "skipped")):
        pattern = msgspec.structs.replace(SUPPRESSION, resource="aws_log." + "*a" * 60 + end)
        [check, _] = suppressed([Check("checkov", "", (replace(FINDING, address=address),))], [pattern], TODAY)
        assert [finding.level for finding in check.findings] == [level]
