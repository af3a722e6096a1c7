"""The story of an environment's machine image: build it, report its status, rebuild it when it is stale, retire it.

A build runs Packer on a clean copy of the rendered folder, checks the image, and only then points the environment's
SSM parameter to it: a failure before that changes nothing. Nothing here prints.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from gen_infra.aws import image_usage, images
from gen_infra.errors import AwsError, GenInfraError, MissingError, ToolError, UsageError
from gen_infra.render.files import PACKER_TEMPLATE, packer_folder
from gen_infra.render.writer import digest, lay_out
from gen_infra.tools import packer as packer_tool
from gen_infra.tools.process import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_infra.aws.images import Base, MachineImage
    from gen_infra.aws.session import Clients
    from gen_infra.manifest import Manifest
    from gen_infra.tools.packer import Packer

Connection = Callable[[Progress], AbstractContextManager[Mapping[str, str]]]
"""Makes a builder reachable, and gives Packer's variables for that; see :func:`session_manager`."""


# --- build -----------------------------------------------------------------------------------------------------------


def session_manager(_progress: Progress) -> AbstractContextManager[Mapping[str, str]]:
    """Reach the builder through Session Manager, as the rendered template says: it needs no variables."""
    return nullcontext({})


def build(
    manifest: Manifest, clients: Clients, progress: Progress, connection: Connection = session_manager
) -> MachineImage:
    """Build the image, check it, and point the environment's parameter to it.

    Args:
        manifest: of the environment.
        clients: of its account and region.
        progress: receives lines of progress.
        connection: how packer reaches the builder.

    Raises:
        MissingError: packer, the environment's key or the base image's parameter is missing.
        StoppedError: the user stopped it; nothing was changed, and nothing is left.
        ToolError: the build failed; nothing was changed, and nothing is left.
        AwsError: the finished image fails a check; the parameter still names the previous image.
    """
    require_instances(manifest)
    packer = _find_packer()
    key = _key(manifest, clients)
    base = images.base_image(clients, manifest.image.build_source)
    progress(f"building on {base} with packer {packer.version_text}")
    if not packer.is_modern:
        progress("this packer does not support metadata_options: IMDSv2 is required on the finished image instead")
    image_id = _run(packer, manifest, clients, base, progress, connection)
    image = _inspect(clients, image_id, key)
    images.publish(clients, manifest.image_parameter, image.id)
    return image


def recipe(manifest: Manifest) -> str:
    """Hash what an image is built from; every version of packer gives the same hash."""
    return digest(packer_folder(manifest))


def require_instances(manifest: Manifest) -> None:
    """Refuse an environment that has no instances, and so no image.

    Raises:
        UsageError: it has none.
    """
    if not manifest.uses_ec2:
        raise UsageError(f"{manifest.name} runs on Fargate alone: there is no image to build")


def require_room(manifest: Manifest, clients: Clients) -> None:
    """Refuse volumes that are smaller than the image's snapshots: EC2 would do so at every launch, after the apply.

    Raises:
        UsageError: each of them, with both sizes.
    """
    chosen = {image.run_source for image in manifest.own_images().values() if not image.is_stock}
    for source in sorted(chosen):
        image_id = _image_id(source, clients)
        image = images.find(clients, image_id) if image_id else None
        least = images.least_sizes(clients, image) if image else {}
        if problems := images.too_small(least, manifest.image.launch_volumes_gib):
            raise UsageError(
                f"no instance of {image_id} could start: {'; '.join(problems)}",
                hint="make the volumes as large, or build a new image",
            )


def _find_packer() -> Packer:
    found = packer_tool.find_packer(os.environ)
    if found is None:
        raise MissingError(
            "packer was not found on PATH",
            hint="run apt-get install packer, or see https://developer.hashicorp.com/packer/install",
        )
    return found


def _key(manifest: Manifest, clients: Clients) -> str:
    found = images.key_arn(clients, manifest.packer_key)
    if found is None:
        raise MissingError(
            f"key {manifest.packer_key} not found",
            hint="apply the environment once without `image.parameter`, on AWS's own image: that creates the key",
        )
    return found


def _run(
    packer: Packer, manifest: Manifest, clients: Clients, base: Base, progress: Progress, connection: Connection
) -> str:
    """Run packer, and terminate the builder if packer could not."""
    build_id = uuid4().hex
    with tempfile.TemporaryDirectory(prefix="gen-infra-image-") as name, connection(progress) as address:
        folder = Path(name)
        lay_out(packer_folder(manifest, modern=packer.is_modern), folder)
        if findings := packer_tool.validate(packer, folder, PACKER_TEMPLATE, os.environ):
            raise ToolError(f"packer validate failed: {findings[0].message}")
        variables = {
            **address,
            "base_version": base.version,
            "build": build_id,
            "ec2_endpoint": clients.ec2.meta.endpoint_url,
            "recipe": recipe(manifest),
            "source_ami": base.id,
        }
        try:
            return packer_tool.build(packer, folder, PACKER_TEMPLATE, variables, os.environ, progress)
        except BaseException:
            _terminate_builder(clients, build_id, progress)
            raise


def _terminate_builder(clients: Clients, build_id: str, progress: Progress) -> None:
    """Terminate the builder that packer left: it was killed, or stopped twice."""
    try:
        left = images.terminate_builder(clients, build_id)
    except GenInfraError as error:
        progress(f"the builder may still run; look for the tag {images.BUILD_TAG}={build_id}: {error.message}")
    else:
        for instance in left:
            progress(f"terminated {instance}, which packer left")


