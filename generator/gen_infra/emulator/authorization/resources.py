"""Which resources a call is for, as ARNs, from its parameters.

`NAMES` says in which parameters a resource type's name stands. A type without a row, or whose parameters a call does
not have, is unknown: the call is evaluated on ``*``, and `report` lists it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from gen_infra.iam.reference import Location, arn, resource_types

_EC2_ID = re.compile(r"([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,}")

# By service and resource type: the parameters that hold names or ARNs, the first that a call has counts.
NAMES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "autoscaling": {"autoScalingGroup": ("AutoScalingGroupName", "AutoScalingGroupNames")},
    "batch": {
        "compute-environment": ("computeEnvironment", "computeEnvironmentName", "resourceArn"),
        "job": ("jobId", "jobs", "resourceArn"),
        "job-definition": ("jobDefinition", "jobDefinitionName", "resourceArn"),
        "job-definition-revision": ("jobDefinition", "jobDefinitionName", "resourceArn"),
        "job-queue": ("jobQueue", "jobQueueName", "resourceArn"),
        "scheduling-policy": ("arn", "name", "resourceArn"),
    },
    "budgets": {"budget": ("BudgetName", "ResourceARN")},
    "cloudtrail": {"trail": ("Name", "TrailName")},
    "cloudwatch": {
        "alarm": ("AlarmName", "AlarmNames", "ResourceARN"),
        "dashboard": ("DashboardName", "DashboardNames"),
    },
    "codebuild": {"project": ("name", "projectName", "names", "arn")},
    "dynamodb": {"table": ("TableName", "ResourceArn")},
    "ecr": {"repository": ("repositoryName", "repositoryNames", "resourceArn")},
    "ecs": {
        "cluster": ("cluster", "clusters", "clusterName", "resourceArn"),
        "container-instance": ("containerInstances", "containerInstance", "resourceArn"),
        "task": ("tasks", "task", "resourceArn"),
    },
    "elasticfilesystem": {
        "access-point": ("AccessPointId", "ResourceId"),
        "file-system": ("FileSystemId", "ResourceId"),
    },
    "events": {
        "event-bus": ("EventBusName",),
        "rule-on-default-event-bus": ("Name", "Rule", "ResourceARN"),
    },
    "iam": {
        "group": ("GroupName",),
        "instance-profile": ("InstanceProfileName",),
        "oidc-provider": ("OpenIDConnectProviderArn", "Url"),
        "policy": ("PolicyArn", "PolicyName"),
        "role": ("RoleName", "AWSServiceName"),
        "user": ("UserName",),
    },
    "kms": {"alias": ("AliasName",), "key": ("KeyId", "TargetKeyId")},
    "lambda": {"function": ("FunctionName", "Resource")},
    "logs": {
        "log-group": ("logGroupName", "resourceArn", "resourceIdentifier"),
        "log-stream": ("logGroupName", "logGroupIdentifier"),
    },
    "scheduler": {"schedule": ("Name",), "schedule-group": ("Name", "GroupName", "ResourceArn")},
    "secretsmanager": {"Secret": ("SecretId", "Name")},
    "sns": {"topic": ("TopicArn", "Name", "ResourceArn")},
    "sqs": {"queue": ("QueueUrl", "QueueName")},
    "ssm": {
        "document": ("DocumentName",),
        "instance": ("Target",),
        "parameter": ("Name", "Names", "Path", "ResourceId"),
        "session": ("SessionId",),
    },
    "states": {
        "execution": ("executionArn",),
        "maprun": ("mapRunArn",),
        "statemachine": ("stateMachineArn", "name", "resourceArn"),
    },
    "sts": {"role": ("RoleArn",)},
}
# Actions that need no permission on a type that the reference lists for them: it is there for its condition keys.
_NOT_ASKED = {
    ("batch:SubmitJob", "job"),
    ("events:TagResource", "event-bus"),
    ("iam:PassRole", "assumed-role"),
    ("lambda:InvokeFunction", "function alias"),
}
_EC2_TYPES = {"vol": "volume", "snap": "snapshot", "ami": "image", "i": "instance", "sg": "security-group"} | {
    "acl": "network-acl",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "sgr": "security-group-rule",
    "vpce": "vpc-endpoint",
}


class Asked(NamedTuple):
    """The resources of an action: ARNs, or ``*``.

    Args:
        arns: each must be allowed.
        is_known: whether they are the call's own; otherwise it has some that could not be found.
    """

    arns: tuple[str, ...]
    is_known: bool = True


class Lookup(NamedTuple):
    """Look up what only the account contains.

    Args:
        path: the path of an IAM resource, by its type and name, such as ``/batch/``.
        key: the id of a key, by an alias or an ARN.
        linked_role: the name of the service-linked role of a service.
    """

    path: Callable[[str, str], str]
    key: Callable[[str], str]
    linked_role: Callable[[str], str]


class OneAction(NamedTuple):
    """One action of a call: what its resources are made from."""

    service: str
    name: str
    parameters: Mapping[str, Any]
    place: Location
    lookup: Lookup


def resources(action: str, parameters: Mapping[str, Any], place: Location, lookup: Lookup) -> Asked:
    """Return the resources of one action of a call."""
    service, _, name = action.partition(":")
    kinds = {
        kind: is_required for kind, is_required in resource_types(action).items() if (action, kind) not in _NOT_ASKED
    }
    if not kinds:
        return Asked(("*",))
    if any_of := _any_of(action, parameters):
        return Asked((arn(service, any_of, place, "*"),))
    if service == "s3":
        return _s3(name, kinds, parameters, place)
    if service == "ec2":
        return _ec2(name, kinds, parameters, place)
    call = OneAction(service, name, _with_nested(action, parameters, place), place, lookup)
    found = {kind: list(_of_type(call, kind)) for kind in kinds}
    arns = tuple(dict.fromkeys(each for several in found.values() for each in several))
    if arns:
        return Asked(arns)
    return Asked(("*",), is_known=not any(kinds.values()))


def _any_of(action: str, parameters: Mapping[str, Any]) -> str:
    """Return the type of which a call needs any: of what it creates and tags, or lists; otherwise an empty text.

    Other calls that list need ``*``. https://github.com/aws-amplify/amplify-cli/issues/10828
    """
    if action == "ecr:DescribeRepositories" and not parameters.get("repositoryNames"):
        return "repository"
    if action == "batch:TagResource" and "jobQueue" in parameters and "jobName" in parameters:
        return "job"
    if action == "elasticfilesystem:TagResource" and "ResourceId" not in parameters:
        return "access-point" if "FileSystemId" in parameters else "file-system"
    return "key" if action == "kms:TagResource" and "KeyId" not in parameters else ""


def _file_system_of(mount_target: str, place: Location) -> str:
    """Return the id of a mount target's file system; empty if it does not exist."""
    from moto.efs.models import efs_backends

    found = efs_backends[place.account][place.region].mount_targets_by_id.get(mount_target)
    return str(found.file_system_id) if found else ""


