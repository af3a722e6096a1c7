"""What terraform says, and what we make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gen_infra.errors import GenInfraError, MissingError, UsageError
from gen_infra.terraform.adapter import Binary, Terraform, TerraformError
from gen_infra.terraform.messages import Event, Messages, failure, parse_diagnostic, parse_event
from gen_infra.tools.diagnostics import Diagnostic, parse_plain

BINARY = Binary(("/bin/terraform",), "1.11.4", "terraform")


def line(kind: str, message: str = "said", **rest: Any) -> str:
    return json.dumps({"@level": "info", "@message": message, "type": kind, **rest})


def hook(**rest: Any) -> dict[str, Any]:
    return {"resource": {"addr": "aws_kms_key.k", "resource_type": "aws_kms_key"}, **rest}


@pytest.mark.parametrize(
    ("said", "event"),
    [
        (
            line("planned_change", change=hook(action="replace")),
            Event("planned", "said", "aws_kms_key.k", "replace"),
        ),
        (line("apply_start", hook=hook(action="create")), Event("start", "said", "aws_kms_key.k", "create")),
        (
            line("apply_progress", hook=hook(action="create", elapsed_seconds=10)),
            Event("progress", "said", "aws_kms_key.k", "create", 10.0),
        ),
        (
            line("apply_complete", hook=hook(action="delete", elapsed_seconds=61)),
            Event("complete", "said", "aws_kms_key.k", "delete", 61.0),
        ),
        (
            line("apply_errored", hook=hook(action="update", elapsed_seconds=1)),
            Event("errored", "said", "aws_kms_key.k", "update", 1.0),
        ),
        (line("refresh_start", hook=hook(id_value="x")), Event("refresh", "said", "aws_kms_key.k")),
        (line("change_summary", changes={"add": 1}), Event("summary", "said")),
        (line("something_new"), Event("message", "said")),
        ("plain text", Event("message", "plain text")),
        ("[1, 2]", Event("message", "[1, 2]")),
        ("  ", None),
    ],
)
def test_each_line_of_a_run_is_an_event(said: str, event: Event | None) -> None:
    assert parse_event(said) == event


RAW = {
    "severity": "error",
    "summary": "creating Batch Job Queue (q): AccessDenied",
    "detail": "Really.\nDenied.",
    "address": "aws_batch_job_queue.q",
    "range": {"filename": "queues.tf", "start": {"line": 7, "column": 3, "byte": 90}},
}
PARSED = Diagnostic("error", RAW["summary"], "Really.\nDenied.", "aws_batch_job_queue.q", "queues.tf", 7, 3)  # type: ignore[arg-type]


def test_a_diagnostic_is_an_event_too_and_is_kept() -> None:
    events: list[Event] = []
    messages = Messages(events.append)

    messages.feed(line("diagnostic", diagnostic=RAW))
    messages.feed(line("apply_complete", hook=hook(action="create")))

    assert events[0] == Event("diagnostic", "said", diagnostic=PARSED)
    assert (messages.diagnostics, messages.completed) == ([PARSED], 1)


def test_a_diagnostic_may_have_no_place() -> None:
    assert parse_diagnostic({"severity": "warning", "summary": "s", "detail": ""}) == Diagnostic("warning", "s")


def test_plain_errors_are_read_with_and_without_frames() -> None:
    framed = "╷\n│ Error: Bad thing\n│ \n│   on main.tf line 3, in resource:\n│    3: x\n│ \n│ Do not.\n╵\n"
    bare = "\nError: Bad thing\n\n  on main.tf line 3, in resource:\n   3: x\n\nDo not.\n"

    for text in (framed, bare):
        (found,) = parse_plain(text)
        assert (found.summary, found.file, found.line) == ("Bad thing", "main.tf", 3)
        assert found.detail.endswith("Do not.")


LOCK = """Error message: operation error S3: PutObject, https response error StatusCode: 412,
RequestID: 7Q2, HostID: abc=, api error PreconditionFailed: At least one of the pre-conditions did not hold
Lock Info:
  ID:        9db590f1-b6fe-c5f2-2678-8804f089deba
  Path:      genomics/prod/terraform.tfstate
  Operation: OperationTypeApply
  Who:       ada@lab
  Version:   1.11.4
  Created:   2026-01-02 03:04:05.678 +0000 UTC
  Info:      """


@pytest.mark.parametrize(
    ("summary", "detail", "error", "said", "hint"),
    [
        (
            "Error acquiring the state lock",
            LOCK,
            TerraformError,
            "ada@lab holds the state lock since 2026-01-02 03:04:05.678 +0000 UTC "
            "(OperationTypeApply, lock 9db590f1-b6fe-c5f2-2678-8804f089deba)",
            "terraform force-unlock 9db590f1-b6fe-c5f2-2678-8804f089deba",
        ),
        (
            "Error acquiring the state lock",
            "timeout",
            TerraformError,
            "acquiring the state lock",
            "other run has ended",
        ),
        (
            "AWS account ID not allowed: 210987654321",
            "",
            UsageError,
            "belong to AWS account 210987654321",
            "AWS_PROFILE",
        ),
        ("x: api error ExpiredToken: The security token", "", MissingError, "have expired", "aws sso login"),
        ("No valid credential sources found", "Please see", MissingError, "no AWS credentials", "AWS_PROFILE"),
        ("failed to get shared config profile, lab", "", MissingError, "no AWS profile lab", "list-profiles"),
        ("api error RequestTimeTooSkewed: The difference", "", MissingError, "clock of this machine", "set the clock"),
        ("api error SignatureDoesNotMatch: Signature expired: 1", "", MissingError, "clock of this", "set the clock"),
        ("api error InvalidClientTokenId: The token", "", MissingError, "does not accept", "get-caller-identity"),
        ('S3 bucket "state" does not exist.', "", MissingError, '"state" does not exist', "gen-infra bootstrap"),
        ("Failed to query available provider packages", "no", MissingError, "provider packages", "providers mirror"),
        ("Required plugins are not installed", "", TerraformError, "not installed", "terraform init"),
        ("Backend configuration changed", "", TerraformError, "configuration changed", "-migrate-state"),
        ("Saved plan is stale", "The given plan", TerraformError, "saved plan is stale", "plan again"),
        ("Provider produced inconsistent final plan", "", TerraformError, "inconsistent", "once more"),
        ("x: Cannot delete, found existing JobQueue relationship", "", TerraformError, "JobQueue", "once more"),
        (
            "Failed to save state",
            "Error saving state: x",
            TerraformError,
            "save state",
            "restores the state from errored.tfstate",
        ),
        ("Failed to write plan", "write p: no space left on device", TerraformError, "no space", "room on the disk"),
        ("Error acquiring the state lock", "write x: no space left on device", TerraformError, "", "room on the disk"),
        ("Failed to write plan", "open p: read-only file system", TerraformError, "read-only", "--out"),
        ("creating x", "api error AccessDenied: User", TerraformError, "AccessDenied", "lacks that permission"),
        ("x", "dial tcp 10.0.0.1:443: i/o timeout", TerraformError, "i/o timeout", "check the network"),
    ],
)
def test_a_known_cause_has_a_next_action(
    summary: str, detail: str, error: type[GenInfraError], said: str, hint: str
) -> None:
    made = failure("terraform plan", [Diagnostic("warning", "old"), Diagnostic("error", summary, detail)])

    assert type(made) is error
    assert made.message.startswith("terraform plan failed: ")
    assert said in made.message
    assert hint in made.hint


def test_an_unknown_cause_is_reported_in_terraforms_words_with_its_place() -> None:
    errors = [Diagnostic("error", "Bad.", "It is\n  bad.", "aws_x.y", "main.tf", 3), Diagnostic("error", "Worse")]

    made = failure("terraform apply", errors)

    assert made.message == "terraform apply failed: Bad: It is bad (main.tf:3, aws_x.y), and 1 more error"
    assert isinstance(made, TerraformError)
    assert made.diagnostics == tuple(errors)


def test_a_known_cause_is_found_behind_an_unknown_one() -> None:
    made = failure("terraform apply", [Diagnostic("error", "Bad"), Diagnostic("error", "Saved plan is stale")])

    assert isinstance(made, TerraformError)
    assert made.cause == "stale-plan"


def test_an_unsaved_state_matters_more_than_what_went_wrong_before() -> None:
    made = failure(
        "terraform apply",
        [
            Diagnostic("error", "creating x", "ExpiredToken"),
            Diagnostic("error", "Failed to save state", "ExpiredToken"),
        ],
    )

    assert isinstance(made, TerraformError)
    assert made.cause == "state-not-saved"


def test_the_error_of_an_unsaved_state_has_the_cause_and_the_commands() -> None:
    made = failure(
        "terraform apply",
        [
            Diagnostic("error", "creating x: api error ExpiredTokenException: The token"),
            Diagnostic("error", "Failed to save state", "HeadObject: api error Forbidden: Forbidden"),
            Diagnostic("error", "Error releasing the state lock", "Error message: Forbidden"),
        ],
        terraform="terraform -chdir=x",
    )

    assert made.message == "terraform apply failed: the AWS credentials have expired, and the state could not be saved"
    assert made.hint == (
        "renew them, with SSO: aws sso login; then free the lock, which this run could not release, and put the state "
        "in its place: terraform -chdir=x force-unlock LOCK_ID && terraform -chdir=x state push errored.tfstate"
    )


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("warming up\nfatal: out of luck\n\n", "fatal: out of luck"),
        ("panic: nil\n\nmain.go:1 +0x1\n", "panic: nil"),
        ("", "it does not say why"),
    ],
)
def test_a_failure_without_a_diagnostic_says_what_there_is(output: str, said: str) -> None:
    assert failure("terraform apply", [], output=output).message == f"terraform apply failed: {said}"


@pytest.fixture
def terraform() -> Terraform:
    return Terraform(BINARY, Path("/nowhere"), {})


def test_a_command_line(terraform: Terraform) -> None:
    assert terraform.argv("state list", "aws_x.y", lock_timeout="5s", refresh=False, target=None) == [
        "/bin/terraform",
        "state",
        "list",
        "-lock-timeout=5s",
        "-refresh=false",
        "aws_x.y",
    ]


def test_the_libraries_terraform_is_a_longer_start_of_the_line() -> None:
    binary = Binary(("/bin/python", "-P", "launcher.py"), "1.15.5", "terraform")

    assert Terraform(binary, Path("/nowhere"), {}).argv("version") == ["/bin/python", "-P", "launcher.py", "version"]


@pytest.mark.parametrize("option", [{"var": {}}, {"synchronous": False}, {"raise_on_error": True}])
def test_what_python_terraform_would_misread_is_refused(terraform: Terraform, option: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="not supported"):
        terraform.argv("plan", **option)


def test_a_misspelt_method_is_an_error_and_no_command(terraform: Terraform) -> None:
    with pytest.raises(AttributeError, match="no method 'destory'"):
        terraform.destory()
