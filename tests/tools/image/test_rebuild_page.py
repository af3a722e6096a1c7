"""What docs/image-rebuild.md offers to copy is valid, and true."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gen_infra.check.runner import terraform_sources
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.terraform.source import read_source
from tests.cli import gen_infra
from tests.conftest import ROOT, require_tool
from tests.unit.manifests import accept

PAGE = (ROOT / "docs" / "image-rebuild.md").read_text()
COMMAND = "/usr/local/bin/gen-infra"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def units(tmp_path: Path) -> dict[str, Path]:
    """Return the systemd units, with a gen-infra that this machine has."""
    made = {}
    for block in blocks("systemd"):
        name = block.splitlines()[0].rpartition("/")[2]
        made[name] = tmp_path / name
        made[name].write_text(block.replace(COMMAND, str(Path(sys.executable).with_name("gen-infra"))))
    return made


def accepted(command: str) -> bool:
    """Return whether gen-infra accepts every word of a command; --help ends it before it does anything."""
    program, *words = shlex.split(command.partition(" >")[0])
    assert Path(program).name == "gen-infra"
    done = gen_infra(*words, "--help")
    return done.returncode == 0 and "image rebuild" in done.stdout


@pytest.mark.parametrize(("number", "pinned"), [(0, False), (1, True)])
def test_the_manifest_is_accepted(tmp_path: Path, number: int, pinned: bool) -> None:
    manifest = accept(tmp_path, **yaml.safe_load(blocks("yaml")[number]))
    assert manifest.image.rebuild
    assert (manifest.image.rebuild.schedule, manifest.image.rebuild.is_pinned) == ("rate(7 days)", pinned)


def test_the_units_are_valid(units: dict[str, Path]) -> None:
    names = [str(path).replace("@.", "@prod.") for path in units.values()]
    for path, name in zip(units.values(), names, strict=True):
        Path(name).symlink_to(path)
    verify = [require_tool("systemd-analyze"), "verify", "--man=no", *names]
    done = subprocess.run(verify, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(units) == ["gen-infra-image@.service", "gen-infra-image@.timer"]


def test_the_timer_elapses(units: dict[str, Path]) -> None:
    (expression,) = re.findall(r"^OnCalendar=(.+)$", units["gen-infra-image@.timer"].read_text(), flags=re.MULTILINE)
    calendar = [require_tool("systemd-analyze"), "calendar", expression]
    assert "Next elapse: Sun" in subprocess.run(calendar, capture_output=True, check=True, text=True).stdout


def test_the_commands_are_gen_infras() -> None:
    unit = "".join(blocks("systemd"))
    (service,) = re.findall(r"^ExecStart=(.+)$", unit, flags=re.MULTILINE)
    (crontab,) = blocks("crontab")
    (workflow,) = re.findall(r"run: (gen-infra .+)$", "".join(blocks("yaml")), flags=re.MULTILINE)
    assert accepted(service.replace("%i", "prod"))
    assert accepted(crontab.partition(" && ")[2])
    assert accepted(workflow)


def test_the_workflow_is_one(tmp_path: Path) -> None:
    """By GitHub's own schema; and it may ask for a token, and for nothing else that it does not need."""
    workflow = blocks("yaml")[-1]
    path = tmp_path / "image.yaml"
    path.write_text(workflow)
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(check, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load(workflow)["permissions"] == {"contents": "read", "id-token": "write"}


def test_the_trust_policy_names_one_branch_of_one_repository() -> None:
    (text,) = blocks("json")
    (statement,) = json.loads(text)["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert statement["Principal"]["Federated"].endswith(f":oidc-provider/{issuer}")
    assert statement["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": "repo:example/genomics:ref:refs/heads/main",
        }
    }


def test_the_actions_are_those_of_the_pipelines_role() -> None:
    listed = set(re.findall(r"`((?:ec2|iam|kms|ssm):\w+)`", PAGE.partition("## Permissions")[2].partition("| on ")[2]))
    source = read_source(terraform_sources(render(load(ROOT / "envs/examples/image-rebuild.yaml"))))
    policies = {
        resource.address.rpartition(".")[2]: resource.values["policy"]["Statement"]
        for resource in source.resources
        if resource.address.startswith("module.image_pipeline.aws_iam_role_policy.")
    }
    used = {
        action
        for name in ("image", "encryption", "network")
        for statement in policies[name]
        for action in _listed(statement["Action"])
        if name != "network" or action == "ec2:RunInstances"
    }
    assert listed == used


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
