"""The command that draws an environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    PATH,
    Console,
    examples,
    force_option,
    image_tag_option,
    manifest_argument,
    out_option,
    quiet_option,
)
from gen_infra.errors import MissingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gen_infra.graph import Graph
    from gen_infra.terraform.plan import PlanContent

_FORMATS = ("svg", "png", "mermaid", "dot", "json")
_ENDINGS = {".svg": "svg", ".png": "png", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot",
            ".json": "json"}  # fmt: skip


@click.command()
@manifest_argument
@click.option(
    "--format",
    "picture_format",
    type=click.Choice(_FORMATS),
    help="Format of the picture; default: that of FILE's ending, or svg. mermaid, dot and json need no Graphviz.",
)
@click.option("--json", "picture_format", flag_value="json", help="The same as --format json.")
@click.option("--output", type=PATH, metavar="FILE", help="Write the picture to FILE, atomically.")
@click.option(
    "--plan",
    "with_plan",
    is_flag=True,
    help="Show what the saved plan changes; plan first if there is none for this manifest.",
)
@out_option
@force_option
@image_tag_option
@quiet_option
@examples("""
gen-infra graph envs/prod.yaml --output prod.svg
gen-infra graph envs/prod.yaml --plan --output change.png       what an apply would change
gen-infra graph envs/prod.yaml --format mermaid >> README.md    for GitHub and GitLab, in a mermaid block
gen-infra graph envs/prod.yaml --format dot | dot -Tpdf -o prod.pdf
gen-infra graph envs/prod.yaml --json | jq '.nodes[] | [.key, .addresses[]]'
""")
def graph(
    manifest: Path,
    picture_format: str | None,
    output: Path | None,
    with_plan: bool,
    out: Path,
    force: bool,
    image_tags: tuple[str, ...],
    quiet: bool,
) -> int:
    """Draw the environment: network, compute environments, queues, jobs, their roles and data, and who submits jobs.

    Columns go from the network to the data, queues from the highest priority to the lowest. Jobs of the same queue and
    the same rights are one box where there are many. The SVG has colours for light and dark pages, and text for screen
    readers; each box names its lines in the manifest when the pointer is on it. The JSON has every part, with its key,
    its file and line, and Terraform's addresses.

    With --plan, each part says whether it is created, changed, replaced or deleted. That needs Terraform and
    credentials, as plan does.
    """
    from gen_infra import pipeline
    from gen_infra.graph import graph as make_graph

    chosen = picture_format or _format_of(output)
    if chosen == "png" and not output and sys.stdout.isatty():
        raise click.UsageError(f"a PNG is not text for a terminal; add --output {manifest.stem}.png")
    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out, image_tags=image_tags)
    console.warn(environment)
    plan: PlanContent | None = None
    if with_plan:
        pipeline.write(environment, force=force)
        plan = pipeline.saved_or_new_plan(environment, console.event, console.say).content
    found = make_graph(environment.loaded, plan)
    _write(found, chosen, output)
    if output:
        console.say(f"the picture is in {output}")
    options = "".join(f" --image-tag {tag}" for tag in image_tags)
    if plan is None:
        console.next_step(f"gen-infra graph {manifest}{options} --plan")
    elif plan.has_changes:
        console.next_step(f"gen-infra apply {manifest}{options}")
    return 0


def _format_of(output: Path | None) -> str:
    """Return the format that a file's ending names; svg without a file.

    Raises:
        click.UsageError: it names none.
    """
    if output is None:
        return "svg"
    if output.suffix.lower() not in _ENDINGS:
        known = ", ".join(_ENDINGS)
        raise click.UsageError(f'unknown ending "{output.suffix}" of {output}; add --format, or choose from: {known}')
    return _ENDINGS[output.suffix.lower()]


def _write(found: Graph, chosen: str, output: Path | None) -> None:
    from gen_infra.check.formats import write_atomically

    content = _content(found, chosen)
    if output:
        write_atomically(output, content)
    else:
        click.echo(content, nl=False)


def _content(found: Graph, chosen: str) -> str | bytes:
    """Return the picture; of a large environment folded, but as JSON whole."""
    import json

    from gen_infra.graph import svg
    from gen_infra.graph.dot import dot
    from gen_infra.graph.layout import png
    from gen_infra.graph.mermaid import mermaid

    if chosen == "json":
        return json.dumps(found.to_dict(), indent=2, ensure_ascii=False) + "\n"
    draw: dict[str, Callable[[Graph], str | bytes]] = {"svg": svg, "png": png, "mermaid": mermaid, "dot": dot}
    try:
        return draw[chosen](found)
    except MissingError as error:
        raise MissingError(error.message, hint=f"{error.hint}, or use --format mermaid, dot or json") from error
