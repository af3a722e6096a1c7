"""Finds what was changed in the manifest since it was last applied, and which resources change for it.

The state keeps the manifest as it was applied last, so that every plan has both, on any machine. It is kept in a
resource that depends on all others, because terraform writes outputs even where an apply fails halfway: what is left
to do then still has its causes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from gen_infra.explain.differences import show
from gen_infra.manifest.model.base import dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.terraform.plan import PlanContent


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """One value that is not what it was.

    Args:
        where: file and line; ``default`` or ``removed`` where it is written nowhere.
        key: such as ``compute.genomicsEnv.bid_percentage``.
        old: the value that was applied.
        new: the value now.
    """

    where: str
    key: str
    old: Any
    new: Any

    @property
    def without_effect(self) -> str:
        """Return what is said of it where no resource changes for it."""
        if self.key in {"terraform", "terraform.aws_provider"} and self.new in (6, {"aws_provider": 6}):
            return "the next apply writes the state with that version, and older ones cannot read it"
        return "nothing is left to change for it"

    def __str__(self) -> str:
        """Return text such as ``envs/prod.yaml:8 compute.genomicsEnv.bid_percentage: 50 -> 60``."""
        return f"{self.where} {self.key}: {show(self.old)} -> {show(self.new)}"


@dataclass(frozen=True, slots=True)
class Causes:
    """Which changes of the manifest cause the change of each address, and which cause none (any more)."""

    by_address: Mapping[str, tuple[ManifestChange, ...]] = field(default_factory=dict)
    unused: tuple[ManifestChange, ...] = ()


# A key of the manifest, and the addresses that are made of it; {} stands for what the parentheses have found.
_MADE_OF = tuple(
    (re.compile(pattern), addresses)
    for pattern, addresses in (
        (r"(?:account|region|name|tags)\b.*", ("*",)),
        (r"network\b.*", ("module.network.*", "module.compute_*", "module.file_system_*")),
        (r"encryption\b.*", ("module.encryption.*", "*aws_launch_template.*", "*log_group*", "module.repository_*",
                             "module.file_system_*", "module.job_functions.*")),
        (r"iam\b.*", ("*aws_iam_*", "module.compute_*")),
        (r"file_systems\.([\w-]+).*", ("module.file_system_{}.*", "aws_batch_job_definition.*")),
        (r"logs\b.*", ("*aws_cloudwatch_log_group.*",)),
        (r"buckets\b.*", ("aws_iam_role_policy.*",)),
        (r"repositories\b.*", ("module.repository_*", "aws_batch_job_definition.*")),
        (r"image\b.*", ("module.compute_*",)),
        (r"image\.(?:base|parameter|rebuild)\b.*", ("module.image_pipeline.*", "module.encryption.*")),
        (r"notifications\b.*", ("module.queue_notifications.*", "module.environment_alarms.*", "module.dashboard.*",
                                "module.encryption.*")),
        (r"notifications\.budget", ("*",)),  # it is a tag of all that counts
        (r"notifications\.budget\b.*", ("module.budget.*", "module.queue_stop.*")),
        (r"image\.scratch\b.*", ("aws_batch_job_definition.*",)),
        (r"compute\.([\w-]+).*", ("module.compute_{}.*", "module.service_role.*", "module.spot_fleet_role.*")),
        (r"queues\.([\w-]+).*", ("aws_batch_job_queue.{}", "aws_batch_scheduling_policy.{}")),
        (r"queues\.[\w-]+", ("module.job_functions.aws_iam_role_policy.batch*", "module.job_functions.aws_lambda_*")),
        (r"jobs\.([\w-]+).*", ("aws_batch_job_definition.{}",)),
        (r"jobs\.([\w-]+)", ("aws_cloudwatch_log_group.{}", "aws_iam_*.{}", "aws_iam_*.{}_*")),
        (r"jobs\.([\w-]+)\.(?:buckets|container_properties|containers|efs|image|queue|role|secrets)\b.*",
         ("aws_iam_*.{}", "aws_iam_*.{}_*", "module.file_system_*.aws_iam_role_policy.*")),
        (r"jobs\.[\w-]+", ("module.job_functions.aws_iam_role_policy.batch*", "module.job_functions.aws_lambda_*")),
        (r"submit_function\b.*", ("module.job_functions.aws_lambda_*",)),
        (r"workflows\.([\w-]+).*", ("module.workflow_{}.*",)),
        (r"existing\.compute\.([\w-]+)", ("module.compute_{}.*",)),
        (r"existing\.jobs\.([\w-]+)", ("aws_batch_job_definition.{}", "aws_cloudwatch_log_group.{}", "aws_iam_*.{}",
                                       "aws_iam_*.{}_*", "module.job_functions.aws_*")),
        (r"engines", ("module.engine_*",)),
        (r"engines\.([\w-]+).*", ("module.engine_{}.*",)),
        (r"engines\.([\w-]+)\.efs\b.*", ("module.file_system_*.aws_iam_role_policy.*",)),
        (r"access\b.*", ("aws_iam_role.access_*", "aws_iam_policy.*", "aws_iam_role_policy_attachment.*",
                         "aws_iam_openid_connect_provider.*")),
    )
)  # fmt: skip
# What changes because something else does: the queues of an environment that is replaced, the jobs of their queues.
_FOLLOWS = (
    (re.compile(r"(?:compute|image|network)\b.*"), ("aws_batch_job_queue.*",)),
    (re.compile(r"queues\.[\w-]+\.compute\b.*"), ("aws_batch_job_definition.*",)),
)


def manifest_changes(content: PlanContent, where: Callable[[KeyPath], str]) -> list[ManifestChange]:
    """List what the plan's record of the manifest shows to be new; nothing before the first apply."""
    before, after = content.manifests
    if not before or not after:
        return []
    return [
        ManifestChange("removed" if new is None else where(path), dotted(path), old, new)
        for path, old, new in _changed((), before, after)
    ]


def _changed(path: KeyPath, old: Any, new: Any) -> Iterator[tuple[KeyPath, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _changed((*path, key), old.get(key), new.get(key))
    elif old != new:
        yield path, old, new


def causes(changes: Iterable[ManifestChange], addresses: list[str]) -> Causes:
    """Bring the manifest's changes and the resources' together."""
    changes = list(changes)
    by_address = {address: _behind(address, changes, _MADE_OF) for address in addresses}
    by_address |= {address: _behind(address, changes, _FOLLOWS) for address, found in by_address.items() if not found}
    used = {id(change) for found in by_address.values() for change in found}
    return Causes(by_address, tuple(change for change in changes if id(change) not in used))


def _behind(
    address: str, changes: list[ManifestChange], table: Iterable[tuple[re.Pattern[str], tuple[str, ...]]]
) -> tuple[ManifestChange, ...]:
    return tuple(change for change in changes if _is_made_of(address, change.key, table))


def _is_made_of(address: str, key: str, table: Iterable[tuple[re.Pattern[str], tuple[str, ...]]]) -> bool:
    return any(
        fnmatchcase(address, made.format(*found.groups()))
        for pattern, addresses in table
        if (found := pattern.fullmatch(key))
        for made in addresses
    )
