"""The causes, in the order in which they are believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.why import ended, launching, starting, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_infra.why.evidence import Cause, Evidence

    Test = Callable[[Evidence], Cause | None]

# What is wrong for certain: all that hold are told.
CERTAIN: tuple[Test, ...] = (
    ended.ended_by_somebody,
    ended.dependency_failed,
    ended.child_failed,
    ended.time_limit,
    ended.spot_reclaimed,
    ended.disk_full,
    starting.role_not_assumable,
    starting.image_unreachable,
    starting.image_throttled,
    starting.image_absent,
    starting.image_denied,
    starting.image_platform,
    starting.log_driver,
    starting.secrets,
    starting.volumes,
    waiting.dependency,
    waiting.queue_disabled,
    waiting.queue_invalid,
    waiting.environments_disabled,
    waiting.environments_invalid,
    waiting.no_instance_type,
    waiting.above_vcpu_maximum,
    launching.service_role,
    launching.vcpu_quota,
    launching.key_policy,
    launching.machine_image,
    launching.no_addresses,
    launching.spot_price,
    launching.no_capacity,
    launching.unsupported_configuration,
    launching.no_way_out,
)

# What is believed only where nothing above holds: the first one that does is told.
LIKELY: tuple[Test, ...] = (
    ended.host_lost,
    starting.image_pull,
    ended.out_of_memory,
    starting.program_absent,
    ended.program_failed,
    launching.launch_fails,
    launching.instances_do_not_join,
    waiting.array_children,
    waiting.behind_others,
    waiting.vcpu_maximum_reached,
    launching.instances_starting,
)


def causes(evidence: Evidence) -> tuple[Cause, ...]:
    """Why the job is where it is, the first one first; none where none is known, or where all is well."""
    if evidence.status == "SUCCEEDED":
        return ()
    certain = tuple(cause for test in CERTAIN if (cause := test(evidence)))
    if certain and not all(cause.name == "queue-disabled" for cause in certain):
        return certain
    likely = tuple(cause for test in LIKELY if (cause := test(evidence)))[:1]
    if certain:  # what is in a disabled queue may still run: something else holds the job up, unless nothing is known
        likely = tuple(cause for cause in likely if cause.name != "instances-starting")
    return certain + likely
