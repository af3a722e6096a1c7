"""Effects of changes of compute environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.explain.rule import NEW_RESOURCE, Danger, EffectRule, Facts, always

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENVIRONMENT = "aws_batch_compute_environment"


def _resources(state: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(state.get("compute_resources") or []), {})


def _is_fargate(facts: Facts) -> bool:
    return str(_resources(facts.before or facts.after).get("type", "")).startswith("FARGATE")


def _image(state: Mapping[str, Any]) -> str:
    configuration: Mapping[str, Any] = next(iter(_resources(state).get("ec2_configuration") or []), {})
    return str(configuration.get("image_id_override") or "")


def _what(facts: Facts) -> str:
    """Name the change that users look for most."""
    return "new image, " if _image(facts.after) not in {"", _image(facts.before)} else ""


def _infrastructure_update(facts: Facts) -> tuple[str, Danger | None]:
    """Explain how instances are replaced, as the update policy says; Batch's default is 30 minutes."""
    if _is_fargate(facts):
        return "in place: what starts from now on has it; running jobs keep what they started with", None
    policy: Mapping[str, Any] = next(iter(facts.after.get("update_policy") or []), {})
    minutes = policy.get("job_execution_timeout_minutes", 30)
    if policy.get("terminate_jobs_on_update"):
        return (
            f"{_what(facts)}in place, every instance is replaced at once: running jobs are terminated, and retried "
            "where their retry strategy says so",
            "stop-jobs",
        )
    start = f"{_what(facts)}in place: new instances have it; running jobs get {minutes} minutes to end on the old ones"
    longer = sorted(name for name, needed in facts.minutes.items() if needed > minutes)
    if not longer:
        return f"{start}, and none may take longer", None
    names = ", ".join(longer)
    return (
        f"{start}, then they are terminated, and retried where their retry strategy says so; {names} may take longer",
        "stop-jobs",
    )


def _new_maximum(facts: Facts) -> tuple[str, Danger | None]:
    old, new = (_resources(state).get("max_vcpus", 0) for state in (facts.before, facts.after))
    if new > old:
        return "scaling only: more instances may start; running jobs continue", None
    return "scaling only: no instance starts beyond it; running jobs continue", None


def _new_minimum(facts: Facts) -> tuple[str, Danger | None]:
    old, new = (_resources(state).get("min_vcpus") or 0 for state in (facts.before, facts.after))
    if new > old:
        return "scaling only: instances keep running without jobs, and cost money; running jobs continue", None
    return "scaling only: idle instances are terminated; running jobs continue", None


def _new_state(facts: Facts) -> tuple[str, Danger | None]:
    if facts.after.get("state") == "DISABLED":
        return (
            "accepts no more jobs: its queues' waiting jobs need another compute environment; running jobs continue",
            None,
        )
    return "accepts jobs again", None


_DRAINED = (
    "accepts no more jobs, and is deleted when those that run there have ended: apply waits for them (plain terraform "
    "and destroy do not)"
)


def _replaced(facts: Facts) -> tuple[str, Danger | None]:
    return (
        f"{_what(facts)}by a successor, which is VALID before the queues are pointed to it; the old one {_DRAINED}",
        None,
    )


_SCALING = "a scaling update of Batch"
_INFRASTRUCTURE = "an infrastructure update of Batch: service-linked role, and a strategy that allows it"
_NOT_UPDATABLE = (
    "Batch updates in place only with the service-linked role and BEST_FIT_PROGRESSIVE or a SPOT_…_OPTIMIZED strategy; "
    "the provider (CustomizeDiff) and the module then replace"
)

COMPUTE_RULES = (
    EffectRule(_ENVIRONMENT, "update", "compute_resources.max_vcpus", _new_maximum, _SCALING),
    EffectRule(_ENVIRONMENT, "update", "compute_resources.min_vcpus", _new_minimum, _SCALING),
    EffectRule(_ENVIRONMENT, "update", "state", _new_state, _SCALING),
    EffectRule(
        _ENVIRONMENT, "update", "service_role",
        always("Batch uses another role from now on; running jobs continue"),
        f"{_SCALING}, between custom roles",
    ),
    EffectRule(
        _ENVIRONMENT, "update", "update_policy",
        always("later updates treat running jobs differently; no job is affected now"),
        "the update policy is kept, and read when an infrastructure update begins",
    ),
    EffectRule(
        _ENVIRONMENT, "update", "tags_all",
        always("tags only: instances and jobs are not touched"), "TagResource",
    ),
    *(
        EffectRule(_ENVIRONMENT, "update", f"compute_resources.{name}", _infrastructure_update, _INFRASTRUCTURE)
        for name in (
            "allocation_strategy", "bid_percentage", "ec2_configuration", "instance_role",
            "instance_type", "launch_template", "security_group_ids", "subnets", "tags", "type",
        )
    ),
    *(
        EffectRule(_ENVIRONMENT, "replace", name, _replaced, f"{name}: {NEW_RESOURCE}")
        for name in (
            "name_prefix", "compute_resources.placement_group",
            "compute_resources.spot_iam_fleet_role",
        )
    ),
    EffectRule(_ENVIRONMENT, "replace", "", _replaced, _NOT_UPDATABLE),
    EffectRule(
        _ENVIRONMENT, "destroy", "", always(_DRAINED),
        "the provider disables and deletes it, and Batch its instances, without waiting for jobs; AWS refuses that "
        "while it is in a queue, so apply puts it into one until no job runs there",
    ),
    EffectRule(
        "aws_launch_template", "update", "",
        always("a new version, for instances that start later; the compute environment decides about running ones"),
        "a version of a launch template never changes; each change makes the next one",
    ),
)  # fmt: skip
