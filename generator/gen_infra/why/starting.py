"""Causes that keep a container from starting: role, image, log driver, secrets, volumes, the program itself.

ECS's words: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.why.evidence import Cause

if TYPE_CHECKING:
    from gen_infra.why.evidence import Evidence

_PULL = r"CannotPull\w*Error|pull image|failed to pull"
_UNREACHABLE = (
    r"i/o timeout|Client\.Timeout|request canceled|connection (timed out|refused|reset)|no such host"
    r"|send request failed|dial tcp|deadline exceeded|TLS handshake timeout"
)
# Status codes stand alone: account ids and digests hold the same digits.
_DENIED = r"AccessDenied|not authorized|no basic auth|denied|\b(403|401)\b|unauthorized"
_ABSENT = r"not found|does not exist|RepositoryNotFound|manifest unknown|\b404\b"
_NO_REPOSITORY = r"repository with name .* does not exist in the registry"
_PLATFORM = r"platform|exec format error"
_THROTTLED = r"toomanyrequests|rate limit"
_LOG_DRIVER = r"logging driver|CreateLogStream|CannotStartContainerError.*log"
_FULL = r"no space left on device"


def role_not_assumable(evidence: Evidence) -> Cause | None:
    """The job's role is gone, or does not trust ECS's tasks."""
    said = evidence.saying(r"unable to assume (the )?role|unable to assume the (task|execution) role|sts:AssumeRole")
    if not said:
        return None
    roles = tuple(
        f"its {words} is {arn}"
        for words, key in (("role", "jobRoleArn"), ("execution role", "executionRoleArn"))
        if (arn := evidence.container.get(key))
    )
    fix = f"gen-infra apply {evidence.path} makes its own roles again; one of yours must trust ecs-tasks.amazonaws.com"
    message = "its role cannot be assumed"
    return Cause("role-not-assumable", message, (*said, *roles, *evidence.wrong("roles")), fix)


def image_unreachable(evidence: Evidence) -> Cause | None:
    """The registry does not answer: no route, or no endpoint."""
    said = _pull(evidence, _UNREACHABLE)
    if not said:
        return None
    routes = evidence.wrong("routes", "security groups")
    fix = (
        evidence.advice("routes", "security groups")
        or f"gen-infra doctor {evidence.path} looks at routes and security groups"
    )
    return Cause("image-unreachable", "its instance does not reach the image's registry", (*said, *routes), fix)


def image_throttled(evidence: Evidence) -> Cause | None:
    """A public registry limits how often it is asked."""
    said = _pull(evidence, _THROTTLED)
    fix = "push the image to ECR (repositories in the manifest), or log in with registry_secret"
    return Cause("image-throttled", "its image's registry limits pulls", said, fix) if said else None


def image_absent(evidence: Evidence) -> Cause | None:
    """No such repository, or no such tag in it."""
    said = () if _pull(evidence, _PLATFORM) else _pull(evidence, _ABSENT)
    looked = evidence.wrong("container images")
    if not said and not (looked and evidence.saying(_PULL)):
        return None
    push = evidence.advice("container images") or f"push {_image(evidence)}"
    if evidence.saying(_NO_REPOSITORY):
        push = (
            f"name its repository in repositories, gen-infra apply {evidence.path}, and docker push {_image(evidence)}"
        )
    fix = f"{push}, or correct image of {evidence.job_key}"
    return Cause("image-absent", "its image is not there", (*said, *looked), fix)


def image_denied(evidence: Evidence) -> Cause | None:
    """The registry refuses."""
    said = _pull(evidence, _DENIED)
    if not said:
        return None
    fix = (
        f"let the instances' role (on Fargate the execution role) pull {_image(evidence)}: "
        "AmazonEC2ContainerServiceforEC2Role does in the same account, the repository's policy in another one; "
        "for a private registry name registry_secret"
    )
    return Cause("image-denied", "its image may not be pulled", said, fix)


def image_platform(evidence: Evidence) -> Cause | None:
    """The image is for another CPU architecture than its instances."""
    said = (*_pull(evidence, r"platform"), *evidence.saying("exec format error"), *evidence.logged("exec format error"))
    if not said:
        return None
    wanted = evidence.manifest.image.architecture
    fix = f"build it for {wanted}: docker build --platform linux/{'arm64' if wanted == 'arm64' else 'amd64'}"
    return Cause("image-platform", "its image is for another CPU architecture", said, fix)


def image_pull(evidence: Evidence) -> Cause | None:
    """Any other failure to pull."""
    said = () if evidence.saying(_FULL) else evidence.saying(_PULL)
    fix = f"try it: docker pull {_image(evidence)}"
    return Cause("image-pull", "its image cannot be pulled", said, fix) if said else None


def log_driver(evidence: Evidence) -> Cause | None:
    """No log group, no permission for it, or no way to CloudWatch Logs."""
    said = evidence.saying(_LOG_DRIVER)
    if not said:
        return None
    group = evidence.container.get("logConfiguration", {}).get("options", {}).get("awslogs-group", "/aws/batch/job")
    if any("ResourceNotFound" in words or "does not exist" in words for words in said):
        return Cause(
            "log-group-absent",
            f"its log group {group} is gone",
            said,
            f"gen-infra apply {evidence.path} makes it again",
        )
    routes = evidence.wrong("routes", "security groups")
    fix = (
        f"let the instances' role (on Fargate the execution role) create streams and put events in {group}, "
        f"and reach CloudWatch Logs: gen-infra doctor {evidence.path}"
    )
    return Cause("log-driver", "its log cannot be written to CloudWatch Logs", (*said, *routes), fix)


def secrets(evidence: Evidence) -> Cause | None:
    """A secret could not be fetched before the start."""
    said = evidence.saying(r"ResourceInitializationError.*secret|unable to (pull|retrieve) secret|fetching secret")
    if not said:
        return None
    fix = f"gen-infra doctor {evidence.path} looks at the secrets, their keys and the way to them"
    return Cause("secrets", "its secrets cannot be fetched", said, fix)


def volumes(evidence: Evidence) -> Cause | None:
    """A volume could not be mounted."""
    said = evidence.saying(
        r"mount\.nfs|efs utils|failed to invoke EFS|mounting .* failed|error while mounting|bind source path"
    )
    if not said:
        return None
    fix = f"check the file system, its mount targets and TCP port 2049: gen-infra doctor {evidence.path}"
    return Cause("volumes", "a volume of it cannot be mounted", said, fix)


def program_absent(evidence: Evidence) -> Cause | None:
    """The command is not in the image, or is no program."""
    said = (
        *evidence.saying(r"executable file not found|no such file or directory: unknown|permission denied: unknown"),
        *((f"exit code {evidence.exit_code}",) if evidence.exit_code in {126, 127} else ()),
    )
    if not said:
        return None
    command = " ".join(evidence.container.get("command", []))
    fix = f"correct command of {evidence.job_key}, or the image's entry point"
    message = "its command cannot be run in its image"
    return Cause("program-absent", message, (*said, *((f"command: {command}",) if command else ())), fix)


def _pull(evidence: Evidence, pattern: str) -> tuple[str, ...]:
    """What was said of a pull, if the pattern is found in it."""
    return tuple(words for words in evidence.saying(pattern) if words in evidence.saying(_PULL))


def _image(evidence: Evidence) -> str:
    return str(evidence.container.get("image", "the image"))
