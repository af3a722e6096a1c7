"""Decisions that AWS documents, as rows: what a policy says, what is asked, what AWS decides, and where it says so."""

from __future__ import annotations

from typing import Any, NamedTuple

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
OPERATORS = f"{_GUIDE}reference_policies_elements_condition_operators.html"
SETS = f"{_GUIDE}reference_policies_condition-single-vs-multi-valued-context-keys.html"
LOGIC = f"{_GUIDE}reference_policies_condition-logic-multiple-context-keys-or-values.html"
VARIABLES = f"{_GUIDE}reference_policies_variables.html"
ACTION = f"{_GUIDE}reference_policies_elements_action.html"
NOT_ACTION = f"{_GUIDE}reference_policies_elements_notaction.html"
RESOURCE = f"{_GUIDE}reference_policies_elements_resource.html"
NOT_RESOURCE = f"{_GUIDE}reference_policies_elements_notresource.html"
PRINCIPAL = f"{_GUIDE}reference_policies_elements_principal.html"
NOT_PRINCIPAL = f"{_GUIDE}reference_policies_elements_notprincipal.html"
EVALUATION = f"{_GUIDE}reference_policies_evaluation-logic_policy-eval-denyallow.html"
ONE_ACCOUNT = f"{_GUIDE}reference_policies_evaluation-logic_policy-eval-basics.html"
CROSS_ACCOUNT = f"{_GUIDE}reference_policies_evaluation-logic-cross-account.html"
BOUNDARIES = f"{_GUIDE}access_policies_boundaries.html"
SESSIONS = f"{_GUIDE}access_policies.html#policies_session"
KEY_POLICIES = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"
TRUST = f"{_GUIDE}id_roles_update-role-trust-policy.html"

Values = str | list[str] | None


class Compared(NamedTuple):
    """One condition: the operator, the policy's values, the request's value (None: no such key), whether it is met."""

    operator: str
    wanted: Values
    given: Values
    is_met: bool
    source: str = OPERATORS


