"""Injected faults look like those of AWS, and all calls are recorded in order."""

from __future__ import annotations

import contextlib
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from gen_infra.emulator import REGION
from gen_infra.emulator.administrator import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.emulator import Emulator

TRUST = '{"Version":"2012-10-17","Statement":[]}'
# A call to at least one service of each protocol, and AWS's name of the operation.
CALLS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "batch": ("batch", "DescribeJobQueues", lambda batch: batch.describe_job_queues(jobQueues=["none"])),
    "batch-get": ("batch", "ListTagsForResource", lambda batch: batch.list_tags_for_resource(resourceArn=ARN)),
    "ec2": ("ec2", "DescribeVpcs", lambda ec2: ec2.describe_vpcs()),
    "iam": ("iam", "ListRoles", lambda iam: iam.list_roles()),
    "s3": ("s3", "ListBuckets", lambda s3: s3.list_buckets()),
    "s3-bucket": ("s3", "GetBucketPolicy", lambda s3: s3.get_bucket_policy(Bucket=BUCKET)),
    "s3-object": ("s3", "PutObject", lambda s3: s3.put_object(Bucket=BUCKET, Key="a/b c", Body=b"x" * 300_000)),
    "s3-list": ("s3", "ListObjectsV2", lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix="a/")),
    "s3-part": ("s3", "UploadPart", lambda s3: s3.upload_part(Bucket=BUCKET, Key="k", PartNumber=1, UploadId="u")),
    "s3-copy": ("s3", "CopyObject", lambda s3: s3.copy_object(Bucket=BUCKET, Key="k", CopySource=f"{BUCKET}/a")),
    "ssm": ("ssm", "GetParameter", lambda ssm: ssm.get_parameter(Name="/gen-infra/prod/ami")),
    "sts": ("sts", "GetCallerIdentity", lambda sts: sts.get_caller_identity()),
    "lambda": ("lambda", "GetFunction", lambda functions: functions.get_function(FunctionName="none")),
    "lambda-arn": ("lambda", "ListTags", lambda functions: functions.list_tags(Resource=FUNCTION)),
    "cloudwatch": ("cloudwatch", "DescribeAlarms", lambda alarms: alarms.describe_alarms()),
    "stepfunctions": ("stepfunctions", "ListStateMachines", lambda machines: machines.list_state_machines()),
    "efs": ("efs", "DescribeFileSystems", lambda efs: efs.describe_file_systems()),
}
ARN = "arn:aws:batch:us-east-1:123456789012:job-queue/none"
BUCKET = "aws-batch-genomics-resources"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:none"


@pytest.fixture
def lab(aws: Emulator) -> Iterator[Emulator]:
    """Yield the emulator, without faults afterwards."""
    yield aws
    aws.heal()


def client(aws: Emulator, service: str) -> Any:
    """Make a client without retries."""
    return _client(aws.endpoint, service)


@functools.cache
def _client(endpoint: str, service: str) -> Any:
    session: Any = boto3.Session(*CREDENTIALS, region_name=REGION)
    return session.client(service, endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}))


def code(call: Callable[[Any], Any], of: Any) -> str:
    try:
        call(of)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def newest(aws: Emulator) -> int:
    return max((call.number for call in aws.calls()), default=0)


@pytest.mark.parametrize(("service", "action", "call"), CALLS.values(), ids=CALLS)
class TestEachProtocol:
    def test_a_refusal_has_its_code_status_and_message(
        self, lab: Emulator, service: str, action: str, call: Callable[[Any], Any]
    ) -> None:
        lab.fail(action, service=service, code="InjectedException", status=418, message="a < b & no 'quotes'")
        with pytest.raises(ClientError) as caught:
            call(client(lab, service))
        assert caught.value.operation_name == action
        assert caught.value.response["Error"]["Code"] == "InjectedException"
        assert caught.value.response["Error"]["Message"] == "a < b & no 'quotes'"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418
        assert code(call, client(lab, service)) != "InjectedException"

    def test_a_lost_answer_is_a_lost_connection(
        self, lab: Emulator, service: str, action: str, call: Callable[[Any], Any]
    ) -> None:
        lab.lose(action)
        with pytest.raises(ConnectionClosedError):
            call(client(lab, service))
        assert [(each.service, each.action, each.status) for each in lab.calls()][-1] == (service, action, 0)

    def test_a_call_is_recorded_with_its_name(
        self, lab: Emulator, service: str, action: str, call: Callable[[Any], Any]
    ) -> None:
        before = newest(lab)
        with contextlib.suppress(ClientError):
            call(client(lab, service))
        assert [(each.service, each.action) for each in lab.calls(since=before)] == [(service, action)]


def test_a_refusal_without_a_body_is_its_status(lab: Emulator) -> None:
    lab.fail("HeadBucket", status=503)
    assert code(lambda s3: s3.head_bucket(Bucket=BUCKET), client(lab, "s3")) == "503"


def test_a_refused_call_is_not_executed(lab: Emulator) -> None:
    lab.fail("CreateRole", code="LimitExceeded", status=409)
    iam = client(lab, "iam")
    with pytest.raises(iam.exceptions.LimitExceededException):
        iam.create_role(RoleName="refused", AssumeRolePolicyDocument=TRUST)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="refused")


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_call_whose_answer_is_lost_may_be_executed(lab: Emulator, carried_out: bool) -> None:
    lab.lose("CreateTopic", carried_out=carried_out)
    sns, name = client(lab, "sns"), f"lost-{carried_out}"
    with pytest.raises(ConnectionClosedError):
        sns.create_topic(Name=name)
    assert lab.calls("sns")[-1].status == (200 if carried_out else 0)
    assert any(topic["TopicArn"].endswith(f":{name}") for topic in sns.list_topics()["Topics"]) is carried_out


