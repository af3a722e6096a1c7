"""What AWS has already and the state does not know: which command lines let the state know it.

What ``terraform import`` takes differs by type: https://registry.terraform.io/providers/hashicorp/aws/latest/docs.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gen_infra.terraform.messages import EXISTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.tools.diagnostics import Diagnostic

_DOCUMENTATION = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/{}#import"
_NAME = "{name}"
_BATCH = "arn:{partition}:batch:{region}:{account}"
_IDS = {
    "aws_batch_compute_environment": _NAME,
    "aws_batch_job_queue": f"{_BATCH}:job-queue/{_NAME}",
    "aws_batch_scheduling_policy": f"{_BATCH}:scheduling-policy/{_NAME}",
    "aws_cloudwatch_log_group": _NAME,
    "aws_codebuild_project": _NAME,
    "aws_ecr_repository": _NAME,
    "aws_iam_instance_profile": _NAME,
    "aws_iam_role": _NAME,
    "aws_kms_alias": _NAME,
    "aws_lambda_function": _NAME,
    "aws_scheduler_schedule": f"{_NAME}/{_NAME}",  # ours is in a group of its own name
    "aws_scheduler_schedule_group": _NAME,
    "aws_sqs_queue": f"https://sqs.{{region}}.{{domain}}/{{account}}/{_NAME}",
}


def adoption(diagnostics: Iterable[Diagnostic], terraform: str, place: Mapping[str, str]) -> str:
    """What to type, on one line.

    Args:
        diagnostics: what terraform reported; only what exists already counts.
        terraform: how a command line for the folder begins.
        place: ``partition``, ``domain``, ``region`` and ``account``, for ARNs and URLs.
    """
    found = {each.address: name for each in diagnostics if each.address for name in _existing(each)}
    kinds = {address: re.sub(r'\["[^"]*"\]|\[\d+\]', "", address).split(".")[-2] for address in found}
    commands = [
        f"{terraform} import {shlex.quote(address)} {_IDS.get(kinds[address], 'ID').format(name=name, **place)}"
        for address, name in found.items()
    ]
    pages = [_DOCUMENTATION.format(kind.removeprefix("aws_")) for kind in kinds.values() if kind not in _IDS]
    return " && ".join(commands) + (f" (which ID: {', '.join(dict.fromkeys(pages))})" if pages else "")


def _existing(diagnostic: Diagnostic) -> Iterator[str]:
    """Its name, where it is reported to exist."""
    if found := re.search(EXISTS, f"{diagnostic.summary}\n{diagnostic.detail}", flags=re.DOTALL):
        yield found["name"]
