"""Commands for the machine image: image build, image status, image rebuild, image retire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gen_infra.cli.console import Console, examples, json_option, manifest_argument, print_json, quiet_option

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.aws.images import MachineImage
    from gen_infra.aws.session import Clients
    from gen_infra.image import Retired, Status
    from gen_infra.manifest import Manifest

_MIB = 1 << 20


@click.group()
def image() -> None:
    """Build the machine image of the instances, and rebuild it."""


@image.command()
@manifest_argument
@json_option
@quiet_option
@examples("""
gen-infra image build envs/prod.yaml
AMI="$(gen-infra image build envs/prod.yaml --quiet)"
""")
def build(manifest: Path, as_json: bool, quiet: bool) -> int:
    """Build the image with packer and print its id.

    Packer works on an instance in the environment's subnet that is reached through Session Manager only. The finished
    image is checked: each disk is encrypted with the environment's key, and IMDSv2 is required. Then the environment's
    SSM parameter is set to it. A build that fails or is stopped changes no parameter and leaves no instance.
    """
    env, aws = _open(manifest)
    return _build(manifest, env, aws, Console(quiet=quiet), as_json=as_json)


@image.command()
@manifest_argument
@click.option("--if-stale", is_flag=True, help="Do nothing if neither the base image nor the recipe has changed.")
@json_option
@quiet_option
@examples("""
gen-infra image rebuild envs/prod.yaml --if-stale      in a schedule
""")
def rebuild(manifest: Path, if_stale: bool, as_json: bool, quiet: bool) -> int:
    """Build the image again, as `image build` does.

    With --if-stale, only if the image in the environment's parameter was built from an older base image than AWS's
    newest, or by another recipe (template and scripts).
    """
    from gen_infra import image as story

    console = Console(quiet=quiet)
    env, aws = _open(manifest)
    if if_stale:
        reasons = story.stale(env, aws)
        for reason in reasons:
            console.say(f"stale: {reason}", fg="yellow")
        if not reasons:
            if as_json:
                print_json({"built": None, "parameter": env.image_parameter})
            console.done(f"the image in {env.image_parameter} is up to date")
            return 0
    return _build(manifest, env, aws, console, as_json=as_json)


def _build(manifest: Path, env: Manifest, aws: Clients, console: Console, *, as_json: bool) -> int:
    from gen_infra import image as story
    from gen_infra.cli.builder import connection_for

    built = story.build(env, aws, lambda line: console.say(f"  {line}", dim=True), connection_for(aws))
    if as_json:
        print_json({"built": _as_dict(built), "parameter": env.image_parameter})
    else:
        click.echo(built.id)
    console.done(f"{env.image_parameter} is set to {built.id}")
    if env.image.id or not env.image.parameter:
        console.next_step(
            f"set `image: {{parameter: {env.image_parameter}}}` in the manifest, then gen-infra plan {manifest}"
        )
    else:
        console.next_step(f"gen-infra plan {manifest}")
    return 0


@image.command()
@manifest_argument
@json_option
@quiet_option
@examples("""
gen-infra image status envs/prod.yaml
gen-infra image status envs/prod.yaml --json
""")
def status(manifest: Path, as_json: bool, quiet: bool) -> int:
    """Show which image runs, which is configured, and whether it should be rebuilt.

    Exits 1 if a compute environment runs another image than the configured one, or if that image was built from an
    older base image or by another recipe.
    """
    from gen_infra import image as story

    console = Console(quiet=quiet)
    env, aws = _open(manifest)
    found = story.status(env, aws)
    if as_json:
        print_json(_status_dict(found))
    else:
        _show(found)
    if found.stale:
        console.next_step(f"gen-infra image build {manifest}")
    elif found.is_stale:
        console.next_step(f"gen-infra plan {manifest}")
    else:
        console.done("every image is up to date")
    return 1 if found.is_stale else 0


@image.command()
@manifest_argument
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    metavar="N",
    help="Keep the newest N, whether in use or not.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
@json_option
@quiet_option
@examples("""
gen-infra image retire envs/prod.yaml --dry-run
gen-infra image retire envs/prod.yaml --keep 5
""")
def retire(manifest: Path, keep: int, dry_run: bool, as_json: bool, quiet: bool) -> int:
    """Remove old images of the environment, with their snapshots.

    Keeps every image that an instance, a launch template, a compute environment or a parameter in this account and
    region uses.
    """
    from gen_infra import image as story

    console = Console(quiet=quiet)
    env, aws = _open(manifest)
    done = story.retire(env, aws, keep=keep, dry_run=dry_run, progress=console.say)
    if as_json:
        print_json(_retired_dict(done, dry_run=dry_run))
    else:
        for each, size in done.removed:
            click.echo(f"{'would remove' if dry_run else 'removed'} {each.id}  {each.name}  {_size(size)}")
        for each, reason in done.kept:
            click.echo(f"kept {each.id}  {each.name}  {reason}")
    frees = "would free" if dry_run else "freed"
    console.done(f"{len(done.removed)} removed, {len(done.kept)} kept; {frees} {_size(done.freed)}")
    return 0


def _open(manifest: Path) -> tuple[Manifest, Clients]:
    """Load the manifest, and open clients of its account."""
    from gen_infra.aws.session import clients, require_account
    from gen_infra.manifest import load

    env = load(manifest)
    aws = clients(env.region)
    require_account(aws, env.account)
    return env, aws


def _show(found: Status) -> None:
    """Print one line for each image, and below it why it is stale."""
    name, value = found.parameter
    _line("parameter", f"{name} is {value or 'not set yet'}", ())
    _line("to run", _describe(found.current), found.stale)
    for each in found.environments:
        runs = f"{each.name} runs {each.image or 'the image that Batch chose'}"
        _line("in use", runs, (each.stale,) if each.stale else ())
    _line("newest build", _describe(found.newest_build), ())
    _line("newest base", str(found.newest_base), ())


def _line(what: str, text: str, problems: tuple[str, ...]) -> None:
    click.echo(f"{what + ':':<14}{text}")
    for problem in problems:
        click.secho(f"{'':<14}stale: {problem}", fg="yellow")


def _describe(image: MachineImage | None) -> str:
    if image is None:
        return "none"
    return f"{image.id}  {image.name}  {_days(image)} days old" + (f", on {image.base}" if image.base.id else "")


def _days(image: MachineImage) -> int:
    from datetime import UTC, datetime

    return (datetime.now(UTC) - image.created).days


def _size(size: int) -> str:
    return f"{size / (_MIB << 10):.1f} GiB" if size >= _MIB << 10 else f"{size / _MIB:.0f} MiB"


def _as_dict(image: MachineImage | None) -> dict[str, Any] | None:
    if image is None:
        return None
    return {
        "id": image.id,
        "name": image.name,
        "created": image.created.isoformat(),
        "age_days": _days(image),
        "base": {"id": image.base.id, "version": image.base.version},
        "recipe": image.recipe,
    }


def _status_dict(found: Status) -> dict[str, Any]:
    return {
        "stale": found.is_stale,
        "parameter": {"name": found.parameter[0], "image": found.parameter[1] or None},
        "to_run": _as_dict(found.current),
        "reasons": list(found.stale),
        "newest_build": _as_dict(found.newest_build),
        "newest_base": {"id": found.newest_base.id, "version": found.newest_base.version},
        "compute_environments": [
            {"name": each.name, "image": each.image or None, "stale": each.stale or None} for each in found.environments
        ],
    }


def _retired_dict(done: Retired, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "removed": [{"id": image.id, "name": image.name, "bytes": size} for image, size in done.removed],
        "kept": [{"id": image.id, "name": image.name, "reason": reason} for image, reason in done.kept],
        "bytes": done.freed,
    }
