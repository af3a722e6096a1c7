"""What makes an image stale, and that its recipe is the same wherever it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gen_infra import image as story
from gen_infra.aws.images import BASE_IMAGE_TAG, BASE_VERSION_TAG, RECIPE_TAG, Base, MachineImage, too_small
from gen_infra.errors import UsageError
from gen_infra.render.files import packer_folder
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

BASE = Base("ami-00000000", "2023.0.1")


def built(**tags: str) -> MachineImage:
    given = {BASE_IMAGE_TAG: BASE.id, BASE_VERSION_TAG: BASE.version, RECIPE_TAG: "r1"} | tags
    return MachineImage(
        "ami-1", "gen-infra-x", datetime(2026, 1, 1, tzinfo=UTC), "available", given, {}, requires_imdsv2=True
    )


@pytest.mark.parametrize(
    ("image", "reasons"),
    [
        (built(), []),
        (built(**{RECIPE_TAG: "r0"}), ["the recipe has changed since"]),
        (
            built(**{BASE_IMAGE_TAG: "ami-ffffffff", BASE_VERSION_TAG: "2023.0.0"}),
            ["it was built on 2023.0.0 (ami-ffffffff), and 2023.0.1 (ami-00000000) is newer"],
        ),
        (built(**{RECIPE_TAG: ""}), ["ami-1 was not built by gen-infra"]),
        (None, ["the image does not exist"]),
    ],
)
def test_what_makes_an_image_stale(image: MachineImage | None, reasons: list[str]) -> None:
    assert list(story.reasons(image, BASE, "r1")) == reasons


def test_the_recipe_follows_template_and_scripts_and_no_packer(tmp_path: Path) -> None:
    manifest = accept(tmp_path)
    other = accept(tmp_path, image__scratch__filesystem="ext4")
    assert story.recipe(manifest) == story.recipe(accept(tmp_path))
    assert story.recipe(manifest) != story.recipe(other)
    assert packer_folder(manifest) != packer_folder(manifest, modern=True)


def test_where_an_image_is_built_does_not_change_by_where_it_runs(tmp_path: Path) -> None:
    unset, named = accept(tmp_path), accept(tmp_path, image={"parameter": "/lab/ami", "source": "/lab/base"})
    assert (unset.image_parameter, named.image_parameter) == ("/gen-infra/test/ami", "/lab/ami")
    assert unset.image.build_source.endswith("/amazon-linux-2023/recommended/image_id")
    assert named.image.build_source == "/lab/base"
    assert unset.image_builder_profile == "batchImageBuilder-test"


def test_an_instance_profile_owned_elsewhere_builds_too(tmp_path: Path) -> None:
    profile = "arn:aws:iam::123456789012:instance-profile/central/batchInstance"
    assert accept(tmp_path, iam={"instance_profile": profile}).image_builder_profile == "batchInstance"


def test_an_environment_without_instances_has_no_image(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Fargate alone"):
        story.require_instances(accept(tmp_path, compute__spot={"type": "FARGATE", "max_vcpus": 4}))


@pytest.mark.parametrize(
    ("volumes", "problems"),
    [
        ({"/dev/xvda": 30}, []),
        ({"/dev/xvda": 100, "/dev/sdb": 1}, []),
        ({"/dev/xvda": 29}, ["/dev/xvda is 29 GiB in the manifest, its snapshot 30 GiB"]),
    ],
)
def test_a_volume_is_no_smaller_than_its_snapshot(volumes: dict[str, int], problems: list[str]) -> None:
    assert too_small({"/dev/xvda": 30}, volumes) == problems
