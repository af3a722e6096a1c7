"""What the function batchSubmitJob accepts: a file in its package, because the names are too many for its variables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from gen_infra.manifest.job_policies import are_definitions_known_by_tag
from gen_infra.resources import data_dir

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
            "definitions_by_tag": are_definitions_known_by_tag(manifest),
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


def refusal(manifest: Manifest, event: dict[str, Any]) -> str | None:
    """Return why the function that the manifest describes refuses an event; None if it accepts it.

    The function's own code decides, without a call of AWS.
    """
    source = str(data_dir("modules") / "job-functions" / "src")
    sys.path.insert(0, source)
    try:
        from batch_function import EventTypeError, EventValueError
        from batch_limits import read_limits
        from batch_submit_job import submission
    finally:
        sys.path.remove(source)
    try:
        submission(event, read_limits(submissions(manifest), manifest.name))
    except (EventTypeError, EventValueError) as error:
        return str(error)
    return None
