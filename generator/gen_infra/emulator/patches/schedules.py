"""EventBridge Scheduler: the role of a schedule, and a run of its target that a test asks for.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
"""

from __future__ import annotations

from typing import Any

from moto.codebuild.models import codebuild_backends
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends
from moto.utilities.utils import get_partition

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.patches.deliveries import count_failure
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

SERVICE = "scheduler.amazonaws.com"


@moto_patch(
    moto="5.2.5 accepts any role for a schedule",
    aws="refuses a role that does not exist, or that does not trust EventBridge Scheduler for the schedule's group",
)
def schedule_roles() -> None:
    """Ask the role's trust policy before a schedule is created or updated."""
    for name in ("create_schedule", "update_schedule"):

        @around(EventBridgeSchedulerBackend, name)
        def change(original: Any, backend: EventBridgeSchedulerBackend, *args: Any, **kwargs: Any) -> Any:
            role, group = kwargs["target"].get("RoleArn", ""), kwargs.get("group_name") or "default"
            if _actor(backend.region_name, role, group) is None:
                raise ValidationException(
                    "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
                )
            return original(backend, *args, **kwargs)


@moto_patch(
    moto="5.2.5 fails with KeyError where a schedule's new group, or a group to delete, does not exist",
    aws="answers ResourceNotFoundException",
)
def absent_schedule_groups() -> None:
    """Look up the group before the call.

    https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
    """

    @around(EventBridgeSchedulerBackend, "create_schedule")
    def create(original: Any, backend: EventBridgeSchedulerBackend, *args: Any, **kwargs: Any) -> Any:
        backend.get_schedule_group(kwargs.get("group_name"))
        return original(backend, *args, **kwargs)

    @around(EventBridgeSchedulerBackend, "delete_schedule_group")
    def delete(original: Any, backend: EventBridgeSchedulerBackend, name: str | None) -> None:
        backend.get_schedule_group(name)
        original(backend, name)


def _actor(region: str, role: str, group: str) -> acts.Actor | None:
    source = f"arn:{get_partition(region)}:scheduler:{region}:{ACCOUNT_ID}:schedule-group/{group}"
    return acts.role(role, region, SERVICE, session="schedule", source=source)


def run_schedule(region: str, group: str, name: str) -> str:
    """Run the target of a schedule now, a build; return why it was refused, or an empty text.

    Raises:
        ValueError: the target is none that the emulator can run.
    """
    schedule = scheduler_backends[ACCOUNT_ID][region].get_schedule(group, name)
    target = schedule.target["Arn"]
    if ":codebuild:" not in target:
        raise ValueError(f'cannot run the target "{target}": only builds of CodeBuild can be run')
    actor = _actor(region, schedule.target["RoleArn"], schedule.group_name)
    context = {"aws:scheduler:schedule:arn": schedule.arn}
    refused = (
        f"{schedule.target['RoleArn']} does not trust {SERVICE}"
        if actor is None
        else acts.key_refusal(actor, schedule.kms_key_arn, ["kms:Decrypt"], context, via="scheduler")
        or acts.refusal(actor, "codebuild:StartBuild", target)
    )
    if refused:
        dimension = {"Name": "ScheduleGroup", "Value": schedule.group_name}
        count_failure(region, ACCOUNT_ID, "AWS/Scheduler", "TargetErrorCount", dimension)
    else:
        codebuild_backends[ACCOUNT_ID][region].start_build(target.rpartition("/")[2])
    return refused


PATCHES: tuple[MotoPatch, ...] = (schedule_roles, absent_schedule_groups)
