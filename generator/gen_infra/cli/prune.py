"""Command prune: remove what is old and unused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gen_infra.cli.console import (
    Console,
    examples,
    json_option,
    manifest_argument,
    out_option,
    print_json,
    quiet_option,
    require_terminal,
    yes_option,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.prune.account import Prunable
    from gen_infra.prune.builds import OldBuild


@click.command()
@manifest_argument
@out_option
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="Keep at least the newest N revisions of each job definition and images of each repository.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
@yes_option
@json_option
@quiet_option
@examples("""
gen-infra prune envs/prod.yaml --dry-run
gen-infra prune envs/prod.yaml --keep 20 --yes
""")
def prune(manifest: Path, out: Path, keep: int, dry_run: bool, yes: bool, as_json: bool, quiet: bool) -> int:
    """Remove old revisions, images, plans and builds.

    Removes revisions of the environment's job definitions beyond the newest N that no unfinished job runs; images of
    its repositories that no active revision uses and that are beyond the newest N, or untagged and older than a day; a
    saved plan whose files changed; and folders below build/ that belong to no manifest and hold only rendered files.
    """
    from gen_infra import pipeline
    from gen_infra.aws.session import clients, require_account
    from gen_infra.prune.account import find_prunable, remove_prunable
    from gen_infra.prune.builds import old_builds

    if not (yes or dry_run):
        require_terminal()
    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out)
    env = environment.manifest
    aws = clients(env.region)
    require_account(aws, env.account)
    definitions = [*map(env.definition_name, env.own_jobs)]
    repositories = map(env.repository_name, env.repositories)
    prunable = find_prunable(aws, definitions, repositories, env.name, keep=keep)
    builds = old_builds(environment, manifest)
    lines = list(_lines(prunable, builds))
    if not as_json:
        for line in lines:
            click.echo(line)
    if lines and not dry_run:
        console.confirm(f"Remove these {len(lines)}?", yes=yes)
        remove_prunable(aws, prunable)
        for build in builds:
            build.remove()
    if as_json:
        print_json({"removed": not dry_run, **_as_dict(prunable, builds)})
    if not lines:
        console.done("nothing to remove")
    elif dry_run:
        console.say(f"{len(lines)} would be removed; nothing was removed")
    else:
        console.done(f"removed {len(lines)}")
    return 0


def _lines(prunable: Prunable, builds: list[OldBuild]) -> list[str]:
    return [
        *(f"job definition {shown}" for shown in prunable.revisions.values()),
        *(f"image {image}: {image.reason}" for image in prunable.images),
        *(f"folder {build.path}: {build.reason}" for build in builds),
    ]


def _as_dict(prunable: Prunable, builds: list[OldBuild]) -> dict[str, Any]:
    return {
        "job_definitions": list(prunable.revisions.values()),
        "images": [
            {
                "repository": image.repository,
                "digest": image.digest,
                "tags": list(image.tags),
                "pushed": image.pushed.isoformat(),
                "reason": image.reason,
            }
            for image in prunable.images
        ],
        "folders": [{"path": str(build.path), "reason": build.reason} for build in builds],
    }
