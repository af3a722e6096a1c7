"""Causes that keep a container from starting: role, image, log, secrets, volumes, Docker, the program itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.errors import find_refusal
from gen_infra.why import messages
from gen_infra.why.evidence import Cause, quoted
from gen_infra.why.permissions import other_policy

if TYPE_CHECKING:
    from collections.abc import Collection

    from gen_infra.why.evidence import Evidence
    from gen_infra.why.messages import FailureKind, Subject


def role_not_assumable(evidence: Evidence) -> Cause | None:
    """Check whether the job's role does not exist, or does not trust ECS's tasks."""
    reported = _reported(evidence, "role")
    if not reported:
        return None
    roles = tuple(
        f"its {words} is {arn}"
        for words, key in (("role", "jobRoleArn"), ("execution role", "executionRoleArn"))
        if (arn := evidence.container.get(key))
    )
    fix = (
        f"run gen-infra apply {evidence.manifest_path}, which creates its own roles again; "
        "a role of yours must trust ecs-tasks.amazonaws.com"
    )
    message = "its role cannot be assumed"
    return Cause("role-not-assumable", message, (*reported, *roles, *evidence.wrong("roles")), fix)


def image_unreachable(evidence: Evidence) -> Cause | None:
    """Check whether the registry does not answer: no route, or no endpoint."""
    reported = _reported(evidence, "image", {"unreachable"})
    if not reported:
        return None
    routes = evidence.wrong("routes", "security groups")
    message = "its instance cannot reach the image's registry"
    return Cause("image-unreachable", message, (*reported, *routes), _network(evidence))


def image_throttled(evidence: Evidence) -> Cause | None:
    """Check whether a public registry limits how often images are pulled."""
    reported = _reported(evidence, "image", {"throttled"})
    fix = (
        "push the image to ECR (repositories in the manifest), or log in to its registry with repository_credentials "
        f"of {evidence.job_key}; for a limit that ends soon, {evidence.advice_on_retries('image-pull')}"
    )
    return Cause("image-throttled", "its image's registry limits pulls", reported, fix) if reported else None


def image_absent(evidence: Evidence) -> Cause | None:
    """Check whether the repository does not exist, or has no such tag; a registry says the same of what it hides."""
    hidden = () if _image_is_there(evidence) else ("hidden",)
    reported = _reported(evidence, "image", {"absent", *hidden})
    looked = evidence.wrong("container images")
    if not reported and not (looked and _reported(evidence, "image", {"other", "denied", "hidden"})):
        return None
    push = evidence.advice("container images") or f"push {_image(evidence)}"
    if any("does not exist in the registry" in words for words in reported):
        apply = f"gen-infra apply {evidence.manifest_path}"
        push = f"name its repository in repositories, {apply}, and {_push(evidence)}"
    private = "" if ".dkr.ecr." in _image(evidence) else "; if its registry is private, set repository_credentials"
    fix = f"{push}, or correct image of {evidence.job_key}{private}"
    return Cause("image-absent", "its image does not exist", (*reported, *looked), fix)


def _push(evidence: Evidence) -> str:
    """Return the command that pushes the image, with the address that the doctor found for its registry."""
    advices = (each.advice for each in evidence.findings if each.subject == "container images" and each.advice)
    return next(advices, f"docker push {_image(evidence)}").removeprefix("after apply: ")


def image_denied(evidence: Evidence) -> Cause | None:
    """Check whether the registry refuses."""
    hidden = ("hidden",) if _image_is_there(evidence) else ()
    reported = _reported(evidence, "image", {"refused", "denied", *hidden})
    if not reported or evidence.wrong("container images"):
        return None
    fix = _refused_by(reported, evidence) or (
        f"{_allow(reported, 'what AmazonEC2ContainerServiceforEC2Role allows')} in the instances' role "
        "(by iam.image_repositories, if the environment creates it; on Fargate in the execution role), and for another "
        "account's repository in its policy; "
        "for a private registry outside AWS set "
        f"repository_credentials of {evidence.job_key}"
    )
    return Cause("image-denied", "pulling its image is not allowed", reported, fix)


def image_platform(evidence: Evidence) -> Cause | None:
    """Check whether the image is for another CPU architecture than its instances."""
    failed = [each.reason for each in evidence.failures if each.kind == "platform"]
    logged = evidence.logged(messages.LOGGED_PLATFORM) if evidence.exit_code else ()
    reported = (*map(quoted, failed), *logged)
    if not reported:
        return None
    wanted = evidence.architecture
    fix = f"build it for {wanted}: docker build --platform linux/{'arm64' if wanted == 'arm64' else 'amd64'}"
    return Cause("image-platform", "its image is for another CPU architecture", reported, fix)


def image_pull(evidence: Evidence) -> Cause | None:
    """Check whether the image could not be pulled for any other reason."""
    reported = _reported(evidence, "image", {"other"})
    fix = f"try docker pull {_image(evidence)}; if that works, {evidence.advice_on_retries('image-pull')}"
    return Cause("image-pull", "its image cannot be pulled", reported, fix) if reported else None


def docker_timeout(evidence: Evidence) -> Cause | None:
    """Check whether Docker needed longer than the ECS agent waits: its disk is too slow for so many containers."""
    reported = _reported(evidence, "docker")
    if not reported:
        return None
    fix = (
        f"submit it again, or {evidence.advice_on_retries('docker-timeout')}; if it happens often, raise "
        "image.root.throughput_mib_s and image.root.iops, or the timeouts in image.ecs (then build the image), "
        "or let fewer jobs start on one instance at a time: smaller instance_types, or larger jobs"
    )
    return Cause("docker-timeout", "Docker on its instance was too slow", reported, fix)


def log_throttled(evidence: Evidence) -> Cause | None:
    """Check whether CloudWatch Logs limits how many streams are made in a second."""
    reported = _reported(evidence, "log", {"throttled"})
    if not reported:
        return None
    fix = (
        "submit it again; if it happens often, start fewer jobs at once, or raise the quota of CreateLogStream: "
        f"Service Quotas console, Amazon CloudWatch Logs, in {evidence.manifest.region}"
    )
    return Cause("log-throttled", "CloudWatch Logs throttled the creation of its log stream", reported, fix)


def log_driver(evidence: Evidence) -> Cause | None:
    """Check whether the log group does not exist, or cannot be written to, or reached."""
    reported = _reported(
        evidence, "log", {"full", "platform", "refused", "unreachable", "hidden", "absent", "denied", "other"}
    )
    if not reported:
        return None
    group = evidence.container.get("logConfiguration", {}).get("options", {}).get("awslogs-group", "/aws/batch/job")
    if _reported(evidence, "log", {"absent"}):
        fix = f"run gen-infra apply {evidence.manifest_path}, which creates it again"
        return Cause("log-group-absent", f"its log group {group} does not exist", reported, fix)
    routes = evidence.wrong("routes", "security groups")
    allow = _allow(reported, "logs:CreateLogStream and logs:PutLogEvents")
    if _reported(evidence, "log", {"unreachable"}):
        fix = _network(evidence)
    elif _reported(evidence, "log", {"refused", "denied"}):
        own = f"{allow} on {group} in the instances' role (on Fargate in the execution role)"
        fix = _refused_by(reported, evidence) or own
    else:
        fix = (
            f"{allow} on {group} in the instances' role (on Fargate in the execution role), and check the way to "
            f"CloudWatch Logs: gen-infra doctor {evidence.manifest_path}"
        )
    return Cause("log-driver", "its log cannot be written to CloudWatch Logs", (*reported, *routes), fix)


def registry_login(evidence: Evidence) -> Cause | None:
    """Check whether the secret with the login of the image's registry could not be fetched."""
    reported = _reported(evidence, "login")
    if not reported:
        return None
    key = f"repository_credentials of {evidence.job_key}"
    fix = f'correct {key}, or the secret: its text is {{"username": "...", "password": "..."}}'
    if _reported(evidence, "login", {"unreachable"}):
        fix = _network(evidence)
    elif _reported(evidence, "login", {"refused", "denied"}):
        fix = (
            f"{_allow(reported, 'secretsmanager:GetSecretValue')} in its execution role: "
            f"gen-infra apply {evidence.manifest_path} renews it"
        )
    elif _reported(evidence, "login", {"absent"}):
        fix = f"correct {key}, or create the secret"
    return Cause("registry-login", "the login of its image's registry cannot be fetched", reported, fix)


