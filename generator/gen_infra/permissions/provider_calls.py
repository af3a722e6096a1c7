"""What Terraform's provider calls for each resource type, by IAM's actions: to read it, and to change it.

https://github.com/hashicorp/terraform-provider-aws/tree/v5.100.0/internal/service; tests compare the types with those
that are rendered, and the calls with those of terraform on the embedded AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.permissions.scopes import role_names

if TYPE_CHECKING:
    from gen_infra.manifest.model.manifest import Manifest


class Calls(NamedTuple):
    """Actions in one scope, by its name in `scopes`."""

    scope: str
    actions: tuple[str, ...]


class TypeCalls(NamedTuple):
    """What Terraform calls for the resources of one type.

    Args:
        is_rendered: whether an environment has any.
        reads: to refresh it, which a plan does.
        writes: to create, change and delete it.
        plans: to plan a change of it, besides.
    """

    is_rendered: Callable[[Manifest], object]
    reads: tuple[Calls, ...] = ()
    writes: tuple[Calls, ...] = ()
    plans: tuple[Calls, ...] = ()


def on(scope: str, service: str, *operations: str) -> Calls:
    """Return calls of operations of one service in a scope."""
    return Calls(scope, tuple(f"{service}:{operation}" for operation in operations))


def of_batch(scope: str, *operations: str) -> tuple[Calls, ...]:
    """Return calls that change Batch's resources: of the environment, and of what it adopts; with those for tags."""
    return (
        on(scope, "batch", "UntagResource", *operations),
        on("adopted-batch", "batch", "UntagResource", *operations),
        on("tags-of-batch", "batch", "TagResource"),
    )


def _always(_: Manifest) -> bool:
    return True


def _has_jobs(manifest: Manifest) -> object:
    return manifest.jobs


def creates_network(manifest: Manifest) -> object:
    """Return whether an environment creates a network."""
    return manifest.network.create


def rebuilds(manifest: Manifest) -> object:
    """Return whether an environment rebuilds its machine image on a schedule."""
    return manifest.image.rebuild


def notifies(manifest: Manifest) -> object:
    """Return whether an environment notifies of blocked queues, alarms or runs that failed, or measures itself."""
    own = manifest.notifications
    return own.blocked_queues or own.measures or any(each.on_failure for each in manifest.workflows.values())


def _measures(manifest: Manifest) -> object:
    return manifest.notifications.measures


def _has_functions(manifest: Manifest) -> object:
    return manifest.jobs or _measures(manifest) or _stops_queues(manifest)


def has_budget(manifest: Manifest) -> object:
    """Return whether an environment has a budget."""
    return manifest.notifications.budget


def _stops_queues(manifest: Manifest) -> object:
    return manifest.stops_queues


def has_workflows(manifest: Manifest) -> object:
    """Return whether an environment has workflows."""
    return manifest.workflows


def creates_file_systems(manifest: Manifest) -> object:
    """Return whether an environment creates file systems."""
    return manifest.created_file_systems


def _creates_security_groups(manifest: Manifest) -> object:
    return creates_network(manifest) or creates_file_systems(manifest)


def _has_log_groups(manifest: Manifest) -> object:
    logs = _has_functions(manifest) or manifest.engines or manifest.logs.default_group
    return logs or creates_network(manifest) or rebuilds(manifest) or manifest.adopted.log_groups


def _has_topics(manifest: Manifest) -> object:
    return rebuilds(manifest) or manifest.event_topics or _stops_queues(manifest)


def _has_emails(manifest: Manifest) -> object:
    rebuild = manifest.image.rebuild
    return manifest.event_topics or _stops_queues(manifest) or (rebuild and rebuild.notify)


def _creates_instance_roles(manifest: Manifest) -> object:
    return manifest.uses_ec2 and not manifest.iam.instance_profile


def _has_instance_profiles(manifest: Manifest) -> object:
    return _creates_instance_roles(manifest) or manifest.adopted.instance_profiles


def _creates_key(manifest: Manifest) -> object:
    return manifest.creates_key


def _attaches_policies(manifest: Manifest) -> object:
    computes = manifest.compute.values()
    return manifest.access or any(each.service_role == "create" or each.needs_spot_fleet_role for each in computes)


