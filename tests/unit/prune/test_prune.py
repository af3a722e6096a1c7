"""What may go, and what must not: revisions, images, folders below build/."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gen_infra import pipeline
from gen_infra.prune.account import PrunableImage, prunable_images, prunable_revisions
from gen_infra.prune.builds import old_builds
from gen_infra.terraform.plan import PlanContent
from tests.unit.manifests import SMALLEST, changed, write

NOW = datetime(2026, 9, 1, tzinfo=UTC)
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/isaac"


def definition(name: str, revision: int) -> dict[str, Any]:
    return {"jobDefinitionName": name, "revision": revision, "jobDefinitionArn": f"arn:{name}:{revision}"}


def test_the_newest_revisions_and_those_that_jobs_run_are_kept() -> None:
    active = [definition("isaac-prod", revision) for revision in (9, 1, 10, 3, 2)] + [definition("isaac-dev", 1)]
    found = prunable_revisions(active, ["isaac-prod", "strelka-prod"], {"isaac-prod:2"}, keep=2)
    assert list(found.values()) == ["isaac-prod:3", "isaac-prod:1"]
    assert list(found) == ["arn:isaac-prod:3", "arn:isaac-prod:1"]


def image(digit: str, *tags: str, days: float) -> PrunableImage:
    return PrunableImage("prod/isaac", f"sha256:{digit * 64}", tags, NOW - timedelta(days=days))


def going(*named: str, keep: int = 1) -> list[tuple[str, str]]:
    images = [
        image("a", "1.0", days=9),
        image("b", "1.1", "stable", days=8),
        image("c", "1.2", days=7),
        image("d", days=6),
        image("e", days=0.5),
    ]
    return [(found.digest[7], found.reason) for found in prunable_images(images, named, keep=keep, now=NOW)]


def test_old_and_untagged_images_are_removed() -> None:
    assert going() == [
        ("b", "older than the newest 1"),
        ("a", "older than the newest 1"),
        ("d", "untagged"),
    ], "e is half a day old: its index may be on the way"
    assert going(keep=3) == [("d", "untagged")]


@pytest.mark.parametrize(
    ("uri", "stays"),
    [
        (f"{REGISTRY}:1.0", "a"),
        (f"{REGISTRY}:stable", "b"),
        (f"{REGISTRY}@sha256:{'d' * 64}", "d"),
        (f"{REGISTRY}:gone@sha256:{'d' * 64}", "d"),
        (f"{REGISTRY.replace('123456789012', '210987654321')}:1.0", "a"),
        (f"{REGISTRY}-tools:1.0", ""),
        (f"{REGISTRY}:1", ""),
        (REGISTRY, ""),
    ],
)
def test_an_image_in_use_is_kept(uri: str, stays: str) -> None:
    assert {digit for digit, _ in going(uri)} == set("abd") - {stays}


class TestOldBuilds:
    @pytest.fixture(autouse=True)
    def _two_builds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Return the environment, and one whose manifest is deleted."""
        monkeypatch.chdir(tmp_path)
        self.manifest = write(tmp_path, SMALLEST)
        self.gone = Path("build/gone")
        gone = write(tmp_path, changed(name="gone"), "gone.yaml")
        for path in (self.manifest, gone):
            pipeline.write(pipeline.load(path, Path("build")))
        gone.unlink()

    def found(self) -> list[tuple[str, str]]:
        environment = pipeline.load(Path("test.yaml"), Path("build"))
        return [(str(found.path), found.reason) for found in old_builds(environment, Path("test.yaml"))]

    def test_a_folder_without_a_manifest_is_removed(self) -> None:
        assert self.found() == [("build/gone", "no manifest in . is named gone")]
        (self.gone / "terraform/.terraform.lock.hcl").touch()
        (self.gone / "terraform/terraform.tfstate").write_text(json.dumps({"resources": []}))
        (self.gone / "terraform/.terraform").mkdir()
        assert [path for path, _ in self.found()] == ["build/gone"], "destroyed"
        (found,) = old_builds(pipeline.load(Path("test.yaml"), Path("build")), Path("test.yaml"))
        found.remove()
        assert [path.name for path in Path("build").iterdir()] == ["test"]

    @pytest.mark.parametrize(
        ("path", "content"),
        [
            ("terraform/terraform.tfstate", '{"resources": [{}]}'),
            ("terraform/terraform.tfstate", "cut off"),
            ("terraform/.terraform/terraform.tfstate", "{}"),  # a state in a bucket
            ("terraform/errored.tfstate", "{}"),
            ("terraform/main.tf", "# edited"),
            ("notes.txt", "mine"),
            (".gen-infra.json", "{}"),
        ],
    )
    def test_what_may_still_be_needed_is_kept(self, path: str, content: str) -> None:
        (self.gone / path).parent.mkdir(exist_ok=True)
        (self.gone / path).write_text(content)
        assert self.found() == []

    @pytest.mark.parametrize(
        ("name", "document"),
        [("renamed.yaml", changed(name="gone")), ("gone.yml", "name: [not accepted"), ("gone.yaml", "")],
    )
    def test_a_manifest_beside_it_keeps_it(self, name: str, document: dict[str, Any] | str) -> None:
        write(Path(), document, name)
        assert self.found() == []

    def test_a_link_is_not_removed(self) -> None:
        self.gone.rename("elsewhere")
        self.gone.symlink_to("../elsewhere")
        assert self.found() == []

    def test_a_plan_of_changed_files_is_removed(self) -> None:
        environment = pipeline.load(self.manifest, Path("build"))
        file = Path("tfplan")
        file.touch()
        environment.saved_plan.save(file, environment.plan_origin("apply"), PlanContent({}))
        assert [path for path, _ in self.found()] == ["build/gone"]
        write(Path(), changed(compute__spot__max_vcpus=65))
        assert self.found()[0] == ("build/test/plan", "its files have changed since")
