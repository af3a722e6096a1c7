"""The IAM policies that grow with a manifest: their statements, and their size against IAM's limit."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gen_infra.manifest.model.container import EfsVolume
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.settings import Bucket

# The size of all inline policies of a role, in characters without whitespace.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ROLE_POLICIES_LIMIT = 10_240
# The submit function's other policies (logs, traces, dead letters, key, tags) have at most 1,250 characters and do not
# grow.
_FUNCTION_POLICIES = 1_400


class StatementCondition(NamedTuple):
    """One condition of a statement."""

    test: str
    variable: str
    values: tuple[str, ...]


class Statement(NamedTuple):
    """One statement of an identity policy."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[StatementCondition, ...] = ()
    effect: Literal["Allow", "Deny"] = "Allow"


class RolePolicy(NamedTuple):
    """An inline policy: its Terraform label, its name, the label of its role and its statements."""

    label: str
    name: str
    role: str
    statements: tuple[Statement, ...]


def role_policies(manifest: Manifest, key: str) -> list[RolePolicy]:
    """Return the inline policies of the roles that are created for a job, without empty ones."""
    job = manifest.jobs[key]
    policies = []
    if not job.role:
        buckets = tuple([manifest.buckets[name] for name in job.buckets])
        own = {
            "buckets": bucket_statements(buckets, manifest.partition, through(manifest, "s3")),
            "efs": tuple(efs_statements(manifest, _efs_volumes(job))),
        }
        policies += [RolePolicy(f"{key}_{name}", name, key, statements) for name, statements in own.items()]
    if manifest.needs_execution_role(job):
        label = f"{key}_execution"
        policies.append(RolePolicy(label, "execution", label, tuple(execution_statements(manifest, key))))
    return [policy for policy in policies if policy.statements]


@lru_cache(1024)  # most jobs of an environment use the same buckets
def bucket_statements(
    buckets: tuple[Bucket, ...], partition: str, through_s3: StatementCondition
) -> tuple[Statement, ...]:
    """Return what a job's role may do in the job's buckets.

    Clients look for the bucket before they use it (HeadBucket, GetBucketLocation), and expect 404 for a key that does
    not exist; S3 answers 403 to both where the role may not list. Their requests have no ``s3:prefix``, like a list of
    the whole bucket, and S3 has no condition key that separates the two. Those that take a prefix for a folder (s3fs,
    S3A, PyArrow) first ask for an object with its name, without the slash.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    return tuple(_bucket_statements(buckets, partition, through_s3)) if buckets else ()


def _bucket_statements(used: tuple[Bucket, ...], partition: str, through_s3: StatementCondition) -> Iterator[Statement]:
    arns = {bucket.name: f"arn:{partition}:s3:::{bucket.name}" for bucket in used}
    yield Statement("LocateBuckets", ("s3:GetBucketLocation",), tuple(arns.values()))
    if limited := dict.fromkeys(arns[bucket.name] for bucket in used if bucket.prefix):
        yield Statement("FindBuckets", ("s3:ListBucket",), tuple(limited), (_WITHOUT_PREFIX,))
        folders = dict.fromkeys(f"{arns[each.name]}/{each.prefix.rstrip('/')}" for each in used if each.prefix)
        yield Statement("FindPrefixes", ("s3:GetObject",), tuple(folders))
    for access, allowed in S3_ACTIONS.items():
        buckets = [bucket for bucket in used if bucket.access == access]
        if not buckets:
            continue
        sid = access.capitalize()
        for number, prefix in enumerate(dict.fromkeys(bucket.prefix or "" for bucket in buckets)):
            patterns = (prefix.rstrip("/"), f"{prefix}*")  # `aws s3 ls` takes a prefix without its slash too
            under = (StatementCondition("StringLike", "s3:prefix", patterns),) if prefix else ()
            lists = tuple(action for action in allowed.lists if not prefix or action not in _OF_WHOLE_BUCKET)
            names = tuple(arns[bucket.name] for bucket in buckets if (bucket.prefix or "") == prefix)
            yield Statement(f"{sid}List{number}", lists, names, under)
        objects = tuple(f"{arns[bucket.name]}/{bucket.prefix or ''}*" for bucket in buckets)
        yield Statement(f"{sid}Objects", allowed.objects, objects)
        if keys := dict.fromkeys(bucket.kms_key for bucket in buckets if bucket.kms_key):
            yield Statement(f"{sid}Keys", allowed.key, tuple(keys), (through_s3,))


class S3Actions(NamedTuple):
    """What one ``access`` allows: actions that list a bucket, those on its objects, and those on the bucket's key."""

    lists: tuple[str, ...]
    objects: tuple[str, ...]
    key: tuple[str, ...]


