"""Commands that change an account: plan, apply, destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    Console,
    examples,
    force_option,
    image_tag_option,
    json_option,
    manifest_argument,
    out_option,
    print_json,
    quiet_option,
    require_terminal,
    strict_option,
    yes_option,
)
from gen_infra.cli.summary import allow_option, confirm_dangers, confirm_lost_files, drain_timeout_option, show_summary
from gen_infra.errors import AnswerIsNoError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest
    from gen_infra.terraform.saved_plan import Plan

adopt_option = click.option(
    "--adopt",
    is_flag=True,
    help="Import what exists although the state is empty: the state is lost, or another machine's run was interrupted.",
)


reviewed_option = click.option(
    "--reviewed",
    metavar="DIGEST",
    help="Apply only if the plan does what the reviewed one does: the digest that plan --json and --format markdown "
    "print.",
)


@click.command()
@manifest_argument
@out_option
@adopt_option
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
@image_tag_option
@strict_option
@quiet_option
@examples("""
gen-infra plan envs/prod.yaml
gen-infra plan envs/prod.yaml --image-tag isaac=1.4            a release, without editing the manifest
gen-infra plan envs/prod.yaml --detailed-exitcode --quiet
gen-infra plan envs/prod.yaml --format markdown > plan.md      for a pull request
""")
def plan(
    manifest: Path,
    out: Path,
    adopt: bool,
    detailed_exitcode: bool,
    plan_format: str,
    force: bool,
    image_tags: tuple[str, ...],
    strict: bool,
    quiet: bool,
) -> int:
    """Show what would change, what that does to running jobs, and save the plan for apply.

    Each change of the manifest since the last apply is shown next to what it causes. Changes that stop jobs or destroy
    data are marked, and apply asks about them separately. What an interrupted run left is shown, and apply adopts it.
    The cost is estimated by AWS's list prices, next to that of the manifest that was applied last.
    """
    from concurrent.futures import ThreadPoolExecutor

    from gen_infra import pipeline
    from gen_infra.cost.text import change_lines
    from gen_infra.terraform.plan_digest import counts, digest

    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out, strict=strict, image_tags=image_tags)
    console.warn(environment)
    pipeline.write(environment, force=force)
    console.say("terraform plans …")
    with ThreadPoolExecutor() as pool:
        usual = pool.submit(pipeline.usual_hours, environment)  # while terraform works
        made = pipeline.make_plan(environment, console.event, console.say, adopt=adopt)
    for warning in pipeline.account_warnings(environment):
        console.say(f"warning: {warning}", fg="yellow")
    has_changes = made.content.has_changes
    summary = pipeline.explain(environment, made)
    cost = pipeline.estimate_change(environment, made, usual.result())
    if plan_format == "json":
        totals = {"digest": digest(made.content), **counts(made.content)}
        print_json(
            {"has_changes": has_changes, "plan": str(made.path), **totals, **summary.to_dict(), "cost": cost.to_dict()}
        )
    elif plan_format == "markdown":
        from gen_infra.explain.markdown import to_markdown

        click.echo(to_markdown(summary, environment.manifest.name, change_lines(cost)))
        click.echo(f"Digest: {digest(made.content)}")
    else:
        show_summary(summary, has_changes=has_changes)
        if has_changes:
            click.echo("\n".join(change_lines(cost)))
    if summary.impossible:
        console.next_step("undo that change of the manifest, or make it under a new name of the environment")
    elif has_changes:
        console.next_step(" ".join([f"gen-infra apply {manifest}", *(f"--image-tag {tag}" for tag in image_tags)]))
    return 1 if has_changes and detailed_exitcode else 0


@click.command()
@manifest_argument
@out_option
@yes_option
@adopt_option
@allow_option
@drain_timeout_option
@reviewed_option
@force_option
@image_tag_option
@strict_option
@json_option
@quiet_option
@examples("""
gen-infra apply envs/prod.yaml
gen-infra apply envs/prod.yaml --yes --json
gen-infra apply envs/prod.yaml --yes --allow stop-jobs
gen-infra apply envs/prod.yaml --drain-timeout 2h
gen-infra apply envs/prod.yaml --yes --reviewed "$DIGEST"               the plan that was approved, and no other
gen-infra apply envs/prod.yaml --allow stop-jobs --drain-timeout 0      do not wait for jobs
""")
def apply(
    manifest: Path,
    out: Path,
    yes: bool,
    adopt: bool,
    allow: tuple[str, ...],
    drain_timeout: float | None,
    reviewed: str | None,
    force: bool,
    image_tags: tuple[str, ...],
    strict: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Apply exactly the plan that is shown.

    Plans first if there is no saved plan, or if it cannot be used any more, for example because the rendered files
    changed. Asks separately about changes that stop jobs or destroy data; with --yes they need --allow.

    A compute environment that is replaced is deleted when its jobs have ended: its successor is VALID before any queue
    is pointed to it, then the old one accepts no more jobs, then apply waits. Ctrl-C stops safely at any time; the same
    command then resumes. It adopts what a killed run left, and reports what it cannot adopt, with the command that
    removes it.
    """
    from dataclasses import asdict

    from gen_infra import pipeline
    from gen_infra.apply.replacement import Draining

    if not yes:
        require_terminal()
    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out, strict=strict, image_tags=image_tags)
    console.warn(environment)
    pipeline.write(environment, force=force)
    shown = pipeline.saved_or_new_plan(environment, console.event, console.say, adopt=adopt)
    summary = pipeline.explain(environment, shown)
    has_changes = shown.content.has_changes
    if not as_json:
        show_summary(summary, has_changes=has_changes)
    if reviewed is not None and has_changes:
        _require_reviewed(shown, reviewed)
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
    if use := first_use(environment.manifest, manifest):
        console.next_step(use)
    return 0


