"""Find out without rendering that `gen-infra render` would change nothing.

After each render ``<root>/.gen-infra.cache/inputs.json`` has a digest of everything that decides what `render` writes
and prints: the text of the manifest, of its parents and of the lock file, the code that renders, and the files that
were written. If the digest and the files are still the same, so is the answer. In any doubt there is none, and the
caller renders.

What can change without any of these is not kept: a manifest with warnings, whose places depend on the working
directory, and one that is valid only until some day. The cache is for one machine: git ignores its folder.

Importing the rest of this package takes longer than all of this; so nothing here needs it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from hashlib import sha256
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.errors import GenInfraError
from gen_infra.render.folder import Folder, ObstacleError
from gen_infra.render.writer import Written, digest, read_back
from gen_infra.resources import DataKind, data_dir
from gen_infra.tools.versions import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest import Loaded

_FOLDER = ".gen-infra.cache"
_INPUTS = f"{_FOLDER}/inputs.json"
IMPORTED = ".gen-infra.imported"
_DATA: tuple[DataKind, ...] = ("templates", "modules", "packer")
_LIBRARIES = ("jinja2", "msgspec", "yaml")
# Only to find the folder: with a wrong name there is no such folder, or its digest is another.
_NAME = re.compile(rb"""^name: +["']?([a-zA-Z0-9-]+)""", re.MULTILINE)


class Unchanged(NamedTuple):
    """What a render would result in, found without rendering.

    Args:
        name: the environment's name.
        root: the folder of its rendered files.
        written: all files, as unchanged.
        cost: the line about what a new network costs; empty if there is none.
    """

    name: str
    root: Path
    written: Written
    cost: str


class _Inputs(NamedTuple):
    """What a render was made from and resulted in: the parents' file names, the digest of the files, the cost."""

    parents: list[str]
    files: str
    cost: str
    digest: str


class RenderCache:
    """Remembers the last render of each folder. Create it first: later imports may not be the code that it looks at."""

    def __init__(self) -> None:
        self._code = code_signature()

    def find(self, manifest_path: Path, out: Path) -> Unchanged | None:
        """Return what rendering a manifest would result in; None if anything changed, or may have changed."""
        with suppress(OSError, ValueError, TypeError, LookupError, RecursionError, ObstacleError, GenInfraError):
            return self._find(manifest_path, out)
        return None

    def _find(self, manifest_path: Path, out: Path) -> Unchanged | None:
        text = _read(manifest_path)
        stated = _NAME.search(text)
        if not stated:
            return None
        name = stated[1].decode()
        root = out / name
        if (root / IMPORTED).exists():  # what is rendered depends on Terraform's state
            return None
        with Folder(root) as folder, folder.lock():
            last = _Inputs(**json.loads(folder.read(_INPUTS) or b"{}"))
            parents = [manifest_path.parent / parent for parent in last.parents]
            if any(parent.is_symlink() for parent in parents):  # which is an error
                return None
            sources = [(manifest_path.name, text), *((parent.name, _read(parent)) for parent in parents)]
            sources += _lock_file_beside(manifest_path)
            if last.digest != self._digest(name, sources, last.files, last.cost):
                return None
            files = read_back(root)
        if digest(files) != last.files:
            return None
        return Unchanged(name, root, Written((), (), tuple(sorted(files)), ()), last.cost)

    def store(self, loaded: Loaded, root: Path, files: str, cost: str) -> None:
        """Record a render, if it will be the same as long as its inputs are; failing to do so is no error.

        Args:
            loaded: the manifest.
            root: the folder that it was rendered to.
            files: the digest of the rendered files.
            cost: the line about what a new network costs, or empty.
        """
        from gen_infra.manifest.rules.rebuild import depends_on_date

        if loaded.warnings or depends_on_date(loaded.manifest):
            return
        sources = [(source.path.name, source.text.encode()) for source in loaded.sources]
        parents = [name for name, _ in sources[1:]]
        sources += _lock_file_beside(loaded.sources[0].path)
        made = _Inputs(parents, files, cost, self._digest(loaded.manifest.name, sources, files, cost))
        content = json.dumps(made._asdict(), indent=2).encode() + b"\n"
        with suppress(OSError, ObstacleError, GenInfraError), Folder(root) as folder, folder.lock():
            if folder.read(_INPUTS) == content:
                return
            with folder.staging() as staging:
                for path, text in ((f"{_FOLDER}/.gitignore", b"*\n"), (_INPUTS, content)):
                    folder.make_parents(path)
                    staging.put(path, text)
                    staging.move(path, path)

    def _digest(self, name: str, sources: Iterable[tuple[str, bytes]], files: str, cost: str) -> str:
        hashes = [(file, sha256(text).hexdigest()) for file, text in sources]
        return sha256(json.dumps([self._code, name, hashes, files, cost]).encode()).hexdigest()


def forget(root: Path) -> None:
    """Let the next render of a folder look at everything."""
    (root / _INPUTS).unlink(missing_ok=True)


def code_signature() -> str:
    """Return a digest of what renders: Python, this package with its data files, and the libraries that it uses.

    Of a file it takes the size and the times of the last change, of which one cannot be set back: reading all of them
    would take longer than everything else. Of a library it takes the first file, which an installer writes anew.
    """
    package = Path(__file__).parents[1]
    folders = [package, *(folder for kind in _DATA if not (folder := data_dir(kind)).is_relative_to(package))]
    stamps = [stamp for folder in folders for stamp in _stamps(str(folder))]
    for library in _LIBRARIES:
        spec = PathFinder.find_spec(library)
        if spec and spec.origin:
            stamps.append((spec.origin, *_stamp(Path(spec.origin).stat())))
    return sha256(repr((sys.version, stamps)).encode()).hexdigest()


def _lock_file_beside(manifest_path: Path) -> list[tuple[str, bytes]]:
    """Return the name and the text of the lock file in a manifest's folder, if there is one."""
    path = manifest_path.parent / LOCK_FILE
    return [(LOCK_FILE, _read(path))] if path.exists() else []


def _stamps(folder: str) -> Iterator[tuple[str | int, ...]]:
    """Yield the path, size and times of every file below a folder, in a stable order, without compiled Python."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        with suppress(OSError):  # of a link to nothing, such as an editor's lock
            if not entry.is_dir():
                yield entry.path, *_stamp(entry.stat())
            elif entry.name != "__pycache__":
                yield from _stamps(entry.path)


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(path: Path) -> bytes:
    """Read a manifest; a pipe is left to the one who renders, because it can be read once."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return path.read_bytes()
