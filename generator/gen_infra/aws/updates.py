"""What AWS never lets an update do: the one table, for every resource type that is rendered.

The rows come from the API reference of the services' Update, Modify, Put and Set calls. A name, and what a resource
lies in (a VPC, a subnet, a bus), identifies the resource to each of these calls, so it has no row.

Terraform plans an update in place for some rows, which AWS refuses: there the rendered Terraform replaces. For the
others the AWS provider (5.100) replaces by itself. The explanation says what happens to jobs and when only a new name
keeps what a resource holds, and the emulator refuses the call in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SERVICE_LINKED_ROLE = "AWSServiceRoleForBatch"
_DOCS = "https://docs.aws.amazon.com"
_BATCH = f"{_DOCS}/batch/latest/APIReference"
_BATCH_GUIDE = f"{_DOCS}/batch/latest/userguide/updating-compute-environments.html"
_EC2 = f"{_DOCS}/AWSEC2/latest/APIReference"
_IAM = f"{_DOCS}/IAM/latest/APIReference"
_KMS = f"{_DOCS}/kms/latest/APIReference/API_CreateKey.html"
_SNS = f"{_DOCS}/sns/latest/api"
_VPC_GUIDE = f"{_DOCS}/vpc/latest/userguide"


def _anywhere(_: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Refusal:
    """One change that AWS refuses.

    Args:
        type: the resource type.
        attribute: its attribute, as in a plan.
        refuses: whether a change from one value to another is refused; a missing value is None.
        call: the API call that refuses it, or, where none changes it, the one that would.
        message: the rule in AWS's words; "X has no Y" where the call's parameters lack it.
        source: where AWS states it.
        provider: what the AWS provider plans: an update that AWS refuses, or a replacement.
        needs_new_name: whether only a resource with a new name keeps what this one holds.
        where: whether the row is for a resource with these attributes.
        keys: the model's class and key whose value sets the attribute, such as ``Queue.fair_share``; empty where the
            rendered Terraform always sets the same.
    """

    type: str
    attribute: str
    refuses: Callable[[Any, Any], bool]
    call: str
    message: str
    source: str
    provider: Literal["updates", "replaces"] = "replaces"
    needs_new_name: bool = False
    where: Callable[[Mapping[str, Any]], bool] = _anywhere
    keys: tuple[str, ...] = ()


def _is_added(old: Any, new: Any) -> bool:
    return not old and bool(new)


def _is_removed(old: Any, new: Any) -> bool:
    return bool(old) and not new


def _is_added_or_removed(old: Any, new: Any) -> bool:
    return bool(old) != bool(new)


def _is_changed(old: Any, new: Any) -> bool:
    return bool(old != new)


def _exchanges_linked_role(old: Any, new: Any) -> bool:
    return _is_linked(old) != _is_linked(new)


def _is_linked(role: Any) -> bool:
    """Return whether it is the service-linked role, which Batch uses where none is given."""
    return not role or str(role).endswith(f"/{SERVICE_LINKED_ROLE}")


def _has_custom_role(environment: Mapping[str, Any]) -> bool:
    return not _is_linked(environment.get("service_role"))


def _is_fargate(type_: Any) -> bool:
    return str(type_).startswith("FARGATE")


def _changes_fargate(old: Any, new: Any) -> bool:
    return bool(old != new) and (_is_fargate(old) or _is_fargate(new))


def _changes_best_fit(old: Any, new: Any) -> bool:
    return bool(old != new) and "BEST_FIT" in {old, new}


SCHEDULING_ADDED = Refusal(
    "aws_batch_job_queue",
    "scheduling_policy_arn",
    _is_added,
    "UpdateJobQueue",
    "A job queue without a fair-share scheduling policy is scheduled as a FIFO job queue and can't have a fair-share "
    "scheduling policy added",
    f"{_BATCH}/API_CreateJobQueue.html",
    provider="updates",
    needs_new_name=True,
    keys=("Queue.fair_share",),
)
SCHEDULING_REMOVED = Refusal(
    "aws_batch_job_queue",
    "scheduling_policy_arn",
    _is_removed,
    "UpdateJobQueue",
    "Once a job queue is created, the fair-share scheduling policy can be replaced but not removed",
    f"{_BATCH}/API_UpdateJobQueue.html",
    provider="updates",
    needs_new_name=True,
    keys=("Queue.fair_share",),
)
SERVICE_ROLE = Refusal(
    "aws_batch_compute_environment",
    "service_role",
    _exchanges_linked_role,
    "UpdateComputeEnvironment",
    "If the compute environment has a service-linked role, it can't be changed to use a regular IAM role. Likewise, if "
    "the compute environment has a regular IAM role, it can't be changed to use a service-linked role",
    f"{_BATCH}/API_UpdateComputeEnvironment.html",
    provider="updates",
    keys=("ComputeEnvironment.service_role",),
)
FARGATE_TYPE = Refusal(
    "aws_batch_compute_environment",
    "compute_resources.type",
    _changes_fargate,
    "UpdateComputeEnvironment",
    "For compute environments that use Fargate resources, you can update the following: securityGroupIds, subnets, "
    "desiredvCpus, maxvCpus, minvCpus",
    _BATCH_GUIDE,
    provider="updates",
    keys=("ComputeEnvironment.type",),
)
CUSTOM_ROLE_TYPE = Refusal(
    "aws_batch_compute_environment",
    "compute_resources.type",
    _is_changed,
    "UpdateComputeEnvironment",
    "can be updated only for a compute environment having a Batch Service Linked Role",
    _BATCH_GUIDE,
    provider="updates",
    where=_has_custom_role,
    keys=("ComputeEnvironment.type",),
)
BEST_FIT = Refusal(
    "aws_batch_compute_environment",
    "compute_resources.allocation_strategy",
    _changes_best_fit,
    "UpdateComputeEnvironment",
    "BEST_FIT isn't supported when updating a compute environment",
    f"{_BATCH}/API_ComputeResourceUpdate.html",
    keys=("ComputeEnvironment.allocation_strategy",),
)
RULE_TYPE = "When you modify a rule, you cannot change the rule type"
FIFO_QUEUE = Refusal(
    "aws_sqs_queue",
    "fifo_queue",
    _is_changed,
    "SetQueueAttributes",
    "You can't change it for an existing queue",
    f"{_DOCS}/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
    needs_new_name=True,
)


def _fixed(
    type_: str,
    attribute: str,
    call: str,
    message: str,
    source: str,
    *keys: str,
    needs_new_name: bool = False,
) -> Refusal:
    """Make a row for what is set at creation only; ``message`` may be the parameter that the call lacks."""
    reason = message if " " in message else f"{call} has no {message}"
    return Refusal(type_, attribute, _is_changed, call, reason, source, needs_new_name=needs_new_name, keys=keys)


_FLOW_LOG = "After you create a flow log, you cannot change its configuration or the flow log record format"
_GROUP_TEXT = "You can't change the name and description of a security group after it is created"

REFUSALS: tuple[Refusal, ...] = (
    SCHEDULING_ADDED,
    SCHEDULING_REMOVED,
    SERVICE_ROLE,
    FARGATE_TYPE,
    CUSTOM_ROLE_TYPE,
    BEST_FIT,
    _fixed(
        "aws_batch_compute_environment", "compute_resources.spot_iam_fleet_role",
        "UpdateComputeEnvironment", "spotIamFleetRole", f"{_BATCH}/API_ComputeResourceUpdate.html",
    ),
    _fixed(
        "aws_cloudwatch_log_group", "log_group_class", "CreateLogGroup",
        "The value of logGroupClass can't be changed after a log group is created",
        f"{_DOCS}/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html", needs_new_name=True,
    ),
    _fixed(
        "aws_ecr_repository", "encryption_configuration", "PutImageTagMutability", "encryptionConfiguration",
        f"{_DOCS}/AmazonECR/latest/APIReference/API_PutImageTagMutability.html", "Encryption.key", needs_new_name=True,
    ),
    _fixed(
        "aws_efs_file_system", "kms_key_id", "UpdateFileSystem", "KmsKeyId",
        f"{_DOCS}/efs/latest/ug/API_UpdateFileSystem.html", "Encryption.key", needs_new_name=True,
    ),
    _fixed(
        "aws_efs_access_point", "posix_user", "TagResource", "PosixUser",
        f"{_DOCS}/efs/latest/ug/API_CreateAccessPoint.html", "FileSystem.uid", "FileSystem.gid",
    ),
    _fixed(
        "aws_eip", "domain", "ModifyAddressAttribute", "Domain", f"{_EC2}/API_ModifyAddressAttribute.html",
    ),
    *(
        _fixed("aws_flow_log", attribute, "CreateFlowLogs", _FLOW_LOG, f"{_VPC_GUIDE}/flow-logs-limitations.html")
        for attribute in ("traffic_type", "iam_role_arn", "log_destination", "log_format", "max_aggregation_interval")
    ),
    _fixed(
        "aws_iam_instance_profile", "path", "AddRoleToInstanceProfile", "Path",
        f"{_IAM}/API_AddRoleToInstanceProfile.html", "Iam.path",
    ),
    _fixed("aws_iam_role", "path", "UpdateRole", "Path", f"{_IAM}/API_UpdateRole.html", "Iam.path"),
    _fixed(
        "aws_kms_key", "customer_master_key_spec", "CreateKey",
        "You can't change the KeySpec after the KMS key is created", _KMS,
    ),
    _fixed(
        "aws_kms_key", "key_usage", "CreateKey",
        "You can't change the KeyUsage value after the KMS key is created", _KMS,
    ),
    _fixed(
        "aws_kms_key", "multi_region", "CreateKey", "You cannot change this value after you create the KMS key", _KMS,
    ),
    _fixed(
        "aws_lambda_function", "package_type", "UpdateFunctionConfiguration", "PackageType",
        f"{_DOCS}/lambda/latest/api/API_UpdateFunctionConfiguration.html",
    ),
    _fixed(
        "aws_nat_gateway", "connectivity_type", "AssociateNatGatewayAddress", "ConnectivityType",
        f"{_EC2}/API_AssociateNatGatewayAddress.html",
    ),
    _fixed(
        "aws_security_group", "description", "CreateSecurityGroup", _GROUP_TEXT,
        f"{_VPC_GUIDE}/creating-security-groups.html",
    ),
    _fixed(
        "aws_sfn_state_machine", "type", "UpdateStateMachine", "type",
        f"{_DOCS}/step-functions/latest/apireference/API_UpdateStateMachine.html",
    ),
    _fixed(
        "aws_sns_topic", "fifo_topic", "SetTopicAttributes", "FifoTopic",
        f"{_SNS}/API_SetTopicAttributes.html", needs_new_name=True,
    ),
    *(
        _fixed(
            "aws_sns_topic_subscription", member.lower(), "SetSubscriptionAttributes", member,
            f"{_SNS}/API_SetSubscriptionAttributes.html",
        )
        for member in ("Endpoint", "Protocol")
    ),
    FIFO_QUEUE,
    _fixed(
        "aws_subnet", "availability_zone", "ModifySubnetAttribute", "AvailabilityZone",
        f"{_EC2}/API_ModifySubnetAttribute.html", "NetworkCreate.zones",
    ),
    _fixed(
        "aws_subnet", "cidr_block", "CreateSubnet", "After you create a subnet, you can't change its CIDR block",
        f"{_EC2}/API_CreateSubnet.html", "NetworkCreate.cidr", "NetworkCreate.zones",
    ),
    _fixed(
        "aws_vpc", "cidr_block", "ModifyVpcAttribute", "CidrBlock", f"{_EC2}/API_ModifyVpcAttribute.html",
        "NetworkCreate.cidr",
    ),
    *(
        _fixed("aws_vpc_endpoint", attribute, "ModifyVpcEndpoint", member, f"{_EC2}/API_ModifyVpcEndpoint.html")
        for attribute, member in (("service_name", "ServiceName"), ("vpc_endpoint_type", "VpcEndpointType"))
    ),
    *(
        Refusal(
            f"aws_vpc_security_group_{way}_rule", attribute, _is_added_or_removed, "ModifySecurityGroupRules",
            RULE_TYPE, f"{_EC2}/API_SecurityGroupRuleRequest.html",
        )
        for way in ("egress", "ingress")
        for attribute in ("cidr_ipv4", "prefix_list_id", "referenced_security_group_id")
    ),
)  # fmt: skip

FREE: Mapping[str, str] = MappingProxyType(
    {
        "aws_batch_job_definition": "RegisterJobDefinition",
        "aws_batch_scheduling_policy": "UpdateSchedulingPolicy",
        "aws_budgets_budget": "UpdateBudget",
        "aws_cloudwatch_dashboard": "PutDashboard",
        "aws_cloudwatch_event_rule": "PutRule",
        "aws_cloudwatch_event_target": "PutTargets",
        "aws_cloudwatch_metric_alarm": "PutMetricAlarm",
        "aws_codebuild_project": "UpdateProject",
        "aws_default_security_group": "ModifySecurityGroupRules",
        "aws_ecr_lifecycle_policy": "PutLifecyclePolicy",
        "aws_efs_backup_policy": "PutBackupPolicy",
        "aws_efs_file_system_policy": "PutFileSystemPolicy",
        "aws_efs_mount_target": "ModifyMountTargetSecurityGroups",
        "aws_iam_openid_connect_provider": "AddClientIDToOpenIDConnectProvider",
        "aws_iam_policy": "CreatePolicyVersion",
        "aws_iam_role_policy": "PutRolePolicy",
        "aws_iam_role_policy_attachment": "AttachRolePolicy",
        "aws_internet_gateway": "AttachInternetGateway",
        "aws_kms_alias": "UpdateAlias",
        "aws_lambda_function_event_invoke_config": "PutFunctionEventInvokeConfig",
        "aws_lambda_permission": "AddPermission",
        "aws_launch_template": "CreateLaunchTemplateVersion",
        "aws_route": "ReplaceRoute",
        "aws_route_table": "ReplaceRoute",
        "aws_route_table_association": "ReplaceRouteTableAssociation",
        "aws_s3_object": "PutObject",
        "aws_scheduler_schedule": "UpdateSchedule",
        "aws_scheduler_schedule_group": "TagResource",
        "aws_sns_topic_policy": "SetTopicAttributes",
    }
)
"""The types of which each member that is rendered may change, but for names and parents, and the call that does it."""


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Something that two resources of a type cannot have at the same time.

    Args:
        attribute: what it is, as in a plan.
        call: the API call that refuses the second one.
        error: AWS's error code.
        source: where AWS states it.
    """

    attribute: str
    call: str
    error: str
    source: str


