"""The condition keys of a call: those of every call, and those of its service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gen_infra.iam import Principal, PrincipalKind

_TYPES = {PrincipalKind.USER: "User", PrincipalKind.ROLE: "AssumedRole", PrincipalKind.ROOT: "Account"}
# By action: condition keys and the parameters that they have the values of.
_KEYS: Mapping[str, Mapping[str, str]] = {
    "batch:SubmitJob": {"batch:ShareIdentifier": "shareIdentifier"},
    "ec2:CreateTags": {},
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
        "aws:principalaccount": (principal.account,),
        "aws:principalarn": (principal.role_arn or principal.arn,),
        "aws:principaltype": (_TYPES.get(principal.kind, "Service"),),
        "aws:requestedregion": (region,),
        "aws:securetransport": ("true",),
        "aws:sourceip": ("127.0.0.1",),
        "aws:useragent": (user_agent,),
    }
    if principal.kind is PrincipalKind.USER:
        values["aws:username"] = (principal.arn.rpartition("/")[2],)
    tags = dict(_tags(parameters))
    values |= {f"aws:requesttag/{name.lower()}": (value,) for name, value in tags.items()}
    if tags:
        values["aws:tagkeys"] = tuple(tags)
    if keys := parameters.get("tagKeys") or parameters.get("TagKeys"):
        values["aws:tagkeys"] = tuple(keys)
    for key, parameter in _KEYS.get(action, {}).items():
        if (value := parameters.get(parameter)) is not None:
            values[key.lower()] = (str(value),)
    return values


def _tags(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the tags that a call gives, in the spellings of the services."""
    given = next((parameters[name] for name in ("tags", "Tags", "TagList") if parameters.get(name)), None)
    for specification in parameters.get("TagSpecifications") or []:
        given = specification.get("Tags") or given
    if isinstance(given, Mapping):
        yield from ((str(name), str(value)) for name, value in given.items())
    elif isinstance(given, Sequence) and not isinstance(given, str):
        for each in given:
            if isinstance(each, Mapping):
                names = ("Key", "key", "TagKey"), ("Value", "value", "TagValue")
                name, value = (next((each[one] for one in several if one in each), "") for several in names)
                yield str(name), str(value)
