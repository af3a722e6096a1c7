"""Submit a Batch job, directly or through the environment's function."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.tags import ENVIRONMENT_TAG, SUBMITTER_TAG
from gen_infra.errors import AwsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.aws.session import Clients

# Characters of a submission's overrides as JSON, which ECS checks when Batch starts the job:
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
OVERRIDES_AT_MOST = 8192
_TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")  # https://docs.aws.amazon.com/batch/latest/userguide/using-tags.html
# What the function raises for an event that it does not accept.
_REFUSALS = {"EventTypeError", "EventValueError", "NotAllowedError", "OtherEnvironmentError"}
# What the function does not pass on.
_NOT_IN_EVENTS = {
    "nodeOverrides": "overrides of a multi-node job",
    "retryStrategy": "attempts",
    "timeout": "a timeout",
}


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """One job to submit.

    Args:
        name: the job's own name.
        queue: the queue's name or ARN.
        definition: ``name``, ``name:revision`` or an ARN; without a revision the newest active one runs.
        command: replaces the definition's command; ``None`` leaves it.
        environment: added to the definition's variables, or in their place.
        parameters: values for ``Ref::name`` in the definition's command.
        depends_on: ids of jobs that must succeed first. For an array also ``ID:N_TO_N`` (each child waits for the same
            child of that array) and ``SEQUENTIAL`` (each child waits for the previous child).
        array_size: makes it an array job with that many children.
        share_identifier: required by a queue with a fair-share policy, refused by any other.
        container: the container of a job of several that command, environment and resources are for.
        is_multi_node: whether the definition is for a multi-node job; what it is given is then for each node.
        vcpus: replaces the definition's vCPUs.
        memory_mib: replaces the definition's memory.
        gpus: replaces the definition's GPUs.
        timeout_seconds: replaces the definition's timeout of each attempt.
        attempts: replaces the most attempts of the definition.
        retry_rules: ``evaluateOnExit`` for these attempts, because AWS Batch replaces the whole retry strategy.
        tags: added to the job, and to its ECS tasks.
    """

    name: str
    queue: str
    definition: str
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    array_size: int | None = None
    share_identifier: str | None = None
    container: str | None = None
    is_multi_node: bool = False
    vcpus: float | None = None
    memory_mib: int | None = None
    gpus: int | None = None
    timeout_seconds: int | None = None
    attempts: int | None = None
    retry_rules: tuple[Mapping[str, str], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def submit_arguments(request: SubmitRequest) -> dict[str, Any]:
    """Return what SubmitJob is called with; only what the request says, so that the definition's own values stand.

    Limits: https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html

    Raises:
        UsageError: the request breaks a limit that Batch would answer less clearly.
    """
    _check(request)
    timeout, attempts = request.timeout_seconds, request.attempts
    optional = {
        **_overrides(request),
        "dependsOn": [_dependency(word) for word in request.depends_on],
        "parameters": dict(request.parameters),
        "arrayProperties": None if request.array_size is None else {"size": request.array_size},
        "shareIdentifier": request.share_identifier,
        "timeout": None if timeout is None else {"attemptDurationSeconds": timeout},
        "retryStrategy": None
        if attempts is None
        else {"attempts": attempts, "evaluateOnExit": [dict(rule) for rule in request.retry_rules]},
        "tags": dict(request.tags),
    }
    return {
        "jobName": request.name,
        "jobQueue": request.queue,
        "jobDefinition": request.definition,
        **{key: value for key, value in optional.items() if value},
    }


def _overrides(request: SubmitRequest) -> dict[str, Any]:
    """Return the member of SubmitJob that replaces settings of the job's container; none if there are none."""
    asked = {"VCPU": request.vcpus, "MEMORY": request.memory_mib, "GPU": request.gpus}
    settings = {
        "command": None if request.command is None else list(request.command),
        "environment": [{"name": name, "value": value} for name, value in request.environment.items()] or None,
        "resourceRequirements": [
            {"type": kind, "value": str(value)} for kind, value in asked.items() if value is not None
        ]
        or None,
    }
    overrides = {key: value for key, value in settings.items() if value is not None}
    if not overrides:
        return {}
    length = len(json.dumps(overrides, ensure_ascii=False, separators=(",", ":")))
    if length > OVERRIDES_AT_MOST:
        what = (
            "command, environment and resources" if "resourceRequirements" in overrides else "command and environment"
        )
        raise UsageError(
            f"{what} are {length} characters; AWS Batch accepts {OVERRIDES_AT_MOST} at most",
            hint="put long lists into a file in a bucket, and pass the file's name",
        )
    if request.container:
        task = {"containers": [{"name": request.container, **overrides}]}
        return {"ecsPropertiesOverride": {"taskProperties": [task]}}
    if request.is_multi_node:
        every_node = {"targetNodes": "0:", "containerOverrides": overrides}
        return {"nodeOverrides": {"nodePropertyOverrides": [every_node]}}
    return {"containerOverrides": overrides}


def owner_tags(environment: str, user_id: str) -> dict[str, str]:
    """Return the tags by which policies know a job: a job's ARN names neither its environment nor its submitter.

    Args:
        environment: the environment's name.
        user_id: ``aws:userid`` of the caller.
    """
    tags = {ENVIRONMENT_TAG: environment, SUBMITTER_TAG: user_id}
    return {key: value for key, value in tags.items() if _TAG_VALUE.fullmatch(value)}


