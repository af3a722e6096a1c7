"""What an environment leaves behind is found, and nothing of other environments."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.apply.orphans import as_orphan, find_orphans
from gen_infra.aws import leftovers as found_left
from gen_infra.aws import session
from gen_infra.aws.leftovers import deregister_definitions, empty_repositories
from tests.emulator import probes
from tests.emulator.pushed import put_image
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.emulator import Emulator

TRUST = json.dumps(probes.TRUST)
ALLOW = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}],
    }
)
SUFFIX = "20260131120000000000000001"  # as Terraform appends to a name_prefix
KEYS = ["genomicsEnv", "highPriority", "isaac"]


@pytest.fixture
def clients(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> Clients:
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)
    return session.clients("us-east-1")


def definition(clients: Clients, name: str, memory_mib: int) -> None:
    clients.batch.register_job_definition(
        jobDefinitionName=name,
        type="container",
        containerProperties={
            "image": "public.ecr.aws/docker/library/busybox",
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": str(memory_mib)},
            ],
        },
    )


def leftovers(clients: Clients, *arguments: Any, **more: Any) -> list[str]:
    return [str(each) for each in found_left.leftovers(clients, *arguments, **more)]


def zipped(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", source)
    return archive.getvalue()


def make_one_of_each(clients: Clients, env: str) -> dict[str, str]:
    """Create one resource of every kind that an environment has, by kind; return the key's id and the policy's ARN."""
    role = clients.iam.create_role(RoleName=f"batchService-{env}", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    clients.iam.attach_role_policy(RoleName=f"batchService-{env}", PolicyArn=probes.BATCH_POLICY)
    clients.iam.create_role(RoleName=f"isaac-{env}-job", AssumeRolePolicyDocument=TRUST)
    clients.iam.create_instance_profile(InstanceProfileName=f"batchInstance-{env}")
    clients.iam.create_policy(PolicyName=f"batchInstance-{env}", PolicyDocument=ALLOW)
    environment = clients.batch.create_compute_environment(
        computeEnvironmentName=f"genomicsEnv-{env}-{SUFFIX}", type="UNMANAGED", state="ENABLED", serviceRole=role
    )["computeEnvironmentArn"]
    policy = clients.batch.create_scheduling_policy(name=f"highPriority-{env}")["arn"]
    clients.batch.create_job_queue(
        jobQueueName=f"highPriority-{env}",
        state="ENABLED",
        priority=1,
        schedulingPolicyArn=policy,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
    )
    definition(clients, f"isaac-{env}", 512)
    clients.ec2.create_launch_template(
        LaunchTemplateName=f"genomicsEnv-{env}-{SUFFIX}", LaunchTemplateData={"ImageId": "ami-12345678"}
    )
    clients.logs.create_log_group(logGroupName=f"/aws/batch/{env}/isaac")
    clients.logs.create_log_group(logGroupName=f"/aws/lambda/batchSubmitJob-{env}")
    clients.ecr.create_repository(repositoryName=f"{env}/isaac")
    clients.functions.create_function(
        FunctionName=f"batchSubmitJob-{env}",
        Runtime="python3.13",
        Handler="main.handler",
        Role=role,
        Code={"ZipFile": zipped("")},
    )
    clients.sqs.create_queue(QueueName=f"batchFunctions-{env}")
    key: str = clients.kms.create_key(Description=f"Volumes, images, logs and functions of batch-{env}")["KeyMetadata"][
        "KeyId"
    ]
    clients.kms.create_alias(AliasName=f"alias/batch-{env}", TargetKeyId=key)
    return {"key": key, "policy": policy}


def test_one_of_each_kind_is_found_by_name(clients: Clients) -> None:
    made = make_one_of_each(clients, "left")
    assert leftovers(clients, "left", KEYS, ["isaac"], own_network=True, rebuilds=True) == [
        "IAM policy batchInstance-left",
        f"compute environment genomicsEnv-left-{SUFFIX}",
        f"dead-letter queue {clients.sqs.get_queue_url(QueueName='batchFunctions-left')['QueueUrl']}",
        "function batchSubmitJob-left",
        "instance profile batchInstance-left",
        "job definition isaac-left:1",
        "job queue highPriority-left",
        f"key {made['key']}/batch-left",
        "key alias alias/batch-left",
        f"launch template genomicsEnv-left-{SUFFIX}",
        "log group /aws/batch/left/isaac",
        "log group /aws/lambda/batchSubmitJob-left",
        "repository left/isaac",
        "role batchService-left",
        "role isaac-left-job",
        f"scheduling policy {made['policy']}",
    ]


def test_the_image_pipeline_is_found_where_the_manifest_has_it(clients: Clients) -> None:
    name = "batchImageRebuild-old"
    role = clients.iam.create_role(RoleName="batchBuilds-old", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    clients.builds.create_project(
        name=name,
        source={"type": "S3", "location": "bucket/source.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "image:1", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=role,
    )
    clients.schedules.create_schedule_group(Name=name)
    topic = clients.sns.create_topic(Name=name)["TopicArn"]
    clients.alarms.put_metric_alarm(
        AlarmName="batchImageRebuildFailed-old", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1
    )
    clients.sns.create_topic(Name="batchImageRebuild-older")
    role_left = ["role batchBuilds-old"]
    assert leftovers(clients, "old", [], [], own_network=False, rebuilds=False) == role_left
    assert leftovers(clients, "old", [], [], own_network=False, rebuilds=True) == [
        *role_left,
        "alarm batchImageRebuildFailed-old",
        f"build project {name}",
        f"schedule group {name}",
        f"topic {topic}",
    ]


def make_network(clients: Clients, name: str) -> None:
    """Create one piece of every kind that a network of its own has."""

    def named(kind: str, piece: str = "") -> Any:
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": f"{name}{piece}"}]}]

    ec2 = clients.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=named("vpc"))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.0.0.0/24", TagSpecifications=named("subnet", "/private/us-east-1a")
    )["Subnet"]["SubnetId"]
    ec2.create_route_table(VpcId=vpc, TagSpecifications=named("route-table", "/public"))
    ec2.create_internet_gateway(TagSpecifications=named("internet-gateway"))
    for zone in ("us-east-1a", "us-east-1b"):
        address = ec2.allocate_address(Domain="vpc", TagSpecifications=named("elastic-ip", f"/nat/{zone}"))
        gateway = ec2.create_nat_gateway(
            SubnetId=subnet,
            AllocationId=address["AllocationId"],
            TagSpecifications=named("natgateway", f"/nat/{zone}"),
        )["NatGateway"]["NatGatewayId"]
    ec2.delete_nat_gateway(NatGatewayId=gateway)  # its address stays, and costs
    ec2.create_security_group(
        GroupName=f"{name}/instances",
        Description="instances",
        VpcId=vpc,
        TagSpecifications=named("security-group", "/instances"),
    )
    ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", TagSpecifications=named("vpc-endpoint", "/s3")
    )
    clients.logs.create_log_group(logGroupName=f"/aws/vpc/{name}")
    role = clients.iam.create_role(RoleName=name.replace("batch", "batchFlowLogs"), AssumeRolePolicyDocument=TRUST)
    ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName=f"/aws/vpc/{name}",
        DeliverLogsPermissionArn=role["Role"]["Arn"],
        TagSpecifications=named("vpc-flow-log"),
    )


def test_each_piece_of_its_own_network_is_found_by_its_tag(clients: Clients) -> None:
    make_network(clients, "batch-net")
    outside = ["log group /aws/vpc/batch-net", "role batchFlowLogs-net"]
    assert leftovers(clients, "net", [], [], own_network=True, rebuilds=True) == [
        *outside,
        "Elastic IP address batch-net/nat/us-east-1a",
        "Elastic IP address batch-net/nat/us-east-1b",
        "NAT gateway batch-net/nat/us-east-1a",
        "VPC batch-net",
        "VPC endpoint batch-net/s3",
        "flow log batch-net",
        "internet gateway batch-net",
        "route table batch-net/public",
        "security group batch-net/instances",
        "subnet batch-net/private/us-east-1a",
    ]
    assert leftovers(clients, "net", [], [], own_network=False, rebuilds=False) == outside
    assert leftovers(clients, "ne", [], [], own_network=True, rebuilds=True) == []


def test_what_workflows_leave_is_found(clients: Clients, tmp_path: Path) -> None:
    job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512, "buckets": ["results"]}
    workflow = {"steps": {"align": {"job": "isaac"}}, "many": {}, "on_failure": {"notify": ["lab@example.com"]}}
    manifest = accept(
        tmp_path,
        name="flows",
        buckets={"results": {"name": "flows-results", "access": "write"}},
        jobs={"isaac": job},
        workflows={"germline": workflow},
    )
    states = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    for name in manifest.state_machines:
        role = clients.iam.create_role(RoleName=f"{name}-workflow", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        clients.logs.create_log_group(logGroupName=f"/aws/vendedlogs/states/{name}")
        clients.states.create_state_machine(name=name, definition=json.dumps(states), roleArn=role)
    topic = clients.sns.create_topic(Name="germline-failed-flows")["TopicArn"]
    keys = manifest.resource_keys
    assert sorted(leftovers(clients, "flows", keys, [], own_network=False, rebuilds=False)) == [
        "log group /aws/vendedlogs/states/germline-flows",
        "log group /aws/vendedlogs/states/germline-many-flows",
        "role germline-flows-workflow",
        "role germline-many-flows-workflow",
    ]
    named = found_left.leftovers_named(clients, "workflows", manifest.state_machines)
    arns = sorted(map(manifest.state_machine_arn, manifest.state_machines))
    assert sorted(each.name for each in named) == arns
    orphans = find_orphans(arns[:1], clients, "flows", keys, [], others=["workflows"])
    assert [each.still_there for each in orphans if each.kind == "state machine"] == [
        f"state machine {arns[1]}; remove it: aws stepfunctions delete-state-machine --state-machine-arn {arns[1]}"
    ]
    assert [each.name for each in found_left.leftovers_named(clients, "notifications", manifest.event_topics)] == [
        topic
    ]
    removal = f"aws stepfunctions delete-state-machine --state-machine-arn {named[0].name}"
    assert as_orphan(named[0], clients.region).remove == removal


def test_what_engines_leave_is_found(clients: Clients, tmp_path: Path) -> None:
    work = {"bucket": "lab-scratch", "prefix": "redun/"}
    manifest = accept(tmp_path, name="tasks", engines={"redun": {"work": work}})
    for name in (*manifest.engine_role_names, "redun-other-worker"):
        clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    clients.logs.create_log_group(logGroupName="/aws/batch/tasks/redun")
    definition(clients, "redun-tasks", 512)  # redun's own, which `destroy` names with the role that it uses
    keys = manifest.resource_keys
    left = ["log group /aws/batch/tasks/redun", "role redun-tasks-head", "role redun-tasks-worker"]
    assert sorted(leftovers(clients, "tasks", keys, [], own_network=False, rebuilds=False)) == left
    orphans = find_orphans(["redun-tasks-worker"], clients, "tasks", keys, [])
    assert sorted(each.title for each in orphans) == left[:2]


def test_names_that_only_look_like_it_are_not_taken_for_its_own(clients: Clients) -> None:
    for name in ("Deploy-alike", "isaac-eu-alike", "isaac-alike-2", "isaac-alike-job-2", "xisaac-alike", "isaac-alik"):
        clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    clients.ecr.create_repository(repositoryName="alike/webapp")
    clients.ecr.create_repository(repositoryName="other/alike/isaac")
    clients.logs.create_log_group(logGroupName="/aws/batch/alike2/isaac")
    assert leftovers(clients, "alike", KEYS, ["isaac"], own_network=True, rebuilds=True) == []


def test_a_key_that_waits_for_its_deletion_is_not_left_but_one_without_alias_is(clients: Clients) -> None:
    key = clients.kms.create_key(Description="Volumes, images, logs and functions of batch-keys")["KeyMetadata"][
        "KeyId"
    ]
    assert leftovers(clients, "keys", [], [], own_network=True, rebuilds=True) == [f"key {key}/batch-keys"]
    clients.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert leftovers(clients, "keys", [], [], own_network=True, rebuilds=True) == []


def test_every_active_revision_of_the_named_definitions_is_deregistered(clients: Clients) -> None:
    for memory_mib in (512, 1024, 2048):
        definition(clients, "isaac-revisions", memory_mib)
    definition(clients, "strelka-revisions", 512)
    clients.batch.deregister_job_definition(jobDefinition="isaac-revisions:1")

    assert deregister_definitions(clients, ["isaac-revisions", "snpeff-revisions"], "revisions") == 2

    assert leftovers(clients, "revisions", ["isaac", "strelka"], [], own_network=True, rebuilds=True) == [
        "job definition strelka-revisions:1"
    ]
    assert deregister_definitions(clients, ["isaac-revisions"], "revisions") == 0


def test_a_repository_is_emptied_so_that_it_can_be_deleted(clients: Clients) -> None:
    for name in ("images/isaac", "images/strelka"):
        clients.ecr.create_repository(repositoryName=name)
        put_image(clients.ecr, name, "1")
    put_image(clients.ecr, "images/isaac", "2", b"layer")

    assert empty_repositories(clients, ["images/isaac", "images/not-there"]) == 2

    clients.ecr.delete_repository(repositoryName="images/isaac")
    assert leftovers(clients, "images", [], ["isaac", "strelka"], own_network=True, rebuilds=True) == [
        "repository images/strelka"
    ]


def test_what_is_not_in_the_state_is_an_orphan(clients: Clients) -> None:
    made = make_one_of_each(clients, "stray")
    url = clients.sqs.get_queue_url(QueueName="batchFunctions-stray")["QueueUrl"]
    names = {"batchService-stray", "isaac-stray-job", "highPriority-stray", "isaac-stray", "batchSubmitJob-stray"}
    known = names | {f"arn:aws:kms:us-east-1:123456789012:key/{made['key']}", url, made["policy"], "alias/batch-stray"}
    known |= {"/aws/batch/stray/isaac", "/aws/lambda/batchSubmitJob-stray", "batchInstance-stray", "stray/isaac"}
    found = find_orphans(known, clients, "stray", KEYS, ["isaac"])
    assert [(each.kind, each.name) for each in found] == [
        ("compute environment", f"genomicsEnv-stray-{SUFFIX}"),
        ("launch template", f"genomicsEnv-stray-{SUFFIX}"),
    ]
    assert str(found[1]).endswith(f"aws ec2 delete-launch-template --launch-template-id {found[1].id}")
    (key,) = (each for each in find_orphans(names, clients, "stray", KEYS, ["isaac"]) if each.kind == "key")
    assert key.remove == f"aws kms schedule-key-deletion --key-id {made['key']}"


def test_what_may_not_be_listed_is_no_failure(clients: Clients, aws: Emulator) -> None:
    clients.logs.create_log_group(logGroupName="/aws/batch/shy/isaac")
    clients.ecr.create_repository(repositoryName="shy/isaac")
    aws.fail("DescribeLogGroups", code="AccessDeniedException", times=None)
    try:
        assert [each.name for each in find_orphans((), clients, "shy", KEYS, ["isaac"])] == ["shy/isaac"]
    finally:
        aws.heal()


def test_a_network_that_is_not_in_the_state_is_named_with_ids_prices_and_commands(clients: Clients) -> None:
    make_network(clients, "batch-lost")
    vpcs = clients.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["batch-lost"]}])["Vpcs"]
    found = {(each.kind, each.name): each for each in find_orphans((), clients, "lost", [], [])}
    (vpc,) = vpcs
    assert found["VPC", "batch-lost"].remove == f"aws ec2 delete-vpc --vpc-id {vpc['VpcId']}"
    assert found["VPC", "batch-lost"].price == ""
    (gateway,) = (each for each in found.values() if each.kind == "NAT gateway")
    assert gateway.id.startswith("nat-")
    assert str(gateway) == (
        f"not in Terraform's state: NAT gateway batch-lost/nat/us-east-1a ({gateway.id}, about 33 USD a month by "
        "list prices); if an interrupted run left it: "
        f"aws ec2 delete-nat-gateway --nat-gateway-id {gateway.id}"
    )
    addresses = [each for each in found.values() if each.kind == "Elastic IP address"]
    assert [each.price.split()[1] for each in addresses] == ["4", "4"]
    known = [each.id for each in found.values()]
    assert {each.kind for each in find_orphans(known, clients, "lost", [], [])} == {"log group", "role"}


def test_a_volume_that_an_instance_left_is_an_orphan(clients: Clients) -> None:
    tags: Any = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "genomicsEnv-torn"}]}]
    volume = clients.ec2.create_volume(AvailabilityZone="us-east-1a", Size=100, TagSpecifications=tags)["VolumeId"]
    (orphan,) = find_orphans((), clients, "torn", KEYS, [])
    assert (orphan.kind, orphan.id) == ("detached volume", volume)
    assert orphan.price.startswith("about 10 USD a month")  # 100 GiB of gp2
