"""What other programs read: each report is valid for its readers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from gen_infra.check.formats import FORMATS, to_json, to_junit, to_sarif, to_text, write_atomically
from gen_infra.check.report import Check, CheckReport, Finding, RuleInfo
from tests.sarif import problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = RuleInfo("GI_KMS_1", "bound", "bind it", "https://example.com/kms", "high")
LOG = RuleInfo("CKV_AWS_338", "Ensure logs stay")
REPORT = CheckReport(
    (
        Check("terraform fmt", "3 files", (Finding("failed", "is not formatted", "a.tf", file="terraform/a.tf"),)),
        Check(
            "gen-infra (source)",
            "30 checks",
            (
                Finding(
                    "failed", 'any <principal> & "out"\x1b', "k (m.tf:3)", KEY, "aws_kms_key.k", "terraform/m.tf", 3
                ),
                Finding("failed", "again", "l", KEY, "aws_kms_key.l"),
                Finding("skipped", "CKV_AWS_338: a decision", "g", LOG, "aws_cloudwatch_log_group.g", reason="because"),
            ),
        ),
        Check("terraform validate", "the whole configuration"),
        Check("checkov (plan)", not_run="no credentials"),
    )
)


@pytest.mark.parametrize("report", [REPORT, CheckReport(())], ids=["findings", "empty"])
def test_sarif_is_valid(report: CheckReport) -> None:
    assert problems(to_sarif(report)) == []


@pytest.mark.parametrize(
    ("key", "wrong"), [("level", "high"), ("ruleIndex", "0"), ("message", {}), ("locations", [{"file": "main.tf"}])]
)
def test_an_invalid_sarif_report_is_detected(key: str, wrong: object) -> None:
    log = json.loads(to_sarif(REPORT))
    log["runs"][0]["results"][0][key] = wrong

    assert any(key in problem for problem in problems(json.dumps(log)))


def test_sarif_has_rule_place_and_suppression() -> None:
    _, own, validate, plan = json.loads(to_sarif(REPORT))["runs"]
    bound, again, kept = own["results"]

    assert [rule["id"] for rule in own["tool"]["driver"]["rules"]] == ["GI_KMS_1", "CKV_AWS_338"]
    assert own["tool"]["driver"]["rules"][0]["helpUri"] == "https://example.com/kms"
    assert (bound["level"], bound["ruleIndex"], again["ruleIndex"], kept["ruleIndex"]) == ("error", 0, 0, 1)
    physical = bound["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "terraform/m.tf"
    assert physical["region"] == {"startLine": 3}
    assert again["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "aws_kms_key.l", "kind": "resource"}]}]
    assert kept["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "because"}]
    assert "suppressions" not in bound
    assert validate["results"] == []
    assert plan["invocations"][0]["executionSuccessful"] is False


def test_junit_has_a_suite_for_each_tool_and_counts_right() -> None:
    suites = ET.fromstring(to_junit(REPORT))  # noqa: S314 - written here

    assert [
        (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("skipped")) for suite in suites
    ] == [
        ("terraform fmt", "1", "1", "0"),
        ("gen-infra (source)", "3", "2", "1"),
        ("terraform validate", "1", "0", "0"),
        ("checkov (plan)", "1", "0", "1"),
    ]
    failure = suites.find("testsuite[2]/testcase/failure")
    assert failure is not None
    assert failure.get("message") == 'k (m.tf:3): any <principal> & "out" '


def test_text_and_json_contain_everything() -> None:
    assert to_text(REPORT).splitlines()[:2] == ["✗ terraform fmt        3 files", "    failed: a.tf: is not formatted"]
    assert "- checkov (plan)       no credentials" in to_text(REPORT)
    assert json.loads(to_json(REPORT)) == REPORT.to_dict()


def test_a_file_is_written_whole_or_stays(tmp_path: Path) -> None:
    path = tmp_path / "check.sarif"
    path.write_text("before")

    def torn() -> Iterator[str]:
        yield "half"

    with pytest.raises(TypeError):
        write_atomically(path, torn())  # type: ignore[arg-type]
    assert path.read_text() == "before"

    write_atomically(path, "after")
    assert path.read_text() == "after"
    assert [each.name for each in tmp_path.iterdir()] == ["check.sarif"]


def test_every_format_is_there() -> None:
    assert list(FORMATS) == ["text", "json", "sarif", "junit"]
