"""What documented and own workflows run is pinned: actions by commit, Python's packages by hash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_PLACES = [
    ROOT / "README.md",
    *(ROOT / "docs").glob("*.md"),
    ROOT / "action.yml",
    *(ROOT / ".github" / "workflows").glob("*.yml"),
]
_BUILDSPEC = ROOT / "modules" / "image-pipeline" / "src" / "buildspec.yml"


def _yaml(text: str) -> str:
    """Return the text, or the YAML blocks of a page."""
    return "\n".join(re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)) if "```" in text else text


@pytest.mark.parametrize("path", _PLACES, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    uses = re.findall(r"uses: (\S+)", _yaml(path.read_text()))
    pinned = re.compile(r"[\w/.-]+@[0-9a-f]{40}|OWNER/gen-infra@COMMIT|\./.*")
    assert [each for each in uses if not pinned.fullmatch(each)] == []


@pytest.mark.parametrize("path", [*_PLACES, _BUILDSPEC], ids=lambda path: path.name)
def test_packages_are_installed_by_hash(path: Path) -> None:
    text = _yaml(path.read_text()).replace("\\\n", " ").replace("\n        --", " --")
    installs = re.findall(r'(?m)^(?! *pip=\().*(?:pip"? install|\{pip\[@\]\}") .*', text)
    assert [each for each in installs if "--require-hashes" not in each and "--no-deps" not in each] == []
