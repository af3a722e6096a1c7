"""Rules for what existed before the manifest: each entry is of something that the manifest has, and is listed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.rules.rule import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


def existing_names_are_of_what_there_is(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require that each key of the section is one of the manifest's."""
    existing = manifest.adopted
    shared = [key for key, queue in manifest.queues.items() if queue.fair_share]
    for section, kind, keys, known in (
        ("compute", "compute environment", existing.compute, manifest.compute),
        ("queues", "queue", existing.queues, manifest.queues),
        ("scheduling_policies", "fair-share queue", existing.scheduling_policies, shared),
        ("jobs", "job", existing.jobs, manifest.jobs),
        ("repositories", "repository", existing.repositories, manifest.repositories),
    ):
        for key in keys:
            if key not in known:
                yield ("existing", section, key), unknown_name(f"unknown {kind}", key, known)


def existing_resources_are_taken_over_once(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a second mention: Terraform refuses two resources with one id."""
    existing = manifest.adopted
    for section in ("compute", "repositories"):
        seen: dict[str, str] = {}
        for key, name in getattr(existing, section).items():
            if name in seen:
                yield ("existing", section, key), f'"{name}" is that of {seen[name]} too'
            seen.setdefault(name, key)
    for section in ("log_groups", "roles", "instance_profiles"):
        names = getattr(existing, section)
        for index, name in enumerate(names):
            if name in names[:index]:
                yield ("existing", section, index), f'"{name}" is listed twice'


ERRORS: tuple[ManifestRule, ...] = (existing_names_are_of_what_there_is, existing_resources_are_taken_over_once)
