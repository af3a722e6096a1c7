"""What AWS refuses: by the models and the documented limits of its services, and by what an account contains."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.emulator.probes import ONCE, Lab, probe, refusal, requirements

_OWNER = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@probe(["ValidationError", "ValidationException", "InvalidParameterValue", "ClientException"])
def validated_requests(lab: Lab) -> Any:
    ec2, data = lab.client("ec2"), {"MetadataOptions": {"HttpTokens": "always"}}
    return [
        refusal(lab.client("iam").create_role, RoleName="a", Path="no-slash", AssumeRolePolicyDocument=_policy()),
        refusal(lab.client("events").put_rule, Name=lab.name("rule"), ScheduleExpression="rate(1 day)", State="ON"),
        refusal(ec2.create_launch_template, LaunchTemplateName=lab.name("template"), LaunchTemplateData=data),
        refusal(partial(lab.definition, {"logConfiguration": {"logDriver": "cloudwatch"}})),
    ]


@probe(
    [
        *5 * ["ClientException"],
        "accepted",
        "ClientException",
        "InvalidAttributeValue",
        "MalformedPolicyDocumentException",
    ]
)
def documented_limits(lab: Lab) -> Any:
    batch, queue = lab.client("batch"), lab.queue(lab.environment())
    four = [{"order": number, "computeEnvironment": lab.environment()} for number in range(4)]
    return [
        refusal(partial(lab.definition, timeout={"attemptDurationSeconds": 30})),
        refusal(partial(lab.definition, {"resourceRequirements": requirements(vcpu="abc", memory="64")})),
        refusal(batch.update_job_queue, jobQueue=queue, priority=1001),
        refusal(partial(lab.queue, priority=5000)),
        refusal(batch.update_job_queue, jobQueue=queue, computeEnvironmentOrder=four),
        refusal(batch.update_job_queue, jobQueue=queue, priority=1000, computeEnvironmentOrder=four[:3]),
        refusal(batch.describe_jobs, jobs=101 * ["none"]),
        refusal(lab.client("sqs").create_queue, QueueName=lab.name("queue"), Attributes={"VisibilityTimeout": "43201"}),
        refusal(lab.client("kms").create_key, Policy=_policy(_OWNER | {"Action": "kms:Decrypt"})),
    ]


@probe(["accepted", "AccessDeniedException", "UnauthorizedOperation", "AccessDenied"])
def authorized_requests(lab: Lab) -> Any:
    session: Any = lab.user({"Effect": "Allow", "Action": "batch:Describe*", "Resource": "*"})

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=lab.endpoint, config=ONCE)

    return [
        refusal(client("batch").describe_job_queues),
        refusal(client("batch").list_scheduling_policies),
        refusal(client("ec2").describe_vpcs),
        refusal(client("s3").list_buckets),
    ]


@probe(["UnknownOperationException", "UnknownOperationException"])
def error_format(lab: Lab) -> Any:
    calls = (
        partial(lab.client("batch").create_consumable_resource, consumableResourceName="licences"),
        lab.client("xray").get_sampling_rules,
    )
    answers = []
    for call in calls:
        try:
            call()
        except ResponseParserError:
            answers.append("an HTML page")
        except ClientError as error:
            answers.append(str(error.response["Error"]["Code"]))
    return answers


@probe(["AccessDeniedException", "AccessDeniedException", "accepted", *["AccessDeniedException"] * 2, "accepted"])
def log_group_keys(lab: Lab) -> Any:
    """Create log groups with keys that are granted to other groups only: the operators compare as IAM's do."""
    kms, logs = lab.client("kms"), lab.client("logs")
    grant = {
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:GenerateDataKey*"],
    }
    groups = "arn:aws:logs:us-east-1:123456789012:log-group:*"
    conditions: tuple[dict[str, Any], ...] = (
        {},
        {"StringEquals": {"kms:EncryptionContext:aws:logs:arn": groups}},  # an asterisk is itself
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:*:log-group:*"}},  # no wildcard spans a colon
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )
    granted = [[_OWNER, _OWNER | grant | {"Condition": each}] for each in conditions]
    keys = [kms.create_key(Policy=_policy(*statements))["KeyMetadata"]["Arn"] for statements in ([_OWNER], *granted)]
    absent = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    return [refusal(logs.create_log_group, logGroupName=lab.name("group"), kmsKeyId=each) for each in (absent, *keys)]


