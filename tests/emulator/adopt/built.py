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
        self.aws = aws
        self.batch, self.iam, self.ec2 = aws.client("batch"), aws.client("iam"), aws.client("ec2")
        self.ecr, self.logs = aws.client("ecr"), aws.client("logs")
        private = [{"Name": "tag:Tier", "Values": ["private"]}]
        self.subnets = [each["SubnetId"] for each in self.ec2.describe_subnets(Filters=private)["Subnets"]]
        named = [{"Name": "tag:Name", "Values": ["genomics-batch"]}]
        groups = self.ec2.describe_security_groups(Filters=named)["SecurityGroups"]
        self.groups = [each["GroupId"] for each in groups]
        self.image = self.ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]

    def role(self, name: str, service: str, policy: str = "", **more: Any) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)["Role"]
        if policy:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return str(role["Arn"])

    def execution_role(self, name: str) -> str:
        """Create a role as CDK does for the agent: it writes to the log group that all jobs share."""
        arn = self.role(name, "ecs-tasks")
        allowed = {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/batch/job:*",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.iam.put_role_policy(RoleName=name, PolicyName="DefaultPolicy", PolicyDocument=document)
        return arn

    def profile(self, name: str, *, role: str = "", **more: Any) -> str:
        """Create an instance profile, and its role, which has the same name unless it is given."""
        role = role or name
        self.role(role, "ec2", "service-role/AmazonEC2ContainerServiceforEC2Role", **more)
        profile = self.iam.create_instance_profile(InstanceProfileName=name, **more)["InstanceProfile"]
        self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return str(profile["Arn"])

    def group(self, name: str) -> str:
        """Create a security group in the network's VPC."""
        (subnet,) = self.ec2.describe_subnets(SubnetIds=self.subnets[:1])["Subnets"]
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=subnet["VpcId"])
        return str(made["GroupId"])

    def policy(self, name: str, reservation: int, shares: list[dict[str, Any]], **more: Any) -> str:
        fair: Any = {"computeReservation": reservation, "shareDecaySeconds": 3600, "shareDistribution": shares}
        return str(self.batch.create_scheduling_policy(name=name, fairsharePolicy=fair, **more)["arn"])

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

    def stack(self, name: str, resources: dict[str, Any]) -> Any:
        """Create a stack of CloudFormation, and return its client; the resources stay when the stack is deleted."""
        stacks = self.aws.client("cloudformation")
        kept = {key: {**resource, "DeletionPolicy": "Retain"} for key, resource in resources.items()}
        stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": kept}))
        return stacks

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
    """Build what AWS CDK's aws-batch constructs deploy, when the stack has released it.

    The properties and logical ids are those of CDK's own integration tests; CloudFormation ends the names of what has
    no name in the template. The docker asset is in the repository of CDK's bootstrap stack.

    https://github.com/aws/aws-cdk (packages/@aws-cdk-testing/framework-integ/test/aws-batch/test, the snapshots of
    integ.job-queue, integ.managed-compute-environment and integ.ecs-job-definition)
    """
    ec2 = [
        builder.compute(
            name,
            {
                "type": "EC2",
                "allocationStrategy": "BEST_FIT_PROGRESSIVE",
                "minvCpus": 0,
                "maxvCpus": 256,
                "instanceTypes": ["optimal"],
                "instanceRole": builder.profile(profile, role=role),
                "securityGroupIds": [builder.group(f"stack-{name}")],
            },
        )
        for name, role, profile in (
            (
                "managedEc2CE195A935F-AbCdEfGhIjKlMnOp",
                "stack-managedEc2CEInstanceProfileRole58A9B8C3-1A2B3C4D5E6F",
                "stack-managedEc2CEInstanceProfile720729B7-1A2B3C4D5E6F",
            ),
            (
                "newManagedEc2CECBFFDA3E-AbCdEfGhIjKlMnOp",
                "stack-newManagedEc2CEInstanceProfileRoleE4DA6E77-1A2B3C4D5E6F",
                "stack-newManagedEc2CEInstanceProfile9101ED44-1A2B3C4D5E6F",
            ),
        )
    ]
    group = builder.group("stack-minimalPropsFargate")
    resources = {"type": "FARGATE", "maxvCpus": 512, "securityGroupIds": [group]}
    fargate = builder.compute("minimalPropsFargate58449235-AbCdEfGhIjKlMnOp", resources)
    shares = [{"shareIdentifier": "shareA", "weightFactor": 0.5}, {"shareIdentifier": "shareB", "weightFactor": 7}]
    policy = builder.policy("joBBQFairsharePolicy", 75, shares)
    builder.queue("joBBQ9FD52DAF-QrStUvWxYzAbCdEf", 10, *ec2, schedulingPolicyArn=policy)
    builder.queue("fargateQueue2F4B1C5D-QrStUvWxYzAbCdEf", 1, fargate)

    assets = f"cdk-hnb659fds-container-assets-{ACCOUNT}-us-east-1"
    builder.ecr.create_repository(repositoryName=assets)
    resources = {
        "readonlyRootFilesystem": False,
        "resourceRequirements": [{"type": "MEMORY", "value": "32768"}, {"type": "VCPU", "value": "16"}],
    }
    docker = {
        **resources,
        "image": f"{REGISTRY}/{assets}:8b518243ecbfcfd08b4734069e7e74ff97b7889dfde0a60d16e7bdc96e6c593b",
        "environment": [],
        "executionRoleArn": builder.execution_role("stack-EcsDockerContainerExecutionRole7AA53A24-1A2B3C4D5E6F"),
    }
    builder.definition("ECSDockerJobDefnF388CFCF-AbCdEfGhIjKlMnOp", docker, platformCapabilities=["EC2"])
    sample = {
        **resources,
        "image": "amazon/amazon-ecs-sample",
        "environment": [],
        "ephemeralStorage": {"sizeInGiB": 100},
        "executionRoleArn": builder.execution_role("stack-myFargateContainerExecutionRoleB9EB79EA-1A2B3C4D5E6F"),
        "fargatePlatformConfiguration": {"platformVersion": "LATEST"},
        "networkConfiguration": {"assignPublicIp": "DISABLED"},
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    }
    rules = [
        {"action": "EXIT", "onReason": "CannotPullContainerError:*"},
        {"action": "RETRY", "onExitCode": "*"},
        {"action": "EXIT", "onExitCode": "40*", "onReason": "reason", "onStatusReason": "statusreason"},
    ]
    builder.definition(
        "foofoo",
        sample,
        parameters={"foo": "bar"},
        platformCapabilities=["FARGATE"],
        propagateTags=True,
        retryStrategy={"attempts": 5, "evaluateOnExit": rules},
        schedulingPriority=10,
        timeout={"attemptDurationSeconds": 600},
    )


