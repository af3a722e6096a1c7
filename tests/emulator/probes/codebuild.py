"""CodeBuild."""

from __future__ import annotations

from typing import Any

from tests.emulator.probes import Lab, probe, refusal
from tests.emulator.probes.deliveries import untrusted

_KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def _project(lab: Lab, **settings: Any) -> dict[str, Any]:
    made: dict[str, Any] = lab.client("codebuild").create_project(
        name=lab.name("project"),
        source={"type": "S3", "location": "bucket/source.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "image:1", "computeType": "BUILD_GENERAL1_SMALL"},
        **{"serviceRole": lab.role("builds"), **settings},
    )["project"]
    return made


@probe((_KEY, 1))
def project_settings(lab: Lab) -> Any:
    name = _project(lab, encryptionKey=_KEY, concurrentBuildLimit=1)["name"]
    [found] = lab.client("codebuild").batch_get_projects(names=[name])["projects"]
    return found["encryptionKey"], found.get("concurrentBuildLimit")


@probe(["accepted", 20, "what it does", "bucket/source.zip"])
def project_updates(lab: Lab) -> Any:
    client, name = lab.client("codebuild"), _project(lab, timeoutInMinutes=10, description="what it does")["name"]
    answer = refusal(client.update_project, name=name, timeoutInMinutes=20)
    [found] = client.batch_get_projects(names=[name])["projects"]
    return [answer, found["timeoutInMinutes"], found["description"], found["source"]["location"]]


@probe([])
def project_deletion_by_arn(lab: Lab) -> Any:
    client, made = lab.client("codebuild"), _project(lab)
    client.delete_project(name=made["arn"])
    return client.batch_get_projects(names=[made["name"]])["projects"]


@probe(("InvalidInputException", "accepted"))
def build_roles(lab: Lab) -> Any:
    return refusal(lambda: _project(lab, serviceRole=untrusted(lab))), refusal(lambda: _project(lab))


@probe(("FAILED", "DOWNLOAD_SOURCE"))
def build_permissions(lab: Lab) -> Any:
    codebuild, role = lab.client("codebuild"), lab.name("builds")
    project = _project(lab, serviceRole=lab.role(role))["name"]
    lab.allow(role, "logs:*", "*")
    [build] = codebuild.batch_get_builds(ids=[codebuild.start_build(projectName=project)["build"]["id"]])["builds"]
    failed = [each["phaseType"] for each in build["phases"] if each.get("phaseStatus") == "FAILED"]
    return build["buildStatus"], *failed


PROBES = (
    build_roles,
    build_permissions,
    project_settings,
    project_updates,
    project_deletion_by_arn,
)
