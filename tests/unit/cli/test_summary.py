"""What a plan looks like on the terminal, and what is asked before it is applied."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gen_infra.cli.build import first_use
from gen_infra.cli.console import Console
from gen_infra.cli.summary import confirm_dangers, confirm_lost_files, show_summary
from gen_infra.errors import AnswerIsNoError, UsageError
from gen_infra.explain import Summary, explain
from gen_infra.explain.causes import ManifestChange
from gen_infra.explain.lost_files import lost_file_systems
from gen_infra.terraform.plan import PlanContent
from tests.unit.manifests import accept

QUEUE = {
    "address": "aws_batch_job_queue.main",
    "mode": "managed",
    "type": "aws_batch_job_queue",
    "change": {"actions": ["delete"], "before": {"name": "main-prod"}, "after": None},
}
LOGS = {
    "address": "aws_cloudwatch_log_group.isaac",
    "mode": "managed",
    "type": "aws_cloudwatch_log_group",
    "change": {
        "actions": ["update"],
        "before": {"name": "/aws/batch/prod/isaac", "retention_in_days": 400},
        "after": {"name": "/aws/batch/prod/isaac", "retention_in_days": 365},
    },
}
SHORTER = ManifestChange("prod.yaml:9", "logs.retention_days", 400, 365)
NOWHERE = ManifestChange("default", "jobs.isaac.queue", "main", "other")


def ask(
    summary: Summary, answers: str, *, allowed: tuple[str, ...] = (), yes: bool = False, tty: bool = True
) -> Result:
    """Ask what apply would ask, on something like a terminal."""

    @click.command()
    def command() -> None:
        sys.stdin.isatty = lambda: tty  # type: ignore[method-assign]
        confirm_dangers(summary, Console(), allowed=allowed, yes=yes)

    return CliRunner().invoke(command, input=answers)


def summary(*resources: dict[str, Any]) -> Summary:
    return explain(PlanContent({"resource_changes": list(resources)}), [SHORTER, NOWHERE])


def test_what_changed_in_the_manifest_stands_above_what_it_causes(capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(summary(LOGS), has_changes=True)
    assert capsys.readouterr().out.splitlines() == [
        "  ~ update  log group /aws/batch/prod/isaac",
        "      prod.yaml:9 logs.retention_days: 400 -> 365",
        "      retention_in_days: 400 -> 365",
        "      => destroy-data: what is older than the new time is deleted",
        "         because: CloudWatch Logs deletes events that are older than the retention",
        "  default jobs.isaac.queue: main -> other: nothing is left to change for it",
        "0 to create, 1 to update, 0 to replace, 0 to destroy",
        "destroy-data: log group /aws/batch/prod/isaac",
    ]


def test_what_aws_refuses_is_listed_last(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = {"name": "batchInstance-prod", "path": "/"}, {"name": "batchInstance-prod", "path": "/lab/"}
    role = {
        "address": "aws_iam_role.instance",
        "mode": "managed",
        "type": "aws_iam_role",
        "change": {
            "actions": ["create", "delete"], "before": before, "after": after, "replace_paths": [["path"]]
        },
    }  # fmt: skip
    show_summary(summary(role), has_changes=True)
    assert capsys.readouterr().out.splitlines()[-1] == "AWS refuses: role batchInstance-prod"


def test_each_danger_needs_its_own_confirmation() -> None:
    both = summary(QUEUE, LOGS)
    assert ask(both, "y\ny\n").exit_code == 0
    assert isinstance(ask(both, "y\nn\n").exception, AnswerIsNoError)
    assert isinstance(ask(both, "n\n").exception, AnswerIsNoError)
    assert "Do you want that? This stops jobs [y/N]" in ask(both, "y\ny\n").output


def test_harmless_or_allowed_changes_need_no_confirmation() -> None:
    assert ask(summary(), "").output == ""
    assert ask(summary(QUEUE), "", allowed=("stop-jobs",)).output == ""


@pytest.mark.parametrize("way", [{"yes": True}, {"tty": False}])
def test_without_a_terminal_it_must_be_allowed(way: dict[str, bool]) -> None:
    refused = ask(summary(QUEUE, LOGS), "y\ny\n", allowed=("destroy-data",), **way).exception
    assert isinstance(refused, UsageError)
    assert refused.message == "this stops jobs: job queue main-prod; nothing was changed"
    assert refused.hint == "if you want that, add --allow stop-jobs"
    assert ask(summary(QUEUE, LOGS), "", allowed=("destroy-data", "stop-jobs"), **way).exit_code == 0


FILES = {
    "address": "module.file_system_refs.aws_efs_file_system.this",
    "mode": "managed",
    "type": "aws_efs_file_system",
    "change": {
        "actions": ["delete"],
        "before": {"id": "fs-1", "name": "refs-prod", "size_in_bytes": [{"value": 3 << 39}]},
        "after": None,
    },
}


def ask_about_files(answers: str, *, allowed: tuple[str, ...] = (), yes: bool = False, tty: bool = True) -> Result:
    """Ask what destroy would ask, on something like a terminal."""
    lost = lost_file_systems(PlanContent({"resource_changes": [QUEUE, FILES]}))

    @click.command()
    def command() -> None:
        sys.stdin.isatty = lambda: tty  # type: ignore[method-assign]
        confirm_lost_files(lost, Console(), allowed=allowed, yes=yes)

    return CliRunner().invoke(command, input=answers)


def test_lost_files_are_confirmed_or_allowed() -> None:
    asked = ask_about_files("y\n")
    assert asked.exit_code == 0
    assert "This deletes all files of file system refs-prod (fs-1, 1.5 TiB); AWS Backup keeps" in asked.output
    assert isinstance(ask_about_files("n\n").exception, AnswerIsNoError)
    assert ask_about_files("", allowed=("destroy-data",), yes=True).output == ""


@pytest.mark.parametrize(("yes", "tty"), [(True, True), (False, False)])
def test_without_a_terminal_lost_files_must_be_allowed(yes: bool, tty: bool) -> None:
    refused = ask_about_files("y\n", yes=yes, tty=tty).exception
    assert isinstance(refused, UsageError)
    assert refused.message == "this deletes all files of file system refs-prod (fs-1, 1.5 TiB); nothing was destroyed"
    assert refused.hint.startswith("if you want that, add --allow destroy-data")


TOOL = {"image": "public.ecr.aws/docker/library/busybox", "vcpus": 1, "memory_mib": 512}
NEEDY = {**TOOL, "command": ["Ref::sample"], "required_parameters": ["sample"], "scheduling_priority": 1}
FAIR = {"priority": 1, "compute": ["spot"], "fair_share": {"shares": {"lab*": 1.0}}}
WORK = {"work": {"bucket": "genomics-work-123456789012", "prefix": "nf/"}}
HEAD = {"nextflow": {**WORK, "head": {"queue": "main", "vcpus": 2, "memory_mib": 8000}}}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"jobs": {"tool": TOOL}, "engines": HEAD}, "gen-infra submit lab.yaml tool --watch"),
        (
            {"jobs": {"needy": NEEDY}, "queues": {"main": FAIR}},
            "gen-infra submit lab.yaml needy --parameter sample=VALUE --share lab --watch",
        ),
        ({"engines": HEAD}, "gen-infra submit lab.yaml --engine nextflow --pipeline URL --revision REV --watch"),
        ({"engines": {"nextflow": WORK}}, "gen-infra engine lab.yaml nextflow"),
        ({}, ""),
    ],
)
def test_apply_names_a_command_that_uses_the_environment(values: dict[str, Any], expected: str, tmp_path: Path) -> None:
    assert first_use(accept(tmp_path, **values), Path("lab.yaml")) == expected