MODULE = "https://github.com/terraform-aws-modules/terraform-aws-batch"
MODULES_TAGS = {"Name": "batch-ex-ec2", "Example": "batch-ex-ec2", "Repository": MODULE}


def build_of_terraform_aws_batch(builder: Builder) -> None:
    """Build what the example ec2 of terraform-aws-modules/batch builds (main.tf and examples/ec2/main.tf, version 3).

    Terraform ends the names that are prefixes. The module makes a scheduling policy for each queue, and the example
    gives that of the queue of low priority no shares.
    """
    tags, ending = MODULES_TAGS, "20260108215819000100000001"
    role_tags = [{"Key": key, "Value": value} for key, value in {**tags, "ModuleCreatedRole": "Yes"}.items()]
    of_roles: dict[str, Any] = {"Path": "/batch/", "Tags": role_tags}
    profile = builder.profile(f"batch-ex-ec2-ecs-instance-{ending}", **of_roles)
    service = builder.role(f"batch-ex-ec2-batch-{ending}", "batch", "service-role/AWSBatchServiceRole", **of_roles)
    fleet = builder.role(
        f"batch-ex-ec2-spot-{ending}", "spotfleet", "service-role/AmazonEC2SpotFleetTaggingRole", **of_roles
    )
    resources = {"minvCpus": 4, "maxvCpus": 16, "desiredvCpus": 4, "instanceRole": profile}
    on_demand = {
        **resources,
        "type": "EC2",
        "instanceTypes": ["m5.large", "r5.large"],
        "tags": {"Name": "batch-ex-ec2", "Type": "Ec2"},
    }
    spot = {
        **resources,
        "type": "SPOT",
        "allocationStrategy": "SPOT_CAPACITY_OPTIMIZED",
        "bidPercentage": 20,
        "instanceTypes": ["m4.large", "m3.large", "r4.large", "r3.large"],
        "spotIamFleetRole": fleet,
        "tags": {"Name": "batch-ex-ec2-spot", "Type": "Ec2Spot"},
    }
    ec2_arn = builder.compute(f"ec2-{ending}", on_demand, serviceRole=service, tags=tags)
    spot_arn = builder.compute(f"ec2_spot-{ending}", spot, serviceRole=service, tags=tags)
    builder.batch.create_compute_environment(
        computeEnvironmentName=f"ec2_unmanaged-{ending}", type="UNMANAGED", serviceRole=service, tags=tags
    )
    shares = [{"shareIdentifier": "A1*", "weightFactor": 0.1}, {"shareIdentifier": "A2", "weightFactor": 0.2}]
    low = {**tags, "JobQueue": "Low priority job queue"}
    high = {**tags, "JobQueue": "High priority job queue"}
    low_policy = builder.batch.create_scheduling_policy(name="LowPriorityEc2", tags=low)["arn"]
    high_policy = builder.policy("HighPriorityEc2", 1, shares, tags=high)
    builder.queue("LowPriorityEc2", 1, spot_arn, ec2_arn, first=0, schedulingPolicyArn=low_policy, tags=low)
    builder.queue("HighPriorityEc2", 99, ec2_arn, first=0, schedulingPolicyArn=high_policy, tags=high)
    group = "/aws/batch/batch-ex-ec2"
    builder.logs.create_log_group(logGroupName=group, tags=tags)
    builder.logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    logs = {"awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "batch-ex-ec2"}
    container = {
        "command": ["ls", "-la"],
        "image": "public.ecr.aws/runecast/busybox:1.33.1",
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "1024"}],
        "logConfiguration": {"logDriver": "awslogs", "options": logs},
    }
    rules = [{"action": "EXIT", "onExitCode": "0"}, {"action": "RETRY", "onExitCode": "1"}]
    builder.definition(
        "batch-ex-ec2",
        container,
        propagateTags=True,
        retryStrategy={"attempts": 3, "evaluateOnExit": rules},
        tags={**tags, "JobDefinition": "Example"},
    )
