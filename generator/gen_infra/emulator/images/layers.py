"""Unpack a layer of an image into a folder, as if the folder were the root: nothing is written outside it.

Absolute links are ordinary in images, so tarfile's own filters refuse too much. Here each path is resolved below the
root, also through links, before anything is written.

https://github.com/opencontainers/image-spec/blob/main/layer.md
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

MOST_BYTES = 64 * 1024**3  # of the files of a layer
MOST_ENTRIES = 2_000_000  # of a layer
_MOST_LINKS = 40  # on the way to a file, as in Linux
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class ImageError(Exception):
    """An image cannot be unpacked; the message says why."""


def unpack_layer(layer: Path, root: Path, *, most_bytes: int = MOST_BYTES, most_entries: int = MOST_ENTRIES) -> None:
    """Add the files of a layer to a root file system, and remove what its whiteouts name.

    Owners are kept if this process is root's. Devices are left out: a container gets those of its runtime.

    Raises:
        ImageError: the layer is damaged, too large, or tries to write outside the root.
    """
    try:
        with _tar(layer) as archive:
            target = _Root(root)
            for number, member in enumerate(archive):
                most_bytes -= member.size
                if member.size < 0 or most_bytes < 0 or number >= most_entries:
                    raise ImageError("a layer has too many or too large files")
                target.add(archive, member)
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        raise ImageError(f"a layer cannot be unpacked: {error}") from error


@contextlib.contextmanager
def _tar(layer: Path) -> Iterator[tarfile.TarFile]:
    with layer.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start == _ZSTD:
            raise ImageError(
                "a layer is compressed with zstd, which is not supported; "
                "push it with skopeo copy --dest-compress-format gzip"
            )
        stream: IO[bytes] = gzip.GzipFile(fileobj=file) if start.startswith(_GZIP) else file  # type: ignore[assignment]
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            yield archive


@dataclass
class _Root:
    """A root file system, and what one layer has added to it."""

    folder: Path
    added: set[Path] = field(default_factory=set)

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Add a member of the layer, or remove what it says."""
        above, _, name = member.name.rstrip("/").rpartition("/")
        parent = self._resolve(above)
        if name in ("", "."):
            return
        if name.removeprefix(_WHITEOUT) in ("", ".", ".."):
            raise ImageError(f"a layer has an entry {member.name!r}, which is no file")
        parent.mkdir(parents=True, exist_ok=True)
        if name == _OPAQUE:
            self._remove_lower(parent)
        elif name.startswith(_WHITEOUT):
            _remove(parent / name.removeprefix(_WHITEOUT))
        else:
            self._write(archive, member, parent / name)

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        self.added.update((target, *target.parents))
        if not (member.isdir() and target.is_dir() and not target.is_symlink()):
            _remove(target)
        if member.isdir():
            target.mkdir(exist_ok=True)
        elif member.isreg():
            content = archive.extractfile(member)
            assert content is not None  # noqa: S101 - it is a regular file
            with content, target.open("xb") as file:
                shutil.copyfileobj(content, file)
        elif member.issym():
            target.symlink_to(member.linkname)
        elif member.islnk():
            self._link(member, target)
            return  # its owner and mode are those of the other file
        elif member.isfifo():
            os.mkfifo(target)
        else:
            return  # a device
        _set_attributes(member, target)

    def _link(self, member: tarfile.TarInfo, target: Path) -> None:
        above, _, name = member.linkname.rpartition("/")
        source = self._resolve(above) / name
        if name in ("", ".", ".."):
            raise ImageError(f"a layer has a link to {member.linkname!r}, which is no file")
        os.link(source, target, follow_symlinks=False)

    def _resolve(self, path: str) -> Path:
        """Return a folder's path on this machine: links are followed as in a container, so they stay in the root.

        Raises:
            ImageError: there are too many links.
        """
        ahead, resolved, links = path.split("/")[::-1], self.folder, 0
        while ahead:
            part = ahead.pop()
            if part in ("", "."):
                continue
            if part == "..":
                resolved = resolved if resolved == self.folder else resolved.parent
                continue
            step = resolved / part
            if not step.is_symlink():
                resolved = step
                continue
            links += 1
            if links > _MOST_LINKS:
                raise ImageError(f"a layer has too many links on the way to {path!r}")
            destination = os.readlink(step)  # noqa: PTH115 - a Path would drop what is resolved here
            if destination.startswith("/"):
                resolved = self.folder
            ahead += destination.split("/")[::-1]
        return resolved

    def _remove_lower(self, folder: Path) -> None:
        """Remove what lower layers have put into a folder."""
        for each in list(folder.iterdir()):
            if each not in self.added:
                _remove(each)
            elif each.is_dir() and not each.is_symlink():
                self._remove_lower(each)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _set_attributes(member: tarfile.TarInfo, target: Path) -> None:
    if os.geteuid() == 0:
        os.chown(target, member.uid, member.gid, follow_symlinks=False)
    if not member.issym():
        target.chmod(member.mode & 0o7777)  # after the owner, whose change clears the bits for setuid
        os.utime(target, (member.mtime, member.mtime))
