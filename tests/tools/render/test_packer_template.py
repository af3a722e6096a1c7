"""The rendered Packer folder, validated by the real packer."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from gen_infra.manifest import load
from gen_infra.manifest.model.network import NetworkCreate, NetworkIds
from gen_infra.render.files import packer_folder, render
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

KEY = "arn:aws:kms:us-east-1:123456789012:alias/batch-prod"
BASES = {
    "ecs-al2023-x86_64": ("x86_64", "al2023-ami-ecs-hvm-2023.0.*-x86_64"),
    "ecs-al2023-arm64": ("arm64", "al2023-ami-ecs-hvm-2023.0.*-arm64"),
    "ecs-al2023-gpu": ("x86_64", "al2023-ami-ecs-gpu-hvm-2023.0.*-x86_64-ebs"),
}
ENVIRONMENTS = sorted(
    path for path in data_dir("envs").rglob("*.yaml") if path.stem not in {"base", "fargate"}
)  # a parent; no image
MAPPING = re.compile(r"^  (?:launch|ami)_block_device_mappings \{\n(.*?)^  \}\n", re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(r"^    (\w+) += (.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def prod() -> Manifest:
    return load(data_dir("envs") / "prod.yaml")


def with_scratch(manifest: Manifest, **settings: object) -> Manifest:
    image = manifest.image
    return replace(manifest, image=replace(image, scratch=replace(image.scratch, **settings)))


def with_ids(manifest: Manifest) -> Manifest:
    ids = NetworkIds(
        subnets=("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"), security_groups=("sg-0123456789abcdef0",)
    )
    return replace(manifest, network=replace(manifest.network, lookup=None, ids=ids))


def with_network_of_its_own(manifest: Manifest) -> Manifest:
    create = NetworkCreate(cidr="10.42.0.0/16", nat="one")
    return replace(manifest, network=replace(manifest.network, lookup=None, create=create))


def template(manifest: Manifest) -> str:
    return render(manifest)["packer/genomics.pkr.hcl"].decode()


def folder_of(manifest: Manifest, at: Path) -> Path:
    for name, content in render(manifest).items():
        if name.startswith("packer/"):
            path = at / name.removeprefix("packer/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return at


def packer(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    executable = shutil.which("packer")
    assert executable, "packer is not installed: apt-get install packer"
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "CHECKPOINT_DISABLE": "1",
        "PACKER_CACHE_DIR": str(home / "cache"),
    }
    return subprocess.run([executable, *arguments], env=environment, capture_output=True, text=True, check=False)


def validate(folder: Path, **variables: object) -> subprocess.CompletedProcess[str]:
    given = [argument for name, value in variables.items() for argument in ("-var", f"{name}={value}")]
    return packer("validate", *given, str(folder / "genomics.pkr.hcl"), home=folder)


def mappings(text: str) -> list[dict[str, str]]:
    """Return every block device mapping, as written; text that mentions more of them than were parsed is an error."""
    found = [dict(ATTRIBUTE.findall(body)) for body in MAPPING.findall(text)]
    assert len(found) == text.count("block_device_mappings")
    return found


def unencrypted(text: str) -> list[str]:
    return [
        mapping["device_name"]
        for mapping in mappings(text)
        if mapping.get("encrypted") != "true" or mapping.get("kms_key_id") != "var.kms_key_id"
    ]


@pytest.mark.parametrize("carrier", ["launch_template", "baked", "instance_store"])
@pytest.mark.parametrize("network", ["lookup", "ids", "create"])
def test_packer_accepts_every_carrier_and_network(prod: Manifest, tmp_path: Path, carrier: str, network: str) -> None:
    networks = {"lookup": prod, "ids": with_ids(prod), "create": with_network_of_its_own(prod)}
    manifest = with_scratch(networks[network], carrier=carrier)
    folder = folder_of(manifest, tmp_path / "packer")

    done = validate(folder)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    formatted = packer("fmt", "-check", "-diff", str(folder), home=folder)
    assert (formatted.returncode, formatted.stdout) == (0, "")


@pytest.mark.parametrize("base", BASES)
def test_each_base_has_its_name_and_architecture(prod: Manifest, tmp_path: Path, base: str) -> None:
    folder = folder_of(replace(prod, image=replace(prod.image, base=base)), tmp_path / "packer")
    text = (folder / "genomics.pkr.hcl").read_text()
    architecture, name = BASES[base]

    assert validate(folder).returncode == 0
    assert re.search(rf'architecture += "{architecture}"', text)
    assert f'= "{name}"' in text
    assert ('"m7g.large"' in text) == (architecture == "arm64")


@pytest.mark.parametrize("manifest", ENVIRONMENTS, ids=lambda path: path.stem)
def test_packer_accepts_every_environment(manifest: Path, tmp_path: Path) -> None:
    assert validate(folder_of(load(manifest), tmp_path / "packer")).returncode == 0


def test_packer_accepts_what_a_build_sets(prod: Manifest, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)

    done = validate(
        folder_of(prod, tmp_path / "packer"),
        base_version="2023.0.20260820",
        ec2_endpoint="http://127.0.0.1:5000",
        build="0" * 32,
        iam_instance_profile="builder",
        manifest_file=tmp_path / "manifest.json",
        recipe="0" * 64,
        security_group_ids='["sg-0123456789abcdef0"]',
        source_ami="ami-0123456789abcdef0",
        ssh_host="127.0.0.1",
        ssh_port=2222,
        ssh_private_key_file=key,
        subnet_id="subnet-0123456789abcdef0",
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_packer_reports_a_missing_script(prod: Manifest, tmp_path: Path) -> None:
    folder = folder_of(prod, tmp_path / "packer")
    (folder / "scripts" / "verify.sh").unlink()

    done = validate(folder)

    assert done.returncode == 1
    assert "verify.sh" in done.stdout


def test_each_script_of_the_folder_is_run_and_each_that_is_run_is_there(prod: Manifest) -> None:
    examples = (load(data_dir("envs") / "examples" / f"{name}.yaml") for name in ("image-rebuild", "shared-files"))
    all_that_run = set()
    for manifest in (prod, *examples):
        run = re.findall(r'"\$\{path\.root\}/scripts/(.+)"', template(manifest))

        assert sorted(run) == sorted(
            path.removeprefix("scripts/") for path in packer_folder(manifest) if path.startswith("scripts/")
        )
        assert run[-2:] == ["cleanup.sh", "verify.sh"]
        all_that_run.update(run)
    assert all_that_run == {path.name for path in (data_dir("packer") / "scripts").iterdir()}


def test_every_mapping_is_encrypted_with_the_environments_key(prod: Manifest) -> None:
    for carrier in ("launch_template", "baked", "instance_store"):
        text = template(with_scratch(prod, carrier=carrier))
        assert unencrypted(text) == []
        assert f'default     = "{KEY}"' in text


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("    encrypted             = true\n", ""),
        ("    encrypted             = true\n", "    encrypted             = false\n"),
        ("    kms_key_id            = var.kms_key_id\n", ""),
        ("    kms_key_id            = var.kms_key_id\n", '    kms_key_id            = "alias/aws/ebs"\n'),
    ],
)
def test_a_mapping_without_encryption_is_found(prod: Manifest, line: str, instead: str) -> None:
    text = template(with_scratch(prod, carrier="baked"))
    scratch = text.index('"/dev/sdb"')

    broken = text[:scratch] + text[scratch:].replace(line, instead, 1)

    assert broken != text
    assert unencrypted(broken) == ['"/dev/sdb"']


def test_only_a_baked_image_carries_scratch(prod: Manifest) -> None:
    devices = {
        carrier: {
            mapping["device_name"]: mapping["volume_size"]
            for mapping in mappings(template(with_scratch(prod, carrier=carrier)))
        }
        for carrier in ("launch_template", "baked", "instance_store")
    }

    root = {'"/dev/xvda"': str(prod.image.root.size_gib)}
    assert devices == {
        "launch_template": root,
        "baked": root | {'"/dev/sdb"': str(prod.image.scratch.size_gib)},
        "instance_store": root,
    }


def test_volumes_have_the_manifests_performance(prod: Manifest, tmp_path: Path) -> None:
    fast = with_scratch(prod, carrier="baked", iops=16000, throughput_mib_s=1000)
    older = with_scratch(prod, carrier="baked", type="gp2")

    root, scratch = mappings(template(fast))
    assert (root["iops"], root["throughput"]) == ("3000", "250")
    assert (scratch["iops"], scratch["throughput"]) == ("16000", "1000")
    assert not {"iops", "throughput"} & mappings(template(older))[1].keys()
    quick_root = replace(prod, image=replace(prod.image, root=replace(prod.image.root, iops=40_000)))
    assert mappings(template(quick_root))[0]["iops"] == "16000", "Packer's plugin accepts no more"
    assert validate(folder_of(fast, tmp_path / "fast")).returncode == 0
    assert validate(folder_of(older, tmp_path / "older")).returncode == 0


def test_scripts_get_the_manifests_settings(prod: Manifest) -> None:
    text = template(with_scratch(prod, carrier="instance_store", filesystem="ext4", mount="/data/scratch"))

    settings = re.findall(r'^ +"(SCRATCH_\w+=.*)",$', text, re.MULTILINE)
    assert settings == ["SCRATCH_CARRIER=instance_store", "SCRATCH_FILESYSTEM=ext4", "SCRATCH_MOUNT=/data/scratch"]


def test_what_packer_would_evaluate_is_refused(prod: Manifest) -> None:
    with pytest.raises(ValueError, match="evaluated by Packer"):
        template(replace(prod, tags={"Owner": "{{env `AWS_SECRET_ACCESS_KEY`}}"}))


def test_a_later_packer_requires_imdsv2_and_an_older_one_does_not(prod: Manifest, tmp_path: Path) -> None:
    modern = packer_folder(prod, modern=True)["genomics.pkr.hcl"].decode()
    folder = tmp_path / "packer"
    folder.mkdir()
    (folder / "genomics.pkr.hcl").write_text(modern)

    assert 'http_tokens                 = "required"' in modern
    assert 'imds_support = "v2.0"' in modern
    assert packer("fmt", "-check", "-diff", str(folder), home=folder).stdout == ""
    assert "metadata_options {" not in template(prod)


def test_the_builder_has_a_role_of_its_own_and_no_public_address(prod: Manifest) -> None:
    text = template(prod)

    assert 'default     = "batchImageBuilder-prod"' in text
    assert "temporary_iam_instance_profile" not in text
    assert "associate_public_ip_address = false" in text
    assert '"session_manager"' in text
