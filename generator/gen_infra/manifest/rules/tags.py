"""Rules for tags: those of the whole environment, and those of one compute environment, queue or job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html (tag naming limits)
MOST_TAGS = 50
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
_MOST_TAGS_OF_AN_OBJECT = 10


def tag_keys_differ_in_more_than_case(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse tag keys that differ only in case: IAM treats Project and project as the same key.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    seen: dict[str, str] = {}
    for key in manifest.tags:
        twin = seen.setdefault(key.lower(), key)
        if twin != key:
            yield ("tags", key), f'"{key}" and "{twin}" are the same key for IAM; keep one of them'
    for path, tags in _own_tags(manifest):
        spellings = dict(seen)
        for key in tags:
            twin = spellings.setdefault(key.lower(), key)
            if twin != key:
                yield (*path, key), f'"{key}" and "{twin}" differ only in letter case; use one spelling'


def resources_have_room_for_their_tags(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow 50 tags of a resource, those that the provider adds included; instances also get a Name."""
    for path, tags in _own_tags(manifest):
        section, key = path[0], str(path[1])
        tagged = [{*manifest.resource_tags, *tags}]
        if section == "compute" and not manifest.compute[key].is_fargate:
            tagged.append({*manifest.instance_tags(manifest.compute[key]), "Name"})
        count = max(map(len, tagged))
        if count > MOST_TAGS:
            name = ", and the Name of instances," if len(tagged) > 1 else ""
            yield (
                path,
                f"with the environment's tags{name} these are {count} tags; AWS allows {MOST_TAGS} of a resource",
            )


def objects_have_room_for_their_tags(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Allow 10 tags of an object in S3, those that the provider adds included: the source of image builds is one.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
    """
    count = len(manifest.resource_tags)
    if manifest.image.rebuild and count > _MOST_TAGS_OF_AN_OBJECT:
        added = count - len(manifest.tags)
        yield (
            ("tags",),
            f"with the {added} that gen-infra adds these are {count} tags; S3 allows {_MOST_TAGS_OF_AN_OBJECT} of an "
            "object, and image.rebuild needs one",
        )


def the_name_tag_is_taken(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn of a Name tag: instances and volumes get the name of their compute environment."""
    message = "instances and volumes get their compute environment's name instead"
    if "Name" in manifest.tags:
        yield ("tags", "Name"), message
    for key, compute in manifest.compute.items():
        if "Name" in compute.tags and not compute.is_fargate:
            yield ("compute", key, "tags", "Name"), message


def _own_tags(manifest: Manifest) -> Iterator[tuple[KeyPath, Mapping[str, str]]]:
    """Yield the tags of each compute environment, queue and job that has own tags, with their path."""
    for section in ("compute", "queues", "jobs"):
        for key, entry in getattr(manifest, section).items():
            if entry.tags:
                yield (section, key, "tags"), entry.tags


ERRORS: tuple[ManifestRule, ...] = (
    tag_keys_differ_in_more_than_case,
    resources_have_room_for_their_tags,
    objects_have_room_for_their_tags,
)
WARNINGS: tuple[ManifestRule, ...] = (the_name_tag_is_taken,)