def secrets(evidence: Evidence) -> Cause | None:
    """Check whether a secret could not be fetched before the start."""
    reported = _reported(evidence, "secret")
    if not reported:
        return None
    if _reported(evidence, "secret", {"unreachable"}):
        routes = evidence.wrong("routes", "security groups")
        message = "its secrets cannot be fetched: their service does not answer"
        return Cause("secrets", message, (*reported, *routes), _network(evidence))
    doctor = f"gen-infra doctor {evidence.manifest_path}"
    fix = f"{doctor} looks at the secrets, their keys and the way to them"
    if _reported(evidence, "secret", {"refused", "denied"}):
        fix = _refused_by(reported, evidence) or (
            f"{_allow(reported, 'secretsmanager:GetSecretValue or ssm:GetParameters')} in its execution role: "
            f"gen-infra apply {evidence.manifest_path} renews it; a secret with a key of yours needs kms_key; {fix}"
        )
    elif _reported(evidence, "secret", {"absent"}):
        fix = f"correct secrets of {evidence.job_key}, or create the secret; {fix}"
    elif _reported(evidence, "secret", {"throttled"}):
        fix = "submit it again, and start fewer jobs at once"
    return Cause("secrets", "its secrets cannot be fetched", reported, fix)


def volumes(evidence: Evidence) -> Cause | None:
    """Check whether a volume could not be mounted."""
    reported = _reported(evidence, "file system")
    if not reported:
        return None
    fix = f"check the file system, its mount targets and TCP port 2049: gen-infra doctor {evidence.manifest_path}"
    if _reported(evidence, "file system", {"refused", "denied"}):
        fix = f"allow its role in the file system's policy, and check the access point; {fix}"
    return Cause("volumes", "a volume of it cannot be mounted", reported, fix)


