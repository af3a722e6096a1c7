"""Effects of changes of job queues, scheduling policies and job definitions."""

from __future__ import annotations

from gen_infra.aws.queues import stopped_by_budget
from gen_infra.aws.updates import SCHEDULING_REMOVED
from gen_infra.explain.rule import NEW_RESOURCE, Danger, EffectRule, Facts, always

_QUEUE = "aws_batch_job_queue"
_DEFINITION = "aws_batch_job_definition"


def _new_queue_state(facts: Facts) -> tuple[str, Danger | None]:
    if facts.after.get("state") == "DISABLED":
        return "accepts no more jobs; those in it still run", None
    if stopped := stopped_by_budget(facts.before.get("state"), facts.before.get("tags_all")):
        return (
            f"accepts jobs again, although it was disabled at {stopped} because the budget was used up; to keep it "
            "disabled, set its state to DISABLED in the manifest",
            "enable-queues",
        )
    return "accepts jobs again", None


def _replaced_queue(facts: Facts) -> tuple[str, Danger | None]:
    """Explain that a queue's name is fixed, so the new one cannot exist beside the old one."""
    if not facts.refusals:
        return _GONE_QUEUE(facts)
    why = (
        "a queue can never lose its scheduling policy"
        if facts.refusals[0] is SCHEDULING_REMOVED
        else "a queue can never get a scheduling policy"
    )
    return (
        f"{why}: it is deleted and created again under its name, and every job in it, waiting or running, is "
        "terminated; to keep them, add a queue with a new name and move the jobs first",
        "stop-jobs",
    )


_GONE_QUEUE = always("every job in it, waiting or running, is terminated with it", "stop-jobs")
_DELETES_QUEUE = "the provider disables and deletes it, and DeleteJobQueue terminates its jobs"

QUEUE_RULES = (
    EffectRule(
        _QUEUE, "update", "priority",
        always("waiting jobs are scheduled before or after those of other queues; running jobs continue"),
        "the scheduler compares the priorities of queues that share an environment",
    ),
    EffectRule(
        _QUEUE, "update", "compute_environment_order",
        always("repointed: waiting jobs are placed in this order; running jobs stay where they are"),
        "the order is read whenever a job is placed",
    ),
    EffectRule(_QUEUE, "update", "state", _new_queue_state, "UpdateJobQueue changes it in place"),
    EffectRule(
        _QUEUE, "update", "scheduling_policy_arn",
        always("waiting jobs are scheduled by another policy; running jobs continue"),
        "UpdateJobQueue replaces a policy, but cannot add or remove one",
    ),
    EffectRule(
        _QUEUE, "update", "job_state_time_limit_action",
        always("waiting jobs are cancelled after other times; running jobs continue"),
        "the limits are for the state RUNNABLE alone",
    ),
    EffectRule(_QUEUE, "update", "tags_all", always("tags only: jobs are not touched"), "TagResource"),
    EffectRule(_QUEUE, "replace", "", _replaced_queue, f"name: the provider replaces it (ForceNew); {_DELETES_QUEUE}"),
    EffectRule(_QUEUE, "destroy", "", _GONE_QUEUE, _DELETES_QUEUE),
    EffectRule(
        "aws_batch_scheduling_policy", "update", "",
        always("waiting jobs are scheduled by the new shares; running jobs continue"),
        "UpdateSchedulingPolicy changes it in place; only jobs that wait are scheduled",
    ),
    EffectRule(
        _DEFINITION, "update", "tags_all",
        always("tags only, of the newest revision: running and submitted jobs keep theirs"),
        "TagResource; a revision's tags are copied to its jobs as they are submitted",
    ),
    *(
        EffectRule(
            _DEFINITION, "update", name,
            always("a new revision, for jobs submitted from now on; running and submitted jobs keep the old one"),
            "a revision never changes: the provider registers the next one, and keeps those before",
        )
        for name in (
            "container_properties", "ecs_properties", "node_properties", "parameters", "platform_capabilities",
            "propagate_tags", "retry_strategy", "scheduling_priority", "timeout",
        )
    ),
    EffectRule(
        _DEFINITION, "replace", "",
        always(
            "its revisions are deregistered and a new one is registered, for jobs submitted from then on; running and "
            "submitted jobs continue"
        ),
        f"another number of evaluate_on_exit: {NEW_RESOURCE}, and deregisters all revisions",
    ),
    EffectRule(
        _DEFINITION, "destroy", "",
        always("it can no longer be submitted; running and submitted jobs continue"),
        "the provider deregisters all revisions, and a job keeps what it was submitted with",
    ),
)  # fmt: skip
