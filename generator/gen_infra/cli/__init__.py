"""The command line: the only place that prints, prompts or exits.

Answers go to stdout (text, or JSON with ``--json``); progress, advice and errors go to stderr. What a command needs is
imported when it runs, so that ``--help`` costs no more than click does.
"""

from __future__ import annotations

import os
import sys

import click

from gen_infra import __version__
from gen_infra.cli import build, doctor, drift, image, jobs, local, manifests, prune, running, why
from gen_infra.cli.console import fail
from gen_infra.errors import GenInfraError

_EPILOG = """
\b
Start here, without an AWS account:
  gen-infra demo                     all of it, on an embedded AWS
\b
Then, with an account:
  gen-infra new envs/prod.yaml       a manifest to start from
  gen-infra render envs/prod.yaml    write the Terraform and Packer files
  gen-infra check envs/prod.yaml     terraform validate, checkov, packer validate
  gen-infra plan envs/prod.yaml      what would change
  gen-infra apply envs/prod.yaml     change it

\b
Exit codes: 0 done; 1 it worked and the answer is no; 2 wrong usage or
manifest; 3 a tool, credential or provider is missing; 4 a tool or AWS failed.
"""


class _InOrder(click.Group):
    """Lists commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.group(
    cls=_InOrder, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="gen-infra")
@click.pass_context
def cli(context: click.Context) -> None:
    """AWS Batch environments from one YAML manifest."""
    if os.environ.get("NO_COLOR"):
        context.color = False


for command in (
    manifests.new,
    manifests.show,
    build.render,
    build.check,
    build.plan,
    build.apply,
    drift.drift,
    build.destroy,
    image.image,
    jobs.submit,
    jobs.jobs,
    why.why,
    running.logs,
    running.cancel,
    prune.prune,
    doctor.doctor,
    local.bootstrap,
    local.emulator,
    local.demo,
    manifests.import_job,
    manifests.schema,
    manifests.completion,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line, and turn every expected failure into one error, one hint and an exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except GenInfraError as error:
        fail(error.on_terminal() if sys.stderr.isatty() else error.message, error.hint)
        code = error.exit_code
    except click.UsageError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        fail(error.format_message())
        code = 2
    except (click.Abort, KeyboardInterrupt):
        fail("stopped")
        code = 4
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read stdout has left; not an error
        code = 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(f"{where}{error.strerror or error}", "nothing is half-written; mend that, and run the same command again")
        code = 4
    sys.exit(code if isinstance(code, int) else 0)