@probe(
    ["AccessDeniedException", "AccessDeniedException", "accepted", True, "ResourceNotFoundException", "accepted", False]
)
def associated_keys(lab: Lab) -> Any:
    kms, logs, name = lab.client("kms"), lab.client("logs"), lab.name("group")
    grant = {"Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": ["kms:GenerateDataKey*"]}
    ungranted, granted = (
        kms.create_key(Policy=_policy(*statements))["KeyMetadata"]["Arn"]
        for statements in ([_OWNER], [_OWNER, _OWNER | grant])
    )
    logs.create_log_group(logGroupName=name)

    def has_key() -> bool:
        [group] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return bool(group.get("kmsKeyId") == granted)

    absent = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    answers: list[Any] = [
        refusal(logs.associate_kms_key, logGroupName=name, kmsKeyId=each) for each in (absent, ungranted, granted)
    ]
    answers += [has_key(), refusal(logs.associate_kms_key, logGroupName=lab.name("none"), kmsKeyId=granted)]
    return [*answers, refusal(logs.disassociate_kms_key, logGroupName=name), has_key()]


@probe(["DependencyViolation", "DependencyViolation", "DependencyViolation", "accepted", "accepted", "accepted"])
def security_group_deletion(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    vpc, subnet = ec2.describe_vpcs()["Vpcs"][0]["VpcId"], ec2.describe_subnets()["Subnets"][0]
    named, attached, running, other = (
        ec2.create_security_group(GroupName=lab.name("group"), Description="probe", VpcId=vpc)["GroupId"]
        for _ in range(4)
    )
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": named}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    interface = ec2.create_network_interface(SubnetId=subnet["SubnetId"], Groups=[attached])["NetworkInterface"]
    [image, *_] = ec2.describe_images(Owners=["amazon"], MaxResults=5)["Images"]
    placed = {"SubnetId": subnet["SubnetId"], "SecurityGroupIds": [running]}
    made = ec2.run_instances(ImageId=image["ImageId"], MinCount=1, MaxCount=1, **placed)["Instances"]
    answers = [refusal(ec2.delete_security_group, GroupId=each) for each in (named, attached, running, other)]
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    ec2.terminate_instances(InstanceIds=[made[0]["InstanceId"]])
    return [*answers, *(refusal(ec2.delete_security_group, GroupId=each) for each in (named, running))]


@probe(["accepted", "InvalidParameterValue", "InvalidParameterValue"])
def security_group_rule_type(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName=lab.name("group"), Description="probe", VpcId=vpc)["GroupId"]
    ports = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    permission = ports | {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    [made] = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])["SecurityGroupRules"]

    def modified(**source: str) -> str:
        change = {"SecurityGroupRuleId": made["SecurityGroupRuleId"], "SecurityGroupRule": ports | source}
        return refusal(ec2.modify_security_group_rules, GroupId=group, SecurityGroupRules=[change])

    return [
        modified(CidrIpv4="10.1.0.0/16"),
        modified(ReferencedGroupId=group),
        modified(PrefixListId="pl-0123456789abcdef0"),
    ]


@probe(["AccessDenied", "accepted", "accepted"])
def blocked_public_policies(lab: Lab) -> Any:
    s3, name = lab.client("s3"), lab.name("bucket")
    s3.create_bucket(Bucket=name)
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    confined = public | {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}
    block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    answers = [refusal(s3.put_bucket_policy, Bucket=name, Policy=_policy(each)) for each in (public, confined)]
    s3.delete_public_access_block(Bucket=name)
    return [*answers, refusal(s3.put_bucket_policy, Bucket=name, Policy=_policy(public))]


@probe(["accepted", "LimitExceeded", "accepted", "LimitExceeded", "accepted"])
def role_quotas(lab: Lab) -> Any:
    iam, name = lab.client("iam"), lab.name("role")
    lab.role(name)

    def inline(policy: str, characters: int) -> str:
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{'a' * characters}"}
        document = _policy(statement)
        return refusal(iam.put_role_policy, RoleName=name, PolicyName=policy, PolicyDocument=document)

    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policies = [
        iam.create_policy(PolicyName=lab.name("policy"), PolicyDocument=_policy(statement))["Policy"]["Arn"]
        for _ in range(11)
    ]
    attached = [refusal(iam.attach_role_policy, RoleName=name, PolicyArn=each) for each in policies]
    return [
        inline("first", 6000),
        inline("second", 6000),
        inline("first", 9000),
        attached[-1],
        refusal(iam.attach_role_policy, RoleName=name, PolicyArn=policies[0]),
    ]


@probe(["DeleteConflict", "accepted"])
def attached_policies(lab: Lab) -> Any:
    iam, role = lab.client("iam"), lab.name("role")
    lab.role(role)
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    arn = iam.create_policy(PolicyName=lab.name("policy"), PolicyDocument=_policy(statement))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    attached = refusal(iam.delete_policy, PolicyArn=arn)
    if attached != "accepted":
        iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    return [attached, refusal(iam.delete_policy, PolicyArn=arn) if attached != "accepted" else attached]


