"""The disk of a node, and the root file systems of its containers on it.

The disk is a sparse file with a size of its own, so that a container that fills it affects only its own job.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

_NO_JOURNAL = ("-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", "-m", "0")


def mount_disk(file: Path, target: Path, *, size_mib: int) -> None:
    """Make a disk of that size, and mount it in this mount namespace."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as disk:
        disk.truncate(size_mib * 1024 * 1024)
    _run(["mkfs.ext4", "-q", "-F", *_NO_JOURNAL, str(file)])
    target.mkdir(parents=True, exist_ok=True)
    _run(["mount", "-t", "ext4", "-o", "loop,noatime", str(file), str(target)])
    file.unlink()  # the mount keeps it


def mount_root(image: Path, folder: Path, root: Path) -> None:
    """Mount a root file system: that of an image, of which only ``folder`` is written to.

    A kernel without overlay file systems gets a copy.
    """
    lower, upper, work = (folder / name for name in ("lower", "upper", "work"))
    for each in (lower, upper, work, root):
        each.mkdir(parents=True)
    upper.chmod(0o755)
    _run(["mount", "--bind", str(image), str(lower)])  # an image's name may have a colon, which separates lower ones
    _run(["mount", "-o", "remount,bind,ro", str(lower)])
    try:
        _run(
            ["mount", "-t", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", "overlay", str(root)]
        )
    except subprocess.CalledProcessError:
        _run(["cp", "--archive", f"{lower}/.", str(root)])


def _run(argv: Sequence[str]) -> None:
    subprocess.run(argv, check=True, capture_output=True)  # noqa: S603 - argv is our own
