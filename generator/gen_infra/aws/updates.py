"""What AWS never lets an update do, although Terraform plans one: the one table.

The rows come from the API reference of AWS Batch's Update calls. There is no row where the provider replaces the
resource by itself (names, encryption, placement groups), nor for what no manifest can change: a scheduling policy
always has a fair-share policy, say.

The rendered Terraform replaces what a row refuses, the explanation says what happens to jobs, and the emulator refuses
the call in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SERVICE_LINKED_ROLE = "AWSServiceRoleForBatch"
_API = "https://docs.aws.amazon.com/batch/latest/APIReference/"
_GUIDE = "https://docs.aws.amazon.com/batch/latest/userguide/"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One change that AWS refuses.

    Args:
        type: the resource type.
        attribute: its attribute, as in a plan.
        refuses: whether a change from one value to another is refused; a missing value is None.
        call: the API call that refuses it.
        message: the rule in AWS's words.
        source: where AWS states it.
    """

    type: str
    attribute: str
    refuses: Callable[[Any, Any], bool]
    call: str
    message: str
    source: str


def _is_added(old: Any, new: Any) -> bool:
    return not old and bool(new)


def _is_removed(old: Any, new: Any) -> bool:
    return bool(old) and not new


def _exchanges_linked_role(old: Any, new: Any) -> bool:
    return _is_linked(old) != _is_linked(new)


def _is_linked(role: Any) -> bool:
    """Return whether it is the service-linked role, which Batch uses where none is given."""
    return not role or str(role).endswith(f"/{SERVICE_LINKED_ROLE}")


def _changes_fargate(old: Any, new: Any) -> bool:
    return old != new and any(str(each).startswith("FARGATE") for each in (old, new))


SCHEDULING_ADDED = Refusal(
    "aws_batch_job_queue",
    "scheduling_policy_arn",
    _is_added,
    "UpdateJobQueue",
    "A job queue without a fair-share scheduling policy is scheduled as a FIFO job queue and can't have a fair-share "
    "scheduling policy added",
    f"{_API}API_CreateJobQueue.html",
)
SCHEDULING_REMOVED = Refusal(
    "aws_batch_job_queue",
    "scheduling_policy_arn",
    _is_removed,
    "UpdateJobQueue",
    "Once a job queue is created, the fair-share scheduling policy can be replaced but not removed",
    f"{_API}API_UpdateJobQueue.html",
)
SERVICE_ROLE = Refusal(
    "aws_batch_compute_environment",
    "service_role",
    _exchanges_linked_role,
    "UpdateComputeEnvironment",
    "If the compute environment has a service-linked role, it can't be changed to use a regular IAM role. Likewise, if "
    "the compute environment has a regular IAM role, it can't be changed to use a service-linked role",
    f"{_API}API_UpdateComputeEnvironment.html",
)
FARGATE_TYPE = Refusal(
    "aws_batch_compute_environment",
    "compute_resources.type",
    _changes_fargate,
    "UpdateComputeEnvironment",
    "For compute environments that use Fargate resources, you can update the following: securityGroupIds, subnets, "
    "desiredvCpus, maxvCpus, minvCpus",
    f"{_GUIDE}updating-compute-environments.html",
)
REFUSALS: tuple[Refusal, ...] = (SCHEDULING_ADDED, SCHEDULING_REMOVED, SERVICE_ROLE, FARGATE_TYPE)


def refusals(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Refusal]:
    """List what AWS would refuse if a resource were updated.

    Args:
        type_: the resource type.
        before: its attributes as they are.
        after: its attributes as planned; a value that is not known yet is any value but None.
    """
    for refusal in REFUSALS:
        if refusal.type == type_:
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
