from __future__ import annotations

import base64
import json
import re
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulator.emulator.needed_permissions import NEEDED, Needs
from tests.emulator.probes import ONCE, Lab, refusal

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator

REFUSED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def lab(aws: Emulator) -> Lab:
    return Lab(aws.endpoint)


def client(lab: Lab, session: boto3.Session, service: str) -> Any:
    made: Any = session
    return made.client(service, endpoint_url=lab.endpoint, config=ONCE)


def allow(action: str, resource: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def message(lab: Lab, session: boto3.Session, row: Needs) -> str:
    """Return AWS's refusal, or an empty text if the call is authorized, whatever else is wrong with it."""
    try:
        getattr(client(lab, session, row.service), row.method)(**row.arguments)
    except ClientError as error:
        answer = error.response["Error"]
        # HeadBucket and HeadObject have no body, only a status.
        return answer.get("Message") or "" if answer["Code"] in REFUSED | {"403"} else ""
    return ""


@pytest.mark.parametrize("row", NEEDED, ids=lambda row: f"{row.service}-{row.method}-{len(row.permissions)}")
def test_a_call_needs_exactly_these_permissions(lab: Lab, row: Needs) -> None:
    permissions = [allow(action, resource) for action, resource in row.permissions.items()]
    assert not message(lab, lab.user(*permissions), row)
    for action in row.permissions:
        others = [each for each in permissions if each["Action"] != action]
        refused = message(lab, lab.user(*others, allow("sts:TagSession", "*")), row)
        assert f"is not authorized to perform: {action}" in refused or refused == "Forbidden"


@pytest.mark.parametrize(
    "row", [row for row in NEEDED if "*" not in row.permissions.values()], ids=lambda row: f"{row.service}-{row.method}"
)
def test_the_same_action_on_another_resource_is_not_enough(lab: Lab, row: Needs) -> None:
    elsewhere = [
        allow(
            action,
            resource.replace("123456789012", "999999999999")
            .replace(":::", ":::other-")
            .replace("::image", "::no-image"),
        )
        for action, resource in row.permissions.items()
    ]
    assert message(lab, lab.user(*elsewhere), row)


class TestRoles:
    """Sessions of roles: trust, boundaries, session policies."""

    def role(self, lab: Lab, *, boundary: str = "", **trust: Any) -> str:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole"} | trust
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        name = lab.name("role")
        more = {"PermissionsBoundary": boundary} if boundary else {}
        made = lab.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)
        lab.allow(name, "ssm:GetParameter", "*")
        return str(made["Role"]["Arn"])

    def assume(self, lab: Lab, user: boto3.Session, role: str, **more: Any) -> Any:
        answer = client(lab, user, "sts").assume_role(RoleArn=role, RoleSessionName="session", **more)["Credentials"]
        keys = answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]
        return boto3.Session(*keys, region_name="us-east-1")

    def reads(self, lab: Lab, session: boto3.Session) -> str:
        return refusal(client(lab, session, "ssm").get_parameter, Name="/gen-infra/prod/ami")

    def test_the_trust_policy_decides_who_may_assume_it(self, lab: Lab) -> None:
        role = self.role(lab, Principal={"Service": "batch.amazonaws.com"})
        with pytest.raises(ClientError, match="because no role trust policy allows the sts:AssumeRole action"):
            self.assume(lab, lab.user(EVERYTHING), role)

    def test_where_it_names_the_account_the_callers_policies_decide(self, lab: Lab) -> None:
        role = self.role(lab, Principal={"AWS": "123456789012"})
        with pytest.raises(ClientError, match="no identity-based policy allows the sts:AssumeRole action"):
            self.assume(lab, lab.user(allow("ssm:GetParameter", "*")), role)
        assert self.reads(lab, self.assume(lab, lab.user(allow("sts:AssumeRole", role)), role)) == "accepted"

    def test_an_external_id_is_compared(self, lab: Lab) -> None:
        condition = {"StringEquals": {"sts:ExternalId": "lab-7"}}
        role = self.role(lab, Principal={"AWS": "123456789012"}, Condition=condition)
        user = lab.user(allow("sts:AssumeRole", role))
        assert self.reads(lab, self.assume(lab, user, role, ExternalId="lab-7")) == "accepted"
        with pytest.raises(ClientError, match="no role trust policy"):
            self.assume(lab, user, role, ExternalId="lab-8")

    def test_a_session_policy_limits_the_session(self, lab: Lab) -> None:
        role = self.role(lab, Principal={"AWS": "123456789012"})
        user = lab.user(allow("sts:AssumeRole", role))
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*", "*")]})
        assert self.reads(lab, self.assume(lab, user, role, Policy=policy)) == "AccessDeniedException"

    def test_a_boundary_limits_the_role(self, lab: Lab) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*", "*")]})
        made = lab.client("iam").create_policy(PolicyName=lab.name("boundary"), PolicyDocument=document)
        role = self.role(lab, boundary=made["Policy"]["Arn"], Principal={"AWS": "123456789012"})
        session = self.assume(lab, lab.user(allow("sts:AssumeRole", role)), role)
        with pytest.raises(ClientError, match="because no permissions boundary allows the ssm:GetParameter action"):
            client(lab, session, "ssm").get_parameter(Name="/gen-infra/prod/ami")

    def test_tags_of_the_role_and_the_session_are_those_of_the_principal(self, lab: Lab) -> None:
        actions = ["sts:AssumeRole", "sts:TagSession"]
        role = self.role(lab, Principal={"AWS": "123456789012"}, Action=actions)
        name = role.rpartition("/")[2]
        condition = {"StringEquals": {"aws:PrincipalTag/lab": "7", "aws:PrincipalTag/project": "wgs"}}
        tagged = {**allow("ssm:GetParameter", "*"), "Condition": condition}
        iam = lab.client("iam")
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        document = json.dumps({"Version": "2012-10-17", "Statement": [tagged]})
        iam.put_role_policy(RoleName=name, PolicyName="tagged", PolicyDocument=document)
        iam.tag_role(RoleName=name, Tags=[{"Key": "lab", "Value": "7"}, {"Key": "project", "Value": "none"}])
        user = lab.user(allow("sts:AssumeRole", role), allow("sts:TagSession", role))
        tags = [{"Key": "project", "Value": "wgs"}]
        assert self.reads(lab, self.assume(lab, user, role, Tags=tags)) == "accepted"
        assert self.reads(lab, self.assume(lab, user, role)) == "AccessDeniedException"
        with pytest.raises(ClientError, match="is not authorized to perform: sts:TagSession"):
            self.assume(lab, lab.user(allow("sts:AssumeRole", role)), role, Tags=tags)


