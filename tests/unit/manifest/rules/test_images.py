"""Tags of images: from the job, from the manifest, from the command line, or missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_infra.manifest import load_with_warnings
from gen_infra.manifest.reading.loader import ManifestError
from tests.conftest import ROOT
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Loaded

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/test"
DIGEST = "sha256:" + 64 * "a"


def loaded(folder: Path, image: str, *options: str, strict: bool = False, tags: dict[str, str] | None = None) -> Loaded:
    job = {"image": image, "vcpus": 1, "memory_mib": 512}
    document = changed(repositories=["isaac", "team/caller"], jobs={"align": job}, image_tags=tags or {})
    return load_with_warnings(write(folder, document), strict=strict, image_tags=options)


def uri(found: Loaded) -> str:
    return found.manifest.image_uri(found.manifest.jobs["align"].image or "")


@pytest.mark.parametrize(
    ("image", "tags", "options", "expected"),
    [
        ("isaac:1.0", {}, (), f"{REGISTRY}/isaac:1.0"),
        (f"isaac@{DIGEST}", {}, (), f"{REGISTRY}/isaac@{DIGEST}"),
        ("isaac", {"isaac": "1.4"}, (), f"{REGISTRY}/isaac:1.4"),
        ("isaac", {"isaac": DIGEST}, (), f"{REGISTRY}/isaac@{DIGEST}"),
        ("isaac", {"isaac": "1.4"}, ("isaac=2.0-rc.1",), f"{REGISTRY}/isaac:2.0-rc.1"),
        ("isaac", {}, ("isaac=1", "isaac=2"), f"{REGISTRY}/isaac:2"),
        ("team/caller", {}, ("team/caller=1",), f"{REGISTRY}/team/caller:1"),
        ("quay.io/lab/tool:3", {}, (), "quay.io/lab/tool:3"),
        ("localhost:5000/tool:3", {}, (), "localhost:5000/tool:3"),
    ],
)
def test_the_tag_that_a_job_runs(
    tmp_path: Path, image: str, tags: dict[str, str], options: tuple[str, ...], expected: str
) -> None:
    found = loaded(tmp_path, image, *options, tags=tags)

    assert uri(found) == expected
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("isaac", "latest can be pushed once only, because isaac's tags are immutable"),
        ("isaac:latest", "with --image-tag isaac=1.0"),
        ("quay.io/lab/tool", '"quay.io/lab/tool" has no tag or digest'),
        ("localhost:5000/tool", "has no tag or digest"),
    ],
)
def test_an_image_without_a_tag_is_a_warning(tmp_path: Path, image: str, says: str) -> None:
    [warning] = loaded(tmp_path, image).warnings
    assert warning.path == "jobs.align.image"
    assert says in warning.message
    with pytest.raises(ManifestError, match="one warning"):
        loaded(tmp_path, image, strict=True)


@pytest.mark.parametrize(
    ("image", "option", "says"),
    [
        (
            "isaac",
            "isac=1",
            '--image-tag:1:1: image_tags.isac: unknown repository "isac"; choose from: isaac, team/caller',
        ),
        ("isaac:1.0", "isaac=2", "image_tags.isaac: no job has the image isaac without a tag of its own"),
        ("isaac", "isaac=a b", "an image's tag in quotes, or its digest"),
        ("isaac", "isaac=${evil}", "an image's tag in quotes, or its digest"),
        ("isaac", "isaac=sha256:12", "an image's tag in quotes, or its digest"),
    ],
)
def test_a_tag_that_releases_nothing_is_refused(tmp_path: Path, image: str, option: str, says: str) -> None:
    with pytest.raises(ManifestError) as refusal:
        loaded(tmp_path, image, option)
    assert says in str(refusal.value)


@pytest.mark.parametrize("path", sorted((ROOT / "envs").rglob("*.yaml")), ids=lambda path: path.stem)
def test_our_manifests_pin_their_images(path: Path) -> None:
    if path.stem != "base":  # a parent without a name
        assert [warning for warning in load_with_warnings(path).warnings if warning.path.endswith(".image")] == []
