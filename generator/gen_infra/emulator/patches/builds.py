"""CodeBuild: what a build needs of its role before it runs the buildspec, which the emulator does not run.

https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from moto.codebuild.exceptions import InvalidInputException
from moto.codebuild.models import CodeBuildBackend

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.patches.deliveries import count_failure
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

SERVICE = "codebuild.amazonaws.com"
_NETWORK = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")  # of EC2's Describe…
_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)"
)
_BUCKET = ("s3:GetBucketAcl", "s3:GetBucketLocation")


@moto_patch(
    moto="5.2.5 accepts any role for a project",
    aws="refuses a role that does not exist, or that does not trust CodeBuild for this project",
)
def build_roles() -> None:
    """Ask the role's trust policy before a project is created."""

    @around(CodeBuildBackend, "create_project")
    def create_project(original: Any, backend: CodeBuildBackend, *args: Any, **kwargs: Any) -> Any:
        name, role = kwargs["project_name"], kwargs["service_role"]
        if _actor(backend, name, role) is None:
            raise InvalidInputException(f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}")
        return original(backend, *args, **kwargs)


@moto_patch(
    moto="5.2.5 ends every build as SUCCEEDED",
    aws="fails a build whose role may not use its network, log group, image or source, in the phase that needs it",
)
def build_permissions() -> None:
    """Evaluate what CodeBuild does itself with the project's role, when the build starts."""

    @around(CodeBuildBackend, "start_build")
    def start_build(original: Any, backend: CodeBuildBackend, project_name: str, *args: Any, **kwargs: Any) -> Any:
        build = original(backend, project_name, *args, **kwargs)
        project = backend.codebuild_projects[project_name].project_metadata
        phase, message = next(_refused(backend, project), ("", ""))
        if phase:
            build["gen_infra.failure"] = (phase, message)
            dimension = {"Name": "ProjectName", "Value": project_name}
            count_failure(backend.region_name, backend.account_id, "AWS/CodeBuild", "FailedBuilds", dimension)
        return _shown(build)

    @around(CodeBuildBackend, "batch_get_builds")
    def batch_get_builds(original: Any, backend: CodeBuildBackend, ids: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = original(backend, ids)
        return [_shown(build) for build in found]


def _shown(build: dict[str, Any]) -> dict[str, Any]:
    """Return a build as CodeBuild describes it, with the phase in which it failed."""
    shown = {key: value for key, value in build.items() if key != "gen_infra.failure"}
    if failure := build.get("gen_infra.failure"):
        phase, message = failure
        context = {"statusCode": "ACCESS_DENIED", "message": message}
        failed = {"phaseType": phase, "phaseStatus": "FAILED", "contexts": [context]}
        shown |= {"buildStatus": "FAILED", "currentPhase": "COMPLETED", "buildComplete": True}
        shown["phases"] = [*build["phases"][:2], failed, {"phaseType": "COMPLETED"}]
    return shown


def _actor(backend: CodeBuildBackend, name: str, role: str) -> acts.Actor | None:
    source = f"arn:{backend.partition}:codebuild:{backend.region_name}:{backend.account_id}:project/{name}"
    session = f"AWSCodeBuild-{name}"
    return acts.role(role, backend.region_name, SERVICE, session=session, source=source)


def _refused(backend: CodeBuildBackend, project: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each phase that fails, and why."""
    actor = _actor(backend, project["name"], project["serviceRole"])
    if actor is None:
        yield "SUBMITTED", f"CodeBuild is not authorized to perform: sts:AssumeRole on {project['serviceRole']}"
        return
    for phase, acted in (
        ("PROVISIONING", [*_network(backend, project), *_log(backend, project), *_image(project, backend.partition)]),
        ("DOWNLOAD_SOURCE", _source(project, backend.partition)),
    ):
        for action, resource, more in acted:
            if message := acts.refusal(actor, action, resource, more):
                yield phase, message
    bucket, _, key = str((project.get("source") or {}).get("location", "")).partition("/")
    if message := acts.used_keys_refusal(actor, "s3:GetObject", {"Bucket": bucket, "Key": key}):
        yield "DOWNLOAD_SOURCE", message


_Act = tuple[str, str, dict[str, tuple[str, ...]]]


def _network(backend: CodeBuildBackend, project: dict[str, Any]) -> Iterator[_Act]:
    """Yield what a network interface in the project's VPC takes."""
    vpc = project.get("vpcConfig") or {}
    if not vpc.get("vpcId"):
        return
    for name in _NETWORK:
        yield f"ec2:Describe{name}", "*", {}
    place = f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}"
    subnets = [f"{place}:subnet/{each}" for each in vpc.get("subnets", ())]
    for resource in (*subnets[:1], *(f"{place}:security-group/{each}" for each in vpc.get("securityGroupIds", ()))):
        yield "ec2:CreateNetworkInterface", resource, {}
    interface, of_subnet = f"{place}:network-interface/*", {"ec2:subnet": tuple(subnets[:1])}
    yield "ec2:CreateNetworkInterface", interface, {}
    yield "ec2:CreateNetworkInterfacePermission", interface, {**of_subnet, "ec2:authorizedservice": (SERVICE,)}
    yield "ec2:DeleteNetworkInterface", interface, of_subnet


def _log(backend: CodeBuildBackend, project: dict[str, Any]) -> Iterator[_Act]:
    """Yield what its log takes; the group exists already where the project names one."""
    group = ((project.get("logsConfig") or {}).get("cloudWatchLogs") or {}).get("groupName")
    arn = f"arn:{backend.partition}:logs:{backend.region_name}:{backend.account_id}:log-group:"
    if not group:
        group = f"/aws/codebuild/{project['name']}"
        yield "logs:CreateLogGroup", f"{arn}{group}:log-stream:", {}
    yield "logs:CreateLogStream", f"{arn}{group}:log-stream:", {}
    yield "logs:PutLogEvents", f"{arn}{group}:log-stream:build", {}


def _image(project: dict[str, Any], partition: str) -> Iterator[_Act]:
    """Yield what the pull of an image of ECR takes, where the role pulls it.

    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-ecr.html
    """
    environment = project.get("environment") or {}
    found = _ECR_IMAGE.match(str(environment.get("image")))
    if found and environment.get("imagePullCredentialsType") == "SERVICE_ROLE":
        repository = f"arn:{partition}:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
        yield "ecr:GetAuthorizationToken", "*", {}
        for name in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"):
            yield f"ecr:{name}", repository, {}


def _source(project: dict[str, Any], partition: str) -> Iterator[_Act]:
    """Yield what its source in S3 takes."""
    source = project.get("source") or {}
    if source.get("type") == "S3":
        location = str(source["location"])
        bucket = location.partition("/")[0]
        for action in _BUCKET:
            yield action, f"arn:{partition}:s3:::{bucket}", {}
        yield "s3:GetObject", f"arn:{partition}:s3:::{location}", {}


PATCHES: tuple[MotoPatch, ...] = (
    build_roles,
    build_permissions,
)
