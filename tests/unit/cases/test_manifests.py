"""Environments out of public reports, written as manifests: what is accepted, and what is refused with which words.

``manifests/`` has them, with names and accounts replaced.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gen_infra.doctor import runner as doctor
from gen_infra.manifest import Manifest, load, load_with_warnings
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.render.files import render
from tests.unit.manifests import accept, write

MANIFESTS = Path(__file__).with_name("manifests")
REFUSED = {
    "06-gromacs-mnp": "jobs.gromacs-jobdef.container_properties.instanceType: p3.2xlarge is not among the instance "
    "types of queue main (c7i); the job would never start",
    "13-fractional-gpu": "jobs.basecall.gpus: no instance type of queue gpu has 1 GPUs, the most is 0",
    "19-a1-on-al2023": "compute.arm.instance_types[0]: image.base ecs-al2023-arm64 does not support a1 "
    "instances; use m6g, c6g, r6g, c7g",
    "43-gp3-of-2025": "image.scratch.throughput_mib_s: 1250 is above 1000, the most that Terraform's AWS provider "
    "5.100 accepts; AWS itself allows 2000",
}
ACCEPTED = sorted({path.stem for path in MANIFESTS.iterdir()} - set(REFUSED))


def case(name: str) -> Manifest:
    return load(MANIFESTS / f"{name}.yaml")


def text(name: str, file: str) -> str:
    return render(case(name))[file].decode()


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_run_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(ManifestError) as refused:
        case(name)
    assert REFUSED[name] in str(refused.value)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_can_run_is_rendered(name: str) -> None:
    assert "terraform/main.tf" in render(case(name))


def test_a_gpu_image_runs_cpu_jobs_too() -> None:
    manifest = case("09-cpu-and-gpu-in-one")
    assert manifest.image.base == "ecs-al2023-gpu"
    assert set(manifest.queues["cpu"].compute) | set(manifest.queues["gpu"].compute) == set(manifest.compute)


def test_each_compute_environment_can_run_its_own_image(tmp_path: Path) -> None:
    warnings = load_with_warnings(MANIFESTS / "09-cpu-and-gpu-in-one.yaml").warnings
    advice = "and image.base is ecs-al2023-gpu; set compute.%s.image to {base: ecs-al2023-x86_64}"
    assert [advice % key in str(each) for key, each in zip(("cpuOnDemand", "cpuSpot"), warnings, strict=True)] == [
        True,
        True,
    ]

    document = yaml.safe_load((MANIFESTS / "09-cpu-and-gpu-in-one.yaml").read_text())
    document["image"]["base"] = "ecs-al2023-x86_64"
    document["compute"]["g4dn"]["image"] = {"base": "ecs-al2023-gpu"}
    loaded = load_with_warnings(write(tmp_path, document))
    assert loaded.warnings == ()
    main = render(loaded.manifest)["terraform/main.tf"].decode()
    modules = dict(block.split('" {', 1) for block in main.split('\nmodule "compute_')[1:])
    own = {key: re.findall(r"image_(?:id|type) += (.*)", block) for key, block in modules.items()}
    assert own == {
        "cpuOnDemand": ["local.image_id", '"ECS_AL2023"'],
        "cpuSpot": ["local.image_id", '"ECS_AL2023"'],
        "g4dn": ["data.aws_ssm_parameter.image_g4dn.insecure_value", '"ECS_AL2023_NVIDIA"'],
    }
    parameter = "/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/"
    assert f'data "aws_ssm_parameter" "image_g4dn" {{\n  name            = "{parameter}' in main


def test_vcpus_that_always_run_are_warned_about_and_shares_are_kept() -> None:
    warnings = load_with_warnings(MANIFESTS / "10-tf-module-example.yaml").warnings
    assert [str(each).partition("compute.")[2][:14].strip(":") for each in warnings] == [
        "ec2.min_vcpus",
        "spot.min_vcpus",
    ]
    shares = text("10-tf-module-example", "terraform/queues.tf")
    assert '"A1*"' in shares


def test_best_fit_is_warned_about() -> None:
    (warning,) = load_with_warnings(MANIFESTS / "11-refinebio-compute.yaml").warnings
    assert "with BEST_FIT, every change replaces the compute environment" in str(warning)


@pytest.mark.parametrize(
    ("name", "word"), [("12-default-arch-words", "default_x86_64"), ("12-default-arch-words-arm", "default_arm64")]
)
def test_batchs_words_for_an_architecture_are_kept(name: str, word: str) -> None:
    assert f'"{word}"' in text(name, "terraform/main.tf")


def test_an_environment_above_the_limit_of_a_definition_is_refused(tmp_path: Path) -> None:
    """17: AWS Batch allows 24,576 bytes."""
    variables = {f"SETTING_{index}": "v" * 150 for index in range(170)}
    job = {"image": "quay.io/biocontainers/bwa:0.7.17", "vcpus": 1, "memory_mib": 1000, "environment": variables}
    with pytest.raises(ManifestError, match="bytes, and AWS Batch allows 24,576; shorten its command, environment"):
        accept(tmp_path, jobs={"many-variables": job})


def test_the_volumes_of_max_vcpus_are_a_petabyte() -> None:
    manifest = case("44-ebs-quota-unseen")
    gib = doctor.instance_volumes(manifest)["gp3"] * doctor.most_instances(manifest, ec2=True)
    assert gib / 1024 == 1100
