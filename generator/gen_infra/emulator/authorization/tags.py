"""Find the tags of a resource, for the condition keys ``aws:ResourceTag/…`` and those of its service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException

from gen_infra.emulator.authorization.callers import backend

Tags = Mapping[str, str]
_SPELLINGS = (("Key", "Value"), ("key", "value"), ("TagKey", "TagValue"))


def tag_pairs(given: Any) -> Iterator[tuple[str, str]]:
    """Yield the names and values of tags: of an object, or of a list in the spelling of any service."""
    if isinstance(given, Mapping):
        yield from ((str(name), str(value)) for name, value in given.items())
    elif isinstance(given, Sequence) and not isinstance(given, str):
        for each in given:
            for name, value in _SPELLINGS:
                if isinstance(each, Mapping) and name in each:
                    yield str(each[name]), str(each.get(value, ""))


def resource_tags(arn: str) -> Tags:
    """Return the tags of a resource; none of one that does not exist, or of a type without tags."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in _READERS:
        return {}
    _, _, service, region, account, name = parts
    try:
        return dict(tag_pairs(_READERS[service](account, region, name, arn)))
    except (KeyError, IndexError, HTTPException, ServiceException):  # it does not exist
        return {}


def _batch(account: str, region: str, name: str, arn: str) -> Any:
    from moto.batch.models import batch_backends

    batch = batch_backends[account][region]
    kind, _, rest = name.partition("/")
    if kind == "job":
        jobs = batch.__dict__.get("job_life_cycle")  # see `patches.account`
        job = jobs.get(rest.partition("#")[0]) if jobs else None
        return {**(job.details["tags"] if job else {}), **batch.tagger.get_tag_dict_for_resource(arn)}
    # A definition without its revision has no tags.
    # https://docs.aws.amazon.com/batch/latest/userguide/iam-example-restrict-job-submission-by-tags.html
    return batch.tagger.get_tag_dict_for_resource(arn)


def _iam(account: str, _region: str, name: str, arn: str) -> Any:
    iam = backend(account, arn.split(":")[1])
    kind, _, rest = name.partition("/")
    if kind == "role":
        return iam.get_role(rest.rpartition("/")[2]).tags
    if kind == "instance-profile":
        return iam.get_instance_profile(rest.rpartition("/")[2]).tags
    if kind == "policy":
        return [each for _, each in sorted(iam.get_policy(arn).tags.items())]
    if kind == "oidc-provider":
        return iam.open_id_providers[arn].tags
    return iam.tagger.get_tag_dict_for_resource(arn)


def _ec2(account: str, region: str, name: str, _arn: str) -> Any:
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.ec2.models import ec2_backends

    return ec2_backends[account or DEFAULT_ACCOUNT_ID][region].tags.get(name.rpartition("/")[2], {})


def _file_system(account: str, region: str, name: str, _arn: str) -> Any:
    from moto.efs.models import efs_backends

    return efs_backends[account][region].list_tags_for_resource(name.rpartition("/")[2])


def _log_group(account: str, region: str, name: str, arn: str) -> Any:
    from moto.logs.models import logs_backends

    group = name.removeprefix("log-group:").partition(":")[0]
    tagger = logs_backends[account][region].tagger
    return tagger.get_tag_dict_for_resource(f"{arn[: -len(name)]}log-group:{group}")


def _function(account: str, region: str, name: str, _arn: str) -> Any:
    from moto.awslambda_simple.models import lambda_simple_backends

    return lambda_simple_backends[account][region].get_function(name.removeprefix("function:")).tags


def _queue(account: str, region: str, name: str, _arn: str) -> Any:
    from moto.sqs.models import sqs_backends

    return sqs_backends[account][region].queues[name].tags


def _key(account: str, region: str, name: str, _arn: str) -> Any:
    from moto.kms.models import kms_backends

    return kms_backends[account][region].tagger.get_tag_dict_for_resource(name.removeprefix("key/"))


def _project(account: str, region: str, name: str, _arn: str) -> Any:
    from moto.codebuild.models import codebuild_backends

    projects = codebuild_backends[account][region].codebuild_projects
    return projects[name.removeprefix("project/")].project_metadata.get("tags") or []


def _parameter(account: str, region: str, name: str, _arn: str) -> Any:
    from moto.ssm.models import ssm_backends

    ssm = ssm_backends[account][region]
    path = name.removeprefix("parameter")
    return ssm.list_tags_for_resource("Parameter", path if "/" in path[1:] else path[1:])


def _secret(account: str, region: str, name: str, _arn: str) -> Any:
    from moto.secretsmanager.models import secretsmanager_backends

    secret = secretsmanager_backends[account][region].secrets[name.removeprefix("secret:")]
    return getattr(secret, "tags", None) or []


def _topic(account: str, region: str, _name: str, arn: str) -> Any:
    from moto.sns.models import sns_backends

    return sns_backends[account][region].topics[arn]._tags


def _tagger_of(service: str) -> Callable[[str, str, str, str], Any]:
    """Read the tags where moto's backend of a service keeps them by ARN."""

    def read(account: str, region: str, _name: str, arn: str) -> Any:
        from moto.backends import get_backend

        found: Any = get_backend(service)[account][region]  # type: ignore[call-overload]
        return found.tagger.get_tag_dict_for_resource(arn)

    return read


_READERS: Mapping[str, Callable[[str, str, str, str], Any]] = {
    "batch": _batch,
    "cloudwatch": _tagger_of("cloudwatch"),
    "codebuild": _project,
    "ec2": _ec2,
    "ecr": _tagger_of("ecr"),
    "elasticfilesystem": _file_system,
    "events": _tagger_of("events"),
    "iam": _iam,
    "kms": _key,
    "lambda": _function,
    "logs": _log_group,
    "scheduler": _tagger_of("scheduler"),
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
    "ssm": _parameter,
    "states": _tagger_of("stepfunctions"),
}
