"""What the release workflow builds: the same wheel twice, a bill of materials, and notes."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from tasks import release

from gen_infra import __version__
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_it_builds_the_packages_and_the_bill_of_materials(released: Path) -> None:
    dist = released / "dist"
    packages = sorted(path.name for path in (dist / "packages").iterdir())
    assert packages == [f"gen_infra-{__version__}-py3-none-any.whl", f"gen_infra-{__version__}.tar.gz"]
    bill = json.loads((dist / "sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "gen-infra"
    listed = {each["name"].lower(): each["version"] for each in bill["components"]}
    lock = (ROOT / "requirements/runtime.lock").read_text()
    for name in ("boto3", "click", "jinja2", "msgspec", "python-terraform", "pyyaml"):
        assert f"{name}=={listed[name]} " in lock.lower()
    assert "moto" not in listed


def test_the_notes_are_the_changelogs_section_and_the_commits_since_the_release_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 2.0.0\n\n* New.\n\n## 1.0.0\n\n* Old.\n")
    for subject, tag in (("Start", ""), ("Finish the first", "v1.0.0"), ("Add the new", ""), ("Fix it", "v2.0.0")):
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", subject], check=True)
        if tag:
            subprocess.run([*git, "tag", tag], check=True)
    monkeypatch.setattr(release, "_ROOT", tmp_path)
    changes, commits = release.notes("2.0.0").split("\n\n## Commits\n\n")
    assert changes == "* New."
    assert [line.rpartition(" (")[0] for line in commits.splitlines()] == ["* Fix it", "* Add the new"]


def test_a_tag_that_is_not_the_version_stops_the_release(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        release.main(["dist", "--tag", "v99.0.0"])
    assert stopped.value.code == 2
    assert f'the tag "v99.0.0" is not v{__version__}' in capsys.readouterr().err
