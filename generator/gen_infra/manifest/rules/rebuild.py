"""Rules for ``image.rebuild``, which rebuilds the image on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gen_infra.manifest.rules.cron import cron_objections

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_PATH = ("image", "rebuild")
_PUBLIC = "public.ecr.aws"


def rebuilds_go_to_a_parameter(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require the parameter: a rebuild writes the new image's id to it for the next apply; `image.id` cannot change."""
    if manifest.image.rebuild and not manifest.image.parameter:
        yield _PATH, "needs image.parameter, for the new image's id"


def rebuilds_are_for_instances(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require instances: Fargate uses AWS's own image."""
    if manifest.image.rebuild and not manifest.uses_ec2:
        yield _PATH, "no compute environment has instances, so there is no image to build"


def rebuilds_have_a_way_out(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require NAT: CodeBuild downloads packer, its plugin and Python packages, which have no VPC endpoints."""
    create = manifest.network.create
    if manifest.image.rebuild and create and create.nat == "none":
        yield (
            _PATH,
            "downloads from releases.hashicorp.com, GitHub and PyPI; choose network.create.nat: one or per-zone",
        )


def rebuilds_have_a_schedule_that_comes(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check cron schedules: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html."""
    rebuild = manifest.image.rebuild
    if rebuild and depends_on_date(manifest):
        for objection in cron_objections(rebuild.schedule[len("cron(") : -1], datetime.now(UTC).date()):
            yield (*_PATH, "schedule"), objection


def rebuilds_run_an_image_of_the_region(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a registry that CodeBuild reaches: ECR of the environment's region, or ECR Public in partition aws."""
    rebuild = manifest.image.rebuild
    image = rebuild.codebuild_image if rebuild else None
    if image is None:
        return
    host, path = image.partition("/")[0], (*_PATH, "codebuild_image")
    registry = f"dkr.ecr.{manifest.region}.{manifest.dns_suffix}"
    if host == _PUBLIC:
        if manifest.partition != "aws":
            yield path, f"{_PUBLIC} is of the partition aws; copy the image to an ECR repository of {manifest.region}"
    elif host.partition(".")[2] != registry:
        yield path, f'"{host}" is not the registry of {manifest.region}: use ACCOUNT.{registry}'


def depends_on_date(manifest: Manifest) -> bool:
    """Return whether a valid manifest can become invalid by itself, on a later day."""
    rebuild = manifest.image.rebuild
    return rebuild is not None and rebuild.schedule.startswith("cron(")


ERRORS: tuple[ManifestRule, ...] = (
    rebuilds_go_to_a_parameter,
    rebuilds_are_for_instances,
    rebuilds_have_a_way_out,
    rebuilds_have_a_schedule_that_comes,
    rebuilds_run_an_image_of_the_region,
)
