"""Keep the layers and configurations of images in files, by digest.

All repositories share the files; ``Repository.layers`` of moto lists which layers a repository has.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from moto.ecr.exceptions import UploadNotFoundException
from moto.ecr.models import LayerUpload

from gen_infra.emulator.registry.errors import EcrError

if TYPE_CHECKING:
    from typing import IO

    from moto.ecr.models import Repository

_CHUNK = 1024 * 1024  # bytes


def layer_path(digest: str) -> Path:
    """Return the file of a layer."""
    return _folder() / digest.replace(":", "-")


def require_layer(repository: Repository, digest: str) -> None:
    """Refuse a layer that a repository does not have.

    Raises:
        EcrError: it has no such layer.
    """
    if digest not in repository.layers or not layer_path(digest).exists():
        raise EcrError(
            "LayersNotFoundException",
            f"The layer with digest '{digest}' does not exist within the repository with name '{repository.name}' in "
            f"the registry with id '{repository.registry_id}'",
        )


def link_layers(scratch: Path) -> None:
    """Give the finished layers also to another emulator's folder, for a copy of this one."""
    target = scratch / _folder().name
    target.mkdir()
    for layer in _folder().glob("sha256-*"):
        os.link(layer, target / layer.name)


def start_upload(repository: Repository) -> LayerUpload:
    """Start an upload."""
    upload = LayerUpload(repository.name, repository.registry_id)
    _upload_path(upload.upload_id).touch()
    repository.uploads[upload.upload_id] = upload
    return upload


def uploaded_bytes(repository: Repository, upload_id: str) -> int:
    """Return how many bytes an upload has.

    Raises:
        UploadNotFoundException: the repository has no such upload.
    """
    return _upload(repository, upload_id).stat().st_size


def append(repository: Repository, upload_id: str, content: IO[bytes], first_byte: int | None = None) -> int:
    """Append to an upload, and return how many bytes it has.

    Raises:
        UploadNotFoundException: the repository has no such upload.
        EcrError: the content does not start where the last one ended.
    """
    path = _upload(repository, upload_id)
    size = path.stat().st_size
    if first_byte not in (None, size):
        raise EcrError(
            "InvalidLayerPartException", f"The layer part does not start at the upload's last byte received {size - 1}"
        )
    with path.open("ab") as file:
        shutil.copyfileobj(content, file, _CHUNK)
    return path.stat().st_size


def complete(repository: Repository, upload_id: str, expected: str = "") -> str:
    """Complete an upload, and return the layer's digest.

    Args:
        repository: the layer's repository.
        upload_id: the id of the upload.
        expected: the digest that the client has; empty if it does not say.

    Raises:
        UploadNotFoundException: the repository has no such upload.
        EcrError: the layer is empty or has another digest; the upload is gone.
    """
    path = _upload(repository, upload_id)
    with path.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    size = path.stat().st_size
    del repository.uploads[upload_id]
    if expected not in ("", digest):
        path.unlink()
        raise EcrError("InvalidLayerException", f"The layer's digest is '{digest}', not '{expected}'")
    path.replace(layer_path(digest))
    repository.layers[digest] = size
    return digest


def _upload(repository: Repository, upload_id: str) -> Path:
    path = _upload_path(upload_id)
    if upload_id not in repository.uploads or not path.exists():
        raise UploadNotFoundException(upload_id, repository.name, repository.registry_id)
    return path


def _upload_path(upload_id: str) -> Path:
    return _folder() / f"upload-{upload_id}"


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / "layers"  # removed with the emulator
    folder.mkdir(exist_ok=True)
    return folder
