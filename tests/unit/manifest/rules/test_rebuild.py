"""``image.rebuild``: what is accepted, and what is said of the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.render.files import render
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

WEEKLY = {"schedule": "rate(7 days)", "bucket": "builds"}
NEW = {"cidr": "10.42.0.0/16", "nat": "one"}
PRIVATE = {"cidr": "10.42.0.0/16", "endpoints": True}
DIGEST = f"@sha256:{'0123456789abcdef' * 4}"
PUBLIC = f"public.ecr.aws/codebuild/amazonlinux-x86_64-standard{DIGEST}"
OWN = f"210987654321.dkr.ecr.us-east-1.amazonaws.com/builds/code.build_image{DIGEST}"


CHINA = {"region": "cn-north-1"}


def image(**rebuild: Any) -> dict[str, Any]:
    return {"image": {"parameter": "/a/b", "rebuild": {**WEEKLY, **rebuild}}}


# rule, kept by, broken by, what is said
RULES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("parameter", image(), {"image": {"rebuild": WEEKLY}}, "image.rebuild: needs image.parameter"),
    (
        "Fargate",
        image(),
        image() | {"compute__spot": {"type": "FARGATE", "max_vcpus": 4}},
        "image.rebuild: no compute environment has instances",
    ),
    (
        "way out",
        image() | {"network": {"create": NEW}},
        image() | {"network": {"create": PRIVATE}},
        "image.rebuild: downloads from releases.hashicorp.com, GitHub and PyPI; choose network.create.nat: one",
    ),
    (
        "minutes",
        image(schedule="rate(1 hour)"),
        image(schedule="rate(5 minutes)"),
        'image.rebuild.schedule: "rate(5 minutes)" is not a rate in hours or days',
    ),
    (
        "never",
        image(schedule="rate(1 day)"),
        image(schedule="rate(0 days)"),
        'image.rebuild.schedule: "rate(0 days)" is not',
    ),
    (
        "cron",
        image(schedule="cron(0 3 ? * SUN *)"),
        image(schedule="cron(0 24 ? * SUN *)"),
        'image.rebuild.schedule: invalid hour "24" in a cron expression',
    ),
    (
        "address",
        image(notify=["a@b.org"]),
        image(notify=["nobody"]),
        'image.rebuild.notify[0]: "nobody" is not an e-mail',
    ),
    (
        "image of another region",
        image(codebuild_image=OWN),
        image(codebuild_image=OWN.replace("us-east-1", "eu-west-1")),
        '"210987654321.dkr.ecr.eu-west-1.amazonaws.com" is not the registry of us-east-1: '
        "use ACCOUNT.dkr.ecr.us-east-1.amazonaws.com",
    ),
    (
        "image of another partition",
        CHINA | image(codebuild_image=OWN.replace("us-east-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")),
        CHINA | image(codebuild_image=OWN.replace("us-east-1", "cn-north-1")),
        '"210987654321.dkr.ecr.cn-north-1.amazonaws.com" is not the registry of cn-north-1: '
        "use ACCOUNT.dkr.ecr.cn-north-1.amazonaws.com.cn",
    ),
    (
        "public image in China",
        image(codebuild_image=PUBLIC),
        CHINA | image(codebuild_image=PUBLIC),
        "image.rebuild.codebuild_image: public.ecr.aws is of the partition aws; copy the image to an ECR repository of",
    ),
]


@pytest.mark.parametrize(("kept", "broken", "says"), [case[1:] for case in RULES], ids=[case[0] for case in RULES])
def test_rule(tmp_path: Path, kept: dict[str, Any], broken: dict[str, Any], says: str) -> None:
    accept(tmp_path, **kept)
    with pytest.raises(ManifestError) as refusal:
        accept(tmp_path, **broken)
    (problem,) = refusal.value.problems
    assert says in str(problem)


def main_tf(folder: Path, **changes: Any) -> str:
    """Return the main.tf of a manifest with a rebuild, with single spaces around its equals signs."""
    return re.sub(r" += ", " = ", render(accept(folder, **changes))["terraform/main.tf"].decode())


def test_without_a_rebuild_nothing_is_made_for_it(tmp_path: Path) -> None:
    files = render(accept(tmp_path, image={"parameter": "/a/b"}))
    assert not [path for path in files if "image-pipeline" in path or "image-rebuild" in path]
    assert b"alarm_topics" not in files["terraform/main.tf"]


def test_the_builder_has_its_own_role_or_that_of_the_given_profile(tmp_path: Path) -> None:
    made = main_tf(tmp_path, **image())
    assert 'builder_role_arn = "arn:aws:iam::123456789012:role/batchImageBuilder-test"' in made
    assert 'builder_profile_arn = "arn:aws:iam::123456789012:instance-profile/batchImageBuilder-test"' in made
    profile = "arn:aws:iam::123456789012:instance-profile/central/batchInstance"
    given = main_tf(tmp_path, **image(), iam={"instance_profile": profile})
    assert 'data "aws_iam_instance_profile" "builder" {\n  name = "batchInstance"\n}' in given
    assert "builder_role_arn = data.aws_iam_instance_profile.builder.role_arn" in given
    assert f'builder_profile_arn = "{profile}"' in given


@pytest.mark.parametrize(
    ("source", "parameter"),
    [
        (None, "us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/*"),
        ("/lab/base", "us-east-1:123456789012:parameter/lab/base"),
    ],
)
def test_the_build_may_read_the_parameter_of_its_base(tmp_path: Path, source: str | None, parameter: str) -> None:
    named = {"source": source} if source else {}
    rendered = main_tf(tmp_path, image={"parameter": "/a/b", "rebuild": WEEKLY, **named})
    assert f'base_parameter_arn = "arn:aws:ssm:{parameter}"' in rendered


def test_a_base_by_id_has_no_parameter(tmp_path: Path) -> None:
    named = {"parameter": "/a/b", "rebuild": WEEKLY, "source": "ami-0123456789abcdef0"}
    assert "base_parameter_arn" not in main_tf(tmp_path, image=named)


@pytest.mark.parametrize(
    "value",
    [
        "aws/codebuild/amazonlinux-x86_64-standard:5.0",
        "public.ecr.aws/codebuild/amazonlinux-x86_64-standard:5.0",
        PUBLIC.replace("public.ecr.aws/", ""),
        PUBLIC.replace("x86_64", "aarch64"),
        PUBLIC.replace("codebuild", "mallory"),
        PUBLIC.replace("public.ecr.aws", "public.ecr.aws.example.com"),
        PUBLIC[:-1],
        PUBLIC.replace("0", "A"),
        PUBLIC.replace("@", ":5.0@"),
        f"{PUBLIC}\n",
        OWN.removesuffix(DIGEST),
        OWN.replace(DIGEST, ":latest"),
        OWN.replace(DIGEST, f":latest{DIGEST}"),
        OWN.replace("210987654321", "21098765432"),
        OWN.replace(".dkr.ecr.", ".dkr-ecr."),
        OWN.replace("amazonaws.com", "amazonaws.com.example.com"),
        OWN.replace("builds/", "Builds/"),
        OWN.replace("builds/", "../"),
        OWN.replace("/builds/code.build_image", "/"),
        f"ghcr.io/example/build{DIGEST}",
        "${var.image}",
    ],
)
def test_the_image_of_the_build_is_given_by_digest(tmp_path: Path, value: str) -> None:
    with pytest.raises(ManifestError) as refusal:
        accept(tmp_path, **image(codebuild_image=value))
    (problem,) = refusal.value.problems
    assert "image.rebuild.codebuild_image" in str(problem)
    assert "is not public.ecr.aws/codebuild/amazonlinux-x86_64-standard or the URI of a private ECR repository" in str(
        problem
    )


@pytest.mark.parametrize("value", [PUBLIC, OWN, f"210987654321.dkr.ecr.us-east-1.amazonaws.com/a{DIGEST}"])
def test_the_build_runs_the_image_of_the_manifest(tmp_path: Path, value: str) -> None:
    assert f'codebuild_image = "{value}"' in main_tf(tmp_path, **image(codebuild_image=value))
    assert "codebuild_image" not in main_tf(tmp_path, **image())


def test_its_key_allows_its_log_and_its_alarms_to_use_it(tmp_path: Path) -> None:
    rendered = main_tf(tmp_path, **image())
    assert "/aws/codebuild/batchImageRebuild-test" in rendered
    assert 'alarm_topics = ["batchImageRebuild-test"]' in rendered
