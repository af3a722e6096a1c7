"""The files for CI systems are valid by their own schemas, their scripts pass shellcheck, and actions are pinned."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

BIN = Path(sys.executable).parent
CI_PAGE = (ROOT / "docs" / "ci.md").read_text()
ACCESS_PAGE = (ROOT / "docs" / "access.md").read_text()
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
RELEASE = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[0-9.]+")


def block(name: str, page: str = CI_PAGE) -> str:
    """Return the YAML block of a page that starts with the name of its file."""
    (found,) = re.findall(rf"```yaml\n(# {re.escape(name)}\n.*?)```", page, re.DOTALL)
    return str(found)


def lint(*words: str | Path, stdin: str | None = None) -> str:
    done = subprocess.run([str(BIN / words[0]), *map(str, words[1:])], capture_output=True, input=stdin, text=True)  # noqa: PLW1510
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_github_files_are_valid(tmp_path: Path) -> None:
    example = tmp_path / "infra.yml"
    example.write_text(block(".github/workflows/infra.yml"))
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    assert lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows, example) == ""
    assert lint("check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml") == ""


def test_zizmor_finds_no_weakness_in_the_workflows_and_the_action(tmp_path: Path) -> None:
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        (workflows / path.name).write_text(path.read_text())
    example = block(".github/workflows/infra.yml").replace("OWNER/gen-infra@COMMIT", f"lab/gen-infra@{'0' * 40}")
    (workflows / "infra.yml").write_text(example)
    action = (ROOT / "action.yml").read_text()
    (tmp_path / "action.yml").write_text(action)
    zizmor = ("zizmor", "--offline", "--no-progress", "--quiet")
    assert lint(*zizmor, tmp_path) == ""

    (tmp_path / "action.yml").write_text(action.replace('-- "$MANIFEST"', "-- ${{ inputs.manifest }}"))
    assert "template-injection" in lint(*zizmor, tmp_path)


def test_the_scripts_of_the_gitlab_example_pass_shellcheck() -> None:
    jobs = yaml.safe_load(block(".gitlab-ci.yml"))
    scripts = {name: [*job.get("before_script", ()), *job.get("script", ())] for name, job in jobs.items()}
    assert sum(map(bool, scripts.values())) == 5
    for name, lines in scripts.items():
        assert lint("shellcheck", "--shell=sh", "-", stdin="\n".join(lines)) == "", name


def test_the_gitlab_example_is_valid(tmp_path: Path) -> None:
    (tmp_path / "gitlab.yml").write_text(block(".gitlab-ci.yml"))
    schema = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    assert lint("check-jsonschema", *schema, tmp_path / "gitlab.yml") == ""


def test_the_hooks_for_pre_commit_are_valid(tmp_path: Path) -> None:
    config = tmp_path / ".pre-commit-config.yaml"
    config.write_text(block(".pre-commit-config.yaml"))
    assert lint("pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml") == ""
    assert lint("pre-commit", "validate-config", config) == ""


def scripts() -> dict[str, str]:
    steps = [*ACTION["runs"]["steps"], *(step for job in RELEASE["jobs"].values() for step in job["steps"])]
    return {step["name"]: step["run"] for step in steps if "run" in step}


def test_the_scripts_pass_shellcheck_and_contain_no_expression() -> None:
    assert len(scripts()) > 10
    for name, script in scripts().items():
        assert "${{" not in script, f"{name}: values come from environment variables, so that none becomes code"
        assert lint("shellcheck", "--shell=bash", "-", stdin=script) == "", name


@pytest.mark.parametrize("page", ["action.yml", ".github/workflows/release.yml", "docs/ci.md", "docs/access.md"])
def test_every_action_is_pinned_to_a_commit(page: str) -> None:
    for action in re.findall(r"uses: *(.*)", (ROOT / page).read_text()):
        assert _PINNED.fullmatch(action) or action == "OWNER/gen-infra@COMMIT", action


def test_the_example_uses_inputs_that_the_action_has() -> None:
    jobs = yaml.safe_load(block(".github/workflows/infra.yml"))["jobs"]
    required = {name for name, each in ACTION["inputs"].items() if each.get("required")}
    for job in jobs.values():
        (given,) = (step["with"] for step in job["steps"] if step["uses"] == "OWNER/gen-infra@COMMIT")
        assert required <= given.keys() <= ACTION["inputs"].keys()
    assert {job["steps"][-1]["with"]["command"] for job in jobs.values()} == {"check", "plan", "apply", "drift"}


def test_the_page_about_access_shows_the_same_jobs() -> None:
    whole, short = (yaml.safe_load(block(".github/workflows/infra.yml", page)) for page in (CI_PAGE, ACCESS_PAGE))
    assert short["jobs"] == {name: whole["jobs"][name] for name in ("plan", "apply")}
    assert short["permissions"] == whole["permissions"]


def test_each_job_of_the_release_may_do_one_thing_and_publishes_after_the_tests() -> None:
    permissions: dict[str, Any] = {name: job["permissions"] for name, job in RELEASE["jobs"].items()}
    assert RELEASE["permissions"] == {}
    assert permissions == {
        "test": {"contents": "read"},
        "build": {"contents": "read"},
        "attest": {"attestations": "write", "contents": "read", "id-token": "write"},
        "pypi": {"id-token": "write"},
        "site": {"contents": "read", "id-token": "write", "pages": "write"},
        "github": {"contents": "write"},
    }
    assert RELEASE["jobs"]["attest"]["needs"] == ["test", "build"]
    assert [RELEASE["jobs"][name]["needs"] for name in ("pypi", "site", "github")] == ["attest", "pypi", "pypi"]
