"""What a rule between values is: a function that yields what is wrong with a manifest, and where.

An error is what AWS refuses, or what lets jobs wait forever. A warning works, but seldom as intended. A function for
a warning may rely on every error rule being kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from gen_infra.manifest.model.base import KeyPath
from gen_infra.manifest.model.manifest import Manifest

if TYPE_CHECKING:
    from gen_infra.manifest.model.job import Job

ManifestFinding: TypeAlias = tuple[KeyPath, str]
ManifestRule: TypeAlias = Callable[[Manifest], Iterable[ManifestFinding]]


def total_path(key: str, job: Job, field: str) -> KeyPath:
    """Return the place of a total of a job: its only container's field, or all of its containers."""
    return ("jobs", key, "containers" if job.containers else field)


def unknown_name(problem: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a key that does not exist, with those that do."""
    names = ", ".join(known)
    return f'{problem} "{name}"; ' + (f"choose from: {names}" if names else "the manifest has none")
