"""Rules for the tags of the jobs' images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.model.resource_names import image_repository

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


def image_tags_are_used(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a tag that would release nothing."""
    images = {container.image for _, _, container in manifest.containers()}
    for repository in manifest.image_tags:
        if repository not in manifest.repositories:
            known = ", ".join(manifest.repositories) or "the manifest has none"
            yield ("image_tags", repository), f'unknown repository "{repository}"; choose from: {known}'
        elif repository not in images:
            yield ("image_tags", repository), f"no job has the image {repository} without a tag of its own"


def images_are_pinned(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn about images whose content changes: results cannot be repeated, and ECR's tags here are immutable."""
    for path, _, container in manifest.containers():
        repository = image_repository(container.image)
        uri = manifest.image_uri(container.image)
        _, _, tag = uri.rpartition("/")[2].partition(":")
        if repository in manifest.repositories and tag in {"", "latest"}:
            yield (
                (*path, "image"),
                f"the tag latest can be pushed once only, because {repository}'s tags are immutable; give a tag here "
                f"(image: {repository}:1.0), under image_tags, or with --image-tag {repository}=1.0",
            )
        elif not tag and "@" not in uri:
            yield (
                (*path, "image"),
                f'"{container.image}" has no tag or digest, so that its program can change between two jobs; add one',
            )


ERRORS: tuple[ManifestRule, ...] = (image_tags_are_used,)
WARNINGS: tuple[ManifestRule, ...] = (images_are_pinned,)
