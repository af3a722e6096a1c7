"""Check the name of every resource of a manifest: its length, its characters, and that no other resource has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.manifest.model.base import OWN_TAGS, dotted
from gen_infra.manifest.model.resource_names import ENGINE_ROLES
from gen_infra.manifest.model.settings import DEFAULT_LOG_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.workflow import Workflow
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


class NameRule(NamedTuple):
    """The names that a service accepts."""

    shortest: int
    longest: int
    pattern: re.Pattern[str]
    ignores_case: bool = True
    """Whether two names must differ in more than letter case.

    IAM documents it (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, name requirements);
    the other services do not say, so that it is safe to refuse such names.
    """


class Name(NamedTuple):
    """The name of a resource, and the key of the manifest that it comes from."""

    kind: str
    text: str
    path: KeyPath


def _rule(shortest: int, longest: int, characters: str, first: str = "", *, ignores_case: bool = True) -> NameRule:
    """Make a rule from regular expressions for one character, and for the first one if it is restricted further."""
    return NameRule(shortest, longest, re.compile(f"{first}{characters}*", re.ASCII), ignores_case)


# The provider appends 26 characters to a name prefix.
# https://developer.hashicorp.com/terraform/plugin/sdkv2/resources (id.PrefixedUniqueId)
UNIQUE_SUFFIX = "0" * 26
_BUILD_TIME = "-00000000-000000"  # Packer's template appends YYYYMMDD-hhmmss
_BATCH = _rule(1, 128, "[A-Za-z0-9_-]", "[A-Za-z0-9]")

NAME_RULES = {
    # https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateComputeEnvironment.html and its neighbours
    "compute environment": _BATCH,
    "job queue": _BATCH,
    "job definition": _BATCH,
    "scheduling policy": _BATCH,
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html; the provider accepts 125
    "launch template": _rule(3, 125, r"[A-Za-z0-9()./_-]"),
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    "security group": _rule(1, 255, r"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]"),
    # https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html (CreationToken)
    "file system": _rule(1, 64, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html
    "AMI": _rule(3, 128, r"[A-Za-z0-9()\[\] ./'@_-]"),
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    "role": _rule(1, 64, r"[A-Za-z0-9_+=,.@-]"),
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
    "instance profile": _rule(1, 128, r"[A-Za-z0-9_+=,.@-]"),
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    "function": _rule(1, 64, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    "SQS queue": _rule(1, 80, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    "event rule": _rule(1, 64, r"[.A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    "log group": _rule(1, 512, r"[A-Za-z0-9_./#-]"),
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
    "key alias": _rule(7, 256, "[A-Za-z0-9/_-]"),
    # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
    "ECR repository": _rule(2, 256, "[a-z0-9._/-]", "[a-z0-9]"),
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html (Name)
    "SSM parameter": _rule(1, 1011, "[A-Za-z0-9_./-]", "(?!/?(?i:aws|ssm))"),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    "state object": _rule(1, 1024, "[A-Za-z0-9!_.*'()/-]", ignores_case=False),
    "source object": _rule(1, 1024, "[A-Za-z0-9!_.*'()/-]", ignores_case=False),
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
    "CodeBuild project": _rule(2, 150, "[A-Za-z0-9_-]", "[A-Za-z0-9]"),
    # https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html and API_CreateScheduleGroup.html
    "schedule": _rule(1, 64, "[0-9a-zA-Z_.-]"),
    "schedule group": _rule(1, 64, "[0-9a-zA-Z_.-]"),
    # https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
    "SNS topic": _rule(1, 256, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    "alarm": _rule(1, 255, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Budget.html
    "budget": _rule(1, 100, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
    "dashboard": _rule(1, 255, "[A-Za-z0-9_-]"),
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
    "state machine": _rule(1, 80, "[A-Za-z0-9_-]"),
    # https://developer.hashicorp.com/terraform/language/syntax/configuration (identifiers)
    "Terraform address": _rule(1, 1000, "[A-Za-z0-9_.-]", "[a-z]", ignores_case=False),
}


def names_are_valid_and_differ(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check each name that is made from a key and the environment's name; the key alone is short enough.

    A service refuses the second resource with a name. Terraform refuses two resources with one address.
    """
    seen: dict[tuple[str, str], Name] = {}
    reported: set[KeyPath] = set()  # one finding for a key: its other names have the same problem
    for name in resource_names(manifest):
        text = name.text.lower() if NAME_RULES[name.kind].ignores_case else name.text
        twin = seen.setdefault((name.kind, text), name)
        objection = name_objection(name.kind, name.text) or ("" if twin is name else _same_name(name, twin))
        if objection and name.path not in reported:
            reported.add(name.path)
            yield name.path, objection


