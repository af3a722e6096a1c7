"""Rules for what is put into the machine image when it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.model.image import EcsAgent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


def settings_of_the_build_need_a_built_image(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of settings that only `image build` uses where the instances run AWS's image."""
    image = manifest.image
    if not image.is_stock:
        return
    for key, is_set in (("ecs", image.ecs != EcsAgent()), ("aws_cli", image.aws_cli), ("scripts", image.scripts)):
        if is_set:
            yield (
                ("image", key),
                "has no effect on AWS's image; build the image (gen-infra image build) and set image.parameter",
            )


ERRORS: tuple[ManifestRule, ...] = ()
WARNINGS: tuple[ManifestRule, ...] = (settings_of_the_build_need_a_built_image,)