def _inspect(clients: Clients, image_id: str, key: str) -> MachineImage:
    """Give the finished image if it passes every check."""
    image = images.find(clients, image_id)
    if image is not None and not image.requires_imdsv2:
        images.require_imdsv2(clients, image_id)
        image = images.find(clients, image_id)
    if image is None:
        raise AwsError(f"packer built {image_id}, but EC2 does not show it", hint="nothing was changed; build again")
    if faults := images.faults(clients, image, key):
        raise AwsError(f"{image_id} was built but is not used: {'; '.join(faults)}", hint="nothing was changed")
    return image


# --- status ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InUse:
    """A compute environment, the image that it runs, and why it should run another one."""

    name: str
    image: str
    stale: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The images of an environment.

    Args:
        parameter: the SSM parameter that a build writes to, and the image that it names.
        current: the image that the environment is to run; None if EC2 does not show it.
        newest_build: the newest that was built for the environment.
        newest_base: what a build would build on now.
        stale: why ``current`` should be built again.
        environments: what each compute environment runs.
    """

    parameter: tuple[str, str]
    current: MachineImage | None
    newest_build: MachineImage | None
    newest_base: Base
    stale: tuple[str, ...]
    environments: tuple[InUse, ...]

    @property
    def is_stale(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.stale) or any(each.stale for each in self.environments)


def status(manifest: Manifest, clients: Clients) -> Status:
    """Look up the images of the environment."""
    require_instances(manifest)
    base = images.base_image(clients, manifest.image.build_source)
    named = images.named_image(clients, manifest.image_parameter) or ""
    wanted = _image_id(manifest.image.run_source, clients)
    current = images.find(clients, wanted) if wanted else None
    builds = images.builds(clients, manifest.name)
    return Status(
        parameter=(manifest.image_parameter, named),
        current=current,
        newest_build=builds[0] if builds else None,
        newest_base=base,
        stale=tuple(reasons(current, base, recipe(manifest))) if manifest.image.parameter else (),
        environments=tuple(_in_use(manifest, clients)),
    )


def reasons(image: MachineImage | None, base: Base, recipe: str) -> Iterator[str]:
    """List why an image should be built again."""
    if image is None:
        yield "the image does not exist"
    elif not image.recipe:
        yield f"{image.id} was not built by gen-infra"
    else:
        if image.base.id != base.id:
            yield f"it was built on {image.base}, and {base} is newer"
        if image.recipe != recipe:
            yield "the recipe has changed since"


def _image_id(source: str, clients: Clients) -> str:
    """Return the id of an image, given by id or by SSM parameter; empty if the parameter does not exist."""
    return images.named_image(clients, source) or "" if source.startswith("/") else source


def _in_use(manifest: Manifest, clients: Clients) -> Iterator[InUse]:
    """Compare what each compute environment runs with the manifest; one may have a successor."""
    sources = {manifest.suffixed(key): image.run_source for key, image in manifest.own_images().items()}
    ids = {source: _image_id(source, clients) for source in set(sources.values())}
    for name, image in sorted(image_usage.environment_images(clients, sources).items()):
        should = ids[sources[name.rpartition("-")[0]]]
        yield InUse(name, image, "" if image == should else f"it should run {should or 'an image that is not built'}")


# --- rebuild and retire ----------------------------------------------------------------------------------------------


def stale(manifest: Manifest, clients: Clients) -> list[str]:
    """List why the image that the environment's parameter names should be built again; empty if it is up to date."""
    require_instances(manifest)
    named = images.named_image(clients, manifest.image_parameter)
    if named is None:
        return [f"parameter {manifest.image_parameter} does not exist yet"]
    base = images.base_image(clients, manifest.image.build_source)
    return list(reasons(images.find(clients, named), base, recipe(manifest)))


@dataclass(frozen=True, slots=True)
class Retired:
    """What `retire` removed, or would remove with ``dry_run``.

    Args:
        removed: each image that is removed, with the bytes that this frees.
        kept: each image that is kept, with the reason.
    """

    removed: tuple[tuple[MachineImage, int], ...]
    kept: tuple[tuple[MachineImage, str], ...]

    @property
    def freed(self) -> int:
        """Return all bytes together."""
        return sum(size for _, size in self.removed)


def retire(manifest: Manifest, clients: Clients, *, keep: int, dry_run: bool, progress: Progress) -> Retired:
    """Remove every image of the environment but the newest ``keep``, those not yet finished, and those in use."""
    found = images.builds(clients, manifest.name)
    users = image_usage.users(clients, manifest.image_parameter)
    removed, kept = [], []
    for position, image in enumerate(found):
        if reason := _why_kept(image, position, keep, users.get(image.id, ())):
            kept.append((image, reason))
            continue
        removed.append((image, sum(image_usage.sizes(clients, image).values())))
        if not dry_run:
            image_usage.remove(clients, image)
            progress(f"removed {image.id}")
    return Retired(tuple(removed), tuple(kept))


def _why_kept(image: MachineImage, position: int, keep: int, users: Sequence[str]) -> str:
    if users:
        return f"in use by {', '.join(users)}"
    if image.state == "pending":
        return "not finished yet"
    return f"one of the newest {keep}" if position < keep else ""
