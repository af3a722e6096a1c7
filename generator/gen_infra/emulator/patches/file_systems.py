"""EFS: backup policies, and the deletion of file system policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.efs.exceptions import BadRequest
from moto.efs.models import EFSBackend
from moto.efs.responses import EFSResponse

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch

if TYPE_CHECKING:
    from moto.efs.responses import TYPE_RESPONSE

_JSON: dict[str, str | int] = {"Content-Type": "application/json"}


@moto_patch(moto="5.2.5 does not implement PutBackupPolicy", aws="switches daily backups on and off")
def backup_policies() -> None:
    """Keep the status with the file system: Terraform waits for DISABLED where it destroys a policy."""

    @instead_of(EFSResponse, "put_backup_policy")
    def put_backup_policy(response: EFSResponse) -> TYPE_RESPONSE:
        policy = response._get_param("BackupPolicy") or {}
        if policy.get("Status") not in ("ENABLED", "DISABLED"):
            raise BadRequest("BackupPolicy.Status must be ENABLED or DISABLED")
        _file_system(response)._backup_status = policy["Status"]
        return json.dumps({"BackupPolicy": policy}), _JSON

    @around(EFSBackend, "describe_backup_policy")
    def describe_backup_policy(original: Any, backend: EFSBackend, file_system_id: str) -> Any:
        status = getattr(backend.file_systems_by_id[file_system_id], "_backup_status", None)
        return {"Status": status} if status else original(backend, file_system_id)


@moto_patch(moto="5.2.5 does not implement DeleteFileSystemPolicy", aws="removes the policy")
def policy_deletion() -> None:
    """Remove the policy from the file system."""

    @instead_of(EFSResponse, "delete_file_system_policy")
    def delete_file_system_policy(response: EFSResponse) -> TYPE_RESPONSE:
        _file_system(response).file_system_policy = None
        return "{}", _JSON


def _file_system(response: EFSResponse) -> Any:
    _, [found] = response.efs_backend.describe_file_systems(file_system_id=response._get_param("FileSystemId"))
    return found


PATCHES: tuple[MotoPatch, ...] = (backup_policies, policy_deletion)