def _with_nested(action: str, parameters: Mapping[str, Any], place: Location) -> Mapping[str, Any]:
    """Add, by the names of `NAMES`, what a call names elsewhere: a queue's, an alias's and a mount target's resources.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbatch.html
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html
    """
    if action in ("batch:CreateJobQueue", "batch:UpdateJobQueue"):
        order = parameters.get("computeEnvironmentOrder") or []
        environments = [each["computeEnvironment"] for each in order]
        return {**parameters, "computeEnvironment": environments, "arn": parameters.get("schedulingPolicyArn")}
    if action.startswith("budgets:") and (budget := parameters.get("Budget") or parameters.get("NewBudget")):
        return {**parameters, "BudgetName": budget["BudgetName"]}
    if action.startswith("elasticfilesystem:") and "MountTargetId" in parameters:
        return {**parameters, "FileSystemId": _file_system_of(str(parameters["MountTargetId"]), place)}
    if action in ("kms:DeleteAlias", "kms:UpdateAlias"):
        keys = [parameters.get("AliasName"), parameters.get("TargetKeyId")]
        return {**parameters, "KeyId": [key for key in keys if key]}
    return parameters


def _of_type(call: OneAction, kind: str) -> Iterator[str]:
    rows = NAMES.get(call.service, {}).get(kind, ())
    for value in next((_texts(call.parameters[row]) for row in rows if call.parameters.get(row)), []):
        if not value.startswith("arn:") or (kind == "key" and ":alias/" in value):  # an alias stands for its key
            spell = _SPELLINGS.get(call.service, _as_is)
            place = call.place
            if kind == "parameter" and value.startswith("/aws/"):
                place = place._replace(account="")  # AWS's public parameters are of no account
            found = arn(call.service, kind, place, *spell(call, kind, value))
        elif call.service == "batch" and f":{kind.removesuffix('-revision')}/" not in value:
            continue  # the parameter holds an ARN of any type
        else:
            found = value
        yield _group(found, call.name) if kind == "log-group" else found


def _first(parameters: Mapping[str, Any], *names: str) -> str:
    """Return the first of these parameters that a call has: in a body and in a query some have different names."""
    return next((str(parameters[name]) for name in names if parameters.get(name)), "")


def _as_is(_call: OneAction, _kind: str, value: str) -> Sequence[str]:
    return (value,)


