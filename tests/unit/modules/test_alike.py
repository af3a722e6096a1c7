"""Three modules have a Lambda function each: what protects it is written in each of them, and must stay the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.resources import data_dir
from gen_infra.terraform.hcl import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.terraform.hcl import Body

MODULES = ("environment-alarms", "job-functions", "queue-stop")
ALIKE = {
    "resource.aws_cloudwatch_log_group.this": ("kms_key_id", "retention_in_days"),
    "resource.aws_iam_role.this": ("assume_role_policy", "path", "permissions_boundary"),
    "resource.aws_lambda_function.this": (
        "architectures", "dead_letter_config.target_arn", "filename", "kms_key_arn", "memory_size",
        "reserved_concurrent_executions", "runtime", "source_code_hash", "tracing_config.mode",
    ),
    "resource.aws_sqs_queue.dead_letters": ("kms_master_key_id", "message_retention_seconds"),
    "data.aws_iam_policy_document.encryption": ("statement.actions", "statement.resources"),
    "data.aws_iam_policy_document.runtime": ("statement.actions",),
}  # fmt: skip


def settings(body: Body, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each argument of a block, as it is written, with its path."""
    for name, value in body.attributes.items():
        yield f"{before}{name}", value
    for block in body.blocks:
        yield from settings(block.body, f"{before}{block.kind}.")


def written(module: str, address: str) -> list[tuple[str, Any]]:
    text = (data_dir("modules") / module / "main.tf").read_text(encoding="utf-8")
    (block,) = [each for each in parse(text).blocks if ".".join((each.kind, *each.labels)) == address]
    return [(path, value) for path, value in settings(block.body) if path in ALIKE[address]]


def test_all_modules_with_a_function_are_compared() -> None:
    with_function = {
        file.parent.name for file in data_dir("modules").glob("*/*.tf") if '"aws_lambda_function"' in file.read_text()
    }
    assert with_function == {*MODULES}


@pytest.mark.parametrize("address", ALIKE)
def test_what_protects_a_function_is_the_same_in_each_module(address: str) -> None:
    first, *others = (written(module, address) for module in MODULES)
    assert {path for path, _ in first} == {*ALIKE[address]}
    for other in others:
        assert other == first
