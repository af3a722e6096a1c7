"""A plan is used only as it was shown, for what it was made for; every other one is refused before anything happens."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import UsageError
from gen_infra.terraform.messages import TerraformError
from gen_infra.terraform.plan import PlanContent
from gen_infra.terraform.saved_plan import Origin, Plan, SavedPlan, Unusable

if TYPE_CHECKING:
    from pathlib import Path

PROD = {"name": "prod", "account": "123456789012", "region": "us-east-1", "folder": "/lab/build/prod"}
DEV = {**PROD, "name": "dev", "folder": "/lab/build/dev"}
APPLY = Origin(PROD, "apply", "hash-of-the-files")
DESTROY = APPLY._replace(intent="destroy")
CONTENT = PlanContent({})


@pytest.fixture
def saved(tmp_path: Path) -> SavedPlan:
    return SavedPlan(tmp_path / "build/prod/plan")


def made(saved: SavedPlan, origin: Origin = APPLY, content: bytes = b"the plan") -> Plan:
    file = saved.folder.parents[2] / "made"
    file.write_bytes(content)
    return saved.save(file, origin, CONTENT)


def shown(path: Path) -> PlanContent:
    """Stand for ``terraform show``; the file that it reads is a private copy."""
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    return PlanContent({"read": path.read_text()})


def reason(saved: SavedPlan, wanted: Origin = APPLY) -> str:
    found = saved.find(wanted, shown)
    assert isinstance(found, Unusable)
    return found.reason


class TestVerifiedCopy:
    def test_it_has_the_bytes_that_were_shown_and_is_removed(self, saved: SavedPlan) -> None:
        plan = made(saved)
        with plan.verified_copy(APPLY) as copy:
            plan.path.write_bytes(b"swapped while it is applied")
            assert copy.read_bytes() == b"the plan"
            shown(copy)
        assert not copy.parent.exists()

    @pytest.mark.parametrize(
        ("wanted", "problem"),
        [
            (DESTROY, "it was made to apply the manifest, not to destroy the environment"),
            (APPLY._replace(intent="partial"), "not for a part of the environment"),
            (APPLY._replace(environment=DEV), "it is for name prod, .*, not for name dev"),
            (APPLY._replace(files="other"), "the rendered files changed after it was made"),
        ],
        ids=["intent", "partial", "environment", "files"],
    )
    def test_another_plan_is_refused(self, saved: SavedPlan, wanted: Origin, problem: str) -> None:
        with pytest.raises(UsageError, match=f"{problem}.*; nothing was changed"), made(saved).verified_copy(wanted):
            pytest.fail("it was given")

    def test_a_swapped_file_is_refused(self, saved: SavedPlan) -> None:
        plan = made(saved)
        made(saved, content=b"the plan of another shell")
        with pytest.raises(UsageError, match="is not the one that was shown"), plan.verified_copy(APPLY):
            pytest.fail("it was given")

    def test_a_link_is_not_followed(self, saved: SavedPlan) -> None:
        plan = made(saved)
        plan.path.rename(saved.folder / "elsewhere")
        plan.path.symlink_to("elsewhere")
        with pytest.raises(UsageError, match="is gone"), plan.verified_copy(APPLY):
            pytest.fail("it was given")

    def test_it_is_spent_once(self, saved: SavedPlan) -> None:
        plan = made(saved)
        saved.discard()
        with pytest.raises(UsageError, match="is gone"), plan.verified_copy(APPLY):
            pytest.fail("it was given")


class TestFind:
    def test_it_is_the_plan_that_was_saved(self, saved: SavedPlan) -> None:
        plan = made(saved)
        found = saved.find(APPLY, shown)
        assert isinstance(found, Plan)
        assert (found.path, found.sha256, found.origin) == (plan.path, plan.sha256, plan.origin)
        assert found.content.raw == {"read": "the plan"}

    def test_only_its_owner_can_read_it(self, saved: SavedPlan) -> None:
        plan = made(saved)
        assert saved.folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in saved.folder.iterdir()} == {0o600}
        assert sorted(path.name for path in saved.folder.iterdir()) == ["made-from.json", plan.path.name]

    def test_a_partial_plan_is_never_found(self, saved: SavedPlan) -> None:
        made(saved, APPLY._replace(intent="partial"))
        assert reason(saved) == "it was applied before, or its record is damaged"

    def test_a_plan_that_is_being_applied_is_never_found(self, saved: SavedPlan) -> None:
        made(saved)
        saved.spend()
        assert reason(saved) == "it was applied before, or its record is damaged"

    @pytest.mark.parametrize("content", [b"", b"the pla", b"the plan of another shell"])
    def test_a_damaged_file_is_not_used(self, saved: SavedPlan, content: bytes) -> None:
        made(saved).path.write_bytes(content)
        assert reason(saved) == "its file is damaged or was replaced"

    @pytest.mark.parametrize("record", ["", "{", "[]", "{}", '{"sha256": 1, "environment": 2}', "\x00"])
    def test_a_damaged_record_is_not_used(self, saved: SavedPlan, record: str) -> None:
        made(saved)
        (saved.folder / "made-from.json").write_text(record)
        assert reason(saved) == "it was applied before, or its record is damaged"

    def test_a_file_in_place_of_the_folder_is_not_used(self, saved: SavedPlan) -> None:
        saved.folder.parent.mkdir(parents=True)
        saved.folder.write_text("no folder")
        assert saved.exists
        assert reason(saved)
        saved.discard()
        assert not saved.exists

    def test_a_plan_that_was_copied_from_another_environment_is_not_used(self, saved: SavedPlan) -> None:
        other = SavedPlan(saved.folder.parents[1] / "dev/plan")
        made(other, Origin(DEV, "apply", APPLY.files))
        shutil.copytree(other.folder, saved.folder)
        assert reason(saved).startswith("it is for name dev, account 123456789012")

    def test_a_plan_to_destroy_is_not_used_to_apply(self, saved: SavedPlan) -> None:
        made(saved, DESTROY)
        assert reason(saved) == "it was made to destroy the environment, not to apply the manifest"

    def test_a_plan_of_other_files_is_not_used(self, saved: SavedPlan) -> None:
        made(saved)
        assert reason(saved, APPLY._replace(files="other")) == "the rendered files changed after it was made"

    def test_what_terraform_cannot_read_is_not_used(self, saved: SavedPlan) -> None:
        def refuse(_: Path) -> PlanContent:
            raise TerraformError("terraform show failed: made by another version")

        made(saved)
        found = saved.find(APPLY, refuse)
        assert found == Unusable("terraform cannot read it: terraform show failed: made by another version")
