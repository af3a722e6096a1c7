"""Find the image of a container, and unpack it: in the emulator's ECR, or among those that its caller offers.

    names    -> the parts of an image's name
    sources  -> where it lies: a repository of ECR, an OCI layout, a root file system
    unpacked -> its root file system, by digest, in the emulator's folder
    layers   -> the files of one layer

The caller offers a folder. An image lies in it under its name, whose slashes are folders:
``DIR/public.ecr.aws/docker/library/busybox:stable`` is a root file system or an OCI layout, and
``DIR/public.ecr.aws/docker/library/busybox`` an OCI layout with the tag ``stable``, as skopeo and umoci make it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.emulator.images import sources
from gen_infra.emulator.images.layers import ImageError
from gen_infra.emulator.images.names import ImageName
from gen_infra.emulator.images.unpacked import UnpackedImage, unpack

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ImageError", "UnpackedImage", "are_offered", "find_image", "has_image", "offer"]


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
    return _source(name) is not None


def find_image(name: str) -> UnpackedImage | None:
    """Return the image with that name, such as ``public.ecr.aws/lts/ubuntu:22.04``; None if there is none.

    Unpacks the image the first time, which takes a while.

    Raises:
        ImageError: the image is damaged, not for this machine, or in a format that is not supported.
    """
    found = _source(name)
    if found is None:
        return None
    return unpack(name, found) if isinstance(found, sources.StoredImage) else UnpackedImage(found)


def _source(name: str) -> Path | sources.StoredImage | None:
    """Return where an image lies; what was pushed comes before what is offered."""
    parts = ImageName.read(name)
    if parts is None:
        return None
    found = sources.in_ecr(parts)
    if found is None and Offered.folder is not None:
        return sources.in_folder(parts, Offered.folder)
    return found