def test_a_session_token_is_its_users_and_may_not_call_iam(lab: Lab) -> None:
    user = lab.user(allow("ssm:GetParameter", "*"), allow("iam:ListRoles", "*"))
    keys = client(lab, user, "sts").get_session_token()["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")
    whose = [client(lab, each, "sts").get_caller_identity()["Arn"] for each in (user, session)]
    assert whose[0] == whose[1]
    assert refusal(client(lab, session, "ssm").get_parameter, Name="/gen-infra/prod/ami") == "accepted"
    assert refusal(client(lab, session, "s3").list_buckets) == "AccessDenied"
    assert refusal(client(lab, user, "iam").list_roles) == "accepted"
    assert refusal(client(lab, session, "iam").list_roles) == "AccessDenied"
    assert refusal(client(lab, session, "sts").get_session_token) == "AccessDenied"


@pytest.fixture(scope="module")
def shared(lab: Lab) -> str:
    """Make a bucket of which everyone may read a part."""
    name, s3 = lab.name("shared"), lab.client("s3")
    s3.create_bucket(Bucket=name)
    for key in ("open/a", "closed/a"):
        s3.put_object(Bucket=name, Key=key, Body=b"content")
    statement = allow("s3:GetObject", f"arn:aws:s3:::{name}/open/*") | {"Principal": "*"}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return name


