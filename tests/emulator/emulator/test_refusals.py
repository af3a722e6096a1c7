"""The emulator refuses what AWS refuses, with AWS's error, and accepts the same calls made right."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from gen_infra import emulator
from tests.emulator.emulator.refusals import CALLS, MISSING, OWNER, REFUSALS, Refusal, grant, long_policy, policy, trust
from tests.emulator.probes import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with emulator.start(seed=False) as running:
        yield Lab(running.endpoint)


@pytest.fixture(scope="module")
def facts(lab: Lab) -> dict[str, str]:
    """Return what the calls refer to."""
    kms, ec2, iam, s3 = lab.client("kms"), lab.client("ec2"), lab.client("iam"), lab.client("s3")
    resources = lab.resources()
    network = {key: resources[key] for key in ("subnets", "securityGroupIds")}
    environment, definition = lab.environment(), lab.definition()
    queue = lab.queue(environment)
    services = [f"{name}.amazonaws.com" for name in ("ecs-tasks", "lambda", "scheduler", "codebuild", "states")]
    trusted = policy({"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="services", AssumeRolePolicyDocument=trusted)["Role"]
    iam.create_role(RoleName="submit", AssumeRolePolicyDocument=trust("ecs-tasks.amazonaws.com"))
    iam.create_role(RoleName="full", AssumeRolePolicyDocument=trust("ecs-tasks.amazonaws.com"))
    iam.put_role_policy(RoleName="full", PolicyName="first", PolicyDocument=long_policy(9000))
    s3.create_bucket(Bucket="results")
    block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket="results", PublicAccessBlockConfiguration=block)
    lab.client("logs").create_log_group(logGroupName="/aws/batch/refusals")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("used", "user", "unused")
    ]
    vpc_with, vpc_without = (ec2.create_vpc(CidrBlock="10.88.0.0/16")["Vpc"]["VpcId"] for _ in range(2))
    attached, gateway = (ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(2))
    ec2.attach_internet_gateway(InternetGatewayId=attached, VpcId=vpc_with)
    in_vpc = [{"Name": "vpc-id", "Values": [vpc_with]}]
    ec2.authorize_security_group_ingress(
        GroupId=groups[1],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": groups[0]}]}
        ],
    )

    def key(*statements: dict[str, Any]) -> str:
        return str(kms.create_key(Policy=policy(OWNER, *statements))["KeyMetadata"]["Arn"])

    logs = {"Service": "logs.us-east-1.amazonaws.com"}
    log_group = "arn:aws:logs:us-east-1:123456789012:log-group:"
    condition = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"{log_group}*"}}
    elsewhere = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"{log_group}/other/*"}}
    disabled = key(grant(logs))
    kms.disable_key(KeyId=disabled.rpartition("/")[2])
    return {
        "account": "123456789012",
        "environment": environment,
        "fargate_environment": lab.environment(computeResources={"type": "FARGATE", "maxvCpus": 4, **network}),
        "queue": queue,
        "definition": definition,
        "fargate": lab.definition(
            {
                "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
                "executionRoleArn": role["Arn"],
            },
            platformCapabilities=["FARGATE"],
        ),
        "job": lab.client("batch").submit_job(jobName="one", jobQueue=queue, jobDefinition=definition)["jobId"],
        "profile": resources["instanceRole"],
        "subnet": network["subnets"][0],
        "group": network["securityGroupIds"][0],
        "used_group": groups[0],
        "unused_group": groups[2],
        "vpc": vpc,
        "vpc_with": vpc_with,
        "vpc_without": vpc_without,
        "gateway": gateway,
        "attached_gateway": attached,
        "default_group": ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"][0]["GroupId"],
        "table": ec2.describe_route_tables()["RouteTables"][0]["RouteTableId"],
        "image": ec2.describe_images()["Images"][0]["ImageId"],
        "upload": s3.create_multipart_upload(Bucket="results", Key="reads")["UploadId"],
        "repository": lab.client("ecr").create_repository(repositoryName="refusals")["repository"]["repositoryName"],
        "role": "submit",
        "full_role": "full",
        "role_arn": role["Arn"],
        "bucket": "results",
        "log_group": "/aws/batch/refusals",
        "key": key(),
        "unused_key": key().rpartition("/")[2],
        "logs_key": key(grant(logs, ["kms:Encrypt*", "kms:GenerateDataKey*"], Condition=condition)),
        "other_key": key(grant(logs, Condition=elsewhere)),
        "disabled_key": disabled,
        "topic": lab.client("sns").create_topic(Name="refusals")["TopicArn"],
    }


def filled(value: Any, facts: dict[str, str]) -> Any:
    """Fill the facts into every text."""
    if isinstance(value, str):
        for name, fact in facts.items():
            value = value.replace("{" + name + "}", fact)
    elif isinstance(value, dict):
        return {filled(key, facts): filled(each, facts) for key, each in value.items()}
    elif isinstance(value, list):
        return [filled(each, facts) for each in value]
    return value


def changed(arguments: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(arguments)
    place = made
    *parents, last = path.split(".")
    for each in parents:
        place = place[int(each) if each.isdecimal() else each]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return dict(made)


def bound(lab: Lab, name: str) -> Callable[..., Any]:
    """Return the method of a client that validates nothing itself."""
    call = CALLS[name]
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    if (call.service, lab.endpoint) not in _CLIENTS:
        _CLIENTS[call.service, lab.endpoint] = session.client(call.service, endpoint_url=lab.endpoint, config=config)
    method: Callable[..., Any] = getattr(_CLIENTS[call.service, lab.endpoint], call.method)
    return method


_CLIENTS: dict[tuple[str, str], Any] = {}


def named(facts: dict[str, str]) -> dict[str, str]:
    return facts | {"name": f"refusal-{next(_NUMBERS)}"}


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row.call}-{row.path}")
def test_a_call_is_refused_with_awss_error(lab: Lab, facts: dict[str, str], row: Refusal) -> None:
    arguments = filled(changed(CALLS[row.call].arguments, row.path, row.value), named(facts))
    with pytest.raises(ClientError) as caught:
        bound(lab, row.call)(**arguments)
    error = caught.value.response["Error"]
    assert (error["Code"], row.words in error.get("Message", "")) == (row.code, True), error


@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_made_right_is_accepted(lab: Lab, facts: dict[str, str], name: str) -> None:
    bound(lab, name)(**filled(CALLS[name].arguments, named(facts)))


def test_the_table_is_large_enough_and_has_sources() -> None:
    assert len(REFUSALS) >= 150
    assert {row.call for row in REFUSALS} <= set(CALLS)
    assert all(row.source.startswith("https://") for row in REFUSALS)


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("xray", "get_sampling_rules", {}),
        ("xray", "create_group", {"GroupName": "genomics"}),
        ("batch", "create_consumable_resource", {"consumableResourceName": "licences"}),
        ("batch", "create_service_environment", {}),
        ("logs", "describe_configuration_templates", {}),
        ("lambda", "get_account_settings", {}),
    ],
)
def test_an_operation_that_is_not_implemented_is_an_error_of_the_service(
    lab: Lab, service: str, method: str, arguments: dict[str, Any]
) -> None:
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    with pytest.raises(ClientError) as caught:
        getattr(session.client(service, endpoint_url=lab.endpoint, config=config), method)(**arguments)
    answer = caught.value.response
    assert 400 <= answer["ResponseMetadata"]["HTTPStatusCode"] < 500
    assert answer["Error"]["Code"].isalpha()
    assert "<html" not in answer["Error"]["Message"]
