"""`gen-infra doctor` as a user runs it, on accounts of its own."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra import emulator
from tests.cli import gen_infra
from tests.emulator.doctor.test_account import machine_image
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulator.session import Session


@pytest.fixture(scope="module")
def account(session: Session) -> Iterator[emulator.Emulator]:
    """Yield an account that no other test changes."""
    with session.seeded() as running:
        yield running


def examine(environ: dict[str, str], *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
    done = gen_infra("doctor", *arguments, "--json", environ=environ)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["lines"]


def of(lines: list[dict[str, Any]], level: str) -> dict[str, list[str]]:
    """Subject -> messages of that level."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if line["level"] == level:
            found.setdefault(line["subject"], []).append(line["message"])
    return found


def test_without_a_manifest_it_looks_at_tools_and_credentials(account: emulator.Emulator) -> None:
    code, lines = examine(account.environ)
    assert code == 0
    assert [line["subject"] for line in lines] == ["terraform", "provider", "packer", "checkov", "runc", "credentials"]


def test_without_credentials_the_account_is_not_called(envs: Path) -> None:
    code, lines = examine({}, envs / "prod.yaml")
    assert code == 1
    assert lines[-1]["subject"] == "credentials"
    assert "aws configure" in lines[-1]["advice"]


def test_with_another_accounts_credentials_nothing_else_is_called(envs: Path) -> None:
    with emulator.start(seed=False, account_id="999999999999") as other:
        code, lines = examine(other.environ, envs / "prod.yaml")
    assert code == 1
    assert of(lines, "wrong") == {"account": ["the manifest is for 123456789012, the credentials are for 999999999999"]}
    assert lines[-1]["subject"] == "account"


def test_prod_lacks_its_state_bucket_until_bootstrap(account: emulator.Emulator, envs: Path) -> None:
    manifest = envs / "prod.yaml"
    code, lines = examine(account.environ, manifest)
    assert code == 1
    assert of(lines, "wrong") == {"state bucket": ["genomics-tfstate-123456789012 does not exist"]}
    [advice] = [line["advice"] for line in lines if line["subject"] == "state bucket"]
    assert advice == f"gen-infra bootstrap {manifest}"
    assert gen_infra("bootstrap", manifest, environ=account.environ).returncode == 0
    code, lines = examine(account.environ, manifest)
    assert (code, of(lines, "wrong")) == (0, {})
    assert set(of(lines, "ok")) >= {
        "account", "region", "service-linked roles", "vCPU quotas", "subnets", "addresses", "security groups", "image",
        "image encryption", "key", "state bucket", "buckets",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("carrier", "effects"),
    [
        ("launch_template", ["no instance can start", "no instance can start"]),
        ("baked", ["no instance can start", "instances have 60 GiB"]),
        ("instance_store", ["no instance can start"]),
    ],
)
def test_volumes_smaller_than_the_images_snapshots_are_wrong(
    account: emulator.Emulator, carrier: str, effects: list[str], tmp_path: Path
) -> None:
    image = machine_image(account.client("ec2"), snapshot_gib=60, xvda=True, sdb=True)
    scratch = {"carrier": carrier, "size_gib": 40}
    spot = {"max_vcpus": 64, "instance_types": ["m6id"]}
    changes = {"image": {"id": image, "root": {"size_gib": 50}, "scratch": scratch}, "compute__spot": spot}
    code, lines = examine(account.environ, write(tmp_path, changed(**changes)))
    assert code == 1
    assert [message.split(": ")[-1] for message in of(lines, "wrong")["image"]] == effects


def test_an_empty_account_fails_every_check_with_advice(envs: Path) -> None:
    with emulator.start(seed=False) as empty:
        code, lines = examine(empty.environ, envs / "prod.yaml")
    assert code == 1
    assert set(of(lines, "wrong")) == {"network", "image", "state bucket", "buckets"}
    assert len(of(lines, "warning")["service-linked roles"]) == 3
    assert all(line["advice"] for line in lines if line["level"] != "ok")


def test_a_caller_without_permissions_gets_a_list_of_the_missing_ones(session: Session, envs: Path) -> None:
    with session.seeded() as strict:
        iam = strict.client("iam")
        iam.create_user(UserName="newcomer")
        key = iam.create_access_key(UserName="newcomer")["AccessKey"]
        enforce = urllib.request.Request(  # noqa: S310
            f"{strict.endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(enforce).close()  # noqa: S310 - the emulator, on the loopback interface
        as_newcomer = strict.environ | {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        code, lines = examine(as_newcomer, envs / "prod.yaml")
    assert code == 0
    needed = {message for messages in of(lines, "warning").values() for message in messages}
    assert needed >= {
        f"cannot check: needs {action}"
        for action in ("iam:GetRole", "ec2:DescribeVpcs", "ssm:GetParameter", "kms:DescribeKey", "s3:ListBucket")
    }
