"""Find where an image lies: in a repository of the emulator's ECR, or in the folder that the caller offers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gen_infra.emulator.images.names import ImageName

_REF_NAME = "org.opencontainers.image.ref.name"


class StoredImage(NamedTuple):
    """An image as a manifest and layers.

    Args:
        digest: of its manifest, or of an index of manifests.
        manifest: returns a manifest by its digest; None if there is none.
        blob: returns the file of a layer or configuration, which need not exist.
    """

    digest: str
    manifest: Callable[[str], bytes | None]
    blob: Callable[[str], Path]


def in_ecr(name: ImageName) -> StoredImage | None:
    """Find an image that was pushed to the emulator's ECR.

    One that was put there by the API without its layers, which AWS refuses, is not found.
    """
    place = name.ecr
    if place is None:
        return None
    from moto.ecr.models import ecr_backends

    from gen_infra.emulator.registry import images, layers
    from gen_infra.emulator.registry.errors import EcrError

    backends = ecr_backends[place.account]
    repository = backends[place.region].repositories.get(place.name) if place.region in backends else None
    image = images.find(repository, name.reference) if repository is not None else None
    if repository is None or image is None:
        return None
    try:
        images.require_parts(repository, images.read(image.image_manifest), image.image_manifest_media_type or "")
    except EcrError:
        return None

    def manifest(digest: str) -> bytes | None:
        found = images.find(repository, digest)
        return found.image_manifest.encode() if found else None

    return StoredImage(image.get_image_digest(), manifest, layers.layer_path)


def in_folder(name: ImageName, folder: Path) -> Path | StoredImage | None:
    """Find an image in the folder that the caller offers; a path is a root file system."""
    if not name.digest:
        exact = folder / (f"{name.path}:{name.tag}" if name.tag else name.path)
        if exact.is_dir():
            return (_in_layout(name, exact) or _only_one(exact)) if _is_layout(exact) else exact
    layout = folder / name.path
    return _in_layout(name, layout) if _is_layout(layout) else None


def _is_layout(folder: Path) -> bool:
    """https://github.com/opencontainers/image-spec/blob/main/image-layout.md."""
    return (folder / "oci-layout").is_file()


def _in_layout(name: ImageName, layout: Path) -> StoredImage | None:
    for each in _listed(layout):
        if name.reference == each.get("digest") or (
            not name.digest
            and (each.get("annotations") or {}).get(_REF_NAME) in (name.reference, f"{name.path}:{name.reference}")
        ):
            return _stored(layout, each["digest"])
    return _stored(layout, name.digest) if name.digest and _blob(layout, name.digest).is_file() else None


def _only_one(layout: Path) -> StoredImage | None:
    listed = _listed(layout)
    return _stored(layout, listed[0]["digest"]) if len(listed) == 1 else None


def _listed(layout: Path) -> list[dict[str, Any]]:
    try:
        listed = json.loads((layout / "index.json").read_bytes())["manifests"]
    except (KeyError, OSError, TypeError, ValueError):
        return []
    return [each for each in listed if isinstance(each, dict) and isinstance(each.get("digest"), str)]


def _stored(layout: Path, digest: str) -> StoredImage:
    def manifest(digest: str) -> bytes | None:
        path = _blob(layout, digest)
        return path.read_bytes() if path.is_file() else None

    return StoredImage(digest, manifest, lambda digest: _blob(layout, digest))


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")
