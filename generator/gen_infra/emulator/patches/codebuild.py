"""CodeBuild: the settings, updates and deletion of projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.codebuild.exceptions import ResourceNotFoundException
from moto.codebuild.models import CodeBuildBackend
from moto.codebuild.responses import CodeBuildResponse
from moto.core.responses import ActionResult
from moto.core.utils import unix_time

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch

if TYPE_CHECKING:
    from collections.abc import Callable

# Settings that moto's CreateProject ignores.
_KEPT = ("encryptionKey", "concurrentBuildLimit")
_CHANGEABLE = (
    *("artifacts", "cache", "description", "environment", "logsConfig", "queuedTimeoutInMinutes", "serviceRole"),
    *("source", "sourceVersion", "tags", "timeoutInMinutes", "vpcConfig"),
    *_KEPT,
)


@moto_patch(
    moto="5.2.5 shows alias/aws/s3 as every project's key, and no concurrentBuildLimit",
    aws="shows encryptionKey and concurrentBuildLimit as they were given",
)
def project_settings() -> None:
    """Store both with the project."""

    @around(CodeBuildResponse, "create_project")
    def create_project(original: Callable[..., ActionResult], response: CodeBuildResponse) -> ActionResult:
        answer = original(response)
        _set(response, _project(response, response._get_param("name")), _KEPT)
        return answer


@moto_patch(moto="5.2.5 does not implement UpdateProject", aws="changes the given settings and keeps the others")
def project_updates() -> None:
    """Change the project in place."""

    @instead_of(CodeBuildResponse, "update_project")
    def update_project(response: CodeBuildResponse) -> ActionResult:
        project = _project(response, response._get_param("name"))
        _set(response, project, _CHANGEABLE)
        project["lastModified"] = unix_time()
        return ActionResult({"project": project})


@moto_patch(
    moto="5.2.5 silently deletes nothing when the project is given by its ARN",
    aws="accepts the ARN instead of the name",
)
def project_deletion_by_arn() -> None:
    """Take the name from the end of the ARN."""

    @around(CodeBuildBackend, "delete_project")
    def delete_project(original: Callable[..., None], backend: CodeBuildBackend, project_name: str) -> None:
        original(backend, project_name.rpartition("/")[2])


def _project(response: CodeBuildResponse, name: str) -> dict[str, Any]:
    projects = response.codebuild_backend.batch_get_projects([name])
    if not projects:
        raise ResourceNotFoundException(f"Project does not exist: {name}")
    return projects[0]


def _set(response: CodeBuildResponse, project: dict[str, Any], names: tuple[str, ...]) -> None:
    given = {name: response._get_param(name) for name in names}
    project.update({name: value for name, value in given.items() if value is not None})


PATCHES: tuple[MotoPatch, ...] = (
    project_settings,
    project_updates,
    project_deletion_by_arn,
)
