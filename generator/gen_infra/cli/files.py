"""Commands for the rendered files of one environment or several: render, check."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gen_infra.cli.console import (
    PATH,
    Console,
    cost_line,
    examples,
    force_option,
    image_tag_option,
    json_option,
    out_option,
    print_json,
    quiet_option,
    strict_option,
)
from gen_infra.cli.several import CommandOutcome, finish, guarded, in_order, load_each, manifests_argument
from gen_infra.errors import UsageError
from gen_infra.tools.versions import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gen_infra.check.report import CheckReport
    from gen_infra.environment import Environment
    from gen_infra.render.cache import RenderCache
    from gen_infra.render.writer import Written


@click.command()
@manifests_argument
@out_option
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; print the difference and exit 1 if there is one."
)
@force_option
@image_tag_option
@strict_option
@json_option
@quiet_option
@examples("""
gen-infra render envs/prod.yaml
gen-infra render envs/*.yaml                 all of them, in one process
gen-infra render envs/prod.yaml --check      in CI: is build/ up to date?
""")
def render(
    manifest_paths: tuple[Path, ...],
    out: Path,
    only_check: bool,
    force: bool,
    image_tags: tuple[str, ...],
    strict: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Write the environment's Terraform and Packer files.

    Plain terraform works in the result. Files that were changed or added since are never overwritten without --force;
    files that the manifest no longer needs are removed if gen-infra wrote them. With several manifests an error in one
    does not stop the others, the exit code is the highest, and --json prints a list.
    """
    from gen_infra.render.cache import RenderCache

    console = Console(quiet=quiet)
    several = len(manifest_paths) > 1
    cache = RenderCache()
    found = {} if only_check or image_tags else {path: cache.find(path, out) for path in manifest_paths}
    unchanged = {path: each for path, each in found.items() if each}
    environments, outcomes = load_each(
        manifest_paths, out, console, strict=strict, image_tags=image_tags, unchanged=unchanged
    )
    for path in manifest_paths:
        if path in unchanged:
            name, root, written, cost = unchanged[path]
            answer = _print_written(root, written, cost, console, as_json=as_json)
            outcomes.append(CommandOutcome(path, name, 0, answer))
        elif path in environments:
            environment = environments[path]
            action = (
                partial(_compare, environment, console, as_json=as_json)
                if only_check
                else partial(_write, environment, cache, console, force=force, as_json=as_json)
            )
            done = guarded(path, environment.manifest.name, action, len(manifest_paths))
            outcomes.append(
                done if isinstance(done, CommandOutcome) else CommandOutcome(path, environment.manifest.name, *done)
            )
    if as_json:
        print_json(in_order(outcomes, manifest_paths) if several else outcomes[0].answer)
    code = finish(outcomes, console, done="up to date" if only_check else "rendered") if several else outcomes[0].code
    if not only_check and not code:
        unlocked = [str(path) for path in manifest_paths if not (path.parent / LOCK_FILE).exists()]
        if unlocked:
            console.say(
                f"terraform init installs the newest AWS provider that is allowed; to choose one release: "
                f"gen-infra lock {' '.join(unlocked)}"
            )
        console.next_step(f"gen-infra check {' '.join(map(str, manifest_paths))}")
    return code


def _write(
    environment: Environment, cache: RenderCache, console: Console, *, force: bool, as_json: bool
) -> tuple[int, dict[str, Any]]:
    from gen_infra import pipeline

    if environment.manifest.state == "local" and (lost := environment.forget_lost_imports()):  # without a call to AWS
        console.say(pipeline.import_again(environment, lost))
    written, cost = pipeline.write(environment, force=force), cost_line(environment)
    cache.store(environment.loaded, environment.root, environment.digest, cost)
    return 0, _print_written(environment.root, written, cost, console, as_json=as_json)


def _print_written(root: Path, written: Written, cost: str, console: Console, *, as_json: bool) -> dict[str, Any]:
    if cost:
        console.say(cost)
    if not as_json:
        click.echo(root)
    console.done(
        f"{len(written.created) + len(written.updated) + len(written.unchanged)} files: {len(written.created)} new, "
        f"{len(written.updated)} changed, {len(written.pruned)} removed, {len(written.unchanged)} unchanged"
    )
    return {
        "folder": str(root),
        "created": sorted(map(str, written.created)),
        "updated": sorted(map(str, written.updated)),
        "pruned": sorted(map(str, written.pruned)),
        "unchanged": len(written.unchanged),
    }


def _compare(environment: Environment, console: Console, *, as_json: bool) -> tuple[int, dict[str, Any]]:
    from gen_infra.render.writer import diff

    difference = diff(environment.files, environment.root)
    if difference and not as_json:
        click.echo(difference, nl=not difference.endswith("\n"))
    if difference:
        console.say(f"{environment.root} is not what the manifest renders to", fg="yellow")
    else:
        console.done(f"{environment.root} is up to date")
    answer = {"folder": str(environment.root), "differs": bool(difference), "diff": difference}
    return int(bool(difference)), answer


@click.command()
@manifests_argument
@out_option
@image_tag_option
@strict_option
@click.option(
    "--policy", "policy_path", type=PATH, metavar="FILE", help="Policy file: what else is accepted, by its owners."
)
@click.option(
    "--against",
    "base_path",
    type=PATH,
    metavar="BASE",
    help="Fail on suppressions and ids of AMIs that the manifest BASE does not have.",
)
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
gen-infra check envs/*.yaml                  all of them: each tool starts once
gen-infra check envs/prod.yaml --strict      in CI: warnings of the manifest fail too
gen-infra check envs/prod.yaml --policy policy.yaml --against ../base/envs/prod.yaml
gen-infra check envs/prod.yaml --json
gen-infra check envs/prod.yaml --format sarif --output check.sarif
""")
def check(
    manifest_paths: tuple[Path, ...],
    out: Path,
    image_tags: tuple[str, ...],
    strict: bool,
    policy_path: Path | None,
    base_path: Path | None,
    report_format: str,
    output: Path | None,
    quiet: bool,
) -> int:
    """Validate and scan the files: terraform, checkov, packer and gen-infra's own checks.

    Runs terraform fmt and validate, then checkov and gen-infra's own checks on the source and, if there are credentials
    for the manifest's account, on a plan of the whole environment, and packer validate if packer is installed. Findings
    that the manifest suppresses are shown each time. Exits 1 if anything fails.

    A manifest cannot suppress checks of privileges; --policy names a file outside it that can, and that other people
    own. --against is for pull requests: BASE is the manifest before the change. A suppression that is new or wider than
    there fails, an existing role below another iam.path, and an AMI's id; if BASE does not exist, each is new.

    With several manifests each tool starts once where it can, an invalid manifest does not stop the others, the exit
    code is the highest, and --json prints a list.
    """
    from gen_infra import pipeline

    if base_path and len(manifest_paths) > 1:
        raise UsageError("--against is for one manifest", hint="run check once for each manifest")
    console = Console(quiet=quiet)
    environments, outcomes = load_each(manifest_paths, out, console, strict=strict, image_tags=image_tags)
    reports = (
        pipeline.check([*environments.values()], console.say, policy_path=policy_path, base_path=base_path)
        if environments
        else ()
    )
    by_name = {each.manifest.name: report for each, report in zip(environments.values(), reports, strict=True)}
    outcomes += [
        CommandOutcome(path, name, int(report.failed), report.to_dict())
        for path, (name, report) in zip(environments, by_name.items(), strict=True)
    ]
    _print_reports(by_name, in_order(outcomes, manifest_paths), report_format, output, console)
    several = len(manifest_paths) > 1
    code = finish(outcomes, console, done="passed") if several else outcomes[0].code
    if code:
        console.next_step(f"fix what failed, then gen-infra check {' '.join(map(str, manifest_paths))}")
    elif not several:
        console.next_step(f"gen-infra plan {manifest_paths[0]}")
    return code


def _print_reports(
    reports: Mapping[str, CheckReport],
    entries: list[dict[str, Any]],
    report_format: str,
    output: Path | None,
    console: Console,
) -> None:
    """Print the reports, or write them to a file; ``entries`` is the JSON list, of which one alone is a report."""
    from gen_infra.check.formats import FORMATS, FORMATS_OF_SEVERAL, as_json, write_atomically

    several = len(entries) > 1
    if report_format == "text" and not output:
        for name, report in reports.items():
            if several:
                click.secho(f"{name}:", bold=True)
            show_report(report)
        return
    if not several:
        text = FORMATS[report_format](*reports.values())
    elif report_format == "json":
        text = as_json(entries)
    else:
        text = FORMATS_OF_SEVERAL[report_format](reports)
    if output:
        write_atomically(output, text)
        console.say(f"the report is in {output}")
    else:
        click.echo(text, nl=False)


def show_report(report: CheckReport) -> None:
    """Print one line for each tool, and one for each finding."""
    for verdict in report.checks:
        mark, colour = ("-", "yellow") if verdict.not_run else ("✗", "red") if verdict.failed else ("✓", "green")
        click.secho(f"{mark} {verdict.name:<20} {verdict.not_run or verdict.summary}", fg=colour)
        for finding in verdict.findings:
            where = f"{finding.where}: " if finding.where else ""
            click.echo(f"    {finding.level}: {where}{finding.message}")
