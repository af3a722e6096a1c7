"""Write the script in the user data of instances that sets options of the ECS agent: what no job of them needs is off.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html
https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gen_infra.manifest.model.host_script import HostScript

if TYPE_CHECKING:
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment

# Containers with a network of their own are those of multi-node jobs; all others use the host's.
_SCRIPT = """#!/bin/bash
# The ECS agent starts no privileged container, and keeps containers with a network of their own from the credentials of
# the instance.
set -euo pipefail

config=${GEN_INFRA_ROOT:-}/etc/ecs/ecs.config # tests set the folder
mkdir -p "${config%/*}"
printf '%s\\n' ECS_DISABLE_PRIVILEGED=true ECS_AWSVPC_BLOCK_IMDS=true >>"$config"
"""


def agent_script(manifest: Manifest, compute: ComputeEnvironment) -> HostScript | None:
    """Return the script; None where it would keep jobs from starting, or replace the compute environment.

    The agent refuses privileged containers of all jobs alike, and a submission may choose any queue. A compute
    environment that Batch cannot update in place is replaced for each change of its user data.
    """
    return None if compute.is_fargate or without_options(manifest, compute) else _script()


def without_options(manifest: Manifest, compute: ComputeEnvironment) -> str:
    """Return why the instances of a compute environment run without these options; empty if they have them."""
    if may_run_privileged(manifest):
        return "an engine of the environment, or an adopted definition, may run privileged containers"
    if compute.service_role != "service-linked":
        return "AWS Batch replaces a compute environment with a service role of its own for each change of user data"
    if compute.strategy not in manifest.provider.in_place:
        return f"a compute environment with {compute.strategy} is replaced for each change of user data"
    return ""


@lru_cache(1)
def _script() -> HostScript:
    return HostScript(path="agent.sh", content=_SCRIPT)


def may_run_privileged(manifest: Manifest) -> bool:
    """Return whether a job may have a privileged container: an engine's, or that of a definition that is kept.

    Rules refuse them in the definitions that a manifest describes.
    """
    engines = manifest.given_engines.values()
    return bool(manifest.kept_jobs) or any(engine.may_be_privileged for engine in engines)
