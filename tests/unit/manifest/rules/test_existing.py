"""The section ``existing``: what it may name, and which names and files follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_infra.manifest import load
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.render.files import render
from gen_infra.render.imports import import_ids

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
name: lab
account: "123456789012"
region: us-east-1
state: local
network: {ids: {subnets: [subnet-0123456789abcdef0], security_groups: [sg-0123456789abcdef0]}}
repositories: [isaac]
compute: {spot: {max_vcpus: 64}}
queues: {main: {priority: 1, compute: [spot], time_limits: none}}
jobs: {isaac: {image: "isaac:1", vcpus: 1, memory_mib: 512}}
"""
ALL = """\
existing:
  compute: {spot: oldSpot}
  queues: {main: Main_Queue}
  jobs: {isaac: "IsaacOld:7"}
  repositories: {isaac: legacy/isaac}
  log_groups: [/lab/batch]
  roles: [labTask]
  instance_profiles: [labHosts]
"""


def write(folder: Path, existing: str) -> Path:
    path = folder / "lab.yaml"
    path.write_text(HEAD + existing)
    return path


def test_everything_has_an_import_and_its_name_in_aws(tmp_path: Path) -> None:
    manifest = load(write(tmp_path, ALL))
    batch = "arn:aws:batch:us-east-1:123456789012"
    assert import_ids(manifest) == {
        "module.compute_spot.aws_batch_compute_environment.this": "oldSpot",
        "aws_batch_job_queue.main": f"{batch}:job-queue/Main_Queue",
        "aws_batch_job_definition.isaac": f"{batch}:job-definition/IsaacOld:7",
        "aws_ecr_repository.isaac": "legacy/isaac",
        'aws_cloudwatch_log_group.existing["/lab/batch"]': "/lab/batch",
        'aws_iam_role.existing["labTask"]': "labTask",
        'aws_iam_instance_profile.existing["labHosts"]': "labHosts",
    }
    assert manifest.batch_arn("job-definition", "isaac") == f"{batch}:job-definition/IsaacOld"
    assert manifest.image_uri("isaac:1") == "123456789012.dkr.ecr.us-east-1.amazonaws.com/legacy/isaac:1"


def test_what_only_exists_needs_no_key_no_functions_and_no_roles(tmp_path: Path) -> None:
    files = render(load(write(tmp_path, ALL)))
    modules = {name.split("/")[2] for name in files if name.startswith("terraform/modules/")}
    assert modules == {"existing-environment"}
    assert b"aws_kms_key" not in b"".join(files.values())
    assert {"terraform/existing.tf", "terraform/imports.tf"} <= {*files}
    assert "terraform/jobs.tf" not in files


def test_imports_are_left_out_one_by_one(tmp_path: Path) -> None:
    manifest = load(write(tmp_path, ALL))
    addresses = [*import_ids(manifest)]
    left = render(manifest, addresses[1:])["terraform/imports.tf"].decode()
    assert left.count("\nimport {") == 1
    assert addresses[0] in left
    assert "terraform/imports.tf" not in render(manifest, addresses)


def test_without_its_line_a_compute_environment_gets_a_successor_at_the_same_address(tmp_path: Path) -> None:
    without = ALL.replace("  compute: {spot: oldSpot}\n", "")
    kept, replaced = (render(load(write(tmp_path, text))) for text in (ALL, without))
    assert b'source = "./modules/existing-environment"' in kept["terraform/existing.tf"]
    assert b'module "compute_spot" {\n  source = "./modules/compute-environment"' in replaced["terraform/main.tf"]


def test_without_its_revision_a_job_definition_is_registered_under_its_name(tmp_path: Path) -> None:
    manifest = load(write(tmp_path, ALL.replace('"IsaacOld:7"', "IsaacOld")))
    assert "aws_batch_job_definition.isaac" not in import_ids(manifest)
    assert b'name                       = "IsaacOld"' in render(manifest)["terraform/jobs.tf"]


@pytest.mark.parametrize(
    ("existing", "problem"),
    [
        ("{compute: {spit: old}}", 'existing.compute.spit: unknown compute environment "spit"'),
        ("{queues: {mein: old}}", 'existing.queues.mein: unknown queue "mein"'),
        ("{scheduling_policies: {main: old}}", 'existing.scheduling_policies.main: unknown fair-share queue "main"'),
        ("{jobs: {isaak: old}}", 'existing.jobs.isaak: unknown job "isaak"'),
        ("{jobs: {isaac: 'old:0'}}", "existing.jobs.isaac"),
        ("{repositories: {strelka: old}}", 'existing.repositories.strelka: unknown repository "strelka"'),
        ("{roles: [a, a]}", 'existing.roles[1]: "a" is listed twice'),
        ("{roles: ['a${b}']}", "existing.roles[0]"),
        ("{log_groups: ['/lab#1']}", "existing.log_groups[0]"),
        ("{queues: {main: 'a b'}}", "existing.queues.main"),
    ],
)
def test_what_is_refused(tmp_path: Path, existing: str, problem: str) -> None:
    with pytest.raises(ManifestError) as refusal:
        load(write(tmp_path, f"existing: {existing}\n"))
    assert problem in str(refusal.value)


def test_the_role_that_applies_may_change_what_was_taken_over(tmp_path: Path) -> None:
    path = write(tmp_path, ALL)
    boundary = 'iam: {path: /lab/, permissions_boundary: "arn:aws:iam::123456789012:policy/boundary"}\n'
    path.write_text(
        path.read_text() + boundary + 'access: {apply: {principals: ["arn:aws:iam::123456789012:role/admin"]}}\n'
    )
    policies = render(load(path))["terraform/access.tf"].decode()
    for resource in ("job-queue/Main_Queue", "job-queue/oldSpot-drain", "compute-environment/oldSpot",
                     "job-definition/IsaacOld:*", "repository/legacy/isaac"):  # fmt: skip
        assert (
            f":{'ecr' if resource.startswith('repository') else 'batch'}:us-east-1:123456789012:{resource}" in policies
        )
