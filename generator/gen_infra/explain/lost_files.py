"""Find the file systems that a plan deletes with all their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_infra.terraform.plan import PlanContent, ResourceChange

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def lost_file_systems(content: PlanContent) -> list[str]:
    """Describe each file system that a plan deletes: ``file system refs-prod (fs-0123456789abcdef0, 1.5 TiB)``.

    EFS measures the size some hours late: a file system that seems empty may have files.
    https://docs.aws.amazon.com/efs/latest/ug/metered-sizes.html
    """
    return [
        _described(change)
        for change in content.managed_changes
        if change.type == "aws_efs_file_system" and "delete" in change.actions
    ]


def _described(change: ResourceChange) -> str:
    before = change.before or {}
    sizes = [each.get("value") or 0 for each in before.get("size_in_bytes") or ()]
    name = before.get("name") or before.get("creation_token") or change.address
    return f"file system {name} ({before.get('id')}, {_readable(sum(sizes))})"


def _readable(size: float) -> str:
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size:.0f} {_UNITS[0]}"