class TestRequestsWithoutAHeader:
    """Presigned URLs of S3, and requests that are not signed at all."""

    def answer(self, url: str, data: bytes | None = None, method: str = "") -> tuple[int, str]:
        """Return the status and the body of a request, or the code of S3's error."""
        request = urllib.request.Request(url, data=data, method=method or None)  # noqa: S310 - the emulator's
        try:
            with urllib.request.urlopen(request) as found:  # noqa: S310
                return found.status, found.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, re.findall("<Code>(.*?)</Code>", error.read().decode())[0]

    @pytest.mark.parametrize("version", ["s3", "s3v4"])
    def test_a_presigned_url_has_the_rights_of_its_signer(self, lab: Lab, shared: str, version: str) -> None:
        def url(session: Any, **expires: int) -> str:
            s3 = session.client("s3", endpoint_url=lab.endpoint, config=Config(signature_version=version))
            made: str = s3.generate_presigned_url("get_object", {"Bucket": shared, "Key": "closed/a"}, **expires)
            return made

        reader = lab.user(allow("s3:GetObject", f"arn:aws:s3:::{shared}/closed/*"))
        assert self.answer(url(reader)) == (200, "content")
        assert self.answer(url(lab.user(allow("s3:ListBucket", "*")))) == (403, "AccessDenied")
        assert self.answer(url(reader, ExpiresIn=-1)) == (403, "AccessDenied")
        stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
        assert self.answer(url(stranger)) == (403, "InvalidAccessKeyId")

    def test_an_unsigned_request_gets_what_a_bucket_policy_gives_everyone(self, lab: Lab, shared: str) -> None:
        place = f"{lab.endpoint}/{shared}"
        assert self.answer(f"{place}/open/a") == (200, "content")
        refused = [
            self.answer(f"{place}/closed/a"),
            self.answer(f"{place}/open/b", b"x", "PUT"),
            self.answer(place),
            self.answer(lab.endpoint),
            self.answer(place, b"--b\r\n", "POST"),
        ]
        assert refused == [(403, "AccessDenied")] * 5

    def test_an_unsigned_call_of_another_service_is_refused(self, lab: Lab) -> None:
        assert self.answer(lab.endpoint, b"Action=ListRoles&Version=2010-05-08") == (403, "MissingAuthenticationToken")
        headers = {"X-Amz-Target": "AWSEvents.ListRules", "Content-Type": "application/x-amz-json-1.1"}
        request = urllib.request.Request(lab.endpoint, b"{}", headers)  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request)  # noqa: S310
        assert json.load(error.value)["__type"] == "MissingAuthenticationTokenException"


def test_a_condition_on_the_boundary_counts_for_changes_of_a_roles_policies(lab: Lab) -> None:
    iam, trust = lab.client("iam"), json.dumps({"Version": "2012-10-17", "Statement": []})
    document = json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]})
    boundary = iam.create_policy(PolicyName=lab.name("boundary"), PolicyDocument=document)["Policy"]["Arn"]
    bounded, unbounded = lab.name("bounded"), lab.name("unbounded")
    iam.create_role(RoleName=bounded, AssumeRolePolicyDocument=trust, PermissionsBoundary=boundary)
    iam.create_role(RoleName=unbounded, AssumeRolePolicyDocument=trust)
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    user = client(lab, lab.user(allow("iam:PutRolePolicy", "*") | {"Condition": condition}), "iam")
    answers = [
        refusal(user.put_role_policy, RoleName=role, PolicyName="a", PolicyDocument=document)
        for role in (bounded, unbounded)
    ]
    assert answers == ["accepted", "AccessDenied"]


@pytest.mark.parametrize("prefix", ["", "arn:aws:kms:us-east-1:123456789012:"])
def test_an_alias_stands_for_its_key(lab: Lab, prefix: str) -> None:
    kms, alias = lab.client("kms"), f"alias/{lab.name('key')}"
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    user = client(lab, lab.user(allow("kms:DescribeKey", key["Arn"])), "kms")
    assert user.describe_key(KeyId=f"{prefix}{alias}")["KeyMetadata"]["KeyId"] == key["KeyId"]