def _with_path(call: OneAction, kind: str, value: str) -> Sequence[str]:
    """Put the path before the name of an IAM resource: that of the call, or of the resource that exists."""
    if call.name == "CreateServiceLinkedRole":
        return (f"aws-service-role/{value}/{call.lookup.linked_role(value)}",)
    given = call.parameters.get("Path") if call.name.startswith(("Create", "Tag")) else None
    return (f"{given or call.lookup.path(kind, value)}{value.removeprefix('https://')}".lstrip("/"),)


def _in_cluster(call: OneAction, kind: str, value: str) -> Sequence[str]:
    """Put the name of the cluster before the id of a task or an instance, which lie in the one that the call names."""
    cluster = call.parameters.get("cluster") or "default"
    return (value,) if kind == "cluster" else (cluster.rpartition("/")[2], value)


def _with_suffix(call: OneAction, _kind: str, value: str) -> Sequence[str]:
    """Add the six characters that Secrets Manager adds to a secret's name."""
    return (f"{value}-AbCdEf" if call.name == "CreateSecret" else f"{value}-??????",)


_SPELLINGS: Mapping[str, Callable[[OneAction, str, str], Sequence[str]]] = {
    "autoscaling": lambda _call, _kind, value: ("*", value),
    "ecs": _in_cluster,
    "iam": _with_path,
    "kms": lambda call, kind, value: (value.removeprefix("alias/") if kind == "alias" else call.lookup.key(value),),
    "logs": lambda call, _kind, value: (value, call.parameters.get("logStreamName", "*")),
    "lambda": lambda _call, _kind, value: (value.partition(":")[0],),
    "scheduler": lambda call, kind, value: (
        (_first(call.parameters, "GroupName", "groupName") or "default", value) if kind == "schedule" else (value,)
    ),
    "secretsmanager": _with_suffix,
    "sqs": lambda _call, _kind, value: (value.rpartition("/")[2],),
    "ssm": lambda _call, _kind, value: (value.lstrip("/"),),
}


def _group(log_group: str, action: str) -> str:
    """Add what AWS adds to a log group's ARN for all calls except those for its tags.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    bare = log_group.removesuffix(":*")
    return bare if "Tag" in action else f"{bare}:log-stream:"


def _s3(name: str, kinds: Mapping[str, bool], parameters: Mapping[str, Any], place: Location) -> Asked:
    bucket, key = parameters.get("Bucket"), parameters.get("Key")
    if name == "GetObject" and (source := parameters.get("CopySource")):
        bucket, _, key = unquote(source).lstrip("/").partition("?")[0].partition("/")
    if not bucket:
        return Asked(("*",))
    if "object" not in kinds:
        return Asked((arn("s3", "bucket", place, bucket),))
    keys = [key] if key else [each.get("Key", "") for each in (parameters.get("Delete") or {}).get("Objects", [])]
    arns = tuple(arn("s3", "object", place, bucket, each) for each in keys)
    return Asked(arns) if arns else Asked(("*",), is_known=False)


def _ec2(name: str, kinds: Mapping[str, bool], parameters: Mapping[str, Any], place: Location) -> Asked:
    """Return the ids of a call by their prefixes; a type that is created, or not named, is any of its type."""
    ids: dict[str, list[str]] = {}
    for text in _all_texts(parameters):
        if found := _EC2_ID.fullmatch(text):
            ids.setdefault(_EC2_TYPES.get(found[1], found[1]), []).append(text)
    if key := parameters.get("KeyName"):
        ids["key-pair"] = [key]
    if association := parameters.get("AssociationId"):
        for kind, resource_id in _associated(association, place):
            ids.setdefault(kind, []).append(resource_id)
    arns = []
    for kind, is_required in kinds.items():
        named = ids.get(kind, [])
        if named or is_required or (name == "RunInstances" and kind == "volume"):
            arns += [arn("ec2", kind, place, each) for each in named or ["*"]]
    return Asked(tuple(arns) or ("*",))


def _associated(association: str, place: Location) -> Iterator[tuple[str, str]]:
    """Yield what an association is between, as types and ids: of an Elastic IP address or a route table."""
    from moto.ec2.models import ec2_backends

    ec2: Any = ec2_backends[place.account][place.region]
    for address in ec2.addresses:
        if address.association_id == association:
            yield "elastic-ip", address.allocation_id
    for table in ec2.route_tables.values():
        if subnet := table._associations.get(association):  # moto has no public way
            yield "route-table", table.id
            yield "subnet", subnet


def _texts(value: Any) -> list[str]:
    """Return a parameter's names: one, or a list of them."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def _all_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            # A rule names groups that traffic may come from or go to; only the group with the rule must be allowed.
            if name not in ("ReferencedGroupId", "UserIdGroupPairs"):
                yield from _all_texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _all_texts(each)
