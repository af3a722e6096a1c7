"""Batch job definitions: the settings of a revision, and the revision that a name refers to."""

from __future__ import annotations

from typing import Any

from moto.batch.models import BatchBackend, JobDefinition
from moto.batch.responses import BatchResponse

from gen_infra.emulator.patches.compute_environments import backend_of
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch


@moto_patch(
    moto="5.2.5 copies what a new revision leaves out, and always propagateTags, from the previous revision",
    aws="stores each revision exactly as it is registered",
)
def independent_revisions() -> None:
    """Build each revision from its own request, and take only the number from the previous one."""
    build: Any = JobDefinition  # type checkers see abstract methods in it

    @instead_of(BatchBackend, "register_job_definition")
    def register(
        backend: BatchBackend, def_name: str, retry_strategy: dict[str, Any] | None, **given: Any
    ) -> JobDefinition:
        for rule in (retry_strategy or {}).get("evaluateOnExit", []):
            rule["action"] = rule["action"].lower()
        newest = backend.get_job_definition_by_name(def_name)
        definition: JobDefinition = build(
            def_name, retry_strategy=retry_strategy, revision=newest.revision if newest else 0, backend=backend, **given
        )
        backend._job_definitions[definition.arn] = definition
        return definition


@moto_patch(
    moto="5.2.5 drops schedulingPriority, refuses ecsProperties, and describes neither containerOrchestrationType nor"
    " nodeProperties",
    aws="stores and describes all four",
)
def described_definition() -> None:
    """Store the priority and ecsProperties on the revision, and describe all four."""

    @around(JobDefinition, "_validate")
    def validate(original: Any, definition: JobDefinition) -> None:
        if definition.container_properties or definition.eks_properties or definition.type != "container":
            original(definition)  # else it has ecsProperties: a request without any properties was refused before

    @around(BatchResponse, "registerjobdefinition")
    def register(original: Any, response: BatchResponse) -> str:
        answer: str = original(response)
        definition = backend_of(response).get_job_definition_by_name(response._get_param("jobDefinitionName"))
        setattr(definition, "scheduling_priority", response._get_param("schedulingPriority"))  # noqa: B010
        setattr(definition, "ecs_properties", _with_defaults(response._get_param("ecsProperties")))  # noqa: B010
        return answer

    @around(JobDefinition, "describe")
    def describe(original: Any, definition: JobDefinition) -> dict[str, Any]:
        described: dict[str, Any] = original(definition)
        optional = {
            "nodeProperties": definition.node_properties,
            "ecsProperties": getattr(definition, "ecs_properties", None),
            "schedulingPriority": getattr(definition, "scheduling_priority", None),
        }
        present = {name: value for name, value in optional.items() if value is not None}
        return described | {"containerOrchestrationType": "ECS"} | present


def _with_defaults(properties: dict[str, Any] | None) -> dict[str, Any] | None:
    """Add the empty lists of AWS's answer."""
    for task in (properties or {}).get("taskProperties") or ():
        task.setdefault("volumes", [])
        for container in task.get("containers") or ():
            for name in ("command", "dependsOn", "environment", "mountPoints", "secrets", "ulimits"):
                container.setdefault(name, [])
    return properties


@moto_patch(
    moto="5.2.5 uses the highest revision even if it is deregistered, and accepts no ARN without a revision",
    aws="uses the given revision or, for a name or an ARN without one, the highest ACTIVE revision",
)
def revision_lookup() -> None:
    """Resolve every form of an identifier."""

    @instead_of(BatchBackend, "get_job_definition")
    def one(backend: BatchBackend, identifier: str) -> JobDefinition | None:
        return max(
            (each for each in _meant(backend, identifier) if each.status == "ACTIVE"),
            key=lambda each: each.revision,
            default=None,
        )

    @instead_of(BatchBackend, "get_job_definitions")
    def several(backend: BatchBackend, identifier: str) -> list[JobDefinition]:
        return _meant(backend, identifier)


def _meant(backend: BatchBackend, identifier: str) -> list[JobDefinition]:
    """Return the revisions for a name, ``name:revision``, or an ARN with or without a revision."""
    name, _, revision = identifier.rsplit("job-definition/", 1)[-1].partition(":")
    return [
        each for each in backend._job_definitions.values() if each.name == name and revision in ("", str(each.revision))
    ]


PATCHES: tuple[MotoPatch, ...] = (
    independent_revisions,
    described_definition,
    revision_lookup,
)
