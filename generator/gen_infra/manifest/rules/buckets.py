"""Rules for the buckets that jobs may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.model.settings import StateBucket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

# Of the keys of state and source archives in every environment: Manifest.state_key, Manifest.rebuild_source_key.
OWN_PREFIX = "gen-infra/"


def writable_by_jobs(manifest: Manifest, owner: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """Yield where jobs may write what Terraform or the image build of ``owner`` reads, and what that is.

    With it, a job would control every instance of ``owner``.
    """
    own = {}
    if owner.image.rebuild:
        own[owner.image.rebuild.bucket] = "the source of the machine image (image.rebuild.bucket)"
    if isinstance(owner.state, StateBucket):
        own[owner.state.bucket] = "the Terraform state (state.bucket)"
    for key, bucket in manifest.buckets.items():
        prefix = bucket.prefix or ""
        overlaps = prefix.startswith(OWN_PREFIX) or OWN_PREFIX.startswith(prefix)
        if bucket.access != "read" and bucket.name in own and overlaps:
            yield ("buckets", key, "prefix" if prefix else "name"), own[bucket.name]


def jobs_cannot_write_what_terraform_and_the_build_read(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a job's access to the state and to the image's source, with which it would control every instance."""
    for place, what in writable_by_jobs(manifest, manifest):
        yield (
            place,
            f"jobs could write {what}, which is below {OWN_PREFIX} there; "
            "use another bucket, or set a prefix beside it",
        )


ERRORS: tuple[ManifestRule, ...] = (jobs_cannot_write_what_terraform_and_the_build_read,)