# Tags are read and written by copies in parts, and so by `aws s3 cp` and `aws s3 mv` of large objects.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_READ = S3Actions(("s3:ListBucket",), ("s3:GetObject", "s3:GetObjectTagging"), ("kms:Decrypt",))
_WRITE = S3Actions(
    (*_READ.lists, "s3:ListBucketMultipartUploads"),
    (
        *_READ.objects,
        "s3:PutObject",
        "s3:PutObjectTagging",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ),
    (*_READ.key, "kms:GenerateDataKey"),
)
_DELETE = S3Actions(_WRITE.lists, (*_WRITE.objects, "s3:DeleteObject"), _WRITE.key)
_WORK = S3Actions(
    (*_DELETE.lists, "s3:ListBucketVersions"),
    (
        *_DELETE.objects,
        "s3:DeleteObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:DeleteObjectVersion",
    ),
    _DELETE.key,
)
S3_ACTIONS = {"read": _READ, "write": _WRITE, "delete": _DELETE, "work": _WORK}
# Lists that S3 cannot limit to a prefix: it has no condition key for them.
_OF_WHOLE_BUCKET = {"s3:ListBucketMultipartUploads"}
_WITHOUT_PREFIX = StatementCondition("Null", "s3:prefix", ("true",))


def _efs_volumes(job: Job) -> list[EfsVolume]:
    return [volume for container in job.all_containers.values() for volume in container.efs.values()]


def efs_statements(manifest: Manifest, volumes: Iterable[EfsVolume]) -> Iterator[Statement]:
    """Yield what a role may do with existing file systems, only through the access point where there is one.

    The policies for file systems that the environment creates are in their module, which knows their ids.
    """
    arn = f"arn:{manifest.partition}:elasticfilesystem:{manifest.region}:{manifest.account}"
    mounted = [(manifest.file_system_of(volume), volume.read_only) for volume in volumes]
    targets = dict.fromkeys(
        (file_system.efs, file_system.access_point, read_only)
        for file_system, read_only in mounted
        if not file_system.is_created
    )
    for index, (file_system, access_point, read_only) in enumerate(targets):
        actions = ("elasticfilesystem:ClientMount", *(() if read_only else ("elasticfilesystem:ClientWrite",)))
        point = StatementCondition(
            "StringEquals", "elasticfilesystem:AccessPointArn", (f"{arn}:access-point/{access_point}",)
        )
        resources = (f"{arn}:file-system/{file_system}",)
        yield Statement(f"FileSystem{index}", actions, resources, (point,) if access_point else ())


def execution_statements(manifest: Manifest, key: str) -> Iterator[Statement]:
    """Yield what ECS does for a job before its containers start: pull images, read secrets, create the log streams.

    Where there is an execution role, ECS uses it for the first two also on an instance. The logs are there written as
    the instance's role, unless the agent has ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE.
    https://docs.aws.amazon.com/batch/latest/userguide/execution-IAM-role.html
    """
    containers = manifest.jobs[key].all_containers.values()
    arn = f"arn:{manifest.partition}"
    log_group = f"{arn}:logs:{manifest.region}:{manifest.account}:log-group:{manifest.job_log_group(key)}:*"
    yield Statement("Logs", ("logs:CreateLogStream", "logs:PutLogEvents"), (log_group,))
    uris = [manifest.image_uri(container.image) for container in containers]
    if registries := [found.groups() for uri in uris if (found := ECR_IMAGE.match(uri))]:
        pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        repositories = [f"{arn}:ecr:{region}:{account}:repository/{name}" for account, region, name in registries]
        yield Statement("Image", pull, tuple(dict.fromkeys(repositories)))
        yield Statement("Registry", ("ecr:GetAuthorizationToken",), ("*",))
    given = [secret for container in containers for secret in container.secrets.values()]
    secrets = {secret.resource_arn: secret for secret in given}
    parameters = [name for name, secret in secrets.items() if secret.is_parameter]
    in_secrets_manager = [name for name, secret in secrets.items() if not secret.is_parameter]
    credentials = [container.repository_credentials for container in containers]
    in_secrets_manager += [arn for arn in dict.fromkeys(credentials) if arn]
    if parameters:
        yield Statement("Parameters", ("ssm:GetParameters",), tuple(parameters))
    if in_secrets_manager:
        yield Statement("Secrets", ("secretsmanager:GetSecretValue",), tuple(in_secrets_manager))
    for service, is_parameter in (("ssm", True), ("secretsmanager", False)):
        used = {secret.kms_key for secret in given if secret.is_parameter == is_parameter}
        if keys := sorted(key_arn for key_arn in used if key_arn):
            yield Statement(f"{service.capitalize()}Keys", ("kms:Decrypt",), tuple(keys), (through(manifest, service),))


