"""The adapter with the real checkov: the same findings as its CLI, and nothing can disable checks."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.errors import MissingError
from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.terraform.provider import find_provider
from gen_infra.terraform.source import read_source
from gen_infra.tools.checkov import adapter
from gen_infra.tools.checkov.adapter import (
    Checkov,
    CheckRecord,
    ScannedPlan,
    ScanResult,
    doubts,
    find_checkov,
    scan_hcl,
    scan_hcl_folders,
    scan_plans,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

QUEUE = 'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n'
STACK = {
    "main.tf": """
        terraform {
          required_providers {
            aws = {
              source  = "hashicorp/aws"
              version = "~> 5.100"
            }
          }
        }

        provider "aws" {
          region                      = "us-east-1"
          skip_credentials_validation = true
          skip_requesting_account_id  = true
        }

        resource "aws_s3_bucket" "plain" {
          bucket = "genomics-plain"
        }

        resource "aws_s3_bucket" "skipping" {
          # checkov:skip=CKV_AWS_144:one region is a decision
          # checkov:skip=CKV2_AWS_62:no subscriber
          bucket = "genomics-skipping"
        }

        resource "aws_s3_bucket_versioning" "plain" {
          bucket = aws_s3_bucket.plain.id
          versioning_configuration {
            status = "Enabled"
          }
        }

        resource "aws_kms_key" "key" {
          policy = jsonencode({
            Version   = "2012-10-17"
            Statement = [{ Effect = "Allow", Principal = "*", Action = "kms:*", Resource = "*" }]
          })
        }

        data "aws_iam_policy_document" "wide" {
          statement {
            actions   = ["*"]
            resources = ["*"]
          }
        }

        resource "terraform_data" "no_check_is_about_this" {}

        module "one" {
          source = "./modules/queues"
          name   = "one"
        }

        module "two" {
          source = "./modules/queues"
          name   = "two"
        }
    """,
    "modules/queues/main.tf": """
        variable "name" {
          type = string
        }

        resource "aws_sqs_queue" "each" {
          for_each = toset(["a:b", "c"])
          name     = "${var.name}-${replace(each.key, ":", "-")}"
        }

        resource "aws_cloudwatch_log_group" "group" {
          count             = 2
          name              = "${var.name}-${count.index}"
          retention_in_days = 7
        }
    """,
}
RESOURCES = {
    "aws_s3_bucket.plain",
    "aws_s3_bucket.skipping",
    "aws_s3_bucket_versioning.plain",
    "aws_kms_key.key",
    "terraform_data.no_check_is_about_this",
    *(f'module.{name}.aws_sqs_queue.each["{key}"]' for name in ("one", "two") for key in ("a:b", "c")),
    *(f"module.{name}.aws_cloudwatch_log_group.group[{index}]" for name in ("one", "two") for index in (0, 1)),
}


@pytest.fixture(scope="session")
def checkov() -> Checkov:
    return find_checkov(os.environ)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("stack"), STACK)


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the stack's plan, made without any AWS."""
    folder = write(tmp_path_factory.mktemp("planned"), STACK)
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    terraform = Terraform(find_terraform(os.environ), folder, {**os.environ, **keys})
    terraform.init(plugin_dir=find_provider(os.environ, flavour=terraform.binary.flavour).plugin_dir)
    return dict(terraform.show_plan(terraform.plan(folder / "plan").path).raw)


@pytest.fixture(scope="session")
def of_hcl(checkov: Checkov, stack: Path) -> ScanResult:
    return scan_hcl(checkov, stack, os.environ)


@pytest.fixture(scope="session")
def of_plan(checkov: Checkov, stack: Path, plan: dict[str, Any]) -> ScanResult:
    files = {path.relative_to(stack).as_posix(): path.read_bytes() for path in stack.rglob("*.tf")}
    (result,) = scan_plans(checkov, [ScannedPlan(plan, stack, read_source(files).places)], os.environ)
    return result


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(textwrap.dedent(text).lstrip())
    return folder


