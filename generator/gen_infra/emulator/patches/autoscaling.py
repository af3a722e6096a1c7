"""Auto Scaling: the groups and failed activities of compute environments whose launches are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.batch.models import batch_backends
from moto.core.responses import ActionResult

from gen_infra.emulator.patches.launch_keys import launch_refusal
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.batch.models import ComputeEnvironment

    from gen_infra.emulator.launches import LaunchRefusal


@moto_patch(
    moto="5.2.5 creates no Auto Scaling group for a compute environment, and no scaling activities",
    aws="names the group AWSBatch-<environment>-asg-<uuid>, and shows a failed activity for a launch that EC2 refuses",
)
def refused_launches() -> None:
    """Add the groups and activities of compute environments whose launches are refused.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/CHAP_Troubleshooting.html
    """

    @around(AutoScalingResponse, "describe_auto_scaling_groups")
    def groups(original: Any, response: AutoScalingResponse) -> ActionResult:
        found = original(response)
        names = response._get_param("AutoScalingGroupNames", [])
        if not found.result.get("NextToken"):  # on the last page
            found.result["AutoScalingGroups"] = [
                *found.result["AutoScalingGroups"],
                *(
                    _group(response, each, refusal)
                    for each, refusal in _refused(response)
                    if not names or _name(each) in names
                ),
            ]
        return ActionResult(found.result)

    @around(AutoScalingResponse, "describe_scaling_activities")
    def activities(original: Any, response: AutoScalingResponse) -> ActionResult:
        name, found = response._get_param("AutoScalingGroupName"), original(response).result
        failed = [_activity(each, refusal) for each, refusal in _refused(response) if name in (None, _name(each))]
        return ActionResult(found | {"Activities": [*found["Activities"], *failed]})


def _refused(response: AutoScalingResponse) -> Iterator[tuple[ComputeEnvironment, LaunchRefusal]]:
    """Return the compute environments of the request's account and region whose launches are refused."""
    backend = batch_backends[response.current_account][response.region]
    for environment in [*backend._compute_environments.values()]:
        if environment.env_type == "MANAGED" and (refusal := launch_refusal(backend, environment)):
            yield environment, refusal


def _name(environment: ComputeEnvironment) -> str:
    return f"AWSBatch-{environment.name}-asg-{getattr(environment, 'uuid', '')}"


def _group(response: AutoScalingResponse, environment: ComputeEnvironment, refusal: LaunchRefusal) -> dict[str, Any]:
    name = _name(environment)
    return {
        "AutoScalingGroupName": name,
        "AutoScalingGroupARN": f"arn:{response.partition}:autoscaling:{response.region}:{response.current_account}:"
        f"autoScalingGroup:{getattr(environment, 'uuid', '')}:autoScalingGroupName/{name}",
        "MinSize": 0,
        "MaxSize": int(environment.compute_resources["maxvCpus"]),
        "DesiredCapacity": 1,
        "DefaultCooldown": 300,
        "AvailabilityZones": [f"{response.region}a"],
        "HealthCheckType": "EC2",
        "Instances": [],
        "CreatedTime": refusal.since,
        "VPCZoneIdentifier": ",".join(environment.compute_resources["subnets"]),
    }


def _activity(environment: ComputeEnvironment, refusal: LaunchRefusal) -> dict[str, Any]:
    return {
        "ActivityId": refusal.activity,
        "AutoScalingGroupName": _name(environment),
        "Description": f"Launching a new EC2 instance.  Status Reason: {refusal.message}",
        "Cause": f"At {refusal.since:%Y-%m-%dT%H:%M:%SZ} an instance was started in response to a difference between "
        "desired and actual capacity, increasing the capacity from 0 to 1.",
        "StartTime": refusal.since,
        "EndTime": refusal.since,
        "StatusCode": "Failed",
        "StatusMessage": refusal.message,
        "Progress": 100,
    }


PATCHES: tuple[MotoPatch, ...] = (refused_launches,)
