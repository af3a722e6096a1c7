"""Rules for the file systems that jobs share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.manifest.rules.rule import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_ID = re.compile("fs-[0-9a-f]{8,40}")
_OF_CREATED = ("infrequent_access_days", "uid", "gid")


def settings_fit_the_file_system(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse settings without effect: those of a created file system for an existing one, and the reverse."""
    for key, file_system in manifest.file_systems.items():
        path = ("file_systems", key)
        if key.startswith("fs-"):
            yield path, f'"{key}" starts like the id of a file system; choose another name'
        if file_system.is_created and file_system.access_point:
            yield (*path, "access_point"), "a created file system has its own; remove it"
        for setting in _OF_CREATED:
            if not file_system.is_created and getattr(file_system, setting) is not None:
                yield (*path, setting), "is for efs: create only; an existing file system keeps its own settings"


def jobs_mount_file_systems_that_exist(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a name of ``file_systems`` or an id, and no second access point or directory."""
    for path, _, container in manifest.containers():
        for name, volume in container.efs.items():
            place = (*path, "efs", name)
            named = manifest.file_systems.get(volume.file_system)
            if named is None:
                if not _ID.fullmatch(volume.file_system):
                    problem = unknown_name("unknown file system", volume.file_system, manifest.file_systems)
                    yield (*place, "file_system"), f"{problem}; or give the id of an existing one"
                continue
            if volume.access_point:
                yield (*place, "access_point"), f"file_systems.{volume.file_system} decides it; remove it"
            if volume.directory and (named.is_created or named.access_point):
                yield (*place, "directory"), "the access point sets the directory; keep one of them"


ERRORS: tuple[ManifestRule, ...] = (settings_fit_the_file_system, jobs_mount_file_systems_that_exist)
