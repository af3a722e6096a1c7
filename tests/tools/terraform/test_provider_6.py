"""The real terraform validates what is rendered for version 6 of the AWS provider against that version's schema."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tasks.provider_schema import rendered_types

from gen_infra.render.writer import lay_out
from gen_infra.terraform.adapter import find_terraform
from gen_infra.terraform.provider import REGISTRIES
from gen_infra.tools.child_environment import child_environment
from tests.conftest import ROOT
from tests.golden.renew import manifests
from tests.provider_schema import for_version_6, provider_schema, terraform_files, variations
from tests.provider_schema.server import served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


# Together these use every argument and block that any manifest uses.
CHOSEN = frozenset(
    {
        "access", "blocked-queues", "container-settings", "demo", "everything", "fargate", "image-rebuild",
        "many-queues", "miniwdl", "multi-node", "several-containers",
    }
)  # fmt: skip
_RESOURCE = re.compile(r'^(resource|data) "(aws_\w+)"', re.MULTILINE)
UNKNOWN = """
resource "aws_batch_compute_environment" "this" {
  compute_environment_name_prefix = "spot-"
}

resource "aws_batch_job_queue" "this" {
  name     = "main"
  state    = "ENABLED"
  priority = 1

  compute_environments = []
}

resource "aws_launch_template" "this" {
  elastic_gpu_specifications {
    type = "eg1.medium"
  }
}
"""
OLD = """
resource "aws_batch_compute_environment" "this" {
  type = "UNMANAGED"
}

output "name" {
  value = aws_batch_compute_environment.this.compute_environment_name
}
"""
CHANGES = """
mock_provider "aws" {
  mock_resource "aws_launch_template" {
    defaults = { latest_version = 7 }
  }
}

variables {
  name                 = "genomicsEnv-prod"
  type                 = "SPOT"
  allocation_strategy  = "SPOT_PRICE_CAPACITY_OPTIMIZED"
  max_vcpus            = 1024
  instance_types       = ["optimal"]
  subnet_ids           = ["subnet-0123456789abcdef0"]
  security_group_ids   = ["sg-0123456789abcdef0"]
  instance_profile_arn = "arn:aws:iam::123456789012:instance-profile/batchInstance-prod"
  kms_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  scratch_volume       = { size_gib = 1000, iops = 8000, throughput = 2000 }
}

run "price_capacity_optimized" {
  assert {
    condition     = terraform_data.replacement_trigger.input == "in place"
    error_message = "A new launch template version must not replace the environment."
  }

  assert {
    condition     = length(aws_batch_compute_environment.this.update_policy) == 1
    error_message = "An update must give running jobs time."
  }

  assert {
    condition     = aws_batch_compute_environment.this.name_prefix == "genomicsEnv-prod-"
    error_message = "The name must be a prefix."
  }

  assert {
    condition     = output.name == aws_batch_compute_environment.this.name
    error_message = "The output must be the full name."
  }
}

run "best_fit" {
  variables {
    allocation_strategy = "BEST_FIT_PROGRESSIVE"
    service_role_arn    = "arn:aws:iam::123456789012:role/batchService-prod"
  }

  assert {
    condition     = terraform_data.replacement_trigger.input == "custom role, launch template version 7"
    error_message = "With a custom role, a new launch template version must replace the environment."
  }
}
"""


TRIGGER = """
resource "terraform_data" "replacement" {
  input = "version 7"
}

resource "terraform_data" "environment" {
  lifecycle {
    replace_triggered_by = [terraform_data.replacement]
  }
}
"""


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    source = f"{REGISTRIES[find_terraform(os.environ).flavour]}/hashicorp/aws"
    with served(provider_schema(), source, tmp_path_factory.mktemp("provider")) as variables:
        yield child_environment(os.environ) | variables


def validate(folder: Path, environ: dict[str, str]) -> list[dict[str, Any]]:
    """Initialize a root and validate it; return terraform's errors and warnings."""
    initialized = run(folder, environ, "init", "-backend=false", "-no-color")
    assert initialized.returncode == 0, initialized.stderr
    found: list[dict[str, Any]] = json.loads(run(folder, environ, "validate", "-json").stdout)["diagnostics"]
    return found


