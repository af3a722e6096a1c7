"""What `check` adds to `render` in the search for secrets, with the real detector."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from gen_infra.check.formats import to_json, to_sarif
from gen_infra.check.report import CheckReport
from gen_infra.check.secrets import secret_verdicts
from gen_infra.check.suppressions import suppressed
from gen_infra.environment import Environment
from gen_infra.manifest import load_with_warnings
from gen_infra.manifest.model.settings import Suppression
from gen_infra.tools.checkov.adapter import find_checkov
from gen_infra.tools.checkov.secrets import detect_secrets
from tests.golden.renew import manifests
from tests.sarif import problems
from tests.unit.manifest.reading.honest import honest_texts
from tests.unit.manifest.reading.secret_recipes import Case, cases, detected_cases
from tests.unit.manifests import SMALLEST, write

if TYPE_CHECKING:
    from gen_infra.check.report import Check

JOB = "jobs:\n  a:\n    image: quay.io/lab/a:1\n    vcpus: 1\n    memory_mib: 1024\n"
DETECTED = list(detected_cases())
SUPPRESSION = Suppression(
    check="GI_SECRET_1", resource="jobs.a.*", reason="this value was made up for a test", expires="2026-12-31"
)


def environment(folder: Path, case: Case, number: int) -> Environment:
    """Return an environment whose job contains the secret."""
    text = f"{yaml.safe_dump(SMALLEST, sort_keys=False)}{JOB}{case.job}\n"
    return Environment(load_with_warnings(write(folder, text, f"m{number}.yaml")), folder / "build" / str(number))


def verdicts(folder: Path) -> list[Check]:
    return secret_verdicts([environment(folder, case, number) for number, case in enumerate(DETECTED)])


def test_check_finds_what_render_accepts_at_its_place_and_does_not_repeat_it(tmp_path: Path) -> None:
    for number, (case, verdict) in enumerate(zip(DETECTED, verdicts(tmp_path), strict=True)):
        (finding,) = verdict.findings
        path = tmp_path / f"m{number}.yaml"
        line = next(at for at, text in enumerate(path.read_text().splitlines(), 1) if case.secret in text)
        assert finding.level == "failed"
        # A value that fills several lines is found where it starts.
        assert finding.line in (line, line - 1)
        assert f"{path}:{finding.line}" in finding.where
        assert (tmp_path / "build" / str(number) / finding.file).resolve() == path.resolve()
        assert f'detect-secrets reports "{case.kind}"' in finding.message
        report = CheckReport((verdict,))
        for text in (to_json(report), to_sarif(report)):
            assert case.secret[-20:] not in text
        assert problems(to_sarif(report)) == []


def test_a_false_positive_can_be_accepted(tmp_path: Path) -> None:
    for case, verdict in zip(DETECTED, verdicts(tmp_path), strict=True):
        checks = suppressed([verdict], [SUPPRESSION], date(2026, 6, 30))
        # A comment has no address but its file and line.
        assert checks[0].failed == (case.place == "comment")
        expired = suppressed([verdict], [SUPPRESSION], date(2027, 6, 30))
        assert expired[0].failed


def test_an_unneeded_acceptance_is_found() -> None:
    (environment,) = [each for each in manifests() if each.stem == "smallest"]
    loaded = load_with_warnings(environment)
    checks = suppressed(secret_verdicts([Environment(loaded, Path("build"))]), [SUPPRESSION], date(2026, 6, 30))
    assert [finding.message for finding in checks[1].findings] == [
        "the suppression of GI_SECRET_1 accepts nothing: remove it from the manifest"
    ]


def test_the_detector_finds_nothing_in_texts_without_secrets() -> None:
    texts = [*honest_texts(), *(path.read_text() for path in manifests())]
    lines = [line for text in texts for line in text.splitlines()]
    assert detect_secrets(find_checkov(os.environ), lines, os.environ) == {}


def test_the_detector_confirms_its_own_tokens() -> None:
    lines = {line: case for case in cases() for line in case.job.splitlines() if case.secret in line}
    found = detect_secrets(find_checkov(os.environ), lines, os.environ)
    assert len({lines[line].kind for line in found}) >= 15
