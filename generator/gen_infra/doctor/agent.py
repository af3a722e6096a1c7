"""The doctor on the ECS agent's options: the compute environments whose instances lack them, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.doctor.diagnosis import warning
from gen_infra.manifest.agent_options import without_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.manifest import Manifest

_ADVICE = "see docs/security.md, What a job can reach on its host"


def agent_options(manifest: Manifest) -> Iterator[Diagnosis]:
    """Name the compute environments whose agent starts privileged containers."""
    for key, compute in manifest.own_compute.items():
        if not compute.is_fargate and (why := without_options(manifest, compute)):
            yield warning(
                "agent options", f"{key} lacks ECS_DISABLE_PRIVILEGED and ECS_AWSVPC_BLOCK_IMDS: {why}", _ADVICE
            )
