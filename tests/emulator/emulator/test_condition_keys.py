"""Condition keys that only the account knows: tags of resources, keys and their grants, roles that a call creates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.probes import ONCE, Lab, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from gen_infra.emulator import Emulator

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def lab(aws: Emulator) -> Lab:
    return Lab(aws.endpoint)


def client(lab: Lab, session: boto3.Session, service: str) -> Any:
    made: Any = session
    return made.client(service, endpoint_url=lab.endpoint, config=ONCE)


def allow(action: str | list[str], condition: dict[str, Any] | None = None, resource: str = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def pairs(tags: dict[str, str], name: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{name: each, value: tags[each]} for each in tags]


def job(lab: Lab, tags: dict[str, str]) -> dict[str, Any]:
    queue, definition = lab.queue(lab.environment()), lab.definition()
    made = lab.client("batch").submit_job(jobName="a", jobQueue=queue, jobDefinition=definition, tags=tags)
    return {"jobId": made["jobId"], "reason": "enough"}


def log_group(lab: Lab, tags: dict[str, str]) -> dict[str, Any]:
    name = lab.name("/lab/group")
    lab.client("logs").create_log_group(logGroupName=name, tags=tags)
    return {"logGroupName": name}


def key(lab: Lab, tags: dict[str, str]) -> dict[str, Any]:
    made = lab.client("kms").create_key(Tags=pairs(tags, "TagKey", "TagValue"))
    return {"KeyId": made["KeyMetadata"]["KeyId"]}


def security_group(lab: Lab, tags: dict[str, str]) -> dict[str, Any]:
    specification = [{"ResourceType": "security-group", "Tags": pairs(tags)}]
    made = lab.client("ec2").create_security_group(
        GroupName=lab.name("group"), Description="a", TagSpecifications=specification
    )
    return {"GroupId": made["GroupId"]}


def named(service: str, method: str, parameter: str, **more: Any) -> Callable[[Lab, dict[str, str]], dict[str, Any]]:
    def make(lab: Lab, tags: dict[str, str]) -> dict[str, Any]:
        name = lab.name("tagged")
        getattr(lab.client(service), method)(**{parameter: name}, **more, **{_TAGS[service]: _spelled(service, tags)})
        return {parameter: name}

    return make


_TAGS = {"ecr": "tags", "iam": "Tags", "sns": "Tags", "sqs": "tags", "scheduler": "Tags"}


def _spelled(service: str, tags: dict[str, str]) -> Any:
    return tags if service == "sqs" else pairs(tags)


def topic(lab: Lab, tags: dict[str, str]) -> dict[str, Any]:
    return {"TopicArn": lab.client("sns").create_topic(Name=lab.name("topic"), Tags=pairs(tags))["TopicArn"]}


def queue(lab: Lab, tags: dict[str, str]) -> dict[str, Any]:
    return {"QueueUrl": lab.client("sqs").create_queue(QueueName=lab.name("queue"), tags=tags)["QueueUrl"]}


def function(lab: Lab, tags: dict[str, str]) -> dict[str, Any]:
    return {"FunctionName": lab.function("def handler(event, context): pass", Tags=tags)}


TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TAGGED: list[tuple[str, str, str, Callable[[Lab, dict[str, str]], dict[str, Any]]]] = [
    ("batch", "cancel_job", "aws:ResourceTag/team", job),
    ("batch", "terminate_job", "aws:ResourceTag/team", job),
    ("ec2", "delete_security_group", "ec2:ResourceTag/team", security_group),
    ("ecr", "delete_repository", "ecr:ResourceTag/team", named("ecr", "create_repository", "repositoryName")),
    (
        "iam",
        "delete_role",
        "iam:ResourceTag/team",
        named("iam", "create_role", "RoleName", AssumeRolePolicyDocument=TRUST),
    ),
    ("kms", "describe_key", "aws:ResourceTag/team", key),
    ("lambda", "delete_function", "aws:ResourceTag/team", function),
    ("logs", "delete_log_group", "aws:ResourceTag/team", log_group),
    (
        "scheduler",
        "delete_schedule_group",
        "aws:ResourceTag/team",
        named("scheduler", "create_schedule_group", "Name"),
    ),
    ("sns", "delete_topic", "aws:ResourceTag/team", topic),
    ("sqs", "purge_queue", "aws:ResourceTag/team", queue),
]


@pytest.mark.parametrize(
    ("service", "method", "condition", "make"), TAGGED, ids=[f"{service}-{method}" for service, method, *_ in TAGGED]
)
def test_a_resources_tags_decide(
    lab: Lab, service: str, method: str, condition: str, make: Callable[[Lab, dict[str, str]], dict[str, Any]]
) -> None:
    user = lab.user(allow(f"{service}:*", {"StringEquals": {condition: "north"}}))
    call = getattr(client(lab, user, service), method)
    assert refusal(call, **make(lab, {"team": "south"})) in REFUSED
    assert refusal(call, **make(lab, {"other": "north"})) in REFUSED
    assert refusal(call, **make(lab, {"team": "north"})) == "accepted"


REFUSED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


DEFINITION_KEYS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("batch:Privileged", "false", {"privileged": False}, {"privileged": True}),
    ("batch:Image", "isaac:*", {"image": "isaac:1"}, {"image": "miner:1"}),
    ("batch:User", "nobody", {"user": "nobody"}, {"user": "root"}),
    ("batch:LogDriver", "awslogs", {"logConfiguration": {"logDriver": "awslogs"}}, {}),
    *(
        (f"batch:AWSLogs{key}", value, {"logConfiguration": {"logDriver": "awslogs", "options": {option: value}}}, {})
        for key, option, value in (
            ("CreateGroup", "awslogs-create-group", "true"),
            ("Group", "awslogs-group", "/lab/tasks"),
            ("Region", "awslogs-region", "us-east-1"),
            ("StreamPrefix", "awslogs-stream-prefix", "lab"),
        )
    ),
]


@pytest.mark.parametrize(
    ("key", "value", "allowed", "refused"), DEFINITION_KEYS, ids=[row[0] for row in DEFINITION_KEYS]
)
def test_what_a_job_definition_contains_decides(
    lab: Lab, key: str, value: str, allowed: dict[str, Any], refused: dict[str, Any]
) -> None:
    register = client(lab, lab.user(allow("batch:*", {"StringLike": {key: value}})), "batch").register_job_definition
    for container, expected in ((allowed, {"accepted"}), (refused, REFUSED)):
        properties = {"image": "isaac:1", "command": ["true"]} | container
        properties["resourceRequirements"] = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "64"}]
        made = {"jobDefinitionName": lab.name("keys"), "type": "container", "containerProperties": properties}
        assert refusal(register, **made) in expected


def test_one_privileged_container_of_several_decides(lab: Lab) -> None:
    unprivileged = allow("batch:*", {"BoolIfExists": {"batch:Privileged": "false"}})
    register = client(lab, lab.user(unprivileged), "batch").register_job_definition
    requirements = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "64"}]
    first, second = ({"name": name, "image": "isaac:1", "resourceRequirements": requirements} for name in "ab")
    made = {"jobDefinitionName": lab.name("keys"), "type": "container"}
    for more, expected in (({}, {"accepted"}), ({"privileged": True}, REFUSED)):
        properties = {"taskProperties": [{"containers": [first | {"privileged": False}, second | more]}]}
        assert refusal(register, **made, ecsProperties=properties) in expected


class TestCreatedResources:
    """What a call of EC2 creates, each type with its own tags."""

    def test_tags_on_creation_need_the_call_that_creates(self, lab: Lab) -> None:
        condition = {"StringEquals": {"ec2:CreateAction": "CreateVpc", "aws:RequestTag/team": "north"}}
        user = lab.user(allow("ec2:CreateVpc"), allow("ec2:CreateTags", condition, f"arn:aws:ec2:*:{ACCOUNT}:vpc/*"))
        ec2 = client(lab, user, "ec2")

        def create(tags: dict[str, str]) -> str:
            specification = [{"ResourceType": "vpc", "Tags": pairs(tags)}]
            return refusal(ec2.create_vpc, CidrBlock="10.9.0.0/24", TagSpecifications=specification)

        assert create({"team": "north"}) == "accepted"
        assert create({"team": "south"}) == "UnauthorizedOperation"
        vpc = lab.client("ec2").create_vpc(CidrBlock="10.9.1.0/24")["Vpc"]["VpcId"]
        assert refusal(ec2.create_tags, Resources=[vpc], Tags=pairs({"team": "north"})) == "UnauthorizedOperation"

    def test_instances_may_be_launched_with_encrypted_volumes_only(self, lab: Lab) -> None:
        volumes = allow(
            "ec2:RunInstances", {"Bool": {"ec2:Encrypted": "true"}}, f"arn:aws:ec2:us-east-1:{ACCOUNT}:volume/*"
        )
        kinds = ("image", "instance", "network-interface", "security-group", "subnet")
        others = [allow("ec2:RunInstances", None, f"arn:aws:ec2:us-east-1:*:{kind}/*") for kind in kinds]
        ec2 = client(lab, lab.user(volumes, *others), "ec2")
        image = lab.client("ssm").get_parameter(Name="/gen-infra/prod/ami")["Parameter"]["Value"]
        launch = {"ImageId": image, "InstanceType": "m6i.large", "MinCount": 1, "MaxCount": 1, "DryRun": True}
        more = {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 10}}
        assert refusal(ec2.run_instances, **launch) == "DryRunOperation"
        assert refusal(ec2.run_instances, **launch, BlockDeviceMappings=[more]) == "UnauthorizedOperation"
        more["Ebs"] = {"VolumeSize": 10, "Encrypted": True}
        assert refusal(ec2.run_instances, **launch, BlockDeviceMappings=[more]) == "DryRunOperation"

    def test_only_the_accounts_own_images_may_be_changed(self, lab: Lab) -> None:
        user = lab.user(allow("ec2:ModifyImageAttribute", {"StringEquals": {"ec2:Owner": ACCOUNT}}))
        ec2, images = client(lab, user, "ec2"), lab.client("ec2").describe_images(Owners=["amazon"])["Images"]
        own = lab.client("ssm").get_parameter(Name="/gen-infra/prod/ami")["Parameter"]["Value"]
        change = {"Description": {"Value": "a"}}
        assert refusal(ec2.modify_image_attribute, ImageId=own, **change) == "accepted"
        assert refusal(ec2.modify_image_attribute, ImageId=images[0]["ImageId"], **change) == "UnauthorizedOperation"

    def test_one_attribute_of_images_may_be_changed(self, lab: Lab) -> None:
        user = lab.user(allow("ec2:ModifyImageAttribute", {"StringEquals": {"ec2:Attribute/ImdsSupport": "v2.0"}}))
        own = lab.client("ssm").get_parameter(Name="/gen-infra/prod/ami")["Parameter"]["Value"]
        ec2 = client(lab, user, "ec2")
        shared = {"LaunchPermission": {"Add": [{"UserId": "999999999999"}]}}
        assert refusal(ec2.modify_image_attribute, ImageId=own, ImdsSupport={"Value": "v2.0"}) == "accepted"
        for change in ({"Description": {"Value": "a"}}, shared):
            assert refusal(ec2.modify_image_attribute, ImageId=own, **change) == "UnauthorizedOperation"
            both = {"ImdsSupport": {"Value": "v2.0"}, **change}  # the condition is met, but it is two attributes
            assert refusal(ec2.modify_image_attribute, ImageId=own, **both) == "InvalidParameterCombination"


@pytest.fixture(scope="module")
def sealer(lab: Lab) -> str:
    return str(lab.client("kms").create_key()["KeyMetadata"]["Arn"])


class TestKeys:
    """A key of the account's users, by their own policies, by services and by grants."""

    def test_the_encryption_context_decides_and_a_ciphertext_names_its_key(self, lab: Lab, sealer: str) -> None:
        condition = {"StringEquals": {"kms:EncryptionContext:lab": "north"}}
        kms = client(lab, lab.user(allow("kms:*", condition, sealer)), "kms")
        sealed = kms.encrypt(KeyId=sealer, Plaintext=b"x", EncryptionContext={"lab": "north"})["CiphertextBlob"]
        assert refusal(kms.decrypt, CiphertextBlob=sealed, EncryptionContext={"lab": "north"}) == "accepted"
        assert refusal(kms.decrypt, CiphertextBlob=sealed) == "AccessDeniedException"
        south = {"lab": "south"}
        assert refusal(kms.encrypt, KeyId=sealer, Plaintext=b"x", EncryptionContext=south) == "AccessDeniedException"

    def test_a_grant_for_a_resource_of_aws_is_made_by_services_only(self, lab: Lab, sealer: str) -> None:
        condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        role = lab.role("functions")
        kms = client(lab, lab.user(allow("kms:CreateGrant", condition, sealer)), "kms")
        assert refusal(kms.create_grant, KeyId=sealer, GranteePrincipal=role, Operations=["Decrypt"]) in REFUSED

    def test_a_grant_lets_its_grantee_use_the_key_until_it_is_revoked(self, lab: Lab, sealer: str) -> None:
        user = lab.user(allow("s3:ListAllMyBuckets"))
        arn = client(lab, user, "sts").get_caller_identity()["Arn"]
        admin, kms = lab.client("kms"), client(lab, user, "kms")
        context = {"lab": "north"}
        sealed = admin.encrypt(KeyId=sealer, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
        unseal = {"CiphertextBlob": sealed, "EncryptionContext": context}
        assert refusal(kms.decrypt, **unseal) == "AccessDeniedException"
        grant = admin.create_grant(
            KeyId=sealer,
            GranteePrincipal=arn,
            Operations=["Decrypt"],
            Constraints={"EncryptionContextSubset": context},
        )["GrantId"]
        assert refusal(kms.decrypt, **unseal) == "accepted"
        assert refusal(kms.encrypt, KeyId=sealer, Plaintext=b"x", EncryptionContext=context) == "AccessDeniedException"
        admin.revoke_grant(KeyId=sealer, GrantId=grant)
        assert refusal(kms.decrypt, **unseal) == "AccessDeniedException"

    def test_an_object_is_encrypted_and_decrypted_with_the_callers_permissions(self, lab: Lab, sealer: str) -> None:
        bucket = lab.name("sealed")
        admin = lab.client("s3")
        admin.create_bucket(Bucket=bucket)
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": sealer}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
        admin.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        via = {
            "StringEquals": {
                "kms:ViaService": "s3.us-east-1.amazonaws.com",
                "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
            }
        }
        objects = allow(["s3:PutObject", "s3:GetObject"], None, f"arn:aws:s3:::{bucket}/*")
        none = client(lab, lab.user(objects), "s3")
        reads = client(lab, lab.user(objects, allow("kms:Decrypt", via, sealer)), "s3")
        writes = client(lab, lab.user(objects, allow(["kms:Decrypt", "kms:GenerateDataKey"], via, sealer)), "s3")
        assert refusal(none.put_object, Bucket=bucket, Key="a", Body=b"x") == "AccessDenied"
        assert refusal(reads.put_object, Bucket=bucket, Key="a", Body=b"x") == "AccessDenied"
        assert refusal(writes.put_object, Bucket=bucket, Key="a", Body=b"x") == "accepted"
        assert refusal(reads.get_object, Bucket=bucket, Key="a") == "accepted"
        assert refusal(none.get_object, Bucket=bucket, Key="a") == "AccessDenied"
        assert refusal(none.copy_object, Bucket=bucket, Key="b", CopySource=f"{bucket}/a") == "AccessDenied"

    def test_messages_of_an_encrypted_queue_and_topic_need_the_key(self, lab: Lab, sealer: str) -> None:
        url = lab.client("sqs").create_queue(QueueName=lab.name("sealed"), Attributes={"KmsMasterKeyId": sealer})
        arn = lab.client("sns").create_topic(Name=lab.name("sealed"), Attributes={"KmsMasterKeyId": sealer})
        sends = allow(["sqs:SendMessage", "sns:Publish"])
        with_key = lab.user(sends, allow(["kms:Decrypt", "kms:GenerateDataKey"], None, sealer))
        for user, expected in ((lab.user(sends), REFUSED), (with_key, {"accepted"})):
            sqs, sns = client(lab, user, "sqs"), client(lab, user, "sns")
            assert refusal(sqs.send_message, QueueUrl=url["QueueUrl"], MessageBody="x") in expected
            assert refusal(sns.publish, TopicArn=arn["TopicArn"], Message="x") in expected


def test_a_call_that_creates_a_service_linked_role_needs_that_permission(aws: Emulator) -> None:
    with aws.copy() as account:
        lab = Lab(account.endpoint)
        lab.client("iam").delete_role(RoleName="AWSServiceRoleForBatch")
        settings = {"type": "MANAGED", "computeResources": lab.resources()}
        passes = allow("iam:PassRole")
        role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
        creates = allow(
            "iam:CreateServiceLinkedRole", {"StringEquals": {"iam:AWSServiceName": "batch.amazonaws.com"}}, role
        )
        for more, expected in (([], "AccessDeniedException"), ([creates], "accepted"), ([], "accepted")):
            batch = client(lab, lab.user(allow("batch:*"), passes, *more), "batch")
            name = lab.name("environment")
            assert refusal(batch.create_compute_environment, computeEnvironmentName=name, **settings) == expected


def test_a_functions_policy_lets_a_user_invoke_it(lab: Lab) -> None:
    name, user = lab.function("def handler(event, context): return 7"), lab.user(allow("s3:ListAllMyBuckets"))
    invoke = client(lab, user, "lambda").invoke
    assert refusal(invoke, FunctionName=name) == "AccessDeniedException"
    arn = client(lab, user, "sts").get_caller_identity()["Arn"]
    lab.client("lambda").add_permission(
        FunctionName=name, StatementId="a", Action="lambda:InvokeFunction", Principal=arn
    )
    assert refusal(invoke, FunctionName=name, InvocationType="DryRun") == "accepted"
