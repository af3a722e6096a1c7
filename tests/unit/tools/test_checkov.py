"""Reading a scan by checkov, and the reasons not to trust it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gen_infra.check.runner import SUPPRESSIONS
from gen_infra.tools.addresses import bare
from gen_infra.tools.checkov.adapter import (
    CheckovSuppression,
    CheckRecord,
    ScanResult,
    SkipComment,
    doubts,
    reason_of,
    skip_comments,
    without_skips,
)

QUEUE = CheckRecord("CKV_AWS_27", "encrypted", 'module.m.aws_sqs_queue.q["a"]', "m/main.tf", (1, 4))
GREEN = ScanResult(
    passed=(QUEUE,), failed=(), skipped=(), parsing_errors=(), resources=frozenset({QUEUE.resource, "aws_kms_key.k"})
)
EXPECTED = frozenset({"module.m.aws_sqs_queue.q", "aws_kms_key.k"})
ALLOWED = [CheckovSuppression("CKV_AWS_27", "module.m.aws_sqs_queue.*", "because")]


def test_a_complete_scan_is_trusted() -> None:
    assert doubts(GREEN, expected=EXPECTED, allowed=[]) == ()


def test_a_resource_that_was_not_scanned_is_named() -> None:
    expected = EXPECTED | {"aws_batch_job_definition.isaac", 'module.m.aws_sqs_queue.q["b"]'}

    assert doubts(GREEN, expected=expected, allowed=[]) == (
        "aws_batch_job_definition.isaac was not checked",
        'module.m.aws_sqs_queue.q["b"] was not checked',
    )


def test_unread_files_are_named() -> None:
    result = replace(GREEN, parsing_errors=("main.tf",), unread=("extra.tf.json",))

    assert doubts(result, expected=EXPECTED, allowed=[]) == (
        "main.tf cannot be parsed, so nothing in it was checked",
        "extra.tf.json is not checked: checkov does not read such files",
    )


def test_an_allowed_skip_is_trusted() -> None:
    assert doubts(replace(GREEN, skipped=(QUEUE,)), expected=EXPECTED, allowed=ALLOWED) == ()


@pytest.mark.parametrize(
    "record",
    [
        replace(QUEUE, check_id="CKV_AWS_2"),
        replace(QUEUE, check_id="CKV_AWS_272"),
        replace(QUEUE, resource="module.n.aws_sqs_queue.q"),
        replace(QUEUE, resource="aws_sqs_queue.q"),
    ],
)
def test_any_other_skip_is_not_trusted(record: CheckRecord) -> None:
    assert doubts(replace(GREEN, skipped=(record,)), expected=EXPECTED, allowed=ALLOWED) == (
        f"{record.check_id} is skipped for {record.resource}, which is not allowed",
    )


def test_each_resource_has_its_own_reason() -> None:
    def skipped(resource: str) -> str | None:
        return reason_of(CheckRecord("CKV_AWS_117", "in a VPC", resource, "main.tf", (1, 9)), SUPPRESSIONS)

    submit = skipped("module.job_functions.aws_lambda_function.submit")
    stop = skipped("module.queue_stop.aws_lambda_function.this")
    assert submit
    assert stop
    assert "AWS Batch API and nothing" in submit
    assert "Budgets APIs" in stop
    assert skipped("module.other.aws_lambda_function.this") is None


def test_an_unneeded_skip_is_named() -> None:
    result = replace(GREEN, unneeded=("main.tf:3: CKV_AWS_27",))

    assert doubts(result, expected=EXPECTED, allowed=ALLOWED) == (
        "main.tf:3: CKV_AWS_27 is skipped but passes: remove the comment",
    )


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("aws_kms_key.k", "aws_kms_key.k"),
        ("module.m[0].aws_sqs_queue.q[12]", "module.m.aws_sqs_queue.q"),
        ('aws_sqs_queue.q["a.b"].x', "aws_sqs_queue.q.x"),
        (r'module.m["]"].aws_sqs_queue.q["\"]x"]', "module.m.aws_sqs_queue.q"),
    ],
)
def test_an_address_without_its_indexes(address: str, plain: str) -> None:
    assert bare(address) == plain


SOURCE = """\
# checkov:skip=CKV_AWS_1:outside of any block
resource "aws_sqs_queue" "q" {
  # checkov:skip=CKV_AWS_27:a reason
  tags = {
    note = "bridgecrew:skip=CKV_AWS_168, cortex:skip= CKV2_AWS_73,CKV2_AWS_74"
  }
}

data "aws_region" "r" {}
resource "aws_kms_key" "k" {
}
"""


def test_skip_comments_are_found_wherever_they_are() -> None:
    found = skip_comments("main.tf", SOURCE)

    assert [(skip.check_id, skip.file, skip.line) for skip in found] == [
        ("CKV_AWS_1", "main.tf", 1),
        ("CKV_AWS_27", "main.tf", 3),
        ("CKV_AWS_168", "main.tf", 5),
        ("CKV2_AWS_73", "main.tf", 5),
        ("CKV2_AWS_74", "main.tf", 5),
    ]


@pytest.mark.parametrize(
    ("check_id", "file", "lines", "covered"),
    [
        ("CKV_AWS_27", "main.tf", (2, 7), True),
        ("CKV_AWS_2", "main.tf", (2, 7), False),
        ("CKV_AWS_27", "other.tf", (2, 7), False),
        ("CKV_AWS_27", "main.tf", (9, 9), False),
        ("CKV_AWS_27", "", (0, 0), False),
    ],
    ids=["its own", "another check", "another file", "another block", "without a place"],
)
def test_a_comment_covers_its_own_check_and_block(
    check_id: str, file: str, lines: tuple[int, int], covered: bool
) -> None:
    record = CheckRecord(check_id, "", "aws_sqs_queue.q", file, lines)

    assert SkipComment("CKV_AWS_27", "main.tf", 3).covers(record) is covered


def test_text_without_skips_keeps_its_lines_and_columns() -> None:
    text = without_skips(SOURCE)

    assert skip_comments("main.tf", text) == []
    assert ":skip=" not in text
    assert [len(line) for line in text.splitlines()] == [len(line) for line in SOURCE.splitlines()]
