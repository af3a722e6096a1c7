"""STS: sessions of roles and of users."""

from __future__ import annotations

import json
from typing import Any

import boto3

from tests.emulator.probes import Lab, probe, refusal


def _client(lab: Lab, keys: Any, service: str) -> Any:
    session: Any = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")
    return session.client(service, endpoint_url=lab.endpoint)


@probe(["accepted", "AccessDeniedException"])
def session_tags(lab: Lab) -> Any:
    iam, sts, name = lab.client("iam"), lab.client("sts"), lab.name("tagged")
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    trusts = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts)["Role"]["Arn"]
    condition = {"StringEquals": {"aws:PrincipalTag/project": "wgs"}}
    reads = {"Effect": "Allow", "Action": "ssm:DescribeParameters", "Resource": "*", "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    answers = []
    for project in ("wgs", "panel"):
        tags = [{"Key": "project", "Value": project}]
        keys = sts.assume_role(RoleArn=role, RoleSessionName="one", Tags=tags)["Credentials"]
        answers.append(refusal(_client(lab, keys, "ssm").describe_parameters))
    return answers


@probe([True, "AccessDenied"])
def session_tokens(lab: Lab) -> Any:
    user: Any = lab.user({"Effect": "Allow", "Action": "*", "Resource": "*"})
    sts = user.client("sts", endpoint_url=lab.endpoint)
    keys = sts.get_session_token()["Credentials"]
    own, of_session = (each.get_caller_identity()["Arn"] for each in (sts, _client(lab, keys, "sts")))
    return [own == of_session, refusal(_client(lab, keys, "iam").list_roles)]


PROBES = (session_tags, session_tokens)