def test_a_queue_needs_its_compute_environments_and_an_alias_its_key(lab: Lab) -> None:
    kms, alias, queue = lab.client("kms"), f"alias/{lab.name('key')}", lab.name("queue")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    environment, here = lab.environment(), "us-east-1:123456789012"
    order = [{"order": 1, "computeEnvironment": environment}]
    made = {"jobQueueName": queue, "state": "ENABLED", "priority": 1, "computeEnvironmentOrder": order}
    for service, method, arguments, action, resources in (
        ("batch", "create_job_queue", made, "CreateJobQueue", (f"arn:aws:batch:{here}:job-queue/{queue}", environment)),
        ("kms", "delete_alias", {"AliasName": alias}, "DeleteAlias", (f"arn:aws:kms:{here}:{alias}", key["Arn"])),
    ):
        for resource in resources:
            call = getattr(client(lab, lab.user(allow(f"{service}:{action}", resource)), service), method)
            assert refusal(call, **arguments) in REFUSED
        both = [allow(f"{service}:{action}", resource) for resource in resources]
        assert refusal(getattr(client(lab, lab.user(*both), service), method), **arguments) == "accepted"


def test_tags_of_a_new_file_system_need_the_call_that_creates_it(lab: Lab) -> None:
    condition = {"StringEquals": {"elasticfilesystem:CreateAction": "CreateFileSystem", "aws:RequestTag/Name": "ours"}}
    tagging = {**allow("elasticfilesystem:TagResource", "*"), "Condition": condition}
    efs = client(lab, lab.user(allow("elasticfilesystem:CreateFileSystem", "*"), tagging), "efs")
    ours, theirs = ([{"Key": "Name", "Value": value}] for value in ("ours", "theirs"))
    assert refusal(efs.create_file_system, CreationToken=lab.name("ours"), Tags=ours) == "accepted"
    assert refusal(efs.create_file_system, CreationToken=lab.name("theirs"), Tags=theirs) in REFUSED
    [made] = [each for each in lab.client("efs").describe_file_systems()["FileSystems"] if each.get("Name") == "ours"]
    assert refusal(efs.tag_resource, ResourceId=made["FileSystemId"], Tags=ours) in REFUSED


def test_a_bucket_policy_can_deny_what_the_caller_may_do(lab: Lab) -> None:
    bucket = lab.name("denied")
    s3 = lab.client("s3")
    s3.create_bucket(Bucket=bucket)
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    user = lab.user(EVERYTHING)
    with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
        client(lab, user, "s3").put_object(Bucket=bucket, Key="a", Body=b"x")


def test_a_role_is_passed_only_to_the_service_that_the_policy_names(lab: Lab) -> None:
    role = "arn:aws:iam::123456789012:role/batch/a"
    passing = allow("iam:PassRole", role) | {
        "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    }
    [row] = [row for row in NEEDED if row.method == "register_job_definition" and "iam:PassRole" in row.permissions]
    user = lab.user(allow("batch:RegisterJobDefinition", "*"), passing)
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in message(lab, user, row)


def test_the_report_counts_what_was_evaluated(lab: Lab, aws: Emulator) -> None:
    def count(**line: Any) -> int:
        found = [each["count"] for each in aws.iam_report() if line.items() <= each.items()]
        return sum(found)

    refused = {"action": "sqs:ListQueues", "is_allowed": False}
    before = count(**refused)
    assert refusal(client(lab, lab.user(allow("sns:*", "*")), "sqs").list_queues) == "AccessDeniedException"
    assert count(**refused) == before + 1
    assert not [line for line in aws.iam_report() if not line["is_known"] and line["action"].startswith("batch:")]


def test_a_request_is_recorded_once_with_its_caller_resource_and_context(lab: Lab, aws: Emulator) -> None:
    user = lab.user(allow("s3:ListBucket", "*"))
    arn = client(lab, user, "sts").get_caller_identity()["Arn"]
    for _ in range(2):
        client(lab, user, "s3").list_objects_v2(Bucket="genomics-results-123456789012", Prefix="a/")
    [request] = [each for each in aws.iam_requests() if each["caller"] == arn]
    assert request["action"] == "s3:ListBucket"
    assert request["resource"] == "arn:aws:s3:::genomics-results-123456789012"
    assert request["context"]["s3:prefix"] == ["a/"]
    assert (request["is_allowed"], request["is_known"], request["count"]) == (True, True, 2)


def test_the_administrators_calls_are_not_evaluated(lab: Lab, aws: Emulator) -> None:
    def evaluated() -> list[Any]:
        return [entry for entry in aws.iam_report() if entry["action"] == "ec2:DescribeVpcs"]

    before = evaluated()
    lab.client("ec2").describe_vpcs()
    assert evaluated() == before  # of other actions there can be more: AWS Batch's own role works at any time


HOST = "token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def ci_role(lab: Lab) -> str:
    iam = lab.client("iam")
    provider = iam.create_open_id_connect_provider(
        Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )["OpenIDConnectProviderArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                f"{HOST}:aud": "sts.amazonaws.com",
                f"{HOST}:sub": "repo:lab/infra:environment:prod",
            }
        },
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = lab.name("ci")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    lab.allow(name, "ssm:GetParameter", "*")
    return str(role)


