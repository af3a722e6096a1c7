"""The page about access, against the table of roles and the example."""

from __future__ import annotations

import re

import pytest
import yaml
from click.testing import CliRunner

from gen_infra.cli import COMMANDS
from gen_infra.cli.permissions import permissions
from gen_infra.permissions.calls import ROLES
from gen_infra.resources import data_dir
from tests.conftest import ROOT
from tests.unit.permissions.callers import example

PAGE = (ROOT / "docs" / "access.md").read_text()
CI_PAGE = (ROOT / "docs" / "ci.md").read_text()


def rows() -> dict[str, tuple[str, str]]:
    return {
        role: (may, may_not)
        for role, may, may_not in re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    }


def words(text: str) -> set[str]:
    return set(re.findall(r"`([a-z -]+)`", text))


def test_each_role_lists_its_commands() -> None:
    assert list(rows()) == [role for role in ROLES if role != "image"]
    inherited: set[str] = set()
    for role, (may, _) in rows().items():
        listed = words(may) - {"queues"} | (inherited if "the same" in may else set())
        inherited = listed
        known = {re.sub(" (own|to any queue|with policies)$", "", command) for command in ROLES[role]}
        assert listed == known, role


def test_what_a_role_may_not_run_is_a_command_that_another_runs() -> None:
    [sentence] = re.findall(r"^(`bootstrap`.*? administrator of the account)[,.]", PAGE, re.MULTILINE)
    assert {word.split()[0] for word in words(sentence)} - {"access"} <= set(COMMANDS)


@pytest.mark.parametrize("command", ["bootstrap", "prune", "image retire"])
def test_what_is_for_an_administrator_is_in_no_role_and_the_help_says_so(command: str) -> None:
    done = CliRunner().invoke(permissions, ["--help"])
    assert f"`{command}`" in PAGE
    assert command not in {each for commands in ROLES.values() for each in commands}
    assert re.search(rf"{command}.* no role", " ".join(done.output.split()))


def test_the_roles_that_it_names_are_those_of_the_example() -> None:
    named = set(re.findall(r"role/genomics/(batchAccess\w+)-(?:shared|prod)", PAGE + CI_PAGE))
    access = example().access
    assert access
    assert named == {example().access_role_name(role).removesuffix("-shared") for role in access.roles}


def test_the_manifest_of_the_page_is_one() -> None:
    [text] = re.findall(r"```yaml\n(iam:.*?)```", PAGE, re.DOTALL)
    given = yaml.safe_load(text)
    whole = yaml.safe_load((data_dir("envs") / "examples" / "access.yaml").read_text())
    assert given["iam"] == whole["iam"]
    assert set(given["access"]) == set(ROLES) - {"image"}
    assert given["access"]["submit"]["queues"] == whole["access"]["submit"]["queues"]


def test_actions_are_pinned_by_their_commit() -> None:
    actions = [action for action in re.findall(r"uses: (\S+)", PAGE + CI_PAGE) if action != "OWNER/gen-infra@COMMIT"]
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in actions)
