"""The name of every resource that a manifest leads to, held to what its service takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


class NameRule(NamedTuple):
    """What a service takes as a name."""

    shortest: int
    longest: int
    characters: str
    """A regular expression for one character."""
    first: str = ""
    """One for the first character, where it must be of a narrower kind."""


class Name(NamedTuple):
    """A name that results, and the key of the manifest that it comes from."""

    kind: str
    text: str
    path: tuple[str, ...]


# The provider puts 26 characters behind a name prefix.
# https://developer.hashicorp.com/terraform/plugin/sdkv2/resources (id.PrefixedUniqueId)
_UNIQUE_SUFFIX = "0" * 26
_BATCH = NameRule(1, 128, "[A-Za-z0-9_-]", "[A-Za-z0-9]")

NAME_RULES = {
    # https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateComputeEnvironment.html and its neighbours
    "compute environment": _BATCH,
    "job queue": _BATCH,
    "job definition": _BATCH,
    "scheduling policy": _BATCH,
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
    "launch template": NameRule(3, 128, r"[A-Za-z0-9()./_-]"),
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    "role": NameRule(1, 64, r"[A-Za-z0-9_+=,.@-]"),
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
    "instance profile": NameRule(1, 128, r"[A-Za-z0-9_+=,.@-]"),
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    "function": NameRule(1, 64, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    "SQS queue": NameRule(1, 80, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    "event rule": NameRule(1, 64, r"[.A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    "log group": NameRule(1, 512, r"[A-Za-z0-9_./#-]"),
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
    "key alias": NameRule(7, 256, "[A-Za-z0-9/_-]"),
    # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
    "ECR repository": NameRule(2, 256, "[a-z0-9._/-]", "[a-z0-9]"),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    "state object": NameRule(1, 1024, "[A-Za-z0-9!_.*'()/-]"),
    "source object": NameRule(1, 1024, "[A-Za-z0-9!_.*'()/-]"),
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
    "CodeBuild project": NameRule(2, 150, "[A-Za-z0-9_-]", "[A-Za-z0-9]"),
    # https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html and API_CreateScheduleGroup.html
    "schedule": NameRule(1, 64, "[0-9a-zA-Z_.-]"),
    "schedule group": NameRule(1, 64, "[0-9a-zA-Z_.-]"),
    # https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
    "SNS topic": NameRule(1, 256, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    "alarm": NameRule(1, 255, "[A-Za-z0-9_-]"),
}


def names_are_what_their_services_take(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Each key is short enough by itself; the name made of it and the environment's may not be."""
    for name in resource_names(manifest):
        if objection := name_objection(name.kind, name.text):
            yield name.path, objection


def role_names_differ_in_more_than_case(manifest: Manifest) -> Iterable[ManifestFinding]:
    """IAM takes PRODROLE and prodrole for one name.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (name requirements)
    """
    seen: dict[str, Name] = {}
    for name in resource_names(manifest):
        if name.kind == "role":
            twin = seen.setdefault(name.text.lower(), name)
            if twin is not name:
                yield name.path, f"its role {name.text} is {twin.text} to IAM, which looks at no case; rename one"


def name_objection(kind: str, text: str) -> str:
    """What the service has against this name, or nothing."""
    rule = NAME_RULES[kind]
    if not rule.shortest <= len(text) <= rule.longest:
        return f"makes the {kind} {text}, which has {len(text)} characters; {rule.shortest} to {rule.longest} are taken"
    if not re.fullmatch(f"{rule.first}{rule.characters}*", text, re.ASCII):
        return f"makes the {kind} {text}, which holds a character that is not taken there"
    return ""


def resource_names(manifest: Manifest) -> Iterator[Name]:
    """Every name that the rendered Terraform asks AWS for."""
    yield from _environment_names(manifest)
    for key, compute in manifest.compute.items():
        path = ("compute", key)
        prefix = f"{manifest.suffixed(key)}-"
        yield Name("compute environment", prefix + _UNIQUE_SUFFIX, path)
        if not compute.is_fargate:
            yield Name("launch template", prefix + _UNIQUE_SUFFIX, path)
    for key, queue in manifest.queues.items():
        path = ("queues", key)
        yield Name("job queue", manifest.suffixed(key), path)
        if queue.fair_share:
            yield Name("scheduling policy", manifest.suffixed(key), path)
    for key, job in manifest.jobs.items():
        path = ("jobs", key)
        yield Name("job definition", manifest.suffixed(key), path)
        if not job.role:
            yield Name("role", manifest.job_role_name(key), path)
        if manifest.needs_execution_role(job):
            yield Name("role", manifest.execution_role_name(key), path)
        yield Name("log group", manifest.job_log_group(key), path)
    for repository in manifest.repositories:
        yield Name("ECR repository", manifest.repository_name(repository), ("repositories",))
    if manifest.image.rebuild:
        yield from _rebuild_names(manifest)


def _environment_names(manifest: Manifest) -> Iterator[Name]:
    path = ("name",)
    for key in ("batchInstance", "batchImageBuilder", "batchService", "batchSpotFleet"):
        yield Name("role", manifest.suffixed(key), path)
    for key in ("batchInstance", "batchImageBuilder"):
        yield Name("instance profile", manifest.suffixed(key), path)
    for key in ("batchSubmitJob", "batchGetJobStatus"):
        yield Name("function", manifest.suffixed(key), path)
        yield Name("role", manifest.suffixed(key), path)
        yield Name("log group", f"/aws/lambda/{manifest.suffixed(key)}", path)
    for topic in manifest.event_topics:
        yield Name("SNS topic", topic, path)
        yield Name("event rule", topic, path)
    yield Name("SQS queue", manifest.suffixed("batchFunctions"), path)
    yield Name("key alias", manifest.key_alias, path)
    yield Name("state object", manifest.state_key, path)


def _rebuild_names(manifest: Manifest) -> Iterator[Name]:
    path, name = ("name",), manifest.suffixed("batchImageRebuild")
    for kind in ("CodeBuild project", "schedule", "schedule group", "SNS topic", "role"):
        yield Name(kind, name, path)
    yield Name("role", manifest.suffixed("batchImageSchedule"), path)
    for alarm in ("batchImageRebuildFailed", "batchImageRebuildNotStarted"):
        yield Name("alarm", manifest.suffixed(alarm), path)
    yield Name("log group", manifest.rebuild_log_group, path)
    yield Name("source object", manifest.rebuild_source_key, path)


ERRORS: tuple[ManifestRule, ...] = (
    names_are_what_their_services_take,
    role_names_differ_in_more_than_case,
)
