"""Find and remove old, unused revisions of job definitions and images in ECR."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.aws.definitions import active_definitions
from gen_infra.aws.errors import aws_errors
from gen_infra.aws.jobs import STATUSES, SubmittedJob, list_jobs
from gen_infra.aws.leftovers import delete_images
from gen_infra.aws.owners import other_owner

if TYPE_CHECKING:
    from gen_infra.aws.session import Clients

_UNFINISHED = STATUSES[:-2]
# A push for several platforms arrives image by image; they have no tag until their index arrives.
_PUSHED_LATELY = timedelta(days=1)
_INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
_DESCRIBE_AT_MOST = 100  # images in one BatchGetImage


class PrunableImage(NamedTuple):
    """One image in a repository, and why it can be removed."""

    repository: str
    digest: str
    tags: tuple[str, ...]
    pushed: datetime
    is_index: bool = False
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.repository}:{self.tags[0]}" if self.tags else f"{self.repository}@{self.digest[:19]}…"


@dataclass(frozen=True, slots=True)
class Prunable:
    """What can be removed: ``name:revision`` by ARN, and images."""

    revisions: Mapping[str, str]
    images: tuple[PrunableImage, ...]


@aws_errors()
def find_prunable(
    clients: Clients, definitions: Collection[str], repositories: Iterable[str], environment: str, *, keep: int
) -> Prunable:
    """Find what is beyond the newest ``keep`` of each job definition and repository, and unused.

    A revision is used by jobs that have not ended, in any queue. An image is used by such jobs, and by every active
    revision in the account that is not removed itself. Revisions that bear the tag of another environment stay.
    """
    active = list(active_definitions(clients))
    jobs = _unfinished_jobs(clients)
    own = [definition for definition in active if other_owner(definition.get("tags", {}), environment) is None]
    revisions = prunable_revisions(own, definitions, {job.definition for job in jobs}, keep=keep)
    staying = [definition for definition in active if definition["jobDefinitionArn"] not in revisions]
    named = {
        *_images_in(staying),
        *(job.image for job in jobs),
        *(each.image for job in jobs for each in job.containers),
    }
    images = [
        image for name in repositories for image in _prunable_of(clients, name, named, keep=keep, now=datetime.now(UTC))
    ]
    return Prunable(revisions, tuple(images))


@aws_errors()
def remove_prunable(clients: Clients, prunable: Prunable) -> None:
    """Deregister the revisions, then delete the images that only they used."""
    for arn in prunable.revisions:
        clients.batch.deregister_job_definition(jobDefinition=arn)
    for repository in dict.fromkeys(image.repository for image in prunable.images):
        delete_images(
            clients, repository, [image.digest for image in prunable.images if image.repository == repository]
        )


def prunable_revisions(
    active: Iterable[Mapping[str, Any]], names: Collection[str], used: Collection[str], *, keep: int
) -> dict[str, str]:
    """Map ARN to ``name:revision``, for those beyond the newest of each name that no unfinished job runs."""
    newest_first = sorted(active, key=lambda definition: -int(definition["revision"]))
    prunable = {}
    for name in names:
        own = [definition for definition in newest_first if definition["jobDefinitionName"] == name]
        for definition in own[keep:]:
            shown = f"{name}:{definition['revision']}"
            if shown not in used:
                prunable[definition["jobDefinitionArn"]] = shown
    return prunable


def prunable_images(
    images: Iterable[PrunableImage], named: Iterable[str], *, keep: int, now: datetime
) -> list[PrunableImage]:
    """Return the images of a repository that are untagged or older than the newest ``keep``, and unused."""
    newest_first = sorted(images, key=lambda image: image.pushed, reverse=True)
    references = {_reference(uri) for uri in named}
    tagged = [image for image in newest_first if image.tags]
    old = [image._replace(reason=f"older than the newest {keep}") for image in tagged[keep:]]
    untagged = [
        image._replace(reason="untagged")
        for image in newest_first
        if not image.tags and now - image.pushed > _PUSHED_LATELY
    ]
    return [image for image in (*old, *untagged) if not _is_named(image, references)]


def _reference(uri: str) -> tuple[str, str]:
    """Split ``123….amazonaws.com/prod/isaac:1.0`` into its path and its tag or digest."""
    path, _, digest = uri.partition("@")
    folders, _, last = path.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{folders}/{name}", digest or tag or "latest"


def _is_named(image: PrunableImage, references: Collection[tuple[str, str]]) -> bool:
    """Return whether a reference means this image; the registry is ignored, to keep too much rather than too little."""
    return any(
        path.endswith(f"/{image.repository}") and what in {image.digest, *image.tags} for path, what in references
    )


def _unfinished_jobs(clients: Clients) -> list[SubmittedJob]:
    pages = clients.batch.get_paginator("describe_job_queues").paginate()
    queues = [queue["jobQueueArn"] for page in pages for queue in page["jobQueues"]]
    return list_jobs(clients, queues, _UNFINISHED)


def _images_in(value: object) -> Iterator[str]:
    """Yield every ``image`` in job definitions of any type."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "image" and isinstance(item, str):
                yield item
            else:
                yield from _images_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _images_in(item)


def _prunable_of(
    clients: Clients, repository: str, named: Collection[str], *, keep: int, now: datetime
) -> list[PrunableImage]:
    images = list(_images(clients, repository))
    prunable = prunable_images(images, named, keep=keep, now=now)
    going = {image.digest for image in prunable}
    indexes = [image.digest for image in images if image.is_index and image.digest not in going]
    parts = _parts(clients, repository, indexes)
    return [image for image in prunable if image.digest not in parts]


def _images(clients: Clients, repository: str) -> Iterator[PrunableImage]:
    pages = clients.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
    try:
        for page in pages:
            for detail in page["imageDetails"]:
                yield PrunableImage(
                    repository,
                    detail["imageDigest"],
                    tuple(detail.get("imageTags", [])),
                    detail["imagePushedAt"],
                    detail.get("imageManifestMediaType", "") in _INDEXES,
                )
    except clients.ecr.exceptions.RepositoryNotFoundException:
        return


def _parts(clients: Clients, repository: str, indexes: list[str]) -> set[str]:
    """Return the digests of the images in these multi-platform indexes; they have no tags."""
    parts: set[str] = set()
    for start in range(0, len(indexes), _DESCRIBE_AT_MOST):
        answer = clients.ecr.batch_get_image(
            repositoryName=repository,
            imageIds=[{"imageDigest": digest} for digest in indexes[start : start + _DESCRIBE_AT_MOST]],
            acceptedMediaTypes=list(_INDEXES),
        )
        for image in answer["images"]:
            parts |= {part["digest"] for part in json.loads(image["imageManifest"]).get("manifests", [])}
    return parts
