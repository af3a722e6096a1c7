"""Rules for what jobs use of their hosts: a lot of it makes a job root there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.host_access import holds, may_mount, may_use_device, mounted_folders, used_devices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


def folders_of_the_host_are_listed(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow the scratch volume, and what ``hosts.allow_paths`` lists."""
    for place, path in mounted_folders(manifest):
        allowed = manifest.hosts.allow_paths
        if holds(path, manifest.job_folders) and may_mount(path, (), allowed):
            yield place, f'"{path}" holds a folder of all jobs ({", ".join(manifest.job_folders)}); mount another one'
        elif not may_mount(path, manifest.job_folders, allowed):
            yield (
                place,
                f'"{path}" is a folder of the host; use {manifest.image.scratch.mount}, '
                "or add the folder to hosts.allow_paths",
            )


def devices_of_the_host_are_listed(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow FUSE, GPUs and EFA, and what ``hosts.allow_paths`` lists."""
    for place, path in used_devices(manifest):
        if not may_use_device(path, manifest.hosts.allow_paths):
            yield (
                place,
                f'"{path}" is not one of /dev/fuse, /dev/nvidia* and /dev/infiniband/*; '
                "add the device to hosts.allow_paths",
            )


ERRORS: tuple[ManifestRule, ...] = (folders_of_the_host_are_listed, devices_of_the_host_are_listed)