def network_interface(evidence: Evidence) -> Cause | None:
    """Check whether a task on Fargate got no network interface."""
    reported = evidence.reasons_with(messages.NETWORK_INTERFACE)
    if not reported:
        return None
    fix = f"submit it again; if it happens often, look at free addresses: gen-infra doctor {evidence.manifest_path}"
    return Cause("network-interface", "its Fargate task got no network interface", reported, fix)


def program_absent(evidence: Evidence) -> Cause | None:
    """Check whether the command is not in the image, or cannot be executed there."""
    failed = tuple(
        quoted(each.reason)
        for each in evidence.failures
        if each.subject == "container" and each.kind != "platform" and messages.PROGRAM.search(each.reason)
    )
    code = evidence.exit_code
    ended = (f"exit code {code}",) if code in {126, 127} else ()
    if not failed and not ended:
        return None
    logged = evidence.logged(messages.LOGGED_PROGRAM)[-1:] if ended else ()
    command = " ".join(map(str, evidence.container.get("command", [])))
    shown = (f"command: {command}",) if command else ()
    fix = f"correct command of {evidence.job_key}, or the image's entry point"
    if logged:
        found = messages.LOGGED_PROGRAM.search(logged[0].partition("its log says: ")[2])
        program = next((name for name in found.groups() if name), "") if found else ""
        fix = f"{fix}; or add {program or 'it'} to the image"
        if program.rpartition("/")[2] == "aws":
            fix += ", or set image.aws_cli and build the machine image again, if it is mounted from the host"
    message = "its command cannot be run in its image"
    return Cause("program-absent", message, (*failed, *ended, *logged, *shown), fix)


def container_start(evidence: Evidence) -> Cause | None:
    """Check whether Docker could not start the container, for a reason that no other cause covers."""
    reported = _reported(evidence, "container")
    fix = f"fix what Docker says; its settings are under {evidence.job_key}"
    return Cause("container-start", "its container cannot be started", reported, fix) if reported else None


def not_started(evidence: Evidence) -> Cause | None:
    """Check whether ECS started no container, and gave AWS Batch no reason for it."""
    reported = evidence.reasons_with(messages.NOT_STARTED)
    fix = "submit it again; if that ends the same way, read the log of the ECS agent on the instance (Session Manager)"
    return (
        Cause("not-started", "ECS did not start its container, and gives no reason", reported, fix)
        if reported
        else None
    )


def _reported(evidence: Evidence, subject: Subject, kinds: Collection[FailureKind] = ()) -> tuple[str, ...]:
    """Return Batch's message if the subject failed in one of these ways, or in any; a full disk is another cause."""
    return tuple(
        quoted(each.reason)
        for each in evidence.failures
        if each.subject == subject and (each.kind in kinds if kinds else each.kind not in {"full", "platform"})
    )


def _allow(reported: tuple[str, ...], actions: str) -> str:
    """Name the permission that AWS names, unless AWS Batch cut it, and the role that lacks it; else the usual ones."""
    found = ((words, refusal) for words in reported if (refusal := find_refusal(words)))
    refusal = next((each for words, each in found if not messages.ends_cut(words, each.action)), None)
    if refusal is None:
        return f"allow {actions}"
    return f"allow {refusal.action}" + (f" for {refusal.role}" if refusal.role else "")


def _refused_by(reported: tuple[str, ...], evidence: Evidence) -> str:
    """Say which other policy than the role's own AWS names; empty if it names none."""
    found = ((words, refusal) for words in reported if (refusal := find_refusal(words)))
    return next(filter(None, (other_policy(words, refusal, evidence) for words, refusal in found)), "")


def _network(evidence: Evidence) -> str:
    advice = evidence.advice("routes", "security groups")
    return advice or f"gen-infra doctor {evidence.manifest_path} looks at routes and security groups"


def _image(evidence: Evidence) -> str:
    return str(evidence.container.get("image", "the image"))


def _image_is_there(evidence: Evidence) -> bool:
    """Check whether the doctor found the image; it does not check registries outside this account."""
    found = [each for each in evidence.findings if each.subject == "container images"]
    return any(each.level == "ok" and "not looked up" not in each.message for each in found)
