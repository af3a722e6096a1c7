"""Rules for the file systems that jobs share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.manifest.model.file_system import LUSTRE_FOLDER
from gen_infra.manifest.rules.rule import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.container import Container
    from gen_infra.manifest.model.engine import Engine
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_ID = re.compile("fs-[0-9a-f]{8,40}")
_OF_CREATED = ("infrequent_access_days", "uid", "gid")


def a_file_system_is_of_one_kind(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require either EFS or FSx for Lustre, and the mount name of the latter."""
    for key, file_system in manifest.file_systems.items():
        path = ("file_systems", key)
        if (file_system.efs is None) == (file_system.fsx is None):
            yield path, "needs either efs or fsx"
        elif file_system.fsx and not file_system.mount_name:
            yield path, "fsx needs mount_name: aws fsx describe-file-systems prints it as MountName"
        elif file_system.mount_name and not file_system.fsx:
            yield (*path, "mount_name"), "is for fsx only; remove it"
        elif file_system.fsx and file_system.access_point:
            yield (*path, "access_point"), "is for efs only: FSx for Lustre has none; remove it"


def hosts_can_mount_lustre(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require hosts for FSx for Lustre, with the client that only a built image has.

    https://docs.aws.amazon.com/fsx/latest/LustreGuide/install-lustre-client.html
    """
    stock = next((key for key, image in manifest.images().items() if image.is_stock), None)
    scratch = manifest.image.scratch.mount
    for key in manifest.lustre_file_systems:
        path = ("file_systems", key, "fsx")
        if manifest.file_systems[key].efs:
            continue  # see a_file_system_is_of_one_kind
        if not manifest.uses_ec2:
            yield path, "needs a compute environment with instances: Fargate cannot mount FSx for Lustre"
        elif stock is not None:
            place = f"compute.{stock}.image" if manifest.compute[stock].image else "image"
            yield (
                path,
                f"compute.{stock} runs AWS's own image, which has no Lustre client: set {place}.parameter, such as to "
                f"/gen-infra/{manifest.name}/ami, and build the image with gen-infra image build",
            )
    if manifest.lustre_file_systems and scratch.split("/")[1] == LUSTRE_FOLDER.strip("/"):
        yield (
            ("image", "scratch", "mount"),
            f"{LUSTRE_FOLDER} is for FSx for Lustre file systems; choose another folder",
        )


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
    for path, client in _mounting(manifest):
        for name, volume in client.efs.items():
            place = (*path, "efs", name)
            named = manifest.file_systems.get(volume.file_system)
            if named is not None and named.fsx:
                yield (*place, "file_system"), f"{volume.file_system} is FSx for Lustre; mount it by fsx"
                continue
            if named is None:
                if not _ID.fullmatch(volume.file_system):
                    problem = unknown_name("unknown file system", volume.file_system, manifest.file_systems)
                    yield (*place, "file_system"), f"{problem}; or give the id of an existing one"
                continue
            if volume.access_point:
                yield (*place, "access_point"), f"file_systems.{volume.file_system} decides it; remove it"
            if volume.directory and (named.is_created or named.access_point):
                yield (*place, "directory"), "the access point sets the directory; keep one of them"


def jobs_mount_lustre_by_name(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require the name of an FSx for Lustre file system: the hosts mount what ``file_systems`` lists."""
    for path, client in _mounting(manifest):
        for name in client.fsx:
            mounted = manifest.file_systems.get(name)
            if mounted is None:
                lustre = manifest.lustre_file_systems
                yield (*path, "fsx", name), unknown_name("unknown FSx for Lustre file system", name, lustre)
            elif not mounted.fsx:
                yield (*path, "fsx", name), f"file_systems.{name} is EFS; mount it by efs"


def _mounting(manifest: Manifest) -> Iterator[tuple[KeyPath, Container | Engine]]:
    """Yield what mounts file systems, with its path: the containers of jobs, and engines."""
    for path, _, container in manifest.containers():
        yield path, container
    for name, engine in manifest.given_engines.items():
        yield ("engines", name), engine


ERRORS: tuple[ManifestRule, ...] = (
    a_file_system_is_of_one_kind,
    hosts_can_mount_lustre,
    settings_fit_the_file_system,
    jobs_mount_file_systems_that_exist,
    jobs_mount_lustre_by_name,
)
