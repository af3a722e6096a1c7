"""The command that says what is installed: version."""

from __future__ import annotations

import platform

import click

from gen_infra import __version__
from gen_infra.cli.console import Console, examples, json_option, print_json, quiet_option


@click.command()
@click.option(
    "--check", is_flag=True, help="Compare the installed files with those of the wheel; exit 1 if any differ."
)
@json_option
@quiet_option
@examples("""
gen-infra version
gen-infra version --check       were the installed files changed?
""")
def version(check: bool, as_json: bool, quiet: bool) -> int:
    """Print the version, and check the installed files.

    Never uses the network: it neither looks for newer releases nor reports anything. To see the releases: pip index
    versions gen-infra.
    """
    console = Console(quiet=quiet)
    about: dict[str, object] = {"version": __version__, "python": platform.python_version()}
    code = 0
    if check:
        from gen_infra.tools.installation import examine

        found = examine()
        about |= {"folder": str(found.folder), "files": found.files, "differing": found.differing}
        code = int(bool(found.differing))
        if found.differing:
            listing = "".join(f"\n  {file}" for file in found.differing)
            console.say(f"✗ {len(found.differing)} of {found.files} installed files were changed:{listing}", fg="red")
            console.next_step(f"pip install --force-reinstall gen-infra=={__version__}")
        elif found.files:
            console.done(f"{found.files} files in {found.folder} are those of the wheel")
        else:
            console.say(f"gen-infra runs from {found.folder}, not from a wheel: there is nothing to compare with")
    if as_json:
        print_json(about)
    else:
        click.echo(__version__)
    return code
