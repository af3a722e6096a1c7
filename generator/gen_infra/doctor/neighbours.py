"""The doctor on the environments whose manifests are in the same folder: no job of one can take over another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.doctor.diagnosis import wrong
from gen_infra.errors import GenInfraError
from gen_infra.manifest import load
from gen_infra.manifest.model.base import dotted
from gen_infra.manifest.rules.buckets import OWN_PREFIX, writable_by_jobs
from gen_infra.manifest.rules.names import resource_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.manifest import Manifest


# Names in Terraform's files, and of a parameter that environments may share to run the same image.
_NOT_OWNED = {"Terraform address", "SSM parameter"}
_GLOBAL = {"role", "instance profile"}  # IAM has no regions


def shared_buckets(manifest: Manifest, path: Path) -> Iterator[Diagnosis]:
    """Check whether jobs of one environment may write the state or the source of the image of another."""
    for other_path, other in _beside(path):
        for writer_path, writer, owner_path, owner in (
            (path, manifest, other_path, other),
            (other_path, other, path, manifest),
        ):
            for place, what in writable_by_jobs(writer, owner):
                yield wrong(
                    "buckets",
                    f"{writer_path}: {dotted(place)}: jobs of {writer.name} could write {what} of {owner.name}, "
                    f"{owner_path}",
                    f"use another bucket, or set a prefix beside {OWN_PREFIX}",
                )


def shared_names(manifest: Manifest, path: Path) -> Iterator[Diagnosis]:
    """Check whether another environment of the account makes a name of this one: isaac-b-prod is in prod and b-prod."""
    own = {(each.kind, each.text.lower()): each for each in resource_names(manifest) if each.kind not in _NOT_OWNED}
    for other_path, other in _beside(path):
        if other.account != manifest.account or other.name == manifest.name:
            continue
        for name in resource_names(other):
            same = own.get((name.kind, name.text.lower()))
            if same and (other.region == manifest.region or name.kind in _GLOBAL):
                theirs = f"that of {dotted(name.path)} in {other_path}"
                yield wrong(
                    "names",
                    f"{dotted(same.path)}: its {name.kind} {same.text} is also {theirs}",
                    "rename one of them: a hyphen joins key and environment",
                )
                break  # the other names of these keys have the same problem


def _beside(path: Path) -> Iterator[tuple[Path, Manifest]]:
    """Yield the other manifests of the folder; files that are none, such as parents, are left out."""
    for other in sorted(path.parent.glob("*.y*ml")):
        if other.name == path.name:
            continue
        try:
            yield other, load(other)
        except GenInfraError:
            continue
