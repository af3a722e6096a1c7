"""Write the script that mounts FSx for Lustre file systems on the hosts: AWS Batch has no volumes of this kind.

https://docs.aws.amazon.com/fsx/latest/LustreGuide/mounting-ec2-instance.html
https://docs.aws.amazon.com/fsx/latest/LustreGuide/mount-fs-auto-mount-onreboot.html
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from gen_infra.manifest.agent_options import agent_script
from gen_infra.manifest.model.host_script import HostScript

if TYPE_CHECKING:
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment

# The drop-in comes first: whatever fails later, the ECS agent does not start, and the host takes no jobs.
_SCRIPT = r"""#!/bin/bash
# Mounts the FSx for Lustre file systems of the environment. A host without one of them takes no jobs.
set -euo pipefail

add() {
  local source=$1 folder=$2
  local guard=$ROOT/etc/systemd/system/ecs.service.d/fsx-${folder##*/}.conf
  mkdir -p "${guard%/*}"
  printf '[Unit]\nRequiresMountsFor=%s\nAssertPathIsMountPoint=%s\n' "$folder" "$folder" >"$guard"
  mkdir -p "$ROOT$folder"
  printf '%s %s lustre %s 0 0\n' "$source" "$folder" "$OPTIONS" >>"$ROOT/etc/fstab"
}

OPTIONS=defaults,relatime,flock,nosuid,nodev,_netdev,nofail
ROOT=${GEN_INFRA_ROOT:-} # tests set it to another folder
"""


def boot_scripts(manifest: Manifest, compute: ComputeEnvironment) -> tuple[HostScript, ...]:
    """Return the scripts of an instance's user data: gen-infra's own, and then those of the manifest."""
    return (*own_scripts(manifest, compute), *compute.boot_scripts)


def own_scripts(manifest: Manifest, compute: ComputeEnvironment) -> tuple[HostScript, ...]:
    """Return gen-infra's own scripts: the agent's options, and the mounts, where there are any."""
    mounts = None if compute.is_fargate else mount_script(manifest)
    return tuple(script for script in (agent_script(manifest, compute), mounts) if script)


def mount_script(manifest: Manifest) -> HostScript | None:
    """Return the script that mounts the environment's FSx for Lustre file systems; None without any."""
    folders = {key: manifest.lustre_folder(key) for key in sorted(manifest.lustre_file_systems)}
    if not folders:
        return None
    lines = [f"add {quote(lustre_source(manifest, key))} {quote(folder)}" for key, folder in folders.items()]
    mounts = [f"mount {quote(folder)}" for folder in folders.values()]
    content = "\n".join([_SCRIPT, *lines, "systemctl daemon-reload", *mounts])
    return HostScript(path="fsx.sh", content=f"{content}\n")


def lustre_source(manifest: Manifest, key: str) -> str:
    """Return what a client mounts: ``fs-0123456789abcdef0.fsx.us-east-1.amazonaws.com@tcp:/abcdefgh``."""
    file_system = manifest.file_systems[key]
    return f"{file_system.fsx}.fsx.{manifest.region}.{manifest.dns_suffix}@tcp:/{file_system.mount_name}"
