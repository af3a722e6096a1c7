"""VPC flow logs: whether they can be delivered to their log group.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
"""

from __future__ import annotations

from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.ec2.models.flow_logs import FlowLogsBackend
from moto.logs.models import logs_backends
from moto.utilities.utils import get_partition

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

SERVICE = "vpc-flow-logs.amazonaws.com"
_WRITE = ("logs:CreateLogStream", "logs:PutLogEvents")


@moto_patch(
    moto="5.2.5 shows every flow log whose log group exists by its name as delivered",
    aws="shows it as FAILED with Access error while its role may not write to its log group, or does not trust it",
)
def flow_log_status() -> None:
    """Evaluate the role when flow logs are described."""

    @around(FlowLogsBackend, "describe_flow_logs")
    def describe_flow_logs(original: Any, backend: Any, *args: Any, **kwargs: Any) -> list[Any]:
        found: list[Any] = original(backend, *args, **kwargs)
        for each in found:
            if each.log_destination_type == "cloud-watch-logs":
                is_delivered = _is_delivered(backend.region_name, each)
                each.deliver_logs_status = "SUCCESS" if is_delivered else "FAILED"
                each.deliver_logs_error_message = None if is_delivered else "Access error"
        return found


def _is_delivered(region: str, flow_log: Any) -> bool:
    named = flow_log.log_group_name or str(flow_log.log_destination).partition(":log-group:")[2].removesuffix(":*")
    source = f"arn:{get_partition(region)}:ec2:{region}:{ACCOUNT_ID}:vpc-flow-log/{flow_log.id}"
    actor = acts.role(flow_log.deliver_logs_permission_arn, region, SERVICE, session="flow-logs", source=source)
    if actor is None or named not in logs_backends[ACCOUNT_ID][region].groups:
        return False
    group = f"arn:{get_partition(region)}:logs:{region}:{ACCOUNT_ID}:log-group:{named}:log-stream:"
    every_group = f"arn:{get_partition(region)}:logs:{region}:{ACCOUNT_ID}:log-group::log-stream:"
    needed = [("logs:DescribeLogGroups", every_group), ("logs:DescribeLogStreams", group)]
    return not acts.first_refusal(actor, [*needed, *((action, group) for action in _WRITE)])


PATCHES: tuple[MotoPatch, ...] = (flow_log_status,)