@probe(["MalformedPolicyDocument", "NoSuchEntity", "accepted"])
def entities_of_roles(lab: Lab) -> Any:
    iam, known = lab.client("iam"), lab.role(lab.name("role"))

    def create(principal: str, **more: Any) -> str:
        trust = _policy({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"})
        return refusal(iam.create_role, RoleName=lab.name("role"), AssumeRolePolicyDocument=trust, **more)

    absent = "arn:aws:iam::123456789012:{}/missing"
    return [
        create(absent.format("role")),
        create(known, PermissionsBoundary=absent.format("policy")),
        create(known),
    ]


@probe("InvalidInput")
def taken_service_linked_roles(lab: Lab) -> Any:
    create = partial(lab.client("iam").create_service_linked_role, AWSServiceName="ecs.amazonaws.com")
    refusal(create)
    return refusal(create)


@probe(["DisabledException", "KMSInvalidStateException", "KMSInvalidStateException"])
def key_states(lab: Lab) -> Any:
    kms = lab.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    used = refusal(kms.encrypt, KeyId=key, Plaintext=b"reads")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    again = refusal(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=7)
    return [used, again, refusal(kms.enable_key_rotation, KeyId=key)]


@probe(["DependencyViolation", "accepted"])
def subnet_deletion(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    used, empty = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{number}.0/24")["Subnet"]["SubnetId"] for number in (1, 2)
    )
    ec2.create_network_interface(SubnetId=used)
    return [refusal(ec2.delete_subnet, SubnetId=each) for each in (used, empty)]


@probe(["CannotDelete", "accepted"])
def default_security_groups(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.78.0.0/16")["Vpc"]["VpcId"]
    found = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    return [refusal(ec2.delete_security_group, GroupId=found[0]["GroupId"]), refusal(ec2.delete_vpc, VpcId=vpc)]


@probe(["accepted", "InvalidParameterValue"])
def internet_gateways(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/16")["Vpc"]["VpcId"]
    made = [ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(2)]
    return [refusal(ec2.attach_internet_gateway, InternetGatewayId=each, VpcId=vpc) for each in made]


@probe(["accepted", "InvalidServiceName", "InvalidServiceName"])
def endpoint_services(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.80.0.0/16")["Vpc"]["VpcId"]
    names = (f"com.amazonaws.{each}" for each in ("us-east-1.s3", "eu-west-1.s3", "us-east-1.nope"))
    return [refusal(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=each) for each in names]


@probe("InvalidAMIID.NotFound")
def launched_images(lab: Lab) -> Any:
    run = partial(lab.client("ec2").run_instances, MinCount=1, MaxCount=1)
    return refusal(run, ImageId="ami-0123456789abcdef0")


@probe(["KmsException", "accepted"])
def repository_keys(lab: Lab) -> Any:
    create, key = lab.client("ecr").create_repository, lab.client("kms").create_key()["KeyMetadata"]["Arn"]
    return [
        refusal(
            create, repositoryName=lab.name("repo"), encryptionConfiguration={"encryptionType": "KMS", "kmsKey": each}
        )
        for each in (key[:-4] + "none", key)
    ]


@probe(["NoSuchUpload", "NoSuchUpload"])
def unknown_uploads(lab: Lab) -> Any:
    s3, bucket = lab.client("s3"), lab.name("bucket")
    s3.create_bucket(Bucket=bucket)
    upload: dict[str, Any] = {"Bucket": bucket, "Key": "reads", "UploadId": "none"}
    parts = {"Parts": [{"ETag": "none", "PartNumber": 1}]}
    return [
        refusal(s3.upload_part, **upload, PartNumber=1, Body=b"A"),
        refusal(s3.complete_multipart_upload, **upload, MultipartUpload=parts),
    ]


@probe(["ResourceNotFoundException", "ResourceNotFoundException"])
def absent_schedule_groups(lab: Lab) -> Any:
    scheduler, role = lab.client("scheduler"), lab.role(lab.name("role"))
    schedule: dict[str, Any] = {
        "Name": lab.name("schedule"),
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:queue", "RoleArn": role},
    }
    return [
        refusal(scheduler.create_schedule, **schedule, GroupName="none"),
        refusal(scheduler.delete_schedule_group, Name="none"),
    ]


@probe("ClientException")
def absent_scheduling_policies(lab: Lab) -> Any:
    arn = "arn:aws:batch:us-east-1:123456789012:scheduling-policy/none"
    return refusal(lab.client("batch").update_scheduling_policy, arn=arn, fairsharePolicy={"shareDecaySeconds": 60})


PROBES = (
    validated_requests,
    documented_limits,
    authorized_requests,
    error_format,
    log_group_keys,
    associated_keys,
    security_group_deletion,
    security_group_rule_type,
    blocked_public_policies,
    role_quotas,
    attached_policies,
    entities_of_roles,
    taken_service_linked_roles,
    key_states,
    subnet_deletion,
    default_security_groups,
    internet_gateways,
    endpoint_services,
    launched_images,
    repository_keys,
    unknown_uploads,
    absent_schedule_groups,
    absent_scheduling_policies,
)
