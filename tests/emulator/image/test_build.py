"""Real builds: packer, its provisioners on a sandboxed host with a real disk, EC2's part by the emulator."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import signal
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from msgspec.structs import replace

from gen_infra import image as story
from gen_infra.aws import images, session
from gen_infra.aws.tags import COST_TAG, ENVIRONMENT_TAG
from gen_infra.cli.builder import connection_for
from gen_infra.emulator import start
from gen_infra.errors import AwsError, MissingError, ToolError
from gen_infra.manifest import load
from gen_infra.permissions.policies import documents
from gen_infra.tools.process import StoppedError
from tests.cli import gen_infra
from tests.conftest import require_tool
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.emulator import Emulator
    from gen_infra.emulator.builder_host import BuilderHost
    from gen_infra.manifest import Manifest

NUMBERS = itertools.count(1)
NETWORK = {
    "lookup": {
        "vpc": {"Name": "genomics"},
        "subnets": {"Tier": "private"},
        "security_groups": {"Name": "genomics-batch"},
    }
}
UNPREDICTABLE = {"ClientToken", "Placement.AvailabilityZone"}
TWO_BASES = [
    f"/aws/service/ecs/optimized-ami/amazon-linux-2023{variant}/recommended/image_id" for variant in ("", "/gpu")
]
SCRATCH_UUID = "a94f590f-bdf5-4c1f-a13b-fc50dc570305"


@dataclass(frozen=True)
class Lab:
    """An emulator that writes down each request, and environments on it that were applied as far as a build needs."""

    aws: Emulator
    clients: Clients
    recording: Path

    def environment(self, folder: Path, **image: Any) -> Path:
        """Return a manifest; its key and its builder's profile exist."""
        name = f"lab-{next(NUMBERS)}"
        path = write(folder, changed(name=name, network=NETWORK, image=image), f"{name}.yaml")
        alias = f"batch-{name}"
        key = self.clients.kms.create_key(Tags=[{"TagKey": "Name", "TagValue": alias}])["KeyMetadata"]["KeyId"]
        self.clients.kms.create_alias(AliasName=f"alias/{alias}", TargetKeyId=key)
        self.role(builder := f"batchImageBuilder-{name}", {"Service": "ec2.amazonaws.com"})
        self.clients.iam.create_instance_profile(InstanceProfileName=builder)
        self.clients.iam.add_role_to_instance_profile(InstanceProfileName=builder, RoleName=builder)
        return path

    def role(self, name: str, principal: dict[str, str], *policies: dict[str, object]) -> str:
        """Make a role with inline policies; return its ARN."""
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        made = self.clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        for number, policy in enumerate(policies):
            text = json.dumps(policy)
            self.clients.iam.put_role_policy(RoleName=name, PolicyName=f"part{number}", PolicyDocument=text)
        return made["Role"]["Arn"]

    def session_for_images(self, manifest: Manifest) -> dict[str, str]:
        """Return the environment variables of a session that may do what `gen-infra permissions --for image` prints."""
        policies = documents(manifest, "image")
        arn = self.role(f"builds-{manifest.name}", {"AWS": "arn:aws:iam::123456789012:root"}, *policies)
        keys = self.clients.sts.assume_role(RoleArn=arn, RoleSessionName="build")["Credentials"]
        names = {
            "ACCESS_KEY_ID": "AccessKeyId",
            "SECRET_ACCESS_KEY": "SecretAccessKey",
            "SESSION_TOKEN": "SessionToken",
        }
        return {f"AWS_{name}": str(keys[key]) for name, key in names.items()}  # type: ignore[literal-required]

    def requests(self, action: str) -> list[dict[str, str]]:
        """Return the parameters of each EC2 request of that kind, in order."""
        entries = [json.loads(line) for line in self.recording.read_text().splitlines()]
        bodies = (dict(parse_qsl(base64.b64decode(entry["body"]).decode(errors="replace"))) for entry in entries)
        return [body for body in bodies if body.get("Action") == action]

    def instances(self, manifest: Manifest) -> list[str]:
        """Return the states of the environment's instances."""
        mine: Any = [{"Name": f"tag:{ENVIRONMENT_TAG}", "Values": [manifest.name]}]
        pages = self.clients.ec2.describe_instances(Filters=mine)["Reservations"]
        return [instance["State"]["Name"] for page in pages for instance in page["Instances"]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    require_tool("packer")
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where moto writes what it records
        with start() as aws:
            for name, value in aws.environ.items():
                patch.setenv(name, value)
            for name in [name for name in os.environ if name.startswith("AWS_") and name not in aws.environ]:
                patch.delenv(name)
            urllib.request.urlopen(f"{aws.endpoint}/moto-api/recorder/start-recording", data=b"").close()  # noqa: S310
            yield Lab(aws, session.clients("us-east-1"), folder / "moto_recording")


@pytest.fixture
def host(builder: BuilderHost, monkeypatch: pytest.MonkeyPatch) -> BuilderHost:
    """Return the builder host that the next build works on, to be looked at from outside."""
    monkeypatch.setattr("gen_infra.emulator.builder_host.builder_host", lambda: contextlib.nullcontext(builder))
    return builder


@pytest.fixture
def held_host(host: BuilderHost) -> BuilderHost:
    """Return a builder host whose package manager waits up to half a minute, so that a build can be stopped."""
    os.mkfifo(host.root / "run" / "held")
    manager = host.root / "usr/bin/dnf"
    manager.write_text("#!/bin/sh\ntimeout 30 cat /run/held || true\n")
    manager.chmod(0o755)
    return host


def nothing_moved(lab: Lab, manifest: Manifest, before: str | None) -> None:
    """No image, no instance that costs, and the parameter is as it was."""
    assert images.builds(lab.clients, manifest.name) == []
    assert set(lab.instances(manifest)) == {"terminated"}
    assert images.parameter(lab.clients, manifest.image_parameter) == before


def inside(host: BuilderHost, *words: str) -> str:
    """Return what a command says in the builder host, whose keys a build takes away."""
    target = f"--target={host.root.parent.name}"
    return subprocess.run(
        ["nsenter", target, "--mount", "--pid", f"--root={host.root}", *words],
        capture_output=True,
        check=True,
        text=True,
    ).stdout


@pytest.mark.usefixtures("host")
def test_a_build_calls_aws_with_exactly_this(lab: Lab, tmp_path: Path) -> None:
    manifest = load(lab.environment(tmp_path, scratch={"carrier": "baked", "size_gib": 1000, "throughput_mib_s": 500}))
    base = images.base_image(lab.clients, manifest.image.build_source)

    image = story.build(manifest, lab.clients, lambda _: None, connection_for(lab.clients))

    request = {key: value for key, value in lab.requests("RunInstances")[-1].items() if key not in UNPREDICTABLE}
    build, tags = tags_of(request, "TagSpecification.1"), tags_of(request, "TagSpecification.2")
    assert (
        build
        == tags
        == {
            "Name": f"gen-infra-{manifest.name}",
            COST_TAG: manifest.name,
            ENVIRONMENT_TAG: manifest.name,
            images.BUILD_TAG: build[images.BUILD_TAG],
        }
    )
    disk = {
        "DeleteOnTermination": "true",
        "Encrypted": "true",
        "Iops": "3000",
        "KmsKeyId": f"arn:aws:kms:us-east-1:123456789012:{manifest.key_alias}",
        "VolumeType": "gp3",
    }
    assert {key: value for key, value in request.items() if not key.startswith("TagSpecification")} == {
        "Action": "RunInstances",
        **mapping(1, "/dev/xvda", disk | {"VolumeSize": "100", "Throughput": "250"}),
        **mapping(2, "/dev/sdb", disk | {"VolumeSize": "1000", "Throughput": "500"}),
        "EbsOptimized": "true",
        "IamInstanceProfile.Name": manifest.image_builder_profile,
        "ImageId": base.id,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "InstanceType": "m7i.large",
        "MaxCount": "1",
        "MinCount": "1",
        "SecurityGroupId.1": tagged(lab.clients.ec2.describe_security_groups, "Name", "genomics-batch")[0],
        "SubnetId": request["SubnetId"],
        "Version": "2016-11-15",
    }
    assert request["SubnetId"] in tagged(lab.clients.ec2.describe_subnets, "Tier", "private")
    made = lab.requests("CreateImage")[-1]
    assert made == {
        "Action": "CreateImage",
        "InstanceId": made["InstanceId"],
        "Name": image.name,
        "Version": "2016-11-15",
    }
    assert lab.requests("CreateSecurityGroup") == lab.requests("CreateKeyPair") == []


def test_a_finished_image_is_registered_looked_over_and_published(lab: Lab, host: BuilderHost, tmp_path: Path) -> None:
    """The build, and Packer with it, acts under the role for images: its policy suffices."""
    manifest = load(lab.environment(tmp_path, scratch={"carrier": "baked", "size_gib": 1000}))
    progress: list[str] = []

    with pytest.MonkeyPatch.context() as patch:
        for name, value in lab.session_for_images(manifest).items():
            patch.setenv(name, value)
        clients = session.clients("us-east-1")
        image = story.build(manifest, clients, progress.append, connection_for(clients))
    made = next(call for call in lab.aws.calls("ec2") if call.parameters.get("Name") == image.name)
    assert (made.action, made.access_key[:4]) == ("CreateImage", "ASIA")

    assert (image.state, image.requires_imdsv2) == ("available", True)
    assert {name: (disk.size_gib, disk.encrypted) for name, disk in image.disks.items()} == {
        "/dev/xvda": (100, True),
        "/dev/sdb": (1000, True),
    }
    base = images.base_image(lab.clients, manifest.image.build_source)
    assert (image.base, image.recipe) == (base, story.recipe(manifest))
    shown = lab.clients.ssm.get_parameter(Name=manifest.image_parameter)["Parameter"]
    assert (shown["Value"], shown["DataType"]) == (image.id, "aws:ec2:image")
    assert lab.instances(manifest) == ["terminated"]
    assert "Launching a source AWS instance..." in progress

    probe = ["blkid", "--probe", "--output", "value", "--match-tag", "UUID", str(host.disk)]
    assert subprocess.run(probe, capture_output=True, check=True, text=True).stdout.strip() == SCRATCH_UUID
    assert f"UUID={SCRATCH_UUID} /docker_scratch xfs " in (host.root / "etc/fstab").read_text()
    inside(host, "mount", "/dev/sdb", "/docker_scratch")
    inside(host, "/usr/local/sbin/gen-infra-scratch", "ready")
    assert inside(host, "stat", "--format=%a", "/docker_scratch") == "1777\n"


def test_a_provisioner_that_fails_moves_nothing(lab: Lab, host: BuilderHost, tmp_path: Path) -> None:
    manifest = load(lab.environment(tmp_path, scratch={"carrier": "baked", "size_gib": 1000}))
    images.publish(lab.clients, manifest.image_parameter, "ami-0123456789abcdef0")
    with host.disk.open("r+b") as disk:
        disk.write(b"other data")

    with pytest.raises(ToolError, match="packer build failed: Script exited with non-zero exit status: 11"):
        story.build(manifest, lab.clients, lambda _: None, connection_for(lab.clients))

    nothing_moved(lab, manifest, before="ami-0123456789abcdef0")
    with host.disk.open("rb") as disk:
        assert disk.read(10) == b"other data"


@pytest.mark.usefixtures("host")
def test_an_image_that_is_not_as_it_should_be_is_not_published(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = load(lab.environment(tmp_path))
    monkeypatch.setattr(images, "require_imdsv2", lambda *_: None)  # as if EC2 had refused

    with pytest.raises(AwsError, match="was built but is not used: its instances would take IMDSv1"):
        story.build(manifest, lab.clients, lambda _: None, connection_for(lab.clients))

    assert images.parameter(lab.clients, manifest.image_parameter) is None


@pytest.mark.usefixtures("held_host")
def test_ctrl_c_terminates_the_builder(lab: Lab, tmp_path: Path) -> None:
    manifest = load(lab.environment(tmp_path))

    with pytest.raises(StoppedError):
        story.build(
            manifest,
            lab.clients,
            at("update.sh", lambda: os.kill(os.getpid(), signal.SIGINT)),
            connection_for(lab.clients),
        )

    nothing_moved(lab, manifest, before=None)


@pytest.mark.usefixtures("held_host")
def test_a_builder_that_packer_could_not_take_down_is(lab: Lab, tmp_path: Path) -> None:
    manifest = load(lab.environment(tmp_path))
    progress: list[str] = []
    kill = at("update.sh", lambda: os.kill(packer_process(), signal.SIGKILL))

    def receive(line: str) -> None:
        progress.append(line)
        kill(line)

    with pytest.raises(ToolError):
        story.build(manifest, lab.clients, receive, connection_for(lab.clients))

    nothing_moved(lab, manifest, before=None)
    assert [line for line in progress if line.endswith("which packer left")]


def test_without_its_key_a_build_explains_how_to_get_it(lab: Lab, tmp_path: Path) -> None:
    manifest = replace(load(lab.environment(tmp_path)), name="nothing-applied")

    with pytest.raises(MissingError, match=r"key .*alias/batch-nothing-applied not found") as caught:
        story.build(manifest, lab.clients, lambda _: None, connection_for(lab.clients))

    assert "apply the environment once" in caught.value.hint


@pytest.mark.usefixtures("builder")  # says why where there can be none
def test_rebuild_if_stale_as_a_schedule_calls_it(lab: Lab, tmp_path: Path) -> None:
    bases = [base.id for base in (images.base_image(lab.clients, source) for source in TWO_BASES)]
    path = lab.environment(tmp_path, source=f"/{tmp_path.name}/base")
    parameter: Any = {"Name": f"/{tmp_path.name}/base", "Type": "String", "DataType": images.DATA_TYPE}
    lab.clients.ssm.put_parameter(**parameter, Value=bases[0])

    def rebuild() -> tuple[str | None, str]:
        done = gen_infra("image", "rebuild", path, "--if-stale", "--json", environ=lab.aws.environ, timeout=100)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        return answer["built"] and answer["built"]["id"], done.stderr

    first, said = rebuild()
    assert "stale: parameter /gen-infra/" in said
    assert "does not exist yet" in said
    again, said = rebuild()
    assert again is None
    assert "up to date" in said

    path.write_text(path.read_text().replace("source:", "scratch: {filesystem: ext4}\n  source:"))
    second, said = rebuild()
    assert "stale: the recipe has changed since" in said

    lab.clients.ssm.put_parameter(**parameter, Value=bases[1], Overwrite=True)
    third, said = rebuild()
    assert f"stale: it was built on {bases[0]}, and {bases[1]} is newer" in said
    assert rebuild()[0] is None

    assert len({first, second, third, None}) == 4
    assert images.parameter(lab.clients, load(path).image_parameter) == third


# --- small help ------------------------------------------------------------------------------------------------------


def mapping(number: int, device: str, disk: dict[str, str]) -> dict[str, str]:
    prefix = f"BlockDeviceMapping.{number}"
    return {f"{prefix}.DeviceName": device} | {f"{prefix}.Ebs.{key}": value for key, value in disk.items()}


def tags_of(request: dict[str, str], prefix: str) -> dict[str, str]:
    keys = {
        key.removesuffix(".Key"): value
        for key, value in request.items()
        if key.startswith(prefix) and key.endswith(".Key")
    }
    return {value: request[f"{place}.Value"] for place, value in keys.items()}


def tagged(describe: Callable[..., Any], key: str, value: str) -> list[str]:
    """Return the ids of the subnets or security groups with that tag."""
    answer = describe(Filters=[{"Name": f"tag:{key}", "Values": [value]}])
    found = answer.get("Subnets") or answer["SecurityGroups"]
    return [each.get("SubnetId") or each["GroupId"] for each in found]


def at(what: str, do: Callable[[], object]) -> Callable[[str], None]:
    """Receives packer's lines, and does something once, at the first that holds ``what``."""
    done: list[str] = []

    def receive(line: str) -> None:
        if what in line and not done:
            done.append(line)
            do()

    return receive


def packer_process() -> int:
    """Return the one child of ours that is packer."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    (found,) = [int(child) for child in children if "packer" in Path(f"/proc/{child}/comm").read_text()]
    return found