@aws_errors()
def submit(clients: Clients, request: SubmitRequest) -> str:
    """Submit the job to Batch and return its id."""
    return clients.batch.submit_job(**submit_arguments(request))["jobId"]


def submit_event(request: SubmitRequest) -> dict[str, Any]:
    """Return the event of the function ``batchSubmitJob-<env>``.

    Raises:
        UsageError: as :func:`submit_arguments`, or the request has what the function does not take.
    """
    event = submit_arguments(request)
    if extra := [words for key, words in _NOT_IN_EVENTS.items() if key in event]:
        raise UsageError(f"the submit function does not take {', '.join(extra)}", hint="leave out --via-function")
    return event


@aws_errors()
def submit_via_function(clients: Clients, function_name: str, request: SubmitRequest) -> str:
    """Submit the job by invoking the environment's function, wait for its answer and return the job's id.

    Raises:
        UsageError: the function refused the event.
        AwsError: the function failed, or answered without a job id.
    """
    event = json.dumps(submit_event(request)).encode()
    response = clients.functions.invoke(FunctionName=function_name, Payload=event)
    answer = json.loads(response["Payload"].read() or b"null")
    answer = answer if isinstance(answer, dict) else {}
    if response.get("FunctionError"):
        message = f"{function_name}: {answer.get('errorMessage', 'failed without a message')}"
        if answer.get("errorType") in _REFUSALS:
            raise UsageError(message, hint="if the manifest was changed since the last apply, run gen-infra apply")
        raise AwsError(message, hint=f"its log group is /aws/lambda/{function_name}")
    if "jobId" not in answer:
        raise AwsError(f"{function_name} answered without a jobId")
    return str(answer["jobId"])


def _check(request: SubmitRequest) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", request.name):
        raise UsageError(
            f'invalid job name "{request.name}": use 1 to 128 letters, digits, "_" and "-", first a letter or digit'
        )
    if request.array_size is not None and not 2 <= request.array_size <= 10_000:
        raise UsageError(f"invalid array size {request.array_size}: use 2 to 10000")
    share = request.share_identifier
    if share is not None and not re.fullmatch(r"[A-Za-z0-9]{1,255}\*?", share):
        raise UsageError(f'invalid share identifier "{share}": use 1 to 255 letters and digits; a final * may follow')
    _check_dependencies(request)
    for name in request.environment:
        if not re.fullmatch(r"(?!AWS_BATCH)[A-Za-z_][A-Za-z0-9_]*", name):
            raise UsageError(
                f'invalid environment variable "{name}": use letters, digits and "_"; AWS Batch reserves AWS_BATCH…'
            )
    _check_numbers(request)


def _check_dependencies(request: SubmitRequest) -> None:
    """Check https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDependency.html."""
    if len(request.depends_on) > 20:
        raise UsageError(f"{len(request.depends_on)} dependencies: AWS Batch accepts at most 20")
    for word in request.depends_on:
        if re.fullmatch(r"[A-Za-z0-9-]+:SEQUENTIAL", word):
            raise UsageError(
                f'invalid dependency "{word}": SEQUENTIAL is for the children of this array, and takes no job id',
                hint=f"use --depends-on {word.partition(':')[0]} --depends-on SEQUENTIAL to wait for both",
            )
        if not re.fullmatch(r"SEQUENTIAL|[A-Za-z0-9-]{1,64}(:[0-9]+|:N_TO_N|#[0-9]+)?", word):
            raise UsageError(f'invalid dependency "{word}": use a job id, ID:N_TO_N or SEQUENTIAL')
    kinds = {word.rpartition(":")[2] for word in request.depends_on} & {"N_TO_N", "SEQUENTIAL"}
    if kinds and request.array_size is None:
        raise UsageError(f"{' and '.join(sorted(kinds))} is for array jobs", hint="add --array-size")


def _check_numbers(request: SubmitRequest) -> None:
    """Check what AWS refuses on every platform; what a queue can place depends on its compute environments.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html, API_RetryStrategy.html and
    API_JobTimeout.html
    """
    if request.vcpus is not None and not (math.isfinite(request.vcpus) and request.vcpus > 0):
        raise UsageError(
            f"invalid number of vCPUs {request.vcpus}: use a whole number from 1, or 0.25 and 0.5 on Fargate"
        )
    for what, value, low, high in (
        ("memory", request.memory_mib, 4, 2**31 - 1),
        ("number of GPUs", request.gpus, 1, 2**31 - 1),
        ("timeout of", request.timeout_seconds, 60, 2**31 - 1),
        ("number of attempts", request.attempts, 1, 10),
    ):
        if value is not None and not low <= value <= high:
            unit = {"memory": " MiB", "timeout of": " seconds"}.get(what, "")
            raise UsageError(f"invalid {what} {value}{unit}: use {low} to {high}{unit}")


def _dependency(word: str) -> dict[str, str]:
    """Convert one dependency: https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDependency.html."""
    if word == "SEQUENTIAL":
        return {"type": word}
    job_id, _, kind = word.rpartition(":")
    return {"jobId": job_id, "type": kind} if kind == "N_TO_N" else {"jobId": word}
