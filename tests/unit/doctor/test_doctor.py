"""The doctor where no account is needed: its tools, its command, and how it takes a manifest apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from gen_infra.cli import cli
from gen_infra.doctor import account, tools
from gen_infra.doctor import buckets as doctor_buckets
from gen_infra.doctor import network as doctor_network
from gen_infra.doctor import quotas as doctor_quotas
from gen_infra.doctor import roles as doctor_roles
from gen_infra.doctor import runner as doctor
from gen_infra.doctor.diagnosis import Diagnosis, ok, warning, wrong
from gen_infra.errors import MissingError
from gen_infra.terraform.adapter import Binary
from gen_infra.tools.versions import AWS_PROVIDERS
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Refusal
from tests.unit.terraform.test_provider import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.aws.session import Clients

BINARY = Binary(("/usr/bin/terraform",), "1.11.4", "terraform")
NOTHING = {"PATH": "/nowhere", "HOME": "/nowhere"}


@pytest.fixture
def recorded() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield Account()


def missing() -> Binary:
    raise MissingError("terraform >= 1.9 was not found", hint="install it")


class TestTools:
    def test_terraform_and_where_its_provider_comes_from(self, tmp_path: Path) -> None:
        version = tmp_path / "registry.terraform.io/hashicorp/aws/5.100.0"
        for platform in ("linux_amd64", "linux_arm64", "darwin_arm64", "darwin_amd64"):
            (version / platform).mkdir(parents=True)
        terraform, provider = tools.terraform(lambda: BINARY, {"GEN_INFRA_PLUGIN_DIR": str(tmp_path)})
        assert (terraform.level, terraform.message) == ("ok", "terraform 1.11.4, /usr/bin/terraform")
        assert (provider.level, str(tmp_path) in provider.message) == ("ok", True)

    @pytest.mark.parametrize("version", ["5.100.0", "6.69.1"])
    def test_without_a_manifest_the_version_is_the_one_that_is_here(self, tmp_path: Path, version: str) -> None:
        unpacked(tmp_path, version)
        _, provider = tools.terraform(lambda: BINARY, {"GEN_INFRA_PLUGIN_DIR": str(tmp_path)})
        needed = AWS_PROVIDERS[5 if version == "5.100.0" else 6].range
        assert provider.level == "ok"
        assert provider.message.startswith(f"hashicorp/aws {needed}, the version of new manifests here, from a mirror")

    def test_a_manifests_version_that_no_mirror_has_is_a_warning(self, tmp_path: Path) -> None:
        unpacked(tmp_path / ".local/share/terraform/plugins", "6.69.1")
        environ = {"HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path / "share")}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gen_infra.terraform.provider._SYSTEM_ROOTS", ())
            _, provider = tools.terraform(lambda: BINARY, environ, AWS_PROVIDERS[5])
            _, fitting = tools.terraform(lambda: BINARY, environ, AWS_PROVIDERS[6])
        assert provider.level == "warning"
        assert provider.message.endswith("; the mirrors on this machine have only ~> 6.25")
        assert "set `terraform: {aws_provider: 6}` in the manifest" in provider.advice
        assert (fitting.level, "the manifest's version, from a mirror, implied" in fitting.message) == ("ok", True)

    def test_the_advice_is_never_an_older_version(self, tmp_path: Path) -> None:
        unpacked(tmp_path / ".local/share/terraform/plugins", "5.100.0")
        environ = {"HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path / "share")}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gen_infra.terraform.provider._SYSTEM_ROOTS", ())
            _, provider = tools.terraform(lambda: BINARY, environ, AWS_PROVIDERS[6])
        assert provider.advice == (
            "unless the registry can be reached, add that version: terraform providers mirror FOLDER"
        )

    def test_an_empty_mirror_is_wrong(self, tmp_path: Path) -> None:
        _, provider = tools.terraform(lambda: BINARY, {"GEN_INFRA_PLUGIN_DIR": str(tmp_path)})
        assert (provider.level, provider.advice) == ("wrong", "fill it: terraform providers mirror FOLDER")

    def test_no_terraform_is_wrong(self) -> None:
        assert tools.terraform(missing, NOTHING) == [wrong("terraform", "terraform >= 1.9 was not found", "install it")]

    def test_no_packer_is_a_warning(self) -> None:
        [line] = tools.packer(NOTHING)
        assert (line.level, "apt-get install packer" in line.advice) == ("warning", True)

    def test_no_checkov_is_wrong(self) -> None:
        [line] = tools.checkov(NOTHING | {"GEN_INFRA_CHECKOV": "/nowhere/checkov"})
        assert (line.level, line.advice) == ("wrong", "run pipx install checkov")

    @pytest.mark.parametrize(
        ("answer", "level"), [("echo 3.3.30", "ok"), ("echo 2.0.1", "warning"), ("exit 1", "wrong")]
    )
    def test_checkov_by_its_release(self, tmp_path: Path, answer: str, level: str) -> None:
        for name in ("checkov", "python3"):
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n{answer}\n")
            program.chmod(0o755)
        [line] = tools.checkov({"PATH": "/usr/bin:/bin", "GEN_INFRA_CHECKOV": str(tmp_path / "checkov")})
        assert line.level == level


class TestWhatIsLookedAt:
    def test_linked_roles_by_how_instances_are_started(self, tmp_path: Path) -> None:
        for changes, expected in (
            ({}, ["batch", "autoscaling", "spot"]),
            ({"compute__spot__type": "EC2"}, ["batch", "autoscaling"]),
            (
                {"compute__spot__allocation_strategy": "BEST_FIT", "compute__spot__service_role": "create"},
                ["spot", "spotfleet"],
            ),
        ):
            assert doctor.service_linked_roles(accept(tmp_path, **changes)) == expected

    def test_each_image_that_instances_run_is_examined_once(self, tmp_path: Path, recorded: Account) -> None:
        own = {"max_vcpus": 4, "image": {"base": "ecs-al2023-arm64", "id": "ami-0123456789abcdef0"}}
        computes = {
            "compute__spot": {"max_vcpus": 4, "image": {"parameter": "/lab/ami"}},
            **{f"compute__{key}": own | {"instance_types": ["c7g"]} for key in ("a", "b")},
        }
        found = [each.args[1:3] for each in doctor.images(recorded.clients, accept(tmp_path, **computes))]  # type: ignore[attr-defined]
        assert found == [("/lab/ami", "x86_64"), ("ami-0123456789abcdef0", "arm64")]

    def test_each_environment_is_checked_with_the_largest_job_that_fits_in_it(self, tmp_path: Path) -> None:
        jobs = {name: {"image": "quay.io/x/y:1", "vcpus": n, "memory_mib": 512} for name, n in (("a", 32), ("b", 4))}
        compute = {"spot": {"max_vcpus": 64}, "rest": {"type": "EC2", "max_vcpus": 16, "instance_types": ["m7i"]}}
        manifest = accept(tmp_path, jobs=jobs, compute=compute)
        assert doctor.quota_asks(manifest) == [
            doctor_quotas.Ask("SPOT", ("optimal",), 64, 32),
            doctor_quotas.Ask("EC2", ("m7i",), 16, 4),
        ]
        assert doctor.most_instances(manifest) == (64 + 16) // 4
        assert doctor.instance_volumes(manifest) == {"gp3": 1100}

    def test_small_jobs_on_fargate_do_not_count_as_jobs_of_instances(self, tmp_path: Path) -> None:
        job = {"image": "quay.io/x/y:1", "memory_mib": 2048}
        manifest = accept(
            tmp_path,
            compute={"spot": {"max_vcpus": 64}, "fargate": {"type": "FARGATE", "max_vcpus": 8}},
            queues={name: {"priority": 1, "compute": [name]} for name in ("spot", "fargate")},
            jobs={
                "large": {**job, "vcpus": 4, "queue": "spot"},
                "small": {**job, "vcpus": 0.25, "queue": "fargate"},
            },
        )
        assert doctor.most_instances(manifest, ec2=True) == 64 // 4

    @pytest.mark.parametrize(("tib", "levels"), [(63, ["warning"]), (64, []), (0, ["wrong"])])
    def test_a_quota_of_storage_that_is_too_small_is_reported_for_a_plan(
        self, tib: int, levels: list[str], recorded: Account, tmp_path: Path
    ) -> None:
        recorded.answers = {"GetServiceQuota": {"Quota": {"Value": float(tib)}}}
        manifest = accept(tmp_path, image={"scratch": {"size_gib": 924}})
        found = doctor.storage_shortages(recorded.clients, manifest)
        assert [line.level for line in found] == levels
        assert all("64 instances of 1024 GiB each need 64 TiB" in line.message for line in found if tib)

    def test_quotas_that_cannot_be_read_do_not_fail_a_plan(self, recorded: Account, tmp_path: Path) -> None:
        recorded.answers = {"GetServiceQuota": Refusal("AccessDeniedException", "User: x is not authorized")}
        assert doctor.storage_shortages(recorded.clients, accept(tmp_path)) == []
        recorded.answers = {}
        fargate = accept(tmp_path, compute={"spot": {"type": "FARGATE", "max_vcpus": 4}})
        assert doctor.storage_shortages(recorded.clients, fargate) == []

    def test_roles_that_are_managed_elsewhere(self, tmp_path: Path) -> None:
        arn = "arn:aws:iam::123456789012:role/batch"
        assert doctor.custom_roles(accept(tmp_path, compute__spot__service_role=arn)) == [arn]
        assert doctor.custom_roles(accept(tmp_path)) == []
        job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
        assert doctor.custom_roles(accept(tmp_path, jobs={"a": job, "b": {**job, "role": f"{arn}-job"}})) == [
            f"{arn}-job"
        ]

    def test_the_network_by_id_and_by_tag(self, tmp_path: Path) -> None:
        by_id = doctor.wanted_network(accept(tmp_path))
        assert isinstance(by_id, doctor_network.ById)
        tags = {"vpc": {"a": "1"}, "subnets": {"b": "2"}, "security_groups": {"c": "3"}}
        by_tag = doctor.wanted_network(accept(tmp_path, network={"lookup": tags}))
        assert by_tag == doctor_network.ByTag({"a": "1"}, {"b": "2"}, {"c": "3"})


def test_a_default_route_to_a_deleted_gateway_is_wrong() -> None:
    gone = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "blackhole"}
    table = {"RouteTableId": "rtb-1", "Associations": [{"Main": False, "SubnetId": "subnet-1"}], "Routes": [gone]}
    [line] = doctor_network.routes([{"SubnetId": "subnet-1", "MapPublicIpOnLaunch": False}], [table], [], "us-east-1")
    assert (line.level, line.message) == ("wrong", "subnet-1 sends all traffic to nat-1, which no longer exists")


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("optimal", "Standard"),
        ("default_arm64", "Standard"),
        ("c7gd.16xlarge", "Standard"),
        ("i4i", "Standard"),
        ("im4gn.large", "Standard"),
        ("inf2.xlarge", "Inf"),
        ("dl1.24xlarge", "DL"),
        ("d3.xlarge", "Standard"),
        ("g6", "G and VT"),
        ("gr6.4xlarge", "G and VT"),
        ("vt1.3xlarge", "G and VT"),
        ("p5", "P"),
        ("trn1.2xlarge", "Trn"),
        ("t3.large", "Standard"),
        ("x2idn", "X"),
        ("hpc7a.96xlarge", None),
    ],
)
def test_which_quota_an_instance_type_counts_against(name: str, group: str | None) -> None:
    assert doctor_quotas.quota_group(name) == group


class TestRefusals:
    """What AWS does not let the doctor see is a warning that names the permission."""

    def test_the_permission_that_aws_names(self, clients: Clients) -> None:
        said = "User: arn:aws:iam::1:user/a is not authorized to perform: iam:GetRole on resource: role x"
        with Stubber(clients.iam) as stub:
            stub.add_client_error("get_role", "AccessDenied", said, 403)
            [line] = doctor_roles.service_linked_roles(clients, ["batch"])
        assert (line.level, line.message) == ("warning", "cannot check: needs iam:GetRole")

    def test_the_permission_that_aws_does_not_name(self, clients: Clients) -> None:
        with Stubber(clients.s3) as stub:
            stub.add_client_error("head_bucket", "403", "Forbidden", 403)
            [line] = doctor_buckets.bucket(clients, "results")
        assert (line.level, line.message) == ("warning", "cannot check: needs s3:ListBucket")

    def test_what_was_found_before_the_refusal_stays(self, clients: Clients) -> None:
        role: Any = {"Path": "/", "RoleName": "x", "RoleId": "A" * 16, "Arn": "arn:aws:iam::1:role/x"}
        with Stubber(clients.iam) as stub:
            stub.add_response("get_role", {"Role": role | {"CreateDate": "2026-01-01"}})
            stub.add_client_error("get_role", "AccessDenied", "", 403)
            lines = doctor_roles.service_linked_roles(clients, ["batch", "spot"])
        assert [line.message for line in lines] == ["AWSServiceRoleForBatch", "cannot check: needs iam:GetRole"]

    def test_a_region_that_does_not_exist_is_wrong(self, clients: Clients) -> None:
        with Stubber(clients.ec2) as stub:
            stub.add_client_error("describe_regions", "InvalidParameterValue", "Invalid region", 400)
            [line] = account.region(clients, None)
        assert (line.level, line.message) == ("wrong", 'unknown region "us-east-1"')

    def test_an_aws_that_stumbles_is_a_warning(self, clients: Clients) -> None:
        with Stubber(clients.iam) as stub:
            stub.add_client_error("get_role", "InternalFailure", "oops", 500)
            [line] = doctor_roles.service_linked_roles(clients, ["batch"])
        assert line.message == "cannot check: GetRole failed: oops (InternalFailure)"


class TestCommand:
    def run(self, monkeypatch: pytest.MonkeyPatch, lines: list[Diagnosis], *options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(doctor, "examine", lambda path: lines)  # noqa: ARG005
        done = CliRunner().invoke(cli, ["doctor", *options], standalone_mode=False)
        return done.return_value, done.stdout, done.stderr

    def test_each_line_has_its_level_and_advice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = [ok("region", "us-east-1"), warning("roles", "none yet", "make one")]
        code, out, err = self.run(monkeypatch, lines)
        assert code == 0
        assert out == "ok       region: us-east-1\nwarning  roles: none yet\n         -> make one\n"
        assert "1 ok, 1 warnings, 0 wrong" in err

    def test_wrong_is_exit_1_and_quiet_keeps_the_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        code, out, err = self.run(monkeypatch, [wrong("image", "is not there", "name another")], "--quiet")
        assert (code, err) == (1, "")
        assert out.startswith("wrong    image: is not there\n")

    def test_json(self, monkeypatch: pytest.MonkeyPatch) -> None:
        code, out, _ = self.run(monkeypatch, [wrong("image", "is not there", "name another")], "--json")
        assert code == 1
        assert json.loads(out) == {
            "counts": {"ok": 0, "warning": 0, "wrong": 1},
            "lines": [
                {"level": "wrong", "subject": "image", "message": "is not there", "advice": "name another"},
            ],
        }
