"""Will it ever start: instance types against jobs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, get_args

import pytest
from tasks import instance_data

from gen_infra.manifest import instances, load, load_with_warnings
from gen_infra.manifest.model.base_images import BASE_IMAGES, BaseImageName
from gen_infra.manifest.placements import places
from gen_infra.manifest.reading.loader import ManifestError
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path


def job(vcpus: int, memory_mib: int, **more: Any) -> dict[str, Any]:
    return {"jobs": {"j": {"image": "quay.io/x/y:1", "vcpus": vcpus, "memory_mib": memory_mib, **more}}}


def types(*names: str) -> dict[str, Any]:
    return {"compute__spot__instance_types": list(names)}


ARM = {"image": {"base": "ecs-al2023-arm64"}}
STORE = {"image": {"scratch": {"carrier": "instance_store"}}}
TWO_QUEUES = {
    "compute__small": {"max_vcpus": 64, "instance_types": ["c7i.large"]},
    "queues__second": {"priority": 1, "compute": ["small"]},
}
GPU = {"image": {"base": "ecs-al2023-gpu"}}
BUILT = {"image": {"parameter": "/lab/ami"}}
PLAIN = {"base": "ecs-al2023-x86_64"}
OWN_ARM = {"compute__small__instance_types": ["c7g"], "compute__small__image": {"base": "ecs-al2023-arm64"}}
OWN_GPU = {"compute__small__instance_types": ["g5"], "compute__small__image": {"base": "ecs-al2023-gpu"}}

# rule, kept by, broken by, what is said
ERRORS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "type",
        types("c7i.8xlarge"),
        types("c7i.7xlarge"),
        'compute.spot.instance_types[0]: unknown instance type "c7i.7xlarge" in AWS Batch (as of 20',
    ),
    ("type, advice", types("c7i.8xlarge"), types("c7i.8xlage"), 'did you mean "c7i.8xlarge"?'),
    ("type of no family", types("m7i.large"), types("m77i.large"), 'did you mean "m7i.large"?'),
    ("family", types("c7gd", "c7g") | ARM, types("c7gdx", "c7g") | ARM, 'instance family "c7gdx" in AWS Batch (as of'),
    ("burstable", types("m7i"), types("t3.large"), 'unknown instance type "t3.large"'),
    (
        "architecture",
        types("c7g.large") | ARM,
        types("c7g.large"),
        "compute.spot.instance_types[0]: c7g.large is arm64; image.base is x86_64; "
        "set compute.spot.image to {base: ecs-al2023-arm64}",
    ),
    (
        "GPU family that the GPU image does not drive",
        types("g4dn") | GPU,
        types("g3") | GPU,
        "instance_types[0]: image.base ecs-al2023-gpu does not support g3 instances; use g5, g6, p5",
    ),
    (
        "an image of its own",
        TWO_QUEUES | {"compute__small__instance_types": ["c7g"], "compute__small__image": {"base": "ecs-al2023-arm64"}},
        TWO_QUEUES | {"compute__small__instance_types": ["c7i"], "compute__small__image": {"base": "ecs-al2023-arm64"}},
        "compute.small.instance_types[0]: c7i is x86_64; compute.small.image.base is arm64; "
        "set compute.small.image to {base: ecs-al2023-x86_64}",
    ),
    (
        "two architectures in a queue",
        TWO_QUEUES | OWN_ARM,
        TWO_QUEUES | OWN_ARM | {"queues__main__compute": ["spot", "small"]},
        "queues.main.compute[1]: small is arm64 and spot is x86_64; use a queue for each architecture",
    ),
    (
        "GPU job on the image of its queue",
        TWO_QUEUES | OWN_GPU | job(4, 8192, gpus=1, queue="second"),
        TWO_QUEUES | OWN_GPU | {"compute__small__image": PLAIN} | job(4, 8192, gpus=1, queue="second"),
        "jobs.j.gpus: compute.small.image.base is ecs-al2023-x86_64; GPUs need ecs-al2023-gpu",
    ),
    (
        "largest instance",
        {**types("u7in-32tb.224xlarge"), "compute__spot__max_vcpus": 2000, "jobs": {"j": {
            "image": "quay.io/x/y:1", "vcpus": 896, "memory_mib": 32_000_000}}},
        {**types("u7in-32tb.224xlarge"), "compute__spot__max_vcpus": 2000, "jobs": {"j": {
            "image": "quay.io/x/y:1", "vcpus": 897, "memory_mib": 32_000_000}}},
        "no instance type of queue main has 897 vCPUs, the most is 896; the job would never start",
    ),
    (
        "family of before Graviton2",
        types("m6g") | ARM,
        types("a1.large") | ARM,
        "instance_types[0]: image.base ecs-al2023-arm64 does not support a1.large instances; use m6g, c6g, r6g, c7g",
    ),
    ("mixed", types("c7i", "m7i"), types("c7i", "m7g"), "instance_types[1]: m7g is arm64; image.base is x86_64"),
    ("bundle", types("default_arm64") | ARM, types("default_arm64"), "default_arm64 is arm64"),
    (
        "instance store",
        types("c6id") | STORE,
        types("c6id", "c6i.large") | STORE,
        "instance_types[1]: c6i.large has no instance store, and image.scratch.carrier is instance_store",
    ),
    (
        "memory",
        types("c7i.large") | job(2, 3941),
        types("c7i.large") | job(2, 3942),
        "jobs.j.memory_mib: no instance type of queue main with 2 vCPUs or more can give 3942 MiB to a job; "
        "the most is 3941, on c7i.large; the job would never start",
    ),
    (
        "memory with vCPUs",
        types("c7i.large", "r7i.large", "c7i.xlarge") | job(2, 12000),
        types("c7i.large", "r7i.large", "c7i.xlarge") | job(4, 12000),
        "with 4 vCPUs or more can give 12000 MiB to a job; the most is 7914, on c7i.xlarge",
    ),
    (
        "vCPUs",
        types("c7i.large") | job(2, 512),
        types("c7i.large") | job(3, 512),
        "jobs.j.vcpus: no instance type of queue main has 3 vCPUs, the most is 2",
    ),
    (
        "maximum",
        {"compute__spot__max_vcpus": 32} | job(32, 512),
        {"compute__spot__max_vcpus": 31} | job(32, 512),
        "jobs.j.vcpus: 32 vCPUs are more than max_vcpus 31, the maximum of queue main; the job would never start",
    ),
    (
        "its own queue",
        TWO_QUEUES | job(4, 512, queue="main"),
        TWO_QUEUES | job(4, 512, queue="second"),
        "no instance type of queue second has 4 vCPUs",
    ),
    (
        "any environment of the queue",
        TWO_QUEUES | {"queues__main__compute": ["small", "spot"]} | job(4, 512),
        TWO_QUEUES | {"queues__main__compute": ["small", "spot"], "compute__spot__state": "DISABLED"} | job(4, 512),
        "no instance type of queue main has 4 vCPUs",
    ),
]  # fmt: skip

WARNINGS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "exact memory",
        types("c7i") | job(2, 4095),
        types("c7i") | job(2, 4096),
        "jobs.j.memory_mib: 4096 MiB is all the memory of c7i.large, and jobs can use 3941; set 3941 or less",
    ),
    (
        "driver",
        types("g6") | {"image": {"base": "ecs-al2023-gpu"}},
        types("g6"),
        "jobs cannot use the GPUs of g6: image.base ecs-al2023-x86_64 has no driver for them; "
        "set compute.spot.image to {base: ecs-al2023-gpu}",
    ),
    (
        "driver for nothing",
        types("m6i", "g5") | GPU,
        types("m6i") | GPU,
        "compute.spot.instance_types: none of these has a GPU, and image.base is ecs-al2023-gpu; "
        "set compute.spot.image to {base: ecs-al2023-x86_64}",
    ),
    (
        "scratch on the image of the compute environment",
        BUILT | job(2, 512, scratch="/scratch"),
        BUILT | {"compute__spot__image": PLAIN} | job(2, 512, scratch="/scratch"),
        "a folder of the root volume, which all jobs on an instance share; "
        "build the image and set compute.spot.image.parameter",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kept", "broken", "says"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_error(tmp_path: Path, kept: dict[str, Any], broken: dict[str, Any], says: str) -> None:
    accept(tmp_path, **kept)
    with pytest.raises(ManifestError) as refusal:
        accept(tmp_path, **broken)
    (problem,) = refusal.value.problems
    assert says in str(problem)


@pytest.mark.parametrize(
    ("quiet", "warned", "says"), [case[1:] for case in WARNINGS], ids=[case[0] for case in WARNINGS]
)
def test_warning(tmp_path: Path, quiet: dict[str, Any], warned: dict[str, Any], says: str) -> None:
    assert load_with_warnings(write(tmp_path, changed(**quiet))).warnings == ()
    (problem,) = load_with_warnings(write(tmp_path, changed(**warned))).warnings
    assert says in str(problem)


@pytest.mark.parametrize("name", BASE_IMAGES)
def test_each_base_image_runs_on_the_families_that_it_is_made_for(tmp_path: Path, name: BaseImageName) -> None:
    own = {"compute__spot__image": {"base": name}}
    families = [
        family
        for family, known in instances.catalogue().families.items()
        if BASE_IMAGES[name].runs_on(family, known.architecture)
    ]
    assert accept(tmp_path, **types(*families), **own).image_of("spot").base == name
    refused = sorted((BASE_IMAGES[name].refused | set(instances.catalogue().families)) - set(families))
    with pytest.raises(ManifestError) as refusal:
        accept(tmp_path, **types(*refused), **own)
    assert len(refusal.value.problems) == len(refused)


def test_every_base_image_has_its_row() -> None:
    assert set(get_args(BaseImageName)) == set(BASE_IMAGES)


def test_placements_name_each_type_and_how_many_jobs_it_holds(tmp_path: Path) -> None:
    manifest = accept(
        tmp_path,
        **types("c7i.large", "c7i.4xlarge", "m7i.4xlarge"),
        compute__other={"max_vcpus": 8, "instance_types": ["r7i.2xlarge"]},
        compute__off={"max_vcpus": 8, "state": "DISABLED", "instance_types": ["r7i.2xlarge"]},
        queues__main__compute=["spot", "off", "other"],
        **job(4, 8192),
    )
    found = places(manifest)["j"]
    # 16 vCPUs hold four; the 31,752 MiB that c7i.4xlarge has left hold three
    assert [(place.compute_environment, *each) for place in found for each in place.instance_types.items()] == [
        ("spot", "c7i.4xlarge", 3),
        ("spot", "m7i.4xlarge", 4),
        ("other", "r7i.2xlarge", 2),
    ]


def test_placements_of_prod(envs: Path) -> None:
    found = places(load(envs / "prod.yaml"))
    (isaac,) = (place.instance_types for place in found["isaac"])
    assert isaac["m6i.8xlarge"] == 1
    assert isaac["r6i.24xlarge"] == 3
    assert "c6i.8xlarge" not in isaac  # 32 vCPUs, but 64 GiB
    assert all(found.values())


def test_an_environment_below_a_jobs_vcpus_is_no_place(tmp_path: Path) -> None:
    manifest = accept(tmp_path, compute__tiny={"max_vcpus": 2}, queues__main__compute=["tiny", "spot"], **job(4, 512))
    assert {place.compute_environment for place in places(manifest)["j"]} == {"spot"}


class TestData:
    def test_figures_are_those_of_ec2(self) -> None:
        known = {
            name: instances.named(name)[0]
            for name in ("c7i.8xlarge", "r6i.large", "g6.xlarge", "m7g.medium", "p4d.24xlarge")
        }
        assert {name: one[1:] for name, one in known.items()} == {
            "c7i.8xlarge": (32, 65536, 0, "x86_64", 0, 0),
            "r6i.large": (2, 16384, 0, "x86_64", 0, 0),
            "g6.xlarge": (4, 16384, 1, "x86_64", 250, 0),
            "m7g.medium": (1, 4096, 0, "arm64", 0, 0),
            "p4d.24xlarge": (96, 1179648, 8, "x86_64", 8000, 4),
        }

    def test_it_names_the_source_and_date_of_its_figures(self) -> None:
        catalogue = instances.catalogue()
        assert "DescribeInstanceTypes" in catalogue.source
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", catalogue.date)
        assert len(catalogue.families) > 100

    def test_optimal_is_four_families(self) -> None:
        families = {one.name.split(".")[0] for one in instances.named("optimal")}
        assert families == {"m6i", "c6i", "r6i", "c7i"}

    def test_what_is_read_back_is_what_was_written(self) -> None:
        content = json.loads(instances.DATA_FILE.read_text())
        assert instance_data.text(content) == instances.DATA_FILE.read_text()

    def test_an_answer_of_ec2_becomes_families(self) -> None:
        answer = [
            described(
                "g6.xlarge", 4, 16384, GpuInfo={"Gpus": [{"Count": 1}]}, InstanceStorageInfo={"TotalSizeInGB": 250}
            ),
            described("m7g.2xlarge", 8, 32768, "arm64"),
            described("m7g.medium", 1, 4096, "arm64"),
            described("t4g.medium", 2, 4096, "arm64"),
            described("mac2.metal", 8, 16384, "arm64_mac"),
            described("trn1.2xlarge", 8, 32768),
            described(
                "trn1.32xlarge", 128, 524288, NetworkInfo={"EfaSupported": True, "EfaInfo": {"MaximumEfaInterfaces": 8}}
            ),
        ]
        assert instance_data.families(answer) == {
            "g6": {"architecture": "x86_64", "sizes": {"xlarge": [4, 16384, 1, 250]}},
            "m7g": {"architecture": "arm64", "sizes": {"medium": [1, 4096, 0, 0], "2xlarge": [8, 32768, 0, 0]}},
            "trn1": {
                "architecture": "x86_64",
                "sizes": {"2xlarge": [8, 32768, 0, 0], "32xlarge": [128, 524288, 0, 0, 8]},
            },
        }


def described(name: str, vcpus: int, memory_mib: int, architecture: str = "x86_64", **more: Any) -> dict[str, Any]:
    return {
        "InstanceType": name,
        "VCpuInfo": {"DefaultVCpus": vcpus},
        "MemoryInfo": {"SizeInMiB": memory_mib},
        "ProcessorInfo": {"SupportedArchitectures": [architecture]},
        **more,
    }
