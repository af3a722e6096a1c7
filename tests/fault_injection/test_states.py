"""A state that is lost, and the states of another environment and of another lineage."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.emulator.session import applied_site
from tests.emulator.small import MANIFESTS, SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulator.session import Session, Site


class TestStates:
    @pytest.fixture
    def site(self, session: Session, tmp_path: Path) -> Iterator[Site]:
        with applied_site(session, "small", MANIFESTS, tmp_path) as site:
            yield site

    def test_a_lost_one_is_an_error_until_adopt_is_given(self, site: Site) -> None:
        state = site.folder / "build/small/terraform/terraform.tfstate"
        before = addresses(state)
        state.unlink()
        calls = site.aws.calls()[-1].number
        for command in (("plan",), ("apply", "--yes")):
            done = site.run(command[0], "small.yaml", *command[1:])
            assert done.returncode == 2, done.stderr
            assert f"error: the state of small ({state.relative_to(site.folder)}) is empty, but " in done.stderr
            assert " of its resources exist: " in done.stderr
            assert "add --adopt" in done.stderr

        planned = site.run("plan", "small.yaml", "--adopt")
        assert planned.returncode == 0, planned.stderr
        assert "resources that an interrupted run left:\n" in planned.stdout
        assert "  = job queue main-small" in planned.stdout
        assert not state.exists(), "a plan adopts nothing"
        writes = {
            call.action
            for call in site.aws.calls(since=calls)
            if not call.action.startswith(("Describe", "Get", "List", "Head", "Assume"))
        }
        assert writes == set()

        applied = site.run("apply", "small.yaml", "--yes", "--adopt", "--json")
        assert applied.returncode == 0, applied.stderr
        assert json.loads(applied.stdout)["strays"] == []
        assert addresses(state) == before
        settled = site.run("plan", "small.yaml", "--detailed-exitcode")
        assert settled.returncode == 0, settled.stdout
        assert len(site.aws.client("batch").describe_compute_environments()["computeEnvironments"]) == 1

    def test_that_of_another_environment_is_refused(self, site: Site) -> None:
        other = site.folder / "build/other/terraform"
        other.mkdir(parents=True)
        shutil.copy(site.folder / "build/small/terraform/terraform.tfstate", other)
        (site.folder / "other.yaml").write_text(SMALL.replace("name: small", "name: other"))
        for command in (("plan",), ("destroy", "--yes")):
            done = site.run(command[0], "other.yaml", *command[1:])
            assert done.returncode == 2, done.stderr
            place = "build/other/terraform/terraform.tfstate"
            assert f"error: the state in {place} belongs to environment small" in done.stderr
            assert "; wanted is that of environment other, account 123456789012, region us-east-1\n" in done.stderr

    def test_that_of_another_lineage_is_refused(self, site: Site) -> None:
        path = site.folder / "build/small/terraform/terraform.tfstate"
        state = json.loads(path.read_text())
        path.write_text(json.dumps(state | {"lineage": "11111111-2222-3333-4444-555555555555"}))
        done = site.run("plan", "small.yaml")
        assert done.returncode == 2, done.stderr
        assert "its lineage is 11111111-2222-3333-4444-555555555555, that of the other is" in done.stderr


def addresses(state: Path) -> list[str]:
    resources = json.loads(state.read_text())["resources"]
    return sorted(
        f"{each.get('module', '')} {each['type']} {each['name']} {len(each['instances'])}"
        for each in resources
        if each["mode"] == "managed"
    )
