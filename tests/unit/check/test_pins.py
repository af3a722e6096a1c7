"""What the build of an image fetches must be exact and verified: each way to loosen it is found."""

from __future__ import annotations

import io
import zipfile

import pytest

from gen_infra.check.pins import pin_findings
from gen_infra.manifest import load
from gen_infra.render.files import render
from tests.conftest import ROOT

PLUGINS = "packer/plugins.pkr.hcl"
TEMPLATE = "packer/genomics.pkr.hcl"
REBUILD = "terraform/image-rebuild.zip"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return dict(render(load(ROOT / "envs/examples/image-rebuild.yaml")))


def found(files: dict[str, bytes]) -> list[str]:
    return [finding.rule.id for finding in pin_findings(files) if finding.rule]


def test_what_is_rendered_is_pinned(files: dict[str, bytes]) -> None:
    assert found(files) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"1.8.1"', '">= 1.8.1"'),
        ('"1.8.1"', '"~> 1.8"'),
        ('"1.8.1"', '"1.8"'),
        ('      version = "1.8.1"\n', ""),
        ("github.com/hashicorp/amazon", "github.com/somebody/amazon"),
        ("github.com/hashicorp/amazon", "example.com/hashicorp/amazon"),
        ("    amazon = {", '    other = { source = "github.com/x/y", version = "1.0.0" }\n    amazon = {'),
    ],
)
def test_another_plugin_or_release_is_found(files: dict[str, bytes], old: str, new: str) -> None:
    weak = files[PLUGINS].decode().replace(old, new)
    assert weak != files[PLUGINS].decode()
    assert found(files | {PLUGINS: weak.encode()})[0] == "GI_PACKER_1"


def test_a_plugin_that_another_file_requires_is_found(files: dict[str, bytes]) -> None:
    more = b'packer {\n  required_plugins {\n    x = { source = "github.com/x/y", version = "1.0.0" }\n  }\n}\n'
    assert found(files | {TEMPLATE: files[TEMPLATE] + more}) == ["GI_PACKER_1"]
    assert found(files | {"packer/more.pkr.hcl": more}) == ["GI_PACKER_1"]
    assert found({path: content for path, content in files.items() if path != PLUGINS}) == ["GI_PACKER_1"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("install.sh", "amazon_version=1.8.1", "amazon_version=1.8.0"),
        ("install.sh", "amazon_sha256=", "# amazon_sha256="),
        ("install.sh", "amazon=https://releases.hashicorp.com/", "amazon=https://example.com/"),
        ("install.sh", '"$amazon_program" | sha256sum --check --strict --quiet', '"$amazon_program"'),
        ("install.sh", "packer=https://", "packer=http://"),
        ("install.sh", "packer_version=1.", "packer_version=latest"),
        ("install.sh", '"$packer_sha256" | sha256sum', '"$packer_sha256" | true sha256sum'),
        ("install.sh", "gpg --batch --quiet --verify", "# gpg --verify"),
        ("install.sh", "set -euo pipefail", "set -u"),
        ("buildspec.yml", "--require-hashes", ""),
    ],
)
def test_what_a_rebuild_does_not_verify_is_found(files: dict[str, bytes], name: str, old: str, new: str) -> None:
    weak = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(files[REBUILD])) as source, zipfile.ZipFile(weak, "w") as target:
        for each in source.namelist():
            content = source.read(each)
            assert each != name or old in content.decode()
            target.writestr(each, content.replace(old.encode(), new.encode()) if each == name else content)
    assert set(found(files | {REBUILD: weak.getvalue()})) == {"GI_PACKER_2"}