class TestWebIdentities:
    """GitHub Actions without an access key: a token of the provider, and a role that trusts one repository."""

    def token(self, **claims: Any) -> str:
        given = {"iss": f"https://{HOST}", "aud": "sts.amazonaws.com", "exp": time.time() + 300} | claims
        return ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in ({}, given, ""))

    def assume(self, lab: Lab, role: str, token: str) -> Any:
        sts = boto3.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=lab.endpoint,
            config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
        )
        answer = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="run-7", WebIdentityToken=token)
        keys = answer["Credentials"]
        return boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
        )

    def test_the_trusted_repository_gets_the_role(self, lab: Lab, ci_role: str) -> None:
        session = self.assume(lab, ci_role, self.token(sub="repo:lab/infra:environment:prod"))
        assert refusal(client(lab, session, "ssm").get_parameter, Name="/gen-infra/prod/ami") == "accepted"
        assert refusal(client(lab, session, "s3").list_buckets) == "AccessDenied"

    @pytest.mark.parametrize(
        ("claims", "code"),
        [
            ({"sub": "repo:stranger/infra:environment:prod"}, "AccessDenied"),
            ({"sub": "repo:lab/infra:pull_request"}, "AccessDenied"),
            ({"sub": "repo:lab/infra:environment:prod", "aud": "https://other"}, "InvalidIdentityToken"),
            ({"sub": "repo:lab/infra:environment:prod", "iss": "https://gitlab.com"}, "InvalidIdentityToken"),
            ({"sub": "repo:lab/infra:environment:prod", "exp": 0}, "ExpiredTokenException"),
            ({}, "AccessDenied"),
        ],
        ids=str,
    )
    def test_any_other_token_is_refused(self, lab: Lab, ci_role: str, claims: dict[str, Any], code: str) -> None:
        assert refusal(lambda: self.assume(lab, ci_role, self.token(**claims))) == code

    def test_what_is_no_token_is_refused(self, lab: Lab, ci_role: str) -> None:
        assert refusal(lambda: self.assume(lab, ci_role, "not.a.token")) == "InvalidIdentityToken"


@pytest.mark.parametrize("end", ["inactive", "deleted"])
def test_a_key_that_was_made_inactive_or_deleted_is_not_the_administrators(lab: Lab, end: str) -> None:
    user = lab.user(EVERYTHING)
    keys = user.get_credentials()
    assert keys
    name = client(lab, user, "sts").get_caller_identity()["Arn"].rpartition("/")[2]
    if end == "inactive":
        lab.client("iam").update_access_key(UserName=name, AccessKeyId=keys.access_key, Status="Inactive")
    else:
        lab.client("iam").delete_access_key(UserName=name, AccessKeyId=keys.access_key)
    assert refusal(client(lab, user, "ec2").describe_vpcs) == "AuthFailure"


@pytest.mark.parametrize(
    ("service", "method", "code", "status"),
    [
        ("batch", "describe_job_queues", "UnrecognizedClientException", 403),
        ("cloudwatch", "describe_alarms", "InvalidClientTokenId", 403),
        ("ec2", "describe_vpcs", "AuthFailure", 401),
        ("iam", "list_roles", "InvalidClientTokenId", 403),
        ("kms", "list_keys", "UnrecognizedClientException", 400),
        ("s3", "list_buckets", "InvalidAccessKeyId", 403),
        ("sqs", "list_queues", "InvalidClientTokenId", 403),
        ("sts", "get_caller_identity", "InvalidClientTokenId", 403),
    ],
)
def test_a_key_that_was_never_issued_is_refused_as_the_service_refuses_it(
    lab: Lab, service: str, method: str, code: str, status: int
) -> None:
    made_up = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
    with pytest.raises(ClientError) as error:
        getattr(client(lab, made_up, service), method)()
    answer = error.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
