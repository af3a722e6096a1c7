"""IAM, EC2, Auto Scaling, SQS, Lambda and other services, and what all services share."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.emulator.probes import Lab, probe, refusal


@probe(("UnknownOperationException", 400, "UnknownOperationException", 400))
def unknown_action(lab: Lab) -> Any:
    answers: list[Any] = []
    for call in (lab.client("logs").describe_configuration_templates, lab.client("ec2").describe_image_usage_reports):
        try:
            call()
        except ResponseParserError:
            answers.append("an HTML page")
        except ClientError as error:
            answers += [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
    return tuple(answers)


@probe("AWSServiceRoleForEC2SpotFleet")
def service_linked_role_names(lab: Lab) -> Any:
    iam = lab.client("iam")
    return iam.create_service_linked_role(AWSServiceName="spotfleet.amazonaws.com")["Role"]["RoleName"]


@probe([["volume"], None])
def launch_template_tags(lab: Lab) -> Any:
    ec2, tags = lab.client("ec2"), [{"Key": "Project", "Value": "genomics"}]
    seen = []
    for data in ({"TagSpecifications": [{"ResourceType": "volume", "Tags": tags}]}, {"ImageId": "ami-12345678"}):
        own = [{"ResourceType": "launch-template", "Tags": tags}]
        name = lab.name("template")
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data, TagSpecifications=own)
        [version] = ec2.describe_launch_template_versions(LaunchTemplateName=name)["LaunchTemplateVersions"]
        kept = version["LaunchTemplateData"].get("TagSpecifications")
        seen.append(kept and [each["ResourceType"] for each in kept])
    return seen


@probe([{"Key": "Project", "Value": "other"}])
def changed_launch_template_tags(lab: Lab) -> Any:
    ec2, tags = lab.client("ec2"), [{"Key": "Project", "Value": "genomics"}]
    own, data = [{"ResourceType": "launch-template", "Tags": tags}], {"ImageId": "ami-12345678"}
    made = ec2.create_launch_template(
        LaunchTemplateName=lab.name("template"), LaunchTemplateData=data, TagSpecifications=own
    )
    template = made["LaunchTemplate"]["LaunchTemplateId"]
    ec2.create_tags(Resources=[template], Tags=[{"Key": "Project", "Value": "other"}])
    return ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"][0]["Tags"]


@probe(["MalformedPolicyDocumentException", "MalformedPolicyDocumentException", "accepted"])
def key_policy_principals(lab: Lab) -> Any:
    kms, account = lab.client("kms"), "arn:aws:iam::123456789012"

    def policy(*principals: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "kms:*", "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    key = kms.create_key()["KeyMetadata"]["KeyId"]
    absent, present = policy(f"{account}:role/not-there"), policy(f"{account}:root", "*", lab.role("workers"))
    put = {"KeyId": key, "PolicyName": "default"}
    return [
        refusal(kms.create_key, Policy=absent),
        refusal(kms.put_key_policy, **put, Policy=absent),
        refusal(kms.put_key_policy, **put, Policy=present),
    ]


@probe({"from the workers", "to S3"})
def security_group_rule_description(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName=lab.name("group"), Description="endpoints", VpcId=vpc)["GroupId"]
    port = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    pair = {"GroupId": group, "Description": "from the workers"}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[port | {"UserIdGroupPairs": [pair]}])
    prefixes = {"PrefixListId": ec2.describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]}
    to_s3 = port | {"PrefixListIds": [prefixes | {"Description": "to S3"}]}
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[to_s3])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    return {each.get("Description") for each in rules if each["IpProtocol"] == "tcp"}


@probe(True)
def compact_redrive_policy(lab: Lab) -> Any:
    sqs = lab.client("sqs")
    url = sqs.create_queue(QueueName=lab.name("dead"))["QueueUrl"]
    target = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 4}, separators=(",", ":"))
    work = sqs.create_queue(QueueName=lab.name("work"), Attributes={"RedrivePolicy": policy})["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=work, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    return found == policy


@probe(
    [
        (
            "arn:aws:sqs:us-east-1:123456789012:dead-1",
            "/aws/lambda/a",
            "INFO",
            "Active",
            "arn:aws:kms:us-east-1:123456789012:key/1",
        ),
        (
            "arn:aws:sqs:us-east-1:123456789012:dead-2",
            "/aws/lambda/b",
            "WARN",
            "PassThrough",
            "arn:aws:kms:us-east-1:123456789012:key/2",
        ),
    ]
)
def function_settings(lab: Lab) -> Any:
    client = lab.client("lambda")

    def settings(number: int, group: str, level: str, tracing: str) -> dict[str, Any]:
        return {
            "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:us-east-1:123456789012:dead-{number}"},
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": group, "ApplicationLogLevel": level},
            "TracingConfig": {"Mode": tracing},
            "KMSKeyArn": f"arn:aws:kms:us-east-1:123456789012:key/{number}",
        }

    def described() -> tuple[Any, ...]:
        found = client.get_function_configuration(FunctionName=name)
        logging, dead = found.get("LoggingConfig", {}), found.get("DeadLetterConfig", {})
        shown = dead.get("TargetArn"), logging.get("LogGroup"), logging.get("ApplicationLogLevel")
        return (*shown, found["TracingConfig"]["Mode"], found["KMSKeyArn"])

    name = lab.function("", **settings(1, "/aws/lambda/a", "INFO", "Active"))
    before = described()
    client.update_function_configuration(FunctionName=name, **settings(2, "/aws/lambda/b", "WARN", "PassThrough"))
    return [before, described()]


@probe({"doubled": 42})
def running_functions(lab: Lab) -> Any:
    name = lab.function("def handler(event, context):\n    return {'doubled': 2 * event['number']}\n")
    return json.load(lab.client("lambda").invoke(FunctionName=name, Payload=b'{"number": 21}')["Payload"])


@probe(10)
def newer_noncurrent_versions(lab: Lab) -> Any:
    s3, name = lab.client("s3"), lab.name("bucket")
    s3.create_bucket(Bucket=name)
    keep = {"NoncurrentDays": 90, "NewerNoncurrentVersions": 10}
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": keep}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    [found] = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    return found["NoncurrentVersionExpiration"].get("NewerNoncurrentVersions")


@probe("accepted")
def secure_transport_condition(lab: Lab) -> Any:
    s3, name = lab.client("s3"), lab.name("bucket")
    s3.create_bucket(Bucket=name)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return refusal(s3.put_object, Bucket=name, Key="state", Body=b"{}")


@probe(["x86_64", "/dev/xvda", "ebs", [("/dev/xvda", 8, True), ("/dev/sdb", 20, False)]])
def registered_image(lab: Lab) -> Any:
    ec2, disks = lab.client("ec2"), []
    for device, size, encrypted in (("/dev/xvda", 8, True), ("/dev/sdb", 20, False)):
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=size, Encrypted=encrypted)["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        disks.append({"DeviceName": device, "Ebs": {"SnapshotId": snapshot}})
    image = ec2.register_image(
        Name=lab.name("image"), Architecture="x86_64", RootDeviceName="/dev/xvda", BlockDeviceMappings=disks
    )["ImageId"]
    [found] = ec2.describe_images(ImageIds=[image])["Images"]
    return [found.get("Architecture"), found["RootDeviceName"], found["RootDeviceType"], _disks(found)]


def _disks(image: Any) -> list[tuple[str, int, bool]]:
    return [
        (each["DeviceName"], each["Ebs"]["VolumeSize"], each["Ebs"].get("Encrypted", False))
        for each in image["BlockDeviceMappings"]
    ]


def _instance(lab: Lab, **disk: Any) -> str:
    ec2 = lab.client("ec2")
    [base] = ec2.describe_images(Owners=["amazon"], MaxResults=5)["Images"][:1]
    mappings = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 40} | disk}]
    made = ec2.run_instances(ImageId=base["ImageId"], MinCount=1, MaxCount=1, BlockDeviceMappings=mappings)
    instance: str = made["Instances"][0]["InstanceId"]
    return instance


@probe(["ebs", [("/dev/xvda", 40, True)]])
def created_image(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    image = ec2.create_image(InstanceId=_instance(lab, Encrypted=True), Name=lab.name("image"))["ImageId"]
    [found] = ec2.describe_images(ImageIds=[image])["Images"]
    return [found["RootDeviceType"], _disks(found)]


@probe(["key", "key"])
def volume_key(lab: Lab) -> Any:
    ec2, kms, alias = lab.client("ec2"), lab.client("kms"), f"alias/{lab.name('disks')}"
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    by_alias = key["Arn"].replace(f"key/{key['KeyId']}", alias)
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=by_alias)
    snapshot = ec2.create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"]
    [shown] = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    return ["key" if each.get("KmsKeyId") == key["Arn"] else each.get("KmsKeyId") for each in (volume, shown)]


@probe("v2.0")
def image_imds_support(lab: Lab) -> Any:
    ec2 = lab.client("ec2")
    image = ec2.create_image(InstanceId=_instance(lab), Name=lab.name("image"))["ImageId"]
    ec2.modify_image_attribute(ImageId=image, ImdsSupport={"Value": "v2.0"})
    [found] = ec2.describe_images(ImageIds=[image])["Images"]
    return found.get("ImdsSupport")


@probe([])
def listed_parameters(lab: Lab) -> Any:
    ssm = lab.client("ssm")
    ssm.get_parameter(Name="/aws/service/global-infrastructure/regions/us-east-1")
    return [each["Name"] for each in ssm.describe_parameters()["Parameters"] if each["Name"].startswith("/aws/")]


@probe([("L-34B43A08", True), ("L-417A185B", True)])
def vcpu_quotas(lab: Lab) -> Any:
    quotas = lab.client("service-quotas")

    def known(code: str) -> tuple[str, bool]:
        try:
            found = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
        except ClientError:
            return code, False
        return found["QuotaCode"], found["Value"] >= 0

    return [known("L-34B43A08"), known("L-417A185B")]


@probe(["AWSBatch-environment-asg-uuid", "Failed", "Launching a new EC2 instance.  Status Reason: none left", 0])
def refused_launches(lab: Lab) -> Any:
    name, scaling = lab.environment().rpartition("/")[2], lab.client("autoscaling")
    uuid = lab.described_environment(name).get("uuid", "uuid")

    def control(order: str, **more: str) -> None:
        body = json.dumps({"do": order, "environment": name, **more}).encode()
        with contextlib.suppress(urllib.error.HTTPError):  # moto has no such path
            urllib.request.urlopen(f"{lab.endpoint}/gen-infra/faults", body).close()  # noqa: S310 - loopback

    def groups() -> list[str]:
        found = [each["AutoScalingGroupName"] for each in scaling.describe_auto_scaling_groups()["AutoScalingGroups"]]
        return [each for each in found if f"-{name}-" in each]

    control("refuse launches", message="none left")
    seen = [each.replace(name, "environment").replace(uuid, "uuid") for each in groups()]
    for group in groups():
        [activity] = scaling.describe_scaling_activities(AutoScalingGroupName=group)["Activities"]
        seen += [activity["StatusCode"], activity["Description"]]
    control("allow launches")
    return [*seen, len(groups())]


@probe([["DeleteTopic", "root"], ["CreateTopic", "root"]])
def event_history(lab: Lab) -> Any:
    """Return the newest events that changed something; calls that only read are not events."""
    sns, trail = lab.client("sns"), lab.client("cloudtrail")
    topic = sns.create_topic(Name=lab.name("topic"))["TopicArn"]
    sns.get_topic_attributes(TopicArn=topic)
    sns.delete_topic(TopicArn=topic)
    try:
        events = [
            trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])["Events"][0]
            for name in ("DeleteTopic", "CreateTopic")
        ]
        latest = trail.lookup_events(
            LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "sns.amazonaws.com"}], MaxResults=2
        )["Events"]
    except (ClientError, ResponseParserError):
        return "no such operation"
    assert [each["EventId"] for each in latest] == [each["EventId"] for each in events]
    return [[each["EventName"], each["Username"]] for each in events]


@probe("lists stacks")
def stacks(lab: Lab) -> Any:
    try:
        lab.client("cloudformation").list_stacks()
    except (ClientError, ResponseParserError):
        return "fails"
    return "lists stacks"


PROBES = (
    unknown_action,
    service_linked_role_names,
    launch_template_tags,
    changed_launch_template_tags,
    key_policy_principals,
    security_group_rule_description,
    compact_redrive_policy,
    function_settings,
    running_functions,
    newer_noncurrent_versions,
    secure_transport_condition,
    registered_image,
    created_image,
    volume_key,
    image_imds_support,
    listed_parameters,
    vcpu_quotas,
    refused_launches,
    event_history,
    stacks,
)
