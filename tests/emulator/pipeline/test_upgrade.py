"""An environment that an older gen-infra applied is planned and applied with today's."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.emulator.session import applied_site
from tests.emulator.small import MANIFESTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.session import Session, Site

ROLE = "batchInstance-small"
MANAGED = ["AmazonEC2ContainerServiceforEC2Role", "AmazonSSMManagedInstanceCore"]
OWN = ["agent", "logs", "session"]
OLDER = Path(__file__).with_name("older_modules")


@pytest.fixture
def site(session: Session, tmp_path: Path) -> Iterator[Site]:
    """The small environment with the instance role of former versions, in the account and in Terraform's state."""
    with applied_site(session, "small", MANIFESTS, tmp_path) as site:
        terraform = tmp_path / "build" / "small" / "terraform"
        older = shutil.copytree(terraform, tmp_path / "older", symlinks=True)
        for file in ("main.tf", "outputs.tf"):
            shutil.copy(OLDER / "instance-role" / file, older / "modules" / "instance-role")
        command = ["terraform", "apply", "-input=false", "-auto-approve"]
        subprocess.run(command, cwd=older, env=site.environ, check=True, capture_output=True)
        shutil.copy(older / "terraform.tfstate", terraform)
        assert policies(site) == (MANAGED, [])
        yield site


def policies(site: Site) -> tuple[list[str], list[str]]:
    """Return the names of the role's attached policies, and of its own."""
    iam = site.aws.client("iam")
    attached = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    return sorted(each["PolicyName"] for each in attached), sorted(iam.list_role_policies(RoleName=ROLE)["PolicyNames"])


def test_instances_never_lose_their_rights(site: Site) -> None:
    planned = site.run("plan", "small.yaml", "--json")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    role = "module.instance_role.aws_iam_role_policy"
    assert {change["address"]: change["action"] for change in plan["changes"]} == {
        **{f"{role}.{name}": "create" for name in OWN},
        f'{role}_attachment.this["AmazonSSMManagedInstanceCore"]': "destroy",
        f'{role}_attachment.this["service-role/AmazonEC2ContainerServiceforEC2Role"]': "destroy",
    }
    assert plan["dangers"] == []
    taken = [change for change in plan["changes"] if change["action"] == "destroy"]
    told = "after the role has its new policies, agent, logs, session: what they allow is never interrupted"
    assert [[effect["text"] for effect in change["effects"]] for change in taken] == [[told]] * 2

    site.aws.fail("PutRolePolicy", code="LimitExceeded", times=None)
    assert site.run("apply", "small.yaml", "--yes").returncode != 0
    site.aws.heal()
    assert policies(site) == (MANAGED, [])

    done = site.run("apply", "small.yaml", "--yes")
    assert done.returncode == 0, done.stderr
    assert policies(site) == ([], OWN)
    calls = [call.action for call in site.aws.calls("iam") if call.action in ("PutRolePolicy", "DetachRolePolicy")]
    assert "DetachRolePolicy" not in calls[-8:-5]  # the policies were put before terraform started
    settled = site.run("plan", "small.yaml", "--detailed-exitcode")
    assert (settled.returncode, settled.stdout) == (0, "nothing to do: the environment matches the manifest\n")
