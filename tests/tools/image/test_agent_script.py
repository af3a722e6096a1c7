"""The script of the user data that sets options of the ECS agent, run in a folder in place of the host's root."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from gen_infra.manifest.agent_options import agent_script
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path


def test_it_adds_its_options_to_those_of_batch(tmp_path: Path) -> None:
    manifest = accept(tmp_path)
    script = agent_script(manifest, manifest.compute["spot"])
    assert script
    config = tmp_path / "etc/ecs/ecs.config"
    config.parent.mkdir(parents=True)
    config.write_text("ECS_CLUSTER=AWSBatch-spot\n")
    environ = {**os.environ, "GEN_INFRA_ROOT": str(tmp_path)}
    subprocess.run(["bash", "-c", script.content], check=True, env=environ)
    assert config.read_text().splitlines() == [
        "ECS_CLUSTER=AWSBatch-spot",
        "ECS_DISABLE_PRIVILEGED=true",
        "ECS_AWSVPC_BLOCK_IMDS=true",
    ]