def _require_reviewed(shown: Plan, reviewed: str) -> None:
    from gen_infra.terraform.plan_digest import digest

    if (found := digest(shown.content)) != reviewed:
        raise AnswerIsNoError(
            f'this plan has the digest "{found}", and "{reviewed}" was reviewed: the manifest or the account changed '
            "since; nothing was applied",
            hint="plan again, and review the new plan",
        )


def first_use(manifest: Manifest, manifest_path: Path) -> str:
    """Return the command that uses an environment first: by a job, or by a workflow engine; empty if it has neither."""
    from gen_infra.manifest.engine_heads import head_job

    submit = f"gen-infra submit {manifest_path}"
    heads = {head_job(name): name for name, engine in manifest.given_engines.items() if engine.head}
    if key := next((key for key in manifest.jobs if key not in heads), None):
        job = manifest.jobs[key]
        fair_share = manifest.queues[manifest.queue_of(job)].fair_share
        values = [f"--parameter {name}=VALUE" for name in job.required_parameters]
        share = [f"--share {next(iter(fair_share.shares), 'ID').rstrip('*')}"] if fair_share else []
        return " ".join([submit, key, *values, *share, "--watch"])
    if engine := next(iter(heads.values()), None):
        return f"{submit} --engine {engine} --pipeline URL --revision REV --watch"
    return next((f"gen-infra engine {manifest_path} {name}" for name in manifest.given_engines), "")


def _one_line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(map(str, value.values()))
    return str(value)


@click.command()
@manifest_argument
@out_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask for the environment's name.")
@click.option(
    "--allow",
    type=click.Choice(["destroy-data"]),
    multiple=True,
    help="destroy-data: do not ask about the files of file systems that the environment created.",
)
@force_option
@json_option
@quiet_option
@examples("""
gen-infra destroy envs/dev.yaml
gen-infra destroy envs/dev.yaml --yes
gen-infra destroy envs/dev.yaml --yes --allow destroy-data
""")
def destroy(
    manifest: Path, out: Path, yes: bool, allow: tuple[str, ...], force: bool, as_json: bool, quiet: bool
) -> int:
    """Delete the environment and everything that belongs to it.

    Deletes the images in its repositories and every revision of its job definitions too; the files of a file system
    that it created only after you confirm that, or with --allow destroy-data. Keeps the buckets, and a network that
    gen-infra did not create. Exits 1 if the APIs still show something afterwards.
    """
    from gen_infra import pipeline
    from gen_infra.explain.lost_files import lost_file_systems

    if not yes:
        require_terminal()
    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out)
    name = environment.manifest.name
    pipeline.write(environment, force=force)
    console.say("terraform plans …")
    shown = pipeline.make_plan(environment, console.event, console.say, destroy=True)
    summary = pipeline.explain(environment, shown)
    if not as_json and summary.changes:
        show_summary(summary, has_changes=True)
    using = pipeline.definitions_with_deleted_roles(environment, shown)
    for definition, role in using.items():
        what = f"job definition {definition} uses the role {role.rpartition('/')[2]}: its jobs will fail"
        console.say(f"  warning: {what}", fg="yellow")
    confirm_lost_files(lost_file_systems(shown.content), console, allowed=allow, yes=yes)
    if not yes and summary.changes:
        question = f"This destroys {name} and its container images. Type its name to confirm"
        if click.prompt(question, err=True) != name:
            raise UsageError(f"the answer is not {name}; nothing was destroyed")
    left = pipeline.destroy(environment, shown, console.event, console.say)
    if as_json:
        print_json({**summary.to_dict(), "left": left, "definitions_with_deleted_roles": using})
    for thing in left:
        console.say(f"  still there: {thing}", fg="yellow")
    if left:
        console.next_step(f"run it again, or remove these {len(left)} yourself")
        return 1
    console.done(f"{name} is destroyed; the APIs show nothing of it")
    return 0
