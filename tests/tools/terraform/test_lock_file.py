"""The lock file, with the real terraform: made from a mirror, obeyed by init, and compared by check."""

from __future__ import annotations

import json
import os
import re
import zipfile
from typing import TYPE_CHECKING

import pytest

from gen_infra import pipeline
from gen_infra.check.plans import validate_and_plan
from gen_infra.errors import MissingError, UsageError
from gen_infra.terraform.adapter import TerraformError
from gen_infra.terraform.provider import os_arch
from gen_infra.tools.versions import LOCK_FILE
from tests.tools.https_server import https_server
from tests.unit.manifests import SMALLEST, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.conftest import Tf


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a mirror with two releases; terraform asks no more of a package than that it is a zip file."""
    folder = tmp_path / "mirror"
    for host in ("registry.terraform.io", "registry.opentofu.org"):
        for version, platform in (("5.110.0", os_arch()), ("5.120.0", os_arch()), ("5.110.0", "darwin_arm64")):
            package(folder / host / "hashicorp" / "aws", version, platform)
    monkeypatch.setenv("GEN_INFRA_PLUGIN_DIR", str(folder))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    return folder


def package(folder: Path, version: str, platform: str, content: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"terraform-provider-aws_{version}_{platform}.zip", "w") as packed:
        packed.writestr(f"terraform-provider-aws_v{version}", f"{version} {platform} {content}")


def locked(manifest: Path, *platforms: str, upgrade: bool = False) -> str:
    pipeline.lock([manifest], lambda _: None, platforms=platforms, upgrade=upgrade)
    return (manifest.parent / LOCK_FILE).read_text()


def hashes(text: str) -> list[str]:
    return re.findall(r'"(h1:[^"]+)"', text)


def initialized(manifest: Path, out: Path) -> Path:
    """Render the environment, let terraform initialize it, and return the folder of the provider's release."""
    environment = pipeline.load(manifest, out)
    pipeline.write(environment)
    environment.terraform()
    (installed,) = environment.terraform_folder.glob(f".terraform/providers/*/hashicorp/aws/*/{os_arch()}")
    return installed


def test_init_uses_the_locked_release_and_no_other_package_of_it(tmp_path: Path, mirror: Path) -> None:
    manifest = write(tmp_path, SMALLEST)
    text = locked(manifest)
    assert 'version     = "5.120.0"' in text, "the newest"
    (manifest.parent / LOCK_FILE).unlink()
    (hidden,) = mirror.glob(f"registry.terraform.io/*/*/*5.120.0_{os_arch()}.zip")
    newest = hidden.rename(tmp_path / hidden.name)
    old = locked(manifest)
    newest.rename(hidden)
    assert 'version     = "5.110.0"' in old
    assert len(hashes(old)) == 1
    both = locked(manifest, "darwin_arm64")
    assert 'version     = "5.110.0"' in both, "a lock file that exists keeps its release"
    assert set(hashes(both)) > set(hashes(old))

    assert initialized(manifest, tmp_path / "build").parent.name == "5.110.0"
    assert (tmp_path / "build/test/terraform" / LOCK_FILE).read_text() == both
    assert 'version     = "5.120.0"' in locked(manifest, upgrade=True)

    package(hidden.parent, "5.120.0", os_arch(), "another one")
    with pytest.raises(TerraformError, match="checksums") as refused:
        initialized(manifest, tmp_path / "build")
    assert refused.value.cause == "lock-file", "which check reports as a finding"
    assert refused.value.hint.endswith("gen-infra lock --upgrade MANIFEST")


def test_a_platform_that_the_mirror_does_not_have_is_named(tmp_path: Path, mirror: Path) -> None:
    with pytest.raises(MissingError, match=re.escape(str(mirror)) + r".*plan9_mips"):
        locked(write(tmp_path, SMALLEST), "plan9_mips")
    with pytest.raises(UsageError, match=r'invalid platform "\.\./etc"'):
        locked(write(tmp_path, SMALLEST), "../etc")
    assert not (tmp_path / LOCK_FILE).exists()


def test_a_network_mirror_serves_lock_and_init_if_its_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = tmp_path / "served/registry.terraform.io/hashicorp/aws"
    platforms = (os_arch(), "darwin_arm64")
    for version in ("5.110.0", "5.120.0"):
        for platform in platforms:
            package(aws, version, platform)
        archives = {each: {"url": f"terraform-provider-aws_{version}_{each}.zip"} for each in platforms}
        (aws / f"{version}.json").write_text(json.dumps({"archives": archives}))
    (aws / "index.json").write_text(json.dumps({"versions": {"5.110.0": {}, "5.120.0": {}, "6.30.0": {}}}))
    manifest, certificate, config = write(tmp_path, SMALLEST), tmp_path / "mirror.pem", tmp_path / "terraformrc"
    monkeypatch.delenv("GEN_INFRA_PLUGIN_DIR", raising=False)
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    with https_server(tmp_path / "served", certificate) as url:
        config.write_text(f'provider_installation {{\n  network_mirror {{\n    url = "{url}"\n  }}\n}}\n')
        with pytest.raises(MissingError, match=rf"{re.escape(str(config))}.*certificate signed by unknown authority"):
            locked(manifest)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        text = locked(manifest, *platforms)
        assert 'version     = "5.120.0"' in text
        assert len(hashes(text)) == 2
        assert initialized(manifest, tmp_path / "build").parent.name == "5.120.0"


@pytest.mark.usefixtures("mirror")
def test_environments_share_one_copy_in_the_plugin_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(cache))
    manifest = write(tmp_path, SMALLEST)
    locked(manifest)
    assert initialized(manifest, tmp_path / "build").resolve().is_relative_to(cache)


@pytest.mark.usefixtures("mirror")
def test_check_fails_when_the_lock_file_does_not_match(tmp_path: Path, tf: Tf, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write(tmp_path, SMALLEST)
    text = locked(manifest)
    (tmp_path / LOCK_FILE).write_text(text.replace("5.120.0", "5.99.0"))
    monkeypatch.setenv("PATH", tf.environ["PATH"])
    (checked,) = validate_and_plan([pipeline.load(manifest, tmp_path)], tmp_path / "copies", lambda _: None)
    lock, validate = checked.verdicts
    assert (lock.name, validate.name) == ("lock file", "terraform validate")
    (finding,) = lock.findings
    assert 'chooses version "5.99.0"' in finding.message
    assert finding.file == f"terraform/{LOCK_FILE}"
    assert not validate.failed, "the rest is checked all the same"


def test_lock_needs_a_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_INFRA_TERRAFORM", os.devnull)
    with pytest.raises(MissingError):
        locked(write(tmp_path, SMALLEST))
