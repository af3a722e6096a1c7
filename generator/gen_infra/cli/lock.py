"""The command that chooses the release of the AWS provider: lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import Console, examples, json_option, print_json, quiet_option
from gen_infra.cli.several import manifests_argument

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@manifests_argument
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="OS_ARCH",
    help="Add the checksum for this platform, such as linux_amd64; repeatable. Default: this machine's.",
)
@click.option("--upgrade", is_flag=True, help="Choose the newest release, not the one that is locked.")
@json_option
@quiet_option
@examples("""
gen-infra lock envs/prod.yaml
gen-infra lock envs/prod.yaml --platform linux_amd64 --platform darwin_arm64
gen-infra lock envs/prod.yaml --upgrade
""")
def lock(
    manifest_paths: tuple[Path, ...], platforms: tuple[str, ...], upgrade: bool, as_json: bool, quiet: bool
) -> int:
    """Lock the AWS provider: write .terraform.lock.hcl beside the manifest.

    The file names one release and the checksums of its packages, from the registry or from the mirror that is
    configured. All manifests of a folder share it; commit it. Every command then uses that release and no other, and
    check fails if the file does not match.
    """
    from gen_infra import pipeline

    console = Console(quiet=quiet)
    locked = pipeline.lock(manifest_paths, console.say, platforms=platforms, upgrade=upgrade)
    if as_json:
        print_json([{"file": str(each.path), "version": version} for each, version in locked.items()])
    else:
        for each in locked:
            click.echo(each.path)
    for each, version in locked.items():
        console.done(f"{each.path} locks hashicorp/aws {version}")
    console.next_step(f"gen-infra render {' '.join(map(str, manifest_paths))}")
    return 0
