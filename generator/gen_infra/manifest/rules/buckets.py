"""Rules for the buckets that jobs may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.model.manifest import StateBucket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

# Of the keys of state and source archives in every environment: Manifest.state_key, Manifest.rebuild_source_key.
_OWN_PREFIX = "gen-infra/"


def jobs_cannot_write_what_terraform_and_the_build_read(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a job's access to the state and to the image's source, with which it would control every instance."""
    own = {}
    if manifest.image.rebuild:
        own[manifest.image.rebuild.bucket] = "the source of the machine image (image.rebuild.bucket)"
    if isinstance(manifest.state, StateBucket):
        own[manifest.state.bucket] = "the Terraform state (state.bucket)"
    for key, bucket in manifest.buckets.items():
        prefix = bucket.prefix or ""
        overlaps = prefix.startswith(_OWN_PREFIX) or _OWN_PREFIX.startswith(prefix)
        if bucket.access != "read" and bucket.name in own and overlaps:
            yield (
                ("buckets", key, "prefix" if prefix else "name"),
                f"jobs could write {own[bucket.name]}, which is below {_OWN_PREFIX} there; "
                "use another bucket, or set a prefix beside it",
            )


ERRORS: tuple[ManifestRule, ...] = (jobs_cannot_write_what_terraform_and_the_build_read,)
