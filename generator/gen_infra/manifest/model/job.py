"""The model of a job definition."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from gen_infra.manifest.model.base import INT32_MAX, OwnTags, ParameterKey, RoleArn, about
from gen_infra.manifest.model.container import Container, ContainerName, ContainerSettings
from gen_infra.manifest.model.retry import DEFAULT_RETRY, MOST_RULES, RetriedFailures, RetryRule, retry_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

# AWS Batch's own name for the container of a job that has one.
DEFAULT_CONTAINER = "default"


class Job(ContainerSettings, frozen=True, kw_only=True, dict=True):
    """A job definition, for EC2 or Fargate: `image`, `vcpus` and `memory_mib` of its one container, or `containers`."""

    containers: Annotated[
        dict[ContainerName, Container],
        Meta(max_length=10),
        about("Several containers that run together, by name; they take the place of the keys of one container."),
    ] = {}
    parameters: Annotated[dict[ParameterKey, str], about("Default values for `Ref::name` in the command.")] = {}
    required_parameters: Annotated[
        tuple[ParameterKey, ...],
        about("Parameters of the command without a default value; every submission must set them."),
    ] = ()
    attempts: Annotated[
        int,
        Meta(ge=1, le=10),
        about("The most attempts; `retry` names the failures that another one is made after."),
    ] = 3
    retry: RetriedFailures = DEFAULT_RETRY
    evaluate_on_exit: Annotated[
        tuple[RetryRule, ...],
        Meta(max_length=MOST_RULES),
        about(
            "AWS Batch's own rules in place of `retry`, for rules that end a job: the first rule that matches decides, "
            "and a failure that matches none is retried."
        ),
    ] = ()
    timeout_minutes: Annotated[
        int,
        Meta(ge=1, le=INT32_MAX // 60),
        about("The most minutes of one attempt, on Fargate at most 20,160; Batch then stops it."),
    ] = 1440
    nodes: (
        Annotated[
            int,
            Meta(ge=2, le=1000),
            about("Multi-node parallel (MPI): the number of On-Demand instances that run the container together."),
        ]
        | None
    ) = None
    ephemeral_storage_gib: (
        Annotated[int, Meta(ge=21, le=200), about("Fargate: the size of the container's disk in GiB; default: 20.")]
        | None
    ) = None
    buckets: Annotated[tuple[str, ...], about("The keys of the buckets that the job's role may use.")] = ()
    role: Annotated[RoleArn | None, about("The ARN of an existing job role; default: a new role.")] = None
    queue: Annotated[str | None, about("The queue that `gen-infra submit` uses; default: the first queue.")] = None
    scheduling_priority: (
        Annotated[int, Meta(ge=0, le=9999), about("The priority among the jobs of one share in a fair-share queue.")]
        | None
    ) = None
    tags: Annotated[
        OwnTags,
        about("More tags of the job definition and of its jobs' ECS tasks; they win over the environment's `tags`."),
    ] = {}
    container_properties: Annotated[
        dict[str, Any],
        Meta(examples=[{"enableExecuteCommand": True}]),
        about(
            "Other fields of Batch's `containerProperties`, in the API's spelling; `volumes` and `mountPoints` are "
            "added to those of the keys above."
        ),
    ] = {}
    task_properties: Annotated[
        dict[str, Any],
        Meta(examples=[{"pidMode": "task"}]),
        about(
            "For several containers: `enableExecuteCommand`, `ipcMode`, `pidMode`, `platformVersion` and "
            "`runtimePlatform` of Batch's `taskProperties`, in the API's spelling."
        ),
    ] = {}

    def __post_init__(self) -> None:
        """Refuse a job without the keys of its container; msgspec reports a ValueError as an invalid value."""
        if not self.containers and (missing := [key for key in _OF_ONE_CONTAINER if getattr(self, key) is None]):
            raise ValueError(f"Object missing required field `{missing[0]}`")

    @classmethod
    def missing_keys(cls, given: Mapping[str, Any]) -> list[str]:
        """Return the keys of its container that are not given, unless it has several containers."""
        needed = () if given.get("containers") else _OF_ONE_CONTAINER
        return [key for key in needed if key not in given]

    @cached_property
    def all_containers(self) -> dict[str, Container]:
        """Return the job's containers by name; AWS Batch calls the container of a job that has one ``default``."""
        if self.containers:
            return self.containers
        return {DEFAULT_CONTAINER: self._own_container()}

    def _own_container(self) -> Container:
        return Container(**{name: getattr(self, name) for name in ContainerSettings.__struct_fields__})

    def retry_rules(self, *, on_fargate: bool) -> tuple[RetryRule, ...]:
        """Return AWS Batch's rules for what is retried when an attempt fails."""
        return self.evaluate_on_exit or retry_rules(self.retry, on_fargate=on_fargate)

    @property
    def main_container(self) -> str:
        """Return the container that a submission's command is for: the first essential one."""
        named = self.all_containers
        return next((name for name, container in named.items() if container.essential), next(iter(named)))

    @property
    def total_vcpus(self) -> float:
        """Return the vCPUs of all containers."""
        return sum(container.vcpus for container in self.all_containers.values())

    @property
    def total_memory_mib(self) -> int:
        """Return the memory of all containers in MiB."""
        return sum(container.memory_mib for container in self.all_containers.values())

    @property
    def total_gpus(self) -> int:
        """Return the GPUs of all containers."""
        return sum(container.gpus or 0 for container in self.all_containers.values())


_OF_ONE_CONTAINER = ("image", "vcpus", "memory_mib")
