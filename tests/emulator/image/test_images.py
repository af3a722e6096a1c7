"""An environment's images on the emulator, without a build: how they stand, and which of them may go."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra import image as story
from gen_infra.aws import image_usage, images, session
from gen_infra.aws.tags import ENVIRONMENT_TAG
from gen_infra.errors import MissingError, UsageError
from gen_infra.manifest.model.base_images import BASE_IMAGES
from tests.cli import gen_infra
from tests.emulator.documented_actions import calls_exactly
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.emulator import Emulator
    from gen_infra.manifest import Manifest

NUMBERS = itertools.count(1)
GIB = 1 << 30


@pytest.fixture(scope="module")
def clients(aws: Emulator) -> Iterator[Clients]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield session.clients("us-east-1")


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Return an environment that no other test uses, with a parameter."""
    name = f"images-{next(NUMBERS)}"
    return accept(tmp_path, name=name, image={"parameter": f"/gen-infra/{name}/ami"})


def register(clients: Clients, manifest: Manifest, **tags: str) -> str:
    """Return an image as a build leaves it, of one disk of 4 GiB; each is newer than the one before."""
    base = images.base_image(clients, manifest.image.build_source)
    given = {
        ENVIRONMENT_TAG: manifest.name,
        images.BASE_IMAGE_TAG: base.id,
        images.BASE_VERSION_TAG: base.version,
        images.RECIPE_TAG: story.recipe(manifest),
    } | tags
    volume = clients.ec2.create_volume(AvailabilityZone="us-east-1a", Size=4, Encrypted=True)["VolumeId"]
    disk: Any = {
        "DeviceName": "/dev/xvda",
        "Ebs": {"SnapshotId": clients.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]},
    }
    image = clients.ec2.register_image(
        Name=f"gen-infra-{next(NUMBERS):06}", RootDeviceName="/dev/xvda", BlockDeviceMappings=[disk]
    )["ImageId"]
    clients.ec2.create_tags(Resources=[image], Tags=[{"Key": key, "Value": value} for key, value in given.items()])
    return image


def retire(clients: Clients, manifest: Manifest, *, keep: int = 0, dry_run: bool = False) -> story.Retired:
    return story.retire(manifest, clients, keep=keep, dry_run=dry_run, progress=lambda _: None)


def ids(removed_or_kept: Any) -> list[str]:
    return [image.id for image, _ in removed_or_kept]


def by_an_instance(clients: Clients, _: Manifest, image: str) -> str:
    made = clients.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    return f"instance {made}"


def by_a_launch_template(clients: Clients, manifest: Manifest, image: str) -> str:
    data: Any = {"ImageId": image}
    clients.ec2.create_launch_template(LaunchTemplateName=f"x-{manifest.name}", LaunchTemplateData=data)
    clients.ec2.create_launch_template_version(
        LaunchTemplateName=f"x-{manifest.name}", LaunchTemplateData={"InstanceType": "m7i.large"}
    )
    return f"launch template x-{manifest.name}, version 1"


def by_a_launch_template_through_a_parameter(clients: Clients, manifest: Manifest, image: str) -> str:
    clients.ssm.put_parameter(Name=f"/{manifest.name}/theirs", Value=image, Type="String")
    data: Any = {"ImageId": f"resolve:ssm:/{manifest.name}/theirs"}
    clients.ec2.create_launch_template(LaunchTemplateName=f"y-{manifest.name}", LaunchTemplateData=data)
    return f"launch template y-{manifest.name}, version 1"


def by_a_compute_environment(clients: Clients, manifest: Manifest, image: str) -> str:
    return f"compute environment {compute_environment(clients, manifest, image)}"


def by_the_parameter(clients: Clients, manifest: Manifest, image: str) -> str:
    clients.ssm.put_parameter(Name=manifest.image_parameter, Value=image, Type="String", DataType=images.DATA_TYPE)
    return f"parameter {manifest.image_parameter}"


