"""Write what the function batchSubmitJob accepts, for its package: the names are too many for its variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from gen_infra.manifest import Manifest


def submissions(manifest: Manifest) -> bytes:
    """Render ``submissions.json``: the queues with their shares, the job definitions, and the limits.

    A job definition that stays as it is has its revision beside its name, all others null.
    """
    kept = manifest.kept_jobs
    return msgspec.json.encode(
        {
            "arn_prefix": f"arn:{manifest.partition}:batch:{manifest.region}:{manifest.account}",
            "job_definitions": {manifest.definition_name(key): kept.get(key) for key in manifest.jobs},
            "fair_share": {
                manifest.queue_name(key): [*queue.fair_share.shares]
                for key, queue in manifest.queues.items()
                if queue.fair_share
            },
            "job_queues": [manifest.queue_name(key) for key in manifest.queues],
            **msgspec.to_builtins(manifest.submit_function),
        },
        order="sorted",
    )
