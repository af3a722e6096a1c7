"""The command line: the only place that prints, prompts or exits.

Answers go to stdout (text, or JSON with ``--json``); progress, advice and errors go to stderr. A command's module is
imported when the command is named, and what it needs when it runs, so that ``--help`` costs little more than click.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import NamedTuple

import click

from gen_infra import __version__
from gen_infra.cli.console import fail
from gen_infra.errors import GenInfraError

_WIDEST = 100
_EPILOG = """
\b
Start here, without an AWS account:
  gen-infra demo                     everything, on an embedded AWS
\b
Then, with an account:
  gen-infra new envs/prod.yaml       a manifest to start from
  gen-infra render envs/prod.yaml    write the Terraform and Packer files
  gen-infra check envs/prod.yaml     terraform validate, checkov, packer validate
  gen-infra plan envs/prod.yaml      what would change
  gen-infra apply envs/prod.yaml     change it

\b
Exit codes: 0 done; 1 it worked and the answer is no; 2 invalid usage or
manifest; 3 a tool, credential or provider is missing; 4 a tool or AWS failed.
"""


class _Entry(NamedTuple):
    """A command in the list of commands: the module that defines it, and one line of at most 62 characters."""

    module: str
    about: str


COMMANDS = {  # in the order in which they are used
    "new": _Entry("manifests", "Write a commented manifest to start from."),
    "adopt": _Entry("adopt", "Write the manifest of an environment that exists already."),
    "show": _Entry("manifests", "Print the resolved manifest, and what it costs."),
    "graph": _Entry("graph", "Draw the environment, or what a plan changes."),
    "render": _Entry("files", "Write the environment's Terraform and Packer files."),
    "lock": _Entry("lock", "Choose the release of the AWS provider, with its checksums."),
    "check": _Entry("files", "Validate and scan the files with every tool."),
    "plan": _Entry("build", "Show what would change, and what that does to running jobs."),
    "apply": _Entry("build", "Apply exactly the plan that is shown."),
    "report": _Entry("report", "Write one page about the environment, for people."),
    "drift": _Entry("drift", "Show what was changed outside Terraform."),
    "destroy": _Entry("build", "Destroy the environment and leave nothing behind."),
    "image": _Entry("image", "Build the machine image of the instances, and rebuild it."),
    "submit": _Entry("submit", "Submit a job and print its id."),
    "engine": _Entry("engine", "Print the configuration of a workflow engine."),
    "run": _Entry("run", "Start a run of a workflow, for one sample or for a list."),
    "runs": _Entry("runs", "List runs of workflows, or show one with its steps."),
    "jobs": _Entry("jobs", "List jobs, or show some of them in full."),
    "cost": _Entry("cost", "Show what jobs have cost, by job, queue, tag or sample."),
    "why": _Entry("why", "Find out why a job waits or failed, and how to fix it."),
    "logs": _Entry("running", "Print the log of a job, attempt by attempt."),
    "cancel": _Entry("running", "Cancel jobs by id, or by queue and status."),
    "prune": _Entry("prune", "Remove old revisions, images, plans and builds."),
    "doctor": _Entry("doctor", "Check everything that an environment needs in the account."),
    "permissions": _Entry("permissions", "Print the policies of people and CI."),
    "bootstrap": _Entry("local", "Create the S3 bucket for the Terraform state."),
    "emulator": _Entry("local", "Run the embedded AWS in the foreground."),
    "demo": _Entry("local", "Run everything once, without an AWS account."),
    "import-job": _Entry("manifests", "Turn job definitions of AWS Batch into manifest entries."),
    "schema": _Entry("manifests", "Print the JSON Schema of manifests."),
    "completion": _Entry("manifests", "Print the shell's completion script."),
    "version": _Entry("version", "Print the version, and check the installed files."),
}


class _CommandGroup(click.Group):
    """Imports the module of a command when the command is named; the list of all commands needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"gen_infra.cli.{COMMANDS[cmd_name].module}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.about) for name, entry in COMMANDS.items()])


@click.group(
    cls=_CommandGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDEST},
)
@click.version_option(__version__, prog_name="gen-infra")
@click.pass_context
def cli(context: click.Context) -> None:
    """AWS Batch environments from one YAML manifest."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def main() -> None:
    """Run the command line, and turn every expected failure into one error, one hint and an exit code."""
    try:
        code = cli.main(standalone_mode=False, terminal_width=_text_width())
    except GenInfraError as error:
        fail(error.on_terminal() if sys.stderr.isatty() else error.message, error.hint)
        code = error.exit_code
    except click.UsageError as error:
        _fail_usage(error)
        code = 2
    except click.ClickException as error:
        fail(error.format_message())
        code = 2
    except (click.Abort, KeyboardInterrupt):
        fail("stopped")
        code = 4
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of stdout has ended; not an error
        code = 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        is_name = error.errno == errno.ENAMETOOLONG
        hint = "choose a shorter name" if is_name else "no file is incomplete; fix this, then run the command again"
        fail(f"{where}{error.strerror or error}", hint)
        code = 2 if is_name else 4
    sys.exit(code if isinstance(code, int) else 0)


def _fail_usage(error: click.UsageError) -> None:
    """Print click's own usage errors as all others: one error, one hint."""
    text = error.format_message().rstrip(".")
    path = error.ctx.command_path if error.ctx else "gen-infra"
    fail(text[:1].lower() + text[1:], f"run {path} --help")


def _text_width() -> int:
    """Return the width of help texts; click would import shutil and three compression libraries to find it."""
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() else 0
    if not width:
        width = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 80
    return max(min(width, _WIDEST) - 2, 50)