COMPARED = [
    # Text.
    Compared("StringEquals", "iamuser", "iamuser", True),
    Compared("StringEquals", "iamuser", "IAMUser", False),
    Compared("StringEquals", ["a", "b"], "b", True, LOGIC),
    Compared("StringEquals", ["a", "b"], "c", False, LOGIC),
    Compared("StringEquals", "a*", "abc", False),
    Compared("StringEquals", "a*", "a*", True),
    Compared("StringEquals", "x", None, False),
    Compared("StringNotEquals", "a", "b", True),
    Compared("StringNotEquals", "a", "a", False),
    Compared("StringNotEquals", ["a", "b"], "b", False, LOGIC),
    Compared("StringNotEquals", ["a", "b"], "c", True, LOGIC),
    Compared("StringNotEquals", "a", None, True),
    Compared("StringEqualsIgnoreCase", "JohnDoe", "johndoe", True),
    Compared("StringEqualsIgnoreCase", "JohnDoe", "janedoe", False),
    Compared("StringNotEqualsIgnoreCase", "JohnDoe", "johndoe", False),
    Compared("StringNotEqualsIgnoreCase", "JohnDoe", "janedoe", True),
    Compared("StringLike", "project-*", "project-a", True),
    Compared("StringLike", "project-*", "Project-a", False),
    Compared("StringLike", "project-*", "my-project-a", False),
    Compared("StringLike", "*", "anything at all", True),
    Compared("StringLike", "run?", "run1", True),
    Compared("StringLike", "run?", "run", False),
    Compared("StringLike", "run?", "run12", False),
    Compared("StringLike", ["", "home/", "home/${*}"], "home/", True),
    Compared("StringLike", "reads/*", "reads/a/b.fq", True),
    Compared("StringLike", "a.b", "axb", False),
    Compared("StringLike", "x", None, False),
    Compared("StringNotLike", "project-*", "project-a", False),
    Compared("StringNotLike", "project-*", "lab-a", True),
    Compared("StringNotLike", "project-*", None, True),
    # Numbers.
    Compared("NumericEquals", "10", "10", True),
    Compared("NumericEquals", "10", "10.0", True),
    Compared("NumericEquals", "10", "11", False),
    Compared("NumericEquals", "10", "ten", False),
    Compared("NumericEquals", "10", None, False),
    Compared("NumericNotEquals", "10", "11", True),
    Compared("NumericNotEquals", "10", "10", False),
    Compared("NumericNotEquals", "10", None, True),
    Compared("NumericLessThan", "10", "9", True),
    Compared("NumericLessThan", "10", "10", False),
    Compared("NumericLessThan", "9", "10", False),
    Compared("NumericLessThanEquals", "10", "10", True),
    Compared("NumericLessThanEquals", "10", "10.5", False),
    Compared("NumericGreaterThan", "10", "11", True),
    Compared("NumericGreaterThan", "10", "10", False),
    Compared("NumericGreaterThanEquals", "10", "10", True),
    Compared("NumericGreaterThanEquals", "10", "9.9", False),
    # Dates: W3C's ISO 8601, or seconds since 1970.
    Compared("DateEquals", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", True),
    Compared("DateEquals", "2020-01-01T00:00:00Z", "1577836800", True),
    Compared("DateEquals", "2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z", False),
    Compared("DateNotEquals", "2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z", True),
    Compared("DateNotEquals", "2020-01-01T00:00:00Z", None, True),
    Compared("DateGreaterThan", "2020-04-01T00:00:00Z", "2020-05-01T12:00:00Z", True),
    Compared("DateGreaterThan", "2020-04-01T00:00:00Z", "2020-03-31T12:00:00Z", False),
    Compared("DateGreaterThanEquals", "2020-04-01T00:00:00Z", "2020-04-01T00:00:00Z", True),
    Compared("DateLessThan", "2020-06-30T23:59:59Z", "2020-06-30T00:00:00Z", True),
    Compared("DateLessThan", "2020-06-30T23:59:59Z", "2020-07-01T00:00:00Z", False),
    Compared("DateLessThanEquals", "2020-06-30T23:59:59Z", "2020-06-30T23:59:59Z", True),
    Compared("DateLessThan", "2020-06-30T23:59:59Z", "soon", False),
    Compared("DateLessThan", "2020-06-30T23:59:59Z", None, False),
    # True and false.
    Compared("Bool", "true", "true", True),
    Compared("Bool", "false", "true", False),
    Compared("Bool", "True", "true", True),
    Compared("Bool", "false", None, False),
    Compared("BoolIfExists", "false", None, True),
    # Base64.
    Compared("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
    Compared("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5", False),
    # Addresses.
    Compared("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    Compared("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    Compared("IpAddress", "203.0.113.7", "203.0.113.7", True),
    Compared("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], "2001:db8:1234:5678::1", True),
    Compared("IpAddress", "203.0.113.0/24", "2001:db8::1", False),
    Compared("IpAddress", "203.0.113.0/24", None, False),
    Compared("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
    Compared("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
    Compared("NotIpAddress", "203.0.113.0/24", None, True),
    # ARNs: each of the six parts by itself.
    Compared("ArnEquals", "arn:aws:sns:us-east-1:123456789012:topic", "arn:aws:sns:us-east-1:123456789012:topic", True),
    Compared("ArnEquals", "arn:aws:sns:*:123456789012:topic", "arn:aws:sns:us-east-1:123456789012:topic", True),
    Compared("ArnEquals", "arn:aws:sns:*:123456789012:topic", "arn:aws:sns:us-east-1:999999999999:topic", False),
    Compared("ArnLike", "arn:aws:ecs:us-east-1:123456789012:*", "arn:aws:ecs:us-east-1:123456789012:task/a/b", True),
    Compared("ArnLike", "arn:aws:ecs:us-east-1:123456789012:*", "arn:aws:ecs:us-west-2:123456789012:task/a/b", False),
    Compared("ArnLike", "arn:aws:iam::*:role/batch/*", "arn:aws:iam::123456789012:role/batch/isaac", True),
    Compared("ArnLike", "arn:aws:iam::*:role/batch/*", "arn:aws:iam::123456789012:role/isaac", False),
    Compared("ArnLike", "arn:aws:*", "arn:aws:sns:us-east-1:123456789012:topic", True),
    Compared("ArnLike", "arn:aws:sns:us-east-1:123456789012:t*", "not an ARN", False),
    Compared("ArnLike", "arn:aws:sns:us-east-1:123456789012:t*", None, False),
    Compared("ArnNotEquals", "arn:aws:sns:us-east-1:123456789012:a", "arn:aws:sns:us-east-1:123456789012:b", True),
    Compared("ArnNotLike", "arn:aws:sns:*:*:a*", "arn:aws:sns:us-east-1:123456789012:ab", False),
    Compared("ArnNotLike", "arn:aws:sns:*:*:a*", None, True),
    # Keys that may be missing.
    Compared("StringEqualsIfExists", "a", None, True),
    Compared("StringEqualsIfExists", "a", "a", True),
    Compared("StringEqualsIfExists", "a", "b", False),
    Compared("StringLikeIfExists", "m3.*", "t2.nano", False),
    Compared("NumericLessThanIfExists", "10", None, True),
    Compared("Null", "true", None, True),
    Compared("Null", "true", "here", False),
    Compared("Null", "false", None, False),
    Compared("Null", "false", "here", True),
    # Keys with several values.
    Compared("ForAllValues:StringEquals", ["Key1", "Key2"], ["Key1"], True, SETS),
    Compared("ForAllValues:StringEquals", ["Key1", "Key2"], ["Key1", "Key2"], True, SETS),
    Compared("ForAllValues:StringEquals", ["Key1", "Key2"], ["Key1", "Key3"], False, SETS),
    Compared("ForAllValues:StringEquals", ["Key1", "Key2"], None, True, SETS),
    Compared("ForAnyValue:StringEquals", ["Key1", "Key2"], ["Key3", "Key1"], True, SETS),
    Compared("ForAnyValue:StringEquals", ["Key1", "Key2"], ["Key3"], False, SETS),
    Compared("ForAnyValue:StringEquals", ["Key1", "Key2"], None, False, SETS),
    Compared("ForAllValues:StringNotEquals", ["Key1"], ["Key2", "Key3"], True, SETS),
    Compared("ForAllValues:StringNotEquals", ["Key1"], ["Key1", "Key3"], False, SETS),
    Compared("ForAnyValue:StringNotEquals", ["Key1"], ["Key1", "Key3"], True, SETS),
    Compared("ForAnyValue:StringNotEquals", ["Key1"], ["Key1"], False, SETS),
    Compared("ForAllValues:StringLike", ["lab-*"], ["lab-a", "lab-b"], True, SETS),
    Compared("ForAllValues:StringLike", ["lab-*"], ["lab-a", "prod"], False, SETS),
    Compared("ForAnyValue:StringLike", ["lab-*"], ["prod", "lab-b"], True, SETS),
    Compared("ForAnyValue:StringEqualsIfExists", ["a"], None, True, SETS),
]


class Matched(NamedTuple):
    """One statement that allows: its elements, the action and the resource of a request, and whether it applies."""

    elements: dict[str, Any]
    action: str
    resource: str
    is_allowed: bool
    source: str


_OBJECT = "arn:aws:s3:::reads/sample1/a.fq"
_ANY = {"Resource": "*"}
MATCHED = [
    Matched({"Action": "s3:GetObject"} | _ANY, "s3:GetObject", _OBJECT, True, ACTION),
    Matched({"Action": "s3:GETOBJECT"} | _ANY, "s3:GetObject", _OBJECT, True, ACTION),
    Matched({"Action": "iam:listaccesskeys"} | _ANY, "iam:ListAccessKeys", "*", True, ACTION),
    Matched({"Action": ["s3:PutObject", "s3:GetObject"]} | _ANY, "s3:GetObject", _OBJECT, True, ACTION),
    Matched({"Action": "s3:*"} | _ANY, "s3:GetObject", _OBJECT, True, ACTION),
    Matched({"Action": "s3:Get*"} | _ANY, "s3:GetObjectTagging", _OBJECT, True, ACTION),
    Matched({"Action": "s3:Get*"} | _ANY, "s3:PutObject", _OBJECT, False, ACTION),
    Matched({"Action": "iam:*AccessKey*"} | _ANY, "iam:UpdateAccessKey", "*", True, ACTION),
    Matched({"Action": "iam:*AccessKey*"} | _ANY, "iam:GetUser", "*", False, ACTION),
    Matched({"Action": "*"} | _ANY, "batch:SubmitJob", "*", True, ACTION),
    Matched({"Action": "s3:GetObjec?"} | _ANY, "s3:GetObject", _OBJECT, True, ACTION),
    Matched({"Action": "s3:GetObject"} | _ANY, "s3:GetObjectAcl", _OBJECT, False, ACTION),
    Matched({"Action": "s3:GetObject"} | _ANY, "sqs:GetObject", _OBJECT, False, ACTION),
    Matched({"NotAction": "iam:*"} | _ANY, "s3:GetObject", _OBJECT, True, NOT_ACTION),
    Matched({"NotAction": "iam:*"} | _ANY, "iam:CreateRole", "*", False, NOT_ACTION),
    Matched({"NotAction": ["s3:DeleteBucket"]} | _ANY, "s3:DeleteBucket", "arn:aws:s3:::reads", False, NOT_ACTION),
    Matched({"Action": "*", "Resource": _OBJECT}, "s3:GetObject", _OBJECT, True, RESOURCE),
    Matched({"Action": "*", "Resource": "arn:aws:s3:::reads/*"}, "s3:GetObject", _OBJECT, True, RESOURCE),
    Matched({"Action": "*", "Resource": "arn:aws:s3:::reads/*/a.fq"}, "s3:GetObject", _OBJECT, True, RESOURCE),
    Matched({"Action": "*", "Resource": "arn:aws:s3:::reads"}, "s3:GetObject", _OBJECT, False, RESOURCE),
    Matched({"Action": "*", "Resource": "arn:aws:s3:::Reads/*"}, "s3:GetObject", _OBJECT, False, RESOURCE),
    Matched({"Action": "*", "Resource": "arn:aws:s3:::reads/sample?/*"}, "s3:GetObject", _OBJECT, True, RESOURCE),
    Matched({"Action": "*", "Resource": "arn:aws:s3:::reads/sample??/*"}, "s3:GetObject", _OBJECT, False, RESOURCE),
    Matched(
        {"Action": "*", "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::reads/*"]}, "s3:GetObject", _OBJECT, True, RESOURCE
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:sqs:*:123456789012:*"},
        "sqs:SendMessage",
        "arn:aws:sqs:us-east-1:123456789012:queue",
        True,
        RESOURCE,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:sqs:*:123456789012:*"},
        "sqs:SendMessage",
        "arn:aws:sqs:us-east-1:999999999999:queue",
        False,
        RESOURCE,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:sqs"},
        "sqs:SendMessage",
        "arn:aws:sqs:us-east-1:123456789012:q",
        True,
        RESOURCE,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:iam::123456789012:role/batch/*"},
        "iam:PassRole",
        "arn:aws:iam::123456789012:role/batch/isaac",
        True,
        RESOURCE,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:iam::123456789012:role/batch/*"},
        "iam:PassRole",
        "arn:aws:iam::123456789012:role/Administrator",
        False,
        RESOURCE,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/*:*"},
        "logs:PutLogEvents",
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/prod/isaac:log-stream:a/b",
        True,
        RESOURCE,
    ),
    Matched({"Action": "*", "NotResource": "arn:aws:s3:::reads/*"}, "s3:GetObject", _OBJECT, False, NOT_RESOURCE),
    Matched(
        {"Action": "*", "NotResource": "arn:aws:s3:::reads/*"},
        "s3:GetObject",
        "arn:aws:s3:::other/a",
        True,
        NOT_RESOURCE,
    ),
    Matched(
        {"Action": "*", "NotResource": ["arn:aws:s3:::reads/*", "arn:aws:s3:::other/*"]},
        "s3:GetObject",
        "arn:aws:s3:::other/a",
        False,
        NOT_RESOURCE,
    ),
    # Every operator and every key must match; of several values one.
    Matched(
        {
            "Action": "*",
            **_ANY,
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a", "aws:RequestedRegion": "us-east-1"}},
        },
        "s3:GetObject",
        _OBJECT,
        True,
        LOGIC,
    ),
    Matched(
        {
            "Action": "*",
            **_ANY,
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a", "aws:RequestedRegion": "eu-west-1"}},
        },
        "s3:GetObject",
        _OBJECT,
        False,
        LOGIC,
    ),
    Matched(
        {
            "Action": "*",
            **_ANY,
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}, "Bool": {"aws:SecureTransport": "true"}},
        },
        "s3:GetObject",
        _OBJECT,
        True,
        LOGIC,
    ),
    Matched(
        {
            "Action": "*",
            **_ANY,
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}, "Bool": {"aws:SecureTransport": "false"}},
        },
        "s3:GetObject",
        _OBJECT,
        False,
        LOGIC,
    ),
    Matched(
        {"Action": "*", **_ANY, "Condition": {"StringEquals": {"AWS:principaltag/TEAM": "a"}}},
        "s3:GetObject",
        _OBJECT,
        True,
        OPERATORS,
    ),
    # Policy variables; `aws:username` is alice, `aws:PrincipalTag/team` is a, and `aws:userid` is missing.
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::reads/${aws:username}/*"},
        "s3:GetObject",
        "arn:aws:s3:::reads/alice/x",
        True,
        VARIABLES,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::reads/${aws:username}/*"},
        "s3:GetObject",
        "arn:aws:s3:::reads/bob/x",
        False,
        VARIABLES,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::reads/${aws:userid}/*"},
        "s3:GetObject",
        "arn:aws:s3:::reads//x",
        False,
        VARIABLES,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::reads/${aws:userid, 'shared'}/*"},
        "s3:GetObject",
        "arn:aws:s3:::reads/shared/x",
        True,
        VARIABLES,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::${aws:PrincipalTag/team}/*"},
        "s3:GetObject",
        "arn:aws:s3:::a/x",
        True,
        VARIABLES,
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::reads/${*}"}, "s3:GetObject", "arn:aws:s3:::reads/*", True, VARIABLES
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::reads/${*}"}, "s3:GetObject", "arn:aws:s3:::reads/x", False, VARIABLES
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::reads/${?}"}, "s3:GetObject", "arn:aws:s3:::reads/x", False, VARIABLES
    ),
    Matched(
        {"Action": "*", "Resource": "arn:aws:s3:::reads/${$}"}, "s3:GetObject", "arn:aws:s3:::reads/$", True, VARIABLES
    ),
    Matched(
        {"Action": "*", **_ANY, "Condition": {"StringEquals": {"aws:RequestedRegion": "us-${aws:PrincipalTag/area}"}}},
        "s3:GetObject",
        _OBJECT,
        False,
        VARIABLES,
    ),
    Matched(
        {"Action": "*", **_ANY, "Condition": {"StringLike": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}}},
        "s3:GetObject",
        _OBJECT,
        True,
        VARIABLES,
    ),
]
CONTEXT = {
    "aws:username": ("alice",),
    "aws:principaltag/team": ("a",),
    "aws:requestedregion": ("us-east-1",),
    "aws:securetransport": ("true",),
}