def by_another_parameter(clients: Clients, manifest: Manifest, image: str) -> str:
    clients.ssm.put_parameter(Name=f"/{manifest.name}/other", Value=image, Type="String", DataType=images.DATA_TYPE)
    return f"parameter /{manifest.name}/other"


def compute_environment(clients: Clients, manifest: Manifest, image: str, key: str = "spot") -> str:
    iam, ec2 = clients.iam, clients.ec2
    profile = iam.create_instance_profile(InstanceProfileName=f"i-{manifest.name}-{next(NUMBERS)}")["InstanceProfile"]
    group = ec2.describe_security_groups(Filters=[{"Name": "tag:Name", "Values": ["genomics-batch"]}])
    subnet = ec2.describe_subnets(Filters=[{"Name": "tag:Tier", "Values": ["private"]}])
    name = f"{key}-{manifest.name}-{next(NUMBERS):026x}"
    clients.batch.create_compute_environment(
        computeEnvironmentName=name,
        type="MANAGED",
        state="ENABLED",
        serviceRole=iam.get_role(RoleName="AWSServiceRoleForBatch")["Role"]["Arn"],
        computeResources={
            "type": "EC2",
            "allocationStrategy": "BEST_FIT_PROGRESSIVE",
            "minvCpus": 0,
            "maxvCpus": 4,
            "instanceTypes": ["optimal"],
            "instanceRole": profile["Arn"],
            "subnets": [subnet["Subnets"][0]["SubnetId"]],
            "securityGroupIds": [group["SecurityGroups"][0]["GroupId"]],
            "ec2Configuration": [{"imageType": "ECS_AL2023", "imageIdOverride": image}],
        },
    )
    return name


class TestRetire:
    def test_the_newest_stay_and_the_others_go_with_their_snapshots(self, clients: Clients, manifest: Manifest) -> None:
        oldest, older, newer, newest = (register(clients, manifest) for _ in range(4))
        snapshots = [disk.snapshot for disk in images.find(clients, oldest).disks.values()]  # type: ignore[union-attr]

        done = retire(clients, manifest, keep=2)

        assert ids(done.kept) == [newest, newer]
        assert ids(done.removed) == [older, oldest]
        assert done.freed == 8 * GIB
        assert [image.id for image in images.builds(clients, manifest.name)] == [newest, newer]
        left = clients.ec2.describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": snapshots}])["Snapshots"]
        assert left == []

    def test_a_dry_run_prints_the_same_and_removes_nothing(self, clients: Clients, manifest: Manifest) -> None:
        image = register(clients, manifest)

        done = retire(clients, manifest, dry_run=True)

        assert (ids(done.removed), done.freed) == ([image], 4 * GIB)
        assert images.find(clients, image)

    @pytest.mark.parametrize(
        "use",
        [
            by_an_instance,
            by_a_launch_template,
            by_a_launch_template_through_a_parameter,
            by_a_compute_environment,
            by_the_parameter,
            by_another_parameter,
        ],
    )
    def test_what_is_used_stays(
        self, clients: Clients, manifest: Manifest, use: Callable[[Clients, Manifest, str], str]
    ) -> None:
        used, unused = register(clients, manifest), register(clients, manifest)
        user = use(clients, manifest, used)

        done = retire(clients, manifest)

        assert [(image.id, reason) for image, reason in done.kept] == [(used, f"in use by {user}")]
        assert ids(done.removed) == [unused]

    def test_another_environments_images_stay(self, clients: Clients, manifest: Manifest, tmp_path: Path) -> None:
        other = register(clients, accept(tmp_path, name=f"images-{next(NUMBERS)}"))

        assert ids(retire(clients, manifest).removed) == []
        assert images.find(clients, other)

    def test_a_terminated_instance_uses_nothing(self, clients: Clients, manifest: Manifest) -> None:
        image = register(clients, manifest)
        instance = by_an_instance(clients, manifest, image).removeprefix("instance ")
        clients.ec2.terminate_instances(InstanceIds=[instance])

        assert ids(retire(clients, manifest).removed) == [image]