def keys_are_not_names_of_others(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse the job a-prod in prod: the definition of the job a has that name in AWS.

    A compute environment's name has a suffix, so that its key must not start with the name of another one either.
    """
    part = f"-{manifest.name}"
    for section, has_suffix in (("compute", True), ("queues", False), ("jobs", False)):
        keys = getattr(manifest, section)
        for key in keys:
            for end in [found.start() for found in re.finditer(re.escape(part), key)]:
                rest = key[end + len(part) :]
                if key[:end] in keys and (not rest or (has_suffix and rest.startswith("-"))):
                    yield (
                        (section, key),
                        f'contains "{key[:end]}{part}", the name of {section}.{key[:end]} in AWS; rename one',
                    )


def tags_are_not_gen_infras(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse tags that gen-infra sets itself: by them policies and commands know whose a resource is."""
    places: list[tuple[KeyPath, Mapping[str, str]]] = [(("tags",), manifest.tags)]
    places += [(("compute", key, "tags"), compute.tags) for key, compute in manifest.compute.items()]
    places += [(("queues", key, "tags"), queue.tags) for key, queue in manifest.queues.items()]
    places += [(("jobs", key, "tags"), job.tags) for key, job in manifest.jobs.items()]
    for path, tags in places:
        for tag in tags:
            if tag.lower().startswith(OWN_TAGS):
                yield (*path, tag), f'"{tag}" is a tag that gen-infra sets itself; choose another name'


def _same_name(name: Name, twin: Name) -> str:
    where = dotted(twin.path)
    if twin.text == name.text:
        return f'its {name.kind} "{name.text}" is also that of {where}; rename one'
    return f'its {name.kind} "{name.text}" differs from "{twin.text}" only in letter case; rename one'


def name_objection(kind: str, text: str) -> str:
    """Return why the service refuses this name; empty if it does not."""
    rule = NAME_RULES[kind]
    if not rule.shortest <= len(text) <= rule.longest:
        return f'creates the {kind} "{text}" with {len(text)} characters; {rule.shortest} to {rule.longest} are allowed'
    if not rule.pattern.fullmatch(text):
        return f'creates the {kind} "{text}", which is not a valid name for it'
    return ""


def repository_label(repository: str) -> str:
    """Return the Terraform label of a repository: ``team/tool.v2`` -> ``team_tool_v2``."""
    label = "".join(character if character.isalnum() else "_" for character in repository)
    return label if label[0].isalpha() else f"_{label}"


def resource_names(manifest: Manifest) -> Iterator[Name]:
    """Yield the name of every resource that the rendered Terraform and Packer files create."""
    yield from _names_of_environment(manifest)
    yield from _names_of_instances(manifest)
    if manifest.jobs:
        yield from _names_of_functions(manifest)
    if manifest.image.rebuild:
        yield from _names_of_rebuild(manifest)
    if manifest.notifications.budget:
        yield from _names_of_budget(manifest)
    for key, compute in manifest.compute.items():
        yield Name("compute environment", f"{manifest.suffixed(key)}-{UNIQUE_SUFFIX}", ("compute", key))
        if not compute.is_fargate:
            yield Name("launch template", f"{manifest.suffixed(key)}-{UNIQUE_SUFFIX}", ("compute", key))
    for key, queue in manifest.queues.items():
        yield Name("job queue", manifest.queue_name(key), ("queues", key))
        if queue.fair_share:
            yield Name("scheduling policy", manifest.scheduling_policy_name(key), ("queues", key))
    yield from _names_of_what_runs(manifest)
    for index, repository in enumerate(manifest.repositories):
        yield Name("ECR repository", manifest.repository_name(repository), ("repositories", index))
        yield Name("Terraform address", f"module.repository_{repository_label(repository)}", ("repositories", index))


def _names_of_what_runs(manifest: Manifest) -> Iterator[Name]:
    for key in manifest.jobs:
        yield from _names_of_job(manifest, key)
    for key, workflow in manifest.workflows.items():
        yield from _names_of_workflow(manifest, key, workflow)
    yield from _names_of_file_systems(manifest)
    for engine in manifest.given_engines:
        path = ("engines", engine)
        yield Name("log group", manifest.job_log_group(engine), path)
        yield Name("Terraform address", f"module.engine_{engine}", path)
        for role in ENGINE_ROLES:
            yield Name("role", manifest.engine_role_name(engine, role), path)


def _names_of_job(manifest: Manifest, key: str) -> Iterator[Name]:
    path, job = ("jobs", key), manifest.jobs[key]
    yield Name("job definition", manifest.definition_name(key), path)
    yield Name("log group", manifest.job_log_group(key), path)
    yield Name("Terraform address", f"aws_cloudwatch_log_group.{key}", path)
    if not job.role:
        yield Name("role", manifest.job_role_name(key), path)
        yield Name("Terraform address", f"aws_iam_role.{key}", path)
    if manifest.needs_execution_role(job):
        yield Name("role", manifest.execution_role_name(key), path)
        yield Name("Terraform address", f"aws_iam_role.{key}_execution", path)


def _names_of_workflow(manifest: Manifest, key: str, workflow: Workflow) -> Iterator[Name]:
    path, machines = ("workflows", key), [manifest.state_machine_name(key)]
    if workflow.many:
        machines.append(manifest.many_machine_name(key))
    for machine in machines:
        yield Name("state machine", machine, path)
        yield Name("log group", manifest.workflow_log_group(machine), path)
        yield Name("role", f"{machine}-workflow", path)
    if workflow.on_failure:
        yield Name("SNS topic", manifest.workflow_topic(key), path)
        yield Name("event rule", manifest.workflow_topic(key), path)
    yield Name("Terraform address", f"module.workflow_{key}", path)


def _names_of_file_systems(manifest: Manifest) -> Iterator[Name]:
    for key in manifest.created_file_systems:
        path = ("file_systems", key)
        yield Name("file system", manifest.suffixed(key), path)
        yield Name("security group", manifest.file_system_security_group(key), path)
        yield Name("Terraform address", f"module.file_system_{key}", path)


def _names_of_environment(manifest: Manifest) -> Iterator[Name]:
    path = ("name",)
    if manifest.state != "local":
        yield Name("state object", manifest.state_key, path)
    if manifest.creates_key:
        yield Name("key alias", manifest.key_alias, path)
    if manifest.logs.default_group:
        yield Name("log group", DEFAULT_LOG_GROUP, ("logs", "default_group"))
        yield Name("Terraform address", "aws_cloudwatch_log_group.batch_default", ("logs", "default_group"))
    for role in manifest.access.roles if manifest.access else ():
        yield Name("role", manifest.access_role_name(role), ("access", role))
        yield Name("Terraform address", f"aws_iam_role.access_{role}", ("access", role))
    if manifest.notifications.blocked_queues:
        for kind in ("SNS topic", "event rule"):
            yield Name(kind, manifest.suffixed("batchQueueBlocked"), path)
    if manifest.notifications.measures:
        yield from _names_of_alarms(manifest)
    if manifest.network.create:
        yield Name("role", manifest.suffixed("batchFlowLogs"), path)
        yield Name("log group", f"/aws/vpc/{manifest.vpc_name}", path)
        for group in ("instances", "endpoints"):
            yield Name("security group", f"{manifest.vpc_name}/{group}", path)


def _names_of_alarms(manifest: Manifest) -> Iterator[Name]:
    path, measure = ("name",), manifest.suffixed("batchMeasure")
    for kind in ("function", "role", "SQS queue"):
        yield Name(kind, measure, path)
    yield Name("log group", f"/aws/lambda/{measure}", path)
    for severity in manifest.notifications.severities:
        yield Name("SNS topic", manifest.suffixed(f"batchAlarms{severity.capitalize()}"), path)
    of_others = {*manifest.notifying_rules, *manifest.image_build_alarms}
    for kind, names in (("event rule", manifest.event_rules), ("alarm", manifest.alarms)):
        yield from (Name(kind, name, path) for name in names if name not in of_others)
    yield from (Name("dashboard", name, path) for name in manifest.dashboards)


def _names_of_budget(manifest: Manifest) -> Iterator[Name]:
    path = ("notifications", "budget")
    yield Name("budget", manifest.suffixed("batchBudget"), path)
    for name in manifest.budget_topics:
        for kind in ("SNS topic", "function", "role", "SQS queue"):
            yield Name(kind, name, path)
        yield Name("log group", f"/aws/lambda/{name}", path)


def _names_of_instances(manifest: Manifest) -> Iterator[Name]:
    path = ("name",)
    roles = {
        "batchService": any(compute.service_role == "create" for compute in manifest.compute.values()),
        "batchSpotFleet": any(compute.needs_spot_fleet_role for compute in manifest.compute.values()),
    }
    for role, is_created in roles.items():
        if is_created:
            yield Name("role", manifest.suffixed(role), path)
    if not manifest.uses_ec2:
        return
    yield Name("AMI", f"gen-infra-{manifest.name}{_BUILD_TIME}", path)
    if not manifest.iam.instance_profile:
        for role in ("batchInstance", "batchImageBuilder"):
            yield Name("role", manifest.suffixed(role), path)
            yield Name("instance profile", manifest.suffixed(role), path)


def _names_of_functions(manifest: Manifest) -> Iterator[Name]:
    path = ("name",)
    for key in ("batchSubmitJob", "batchGetJobStatus"):
        yield Name("function", manifest.suffixed(key), path)
        yield Name("role", manifest.suffixed(key), path)
        yield Name("log group", f"/aws/lambda/{manifest.suffixed(key)}", path)
    yield Name("SQS queue", manifest.suffixed("batchFunctions"), path)


def _names_of_rebuild(manifest: Manifest) -> Iterator[Name]:
    path, name = ("name",), manifest.suffixed("batchImageRebuild")
    for kind in ("CodeBuild project", "schedule", "schedule group", "SNS topic", "role"):
        yield Name(kind, name, path)
    yield Name("role", manifest.suffixed("batchImageSchedule"), path)
    for alarm in ("batchImageRebuildFailed", "batchImageRebuildNotStarted"):
        yield Name("alarm", manifest.suffixed(alarm), path)
    yield Name("log group", manifest.rebuild_log_group, path)
    yield Name("source object", manifest.rebuild_source_key, path)
    yield Name("SSM parameter", manifest.image_parameter, ("image", "parameter"))


ERRORS: tuple[ManifestRule, ...] = (
    names_are_valid_and_differ,
    keys_are_not_names_of_others,
    tags_are_not_gen_infras,
)
