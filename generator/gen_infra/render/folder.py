"""Access a folder through directory descriptors, so that no symbolic link below it is followed."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from gen_infra.errors import GenInfraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = ".gen-infra.lock"
_STAGING = ".gen-infra.staging"
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe must not make it wait
_OPEN_LOCK = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_A_LINK_OR_FILE = {errno.ENOTDIR, errno.ELOOP}  # the errors of opening one as a folder, depending on the system


class ObstacleError(Exception):
    """The path of a rendered file or folder is something else, such as a link; the text names it."""


class Folder:
    """The folder at ``root``, which may itself be a symbolic link.

    Paths are relative, ``/``-separated and without ``..``. Methods raise OSError, and :class:`ObstacleError` if a part
    of the path is a link or otherwise neither file nor folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open = ExitStack()
        self._descriptors: dict[str, int] = {}
        self._descriptors[""] = self._keep(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def read(self, path: str) -> bytes | None:
        """Read a file; None if there is none."""
        try:
            parent, name = self.locate(path)
            descriptor = os.open(name, _OPEN_FILE, dir_fd=parent)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise ObstacleError(f"{path} is a symbolic link") from error
            raise
        with _closing(descriptor):
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ObstacleError(f"{path} is not a regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read()

    def names(self, folder: str) -> list[str]:
        """List the entries of a folder below the root (``""`` is the root itself) that are not folders."""
        try:
            descriptor = self._descriptor(folder)
        except FileNotFoundError:
            return []
        with os.scandir(descriptor) as entries:
            return sorted(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))

    def locate(self, path: str) -> tuple[int, str]:
        """Return the descriptor of a path's folder, and the name in it; raise FileNotFoundError if there is none."""
        folder, _, name = path.rpartition("/")
        return self._descriptor(folder), name

    def make_parents(self, path: str) -> None:
        """Create the folders that a file needs."""
        self._descriptor(path.rpartition("/")[0], create=True)

    def remove(self, path: str) -> None:
        """Remove a file, and the folders above it that are empty then."""
        with suppress(FileNotFoundError):
            parent, name = self.locate(path)
            os.unlink(name, dir_fd=parent)
        folder = path.rpartition("/")[0]
        with suppress(OSError):  # of the first folder that is not empty
            while folder:
                parent, name = self.locate(folder)
                os.rmdir(name, dir_fd=parent)
                folder = folder.rpartition("/")[0]

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder; raise a :class:`GenInfraError` that names the process that has locked it already."""
        root = self._descriptors[""]
        while True:
            with _closing(os.open(_LOCK, _OPEN_LOCK, 0o644, dir_fd=root)) as descriptor:
                self._take(descriptor)
                if not self._is_still_there(descriptor):  # another process removed it between our open and our lock
                    continue
                try:
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, f"process {os.getpid()} on {os.uname().nodename}".encode())
                    yield
                finally:
                    with suppress(OSError):
                        os.unlink(_LOCK, dir_fd=root)  # while this process still has the lock
                return

    @contextmanager
    def staging(self) -> Iterator[Staging]:
        """Create an empty folder on the same file system for files that are not in place yet; remove it at the end."""
        self._remove_staging()  # left by a killed run
        try:
            os.mkdir(_STAGING, 0o700, dir_fd=self._descriptors[""])
            with _closing(os.open(_STAGING, _OPEN_FOLDER, dir_fd=self._descriptors[""])) as descriptor:
                yield Staging(self, descriptor)
        finally:
            with suppress(OSError):  # an earlier error matters more, and the next run tries again
                self._remove_staging()

    def _remove_staging(self) -> None:
        root = self._descriptors[""]
        try:
            descriptor = os.open(_STAGING, _OPEN_FOLDER, dir_fd=root)
        except FileNotFoundError:
            return
        with _closing(descriptor):
            with os.scandir(descriptor) as entries:
                names = [entry.name for entry in entries]
            for name in names:
                os.unlink(name, dir_fd=descriptor)
        os.rmdir(_STAGING, dir_fd=root)

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "a process that has just started"
            hint = "wait until it has finished, then try again"
            raise GenInfraError(f"another gen-infra process is writing to {self.root}: {holder}", hint=hint) from None

    def _is_still_there(self, descriptor: int) -> bool:
        try:
            there = os.stat(_LOCK, dir_fd=self._descriptors[""], follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(os.fstat(descriptor), there)

    def _descriptor(self, folder: str, *, create: bool = False) -> int:
        """Open a folder below the root, or return its open descriptor; raise FileNotFoundError if there is none."""
        if folder in self._descriptors:
            return self._descriptors[folder]
        above, _, name = folder.rpartition("/")
        parent = self._descriptor(above, create=create)
        try:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=parent)
            descriptor = os.open(name, _OPEN_FOLDER, dir_fd=parent)
        except OSError as error:
            if error.errno in _A_LINK_OR_FILE:
                raise ObstacleError(f"{folder} is a file or a symbolic link, not a folder") from error
            raise
        self._descriptors[folder] = self._keep(descriptor)
        return descriptor

    def _keep(self, descriptor: int) -> int:
        self._open.callback(os.close, descriptor)
        return descriptor


class Staging:
    """New files for a :class:`Folder`: all are written here first, then each is renamed into its place."""

    def __init__(self, folder: Folder, descriptor: int) -> None:
        self._folder = folder
        self._descriptor = descriptor
        self._names: dict[str, str] = {}

    def put(self, key: str, content: bytes, *, executable: bool = False) -> None:
        """Write a file, to be moved later; ``key`` is a unique text."""
        name = self._names[key] = str(len(self._names))
        with _closing(os.open(name, _OPEN_NEW, 0o600, dir_fd=self._descriptor)) as descriptor:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(content)
            os.fchmod(descriptor, 0o755 if executable else 0o644)  # not changed by the caller's umask

    def move(self, key: str, path: str) -> None:
        """Rename a file into its place, and replace the file there."""
        parent, target = self._folder.locate(path)
        os.replace(self._names[key], target, src_dir_fd=self._descriptor, dst_dir_fd=parent)


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
