"""Effects of changes of what jobs need: roles, network connections, functions."""

from __future__ import annotations

from gen_infra.explain.rule import GONE, Danger, EffectRule, Facts, always
from gen_infra.terraform.policy_documents import services, statements


def _gone_role(facts: Facts) -> tuple[str, Danger | None]:
    """Explain what the loss of a role means: to jobs for a role of tasks or instances, else to Batch."""
    trusted = {name for statement in statements(facts.before.get("assume_role_policy")) for name in services(statement)}
    if trusted & {"ec2", "ecs-tasks"}:
        return "its credentials stop working at once: running jobs that use it fail", "stop-jobs"
    if trusted & {"batch", "spotfleet"}:
        return "is deleted after the compute environments that use it, and so after their jobs", None
    return "its credentials stop working at once", None


_WAYS = {
    "aws_nat_gateway": "running jobs lose their connections through it",
    "aws_route": "running jobs lose their route there",
    "aws_route_table_association": "running jobs of its subnet lose their routes",
    "aws_vpc_endpoint": "running jobs lose their connection to its service",
    "aws_vpc_security_group_egress_rule": "running jobs lose their outgoing connections through it",
    "aws_vpc_security_group_ingress_rule": "running jobs cannot be reached by it any more",
}
_IN_USE = (
    "AWS deletes it only when no instance uses it (DependencyViolation): first set min_vcpus: 0 and state: DISABLED on "
    "its compute environments, and wait until their jobs have ended; if apply fails with that error, run it again"
)
NEED_RULES = (
    EffectRule(
        "aws_iam_role", "update", "permissions_boundary",
        always("may do only what its policies and the boundary both allow, running jobs too"),
        "IAM decides at each call, sessions that are open included",
    ),
    *(
        EffectRule("aws_iam_role", action, "", _gone_role, "IAM refuses the sessions of a role that is deleted")
        for action in GONE
    ),
    *(
        EffectRule(
            "aws_iam_instance_profile", action, "",
            always("instances lose their role, and the jobs on them ECS, ECR and logs", "stop-jobs"),
            "an instance gets its credentials through its profile",
        )
        for action in GONE
    ),
    *(
        EffectRule(kind, action, "", always(text, "stop-jobs"), "the provider deletes it, and does not wait for jobs")
        for kind, text in _WAYS.items()
        for action in GONE
    ),
    *(
        EffectRule(
            kind, "destroy", "", always(_IN_USE),
            f"{call} returns DependencyViolation while it is in use; the provider retries for a limited time",
        )
        for kind, call in (
            ("aws_security_group", "DeleteSecurityGroup"), ("aws_subnet", "DeleteSubnet"), ("aws_vpc", "DeleteVpc")
        )
    ),
    EffectRule(
        "aws_lambda_function", "update", "",
        always("new calls run it; calls that are running finish with the old one"),
        "Lambda changes code and settings for new invocations",
    ),
    EffectRule(
        "aws_sfn_state_machine", "update", "definition",
        always("runs that start from now on follow it; those that are going on finish as they began"),
        "running executions continue to use the previous definition (UpdateStateMachine)",
    ),
)  # fmt: skip
