"""Unpack an image once, and keep its root file system by its digest, in the emulator's folder."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.images.layers import ImageError, unpack_layer

if TYPE_CHECKING:
    from gen_infra.emulator.images.sources import StoredImage

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ARCHITECTURES = {"aarch64": "arm64", "x86_64": "amd64"}
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_LONGEST_CONFIG = 8 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class UnpackedImage:
    """An image whose root file system lies in a folder.

    Args:
        root: its root file system; only read.
        config: ``config`` of the OCI image configuration: ``Env``, ``Entrypoint``, ``Cmd``, ``User``, ``WorkingDir``.
            https://github.com/opencontainers/image-spec/blob/main/config.md
        digest: ``sha256:…`` of its manifest; empty for a root file system without one.
    """

    root: Path
    config: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


def unpack(name: str, image: StoredImage) -> UnpackedImage:
    """Return an image with its root file system, and unpack it if no job has had it before.

    Raises:
        ImageError: it cannot be unpacked.
    """
    try:
        digest, manifest = _manifest(image, image.digest)
        config = _json(_verified(image, manifest["config"]["digest"]).read_bytes())
        root = _root(image, digest, [each["digest"] for each in manifest["layers"]])
    except ImageError as error:
        raise ImageError(f"image {name}: {error}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ImageError(f"image {name}: its manifest is invalid") from error
    return UnpackedImage(root, config.get("config") or {}, digest)


def _manifest(image: StoredImage, digest: str, depth: int = 0) -> tuple[str, dict[str, Any]]:
    """Return the manifest for this machine, and its digest."""
    content = image.manifest(digest)
    if content is None or f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise ImageError(f"its manifest {digest} is missing or damaged")
    manifest = _json(content)
    kind = manifest.get("mediaType") or (_INDEXES[0] if "manifests" in manifest else _MANIFESTS[0])
    if kind in _MANIFESTS and manifest.get("schemaVersion") == 2:
        return digest, manifest
    if kind not in _INDEXES or depth:
        raise ImageError(f"its manifest has the media type {kind}, which is not supported")
    return _manifest(image, _for_this_machine(manifest["manifests"]), depth + 1)


def _for_this_machine(manifests: list[dict[str, Any]]) -> str:
    """Return the digest of the manifest for this machine's platform."""
    machine = platform.machine()
    wanted = f"linux/{_ARCHITECTURES.get(machine, machine)}"
    found = {
        f"{each['platform']['os']}/{each['platform']['architecture']}": str(each["digest"])
        for each in reversed(manifests)  # the first of several variants counts
        if each.get("platform")
    }
    if wanted in found:
        return found[wanted]
    if len(manifests) == 1 and not found:
        return str(manifests[0]["digest"])
    raise ImageError(f"it has no manifest for {wanted}, only for {', '.join(sorted(found)) or 'unknown platforms'}")


def _root(image: StoredImage, digest: str, layers: list[str]) -> Path:
    folder = Path(tempfile.gettempdir()) / "images"
    root = folder / digest.removeprefix("sha256:")
    with _lock(folder):
        if root.is_dir():
            return root
        unfinished = folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        unfinished.chmod(0o755)
        for each in layers:
            unpack_layer(_verified(image, each), unfinished)
        return unfinished.rename(root)


@functools.cache
def _lock(_folder: Path) -> threading.Lock:
    """Return the lock of a folder; a copy of the emulator has another folder, and so a lock that no thread holds."""
    return threading.Lock()


def _verified(image: StoredImage, digest: str) -> Path:
    """Return the file of a blob.

    Raises:
        ImageError: it is missing, or has another digest.
    """
    if not _DIGEST.fullmatch(digest):
        raise ImageError(f"it has the digest {digest!r}, which is none of SHA-256")
    path = image.blob(digest)
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"its blob {digest} is missing") from error
    if digest != f"sha256:{found}":
        raise ImageError(f"its blob {digest} is damaged")
    return path


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content[:_LONGEST_CONFIG])
    except ValueError as error:
        raise ImageError("its manifest or its configuration is not JSON") from error
    if not isinstance(found, dict):
        raise ImageError("its manifest or its configuration is not a JSON object")
    return found