def run(folder: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    terraform = find_terraform(os.environ).argv
    return subprocess.run(
        [*terraform, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


_OF_A_ROOT = ("backend.tf", "imports.tf")


def write_root(folder: Path, environments: Mapping[str, Mapping[str, bytes]]) -> None:
    """Write a root with the rendered files of environments as modules: terraform reads the schema once for a root."""
    calls = ""
    for number, (name, files) in enumerate(environments.items()):
        lay_out({path: content for path, content in files.items() if path not in _OF_A_ROOT}, folder / name)
        calls += f'module "m{number}" {{\n  source = "./{name}"\n}}\n'
    (folder / "main.tf").write_text(calls)


def test_terraform_accepts_what_is_rendered(tmp_path: Path, environ: dict[str, str]) -> None:
    chosen = {path.stem: for_version_6(path) for path in manifests() if path.stem in CHOSEN} | variations()
    write_root(tmp_path, {name: terraform_files(manifest) for name, manifest in chosen.items()})
    found = {use for file in tmp_path.rglob("*.tf") for use in _RESOURCE.findall(file.read_text())}
    assert sorted(found) == rendered_types(), "the chosen manifests no longer have every type"

    assert validate(tmp_path, environ) == []
    assert run(tmp_path, environ, "fmt", "-check", "-recursive", "-diff").stdout == ""


def test_compute_environments_change_in_place_with_one_more_strategy(tmp_path: Path, environ: dict[str, str]) -> None:
    demo = terraform_files(for_version_6(ROOT / "envs" / "demo.yaml"))
    module = "modules/compute-environment/"
    lay_out({path.removeprefix(module): demo[path] for path in demo if path.startswith(module)}, tmp_path)
    (tmp_path / "changes.tftest.hcl").write_text(CHANGES)
    assert run(tmp_path, environ, "init", "-backend=false").returncode == 0

    tested = run(tmp_path, environ, "test", "-no-color")

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "2 passed, 0 failed" in tested.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            UNKNOWN,
            {
                ("error", "Missing required argument", 2),
                ("error", "Unsupported argument", 3),
                ("error", "Unsupported argument", 11),
                ("error", "Unsupported block type", 15),
            },
        ),
        (OLD, {("error", "Unsupported attribute", 7)}),
    ],
)
def test_terraform_names_what_version_6_does_not_know(
    tmp_path: Path, environ: dict[str, str], text: str, expected: set[tuple[str, str, int]]
) -> None:
    (tmp_path / "main.tf").write_text(text)
    diagnostics = validate(tmp_path, environ)
    assert {(each["severity"], each["summary"], each["range"]["start"]["line"]) for each in diagnostics} == expected


@pytest.mark.parametrize(
    ("name", "actions"), [("replacement", ["delete", "create"]), ("replacement_trigger", ["no-op"])]
)
def test_a_new_trigger_replaces_nothing(tmp_path: Path, environ: dict[str, str], name: str, actions: list[str]) -> None:
    """Why version 6 has triggers of other names: their values differ from those of version 5."""
    main = tmp_path / "main.tf"
    main.write_text(TRIGGER)
    run(tmp_path, environ, "init")
    assert run(tmp_path, environ, "apply", "-auto-approve").returncode == 0
    renamed = TRIGGER.replace('"replacement"', f'"{name}"').replace(
        "terraform_data.replacement]", f"terraform_data.{name}]"
    )
    main.write_text(renamed.replace("version 7", "in place"))

    run(tmp_path, environ, "plan", "-out=tfplan")

    changes = json.loads(run(tmp_path, environ, "show", "-json", "tfplan").stdout)["resource_changes"]
    assert {each["address"]: each["change"]["actions"] for each in changes}["terraform_data.environment"] == actions
