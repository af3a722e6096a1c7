"""The static Terraform modules: each proves itself with its own tests, and its README matches its code."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest

from gen_infra.resources import data_dir
from gen_infra.tools.versions import AWS_PROVIDERS, DEFAULT_MAJOR, terraform_range

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.conftest import Tf

MODULES = data_dir("modules")
NAMES = sorted(folder.name for folder in MODULES.iterdir() if folder.is_dir())
FILES = {"README.md", "main.tf", "outputs.tf", "variables.tf", "versions.tf"}


def declared(name: str, kind: str) -> dict[str, str]:
    """Return the variables or outputs of a module with their descriptions, in the order of the file."""
    text = (MODULES / name / f"{kind}s.tf").read_text()
    blocks = re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}$', text, flags=re.DOTALL | re.MULTILINE)
    descriptions = {label: re.search(r'^  description += "(.+)"$', body, flags=re.MULTILINE) for label, body in blocks}
    missing = [label for label, found in descriptions.items() if found is None]
    assert not missing, f"{name}: {kind}s without a description: {missing}"
    return {label: found[1] for label, found in descriptions.items() if found}


def documented(name: str, heading: str) -> dict[str, str]:
    """Return the rows of a table in a module's README: first column -> last column."""
    section = (MODULES / name / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[-1] for row in rows}


def package(folder: Path) -> Path:
    """Zip the sources of the functions, as their module takes them."""
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for source in sorted((MODULES / "job-functions" / "src").glob("*.py")):
            archive.write(source, source.name)
    return path


def test_there_are_modules() -> None:
    assert "compute-environment" in NAMES


def test_formatted(tf: Tf) -> None:
    answer = tf.run(MODULES, "fmt", "-check", "-recursive", "-diff")
    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_its_own_tests_pass(name: str, tf: Tf, tmp_path: Path) -> None:
    copy = shutil.copytree(MODULES / name, tmp_path / name)
    package(copy / "tests")  # for the modules that want a zip, whatever is in it
    tf.init(copy)
    answer = tf.run(copy, "test", "-no-color")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.$", answer.stdout, flags=re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_has_the_usual_files(name: str) -> None:
    folder = MODULES / name
    assert {path.name for path in folder.iterdir()} >= FILES
    assert list(folder.glob("tests/*.tftest.hcl"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kind", "heading"), [("variable", "Inputs"), ("output", "Outputs")])
def test_variables_and_outputs_are_in_order_and_documented(name: str, kind: str, heading: str) -> None:
    in_file = declared(name, kind)
    assert in_file
    assert list(in_file) == sorted(in_file)
    assert list(documented(name, heading).items()) == list(in_file.items())


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_typed(name: str) -> None:
    text = (MODULES / name / "variables.tf").read_text()
    assert text.count("\n  type ") == len(declared(name, "variable"))


def test_all_need_the_same_versions() -> None:
    (text,) = {(MODULES / name / "versions.tf").read_text() for name in NAMES}
    assert f'required_version = "{terraform_range(has_bucket=False)}"' in text
    assert f'version = "{AWS_PROVIDERS[DEFAULT_MAJOR].range}"' in text


def test_examples_are_valid(tf: Tf, tmp_path: Path) -> None:
    """All in one root, each as a module of its own: one init and one validate are enough for all of them."""
    for name in NAMES:
        example = tmp_path / name
        shutil.copytree(MODULES, example / "modules")
        package(example).rename(example / "job-functions.zip")
        for other in ("environment-alarms.zip", "image-rebuild.zip", "queue-stop.zip"):
            shutil.copy(example / "job-functions.zip", example / other)
        text = (MODULES / name / "README.md").read_text()
        blocks = re.findall(r"^```hcl\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
        assert f'source = "./modules/{name}"' in "".join(blocks)
        as_module = re.sub(r"^import {.*?^}\n", "", "\n".join(blocks), flags=re.DOTALL | re.MULTILINE)  # for roots only
        (example / "main.tf").write_text(as_module)
    calls = "\n".join(f'module "{name}" {{\n  source = "./{name}"\n}}\n' for name in NAMES)
    (tmp_path / "main.tf").write_text(calls)
    tf.init(tmp_path)
    answer = tf.run(tmp_path, "validate", "-no-color")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    formatted = tf.run(tmp_path, "fmt", "-check", "-recursive", "-diff")
    assert (formatted.returncode, formatted.stdout) == (0, "")


_OFFLINE = """
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}
"""
# Each alarm's old resource, its key, and its name.
_BEFORE = (
    ("image_age", "image_age_days", "batchImageAge-prod"),
    ("invalid_compute_environments", "invalid_compute_environments", "batchInvalidComputeEnvironments-prod"),
    ("spot_interruptions", "spot_interruptions", "batchSpotInterruptions-prod"),
    ("waiting", "waiting_minutes", "batchJobsWait-prod"),
)


def test_alarms_whose_addresses_changed_are_kept(tf: Tf, tmp_path: Path) -> None:
    """Plan with a state in which each of these alarms is a resource of its own."""
    shutil.copytree(MODULES / "environment-alarms", tmp_path / "environment-alarms")
    shutil.copy(package(tmp_path), tmp_path / "environment-alarms.zip")
    (tmp_path / "main.tf").write_text(
        _OFFLINE
        + """
module "environment_alarms" {
  source = "./environment-alarms"

  environment                  = "prod"
  account_id                   = "123456789012"
  region                       = "us-east-1"
  kms_key_arn                  = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  job_queue_arns               = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-prod"]
  package_path                 = "${path.module}/environment-alarms.zip"
  emails                       = { critical = ["ops@example.com"], warning = ["lab@example.com"] }
  waiting_minutes              = 120
  invalid_compute_environments = true
  spot_interruptions           = { attempts = 10, window_minutes = 30 }
  image_age_days               = 45
}
"""
    )
    kind, here = "aws_cloudwatch_metric_alarm", "module.environment_alarms"
    alarms = [
        {
            "module": here,
            "mode": "managed",
            "type": kind,
            "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"index_key": key, "schema_version": 1, "attributes": {"id": alarm, "alarm_name": alarm}}],
        }
        for name, key, alarm in _BEFORE
    ]
    state = {"version": 4, "terraform_version": "1.11.0", "serial": 1, "lineage": "a", "resources": alarms}
    (tmp_path / "terraform.tfstate").write_text(json.dumps(state))
    tf.init(tmp_path)
    planned = tf.run(tmp_path, "plan", "-no-color", "-input=false", "-refresh=false", "-out=saved")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    changes = json.loads(tf.run(tmp_path, "show", "-json", "saved").stdout)["resource_changes"]
    found = {
        each["address"]: (each.get("previous_address"), each["change"]["actions"])
        for each in changes
        if each["type"] == kind
    }
    assert found == {
        f'{here}.{kind}.measured["{key}"]': (f'{here}.{kind}.{name}["{key}"]', ["update"]) for name, key, _ in _BEFORE
    }
