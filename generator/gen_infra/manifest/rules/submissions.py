"""Check a job with what a submission changes of it, by the rules for a job of the manifest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import structs

from gen_infra.aws.tags import ENVIRONMENT_TAG, SUBMITTER_TAG
from gen_infra.manifest.model.base import OWN_TAGS, TAG_KEY, TAG_KEY_ALLOWED, TAG_VALUE, TAG_VALUE_ALLOWED
from gen_infra.manifest.rules import fargate, jobs, placement
from gen_infra.manifest.rules.tags import MOST_TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

# https://docs.aws.amazon.com/batch/latest/userguide/using-tags.html: it propagates both kinds together
TOO_MANY_TAGS = f"AWS Batch fails a job with more than {MOST_TAGS}"
_RULES: tuple[ManifestRule, ...] = (
    fargate.fargate_jobs_use_what_fargate_has,
    fargate.ec2_jobs_use_what_instances_have,
    jobs.gpus_need_the_gpu_image,
    jobs.nodes_are_on_demand,
    placement.jobs_fit_an_instance,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a submission changes of a job; ``None`` leaves it.

    Args:
        queue: the key of the queue.
        container: of a job of several, the one that the resources are for.
        resources: new values of the container's ``vcpus``, ``memory_mib`` and ``gpus``.
        timeout_minutes: the new timeout.
        tags: more tags.
    """

    queue: str
    container: str | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    timeout_minutes: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def changed(self, job: Job) -> Job:
        """Return the job as it would run."""
        keys: dict[str, Any] = {"queue": self.queue, **({} if self.container else self.resources)}
        if self.container and self.resources:
            container = structs.replace(job.containers[self.container], **self.resources)
            keys["containers"] = {**job.containers, self.container: container}
        if self.timeout_minutes is not None:
            keys["timeout_minutes"] = self.timeout_minutes
        return structs.replace(job, **keys)


def submission_findings(manifest: Manifest, key: str, submission: Submission) -> Iterator[ManifestFinding]:
    """Yield what keeps the job from being accepted, or from ever starting, in its queue."""
    job = manifest.jobs[key]
    changed = submission.changed(job)
    if manifest.is_on_fargate(job) != manifest.is_on_fargate(changed):
        here, there = ("Fargate", "EC2") if manifest.is_on_fargate(job) else ("EC2", "Fargate")
        fit = [name for name in manifest.queues if _is_on_fargate(manifest, job, name) == manifest.is_on_fargate(job)]
        yield (
            ("jobs", key, "queue"),
            f"job {key} is for {here}, and queue {submission.queue} is on {there}; choose from: {', '.join(fit)}",
        )
        return
    alone = structs.replace(manifest, jobs={key: changed})
    for rule in _RULES:
        yield from rule(alone)
    yield from ((("jobs", key, "tags"), problem) for problem in tag_problems(submission.tags))
    count = len({*manifest.resource_tags, *job.tags, *submission.tags, ENVIRONMENT_TAG, SUBMITTER_TAG})
    if count > MOST_TAGS:
        yield (
            ("jobs", key, "tags"),
            f"with those of its definition the job has {count} tags; {TOO_MANY_TAGS}",
        )


def tag_problems(tags: Mapping[str, str]) -> Iterator[str]:
    """Check the tags of a submission as those of a manifest; yield what is wrong."""
    for name, value in tags.items():
        if name.lower().startswith(OWN_TAGS):
            yield f'"{name}" is a tag that gen-infra sets itself; choose another name'
        elif not re.fullmatch(TAG_KEY, name):
            yield f'invalid tag "{name}": use {TAG_KEY_ALLOWED}'
        elif not re.fullmatch(TAG_VALUE, value):
            yield f'invalid value of tag "{name}": use {TAG_VALUE_ALLOWED}'


def _is_on_fargate(manifest: Manifest, job: Job, queue: str) -> bool:
    return manifest.is_on_fargate(structs.replace(job, queue=queue))
