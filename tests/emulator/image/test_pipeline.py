"""What CodeBuild does with its source, done here: its commands, in the unpacked zip, against the embedded AWS."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from gen_infra import emulator
from gen_infra.emulator.builder_host import NoBuilderHostError, builder_host
from gen_infra.render.files import render
from tests.cli import clean_environ
from tests.conftest import missing, require_tool
from tests.emulator.probes import TRUST
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator

NAME = "codebuild"
PARAMETER = f"/gen-infra/{NAME}/ami"


@dataclass(frozen=True)
class CodeBuild:
    """A container with the source, and the account that it works in.

    The embedded AWS starts no instances: the sandbox that packer uses there is added to `source`, and only there.
    """

    aws: Emulator
    source: Path
    pristine: Path

    def run(self, source: Path) -> subprocess.CompletedProcess[str]:
        """Run the commands of the build phase in a copy of the source."""
        spec = yaml.safe_load((source / "buildspec.yml").read_text())
        environ = clean_environ(**self.aws.environ)
        environ.pop("PYTHONPATH", None)  # gen-infra is the one in the source
        environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
        script = "\n".join(["set -e", *spec["phases"]["build"]["commands"]])
        return subprocess.run(
            ["bash", "-c", script], capture_output=True, check=False, cwd=source, env=environ, text=True
        )

    def image(self) -> str:
        """Return what the environment's parameter names."""
        value: str = self.aws.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]
        return value

    def own_images(self) -> list[str]:
        found = self.aws.client("ec2").describe_images(
            Filters=[{"Name": "tag:gen-infra:environment", "Values": [NAME]}]
        )["Images"]
        return [image["ImageId"] for image in found]

    def running(self) -> list[str]:
        """Return the builders that are left."""
        reservations = self.aws.client("ec2").describe_instances(
            Filters=[
                {"Name": "tag:gen-infra:environment", "Values": [NAME]},
                {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
            ]
        )["Reservations"]
        return [instance["InstanceId"] for each in reservations for instance in each["Instances"]]


@pytest.fixture(scope="module")
def codebuild(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> CodeBuild:
    require_tool("packer")
    try:
        with builder_host():
            pass
    except NoBuilderHostError as error:
        missing(error.message, error.hint)
    folder = tmp_path_factory.mktemp("codebuild")
    rebuild = {"schedule": "rate(7 days)", "bucket": "builds"}
    tags = {"vpc": {"Name": "genomics"}, "subnets": {"Tier": "private"}, "security_groups": {"Name": "genomics-batch"}}
    image = {"parameter": PARAMETER, "rebuild": rebuild}
    files = render(accept(folder, name=NAME, network={"lookup": tags}, image=image))
    with zipfile.ZipFile(io.BytesIO(files["terraform/image-rebuild.zip"])) as archive:
        archive.extractall(folder / "source")
        archive.extractall(folder / "pristine")
    shutil.copytree(Path(emulator.__file__).parent, folder / "source/gen_infra/emulator")
    _environment(aws)
    return CodeBuild(aws, folder / "source", folder / "pristine")


def _environment(aws: Emulator) -> None:
    """Return what the environment's apply has made before the first rebuild."""
    kms, iam, profile = aws.client("kms"), aws.client("iam"), f"batchImageBuilder-{NAME}"
    kms.create_alias(AliasName=f"alias/batch-{NAME}", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    iam.create_role(RoleName=profile, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=profile)
    aws.client("ssm").put_parameter(
        Name=PARAMETER, Type="String", DataType="aws:ec2:image", Value="ami-0123456789abcdef0"
    )


class TestBuilds:
    """In this order."""

    def test_the_first_builds_and_moves_the_parameter(self, codebuild: CodeBuild) -> None:
        done = codebuild.run(codebuild.source)
        assert done.returncode == 0, done.stderr
        assert [codebuild.image()] == codebuild.own_images()
        assert codebuild.running() == []

    def test_the_next_has_nothing_to_do(self, codebuild: CodeBuild) -> None:
        before = codebuild.image()
        done = codebuild.run(codebuild.pristine)
        assert (done.returncode, codebuild.own_images()) == (0, [before]), done.stderr
        assert "up to date" in done.stderr

    def test_one_that_fails_is_reported_and_moves_nothing(self, codebuild: CodeBuild) -> None:
        before = codebuild.image()
        verify = codebuild.source / "gen_infra/_data/packer/scripts/verify.sh"
        verify.write_text("exit 3\n")
        done = codebuild.run(codebuild.source)
        assert (done.returncode, codebuild.image()) == (4, before), done.stderr
        assert (codebuild.own_images(), codebuild.running()) == ([before], [])
