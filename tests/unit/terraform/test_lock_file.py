"""What a lock file chooses, and how it gets into the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_infra import pipeline
from gen_infra.errors import UsageError
from gen_infra.render.cache import RenderCache
from gen_infra.terraform.lock_file import LockFile, lock_file_beside
from gen_infra.tools.versions import AWS_PROVIDERS, LOCK_FILE
from tests.unit.manifests import SMALLEST, changed, write

if TYPE_CHECKING:
    from pathlib import Path

LOCK = """\
# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "~> 5.100"
  hashes = [
    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",
  ]
}
"""
RENDERED = f"terraform/{LOCK_FILE}"


def test_it_chooses_a_release(tmp_path: Path) -> None:
    assert LockFile(tmp_path / LOCK_FILE, LOCK.encode()).version("terraform", AWS_PROVIDERS[5]) == "5.100.0"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("5.100.0", "5.99.0", 'chooses version "5.99.0" of hashicorp/aws, and ~> 5.100 is needed'),
        ("registry.terraform.io", "registry.example.org", "does not contain registry.terraform.io/hashicorp/aws"),
        ('    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",\n', "", "has no checksums of hashicorp/aws"),
        ("hashes = [", "hashes = [[", "cannot be read: line"),
    ],
)
def test_what_does_not_match_is_named_with_the_way_out(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / LOCK_FILE
    with pytest.raises(UsageError) as refused:
        LockFile(path, LOCK.replace(old, new).encode()).version("terraform", AWS_PROVIDERS[5])
    assert refused.value.message.startswith(f"{path} {says}")
    assert refused.value.hint == "renew it: gen-infra lock --upgrade MANIFEST"


def test_version_6_needs_a_release_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'chooses version "5\.100\.0" of hashicorp/aws, and ~> 6\.25 is needed'):
        LockFile(tmp_path / LOCK_FILE, LOCK.encode()).version("terraform", AWS_PROVIDERS[6])
    newer = LOCK.replace("5.100.0", "6.69.1").encode()
    assert LockFile(tmp_path / LOCK_FILE, newer).version("terraform", AWS_PROVIDERS[6]) == "6.69.1"


def test_a_folder_has_one_version_of_the_provider(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, changed(), "five.yaml"),
        write(tmp_path, changed(name="six", terraform__aws_provider=6), "six.yaml"),
    ]
    with pytest.raises(UsageError, match="name versions 5 and 6 of the AWS provider, and share a lock file") as refused:
        pipeline.lock(paths, lambda _: None)
    assert refused.value.hint == "keep them in two folders"
    assert not (tmp_path / LOCK_FILE).exists()


def test_each_flavour_has_its_own_registry(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"does not contain registry\.opentofu\.org/hashicorp/aws"):
        LockFile(tmp_path / LOCK_FILE, LOCK.encode()).version("opentofu", AWS_PROVIDERS[5])


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(LOCK)
    (tmp_path / LOCK_FILE).symlink_to("elsewhere")
    with pytest.raises(UsageError, match="is not a regular file"):
        lock_file_beside(tmp_path / "test.yaml")


def test_a_render_copies_it_over_the_one_that_terraform_made(tmp_path: Path) -> None:
    manifest, out = write(tmp_path, SMALLEST), tmp_path / "build"
    pipeline.write(pipeline.load(manifest, out))
    made_by_terraform = out / "test" / RENDERED
    made_by_terraform.write_text("# terraform's")
    pipeline.write(pipeline.load(manifest, out))
    assert made_by_terraform.read_text() == "# terraform's", "without a lock file beside the manifest it is terraform's"

    (tmp_path / LOCK_FILE).write_text(LOCK)
    assert pipeline.write(pipeline.load(manifest, out)).updated == (RENDERED,)
    assert made_by_terraform.read_text() == LOCK
    (tmp_path / LOCK_FILE).unlink()
    assert pipeline.write(pipeline.load(manifest, out)).pruned == (RENDERED,)


def test_the_cache_of_renders_sees_a_changed_lock_file(tmp_path: Path) -> None:
    manifest, out = write(tmp_path, SMALLEST), tmp_path / "build"
    cache = RenderCache()

    def rendered() -> None:
        environment = pipeline.load(manifest, out)
        pipeline.write(environment)
        cache.store(environment.loaded, environment.root, environment.digest, "")

    rendered()
    assert cache.find(manifest, out)
    (tmp_path / LOCK_FILE).write_text(LOCK)
    assert not cache.find(manifest, out)
    rendered()
    assert cache.find(manifest, out)
    (tmp_path / LOCK_FILE).write_text(LOCK.replace("5.100.0", "5.110.0"))
    assert not cache.find(manifest, out)
