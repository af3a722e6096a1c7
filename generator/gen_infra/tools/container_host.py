"""Find out whether this machine can run containers, and which limits its cgroups can set."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
CGROUP = "gen-infra"  # the parent of all containers' cgroups
ROOT = "root"
LIMITS = ("cpu", "memory", "pids")
_PACKAGES = {
    "ip": "iproute2",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
    "nsenter": "util-linux",
    "runc": "runc",
    "setsid": "util-linux",
    "tini-static": "tini",
    "unshare": "util-linux",
}
_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search_path(environ: Mapping[str, str] = os.environ) -> str:
    """Return the caller's PATH with the system's folders, which a user's PATH may lack."""
    return f"{environ.get('PATH', '')}:{_SYSTEM_FOLDERS}".lstrip(":")


def find(tool: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of a tool; None if it is not installed."""
    return shutil.which(tool, path=search_path(environ))


@functools.cache
def missing_here() -> tuple[str, str]:
    """Return what `missing` does, for this process."""
    return missing()


def missing(environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Return what this machine lacks to run containers, and what to do; two empty texts if it lacks nothing."""
    if os.name != "posix" or not CGROUPS.is_dir():
        return "Linux", "use Linux, or a Linux container with --privileged"
    if os.geteuid() != 0:
        return ROOT, "use sudo, or run as root in CI"
    absent = [tool for tool in _PACKAGES if find(tool, environ) is None]
    if absent:
        return ", ".join(absent), f"run apt-get install {' '.join(sorted({_PACKAGES[tool] for tool in absent}))}"
    if not Path("/dev/loop-control").exists():
        return "loop devices", "run modprobe loop; in a container, use docker run --privileged"
    if not _is_writable():
        return f"a writable {CGROUPS}", "in a container, use docker run --privileged"
    return "", ""


def _is_writable() -> bool:
    folder = CGROUPS if _is_unified() else CGROUPS / "pids"
    return os.access(folder, os.W_OK)


def _is_unified() -> bool:
    """Return whether the cgroups are of version 2 alone."""
    return (CGROUPS / "cgroup.controllers").exists()


def offered_controllers() -> frozenset[str]:
    """Return which of `LIMITS` this machine's cgroups offer; changes nothing."""
    if not _is_unified():
        return frozenset(name for name in LIMITS if os.access(CGROUPS / name, os.W_OK))
    try:
        return frozenset((CGROUPS / "cgroup.controllers").read_text().split()) & frozenset(LIMITS)
    except OSError:
        return frozenset()


def controllers() -> frozenset[str]:
    """Return which of `LIMITS` the cgroups of containers can set; makes their parent cgroup."""
    if not _is_unified():
        return offered_controllers()
    parent = CGROUPS / CGROUP
    with contextlib.suppress(OSError):
        parent.mkdir(exist_ok=True)
    for name in LIMITS:  # each alone, because one that cannot be enabled must not prevent the others
        for folder in (CGROUPS, parent):
            with contextlib.suppress(OSError):
                (folder / "cgroup.subtree_control").write_text(f"+{name}")
    try:
        enabled = (parent / "cgroup.subtree_control").read_text().split()
    except OSError:
        return frozenset()
    return frozenset(enabled) & frozenset(LIMITS)


def limits_swap() -> bool:
    """Return whether a container's swap can be limited."""
    return _is_unified() or (CGROUPS / "memory" / "memory.memsw.limit_in_bytes").exists()


def out_of_memory_kills(cgroup: str) -> int:
    """Return how many processes of a container the kernel has ended because its memory limit was reached."""
    inside = cgroup.lstrip("/")
    for file in (CGROUPS / "memory" / inside / "memory.oom_control", CGROUPS / inside / "memory.events"):
        with contextlib.suppress(OSError):
            values = dict(line.split(maxsplit=1) for line in file.read_text().splitlines())
            return int(values.get("oom_kill", 0))
    return 0


def remove_unused_cgroups() -> None:
    """Remove the cgroups of containers that ended with a killed emulator; the kernel keeps those in use."""
    parents = [CGROUPS / CGROUP] if _is_unified() else CGROUPS.glob(f"*/{CGROUP}")
    for parent in parents:
        for folder, _, _ in os.walk(parent, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
