"""Which of AWS's API calls would be behind a drift, and how one knows it by its parameters.

CloudTrail calls an event by its operation; Lambda's carry the API's date
(https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html). What only S3's data events tell, which are
not in CloudTrail's event history, is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Trace:
    """What to look for.

    Args:
        events: the names of the events that may have done it.
        made: those that make such a thing; what was done before was done to its predecessor.
        mentions: the event's parameters hold one name of each of these sets; the first are those of the thing itself.
        is_iam: whether IAM did it, whose events are kept in one region for all.
        mended: whether `gen-infra apply` would have mended it, so that nothing from before one counts.
    """

    events: tuple[str, ...]
    made: tuple[str, ...]
    mentions: tuple[Names, ...]
    is_iam: bool = False
    mended: bool = True


class _Events(NamedTuple):
    update: tuple[str, ...]
    destroy: tuple[str, ...]
    made: tuple[str, ...]


_KEYS = ("name", "function_name", "compute_environment_name", "id", "arn", "key_id")
_RULE_KEYS = ("security_group_rule_id", "cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
# Where a resource is only known by what it belongs to, or by more than one thing.
_MENTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "aws_cloudwatch_event_target": (("rule",), ("target_id",)),
    "aws_cloudwatch_metric_alarm": (("alarm_name", "arn"),),
    "aws_ecr_lifecycle_policy": (("repository",),),
    "aws_iam_instance_profile": (("name",),),
    "aws_iam_role": (("name",),),  # its ARN is in every AssumeRole
    "aws_iam_role_policy": (("role",), ("name",)),
    "aws_iam_role_policy_attachment": (("role",), ("policy_arn",)),
    "aws_lambda_function_event_invoke_config": (("function_name",),),
    "aws_route": (("route_table_id",),),
    "aws_sns_topic_policy": (("arn",),),
    "aws_sns_topic_subscription": (("arn", "topic_arn"),),
    "aws_vpc_security_group_egress_rule": (("security_group_id",), _RULE_KEYS),
    "aws_vpc_security_group_ingress_rule": (("security_group_id",), _RULE_KEYS),
}
_EVENTS = {
    "aws_batch_compute_environment": _Events(
        ("UpdateComputeEnvironment",), ("DeleteComputeEnvironment",), ("CreateComputeEnvironment",)
    ),
    "aws_batch_job_definition": _Events(
        ("RegisterJobDefinition",), ("DeregisterJobDefinition",), ("RegisterJobDefinition",)
    ),
    "aws_batch_job_queue": _Events(("UpdateJobQueue",), ("DeleteJobQueue",), ("CreateJobQueue",)),
    "aws_batch_scheduling_policy": _Events(
        ("UpdateSchedulingPolicy",), ("DeleteSchedulingPolicy",), ("CreateSchedulingPolicy",)
    ),
    "aws_cloudwatch_event_rule": _Events(("PutRule", "DisableRule", "EnableRule"), ("DeleteRule",), ("PutRule",)),
    "aws_cloudwatch_event_target": _Events(("PutTargets",), ("RemoveTargets",), ("PutTargets",)),
    "aws_cloudwatch_log_group": _Events(
        ("PutRetentionPolicy", "DeleteRetentionPolicy", "AssociateKmsKey", "DisassociateKmsKey"),
        ("DeleteLogGroup",),
        ("CreateLogGroup",),
    ),
    "aws_cloudwatch_metric_alarm": _Events(
        ("PutMetricAlarm", "DisableAlarmActions", "EnableAlarmActions"), ("DeleteAlarms",), ("PutMetricAlarm",)
    ),
    "aws_codebuild_project": _Events(("UpdateProject",), ("DeleteProject",), ("CreateProject",)),
    "aws_ecr_lifecycle_policy": _Events(("PutLifecyclePolicy",), ("DeleteLifecyclePolicy",), ("PutLifecyclePolicy",)),
    "aws_ecr_repository": _Events(
        ("PutImageTagMutability", "PutImageScanningConfiguration"), ("DeleteRepository",), ("CreateRepository",)
    ),
    "aws_iam_instance_profile": _Events(
        ("AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"),
        ("DeleteInstanceProfile",),
        ("CreateInstanceProfile",),
    ),
    "aws_iam_role": _Events(
        (
            *("UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription"),
            *("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
        ),
        ("DeleteRole",),
        ("CreateRole",),
    ),
    "aws_iam_role_policy": _Events(("PutRolePolicy",), ("DeleteRolePolicy",), ("PutRolePolicy",)),
    "aws_iam_role_policy_attachment": _Events((), ("DetachRolePolicy",), ("AttachRolePolicy",)),
    "aws_kms_alias": _Events(("UpdateAlias",), ("DeleteAlias",), ("CreateAlias",)),
    "aws_kms_key": _Events(
        (
            *("PutKeyPolicy", "EnableKeyRotation", "DisableKeyRotation"),
            *("EnableKey", "DisableKey", "UpdateKeyDescription"),
        ),
        ("ScheduleKeyDeletion",),
        (),
    ),
    "aws_lambda_function": _Events(
        ("UpdateFunctionConfiguration20150331v2", "UpdateFunctionCode20150331v2"),
        ("DeleteFunction20150331",),
        ("CreateFunction20150331",),
    ),
    "aws_lambda_function_event_invoke_config": _Events(
        ("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"),
        ("DeleteFunctionEventInvokeConfig", "DeleteFunction20150331"),
        ("PutFunctionEventInvokeConfig",),
    ),
    "aws_launch_template": _Events(
        ("CreateLaunchTemplateVersion", "ModifyLaunchTemplate"), ("DeleteLaunchTemplate",), ("CreateLaunchTemplate",)
    ),
    "aws_route": _Events(("ReplaceRoute",), ("DeleteRoute",), ("CreateRoute",)),
    "aws_scheduler_schedule": _Events(("UpdateSchedule",), ("DeleteSchedule",), ("CreateSchedule",)),
    "aws_security_group": _Events((), ("DeleteSecurityGroup",), ()),
    "aws_sns_topic": _Events(("SetTopicAttributes",), ("DeleteTopic",), ("CreateTopic",)),
    "aws_sns_topic_policy": _Events(("SetTopicAttributes",), ("DeleteTopic",), ()),
    "aws_sns_topic_subscription": _Events(("SetSubscriptionAttributes",), ("Unsubscribe",), ("Subscribe",)),
    "aws_sqs_queue": _Events(("SetQueueAttributes",), ("DeleteQueue",), ("CreateQueue",)),
    "aws_vpc_endpoint": _Events(("ModifyVpcEndpoint",), ("DeleteVpcEndpoints",), ()),
    "aws_vpc_security_group_egress_rule": _Events(
        ("ModifySecurityGroupRules",), ("RevokeSecurityGroupEgress",), ("AuthorizeSecurityGroupEgress",)
    ),
    "aws_vpc_security_group_ingress_rule": _Events(
        ("ModifySecurityGroupRules",), ("RevokeSecurityGroupIngress",), ("AuthorizeSecurityGroupIngress",)
    ),
}


def trace(type_: str, action: str, values: Mapping[str, Any]) -> Trace | None:
    """The trace of a change to, or the end of, a resource with these attributes; None where none is known."""
    known = _EVENTS.get(type_)
    if known is None:
        return None
    events = known.update if action == "update" else known.destroy
    mentions = tuple(_names(values, keys) for keys in _MENTIONS.get(type_, (_KEYS,)))
    if not events or not all(mentions):
        return None
    return Trace(events, known.made, mentions, is_iam=type_.startswith("aws_iam_"))


def added(event: str, *mentions: str) -> Trace:
    """The trace of what somebody put beside a resource, where an apply leaves it."""
    names = tuple(frozenset({each}) for each in mentions)
    return Trace((event,), (), names, is_iam=event.endswith("RolePolicy"), mended=False)


def _names(values: Mapping[str, Any], keys: tuple[str, ...]) -> Names:
    """All that a call may name the resource by: an event has the name, the ARN or the id, as it was called."""
    names = {str(values[key]) for key in keys if values.get(key)}
    if values.get("revision") and values.get("name"):
        names.add(f"{values['name']}:{values['revision']}")
    return frozenset(names)
