"""What jobs may use of their hosts: the scratch volume, GPUs, FUSE and EFA, and what is listed beyond these."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.manifest import Manifest

# FUSE, NVIDIA's GPUs and EFA: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html
_DEVICES = re.compile(r"/dev/(?:fuse|nvidia[\w-]*|nvidia-caps/[\w-]+|infiniband/[\w-]+)", re.ASCII)
# What the operating system runs from.
_SYSTEM_FOLDERS = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr", "var"}
)
# All that Amazon Linux has in its root folder, apart from the empty media, mnt and srv.
_ROOT_FOLDERS = _SYSTEM_FOLDERS | {"home", "local", "lost+found", "opt", "tmp"}


def is_system_folder(path: str) -> bool:
    """Return whether a folder of the host is its root folder, or what the operating system runs from."""
    return posixpath.normpath(path).lstrip("/").split("/")[0] in {"", *_SYSTEM_FOLDERS}


def may_mount(path: str, job_folders: Iterable[str], allow_paths: Iterable[str]) -> bool:
    """Return whether a container may mount this folder of its host.

    Of the jobs' folders, such as scratch, only the whole: in them, jobs can make links to other folders, which a mount
    would follow. No folder above them, also if it is listed: it holds the scratch directories of all jobs.
    """
    folder = path.rstrip("/")
    if holds(path, job_folders):
        return False
    is_of_jobs = folder in job_folders and folder.split("/")[1] not in _ROOT_FOLDERS
    return is_of_jobs or _is_listed(folder, allow_paths)


def holds(path: str, job_folders: Iterable[str]) -> bool:
    """Return whether one of the jobs' folders is below this folder of the host."""
    folder = posixpath.normpath(path).rstrip("/")
    return any(each.startswith(f"{folder}/") for each in job_folders)


def may_use_device(path: str, allow_paths: Iterable[str]) -> bool:
    """Return whether a container may use this device of its host."""
    return _DEVICES.fullmatch(path) is not None or _is_listed(path, allow_paths)


def _is_listed(path: str, allow_paths: Iterable[str]) -> bool:
    """Return whether a path is listed, or is below a listed folder, written without any detour."""
    is_direct = not {"", ".", ".."}.intersection(path.split("/")[1:])
    return is_direct and any(path == allowed or path.startswith(f"{allowed}/") for allowed in allow_paths)


def mounted_folders(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """Yield the host's folders in the jobs' ``container_properties``, with their places."""
    for key, job in manifest.jobs.items():
        volumes = job.container_properties.get("volumes")
        for index, volume in enumerate(volumes if isinstance(volumes, list) else ()):
            host = volume.get("host") if isinstance(volume, dict) else None
            path = host.get("sourcePath") if isinstance(host, dict) else None
            if isinstance(path, str) and path:
                yield ("jobs", key, "container_properties", "volumes", index, "host", "sourcePath"), path


def used_devices(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """Yield the host's devices that containers use, with their places."""
    for place, _, container in manifest.containers():
        for index, device in enumerate(container.linux.devices if container.linux else ()):
            yield (*place, "linux", "devices", index, "host_path"), device.host_path