EXCLUSIVE: Mapping[str, Exclusive] = MappingProxyType(
    {
        "aws_batch_job_queue": Exclusive(
            "name", "CreateJobQueue", "ClientException", f"{_BATCH}/API_CreateJobQueue.html"
        ),
        "aws_cloudwatch_log_group": Exclusive(
            "name", "CreateLogGroup", "ResourceAlreadyExistsException",
            f"{_DOCS}/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
        ),
        "aws_ecr_repository": Exclusive(
            "name", "CreateRepository", "RepositoryAlreadyExistsException",
            f"{_DOCS}/AmazonECR/latest/APIReference/API_CreateRepository.html",
        ),
        "aws_iam_instance_profile": Exclusive(
            "name", "CreateInstanceProfile", "EntityAlreadyExists", f"{_IAM}/API_CreateInstanceProfile.html"
        ),
        "aws_iam_role": Exclusive("name", "CreateRole", "EntityAlreadyExists", f"{_IAM}/API_CreateRole.html"),
        "aws_lambda_function": Exclusive(
            "function_name", "CreateFunction", "ResourceConflictException",
            f"{_DOCS}/lambda/latest/api/API_CreateFunction.html",
        ),
        "aws_nat_gateway": Exclusive(
            "allocation_id", "CreateNatGateway", "Resource.AlreadyAssociated",
            f"{_VPC_GUIDE}/nat-gateway-troubleshooting.html",
        ),
        "aws_sfn_state_machine": Exclusive(
            "name", "CreateStateMachine", "StateMachineAlreadyExists",
            f"{_DOCS}/step-functions/latest/apireference/API_CreateStateMachine.html",
        ),
    }
)  # fmt: skip
"""By type. Where Terraform creates the new resource before it deletes the old one, AWS refuses the new one."""


def conflict(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Exclusive | None:
    """Return why a resource cannot be created beside the one that it replaces; None if it can.

    For example, a role's name is unique in the account for all paths, so another path is impossible while something
    that is created first needs the role.
    """
    exclusive = EXCLUSIVE.get(type_)
    if exclusive is None:
        return None
    old, new = (state.get(exclusive.attribute) for state in (before, after))
    return exclusive if old is not None and old == new else None


def refusals(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Refusal]:
    """List what AWS would refuse if a resource were updated.

    Args:
        type_: the resource type.
        before: its attributes as they are.
        after: its attributes as planned; a value that is not known yet is any value but None.
    """
    for refusal in REFUSALS:
        if refusal.type == type_ and refusal.where(before):
            old, new = (_value(state, refusal.attribute) for state in (before, after))
            if refusal.refuses(old, new):
                yield refusal


def _value(state: Mapping[str, Any], attribute: str) -> Any:
    """Return the value of a dotted attribute; a block is a list with one item in a plan."""
    value: Any = state
    for name in attribute.split("."):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(name) if isinstance(value, dict) else None
    return value