class TestStatus:
    def test_green(self, clients: Clients, manifest: Manifest) -> None:
        image = register(clients, manifest)
        by_the_parameter(clients, manifest, image)
        runs = compute_environment(clients, manifest, image)

        found = story.status(manifest, clients)

        assert not found.is_stale
        assert found.parameter == (manifest.image_parameter, image)
        assert found.current == found.newest_build
        assert found.environments == (story.InUse(runs, image),)

    def test_a_compute_environment_that_runs_another_image(self, clients: Clients, manifest: Manifest) -> None:
        older, newer = register(clients, manifest), register(clients, manifest)
        by_the_parameter(clients, manifest, newer)
        runs = compute_environment(clients, manifest, older)

        found = story.status(manifest, clients)

        assert found.is_stale
        assert found.stale == ()
        assert found.environments == (story.InUse(runs, older, f"it should run {newer}"),)

    def test_a_compute_environment_runs_its_own_image(self, clients: Clients, tmp_path: Path) -> None:
        name = f"images-{next(NUMBERS)}"
        own = {"max_vcpus": 8, "instance_types": ["g5"], "image": {"base": "ecs-al2023-gpu"}}
        manifest = accept(tmp_path, name=name, image={"parameter": f"/gen-infra/{name}/ami"}, compute__gpu=own)
        image = register(clients, manifest)
        by_the_parameter(clients, manifest, image)
        newest = images.base_image(clients, BASE_IMAGES["ecs-al2023-gpu"].parameter).id
        runs = {key: compute_environment(clients, manifest, image, key) for key in ("spot", "gpu")}

        found = story.status(manifest, clients)

        assert found.environments == (
            story.InUse(runs["gpu"], image, f"it should run {newest}"),
            story.InUse(runs["spot"], image),
        )

    def test_a_recipe_that_changed(self, clients: Clients, manifest: Manifest) -> None:
        by_the_parameter(clients, manifest, register(clients, manifest, **{images.RECIPE_TAG: "0" * 64}))

        assert story.status(manifest, clients).stale == ("the recipe has changed since",)

    def test_a_parameter_that_names_nothing(self, clients: Clients, manifest: Manifest) -> None:
        assert story.status(manifest, clients).stale == ("the image does not exist",)
        assert story.stale(manifest, clients) == [f"parameter {manifest.image_parameter} does not exist yet"]

    def test_without_an_image_of_its_own_awss_newest_is_to_run(self, clients: Clients, tmp_path: Path) -> None:
        stock = accept(tmp_path, name=f"images-{next(NUMBERS)}")
        base = images.base_image(clients, stock.image.build_source)
        compute_environment(clients, stock, base.id)
        assert not story.status(stock, clients).is_stale

        outdated = compute_environment(clients, stock, "ami-0123456789abcdef0")
        stale = [each for each in story.status(stock, clients).environments if each.stale]
        assert stale == [story.InUse(outdated, "ami-0123456789abcdef0", f"it should run {base.id}")]

    def test_as_it_is_typed(self, aws: Emulator, clients: Clients, tmp_path: Path) -> None:
        name = f"images-{next(NUMBERS)}"
        path = write(tmp_path, changed(name=name, image={"parameter": f"/gen-infra/{name}/ami"}))
        manifest = accept(tmp_path, name=name, image={"parameter": f"/gen-infra/{name}/ami"})
        by_the_parameter(clients, manifest, register(clients, manifest, **{images.RECIPE_TAG: "0" * 64}))

        done = gen_infra("image", "status", path, "--json", environ=aws.environ)
        answer = json.loads(done.stdout)
        assert (done.returncode, answer["stale"], answer["reasons"]) == (1, True, ["the recipe has changed since"])
        assert answer["to_run"]["base"]["id"] == answer["newest_base"]["id"]
        assert f"next: gen-infra image build {path}" in done.stderr

        shown = gen_infra("image", "status", path, "--quiet", environ=aws.environ)
        assert (shown.returncode, shown.stderr) == (1, "")
        assert "stale: the recipe has changed since" in shown.stdout

        user = by_a_launch_template_through_a_parameter(clients, manifest, register(clients, manifest))
        unused = register(clients, manifest)
        with calls_exactly(aws, "image retire"):
            retired = gen_infra("image", "retire", path, "--keep", "0", environ=aws.environ)
        assert retired.returncode == 0
        assert f"in use by parameter {manifest.image_parameter}" in retired.stdout
        assert f"in use by {user}" in retired.stdout
        assert "1 removed, 2 kept" in retired.stderr
        assert images.find(clients, unused) is None


