"""Commands of an environment's life: render, check, plan, apply, destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    PATH,
    Console,
    examples,
    json_option,
    manifest_argument,
    out_option,
    print_json,
    quiet_option,
    require_terminal,
    strict_option,
    yes_option,
)
from gen_infra.cli.summary import allow_option, confirm_dangers, drain_timeout_option, show_summary
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.check.report import CheckReport
    from gen_infra.environment import Environment

force_option = click.option("--force", is_flag=True, help="Overwrite rendered files that were changed since.")


@click.command()
@manifest_argument
@out_option
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; print the difference and exit 1 if there is one."
)
@force_option
@strict_option
@json_option
@quiet_option
@examples("""
gen-infra render envs/prod.yaml
gen-infra render envs/prod.yaml --check      in CI: is build/ up to date?
""")
def render(manifest: Path, out: Path, only_check: bool, force: bool, strict: bool, as_json: bool, quiet: bool) -> int:
    """Write the environment's Terraform and Packer files.

    Plain terraform works in the result. Files that were changed or added since are never overwritten without --force;
    files that the manifest no longer needs are removed if gen-infra wrote them.
    """
    from gen_infra import pipeline

    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out, strict=strict)
    console.warn(environment)
    if only_check:
        return _render_check(environment, console, as_json=as_json)
    written = pipeline.write(environment, force=force)
    _say_cost(environment, console)
    if as_json:
        print_json(
            {
                "folder": str(environment.root),
                "created": sorted(map(str, written.created)),
                "updated": sorted(map(str, written.updated)),
                "pruned": sorted(map(str, written.pruned)),
                "unchanged": len(written.unchanged),
            }
        )
    else:
        click.echo(environment.root)
    console.done(
        f"{len(environment.files)} files: {len(written.created)} new, {len(written.updated)} changed, "
        f"{len(written.pruned)} removed, {len(written.unchanged)} unchanged"
    )
    console.next_step(f"gen-infra check {manifest}")
    return 0


def _say_cost(environment: Environment, console: Console) -> None:
    """Show what a network costs that gen-infra creates; an existing one costs nothing more."""
    if create := environment.manifest.network.create:
        from gen_infra.explain.costs import network_cost

        console.say(network_cost(create))


def _render_check(environment: Environment, console: Console, *, as_json: bool) -> int:
    from gen_infra.render.writer import diff

    difference = diff(environment.files, environment.root)
    if as_json:
        print_json({"folder": str(environment.root), "differs": bool(difference), "diff": difference})
    elif difference:
        click.echo(difference, nl=not difference.endswith("\n"))
    if difference:
        console.say(f"{environment.root} is not what the manifest renders to", fg="yellow")
        return 1
    console.done(f"{environment.root} is up to date")
    return 0


@click.command()
@manifest_argument
@out_option
@strict_option
@click.option(
    "--format",
    "report_format",
    type=click.Choice(["text", "json", "sarif", "junit"]),
    default="text",
    show_default=True,
    help="Format of the report.",
)
@click.option("--output", type=PATH, metavar="FILE", help="Write the report to FILE, atomically.")
@click.option("--json", "report_format", flag_value="json", help="The same as --format json.")
@quiet_option
@examples("""
gen-infra check envs/prod.yaml
gen-infra check envs/prod.yaml --strict      in CI: warnings of the manifest fail too
gen-infra check envs/prod.yaml --json
gen-infra check envs/prod.yaml --format sarif --output check.sarif
""")
def check(manifest: Path, out: Path, strict: bool, report_format: str, output: Path | None, quiet: bool) -> int:
    """Validate and scan the files: terraform, checkov, packer and gen-infra's own checks.

    Runs terraform fmt and validate, then checkov and gen-infra's own checks on the source and, if there are credentials
    for the manifest's account, on a plan of the whole environment, and packer validate if packer is installed. Findings
    that the manifest suppresses are shown each time. Exits 1 if anything fails.
    """
    from gen_infra import pipeline
    from gen_infra.check.formats import FORMATS, write_atomically

    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out, strict=strict)
    console.warn(environment)
    (report,) = pipeline.check([environment], console.say)
    if output:
        write_atomically(output, FORMATS[report_format](report))
        console.say(f"the report is in {output}")
    elif report_format == "text":
        show_report(report)
    else:
        click.echo(FORMATS[report_format](report), nl=False)
    if report.failed:
        console.next_step(f"fix what failed, then gen-infra check {manifest}")
    else:
        console.next_step(f"gen-infra plan {manifest}")
    return 1 if report.failed else 0


def show_report(report: CheckReport) -> None:
    """Print one line for each tool, and one for each finding."""
    for verdict in report.checks:
        mark, colour = ("-", "yellow") if verdict.not_run else ("✗", "red") if verdict.failed else ("✓", "green")
        click.secho(f"{mark} {verdict.name:<20} {verdict.not_run or verdict.summary}", fg=colour)
        for finding in verdict.findings:
            where = f"{finding.where}: " if finding.where else ""
            click.echo(f"    {finding.level}: {where}{finding.message}")


@click.command()
@manifest_argument
@out_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit 1 if there are changes.")
@click.option(
    "--format",
    "plan_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Format of the plan; markdown is for a pull request.",
)
@click.option("--json", "plan_format", flag_value="json", help="The same as --format json.")
@force_option
@strict_option
@quiet_option
@examples("""
gen-infra plan envs/prod.yaml
gen-infra plan envs/prod.yaml --detailed-exitcode --quiet
gen-infra plan envs/prod.yaml --format markdown > plan.md      for a pull request
""")
def plan(
    manifest: Path, out: Path, detailed_exitcode: bool, plan_format: str, force: bool, strict: bool, quiet: bool
) -> int:
    """Show what would change, what that does to running jobs, and save the plan for apply.

    Each change of the manifest since the last apply is shown next to what it causes. Changes that stop jobs or destroy
    data are marked, and apply asks about them separately.
    """
    from gen_infra import pipeline

    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out, strict=strict)
    console.warn(environment)
    pipeline.write(environment, force=force)
    _say_cost(environment, console)
    console.say("terraform plans …")
    made = pipeline.make_plan(environment, console.event)
    has_changes = made.content.has_changes
    summary = pipeline.explain(environment, made)
    if plan_format == "json":
        print_json({"has_changes": has_changes, "plan": str(made.path), **summary.to_dict()})
    elif plan_format == "markdown":
        from gen_infra.explain.markdown import to_markdown

        click.echo(to_markdown(summary, environment.manifest.name), nl=False)
    else:
        show_summary(summary, has_changes=has_changes)
    if has_changes:
        console.next_step(f"gen-infra apply {manifest}")
    return 1 if has_changes and detailed_exitcode else 0


@click.command()
@manifest_argument
@out_option
@yes_option
@allow_option
@drain_timeout_option
@force_option
@strict_option
@json_option
@quiet_option
@examples("""
gen-infra apply envs/prod.yaml
gen-infra apply envs/prod.yaml --yes --json
gen-infra apply envs/prod.yaml --yes --allow stop-jobs
gen-infra apply envs/prod.yaml --drain-timeout 2h
gen-infra apply envs/prod.yaml --allow stop-jobs --drain-timeout 0      do not wait for jobs
""")
def apply(
    manifest: Path,
    out: Path,
    yes: bool,
    allow: tuple[str, ...],
    drain_timeout: float | None,
    force: bool,
    strict: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Apply exactly the plan that is shown.

    Plans first if there is no saved plan, or if it cannot be used any more, for example because the rendered files
    changed. Asks separately about changes that stop jobs or destroy data; with --yes they need --allow.

    A compute environment that is replaced is deleted when its jobs have ended: its successor is VALID before any queue
    is pointed to it, then the old one accepts no more jobs, then apply waits. Ctrl-C stops safely at any time; the same
    command then resumes. Resources that a killed run left are reported, with the command that imports or removes them.
    """
    from dataclasses import asdict

    from gen_infra import pipeline
    from gen_infra.apply.replacement import Draining

    if not yes:
        require_terminal()
    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out, strict=strict)
    console.warn(environment)
    pipeline.write(environment, force=force)
    console.say("terraform plans …")
    shown = pipeline.saved_or_new_plan(environment, console.event, console.say)
    summary = pipeline.explain(environment, shown)
    has_changes = shown.content.has_changes
    if not as_json:
        show_summary(summary, has_changes=has_changes)
    confirm_dangers(summary, console, allowed=allow, yes=yes)
    if has_changes:
        console.confirm(
            f"Apply this to {environment.manifest.name} in account {environment.manifest.account}?", yes=yes
        )
    draining = Draining(drain_timeout, may_end_jobs="stop-jobs" in allow)
    applied = pipeline.apply(environment, shown, console.event, console.say, draining)
    for orphan in applied.orphans:
        console.say(f"warning: {orphan}", fg="yellow")
    if as_json:
        orphans = [asdict(orphan) for orphan in applied.orphans]
        print_json({**summary.to_dict(), "outputs": applied.outputs, "strays": orphans})
    else:
        for name, value in applied.outputs.items():
            click.echo(f"{name} = {_one_line(value)}")
    console.done(f"{environment.manifest.name} matches the manifest")
    job = next(iter(environment.manifest.jobs), None)
    if job:
        console.next_step(f"gen-infra submit {manifest} {job} --watch")
    return 0


