"""Command prune: what piles up around an environment."""

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

    from gen_infra.prune.account import Surplus
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
    help="How many revisions of each job definition, and images of each repository, stay in any case.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@yes_option
@json_option
@quiet_option
@examples("""
gen-infra prune envs/prod.yaml --dry-run
gen-infra prune envs/prod.yaml --keep 20 --yes
""")
def prune(manifest: Path, out: Path, keep: int, dry_run: bool, yes: bool, as_json: bool, quiet: bool) -> int:
    """Remove old revisions, images, plans and builds.

    Revisions of the environment's job definitions beyond the newest N that no unfinished job runs; images of its
    repositories beyond the newest N, or a day old and without a tag, that no active revision names; a saved plan whose
    files changed; and folders below build/ that no manifest is behind, if they hold nothing but what was rendered.
    """
    from gen_infra import pipeline
    from gen_infra.aws.session import clients, require_account
    from gen_infra.prune.account import find_surplus, remove_surplus
    from gen_infra.prune.builds import old_builds

    if not (yes or dry_run):
        require_terminal()
    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out)
    env = environment.manifest
    aws = clients(env.region)
    require_account(aws, env.account)
    surplus = find_surplus(
        aws, [env.suffixed(job) for job in env.jobs], map(env.repository_name, env.repositories), keep=keep
    )
    builds = old_builds(environment, manifest)
    lines = list(_lines(surplus, builds))
    if not as_json:
        for line in lines:
            click.echo(line)
    if lines and not dry_run:
        console.confirm(f"Remove these {len(lines)}?", yes=yes)
        remove_surplus(aws, surplus)
        for build in builds:
            build.remove()
    if as_json:
        print_json({"removed": not dry_run, **_as_dict(surplus, builds)})
    if not lines:
        console.done("there is nothing to remove")
    elif dry_run:
        console.say(f"{len(lines)} would go; nothing was removed")
    else:
        console.done(f"removed {len(lines)}")
    return 0


def _lines(surplus: Surplus, builds: list[OldBuild]) -> list[str]:
    return [
        *(f"job definition {shown}" for shown in surplus.revisions.values()),
        *(f"image {image}: {image.reason}" for image in surplus.images),
        *(f"folder {build.path}: {build.reason}" for build in builds),
    ]


def _as_dict(surplus: Surplus, builds: list[OldBuild]) -> dict[str, Any]:
    return {
        "job_definitions": list(surplus.revisions.values()),
        "images": [
            {
                "repository": image.repository,
                "digest": image.digest,
                "tags": list(image.tags),
                "pushed": image.pushed.isoformat(),
                "reason": image.reason,
            }
            for image in surplus.images
        ],
        "folders": [{"path": str(build.path), "reason": build.reason} for build in builds],
    }
