"""The condition keys of a call that do not depend on its resource.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from gen_infra.emulator.authorization.job_definitions import definition_context
from gen_infra.iam import Principal, PrincipalKind

_TYPES = {PrincipalKind.USER: "User", PrincipalKind.ROLE: "AssumedRole", PrincipalKind.ROOT: "Account"}
_ANONYMOUS: dict[str, tuple[str, ...]] = {"aws:principaltype": ("Anonymous",), "aws:userid": ("anonymous",)}
# By action: condition keys and the parameters that they have the values of.
_KEYS: Mapping[str, Mapping[str, str]] = {
    "batch:SubmitJob": {"batch:ShareIdentifier": "shareIdentifier"},
    "iam:AttachRolePolicy": {"iam:PolicyARN": "PolicyArn"},
    "iam:CreateRole": {"iam:PermissionsBoundary": "PermissionsBoundary"},
    "iam:CreateServiceLinkedRole": {"iam:AWSServiceName": "AWSServiceName"},
    "iam:DetachRolePolicy": {"iam:PolicyARN": "PolicyArn"},
    "iam:PutRolePermissionsBoundary": {"iam:PermissionsBoundary": "PermissionsBoundary"},
    "s3:ListBucket": {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"},
    "s3:ListBucketVersions": {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter"},
    "sts:AssumeRole": {"sts:ExternalId": "ExternalId", "sts:RoleSessionName": "RoleSessionName"},
}


def context(
    action: str, parameters: Mapping[str, Any], principal: Principal, region: str, user_agent: str = ""
) -> dict[str, tuple[str, ...]]:
    """Return the condition keys of one action of a call, by their names in lower case."""
    now = time.time()
    values: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),),
        "aws:epochtime": (str(int(now)),),
        "aws:principalisawsservice": (str(principal.kind is PrincipalKind.SERVICE).lower(),),
        "aws:requestedregion": (region,),
        "aws:securetransport": ("true",),
        "aws:sourceip": ("127.0.0.1",),
        "aws:useragent": (user_agent,),
    }
    values |= _of_caller(principal)
    for key, parameter in _KEYS.get(action, {}).items():
        if (value := parameters.get(parameter)) is not None:
            values[key.lower()] = (str(value),)
    return values | (definition_context(parameters) if action == "batch:RegisterJobDefinition" else {})


def _of_caller(principal: Principal) -> dict[str, tuple[str, ...]]:
    if principal.kind is PrincipalKind.ANONYMOUS:
        return _ANONYMOUS
    values: dict[str, tuple[str, ...]] = {
        "aws:principalaccount": (principal.account,),
        "aws:principalarn": (principal.role_arn or principal.arn,),
        "aws:principaltype": (_TYPES.get(principal.kind, "Service"),),
    }
    if principal.user_id:
        values["aws:userid"] = (principal.user_id,)
    if principal.kind is PrincipalKind.SERVICE:
        values["aws:principalservicename"] = (principal.arn,)
    if principal.kind is PrincipalKind.USER:
        values["aws:username"] = (principal.arn.rpartition("/")[2],)
    return values | {f"aws:principaltag/{name.lower()}": (value,) for name, value in principal.tags.items()}
