"""The hooks, run by pre-commit as docs/ci.md shows: it clones the repository and installs it from PyPI's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.cli import clean_environ, gen_infra
from tests.conftest import ROOT
from tests.tools.ci.test_lint import block

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
MANIFESTS = ("envs/prod.yaml", "envs/dev.yaml")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run([*_GIT, *words], capture_output=True, check=True, cwd=folder, text=True)
    return done.stdout.strip()


def repository(folder: Path, files: Sequence[str]) -> str:
    """Commit copies of files of this checkout in a new repository; return the commit."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "A commit")
    return git(folder, "rev-parse", "HEAD")


def test_both_hooks_run_as_the_page_shows(tmp_path: Path) -> None:
    installed = git(ROOT, "ls-files", "--", ".", ":!bench", ":!docs", ":!tests").splitlines()
    commit = repository(tmp_path / "gen-infra", installed)
    lab = tmp_path / "lab"
    repository(lab, [*MANIFESTS, "envs/base.yaml"])
    shown = block(".pre-commit-config.yaml")
    config = shown.replace("https://github.com/OWNER/gen-infra", str(tmp_path / "gen-infra")).replace("COMMIT", commit)
    (lab / ".pre-commit-config.yaml").write_text(config)
    git(lab, "add", ".")

    def hooks() -> str:
        # To compile all of boto3 takes longer than the commands.
        environ = clean_environ(PRE_COMMIT_HOME=str(tmp_path / "home"), PIP_NO_COMPILE="1")
        command = [f"{sys.prefix}/bin/pre-commit", "run", "--all-files", "--color=never"]
        done = subprocess.run(command, capture_output=True, check=False, cwd=lab, env=environ, text=True)
        return done.stdout + done.stderr + str(done.returncode)

    before = hooks()
    assert "gen-infra validate.......................................................Passed" in before, before
    assert "gen-infra render.........................................................Failed" in before, before
    assert gen_infra("render", "--out", "infra", *MANIFESTS, cwd=lab, environ=dict(os.environ)).returncode == 0
    after = hooks()
    assert after.count("Passed") == 2, after
