"""Which failures of an attempt are retried: presets, own conditions, and AWS Batch's rules that they become.

AWS Batch evaluates at most 5 rules in order and retries a failure that matches none, so that the last rule ends every
other failure: https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from msgspec import Meta

from gen_infra.manifest.model.base import Model, about, text

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_RULES = 5

_RetryPattern = Annotated[
    str,
    text(
        r"[A-Za-z0-9.:\s]{0,511}[A-Za-z0-9.:\s*]",
        "1 to 512 letters, digits, periods, colons and spaces; a final * stands for any rest",
        "CannotPullContainerError*",
    ),
]
_StatusReason = Annotated[_RetryPattern | None, about("The job's status reason (`statusReason`).")]
_Reason = Annotated[_RetryPattern | None, about("The container's reason.")]


class RetryRule(Model, frozen=True, kw_only=True):
    """The action after an attempt fails and each pattern of the rule matches.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html
    """

    action: Annotated[Literal["RETRY", "EXIT"], about("Retry while `attempts` allow it, or fail.")]
    on_status_reason: _StatusReason = None
    on_reason: _Reason = None
    on_exit_code: (
        Annotated[
            str,
            text(r"[0-9]{1,512}\*?|\*", 'an exit code in quotes, such as "137"; a final * stands for any rest', "137"),
            about("The container's exit code, in quotes."),
        ]
        | None
    ) = None

    def to_api(self) -> dict[str, str]:
        """Return the rule as the API's ``evaluateOnExit`` has it."""
        patterns = {
            "onStatusReason": self.on_status_reason,
            "onReason": self.on_reason,
            "onExitCode": self.on_exit_code,
        }
        return {"action": self.action, **{name: value for name, value in patterns.items() if value is not None}}


class RetryCondition(Model, frozen=True, kw_only=True):
    """A failure to retry; each of its keys must match."""

    exit_code: Annotated[int, Meta(ge=1, le=255), about("The container's exit code.")] | None = None
    reason: _Reason = None
    status_reason: _StatusReason = None


class RetryPreset(NamedTuple):
    """A failure that is not the program's own: its meaning, AWS Batch's words for it, and the source of the words."""

    meaning: str
    on_ec2: RetryRule
    on_fargate: RetryRule
    source: str


PresetName = Literal["host-lost", "image-pull", "docker-timeout"]


def _for_reason(pattern: str) -> RetryRule:
    return RetryRule(action="RETRY", on_reason=pattern)


PRESETS: Mapping[PresetName, RetryPreset] = {
    "host-lost": RetryPreset(
        "the instance was terminated, or AWS took the Spot instance or Fargate Spot task back",
        RetryRule(action="RETRY", on_status_reason="Host EC2*"),
        RetryRule(action="RETRY", on_status_reason="Your Spot Task was interrupted*"),
        "https://aws.amazon.com/blogs/compute/introducing-retry-strategies-for-aws-batch/",
    ),
    "image-pull": RetryPreset(
        "the image was not pulled, often because its registry was busy",
        _for_reason("CannotPull*"),
        _for_reason("CannotPull*"),
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html",
    ),
    "docker-timeout": RetryPreset(
        "Docker, or the container runtime of Fargate, was too slow",
        _for_reason("DockerTimeoutError*"),
        _for_reason("ContainerRuntimeTimeoutError*"),
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html",
    ),
}
DEFAULT_RETRY: tuple[PresetName, ...] = tuple(PRESETS)

# A program that failed would fail again.
END_OTHER_FAILURES = RetryRule(action="EXIT", on_reason="*")
# AWS Batch's own words for both presets: https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
_NOT_STARTED_PRESETS: tuple[PresetName, ...] = ("image-pull", "docker-timeout")
_NOT_STARTED = RetryRule(action="RETRY", on_status_reason="Task failed to start*")

RetriedFailures = Annotated[
    tuple[PresetName | RetryCondition, ...],
    Meta(
        max_length=MOST_RULES,
        examples=[["host-lost", {"exit_code": 75}]],
        extra={"allowed": f"at most {MOST_RULES} are allowed, because AWS Batch accepts {MOST_RULES} rules"},
    ),
    about(
        "The failures that are retried: "
        + ", ".join(f"`{name}` ({preset.meaning})" for name, preset in PRESETS.items())
        + f", and own conditions; every other failure ends the job. `[]` retries none. AWS Batch accepts {MOST_RULES} "
        f"rules, and the last one ends every other failure: {MOST_RULES} entries need both `image-pull` and "
        "`docker-timeout`, which then become one rule, for any container that did not start."
    ),
]


def retry_rules(retry: tuple[PresetName | RetryCondition, ...], *, on_fargate: bool) -> tuple[RetryRule, ...]:
    """Return AWS Batch's rules for these failures; every other failure ends the job.

    Each entry has its own rule, but where these are too many, the presets with one word in AWS Batch share theirs.
    """
    rules = [_rule(entry, on_fargate=on_fargate) for entry in retry]
    if len(rules) >= MOST_RULES and all(name in retry for name in _NOT_STARTED_PRESETS):
        rules = [
            _NOT_STARTED if entry in _NOT_STARTED_PRESETS else rule for entry, rule in zip(retry, rules, strict=True)
        ]
    return (*dict.fromkeys(rules), END_OTHER_FAILURES)


def _rule(entry: PresetName | RetryCondition, *, on_fargate: bool) -> RetryRule:
    if isinstance(entry, RetryCondition):
        return RetryRule(
            action="RETRY",
            on_status_reason=entry.status_reason,
            on_reason=entry.reason,
            on_exit_code=None if entry.exit_code is None else str(entry.exit_code),
        )
    preset = PRESETS[entry]
    return preset.on_fargate if on_fargate else preset.on_ec2


def retry_of(rules: tuple[RetryRule, ...], *, on_fargate: bool) -> tuple[PresetName | RetryCondition, ...] | None:
    """Return the failures that these rules retry, presets by their names; None if only the rules can say it."""
    *retried, last = rules
    if last != END_OTHER_FAILURES or any(rule.action != "RETRY" for rule in retried):
        return None
    entries = tuple(_entry(rule, on_fargate=on_fargate) for rule in retried)
    return None if None in entries else tuple(entry for entry in entries if entry is not None)


def _entry(rule: RetryRule, *, on_fargate: bool) -> PresetName | RetryCondition | None:
    for name in PRESETS:
        if _rule(name, on_fargate=on_fargate) == rule:
            return name
    code = rule.on_exit_code
    if code is not None and (code.endswith("*") or not 1 <= int(code) <= 255):
        return None
    return RetryCondition(
        exit_code=None if code is None else int(code), reason=rule.on_reason, status_reason=rule.on_status_reason
    )
