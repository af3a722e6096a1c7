"""Put images into a repository and find them there, for the registry and for ECR's API."""

from __future__ import annotations

import hashlib
import json
import threading
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from moto.ecr.models import Image

from gen_infra.emulator.registry.errors import EcrError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.ecr.models import Repository

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
_PUTTING = threading.Lock()  # so that of several pushes of an immutable tag one succeeds
MEDIA_TYPES = INDEXES | {OCI_MANIFEST, DOCKER_MANIFEST}


def digest_of(manifest: str) -> str:
    """Return the digest of an image: that of its manifest."""
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def read(manifest: str | bytes) -> dict[str, Any]:
    """Read a manifest.

    Raises:
        EcrError: it is not a JSON object.
    """
    try:
        content = json.loads(manifest if isinstance(manifest, str) else manifest.decode())
    except (RecursionError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise EcrError(
            "InvalidParameterException",
            "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
        )
    return content


def find(repository: Repository, reference: str) -> Image | None:
    """Return the image with a tag or a digest."""
    return next(
        (image for image in repository.images if reference in (image.get_image_digest(), *image.image_tags)), None
    )


def put(repository: Repository, manifest: str, tag: str | None, media_type: str) -> Image:
    """Put an image into a repository; the tag moves from the image that has it, which stays.

    Raises:
        EcrError: the tag exists and is immutable.
    """
    with _PUTTING:
        before = find(repository, tag) if tag else None
        if tag and before is not None and _is_immutable(repository, tag):
            raise EcrError(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten "
                "because the repository is immutable.",
            )
        image = find(repository, digest_of(manifest))
        if image is None:
            image = Image(repository.account_id, None, manifest, repository.name, media_type)  # type: ignore[arg-type]
            repository.images.append(image)
        if tag and before is not image:
            if before is not None:
                before.remove_tag(tag)
            image.update_tag(tag)
        return image


def require_parts(repository: Repository, manifest: Mapping[str, Any], media_type: str) -> None:
    """Refuse a manifest whose layers, configuration or images the repository does not have.

    Raises:
        EcrError: a part is missing, or the manifest is not one.
    """
    is_index = media_type in INDEXES
    try:
        if is_index:
            parts = [each["digest"] for each in manifest["manifests"]]
            present = {image.get_image_digest() for image in repository.images}
        else:
            parts = [each["digest"] for each in (manifest["config"], *manifest["layers"]) if not each.get("urls")]
            present = set(repository.layers)
        missing = [str(part) for part in parts if part not in present]
    except (AttributeError, KeyError, TypeError) as error:
        raise EcrError(
            "InvalidParameterException",
            "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid Image Manifest provided'",
        ) from error
    if missing:
        raise EcrError(
            "ReferencedImagesNotFoundException" if is_index else "LayersNotFoundException",
            f"{'Images' if is_index else 'Layers'} with digests '[{', '.join(missing)}]' required for pushing image "
            f"into repository with name '{repository.name}' in the registry with id '{repository.registry_id}' "
            "do not exist",
        )


def size_of(manifest: str) -> int | None:
    """Return the size of an image: that of its compressed layers and its configuration; None for an index."""
    content = json.loads(manifest)
    if "layers" not in content:
        return None
    sizes = [each.get("size") for each in (content.get("config", {}), *content["layers"])]
    return sum(size for size in sizes if isinstance(size, int))


def _is_immutable(repository: Repository, tag: str) -> bool:
    filters = repository.image_tag_mutability_exclusion_filters or ()
    is_excluded = any(fnmatchcase(tag, each["filter"]) for each in filters)
    return repository.is_tag_immutable() != is_excluded
