"""What AWS Batch says of an attempt that each preset of ``retry`` retries, and its rules as the API has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_infra.manifest.model.retry import PresetName, RetryRule

NOT_STARTED = "Task failed to start"
EXITED = "Essential container in task exited"

# Preset and platform -> the status reason, and the container's reason.
WORDS: dict[tuple[PresetName, bool], tuple[str, str]] = {
    ("host-lost", False): ("Host EC2 (instance i-0123456789abcdef0) terminated.", ""),
    ("host-lost", True): ("Your Spot Task was interrupted.", ""),
    ("image-pull", False): (NOT_STARTED, "CannotPullContainerError: unexpected EOF"),
    ("image-pull", True): (NOT_STARTED, "CannotPullContainerError: pull image manifest has been retried 5 time(s)"),
    ("docker-timeout", False): (
        NOT_STARTED,
        "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s",
    ),
    ("docker-timeout", True): (
        NOT_STARTED,
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m",
    ),
}


def api_rules(rules: tuple[RetryRule, ...]) -> list[dict[str, str]]:
    """Rules as DescribeJobs and DescribeJobDefinitions answer them: actions in lower case, and nothing empty."""
    names = {"on_status_reason": "onStatusReason", "on_reason": "onReason", "on_exit_code": "onExitCode"}
    return [
        {"action": rule.action.lower(), **{name: value for key, name in names.items() if (value := getattr(rule, key))}}
        for rule in rules
    ]