def cli(checkov: Checkov, *arguments: str, cwd: Path) -> dict[str, Any]:
    """Run checkov's own command, which exits 1 when a check failed."""
    command = [str(Path(checkov.python).with_name("checkov")), "--skip-download", "--output", "json", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def findings(records: Iterable[CheckRecord]) -> list[tuple[str, str, str, int]]:
    return sorted((record.check_id, record.resource, record.file, record.lines[0]) for record in records)


def cli_findings(report: dict[str, Any], kind: str) -> list[tuple[str, str, str, int]]:
    return sorted(
        (record["check_id"], record["resource"], record["file_path"].lstrip("/"), record["file_line_range"][0])
        for record in report["results"][f"{kind}_checks"]
    )


def test_the_source_scan_finds_what_the_cli_finds(
    checkov: Checkov, stack: Path, of_hcl: ScanResult, tmp_path: Path
) -> None:
    report = cli(checkov, "--framework", "terraform", "--directory", str(stack), cwd=tmp_path)

    assert findings(of_hcl.passed) == cli_findings(report, "passed")
    assert findings(of_hcl.failed) == cli_findings(report, "failed")
    assert findings(of_hcl.skipped) == cli_findings(report, "skipped")
    assert (len(of_hcl.failed), len(of_hcl.skipped)) > (20, 2)


def test_the_plan_scan_finds_what_the_cli_finds(
    checkov: Checkov, plan: dict[str, Any], of_plan: ScanResult, tmp_path: Path
) -> None:
    """The CLI does not get the source here, because it misreads skip comments (see below)."""
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    report = cli(checkov, "--framework", "terraform_plan", "--file", "plan.json", cwd=tmp_path)

    def placeless(found: list[tuple[str, str, str, int]]) -> list[tuple[str, str]]:
        return sorted(finding[:2] for finding in found)

    assert placeless(findings(of_plan.passed)) == placeless(cli_findings(report, "passed"))
    assert placeless(findings([*of_plan.failed, *of_plan.skipped])) == placeless(cli_findings(report, "failed"))


def test_both_scans_include_every_resource(of_hcl: ScanResult, of_plan: ScanResult) -> None:
    assert of_hcl.resources == RESOURCES
    assert of_plan.resources == RESOURCES


def test_both_scans_skip_exactly_what_the_comments_list(of_hcl: ScanResult, of_plan: ScanResult) -> None:
    """With --repo-root-for-plan-enrichment checkov would skip CKV2_AWS_6 too, because CKV2_AWS_62 contains it."""
    for result in (of_hcl, of_plan):
        assert [(record.check_id, record.resource) for record in result.skipped] == [
            ("CKV2_AWS_62", "aws_s3_bucket.skipping"),
            ("CKV_AWS_144", "aws_s3_bucket.skipping"),
        ]
        assert result.unneeded == ()
    assert ("CKV2_AWS_6", "aws_s3_bucket.skipping") in {(item.check_id, item.resource) for item in of_plan.failed}


def test_findings_of_a_plan_have_a_place_in_the_source(of_plan: ScanResult, stack: Path) -> None:
    (record,) = (record for record in of_plan.failed if record.check_id == "CKV_AWS_33")

    assert record.file == "main.tf"
    lines = (stack / record.file).read_text().splitlines()
    assert lines[record.lines[0] - 1] == 'resource "aws_kms_key" "key" {'
    assert lines[record.lines[1] - 1] == "}"


def test_no_connection_is_opened(checkov: Checkov, stack: Path) -> None:
    """Python reports every connection and name lookup to an audit hook, which ends the scan here."""
    driver = Path(adapter.__file__).with_name("driver.py")
    code = f"""
        import os, runpy, sys
        def hook(event, arguments):
            if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
                os._exit(99)
        sys.addaudithook(hook)
        runpy.run_path({str(driver)!r}, run_name="__main__")
    """
    said = subprocess.run(
        [checkov.python, "-c", textwrap.dedent(code)],
        input=json.dumps({"hcl": [str(stack)]}),
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    (answer,) = json.loads(said.stdout)
    assert len(answer["resources"]) == len(RESOURCES)


def test_configuration_files_have_no_effect(checkov: Checkov, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the scanned folder, the working directory and the home directory, under both names."""
    fool = "skip-check:\n  - CKV_AWS_27\nframework:\n  - kubernetes\n"
    places = [f"{folder}{name}" for folder in ("", "here/", "home/") for name in (".checkov.yaml", ".checkov.yml")]
    write(tmp_path, {"main.tf": QUEUE, **dict.fromkeys(places, fool)})
    monkeypatch.chdir(tmp_path / "here")

    result = scan_hcl(checkov, tmp_path, {**os.environ, "HOME": str(tmp_path / "home")})

    assert [record.check_id for record in result.failed] == ["CKV_AWS_27"]


def test_environment_variables_have_no_effect(checkov: Checkov, tmp_path: Path) -> None:
    """Each of them alone would change the result or end the scan."""
    write(tmp_path, {"main.tf": QUEUE})
    variables = {
        "CKV_SKIP_CHECK": "CKV_AWS_27",
        "CKV_CHECK": "CKV_AWS_1",
        "CKV_FRAMEWORK": "kubernetes",
        "CKV_IGNORED_DIRECTORIES": "hcl",
        "LOG_LEVEL": "DEBUG",
        "PYTHONPATH": "/nowhere",
        "PYTHONHOME": "/nowhere",
    }

    result = scan_hcl(checkov, tmp_path, {**os.environ, **variables})

    assert [record.check_id for record in result.failed] == ["CKV_AWS_27"]


def test_a_tag_that_skips_a_check_is_reported(checkov: Checkov, tmp_path: Path) -> None:
    note = 'resource "aws_sqs_queue" "q" {\n  name = "q"\n  tags = { note = "cortex:skip=CKV_AWS_27" }\n}\n'
    write(tmp_path, {"main.tf": note})

    result = scan_hcl(checkov, tmp_path, os.environ)

    assert doubts(result, expected=frozenset({"aws_sqs_queue.q"}), allowed=()) == (
        "CKV_AWS_27 is skipped for aws_sqs_queue.q, which is not allowed",
    )


def test_an_unneeded_comment_is_reported(checkov: Checkov, tmp_path: Path) -> None:
    text = (
        'resource "aws_sqs_queue" "q" {\n  # checkov:skip=CKV_AWS_27:once\n  name = "q"\n'
        "  sqs_managed_sse_enabled = true\n}\n"
    )
    write(tmp_path, {"main.tf": text})

    result = scan_hcl(checkov, tmp_path, os.environ)

    assert (result.failed, result.skipped) == ((), ())
    assert result.unneeded == ("main.tf:2: CKV_AWS_27",)


def test_unparsed_and_unread_files_are_reported(checkov: Checkov, tmp_path: Path) -> None:
    write(tmp_path, {"good.tf": QUEUE, "m/bad.tf": 'resource "aws_kms_key" "k" {\n', "extra.tf.json": "{}"})

    result = scan_hcl(checkov, tmp_path, os.environ)

    assert result.parsing_errors == ("m/bad.tf",)
    assert result.unread == ("extra.tf.json",)
    assert doubts(result, expected=frozenset({"aws_sqs_queue.q", "aws_kms_key.k"}), allowed=()) == (
        "m/bad.tf cannot be parsed, so nothing in it was checked",
        "extra.tf.json is not checked: checkov does not read such files",
        "aws_kms_key.k was not checked",
    )


def test_terraforms_own_folder_is_not_scanned(checkov: Checkov, tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": "locals {}\n", ".terraform/modules/m/main.tf": QUEUE, ".terraform/x.tf.json": "{}"})

    result = scan_hcl(checkov, tmp_path, os.environ)

    assert (result.resources, result.unread) == (frozenset(), ())


def test_checkov_is_found_through_the_variable_and_links(checkov: Checkov, tmp_path: Path) -> None:
    link = tmp_path / "linked"
    link.symlink_to(Path(checkov.python).with_name("checkov"))

    assert find_checkov({"PATH": "", "GEN_INFRA_CHECKOV": str(link)}) == checkov


def test_a_missing_checkov() -> None:
    with pytest.raises(MissingError, match="no-such-checkov was not found") as raised:
        find_checkov({"PATH": "", "GEN_INFRA_CHECKOV": "no-such-checkov"})

    assert "pipx install checkov" in raised.value.hint


def test_a_checkov_that_is_one_frozen_file(tmp_path: Path) -> None:
    frozen = tmp_path / "checkov"
    frozen.write_text("")
    frozen.chmod(0o755)

    with pytest.raises(MissingError, match="not installed in a Python virtual environment"):
        find_checkov({"PATH": str(tmp_path)})


MODULE = """
variable "encrypted" { type = bool }
resource "aws_ebs_volume" "v" {
  availability_zone = "us-east-1a"
  size              = 1
  encrypted         = var.encrypted
}
"""
SEVERAL = {
    "encrypted": "true",
    "not encrypted": "false",
    "adds the name local to those that checkov knows": "true",
    "by a local": "local.on",
    "encrypted again": "true",
}


def test_each_of_several_folders_is_scanned_as_if_it_were_alone(tmp_path: Path, checkov: Checkov) -> None:
    """Their module is the same text and parsed once; what it gets differs, and one text is like an assignment."""
    folders = [tmp_path / str(number) for number in range(len(SEVERAL))]
    for folder, (name, value) in zip(folders, SEVERAL.items(), strict=True):
        (folder / "volume").mkdir(parents=True)
        (folder / "volume/main.tf").write_text(MODULE)
        (folder / "main.tf").write_text(
            'locals { on = "true" }\n'
            f'module "volume" {{\n  source = "./volume"\n  encrypted = {value}\n}}\n'
            f'resource "aws_sqs_queue" "q" {{\n  name = "{"local=1" if name.startswith("adds") else "q"}"\n}}\n'
        )
    together = scan_hcl_folders(checkov, folders, os.environ)
    assert together == [scan_hcl(checkov, folder, os.environ) for folder in folders]
    failing = ["CKV_AWS_3" in {record.check_id for record in result.failed} for result in together]
    assert failing == [False, True, False, False, False]