ECR_IMAGE = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)")


def through(manifest: Manifest, service: str) -> StatementCondition:
    """Return the condition that allows a key through this service only."""
    return StatementCondition("StringEquals", "kms:ViaService", (f"{service}.{manifest.region}.{manifest.dns_suffix}",))


def role_policies_sizes(manifest: Manifest, key: str) -> dict[str, int]:
    """Return the characters of the inline policies of each role of a job, by the role's label, as IAM counts them."""
    sizes: dict[str, int] = {}
    for policy in role_policies(manifest, key):
        sizes[policy.role] = sizes.get(policy.role, 0) + _policy_size(policy.statements)
    return sizes


def job_definition_arns(manifest: Manifest) -> list[str]:
    """Return what the submit function's role may submit: each definition, or a pattern where the list is too long.

    A pattern covers names of other environments too. The policy then asks for the tag of this one, which what existed
    before the manifest may lack: that is named in any case.
    """
    each = {key: manifest.batch_arn("job-definition", key) for key in manifest.jobs}
    if submit_role_policies_size(manifest, [*each.values()]) <= ROLE_POLICIES_LIMIT:
        return [*each.values()]
    adopted = sorted({arn for key, arn in each.items() if key in manifest.adopted.jobs})
    pattern = f"arn:{manifest.partition}:batch:{manifest.region}:{manifest.account}:job-definition/*-{manifest.name}"
    return [*([pattern] if each.keys() - manifest.adopted.jobs.keys() else []), *adopted]


def are_definitions_known_by_tag(manifest: Manifest) -> bool:
    """Return whether the submit function's role has a pattern of definitions. AWS reads tags only of a revision."""
    return any(":job-definition/*" in arn for arn in job_definition_arns(manifest))


def submit_role_policies_size(manifest: Manifest, definitions: Sequence[str]) -> int:
    """Return the characters of all inline policies of the submit function's role if it may submit these definitions."""
    queues = [manifest.batch_arn("job-queue", key) for key in manifest.queues]
    resources = [*queues, *definitions, *(f"{arn}:*" for arn in definitions)]
    statement = Statement("SubmitJobs", ("batch:SubmitJob",), tuple(resources))
    return _policy_size((statement,)) + _FUNCTION_POLICIES


@lru_cache(1024)
def _policy_size(statements: tuple[Statement, ...]) -> int:
    """Return the length of the policy that the provider writes from these statements."""
    document = policy_document(statements)
    text = msgspec.json.encode(document)  # the same as json's, but quicker and with text outside ASCII as it is
    return len(text) if text.isascii() else len(json.dumps(document, separators=(",", ":")))


def policy_document(statements: Sequence[Statement]) -> dict[str, object]:
    """Return the policy document that the provider makes of these statements, as plain values."""
    return {"Version": "2012-10-17", "Statement": [_as_json(statement) for statement in statements]}


def _as_json(statement: Statement) -> dict[str, object]:
    conditions: dict[str, dict[str, tuple[str, ...]]] = {}
    for each in statement.conditions:
        conditions.setdefault(each.test, {})[each.variable] = each.values
    return {
        "Sid": statement.sid,
        "Effect": statement.effect,
        "Action": statement.actions,
        "Resource": statement.resources,
        **({"Condition": conditions} if conditions else {}),
    }