def test_boto3_retries(lab: Emulator) -> None:
    lab.fail("DescribeVpcs", code="RequestLimitExceeded", status=503)
    before = newest(lab)
    assert lab.client("ec2").describe_vpcs()["Vpcs"] != []
    assert [call.status for call in lab.calls("ec2", since=before)] == [503, 200]


class TestCounting:
    def codes(self, aws: Emulator, attempts: int) -> list[str]:
        iam = client(aws, "iam")
        return [code(lambda iam: iam.list_roles(), iam) for _ in range(attempts)]

    def test_after_so_many_calls_so_many_times(self, lab: Emulator) -> None:
        lab.fail("ListRoles", after=1, times=2)
        assert self.codes(lab, 4) == ["", "ThrottlingException", "ThrottlingException", ""]

    def test_until_heal(self, lab: Emulator) -> None:
        lab.fail("*", service="iam", code="AccessDenied", status=403, times=None)
        assert self.codes(lab, 3) == ["AccessDenied"] * 3
        lab.heal()
        assert self.codes(lab, 1) == [""]

    def test_one_fault_after_the_other(self, lab: Emulator) -> None:
        lab.fail("ListRoles", code="First")
        lab.fail("ListRoles", code="Second")
        assert self.codes(lab, 3) == ["First", "Second", ""]

    def test_other_calls_are_neither_counted_nor_refused(self, lab: Emulator) -> None:
        lab.fail("ListRoles", service="iam", after=1)
        client(lab, "iam").list_users()
        client(lab, "sts").get_caller_identity()
        assert self.codes(lab, 2) == ["", "ThrottlingException"]


class TestHeldCalls:
    def test_they_continue_after_heal(self, lab: Emulator) -> None:
        lab.hold("CreateTopic")
        with ThreadPoolExecutor() as pool:
            made = pool.submit(client(lab, "sns").create_topic, Name="held")
            held = lab.wait_until_held("CreateTopic")
            assert held.parameters["Name"] == "held"
            assert lab.calls("sns")[-1].status == 0
            assert client(lab, "sts").get_caller_identity()["Account"] == "123456789012"  # other calls are not held
            assert not made.done()
            lab.heal()
            assert made.result(30)["TopicArn"].endswith(":held")
        assert lab.calls("sns")[-1].status == 200

    def test_they_continue_after_their_time(self, lab: Emulator) -> None:
        lab.hold("GetCallerIdentity", seconds=0.05)
        assert client(lab, "sts").get_caller_identity()["Account"] == "123456789012"

    def test_waiting_for_a_held_call_times_out(self, lab: Emulator) -> None:
        lab.hold("CreateTopic")
        with pytest.raises(TimeoutError, match="sns, CreateTopic, was held"):
            lab.wait_until_held("CreateTopic", service="sns", within=0.05)


class TestCalls:
    def test_they_are_in_order_with_their_parameters(self, lab: Emulator) -> None:
        before = newest(lab)
        client(lab, "sns").create_topic(Name="first")
        client(lab, "ssm").put_parameter(Name="/second", Type="String", Value="1")
        code(CALLS["batch"][2], client(lab, "batch"))
        code(CALLS["lambda-arn"][2], client(lab, "lambda"))
        code(lambda ec2: ec2.describe_vpcs(VpcIds=["vpc-1"]), client(lab, "ec2"))
        calls = lab.calls(since=before)
        assert [(call.service, call.action, call.status) for call in calls] == [
            ("sns", "CreateTopic", 200),
            ("ssm", "PutParameter", 200),
            ("batch", "DescribeJobQueues", 200),
            ("lambda", "ListTags", 404),
            ("ec2", "DescribeVpcs", 400),
        ]
        assert calls[0].parameters["Name"] == "first"
        assert calls[1].parameters == {"Name": "/second", "Type": "String", "Value": "1"}
        assert calls[2].parameters == {"jobQueues": ["none"]}
        assert calls[3].parameters == {"Resource": FUNCTION}
        assert calls[4].parameters["VpcId.1"] == "vpc-1"
        assert [call.time for call in calls] == sorted(call.time for call in calls)
        assert {(call.region, call.access_key) for call in calls} == {(REGION, CREDENTIALS[0])}
        assert "Boto3" in calls[0].user_agent
        assert lab.calls("ssm", since=before) == [calls[1]]

    def test_the_seeds_calls_are_not_recorded(self) -> None:
        from gen_infra import emulator

        with emulator.start() as running:
            assert running.calls() == []

    def test_a_bucket_may_have_the_name_of_the_control_path(self, lab: Emulator) -> None:
        s3 = client(lab, "s3")
        s3.create_bucket(Bucket="gen-infra")
        s3.put_object(Bucket="gen-infra", Key="faults", Body=b"an object")
        assert s3.get_object(Bucket="gen-infra", Key="faults")["Body"].read() == b"an object"

    def test_an_invalid_order_is_refused(self, lab: Emulator) -> None:
        with pytest.raises(ValueError, match="refused POST"):
            lab._order({"do": "nothing"})
