"""Batch job definitions: what a revision keeps, and which revision a name means."""

from __future__ import annotations

from typing import Any

from moto.batch.models import BatchBackend, JobDefinition
from moto.batch.responses import BatchResponse

from gen_infra.emulator.patches.compute_environments import backend_of
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch


@moto_patch(
    moto="5.2.5 carries what a new revision leaves out, and always propagateTags, over from the revision before",
    aws="each revision is exactly what its registration says",
)
def independent_revisions() -> None:
    """Build each revision from its own request; only the number comes from the one before."""
    build: Any = JobDefinition  # moto leaves methods of its base class abstract

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
    moto="5.2.5 drops schedulingPriority and describes neither containerOrchestrationType nor nodeProperties",
    aws="keeps the first and describes all three",
)
def described_definition() -> None:
    """Keep the priority on the revision."""

    @around(BatchResponse, "registerjobdefinition")
    def register(original: Any, response: BatchResponse) -> str:
        answer: str = original(response)
        definition = backend_of(response).get_job_definition_by_name(response._get_param("jobDefinitionName"))
        setattr(definition, "scheduling_priority", response._get_param("schedulingPriority"))  # noqa: B010
        return answer

    @around(JobDefinition, "describe")
    def describe(original: Any, definition: JobDefinition) -> dict[str, Any]:
        described: dict[str, Any] = original(definition)
        optional = {
            "nodeProperties": definition.node_properties,
            "schedulingPriority": getattr(definition, "scheduling_priority", None),
        }
        present = {name: value for name, value in optional.items() if value is not None}
        return described | {"containerOrchestrationType": "ECS"} | present


@moto_patch(
    moto="5.2.5 takes the highest revision, deregistered or not, and knows no ARN without a revision",
    aws="a name or an ARN without a revision means the highest ACTIVE one; with a revision, that one",
)
def revision_lookup() -> None:
    """Resolve every form in which a definition can be named."""

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
    """The revisions that a name, ``name:revision`` or an ARN with or without revision names."""
    name, _, revision = identifier.rsplit("job-definition/", 1)[-1].partition(":")
    return [
        each for each in backend._job_definitions.values() if each.name == name and revision in ("", str(each.revision))
    ]


PATCHES: tuple[MotoPatch, ...] = (
    independent_revisions,
    described_definition,
    revision_lookup,
)
