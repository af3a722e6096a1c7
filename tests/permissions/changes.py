"""Change the complete environment: its manifest, and outside Terraform what the next apply then puts right."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from tests import oci
from tests.permissions.complete import NAME
from tests.permissions.environments import policy_document

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator

# Each text of the manifest, and what it becomes.
_CHANGES = {
    "tags: {Project: genomics}": "tags: {Study: genomics}",
    "max_vcpus: 64": "max_vcpus: 128",
    "priority: 10,": "priority: 20,",
    "clinic: 0.5": "clinic: 0.25",
    "max_concurrency: 2": "max_concurrency: 3",
    "cron(0 3 ? * SUN *)": "cron(0 4 ? * SUN *)",
}
_OTHER_TRUST = policy_document(
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
)


def changed(manifest: str) -> str:
    """Return the manifest with other tags, sizes, priorities and schedules."""
    for old, new in _CHANGES.items():
        assert old in manifest
        manifest = manifest.replace(old, new)
    return manifest


def change_outside_terraform(aws: Emulator, key: str, other_key: str) -> None:
    """Change, as the administrator, what Terraform manages; the ARNs are those of the environment's key and its name's.

    Args:
        aws: the account.
        key: the ARN of the environment's key.
        other_key: the ARN of a key that gets its alias.
    """
    _change_data(aws, key, other_key)
    _change_roles(aws.client("iam"))
    _change_network(aws.client("ec2"))
    _change_services(aws)


def _change_data(aws: Emulator, key: str, other_key: str) -> None:
    kms, ecr, efs = aws.client("kms"), aws.client("ecr"), aws.client("efs")
    kms.update_alias(AliasName=f"alias/batch-{NAME}", TargetKeyId=other_key.rpartition("/")[2])
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    statements = json.loads(policy)["Statement"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Statement": statements[:1]}))
    kms.update_key_description(KeyId=key, Description="other")
    kms.disable_key(KeyId=key.rpartition("/")[2])
    repository = {"repositoryName": f"{NAME}/caller"}
    ecr.put_image_scanning_configuration(**repository, imageScanningConfiguration={"scanOnPush": False})
    ecr.put_image_tag_mutability(**repository, imageTagMutability="MUTABLE")
    manifest = {"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": []}
    ecr.put_image(**repository, imageManifest=json.dumps(manifest), imageTag="1.0")
    [system] = efs.describe_file_systems()["FileSystems"]
    [target, *_] = efs.describe_mount_targets(FileSystemId=system["FileSystemId"])["MountTargets"]
    group = aws.client("ec2").create_security_group(GroupName="other", Description="other", VpcId=target["VpcId"])
    efs.modify_mount_target_security_groups(MountTargetId=target["MountTargetId"], SecurityGroups=[group["GroupId"]])


def _change_roles(iam: Any) -> None:
    name = f"align-{NAME}-job"
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=_OTHER_TRUST)
    iam.update_role(RoleName=name, MaxSessionDuration=7200)
    iam.update_role_description(RoleName=name, Description="other")
    iam.delete_role_permissions_boundary(RoleName=name)


def _change_network(ec2: Any) -> None:
    def find(kind: str, member: str, name: str) -> list[Any]:
        found = getattr(ec2, f"describe_{kind}")(Filters=[{"Name": "tag:Name", "Values": [name]}])
        return [each for each in found[member] if not each.get("IsEgress")]

    [table, *_] = find("route_tables", "RouteTables", f"batch-{NAME}/private/*")
    [gateway] = find("internet_gateways", "InternetGateways", f"batch-{NAME}*")
    ec2.replace_route(
        RouteTableId=table["RouteTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway["InternetGatewayId"],
    )
    [subnet, *_] = find("subnets", "Subnets", f"batch-{NAME}/private/*")
    ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    [endpoint] = find("vpc_endpoints", "VpcEndpoints", f"batch-{NAME}/s3")
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], RemoveRouteTableIds=[table["RouteTableId"]])
    [rule, *_] = find("security_group_rules", "SecurityGroupRules", f"batch-{NAME}*")
    ec2.modify_security_group_rules(
        GroupId=rule["GroupId"],
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": rule["SecurityGroupRuleId"],
                "SecurityGroupRule": {
                    "Description": "other",
                    "IpProtocol": rule["IpProtocol"],
                    "FromPort": rule["FromPort"],
                    "ToPort": rule["ToPort"],
                    "ReferencedGroupId": rule["ReferencedGroupInfo"]["GroupId"],
                },
            }
        ],
    )


def _code() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): pass")
    return content.getvalue()


def _change_services(aws: Emulator) -> None:
    logs, functions, sns = aws.client("logs"), aws.client("lambda"), aws.client("sns")
    logs.disassociate_kms_key(logGroupName=f"/aws/batch/{NAME}/align")
    logs.put_retention_policy(logGroupName=f"/aws/batch/{NAME}/align", retentionInDays=1)
    function = f"batchSubmitJob-{NAME}"
    functions.update_function_configuration(FunctionName=function, Timeout=77)
    functions.update_function_code(FunctionName=function, ZipFile=_code())
    queue = aws.client("sqs").get_queue_url(QueueName=f"batchFunctions-{NAME}")["QueueUrl"]
    aws.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "77"})
    [topic] = [each["TopicArn"] for each in sns.list_topics()["Topics"] if "QueueBlocked" in each["TopicArn"]]
    [email] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.set_subscription_attributes(
        SubscriptionArn=email["SubscriptionArn"], AttributeName="FilterPolicy", AttributeValue='{"a": ["b"]}'
    )
