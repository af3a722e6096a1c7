"""Find the image of a container: among those that the emulator's caller offers.

The caller offers a folder. An image lies in it under its whole name, whose slashes are folders:
``DIR/public.ecr.aws/docker/library/busybox:stable`` is a root file system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = re.compile(rf"{_PART}(:[0-9]+)?(/{_PART})*(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{{64}})?")


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


class Offered:
    """The folder of images that the emulator's caller offers; None if it offers none."""

    folder: Path | None = None


def offer(folder: Path) -> None:
    """Offer the images in a folder."""
    Offered.folder = folder.resolve()


def are_offered() -> bool:
    """Return whether the caller offers images; then a job whose image is not found fails, as on AWS."""
    return Offered.folder is not None


def has_image(name: str) -> bool:
    """Return at once whether there is an image with that name."""
    return Offered.folder is not None and bool(_NAME.fullmatch(name)) and (Offered.folder / name).is_dir()


def find_image(name: str) -> UnpackedImage | None:
    """Return the image with that name, such as ``public.ecr.aws/lts/ubuntu:22.04``; None if there is none.

    May unpack the image, which takes a while the first time.
    """
    return UnpackedImage(Offered.folder / name) if Offered.folder is not None and has_image(name) else None