def _one_line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(map(str, value.values()))
    return str(value)


@click.command()
@manifest_argument
@out_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask for the environment's name.")
@force_option
@json_option
@quiet_option
@examples("""
gen-infra destroy envs/dev.yaml
gen-infra destroy envs/dev.yaml --yes
""")
def destroy(manifest: Path, out: Path, yes: bool, force: bool, as_json: bool, quiet: bool) -> int:
    """Delete the environment and everything that belongs to it.

    Deletes the images in its repositories and every revision of its job definitions too. Keeps the buckets, and a
    network that gen-infra did not create. Exits 1 if the APIs still show something afterwards.
    """
    from gen_infra import pipeline

    if not yes:
        require_terminal()
    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out)
    name = environment.manifest.name
    pipeline.write(environment, force=force)
    console.say("terraform plans …")
    shown = pipeline.make_plan(environment, console.event, destroy=True)
    summary = pipeline.explain(environment, shown)
    if not as_json and summary.changes:
        show_summary(summary, has_changes=True)
    if not yes and summary.changes:
        question = f"This destroys {name} and its container images. Type its name to confirm"
        if click.prompt(question, err=True) != name:
            raise UsageError(f"the answer is not {name}; nothing was destroyed")
    left = pipeline.destroy(environment, shown, console.event, console.say)
    if as_json:
        print_json({**summary.to_dict(), "left": left})
    for thing in left:
        console.say(f"  still there: {thing}", fg="yellow")
    if left:
        console.next_step(f"run it again, or remove these {len(left)} yourself")
        return 1
    console.done(f"{name} is destroyed; the APIs show nothing of it")
    return 0
