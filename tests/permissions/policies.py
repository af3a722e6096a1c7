"""Read the policies of an account, take single actions out of them, and evaluate recorded requests again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from gen_infra.iam import Decision, PolicyDocument, Principal, PrincipalKind, Request, evaluate
from gen_infra.iam.matching import is_action_like

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.emulator import Emulator

ACCOUNT_ID = "123456789012"


@dataclass(frozen=True)
class Policy:
    """A policy of a role or of a resource.

    Args:
        owner: the ARN of the role or of the resource.
        name: of a role's policy; empty for a role's trust policy and for a resource's.
        document: as it is in the account.
        is_rendered: whether the environment made it; otherwise it is one of AWS's own.
    """

    owner: str
    name: str
    document: Mapping[str, Any]
    is_rendered: bool = True

    @cached_property
    def read(self) -> PolicyDocument:
        """Return what IAM reads in it."""
        return PolicyDocument.read(self.document)

    @property
    def statements(self) -> list[Mapping[str, Any]]:
        """Return the statements."""
        return _as_list(self.document["Statement"])

    def without(self, number: int, action: str) -> Policy:
        """Take one action out of one statement, and the statement out if it was its only one."""
        statements = [*self.statements]
        rest = [each for each in _as_list(statements[number]["Action"]) if each != action]
        statements[number : number + 1] = [{**statements[number], "Action": rest}] if rest else []
        return replace(self, document={**self.document, "Statement": statements})

    def actions(self, effect: str = "Allow") -> Iterator[tuple[int, str]]:
        """Yield each action of each statement that allows, or that denies, with the statement's number."""
        for number, statement in enumerate(self.statements):
            if statement["Effect"] == effect:
                yield from ((number, action) for action in _as_list(statement["Action"]))


@dataclass(frozen=True)
class Recorded:
    """A request that was allowed, and who made it: the ARN of a role, or the name of a service."""

    caller: str
    request: Request

    @property
    def owner(self) -> str:
        """Return the ARN of the resource whose policy decides: a bucket's for an object."""
        resource = self.request.resource
        return resource.partition("/")[0] if ":s3:::" in resource else resource


class Policies:
    """All policies that an environment has in its account.

    Args:
        policies: of its roles and its resources.
        boundaries: the permissions boundary of each role that has one, by the role's ARN.
    """

    def __init__(self, policies: Iterable[Policy], boundaries: Mapping[str, Mapping[str, Any]]) -> None:
        self.all = list(policies)
        self._boundaries = boundaries

    def decide(self, recorded: Recorded, *, instead: tuple[Policy, Policy] | None = None) -> Decision:
        """Evaluate a request, with one policy replaced by another."""
        old, new = instead or (None, None)
        policies = [new if each is old and new else each for each in self.all]
        resource = [each.read for each in policies if each.owner == recorded.owner and not each.name]
        return evaluate(recorded.request, self._principal(recorded.caller, policies), next(iter(resource), None))

    def _principal(self, caller: str, policies: Iterable[Policy]) -> Principal:
        if ":role/" not in caller:
            return Principal(PrincipalKind.SERVICE, caller, "")
        boundary = self._boundaries.get(caller)
        return Principal(
            PrincipalKind.ROLE,
            f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{caller.rpartition('/')[2]}/session",
            ACCOUNT_ID,
            role_arn=caller,
            policies=tuple(each.read for each in policies if each.owner == caller and each.name),
            boundary=PolicyDocument.read(boundary) if boundary else None,
        )


def recorded(lines: Iterable[Mapping[str, Any]]) -> list[Recorded]:
    """Return the requests that the emulator allowed, from `Emulator.iam_requests`."""
    return [
        Recorded(
            line["caller"],
            Request(
                line["action"],
                line["resource"],
                ACCOUNT_ID,
                {key: tuple(values) for key, values in line["context"].items()},
            ),
        )
        for line in lines
        if line["is_allowed"]
    ]


def unneeded(policies: Policies, requests: Iterable[Recorded]) -> Iterator[str]:
    """Yield each allowed action of each policy without which all of the requests are still allowed."""
    requests = list(requests)
    for policy in policies.all:
        concerned = [each for each in requests if policy.owner in (each.caller, each.owner)]
        for number, action in policy.actions() if policy.is_rendered else ():
            instead = (policy, policy.without(number, action))
            using = [each for each in concerned if is_action_like(each.request.action, action)]
            if all(policies.decide(each, instead=instead).is_allowed for each in using):
                sid = policy.statements[number].get("Sid", number)
                yield f"{policy.owner} {policy.name or 'policy'} {sid}: {action}"


def policies_of(aws: Emulator) -> Policies:
    """Read the policies of all roles but AWS's own, and of all buckets, file systems, functions, keys and topics."""
    iam = aws.client("iam")
    roles = [role for role in _all(iam, "list_roles", "Roles") if not role["Path"].startswith("/aws-service-role/")]
    boundaries = {}
    for role in roles:
        full = iam.get_role(RoleName=role["RoleName"])["Role"]
        if boundary := full.get("PermissionsBoundary"):
            boundaries[role["Arn"]] = _managed(iam, boundary["PermissionsBoundaryArn"])
    of_roles = [policy for role in roles for policy in _of_role(iam, role)]
    return Policies([*of_roles, *_of_resources(aws)], boundaries)


def _of_role(iam: Any, role: Mapping[str, Any]) -> Iterator[Policy]:
    name, arn = role["RoleName"], role["Arn"]
    yield Policy(arn, "", role["AssumeRolePolicyDocument"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        yield Policy(arn, inline, iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"])
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        is_rendered = f":{ACCOUNT_ID}:" in attached["PolicyArn"]
        yield Policy(arn, attached["PolicyName"], _managed(iam, attached["PolicyArn"]), is_rendered)


def _managed(iam: Any, arn: str) -> Mapping[str, Any]:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return document if isinstance(document, dict) else dict(json.loads(document))


def _of_resources(aws: Emulator) -> Iterator[Policy]:
    efs, functions, kms, s3, sns = (aws.client(name) for name in ("efs", "lambda", "kms", "s3", "sns"))
    for system in _all(efs, "describe_file_systems", "FileSystems"):
        text = efs.describe_file_system_policy(FileSystemId=system["FileSystemId"])["Policy"]
        yield Policy(system["FileSystemArn"], "", json.loads(text))
    for function in _all(functions, "list_functions", "Functions"):
        try:
            text = functions.get_policy(FunctionName=function["FunctionName"])["Policy"]
        except functions.exceptions.ResourceNotFoundException:  # it has none
            continue
        yield Policy(function["FunctionArn"], "", json.loads(text))
    for key in _all(kms, "list_keys", "Keys"):
        yield Policy(
            key["KeyArn"], "", json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
        )
    for bucket in s3.list_buckets()["Buckets"]:
        try:
            text = s3.get_bucket_policy(Bucket=bucket["Name"])["Policy"]
        except ClientError:  # it has none
            continue
        yield Policy(f"arn:aws:s3:::{bucket['Name']}", "", json.loads(text))
    for topic in _all(sns, "list_topics", "Topics"):
        text = sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]["Policy"]
        yield Policy(topic["TopicArn"], "", json.loads(text))


def _all(client: Any, method: str, member: str) -> list[Any]:
    return [each for page in client.get_paginator(method).paginate() for each in page[member]]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
