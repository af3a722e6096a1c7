"""What is known about each Terraform resource type that an environment is made of: a row of `KINDS` for each.

The table is used by `explain` (label), `aws.leftovers` (listing), `apply.orphans` (removal), `terraform.import_hints`
(import id), `apply.adoption` (adoption, import id) and `drift` (events, names, ignored). A row is complete, or says
with `Absent` why a member does not apply.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Part: TypeAlias = Literal["environment", "network", "rebuild", "notifications", "workflows", "file_systems"]


class Absent(NamedTuple):
    """A member that a type does not have, and why."""

    reason: str


class Same(NamedTuple):
    """A planned attribute, and the member of an object in the account that has the same value.

    Attributes:
        attribute: of the plan.
        member: of the object, with dots between levels; of a list, its first item counts.
        may_lack: whether an object without the member may be the planned one.
    """

    attribute: str
    member: str
    may_lack: bool = False


class Objects(NamedTuple):
    """What a listing's answer holds of resources whose ids AWS assigns.

    Attributes:
        path: the JMESPath of the objects in the answer.
        id: what ``terraform import`` takes, with members of the object in braces.
        name: the member that holds the name; empty for the tag ``Name``.
        same: what an object must share with a planned resource to be that resource, besides its name and tags.
    """

    path: str
    id: str
    name: str = ""
    same: tuple[Same, ...] = ()


class Listing(NamedTuple):
    """A call that lists the resources of a type in the account and region.

    Attributes:
        parts: the parts of an environment for which the call is made; the credentials need its permission only there.
        client: the attribute of `gen_infra.aws.session.Clients`.
        operation: the method of that client.
        names: the JMESPath of the names in its answer, or the objects in it.
        arguments: of the operation, or of its paginator.
    """

    parts: tuple[Part, ...]
    client: str
    operation: str
    names: str | Objects
    arguments: Mapping[str, object] = MappingProxyType({})


class Events(NamedTuple):
    """The names of CloudTrail's events that update, destroy or create such a resource.

    ``create`` is empty where the event's parameters do not name the resource. Lambda's names carry the API's date:
    https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html.
    """

    update: tuple[str, ...]
    destroy: tuple[str, ...]
    create: tuple[str, ...] = ()


_NAMES = ("name", "function_name", "id", "arn", "key_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceKind:
    """A row of the table.

    Attributes:
        label: what messages call it.
        shown_by_name: whether its name says more to a reader of a plan than its address.
        listing: the call that finds it in the account.
        import_id: what ``terraform import`` takes, with ``{name}``, ``{partition}``, ``{domain}``, ``{region}`` and
            ``{account}``: https://registry.terraform.io/providers/hashicorp/aws/latest/docs.
        adoption: what says that a resource in the account is a planned one: its fixed ``name``; its generated name,
            ``tags`` and other members of the listing's objects; or, for what AWS lists with another resource, a
            listing of its own.
        removal: the command line that removes it, with ``{0}`` for its id, or its name if that is its id.
        events: the CloudTrail events behind a change.
        names: an event is about the resource if its parameters hold a value of one attribute of each of these groups.
        ignored: the attributes that AWS changes by itself.
    """

    label: str
    shown_by_name: bool = False
    listing: Listing | Absent
    import_id: str | Absent
    adoption: Literal["name", "tags"] | Listing | Absent
    removal: str | Absent
    events: Events | Absent
    names: tuple[tuple[str, ...], ...] = (_NAMES,)
    ignored: frozenset[str] = field(default_factory=frozenset)

    @property
    def adoption_listing(self) -> Listing | None:
        """Return the call that lists what a plan may adopt."""
        if isinstance(self.adoption, Listing):
            return self.adoption
        return self.listing if isinstance(self.listing, Listing) and not isinstance(self.adoption, Absent) else None


_NAME = "{name}"
_BATCH = "arn:{partition}:batch:{region}:{account}"
_RULE = (
    ("security_group_id",),
    ("security_group_rule_id", "cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"),
)
_ENVIRONMENT: tuple[Part, ...] = ("environment",)
_NETWORK: tuple[Part, ...] = ("network",)
_REBUILD: tuple[Part, ...] = ("rebuild",)

_OWNED = Absent("AWS lists and deletes it with the resource that it belongs to")
_NEW_ID = Absent("AWS assigns a new id, so creating it never fails because one exists")
_GENERATED_ID = Absent("the provider generates its id, so creating it never fails because one exists")
_OVERWRITTEN = Absent("AWS overwrites what has its name, so creating it never fails because one exists")
_NO_ORPHAN = Absent("apply does not search rebuilds and notifications for orphans")
_NOT_RENDERED = Absent("instances of the compute environments create it, and delete it when they end")
_NO_CONFLICT = Absent("creating it takes over what exists")
_NOT_LOOKED_UP = Absent("it seldom changes by itself, and CloudTrail answers two questions a second at most")
_BY_ADMINISTRATORS = Absent("only an administrator creates and deletes it, as a part of the access roles")
_BILLED_ELSEWHERE = Absent("CloudTrail records changes of budgets in us-east-1 alone")
_IN_VPC = Same("vpc_id", "VpcId")
_RULE_MEMBERS = (
    Same("security_group_id", "GroupId"),
    Same("ip_protocol", "IpProtocol"),
    Same("from_port", "FromPort"),
    Same("to_port", "ToPort"),
    Same("cidr_ipv4", "CidrIpv4"),
    Same("prefix_list_id", "PrefixListId"),
    Same("referenced_security_group_id", "ReferencedGroupInfo.GroupId"),
)


def _rules(condition: str) -> Listing:
    objects = Objects(f"SecurityGroupRules[?{condition}]", "{SecurityGroupRuleId}", same=_RULE_MEMBERS)
    return Listing((), "ec2", "describe_security_group_rules", objects)


_IN_STATE_ONLY = Absent("it is kept in Terraform's state and nowhere else")

KINDS: dict[str, ResourceKind] = {
    "aws_batch_compute_environment": ResourceKind(
        label="compute environment",
        shown_by_name=True,
        listing=Listing(
            _ENVIRONMENT,
            "batch",
            "describe_compute_environments",
            Objects("computeEnvironments[?status!='DELETED']", "{computeEnvironmentName}", "computeEnvironmentName"),
        ),
        import_id=_NAME,
        adoption="tags",
        # Batch reports a disabled environment or queue some seconds before it lets it be deleted.
        removal="aws batch update-compute-environment --compute-environment {0} --state DISABLED "
        "&& sleep 15 && aws batch delete-compute-environment --compute-environment {0}",
        events=Events(("UpdateComputeEnvironment",), ("DeleteComputeEnvironment",), ("CreateComputeEnvironment",)),
        # Batch scales it every few minutes.
        ignored=frozenset({"compute_resources.desired_vcpus", "status", "status_reason"}),
    ),
    "aws_batch_job_definition": ResourceKind(
        label="job definition",
        shown_by_name=True,
        listing=Listing(
            _ENVIRONMENT,
            "batch",
            "describe_job_definitions",
            "jobDefinitions[].join(':', [jobDefinitionName, to_string(revision)])",
            {"status": "ACTIVE"},
        ),
        import_id=Absent("Batch makes a new revision, so creating it never fails because one exists"),
        adoption=Absent("one more revision costs nothing, and destroy deregisters every one"),
        removal="aws batch deregister-job-definition --job-definition {0}",
        events=Events(("RegisterJobDefinition",), ("DeregisterJobDefinition",), ("RegisterJobDefinition",)),
    ),
    "aws_batch_job_queue": ResourceKind(
        label="job queue",
        shown_by_name=True,
        listing=Listing(_ENVIRONMENT, "batch", "describe_job_queues", "jobQueues[?status!='DELETED'].jobQueueName"),
        import_id=f"{_BATCH}:job-queue/{_NAME}",
        adoption="name",
        removal="aws batch update-job-queue --job-queue {0} --state DISABLED "
        "&& sleep 15 && aws batch delete-job-queue --job-queue {0}",
        events=Events(("UpdateJobQueue",), ("DeleteJobQueue",), ("CreateJobQueue",)),
    ),
    "aws_batch_scheduling_policy": ResourceKind(
        label="scheduling policy",
        shown_by_name=True,
        listing=Listing(_ENVIRONMENT, "batch", "list_scheduling_policies", "schedulingPolicies[].arn"),
        import_id=f"{_BATCH}:scheduling-policy/{_NAME}",
        adoption="name",
        removal="aws batch delete-scheduling-policy --arn {0}",
        events=Events(("UpdateSchedulingPolicy",), ("DeleteSchedulingPolicy",), ("CreateSchedulingPolicy",)),
    ),
    "aws_budgets_budget": ResourceKind(
        label="budget",
        shown_by_name=True,
        listing=Absent("AWS Budgets lists them by account, and reads of costs are often denied"),
        import_id=f"{{account}}:{_NAME}",
        adoption=Absent("without a listing it is not found"),
        removal=_NO_ORPHAN,
        events=_BILLED_ELSEWHERE,
    ),
    "aws_cloudwatch_dashboard": ResourceKind(
        label="dashboard",
        shown_by_name=True,
        listing=Listing(("notifications",), "alarms", "list_dashboards", "DashboardEntries[].DashboardName"),
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_NO_ORPHAN,
        events=Events(("PutDashboard",), ("DeleteDashboards",), ("PutDashboard",)),
        names=(("dashboard_name",),),
    ),
    "aws_cloudwatch_event_rule": ResourceKind(
        label="event rule",
        listing=Listing(("notifications",), "events", "list_rules", "Rules[].Name"),
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_NO_ORPHAN,
        events=Events(("PutRule", "DisableRule", "EnableRule"), ("DeleteRule",), ("PutRule",)),
    ),
    "aws_cloudwatch_event_target": ResourceKind(
        label="event target",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events(("PutTargets",), ("RemoveTargets",), ("PutTargets",)),
        names=(("rule",), ("target_id",)),
    ),
    "aws_cloudwatch_log_group": ResourceKind(
        label="log group",
        shown_by_name=True,
        listing=Listing(_ENVIRONMENT, "logs", "describe_log_groups", "logGroups[].logGroupName"),
        import_id=_NAME,
        adoption="name",
        removal="aws logs delete-log-group --log-group-name {0}",
        events=Events(
            ("PutRetentionPolicy", "DeleteRetentionPolicy", "AssociateKmsKey", "DisassociateKmsKey"),
            ("DeleteLogGroup",),
            ("CreateLogGroup",),
        ),
    ),
    "aws_cloudwatch_metric_alarm": ResourceKind(
        label="alarm",
        listing=Listing(("rebuild", "notifications"), "alarms", "describe_alarms", "MetricAlarms[].AlarmName"),
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_NO_ORPHAN,
        events=Events(
            ("PutMetricAlarm", "DisableAlarmActions", "EnableAlarmActions"), ("DeleteAlarms",), ("PutMetricAlarm",)
        ),
        names=(("alarm_name", "arn"),),
    ),
    "aws_codebuild_project": ResourceKind(
        label="build project",
        listing=Listing(_REBUILD, "builds", "list_projects", "projects[]"),
        import_id=_NAME,
        adoption="name",
        removal=_NO_ORPHAN,
        events=Events(("UpdateProject",), ("DeleteProject",), ("CreateProject",)),
    ),
    "aws_default_security_group": ResourceKind(
        label="default security group",
        listing=_OWNED,
        import_id=Absent("Terraform takes it over as soon as its VPC exists"),
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Absent("AWS makes and deletes it with its VPC, and changes to its rules are ignored"),
        ignored=frozenset({"egress", "ingress"}),
    ),
    "aws_ebs_volume": ResourceKind(
        label="detached volume",
        listing=Listing(_ENVIRONMENT, "ec2", "describe_volumes", Objects("Volumes[?State=='available']", "{VolumeId}")),
        import_id=_NOT_RENDERED,
        adoption=_NOT_RENDERED,
        removal="aws ec2 delete-volume --volume-id {0}",
        events=_NOT_RENDERED,
    ),
    "aws_ecr_lifecycle_policy": ResourceKind(
        label="lifecycle policy",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events(("PutLifecyclePolicy",), ("DeleteLifecyclePolicy",), ("PutLifecyclePolicy",)),
        names=(("repository",),),
    ),
    "aws_ecr_repository": ResourceKind(
        label="repository",
        shown_by_name=True,
        listing=Listing(_ENVIRONMENT, "ecr", "describe_repositories", "repositories[].repositoryName"),
        import_id=_NAME,
        adoption="name",
        removal="aws ecr delete-repository --repository-name {0}",
        events=Events(
            ("PutImageTagMutability", "PutImageScanningConfiguration"), ("DeleteRepository",), ("CreateRepository",)
        ),
    ),
    "aws_efs_access_point": ResourceKind(
        label="access point",
        listing=Listing(
            ("file_systems",),
            "efs",
            "describe_access_points",
            Objects("AccessPoints[]", "{AccessPointId}", same=(Same("file_system_id", "FileSystemId"),)),
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws efs delete-access-point --access-point-id {0}",
        events=Events(("TagResource",), ("DeleteAccessPoint",), ("CreateAccessPoint",)),
        names=(("id", "file_system_id"),),
    ),
    "aws_efs_backup_policy": ResourceKind(
        label="backup policy",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events(("PutBackupPolicy",), ("PutBackupPolicy",), ("PutBackupPolicy",)),
        names=(("file_system_id",),),
    ),
    "aws_efs_file_system": ResourceKind(
        label="file system",
        shown_by_name=True,
        listing=Listing(
            ("file_systems",),
            "efs",
            "describe_file_systems",
            Objects("FileSystems[]", "{FileSystemId}", same=(Same("creation_token", "CreationToken"),)),
        ),
        import_id=_NEW_ID,
        adoption="tags",
        # EFS deletes a file system some seconds after the last of its mount targets.
        removal="aws efs describe-mount-targets --file-system-id {0} --query MountTargets[].MountTargetId "
        "--output text | xargs -n 1 aws efs delete-mount-target --mount-target-id "
        "&& sleep 60 && aws efs delete-file-system --file-system-id {0}",
        events=Events(("PutLifecycleConfiguration", "UpdateFileSystem"), ("DeleteFileSystem",), ("CreateFileSystem",)),
        names=(("id", "creation_token"),),
        ignored=frozenset({"name", "number_of_mount_targets", "size_in_bytes"}),
    ),
    "aws_efs_file_system_policy": ResourceKind(
        label="file system policy",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events(("PutFileSystemPolicy",), ("DeleteFileSystemPolicy",), ("PutFileSystemPolicy",)),
        names=(("file_system_id",),),
    ),
    "aws_efs_mount_target": ResourceKind(
        label="mount target",
        listing=_OWNED,
        import_id=_NEW_ID,
        adoption=Listing(
            (),
            "efs",
            "describe_file_systems",
            Objects(
                "FileSystems[]",  # with the mount targets of each
                "{MountTargetId}",
                same=(Same("file_system_id", "FileSystemId"), Same("subnet_id", "SubnetId")),
            ),
        ),
        removal=_OWNED,
        events=Events(("ModifyMountTargetSecurityGroups",), ("DeleteMountTarget",), ("CreateMountTarget",)),
        names=(("id", "file_system_id"),),
    ),
    "aws_eip": ResourceKind(
        label="Elastic IP address",
        listing=Listing(_NETWORK, "ec2", "describe_addresses", Objects("Addresses[]", "{AllocationId}")),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 release-address --allocation-id {0}",
        events=_NOT_LOOKED_UP,
        # The state was written before the NAT gateway got the address.
        ignored=frozenset({"association_id", "instance", "network_interface", "private_dns", "private_ip"}),
    ),
    "aws_flow_log": ResourceKind(
        label="flow log",
        listing=Listing(
            _NETWORK,
            "ec2",
            "describe_flow_logs",
            Objects("FlowLogs[]", "{FlowLogId}", same=(Same("vpc_id", "ResourceId"),)),
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 delete-flow-logs --flow-log-ids {0}",
        events=_NOT_LOOKED_UP,
    ),
    "aws_iam_instance_profile": ResourceKind(
        label="instance profile",
        shown_by_name=True,
        listing=Listing(_ENVIRONMENT, "iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
        import_id=_NAME,
        adoption="name",
        removal="aws iam delete-instance-profile --instance-profile-name {0}",
        events=Events(
            ("AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"),
            ("DeleteInstanceProfile",),
            ("CreateInstanceProfile",),
        ),
        names=(("name",),),
    ),
    "aws_iam_policy": ResourceKind(
        label="IAM policy",
        shown_by_name=True,
        listing=Listing(_ENVIRONMENT, "iam", "list_policies", "Policies[].PolicyName", {"Scope": "Local"}),
        import_id=_BY_ADMINISTRATORS,
        adoption=_BY_ADMINISTRATORS,
        removal=_BY_ADMINISTRATORS,
        events=Events(
            ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"),
            ("DeletePolicy",),
            ("CreatePolicy",),
        ),
        # The state was written before the attachments, which are separate resources.
        ignored=frozenset({"attachment_count"}),
    ),
    "aws_iam_openid_connect_provider": ResourceKind(
        label="identity provider",
        listing=Absent("an account has one for each host, also for what is not an environment's"),
        import_id=_BY_ADMINISTRATORS,
        adoption=_BY_ADMINISTRATORS,
        removal=_BY_ADMINISTRATORS,
        events=Events(
            ("AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider"),
            ("DeleteOpenIDConnectProvider",),
            ("CreateOpenIDConnectProvider",),
        ),
    ),
    "aws_iam_role": ResourceKind(
        label="role",
        shown_by_name=True,
        listing=Listing(_ENVIRONMENT, "iam", "list_roles", "Roles[].RoleName"),
        import_id=_NAME,
        adoption="name",
        removal="aws iam delete-role --role-name {0}",
        events=Events(
            (
                *("UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription"),
                *("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
            ),
            ("DeleteRole",),
            ("CreateRole",),
        ),
        names=(("name",),),  # every AssumeRole holds the ARN
        # The state was written before the policies, which are separate resources.
        ignored=frozenset({"inline_policy", "managed_policy_arns"}),
    ),
    "aws_iam_role_policy": ResourceKind(
        label="role policy",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events(("PutRolePolicy",), ("DeleteRolePolicy",), ("PutRolePolicy",)),
        names=(("role",), ("name",)),
    ),
    "aws_iam_role_policy_attachment": ResourceKind(
        label="policy attachment",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events((), ("DetachRolePolicy",), ("AttachRolePolicy",)),
        names=(("role",), ("policy_arn",)),
    ),
    "aws_internet_gateway": ResourceKind(
        label="internet gateway",
        listing=Listing(
            _NETWORK,
            "ec2",
            "describe_internet_gateways",
            Objects(
                "InternetGateways[]", "{InternetGatewayId}", same=(Same("vpc_id", "Attachments.VpcId", may_lack=True),)
            ),
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 delete-internet-gateway --internet-gateway-id {0}",
        events=_NOT_LOOKED_UP,
    ),
    "aws_kms_alias": ResourceKind(
        label="key alias",
        shown_by_name=True,
        listing=Listing(
            _ENVIRONMENT, "kms", "list_aliases", "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName"
        ),
        import_id=_NAME,
        adoption="name",
        removal="aws kms delete-alias --alias-name {0}",
        events=Events(("UpdateAlias",), ("DeleteAlias",), ("CreateAlias",)),
    ),
    "aws_kms_key": ResourceKind(
        label="key",
        listing=Listing(
            _ENVIRONMENT,
            "kms",
            "list_keys",
            Objects("Keys[]", "{KeyId}", "Name", (Same("description", "Description"),)),
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws kms schedule-key-deletion --key-id {0}",  # cancel-key-deletion reverts it for 30 days
        events=Events(
            (
                *("PutKeyPolicy", "EnableKeyRotation", "DisableKeyRotation"),
                *("EnableKey", "DisableKey", "UpdateKeyDescription"),
            ),
            ("ScheduleKeyDeletion",),
        ),
    ),
    "aws_lambda_function": ResourceKind(
        label="function",
        shown_by_name=True,
        listing=Listing(_ENVIRONMENT, "functions", "list_functions", "Functions[].FunctionName"),
        import_id=_NAME,
        adoption="name",
        removal="aws lambda delete-function --function-name {0}",
        events=Events(
            ("UpdateFunctionConfiguration20150331v2", "UpdateFunctionCode20150331v2"),
            ("DeleteFunction20150331",),
            ("CreateFunction20150331",),
        ),
    ),
    "aws_lambda_function_event_invoke_config": ResourceKind(
        label="function's event settings",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events(
            ("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"),
            ("DeleteFunctionEventInvokeConfig", "DeleteFunction20150331"),
            ("PutFunctionEventInvokeConfig",),
        ),
        names=(("function_name",),),
    ),
    "aws_lambda_permission": ResourceKind(
        label="function's permission",
        listing=_OWNED,
        import_id=_GENERATED_ID,
        adoption=_GENERATED_ID,
        removal=_OWNED,
        events=Events((), ("RemovePermission20150331v2", "DeleteFunction20150331"), ("AddPermission20150331v2",)),
        names=(("function_name",),),
    ),
    "aws_launch_template": ResourceKind(
        label="launch template",
        shown_by_name=True,
        listing=Listing(
            _ENVIRONMENT,
            "ec2",
            "describe_launch_templates",
            Objects("LaunchTemplates[]", "{LaunchTemplateId}", "LaunchTemplateName"),
        ),
        import_id=Absent("Terraform appends digits to its name, so creating it never fails because one exists"),
        adoption="tags",
        removal="aws ec2 delete-launch-template --launch-template-id {0}",
        events=Events(
            ("CreateLaunchTemplateVersion", "ModifyLaunchTemplate"),
            ("DeleteLaunchTemplate",),
            ("CreateLaunchTemplate",),
        ),
    ),
    "aws_nat_gateway": ResourceKind(
        label="NAT gateway",
        listing=Listing(
            _NETWORK,
            "ec2",
            "describe_nat_gateways",
            Objects(
                "NatGateways[?State=='pending' || State=='available']",
                "{NatGatewayId}",
                same=(Same("subnet_id", "SubnetId"), Same("allocation_id", "NatGatewayAddresses.AllocationId")),
            ),
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 delete-nat-gateway --nat-gateway-id {0}",
        events=_NOT_LOOKED_UP,
    ),
    "aws_route": ResourceKind(
        label="route",
        listing=_OWNED,
        import_id=Absent("its table is new, so creating it never fails because one exists"),
        adoption=Listing(
            (),
            "ec2",
            "describe_route_tables",
            Objects(
                "RouteTables[]",  # with the routes of each
                "{RouteTableId}_{DestinationCidrBlock}",
                same=(
                    Same("route_table_id", "RouteTableId"),
                    Same("destination_cidr_block", "DestinationCidrBlock"),
                ),
            ),
        ),
        removal=_OWNED,
        events=Events(("ReplaceRoute",), ("DeleteRoute",), ("CreateRoute",)),
        names=(("route_table_id",),),
    ),
    "aws_route_table": ResourceKind(
        label="route table",
        listing=Listing(
            _NETWORK, "ec2", "describe_route_tables", Objects("RouteTables[]", "{RouteTableId}", same=(_IN_VPC,))
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 delete-route-table --route-table-id {0}",
        events=_NOT_LOOKED_UP,
        ignored=frozenset({"route"}),  # the state was written before the routes, which are separate resources
    ),
    "aws_route_table_association": ResourceKind(
        label="route table association",
        listing=_OWNED,
        import_id=Absent("its subnet is new, so creating it never fails because one exists"),
        adoption=Listing(
            (),
            "ec2",
            "describe_route_tables",
            Objects(
                "RouteTables[].Associations[?SubnetId][]",
                "{SubnetId}/{RouteTableId}",
                same=(Same("subnet_id", "SubnetId"), Same("route_table_id", "RouteTableId")),
            ),
        ),
        removal=_OWNED,
        events=_NOT_LOOKED_UP,
    ),
    "aws_s3_object": ResourceKind(
        label="S3 object",
        listing=Absent("leftovers are looked for by name, and its bucket belongs to the account"),
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_NO_ORPHAN,
        events=Absent("S3 reports it in data events, which CloudTrail's event history does not hold"),
    ),
    "aws_scheduler_schedule": ResourceKind(
        label="schedule",
        listing=_OWNED,
        import_id=f"{_NAME}/{_NAME}",  # gen-infra gives the schedule's group the same name
        adoption=Listing(
            (),
            "schedules",
            "list_schedules",
            Objects(
                "Schedules[]",
                "{GroupName}/{Name}",
                "Name",
                (Same("name", "Name"), Same("group_name", "GroupName")),
            ),
        ),
        removal=_OWNED,
        events=Events(("UpdateSchedule",), ("DeleteSchedule",), ("CreateSchedule",)),
    ),
    "aws_scheduler_schedule_group": ResourceKind(
        label="schedule group",
        listing=Listing(_REBUILD, "schedules", "list_schedule_groups", "ScheduleGroups[].Name"),
        import_id=_NAME,
        adoption="name",
        removal=_NO_ORPHAN,
        events=Absent("its schedule is deleted with it, and the events of the schedule are looked up"),
    ),
    "aws_security_group": ResourceKind(
        label="security group",
        listing=Listing(
            (*_NETWORK, "file_systems"),
            "ec2",
            "describe_security_groups",
            Objects("SecurityGroups[?GroupName!='default']", "{GroupId}", same=(_IN_VPC, Same("name", "GroupName"))),
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 delete-security-group --group-id {0}",
        events=Events((), ("DeleteSecurityGroup",)),
        ignored=frozenset({"egress", "ingress"}),  # the state was written before the rules
    ),
    "aws_sfn_state_machine": ResourceKind(
        label="state machine",
        shown_by_name=True,
        listing=Listing(("workflows",), "states", "list_state_machines", "stateMachines[].stateMachineArn"),
        import_id=f"arn:{{partition}}:states:{{region}}:{{account}}:stateMachine:{_NAME}",
        adoption="name",
        removal="aws stepfunctions delete-state-machine --state-machine-arn {0}",
        events=Events(("UpdateStateMachine",), ("DeleteStateMachine",), ("CreateStateMachine",)),
        ignored=frozenset({"revision_id", "state_machine_version_arn"}),
    ),
    "aws_sns_topic": ResourceKind(
        label="topic",
        listing=Listing(("rebuild", "notifications"), "sns", "list_topics", "Topics[].TopicArn"),
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_NO_ORPHAN,
        events=Events(("SetTopicAttributes",), ("DeleteTopic",), ("CreateTopic",)),
        ignored=frozenset({"policy"}),  # the state was written before the policy, which is a separate resource
    ),
    "aws_sns_topic_policy": ResourceKind(
        label="topic policy",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events(("SetTopicAttributes",), ("DeleteTopic",)),
        names=(("arn",),),
    ),
    "aws_sns_topic_subscription": ResourceKind(
        label="topic subscription",
        listing=_OWNED,
        import_id=_OVERWRITTEN,
        adoption=_NO_CONFLICT,
        removal=_OWNED,
        events=Events(("SetSubscriptionAttributes",), ("Unsubscribe",), ("Subscribe",)),
        names=(("arn", "topic_arn"),),
    ),
    "aws_sqs_queue": ResourceKind(
        label="dead-letter queue",
        shown_by_name=True,
        # Without a page size SQS returns the first thousand and no token for the rest.
        listing=Listing(_ENVIRONMENT, "sqs", "list_queues", "QueueUrls[]", {"PaginationConfig": {"PageSize": 1000}}),
        import_id=f"https://sqs.{{region}}.{{domain}}/{{account}}/{_NAME}",
        adoption="name",
        removal="aws sqs delete-queue --queue-url {0}",
        events=Events(("SetQueueAttributes",), ("DeleteQueue",), ("CreateQueue",)),
    ),
    "aws_subnet": ResourceKind(
        label="subnet",
        listing=Listing(_NETWORK, "ec2", "describe_subnets", Objects("Subnets[]", "{SubnetId}", same=(_IN_VPC,))),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 delete-subnet --subnet-id {0}",
        events=_NOT_LOOKED_UP,
    ),
    "aws_vpc": ResourceKind(
        label="VPC",
        listing=Listing(
            _NETWORK, "ec2", "describe_vpcs", Objects("Vpcs[]", "{VpcId}", same=(Same("cidr_block", "CidrBlock"),))
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 delete-vpc --vpc-id {0}",
        events=_NOT_LOOKED_UP,
    ),
    "aws_vpc_endpoint": ResourceKind(
        label="VPC endpoint",
        listing=Listing(
            _NETWORK,
            "ec2",
            "describe_vpc_endpoints",
            Objects(
                "VpcEndpoints[?State!='deleted' && State!='deleting']",
                "{VpcEndpointId}",
                same=(_IN_VPC, Same("service_name", "ServiceName")),
            ),
        ),
        import_id=_NEW_ID,
        adoption="tags",
        removal="aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {0}",
        events=Events(("ModifyVpcEndpoint",), ("DeleteVpcEndpoints",)),
        ignored=frozenset({"network_interface_ids", "route_table_ids", "subnet_configuration"}),
    ),
    "aws_vpc_security_group_egress_rule": ResourceKind(
        label="egress rule",
        listing=_OWNED,
        import_id=_NEW_ID,
        adoption=_rules("IsEgress"),
        removal=_OWNED,
        events=Events(("ModifySecurityGroupRules",), ("RevokeSecurityGroupEgress",), ("AuthorizeSecurityGroupEgress",)),
        names=_RULE,
    ),
    "aws_vpc_security_group_ingress_rule": ResourceKind(
        label="ingress rule",
        listing=_OWNED,
        import_id=_NEW_ID,
        adoption=_rules("!IsEgress"),
        removal=_OWNED,
        events=Events(
            ("ModifySecurityGroupRules",), ("RevokeSecurityGroupIngress",), ("AuthorizeSecurityGroupIngress",)
        ),
        names=_RULE,
    ),
    "terraform_data": ResourceKind(
        label="record of the manifest",
        listing=_IN_STATE_ONLY,
        import_id=_IN_STATE_ONLY,
        adoption=_IN_STATE_ONLY,
        removal=_IN_STATE_ONLY,
        events=_IN_STATE_ONLY,
    ),
}
