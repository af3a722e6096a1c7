"""The command for what an environment's jobs have cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from gen_infra.cli.console import (
    Console,
    examples,
    fold,
    json_option,
    manifest_argument,
    print_json,
    quiet_option,
    terminal_width,
)
from gen_infra.cli.durations import parse_since

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.cost.amounts import Total
    from gen_infra.cost.history import SpendGroup
    from gen_infra.manifest import Manifest

_GROUPS = ("job", "queue", "tag", "workflow", "sample")


@click.command()
@manifest_argument
@click.option(
    "--since", default="7d", show_default=True, metavar="T", help="Only after 2h, 3d or 2026-09-30T12:00:00Z."
)
@click.option("--by", type=click.Choice(_GROUPS), help="What to add up; default: job, or with Cost Explorer service.")
@click.option("--tag", metavar="KEY", help="With --by tag: the key of the tag.")
@click.option(
    "--source",
    type=click.Choice(["history", "cost-explorer"]),
    default="history",
    show_default=True,
    help="AWS Batch's history and list prices, or what AWS bills; each request to Cost Explorer costs 0.01 USD.",
)
@json_option
@quiet_option
@examples("""
gen-infra cost envs/prod.yaml
gen-infra cost envs/prod.yaml --since 24h --by sample
gen-infra cost envs/prod.yaml --by tag --tag Project --json
gen-infra cost envs/prod.yaml --source cost-explorer --since 30d
""")
def cost(manifest: Path, since: str, by: str | None, tag: str | None, source: str, as_json: bool, quiet: bool) -> int:
    """Show what the environment's jobs have cost.

    Estimated from AWS Batch's history: how long each attempt ran, its share of the instance type that it ran on, and
    list prices. Batch keeps a job for about 7 days after it has ended. With --source cost-explorer, what AWS bills for
    the tag gen-infra:cost of the environment, by service, workflow or tag, if it is activated for cost allocation.
    """
    from gen_infra.aws.session import clients, require_account
    from gen_infra.manifest import load

    if (by == "tag") != bool(tag):
        raise click.UsageError("--by tag and --tag KEY belong together")
    if source == "cost-explorer" and by not in {None, "tag", "workflow"}:
        raise click.UsageError(f"Cost Explorer does not know jobs: --by {by} needs --source history")
    now = datetime.now(UTC)
    begin = parse_since(since, now)
    env, console = load(manifest), Console(quiet=quiet)
    aws = clients(env.region)
    require_account(aws, env.account)
    if source == "cost-explorer":
        return _billed(aws, env, begin, now, by, tag or "", as_json=as_json)
    return _estimated(aws, env, begin, now, by or "job", tag or "", console, as_json=as_json)


def _estimated(
    aws: Clients, env: Manifest, begin: datetime, now: datetime, by: Any, tag: str, console: Console, *, as_json: bool
) -> int:
    from gen_infra.aws.job_history import KEPT_DAYS, hosts_of, instance_types, jobs_since
    from gen_infra.cost.amounts import total
    from gen_infra.cost.estimate import NOTE, prices_note
    from gen_infra.cost.history import groups, spends

    details = jobs_since(aws, map(env.queue_name, env.queues), begin)
    places = {place for detail in details for _, _, place in hosts_of(detail)}
    found = spends(env, details, instance_types(aws, places), begin, now)
    sums = groups(found, by, tag)
    everything = total((each.id, each.usd) for each in found)
    uncertain = sum(not each.is_certain for each in found)
    notes = [f"{NOTE}; idle instances, traffic and fixed costs are not included", prices_note(env.region)]
    if uncertain:
        notes.append(f"{uncertain} of {len(found)} jobs: their instance has ended, so any type that fits them counts")
    if everything.unknown:
        notes.append(f"the price of {len(everything.unknown)} of {len(found)} jobs is unknown, and not in the sums")
    if begin < now - timedelta(days=KEPT_DAYS):
        notes.append(f"AWS Batch keeps a job for about {KEPT_DAYS} days after it has ended: older ones are missing")
    if as_json:
        print_json(
            {
                "source": "history",
                "currency": "USD",
                "is_estimate": True,
                "since": begin.isoformat().replace("+00:00", "Z"),
                "by": by,
                "groups": [each.to_dict() for each in sums],
                "total": everything.usd.to_dict(),
                "jobs": len(found),
                "notes": notes,
            }
        )
        return 0
    for line in _table(sums):
        click.echo(line)
    if found:
        click.echo(f"total, estimated: {_spent(everything)}")
    else:
        console.say("no job has run in this time")
    for note in notes:
        console.say(note)
    return 0


def _table(sums: Sequence[SpendGroup]) -> list[str]:
    width, rows = terminal_width(), []
    for each in sums:
        cells = [
            f"{_one_line(each.name):<28}",
            f"{each.jobs:>6} job{'' if each.jobs == 1 else 's'}",
            f"{each.vcpu_hours:>10.2f} vCPU hours",
            _spent(each.usd),
        ]
        rows += fold(cells, width)
    return rows


def _spent(usd: Total) -> str:
    """Write a sum of jobs, and how many have no known price."""
    if not usd.unknown:
        return str(usd.usd)
    jobs = f"{len(usd.unknown)} job{'' if len(usd.unknown) == 1 else 's'} (unknown)"
    return f"{usd.usd} and {jobs}" if usd.usd.high else jobs


def _one_line(name: str) -> str:
    """Write a name as one line: AWS allows the separators of lines and paragraphs in the value of a tag."""
    return " ".join(name.split())


def _billed(
    aws: Clients, env: Manifest, begin: datetime, now: datetime, by: str | None, tag: str, *, as_json: bool
) -> int:
    from gen_infra.cost.amounts import written
    from gen_infra.cost.explorer import WORKFLOW_TAG, billed
    from gen_infra.errors import UsageError

    if not env.cost_tags:
        raise UsageError(
            f"{env.name} has no costs of its own in Cost Explorer: what the section existing takes over keeps its tags",
            hint="use --source history",
        )
    end = now.date() + timedelta(days=1)
    found = billed(aws, env.name, begin.date(), end, WORKFLOW_TAG if by == "workflow" else tag)
    if as_json:
        print_json(
            {
                "source": "cost-explorer",
                "currency": "USD",
                "is_estimate": False,
                "since": begin.date().isoformat(),
                "by": by or "service",
                "groups": [each.to_dict() for each in found],
                "total": round(sum(each.usd for each in found), 6),
            }
        )
        return 0
    for each in found:
        click.echo(f"{_one_line(each.name) or '(none)':<48} {written(each.usd):>13} USD")
    click.echo(f"total from {begin.date()} on: {written(sum(each.usd for each in found))} USD, as AWS bills it")
    return 0