class TestLookUps:
    def test_a_base_by_id_by_parameter_and_awss_own(self, clients: Clients, manifest: Manifest) -> None:
        assert images.base_image(clients, "ami-0123456789abcdef0") == images.Base("ami-0123456789abcdef0")
        base: Any = {"Name": f"/{manifest.name}/base", "Value": "ami-00000000", "Type": "String"}
        clients.ssm.put_parameter(**base, DataType=images.DATA_TYPE)
        assert images.base_image(clients, f"/{manifest.name}/base") == images.Base("ami-00000000")
        newest = images.base_image(clients, manifest.image.base_parameter)
        assert newest.version.startswith("2023.0.")
        assert str(newest) == f"{newest.version} ({newest.id})"
        with pytest.raises(MissingError, match='SSM parameter "/nowhere" not found in us-east-1'):
            images.base_image(clients, "/nowhere")

    def test_publishing_moves_a_parameter_that_is_there(self, clients: Clients, manifest: Manifest) -> None:
        first, second = register(clients, manifest), register(clients, manifest)
        for image in (first, second):
            images.publish(clients, manifest.image_parameter, image)
            assert images.parameter(clients, manifest.image_parameter) == image
        shown = clients.ssm.get_parameter(Name=manifest.image_parameter)["Parameter"]
        assert (shown["Type"], shown["DataType"]) == ("String", "aws:ec2:image")

    def test_an_image_that_is_not_as_it_should_be(self, clients: Clients, manifest: Manifest) -> None:
        image = images.find(clients, register(clients, manifest))
        assert image
        wanted = clients.kms.create_key()["KeyMetadata"]["Arn"]
        imdsv1, other_key = images.faults(clients, image, wanted)
        assert imdsv1 == "its instances would take IMDSv1"
        assert other_key.startswith("/dev/xvda is encrypted with ")
        assert other_key.endswith(f", not with {wanted}")

    def test_an_image_that_batch_chose_is_no_image(self, clients: Clients, manifest: Manifest) -> None:
        assert image_usage.environment_images(clients, [f"spot-{manifest.name}"]) == {}


class TestPlan:
    def test_a_volume_below_the_snapshots_size_is_refused_before_terraform_runs(
        self, aws: Emulator, clients: Clients, manifest: Manifest, tmp_path: Path
    ) -> None:
        volume = clients.ec2.create_volume(AvailabilityZone="us-east-1a", Size=200, Encrypted=True)["VolumeId"]
        disk: Any = {"SnapshotId": clients.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]}
        image = clients.ec2.register_image(
            Name=manifest.name,
            RootDeviceName="/dev/xvda",
            BlockDeviceMappings=[{"DeviceName": "/dev/sdb", "Ebs": disk}],
        )["ImageId"]
        path = write(tmp_path, changed(name=manifest.name, image={"id": image, "scratch": {"size_gib": 199}}))

        done = gen_infra("plan", path, environ=aws.environ, cwd=tmp_path)

        assert done.returncode == UsageError.exit_code, done.stderr
        assert (
            f"no instance of {image} could start: /dev/sdb is 199 GiB in the manifest, its snapshot 200 GiB"
            in done.stderr
        )
        assert not (tmp_path / "build" / manifest.name / "plan").exists()