def _creates_oidc_providers(manifest: Manifest) -> object:
    access = manifest.access
    return access and access.oidc_providers == "create" and access.oidc_hosts


def _has_roles(manifest: Manifest) -> object:
    return role_names(manifest) or manifest.access or manifest.adopted.roles


# The rows of a type that only an administrator changes have reads alone.
TYPES: Mapping[str, TypeCalls] = {
    "aws_batch_compute_environment": TypeCalls(
        _always,
        (on("region", "batch", "DescribeComputeEnvironments"),),
        (
            on("new-compute-environments", "batch", "CreateComputeEnvironment"),
            *of_batch("compute-environments", "DeleteComputeEnvironment", "UpdateComputeEnvironment"),
            on("pass-to-ec2", "iam", "PassRole"),
            on("pass-to-batch", "iam", "PassRole"),
            on("pass-to-spotfleet", "iam", "PassRole"),
            on("batch-linked-role", "iam", "CreateServiceLinkedRole"),
        ),
    ),
    "aws_batch_job_definition": TypeCalls(
        _has_jobs,
        (on("region", "batch", "DescribeJobDefinitions"),),
        (
            on("new-job-definitions", "batch", "RegisterJobDefinition"),
            *of_batch("job-definitions", "DeregisterJobDefinition"),
            on("pass-to-ecs-tasks", "iam", "PassRole"),
        ),
    ),
    "aws_batch_job_queue": TypeCalls(
        _always,
        (on("region", "batch", "DescribeJobQueues"),),
        (
            on("new-job-queues", "batch", "CreateJobQueue"),
            *of_batch("job-queues", "DeleteJobQueue", "UpdateJobQueue"),
            # A queue names its compute environments and its scheduling policy.
            on("compute-environments", "batch", "CreateJobQueue", "UpdateJobQueue"),
            on("scheduling-policies", "batch", "CreateJobQueue", "UpdateJobQueue"),
            on("adopted-batch", "batch", "CreateJobQueue"),
        ),
    ),
    "aws_batch_scheduling_policy": TypeCalls(
        lambda manifest: any(queue.fair_share for queue in manifest.queues.values()),
        (on("region", "batch", "DescribeSchedulingPolicies"),),
        (
            on("new-scheduling-policies", "batch", "CreateSchedulingPolicy"),
            *of_batch("scheduling-policies", "DeleteSchedulingPolicy", "UpdateSchedulingPolicy"),
        ),
    ),
    "aws_budgets_budget": TypeCalls(
        has_budget,
        (on("budget", "budgets", "ListTagsForResource", "ViewBudget"),),
        (on("budget", "budgets", "ModifyBudget", "TagResource", "UntagResource"),),
    ),
    "aws_cloudwatch_dashboard": TypeCalls(
        lambda manifest: manifest.notifications.dashboard,
        (on("dashboard", "cloudwatch", "GetDashboard"),),
        (on("dashboard", "cloudwatch", "DeleteDashboards", "PutDashboard"),),
    ),
    "aws_cloudwatch_event_rule": TypeCalls(
        notifies,
        (on("event-rules", "events", "DescribeRule", "ListTagsForResource"),),
        (
            on(
                "event-rules", "events",
                "DeleteRule", "PutRule", "TagResource", "UntagResource",
            ),
        ),
    ),
    "aws_cloudwatch_event_target": TypeCalls(
        notifies,
        (on("event-rules", "events", "ListTargetsByRule"),),
        (on("event-rules", "events", "PutTargets", "RemoveTargets"),),
    ),
    "aws_cloudwatch_log_group": TypeCalls(
        _has_log_groups,
        (
            on("region", "logs", "DescribeLogGroups"),
            on("log-groups", "logs", "ListTagsForResource"),
            on("adopted-log-groups", "logs", "ListTagsForResource"),
        ),
        (
            on(
                "log-groups", "logs",
                "AssociateKmsKey", "CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "TagResource",
                "UntagResource",
            ),
            on("adopted-log-groups", "logs", "DeleteLogGroup", "TagResource", "UntagResource"),
        ),
    ),
    "aws_cloudwatch_metric_alarm": TypeCalls(
        lambda manifest: manifest.alarms,
        (on("region", "cloudwatch", "DescribeAlarms"), on("alarms", "cloudwatch", "ListTagsForResource")),
        (on("alarms", "cloudwatch", "DeleteAlarms", "PutMetricAlarm", "TagResource", "UntagResource"),),
    ),
    "aws_codebuild_project": TypeCalls(
        rebuilds,
        (on("build-project", "codebuild", "BatchGetProjects"),),
        (
            on("build-project", "codebuild", "CreateProject", "DeleteProject", "UpdateProject"),
            on("pass-to-codebuild", "iam", "PassRole"),
        ),
    ),
    "aws_default_security_group": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeSecurityGroups"),),
        (
            on("default-security-group", "ec2", "CreateTags"),
            on("network", "ec2", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress"),
        ),
    ),
    "aws_ecr_lifecycle_policy": TypeCalls(
        lambda manifest: manifest.own_repositories,
        (on("repositories", "ecr", "GetLifecyclePolicy"),),
        (on("repositories", "ecr", "DeleteLifecyclePolicy", "PutLifecyclePolicy"),),
    ),
    "aws_ecr_repository": TypeCalls(
        lambda manifest: manifest.repositories,
        (on("repositories", "ecr", "DescribeRepositories", "ListTagsForResource"),),
        (
            on(
                "repositories", "ecr",
                "CreateRepository", "DeleteRepository", "PutImageScanningConfiguration", "PutImageTagMutability",
                "TagResource", "UntagResource",
            ),
            # https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
            on("key-grants", "kms", "CreateGrant"),
            on("key", "kms", "DescribeKey", "RetireGrant"),
        ),
    ),
    "aws_efs_access_point": TypeCalls(
        creates_file_systems,
        (on("region", "elasticfilesystem", "DescribeAccessPoints"),),
        (
            on("file-systems", "elasticfilesystem", "CreateAccessPoint"),
            on("tags-of-new-file-systems", "elasticfilesystem", "TagResource"),
            on("access-points", "elasticfilesystem", "DeleteAccessPoint", "TagResource", "UntagResource"),
        ),
    ),
    "aws_efs_backup_policy": TypeCalls(
        creates_file_systems,
        (on("file-systems", "elasticfilesystem", "DescribeBackupPolicy"),),
        (on("file-systems", "elasticfilesystem", "PutBackupPolicy"),),
    ),
    "aws_efs_file_system": TypeCalls(
        creates_file_systems,
        (
            on("region", "elasticfilesystem", "DescribeFileSystems"),
            on("file-systems", "elasticfilesystem", "DescribeLifecycleConfiguration"),
        ),
        (
            on("new-file-systems", "elasticfilesystem", "CreateFileSystem"),
            on("tags-of-new-file-systems", "elasticfilesystem", "TagResource"),
            on(
                "file-systems", "elasticfilesystem",
                "DeleteFileSystem", "PutLifecycleConfiguration", "TagResource", "UntagResource", "UpdateFileSystem",
            ),
            # https://docs.aws.amazon.com/efs/latest/ug/EFSKMSPolicy.html
            on("key-through-services", "kms", "Decrypt", "GenerateDataKeyWithoutPlaintext"),
            on("key", "kms", "DescribeKey"),
            on("key-grants", "kms", "CreateGrant"),
        ),
    ),
    "aws_efs_file_system_policy": TypeCalls(
        creates_file_systems,
        (on("file-systems", "elasticfilesystem", "DescribeFileSystemPolicy"),),
        (on("file-systems", "elasticfilesystem", "DeleteFileSystemPolicy", "PutFileSystemPolicy"),),
    ),
    "aws_efs_mount_target": TypeCalls(
        creates_file_systems,
        (on("region", "elasticfilesystem", "DescribeMountTargets", "DescribeMountTargetSecurityGroups"),),
        (
            on(
                "file-systems", "elasticfilesystem",
                "CreateMountTarget", "DeleteMountTarget", "ModifyMountTargetSecurityGroups",
            ),
            # https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html
            on("region", "ec2", "DescribeNetworkInterfaces", "DescribeSubnets"),
            on("mount-target-interfaces", "ec2", "CreateNetworkInterface"),
            on("efs-linked-role", "iam", "CreateServiceLinkedRole"),
        ),
    ),
    "aws_eip": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeAddresses", "DescribeAddressesAttribute"),),
        (
            on("new-network", "ec2", "AllocateAddress"),
            on("network", "ec2", "DisassociateAddress", "ReleaseAddress"),
        ),
    ),
    "aws_flow_log": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeFlowLogs"),),
        (
            on("new-network", "ec2", "CreateFlowLogs"),
            on("network", "ec2", "CreateFlowLogs", "DeleteFlowLogs"),
            on("pass-to-vpc-flow-logs", "iam", "PassRole"),
        ),
    ),
    "aws_iam_instance_profile": TypeCalls(
        _has_instance_profiles,
        (
            on("instance-profiles", "iam", "GetInstanceProfile"),
            on("adopted-profiles", "iam", "GetInstanceProfile"),
        ),
        (
            on(
                "instance-profiles", "iam",
                "AddRoleToInstanceProfile", "CreateInstanceProfile", "DeleteInstanceProfile",
                "RemoveRoleFromInstanceProfile", "TagInstanceProfile", "UntagInstanceProfile",
            ),
            on("adopted-profiles", "iam", "TagInstanceProfile", "UntagInstanceProfile"),
            on("pass-to-ec2", "iam", "PassRole"),
            on("former-policies", "iam", "DetachRolePolicy"),
        ),
    ),
    "aws_iam_openid_connect_provider": TypeCalls(
        _creates_oidc_providers, (on("oidc-providers", "iam", "GetOpenIDConnectProvider"),)
    ),
    "aws_iam_policy": TypeCalls(
        lambda manifest: manifest.access,
        (on("access-policies", "iam", "GetPolicy", "GetPolicyVersion"),),
    ),
    "aws_iam_role": TypeCalls(
        _has_roles,
        (
            on("roles", "iam", "GetRole", "ListAttachedRolePolicies", "ListRolePolicies"),
            on("access-roles", "iam", "GetRole", "ListAttachedRolePolicies", "ListRolePolicies"),
            on("adopted-roles", "iam", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"),
        ),
        (
            on("new-roles", "iam", "CreateRole"),
            on("bounded-roles", "iam", "PutRolePermissionsBoundary"),
            on("roles", "iam", "ListInstanceProfilesForRole"),
            on("tags-of-roles", "iam", "TagRole"),
            on(
                "own-roles", "iam",
                "DeleteRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription",
            ),
            # Their trust, policies and existence are for an administrator: they have no permissions boundary.
            on("adopted-roles", "iam", "TagRole", "UntagRole"),
        ),
    ),
    "aws_iam_role_policy": TypeCalls(
        _has_roles,
        (on("roles", "iam", "GetRolePolicy"),),
        (on("bounded-roles", "iam", "DeleteRolePolicy", "PutRolePolicy"),),
    ),
    "aws_iam_role_policy_attachment": TypeCalls(
        _attaches_policies,
        (),  # those of the role
        (on("attached-policies", "iam", "AttachRolePolicy", "DetachRolePolicy"),),
    ),
    "aws_internet_gateway": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeInternetGateways"),),
        (
            on("new-network", "ec2", "CreateInternetGateway"),
            on("network", "ec2", "AttachInternetGateway", "DeleteInternetGateway", "DetachInternetGateway"),
        ),
    ),
    "aws_kms_alias": TypeCalls(
        _creates_key,
        (on("region", "kms", "ListAliases"),),
        (
            on("key-alias", "kms", "CreateAlias", "DeleteAlias", "UpdateAlias"),
            on("key", "kms", "CreateAlias", "DeleteAlias", "UpdateAlias"),
        ),
    ),
    "aws_kms_key": TypeCalls(
        _creates_key,
        (on("key", "kms", "DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags"),),
        (
            on("new-key", "kms", "CreateKey"),
            on("tags-of-new-key", "kms", "TagResource"),
            on(
                "key", "kms",
                "EnableKey", "EnableKeyRotation", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource",
                "UntagResource", "UpdateKeyDescription",
            ),
        ),
    ),
    "aws_lambda_function": TypeCalls(
        _has_functions,
        (
            on("functions", "lambda", "GetFunction", "GetFunctionCodeSigningConfig", "ListVersionsByFunction"),
            # Lambda decrypts a function's variables for its reader.
            # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
            on("key-through-lambda", "kms", "Decrypt"),
        ),
        (
            on(
                "functions", "lambda",
                "CreateFunction", "DeleteFunction", "PutFunctionConcurrency", "TagResource", "UntagResource",
                "UpdateFunctionCode", "UpdateFunctionConfiguration",
            ),
            on("pass-to-lambda", "iam", "PassRole"),
            on("key-through-lambda", "kms", "Decrypt", "Encrypt", "GenerateDataKey"),
            on("key-grants", "kms", "CreateGrant"),
        ),
    ),
    "aws_lambda_function_event_invoke_config": TypeCalls(
        _has_jobs,
        (on("functions", "lambda", "GetFunctionEventInvokeConfig"),),
        (on("functions", "lambda", "DeleteFunctionEventInvokeConfig", "PutFunctionEventInvokeConfig"),),
    ),
    "aws_lambda_permission": TypeCalls(
        lambda manifest: manifest.notifications.measures or manifest.stops_queues,
        (on("functions", "lambda", "GetPolicy"),),
        (on("functions", "lambda", "AddPermission", "RemovePermission"),),
    ),
    "aws_launch_template": TypeCalls(
        lambda manifest: manifest.uses_ec2,
        (on("region", "ec2", "DescribeLaunchTemplates", "DescribeLaunchTemplateVersions"),),
        (
            on("new-launch-templates", "ec2", "CreateLaunchTemplate"),
            on("tags-of-new-launch-templates", "ec2", "CreateTags"),
            on(
                "launch-templates", "ec2",
                "CreateLaunchTemplateVersion", "CreateTags", "DeleteLaunchTemplate", "DeleteTags",
                "ModifyLaunchTemplate",
            ),
        ),
    ),
    "aws_nat_gateway": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeNatGateways"),),
        (
            on("new-network", "ec2", "CreateNatGateway"),
            on("network", "ec2", "CreateNatGateway", "DeleteNatGateway"),
        ),
    ),
    "aws_route": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeRouteTables"),),
        (on("network", "ec2", "CreateRoute", "DeleteRoute", "ReplaceRoute"),),
    ),
    "aws_route_table": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeRouteTables"),),
        (
            on("new-network", "ec2", "CreateRouteTable"),
            on("network", "ec2", "CreateRouteTable", "DeleteRouteTable"),
        ),
    ),
    "aws_route_table_association": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeRouteTables"),),
        (on("network", "ec2", "AssociateRouteTable", "DisassociateRouteTable"),),
    ),
    "aws_s3_object": TypeCalls(
        rebuilds,
        (on("build-source", "s3", "GetObject", "GetObjectTagging"), on("key-through-services", "kms", "Decrypt")),
        (
            on("build-source", "s3", "DeleteObject", "DeleteObjectVersion", "PutObject", "PutObjectTagging"),
            on("buckets", "s3", "ListBucketVersions"),
            on("key-through-services", "kms", "Decrypt", "GenerateDataKey"),
        ),
    ),
    "aws_scheduler_schedule": TypeCalls(
        rebuilds,
        (on("schedule", "scheduler", "GetSchedule"),),
        (
            on("schedule", "scheduler", "CreateSchedule", "DeleteSchedule", "UpdateSchedule"),
            on("pass-to-scheduler", "iam", "PassRole"),
            # https://docs.aws.amazon.com/scheduler/latest/UserGuide/encryption-rest.html
            on("key-through-services", "kms", "Decrypt", "GenerateDataKey"),
            on("key", "kms", "DescribeKey"),
        ),
    ),
    "aws_scheduler_schedule_group": TypeCalls(
        rebuilds,
        (on("schedule-group", "scheduler", "GetScheduleGroup", "ListTagsForResource"),),
        (
            on(
                "schedule-group", "scheduler",
                "CreateScheduleGroup", "DeleteScheduleGroup", "TagResource", "UntagResource",
            ),
        ),
    ),
    "aws_security_group": TypeCalls(
        _creates_security_groups,
        (on("region", "ec2", "DescribeSecurityGroups"),),
        (
            on("region", "ec2", "DescribeNetworkInterfaces"),
            on("new-network", "ec2", "CreateSecurityGroup"),
            on("given-vpcs", "ec2", "CreateSecurityGroup"),
            on("tags-of-new-network", "ec2", "CreateTags"),
            on(
                "network", "ec2",
                "CreateSecurityGroup", "CreateTags", "DeleteSecurityGroup", "DeleteTags", "RevokeSecurityGroupEgress",
                "RevokeSecurityGroupIngress",
            ),
        ),
    ),
    "aws_sns_topic": TypeCalls(
        _has_topics,
        (on("topics", "sns", "GetTopicAttributes", "ListTagsForResource"),),
        (on("topics", "sns", "CreateTopic", "DeleteTopic", "SetTopicAttributes", "TagResource", "UntagResource"),),
    ),
    "aws_sns_topic_policy": TypeCalls(
        _has_topics,
        (on("topics", "sns", "GetTopicAttributes"),),
        (on("topics", "sns", "SetTopicAttributes"),),
    ),
    "aws_sns_topic_subscription": TypeCalls(
        _has_emails,
        # Of a function's subscription the provider looks among all of the topic.
        (on("region", "sns", "GetSubscriptionAttributes"), on("topics", "sns", "ListSubscriptionsByTopic")),
        (on("topics", "sns", "Subscribe"), on("region", "sns", "SetSubscriptionAttributes", "Unsubscribe")),
    ),
    "aws_sfn_state_machine": TypeCalls(
        has_workflows,
        (
            on("state-machines", "states", "DescribeStateMachine", "ListStateMachineVersions", "ListTagsForResource"),
            # Step Functions decrypts a definition for its reader.
            # https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
            on("key-through-states", "kms", "Decrypt"),
        ),
        (
            on(
                "state-machines", "states",
                "CreateStateMachine", "DeleteStateMachine", "TagResource", "UntagResource", "UpdateStateMachine",
            ),
            on("pass-to-states", "iam", "PassRole"),
            on("key-through-states", "kms", "Decrypt", "GenerateDataKey"),
            on("key", "kms", "DescribeKey"),
        ),
        plans=(on("region", "states", "ValidateStateMachineDefinition"),),
    ),
    "aws_sqs_queue": TypeCalls(
        _has_functions,
        (on("dead-letters", "sqs", "GetQueueAttributes", "ListQueueTags"),),
        (on("dead-letters", "sqs", "CreateQueue", "DeleteQueue", "SetQueueAttributes", "TagQueue", "UntagQueue"),),
    ),
    "aws_subnet": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeAvailabilityZones", "DescribeSubnets"),),
        (
            on("new-network", "ec2", "CreateSubnet"),
            on("network", "ec2", "CreateSubnet", "DeleteSubnet", "ModifySubnetAttribute"),
        ),
    ),
    "aws_vpc": TypeCalls(
        creates_network,
        (
            on(
                "region", "ec2",
                "DescribeNetworkAcls", "DescribeRouteTables", "DescribeSecurityGroups", "DescribeVpcs",
            ),
            on("network", "ec2", "DescribeVpcAttribute"),
        ),
        (
            on("new-network", "ec2", "CreateVpc"),
            on("tags-of-new-network", "ec2", "CreateTags"),
            on("network", "ec2", "CreateTags", "DeleteTags", "DeleteVpc", "ModifyVpcAttribute"),
        ),
    ),
    "aws_vpc_endpoint": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeNetworkInterfaces", "DescribePrefixLists", "DescribeVpcEndpoints"),),
        (
            on("new-network", "ec2", "CreateVpcEndpoint"),
            on("network", "ec2", "CreateVpcEndpoint", "DeleteVpcEndpoints", "ModifyVpcEndpoint"),
        ),
    ),
    "aws_vpc_security_group_egress_rule": TypeCalls(
        creates_network,
        (on("region", "ec2", "DescribeSecurityGroupRules"),),
        (
            on(
                "network", "ec2",
                "AuthorizeSecurityGroupEgress", "ModifySecurityGroupRules", "RevokeSecurityGroupEgress",
            ),
        ),
    ),
    "aws_vpc_security_group_ingress_rule": TypeCalls(
        _creates_security_groups,
        (on("region", "ec2", "DescribeSecurityGroupRules"),),
        (
            on(
                "network", "ec2",
                "AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules", "RevokeSecurityGroupIngress",
            ),
        ),
    ),
    "terraform_data": TypeCalls(_always),
}  # fmt: skip
