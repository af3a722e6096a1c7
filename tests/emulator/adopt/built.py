"""Batch environments as others build them, by the calls that they make: only ids, accounts and names differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator

ACCOUNT = "123456789012"
IAM = f"arn:aws:iam::{ACCOUNT}"
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


class Builder:
    """Builds in a seeded account."""

    def __init__(self, aws: Emulator) -> None:
        self.batch, self.iam, self.ec2 = aws.client("batch"), aws.client("iam"), aws.client("ec2")
        self.ecr, self.logs = aws.client("ecr"), aws.client("logs")
        private = [{"Name": "tag:Tier", "Values": ["private"]}]
        self.subnets = [each["SubnetId"] for each in self.ec2.describe_subnets(Filters=private)["Subnets"]]
        named = [{"Name": "tag:Name", "Values": ["genomics-batch"]}]
        groups = self.ec2.describe_security_groups(Filters=named)["SecurityGroups"]
        self.groups = [each["GroupId"] for each in groups]
        self.image = self.ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]

    def role(self, name: str, service: str, policy: str, **more: Any) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)["Role"]
        self.iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return str(role["Arn"])

    def profile(self, name: str) -> str:
        self.role(name, "ec2", "service-role/AmazonEC2ContainerServiceforEC2Role")
        profile = self.iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return str(profile["Arn"])

    def compute(self, name: str, resources: dict[str, Any], **more: Any) -> str:
        network = {"subnets": self.subnets, "securityGroupIds": self.groups}
        made = self.batch.create_compute_environment(
            computeEnvironmentName=name,
            type="MANAGED",
            state="ENABLED",
            computeResources={**network, **resources},
            **more,
        )
        return str(made["computeEnvironmentArn"])

    def queue(self, name: str, priority: int, *computes: str, first: int = 1, **more: Any) -> str:
        order: Any = [{"order": first + n, "computeEnvironment": each} for n, each in enumerate(computes)]
        made = self.batch.create_job_queue(
            jobQueueName=name, state="ENABLED", priority=priority, computeEnvironmentOrder=order, **more
        )
        return str(made["jobQueueArn"])

    def definition(self, name: str, container: dict[str, Any], **more: Any) -> None:
        self.batch.register_job_definition(
            jobDefinitionName=name, type="container", containerProperties=container, **more
        )


def build_of_2017(builder: Builder, env: str) -> None:
    """Make the calls of the original series, part 3.

    https://aws.amazon.com/blogs/compute/building-high-throughput-genomic-batch-workflows-on-aws-batch-layer-part-3-of-4/
    https://github.com/aws-samples/aws-batch-genomics (batch/setup)
    """
    service = builder.role(f"awsBatchServiceRole-{env}", "batch", "service-role/AWSBatchServiceRole")
    fleet = builder.role(f"spotFleetRole-{env}", "spotfleet", "service-role/AmazonEC2SpotFleetTaggingRole")
    task = builder.role(f"ecsTaskRole-{env}", "ecs-tasks", "AmazonS3FullAccess", Tags=[{"Key": "Lab", "Value": "seq"}])
    builder.ec2.create_key_pair(KeyName="lab-key")
    resources = {
        "type": "SPOT",
        "minvCpus": 0,
        "maxvCpus": 1024,
        "desiredvCpus": 0,
        "instanceTypes": ["optimal"],
        "imageId": builder.image,
        "ec2KeyPair": "lab-key",
        "instanceRole": builder.profile("ecsInstanceRole"),
        "bidPercentage": 50,
        "spotIamFleetRole": fleet,
    }
    builder.compute(f"genomicsEnv-{env}", resources, serviceRole=service)
    for name, priority in (("highPriority", 1000), ("lowPriority", 1)):
        builder.queue(f"{name}-{env}", priority, f"genomicsEnv-{env}", first=0)
    jobs = {
        "isaac": ("isaac", 80000, 32),
        "strelka": ("strelka", 32000, 32),
        "snpeff": ("snpeff", 10000, 4),
        "samtoolsStats": ("samtools_stats", 10000, 4),
    }
    for name, (image, memory, vcpus) in jobs.items():
        builder.ecr.create_repository(repositoryName=image)
        container = {
            "image": f"{REGISTRY}/{image}",
            "jobRoleArn": task,
            "memory": memory,
            "vcpus": vcpus,
            "mountPoints": [{"containerPath": "/scratch", "readOnly": False, "sourceVolume": "docker_scratch"}],
            "volumes": [{"name": "docker_scratch", "host": {"sourcePath": "/docker_scratch"}}],
        }
        builder.definition(f"{name}-{env}", container, retryStrategy={"attempts": 3})


def build_of_cdk(builder: Builder) -> None:
    """Build what a stack of AWS CDK's aws-batch constructs leaves when it has released its resources.

    ``ManagedEc2EcsComputeEnvironment``, ``FargateComputeEnvironment``, ``JobQueue`` and ``EcsJobDefinition`` with their
    defaults, and names as CloudFormation generates them.

    https://github.com/aws/aws-cdk (packages/aws-cdk-lib/aws-batch)
    """
    resources = {
        "type": "EC2",
        "allocationStrategy": "BEST_FIT_PROGRESSIVE",
        "minvCpus": 0,
        "maxvCpus": 256,
        "instanceTypes": ["optimal"],
        "instanceRole": builder.profile("LabStack-EcInstanceProfile-1A2B3C4D5E6F"),
    }
    name = "Ec2ComputeEnv4A1B2C3D-Xyz9876543210abc"
    ec2 = builder.compute(name, resources)
    policy = {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 30}
    builder.batch.update_compute_environment(computeEnvironment=name, updatePolicy=policy)
    fargate = builder.compute("FargateEnv9F8E7D6C-Qwe1234567890rty", {"type": "FARGATE", "maxvCpus": 512})
    builder.queue("JobQueueEE3AD499-AbCdEfGhIjKlMnOp", 1, ec2)
    builder.queue("FargateQueue1F2E3D4C-ZyXwVuTsRqPoNmLk", 1, fargate)
    execution = builder.role("LabStack-ContainerExecutionRole0A1B-7Y8Z", "ecs-tasks", "CloudWatchLogsFullAccess")
    builder.logs.create_log_group(logGroupName="LabStack-JobLogs5D6E7F-8a9b0c")
    logs = {"awslogs-group": "LabStack-JobLogs5D6E7F-8a9b0c", "awslogs-region": "us-east-1"}
    container = {
        "image": "public.ecr.aws/docker/library/busybox:1.36",
        "command": ["echo", "Ref::sample"],
        "executionRoleArn": execution,
        "environment": [],
        "logConfiguration": {"logDriver": "awslogs", "options": {**logs, "awslogs-stream-prefix": "job"}},
        "readonlyRootFilesystem": False,
        "resourceRequirements": [{"type": "MEMORY", "value": "2048"}, {"type": "VCPU", "value": "1"}],
    }
    fargate_only = {
        "fargatePlatformConfiguration": {"platformVersion": "LATEST"},
        "networkConfiguration": {"assignPublicIp": "DISABLED"},
    }
    more: dict[str, Any] = {"retryStrategy": {"attempts": 1}, "timeout": {"attemptDurationSeconds": 3600}}
    builder.definition("JobDefn8B7A6C5D-1122334455667788", container, platformCapabilities=["EC2"], **more)
    builder.definition(
        "FargateJob0F1E2D3C-8877665544332211", {**container, **fargate_only}, platformCapabilities=["FARGATE"], **more
    )


TERRAFORMS_TAGS = {"Terraform": "true", "Environment": "dev"}


def build_of_terraform_aws_batch(builder: Builder) -> None:
    """Build what the example ec2 of terraform-aws-modules/batch builds.

    https://github.com/terraform-aws-modules/terraform-aws-batch (examples/ec2)
    """
    spot = {
        "type": "SPOT",
        "allocationStrategy": "SPOT_CAPACITY_OPTIMIZED",
        "bidPercentage": 20,
        "minvCpus": 4,
        "maxvCpus": 16,
        "desiredvCpus": 4,
        "instanceTypes": ["m4.large", "m3.large", "r4.large", "r3.large"],
        "instanceRole": builder.profile("batch-ex-ec2-ecs-instance"),
        "tags": {"Name": "batch-ex-ec2-spot", "Type": "Ec2Spot"},
    }
    service = builder.role("batch-ex-ec2-batch", "batch", "service-role/AWSBatchServiceRole")
    tags = TERRAFORMS_TAGS
    compute = builder.compute("ec2_spot2026110112345600000000001", spot, serviceRole=service, tags=tags)
    shares = [{"shareIdentifier": "A1*", "weightFactor": 0.1}, {"shareIdentifier": "A2", "weightFactor": 0.2}]
    policy = builder.batch.create_scheduling_policy(
        name="HighPriorityEc2",
        fairsharePolicy={"computeReservation": 1, "shareDecaySeconds": 3600, "shareDistribution": shares},
        tags=tags,
    )["arn"]
    builder.queue("LowPriorityEc2", 1, compute, tags={**tags, "JobQueue": "Low priority job queue"})
    high = {**tags, "JobQueue": "High priority job queue"}
    builder.queue("HighPriorityEc2", 99, compute, schedulingPolicyArn=policy, tags=high)
    container = {
        "command": ["ls", "-la"],
        "image": "public.ecr.aws/runecast/busybox:1.33.1",
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "1024"}],
    }
    rules = [{"action": "RETRY", "onExitCode": "1"}, {"action": "EXIT", "onExitCode": "0"}]
    builder.definition(
        "ex-ec2",
        container,
        propagateTags=True,
        platformCapabilities=["EC2"],
        timeout={"attemptDurationSeconds": 60},
        retryStrategy={"attempts": 3, "evaluateOnExit": rules},
        tags={**tags, "JobDefinition": "Example"},
    )
