"""The image of the demo's job: this machine's shell with the libraries that it needs, and a script."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

_ARCHITECTURES = {"aarch64": "arm64", "x86_64": "amd64"}
_TYPE = "application/vnd.oci.image"
# Called as `isaac --working_dir /scratch --sample NA12878`, or with --stats; it has no other programs than the shell.
_SCRIPT = """\
set -e
echo "isaac $*: job $AWS_BATCH_JOB_ID on $AWS_BATCH_CE_NAME"
if [ "$1" = --stats ]; then
  exit 0
fi
echo "variants of $4" >"$2/variants"
read -r line <"$2/variants"
echo "written to scratch and read again: $line"
"""


def write_image(folder: Path, name: str) -> None:
    """Write the image as an OCI layout to ``<folder>/<name>``.

    https://github.com/opencontainers/image-spec/blob/main/image-layout.md
    """
    layout = folder / name
    layer = _layer()
    configuration = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/bin/sh", "/isaac"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_TYPE}.manifest.v1+json",
        "config": _blob(layout, json.dumps(configuration).encode(), "config.v1+json"),
        "layers": [_blob(layout, layer, "layer.v1.tar")],
    }
    index = {"schemaVersion": 2, "manifests": [_blob(layout, json.dumps(manifest).encode(), "manifest.v1+json")]}
    (layout / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")


def _blob(layout: Path, content: bytes, kind: str) -> dict[str, Any]:
    """Write a blob, and return its descriptor."""
    digest = _digest(content)
    path = layout / "blobs" / digest.replace(":", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"mediaType": f"{_TYPE}.{kind}", "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _layer() -> bytes:
    """Return the root file system as a tar archive."""
    shell = Path(shutil.which("sh") or "/bin/sh").resolve()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        _add(tar, "bin/sh", shell.read_bytes(), 0o755)
        _add(tar, "isaac", _SCRIPT.encode(), 0o644)
        for library in _libraries(shell):
            _add(tar, str(library).lstrip("/"), library.read_bytes(), 0o755)
    return archive.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _libraries(program: Path) -> list[Path]:
    """Return the shared libraries of a program, and its loader; none for a static one."""
    listed = subprocess.run(["ldd", str(program)], check=False, capture_output=True, text=True).stdout  # noqa: S603, S607 - argv is our own
    words = (word for line in listed.splitlines() for word in line.split())
    return [Path(word) for word in words if word.startswith("/")]
