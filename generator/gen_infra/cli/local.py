"""Commands around an environment: bootstrap, emulator, demo."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import PATH, Console, examples, json_option, manifest_argument, print_json, quiet_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any


@click.command()
@manifest_argument
@json_option
@quiet_option
@examples("""
gen-infra bootstrap envs/prod.yaml
""")
def bootstrap(manifest: Path, as_json: bool, quiet: bool) -> int:
    """Create the S3 bucket for the Terraform state.

    The bucket is versioned, encrypted, private and TLS only. Running it again changes only what differs.
    """
    from gen_infra.aws.session import clients, require_account
    from gen_infra.aws.state_bucket import ensure_state_bucket
    from gen_infra.manifest import load
    from gen_infra.manifest.model.settings import StateBucket

    console = Console(quiet=quiet)
    env = load(manifest)
    if not isinstance(env.state, StateBucket):
        if as_json:
            print_json({"bucket": None, "changed": []})
        console.say(f"{env.name} keeps its state on this machine (state: local) and needs no bucket")
        return 0
    aws = clients(env.region)
    require_account(aws, env.account)
    steps = ensure_state_bucket(aws, env.state.bucket, env.account, env.tags)
    if as_json:
        changed = [{"setting": step.setting, "change": step.change} for step in steps]
        print_json({"bucket": env.state.bucket, "changed": changed})
    else:
        click.echo(env.state.bucket)
    for step in steps:
        console.say(f"  {step.setting}: {step.change}")
    console.done("the state bucket is ready" if steps else "the state bucket needs no change")
    console.next_step(f"gen-infra plan {manifest}")
    return 0


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; by default any free port.")
@click.option(
    "--iam-report",
    is_flag=True,
    help="At the end, list the IAM actions that users and roles needed, and those whose resource was not known.",
)
@click.option(
    "--images",
    type=PATH,
    metavar="DIR",
    help="Offer the images in a folder to jobs: root file systems or OCI layouts, under their names.",
)
@quiet_option
@examples("""
gen-infra emulator --port 5000
gen-infra emulator --images images   # images/quay.io/biocontainers/bwa:0.7.17 is a folder
gen-infra emulator --iam-report
""")
def emulator(port: int, iam_report: bool, images: Path | None, quiet: bool) -> int:
    """Run the embedded AWS in the foreground.

    Prints the environment variables that make terraform, gen-infra and any AWS client use it. Ctrl-C stops it; nothing
    is kept.

    These variables are the account administrator's, who may do everything. The calls of every other user and role are
    evaluated as IAM does: by their policies, their permissions boundaries, and the policies of the resources.

    With root and runc, the containers of jobs run, of images that were pushed or are offered; other jobs are simulated.
    """
    from gen_infra.emulator import serve_forever, start
    from gen_infra.tools import container_host

    console = Console(quiet=quiet)
    running = start(port=port, images=images)

    def announce() -> None:
        print_exports(running.environ)
        console.done(f"the embedded AWS is running on {running.endpoint}; stop it with Ctrl-C")
        lacking, hint = container_host.missing()
        if images and lacking:
            console.say(f"warning: jobs are simulated, because containers need {lacking} ({hint})", fg="yellow")
        console.next_step(
            "paste the lines above into another terminal, then run there: "
            "gen-infra new demo.yaml --example demo && gen-infra apply demo.yaml"
        )

    def report() -> None:
        if iam_report:
            print_iam_report(running.iam_report())

    serve_forever(running, announce, report)
    return 0


def print_iam_report(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print the evaluated IAM actions as a table; ``*`` marks those whose resource was not known."""
    if not lines:
        click.echo("no call of a user or a role was evaluated")
        return
    width = max(len(line["action"]) for line in lines)
    for line in lines:
        decision = "allowed" if line["is_allowed"] else "refused"
        unknown = "" if line["is_known"] else "  evaluated on *: its resource is not known"
        click.echo(f"{line['action']:<{width}}  {decision}  {line['count']:>6}{unknown}")


def print_exports(environ: Mapping[str, str]) -> None:
    """Print the environment variables that make any AWS client use the emulator."""
    for name, value in environ.items():
        click.echo(f"export {name}={value}")
    click.echo("unset AWS_PROFILE AWS_SESSION_TOKEN")
    sys.stdout.flush()


@click.command()
@click.option(
    "--out",
    type=PATH,
    default="build/emulated",
    show_default=True,
    help="Folder for the rendered files; files of an earlier demo are removed.",
)
@click.option(
    "--keep", is_flag=True, help="Do not destroy the environment; keep the embedded AWS running until Ctrl-C."
)
@quiet_option
@examples("""
gen-infra demo
gen-infra demo --keep
""")
def demo(out: Path, keep: bool, quiet: bool) -> int:
    """Run everything once, without an AWS account.

    On the embedded AWS: render, check, plan, apply, plan again (empty), submit a job and watch it succeed, invoke the
    functions, build the machine image (needs packer and root), destroy, and verify that nothing is left.
    """
    from gen_infra.cli import demo as story
    from gen_infra.emulator import serve_forever

    console = Console(quiet=quiet)

    def step(text: str, seconds: float, *, done: bool) -> None:
        click.secho(f"{'✓' if done else '-'} {seconds:5.1f} s  {text}", fg="green" if done else "yellow")

    if missing := story.missing_checkov():
        console.say(f"warning: this demo does not scan its files: {missing.message} ({missing.hint})", fg="yellow")
    with story.embedded_aws() as running:
        console.say(f"the embedded AWS runs on {running.endpoint}")
        environment = story.run(out, story.Voice(step, console.say, console.event), keep=keep)
        click.echo(f"the rendered files are in {environment.root}")
        if keep:
            console.say("the environment is kept: paste these lines into another terminal to use it; Ctrl-C stops it")
            serve_forever(running, lambda: print_exports(running.environ))
    console.next_step("read those files, then enter your account and network in a copy of envs/prod.yaml")
    return 0
