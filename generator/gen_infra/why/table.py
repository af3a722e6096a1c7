"""The causes, in the order in which they are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.why import ended, launching, starting, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gen_infra.why.evidence import Cause, Evidence

    Test = Callable[[Evidence], Cause | None]

# Of a job that has failed, or whose last attempt has.
# What is wrong for certain: all that are found are reported.
END_CERTAIN: tuple[Test, ...] = (
    ended.ended_by_a_caller,
    ended.dependency_failed,
    ended.child_failed,
    ended.time_limit,
    ended.spot_reclaimed,
    ended.overrides_too_long,
    ended.disk_full,
    starting.role_not_assumable,
    starting.image_unreachable,
    starting.image_throttled,
    starting.image_absent,
    starting.image_denied,
    starting.image_platform,
    starting.log_throttled,
    starting.log_driver,
    starting.registry_login,
    starting.secrets,
    starting.volumes,
    starting.network_interface,
    # Batch ends a job for these, where its queue says so (jobStateTimeLimitActions).
    waiting.no_instance_type,
    waiting.above_vcpu_maximum,
    launching.service_role,
    launching.no_capacity,
    launching.unsupported_configuration,
)
# What is likely where nothing above is found: the first one is reported.
END_LIKELY: tuple[Test, ...] = (
    ended.host_lost,
    starting.image_pull,
    ended.java_heap,
    ended.gpu_memory,
    ended.shared_memory,
    ended.out_of_memory,
    starting.program_absent,
    starting.docker_timeout,
    starting.container_start,
    ended.access_denied,
    ended.no_credentials,
    ended.host_unreachable,
    ended.program_failed,
    starting.not_started,
)

# Of a job that waits.
LIVE_CERTAIN: tuple[Test, ...] = (
    waiting.dependency,
    waiting.queue_disabled,
    waiting.queue_invalid,
    waiting.environments_disabled,
    waiting.environments_invalid,
    waiting.no_instance_type,
    waiting.above_vcpu_maximum,
    launching.service_role,
    launching.vcpu_quota,
    launching.volume_quota,
    launching.spot_role,
    launching.key_policy,
    launching.machine_image,
    launching.no_addresses,
    launching.spot_price,
    launching.no_capacity,
    launching.unsupported_configuration,
    launching.no_way_out,
)
LIVE_LIKELY: tuple[Test, ...] = (
    launching.launch_fails,
    launching.instances_do_not_join,
    waiting.array_children,
    waiting.behind_other_jobs,
    waiting.vcpu_maximum_reached,
    launching.undetermined,
    launching.container_starting,
    launching.instances_starting,
)
ALL: tuple[Test, ...] = (*END_CERTAIN, *END_LIKELY, *LIVE_CERTAIN, *LIVE_LIKELY)


def causes(evidence: Evidence) -> tuple[Cause, ...]:
    """Find why the job is where it is, the first cause first; none where none is known, or all is well."""
    certain = _found(END_CERTAIN, evidence) if evidence.has_ended else ()
    if evidence.waits:
        known = {cause.name for cause in certain}
        certain += tuple(cause for cause in _found(LIVE_CERTAIN, evidence) if cause.name not in known)
    if certain and not all(cause.name == "queue-disabled" for cause in certain):
        return certain
    likely = _found(END_LIKELY, evidence) if evidence.has_ended else ()
    if evidence.waits:
        likely += _found(LIVE_LIKELY, evidence)
    if certain:  # a job in a disabled queue may still run: something else keeps it, unless nothing is known
        likely = tuple(cause for cause in likely if cause.name != "instances-starting")
    return certain + likely[:1]


def _found(tests: Iterable[Test], evidence: Evidence) -> tuple[Cause, ...]:
    return tuple(cause for test in tests if (cause := test(evidence)))
