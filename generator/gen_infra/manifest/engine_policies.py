"""The policy for the files of a workflow engine: its work prefix, and the buckets that the manifest gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.job_policies import bucket_statements, efs_statements, through

if TYPE_CHECKING:
    from gen_infra.manifest.job_policies import Statement
    from gen_infra.manifest.model.engine import EngineName
    from gen_infra.manifest.model.manifest import Manifest


def files_statements(manifest: Manifest, engine: EngineName) -> tuple[Statement, ...]:
    """Return what an engine's tasks and its head may do in its buckets, and in file systems that exist already."""
    declared = [manifest.buckets[key] for key in manifest.given_engines[engine].buckets]
    used = (manifest.work_bucket(engine), *declared)
    efs = efs_statements(manifest, manifest.given_engines[engine].efs.values())
    return (*bucket_statements(used, manifest.partition, through(manifest, "s3")), *efs)
