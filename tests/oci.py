"""Make OCI image layouts: https://github.com/opencontainers/image-spec/blob/main/image-layout.md."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def member(name: str, content: bytes | None = None, **attributes: Any) -> tuple[tarfile.TarInfo, bytes]:
    """Return an entry of a layer: a file with that content, or what its attributes say."""
    info = tarfile.TarInfo(name)
    info.mode, info.size = 0o755, len(content or b"")
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content or b""


def folder(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, mode=mode)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=kind, linkname=target)


def layer(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return an uncompressed layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class Layout:
    """An OCI image layout that a test fills."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "blobs" / "sha256").mkdir(parents=True)
        (place / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self._manifests: list[Mapping[str, Any]] = []

    def blob(self, content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        """Add a blob, and return its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        (self.place / "blobs" / "sha256" / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content), **more}

    def manifest(
        self,
        layers: Iterable[bytes],
        config: Mapping[str, Any] | None = None,
        media_type: str = LAYER,
        compress: Callable[[bytes], bytes] = lambda content: gzip.compress(content, mtime=0),
        architecture: str = "amd64",
    ) -> dict[str, Any]:
        """Add an image's manifest, and return its descriptor."""
        layers = list(layers)
        diffs = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]
        content = {
            "architecture": architecture,
            "os": "linux",
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": diffs},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(json.dumps(content).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [self.blob(compress(each), media_type) for each in layers],
        }
        return self.blob(json.dumps(manifest).encode(), MANIFEST)

    def index(self, *manifests: Mapping[str, Any]) -> dict[str, Any]:
        """Add an index of images for several platforms, and return its descriptor."""
        content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
        return self.blob(json.dumps(content).encode(), INDEX)

    def tag(self, descriptor: Mapping[str, Any], tag: str) -> str:
        """Name an image, and return its digest."""
        annotations = {"org.opencontainers.image.ref.name": tag}
        self._manifests.append({**descriptor, "annotations": annotations})
        index = {"schemaVersion": 2, "manifests": self._manifests}
        (self.place / "index.json").write_text(json.dumps(index))
        digest: str = descriptor["digest"]
        return digest
