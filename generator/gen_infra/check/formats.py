"""Format a report of `gen-infra check` as text, JSON, SARIF 2.1.0 or JUnit."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from gen_infra import __version__
from gen_infra.check.report import Check, CheckReport, Finding, RuleInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"high": "error", "medium": "warning", "low": "note"}
_SCORES = {"high": "8.0", "medium": "5.0", "low": "2.0"}  # GitHub's scale of security-severity


def to_text(report: CheckReport) -> str:
    """Return one line for each tool, and one for each finding."""
    lines: list[str] = []
    for check in report.checks:
        mark = "-" if check.not_run else "✗" if check.failed else "✓"
        lines.append(f"{mark} {check.name:<20} {check.not_run or check.summary}")
        lines += [f"    {finding.level}: {placed_message(finding)}" for finding in check.findings]
    return "\n".join(lines) + "\n"


def placed_message(finding: Finding) -> str:
    """Return the place and the message of a finding."""
    return f"{finding.where}: {finding.message}" if finding.where else finding.message


def to_json(report: CheckReport) -> str:
    """Return the report as JSON."""
    return as_json(report.to_dict())


def as_json(answer: object) -> str:
    """Write JSON as all commands print it."""
    return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"


def to_sarif(report: CheckReport) -> str:
    """Return a SARIF run for each tool, with suppressions; paths are relative to ``build/<name>``."""
    return _sarif([_run(check) for check in report.checks])


def several_to_sarif(reports: Mapping[str, CheckReport]) -> str:
    """Write the runs of several environments, each with its environment as the run's category."""
    runs = [
        {**_run(check), "automationDetails": {"id": f"{name}/"}}
        for name, report in reports.items()
        for check in report.checks
    ]
    return _sarif(runs)


def _sarif(runs: list[dict[str, Any]]) -> str:
    return as_json({"$schema": _SARIF, "version": "2.1.0", "runs": runs})


def _run(check: Check) -> dict[str, Any]:
    rules = {_rule_of(check, finding).id: _rule_of(check, finding) for finding in check.findings}
    indexes = {rule_id: index for index, rule_id in enumerate(rules)}
    driver = {
        "name": f"gen-infra: {check.name}",
        "version": __version__,
        "rules": [_descriptor(rule) for rule in rules.values()],
    }
    invocation: dict[str, Any] = {"executionSuccessful": not check.not_run}
    if check.not_run:
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": check.not_run}}]
    return {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "originalUriBaseIds": {"ENVIRONMENT": {"description": {"text": "The environment's rendered folder"}}},
        "results": [_result(finding, _rule_of(check, finding), indexes) for finding in check.findings],
    }


def _rule_of(check: Check, finding: Finding) -> RuleInfo:
    """Return the rule of a finding; a tool without rule ids has one rule, its name."""
    return finding.rule or RuleInfo(check.name, f"{check.name} reports nothing", severity="high")


def _descriptor(rule: RuleInfo) -> dict[str, Any]:
    descriptor: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SCORES[rule.severity]},
    }
    if rule.remedy:
        descriptor["help"] = {"text": rule.remedy}
    if rule.source:
        descriptor["helpUri"] = rule.source
    return descriptor


def _result(finding: Finding, rule: RuleInfo, indexes: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": rule.id,
        "ruleIndex": indexes[rule.id],
        "level": _LEVELS[rule.severity],
        "message": {"text": finding.message},
    }
    if location := _location(finding):
        result["locations"] = [location]
    if finding.level == "skipped":
        kept = finding.reason or finding.message
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": kept}]
    return result


def _location(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.file:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file), "uriBaseId": "ENVIRONMENT"}}
        if finding.line:
            physical["region"] = {"startLine": finding.line}
        location["physicalLocation"] = physical
    if finding.address:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.address, "kind": "resource"}]
    return location


def to_junit(report: CheckReport) -> str:
    """Return a suite for each tool and a case for each finding; a tool without findings has one passed case."""
    return _junit([(check.name, check) for check in report.checks])


def several_to_junit(reports: Mapping[str, CheckReport]) -> str:
    """Write the suites of several environments, each with its environment's name first."""
    return _junit([(f"{name}: {check.name}", check) for name, report in reports.items() for check in report.checks])


def _junit(suites: list[tuple[str, Check]]) -> str:
    root = ET.Element("testsuites", name="gen-infra check")
    for title, check in suites:
        suite = ET.SubElement(root, "testsuite", name=title)
        for name, outcome, message in _cases(check):
            case = ET.SubElement(suite, "testcase", classname=check.name, name=_printable(name))
            if outcome:
                ET.SubElement(case, outcome, message=_printable(message))
        for count, outcome in (
            ("tests", "testcase"),
            ("failures", "testcase/failure"),
            ("skipped", "testcase/skipped"),
        ):
            suite.set(count, str(len(suite.findall(outcome))))
        suite.set("errors", "0")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _cases(check: Check) -> Iterator[tuple[str, str, str]]:
    if check.not_run:
        yield check.name, "skipped", check.not_run
    elif not check.findings:
        yield check.summary or check.name, "", ""
    for finding in check.findings:
        name = f"{finding.rule.id} {finding.address}" if finding.rule else placed_message(finding)
        yield name, "failure" if finding.level == "failed" else "skipped", placed_message(finding)


def _printable(text: str) -> str:
    """Replace control characters, which XML 1.0 does not allow even when escaped."""
    return "".join(character if character.isprintable() else " " for character in text)


FORMATS: dict[str, Callable[[CheckReport], str]] = {
    "text": to_text,
    "json": to_json,
    "sarif": to_sarif,
    "junit": to_junit,
}


FORMATS_OF_SEVERAL: dict[str, Callable[[Mapping[str, CheckReport]], str]] = {
    "text": lambda reports: "".join(f"{name}:\n{to_text(report)}" for name, report in reports.items()),
    "sarif": several_to_sarif,
    "junit": several_to_junit,
}


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write the whole file, text as UTF-8, or leave what was there before."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
