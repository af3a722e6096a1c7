"""ECS: the container instances of a cluster."""

from __future__ import annotations

from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


@moto_patch(
    moto="5.2.5 fails to describe an instance of a cluster in which it has none, as in those of AWS Batch",
    aws="answers for each instance that does not exist that it is missing",
)
def missing_container_instances() -> None:
    """Give the cluster an empty list of instances."""

    @around(EC2ContainerServiceBackend, "describe_container_instances")
    def describe(original: Any, backend: EC2ContainerServiceBackend, cluster_str: str, *args: Any) -> Any:
        backend.container_instances.setdefault(backend._get_cluster(cluster_str).name, {})
        return original(backend, cluster_str, *args)


PATCHES: tuple[MotoPatch, ...] = (missing_container_instances,)
