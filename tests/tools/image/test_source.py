"""The source that CodeBuild rebuilds the image from: whole, the same everywhere, careful about what it fetches."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.resources import data_dir
from tests.conftest import ROOT, require_tool

SOURCES = data_dir("modules") / "image-pipeline" / "src"
EXAMPLE = data_dir("envs") / "examples" / "image-rebuild.yaml"


@pytest.fixture(scope="module")
def rendered() -> dict[str, bytes]:
    return render(load(EXAMPLE))


@pytest.fixture(scope="module")
def source(rendered: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    zipfile.ZipFile(io.BytesIO(rendered["terraform/image-rebuild.zip"])).extractall(folder)  # noqa: S202 # our own
    return folder


def test_gen_infra_runs_from_it_and_renders_the_same(rendered: dict[str, bytes], source: Path) -> None:
    """The same recipe, so that what is up to date here is up to date there; even the same source."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    python = [sys.executable, "-B"]
    where = [*python, "-c", "import gen_infra; print(gen_infra.__file__)"]
    found = subprocess.run(where, capture_output=True, check=True, cwd=source, env=environ, text=True).stdout
    assert Path(found.strip()) == source / "gen_infra" / "__init__.py"
    command = [*python, "-m", "gen_infra", "render", "manifest.yaml"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=source, env=environ, text=True)
    assert done.returncode == 0, done.stderr
    assert {path: (source / "build/fresh" / path).read_bytes() for path in rendered} == rendered


def test_it_holds_the_rendered_packer_folder(rendered: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(rendered["terraform/image-rebuild.zip"])) as archive:
        packer = {name: archive.read(name) for name in archive.namelist() if name.startswith("build/")}
    expected = {f"build/fresh/{path}": content for path, content in rendered.items() if path.startswith("packer/")}
    assert packer == expected


def test_it_holds_nothing_of_this_machine(rendered: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(rendered["terraform/image-rebuild.zip"])) as archive:
        for name in archive.namelist():
            assert not re.search(r"__pycache__|/tests/|/envs/|(?:^|/)\.", name), name
            assert str(ROOT).encode() not in archive.read(name), name


def test_it_holds_neither_the_emulator_nor_the_demo(rendered: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(rendered["terraform/image-rebuild.zip"])) as archive:
        names = archive.namelist()
    assert "gen_infra/cli/image.py" in names
    assert [name for name in names if re.search(r"emulator|demo", name)] == []


def test_the_buildspec_runs_what_is_documented() -> None:
    spec = yaml.safe_load((SOURCES / "buildspec.yml").read_text())
    assert spec["version"] == 0.2
    assert spec["phases"]["build"]["commands"] == ["python -m gen_infra image rebuild manifest.yaml --if-stale"]
    packages, programs = spec["phases"]["install"]["commands"]
    assert packages.startswith("pip install ")
    assert packages.endswith(" --only-binary :all: --require-hashes --requirement requirements.txt")
    assert programs == "bash install.sh /usr/local/bin"


class TestRequirements:
    """The lock is a part of the one that this machine was set up with, where pip has held every hash to its file."""

    @staticmethod
    def locked(path: Path) -> dict[str, set[str]]:
        entries = re.findall(r"^([a-z0-9-]+)==(\S+) .*\n((?:    --hash=.*\n)+)", path.read_text(), flags=re.MULTILINE)
        return {f"{name}=={version}": set(re.findall(r"sha256:\w+", hashes)) for name, version, hashes in entries}

    def test_they_are_those_of_the_development_lock(self) -> None:
        lock, dev = self.locked(SOURCES / "requirements.txt"), self.locked(ROOT / "requirements" / "dev.lock")
        assert lock
        assert {name: dev.get(name) for name in lock} == lock

    def test_they_are_what_a_rebuild_needs(self) -> None:
        declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        needed = {re.split(r"[<>=]", name)[0] for name in declared} - {"python-terraform"}
        assert needed <= {name.split("==")[0] for name in self.locked(SOURCES / "requirements.txt")}


# The version that is installed is the one that the rendered folder asks for.
[AMAZON_VERSION] = re.findall(r'version = "([0-9.]+)"', (data_dir("packer") / "plugins.pkr.hcl").read_text())
AMAZON_PROGRAM, AMAZON = f"packer-plugin-amazon_v{AMAZON_VERSION}_x5.0_linux_amd64", b"the plugin"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the downloads of `install.sh`, and the public key of who signed the plugin."""
    for name in ("ar", "gpg", "unzip"):
        require_tool(name)
    folder = tmp_path_factory.mktemp("served")
    with zipfile.ZipFile(folder / "packer.zip", "w") as archive:
        archive.writestr("packer", b"#!/bin/sh\necho packer $*\n[ $# = 0 ] || echo $5 >>$NOTED\n")
    with zipfile.ZipFile(folder / "amazon.zip", "w") as archive:
        archive.writestr(AMAZON_PROGRAM, AMAZON)
    with tarfile.open(folder / "data.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("./usr/local/sessionmanagerplugin/bin/session-manager-plugin")
        archive.addfile(member)
    environ = {**os.environ, "GNUPGHOME": str(folder / "gnupg")}
    (folder / "gnupg").mkdir(mode=0o700)
    gpg = ["gpg", "--batch", "--quiet", "--passphrase", ""]
    for command in (
        ["ar", "rc", "plugin.deb", "data.tar.gz"],
        [*gpg, "--quick-generate-key", "test@example.com", "ed25519", "sign", "never"],
        [*gpg, "--output", "plugin.deb.sig", "--detach-sign", "plugin.deb"],
        [*gpg, "--armor", "--output", "public.gpg", "--export"],
        ["gpgconf", "--kill", "all"],
    ):
        subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environ)
    return folder


class TestInstall:
    """`install.sh` with a curl that serves files of our own, signed by a key of our own."""

    def install(
        self, served: Path, folder: Path, *, packer_sha256: str = "", amazon: bytes = AMAZON, key: bytes = b""
    ) -> tuple[int, set[str]]:
        """Run a copy of the script, and say how it ended and what is installed."""
        sources, target, path = folder / "sources", folder / "bin", folder / "path"
        for each in (sources, target, path):
            each.mkdir()
        script = (SOURCES / "install.sh").read_text()
        if packer_sha256:
            script = re.sub(r"(?m)^packer_sha256=.*$", f"packer_sha256={packer_sha256}", script)
        script = re.sub(r"(?m)^amazon_sha256=.*$", f"amazon_sha256={hashlib.sha256(amazon).hexdigest()}", script)
        (sources / "install.sh").write_text(script)
        (sources / "session-manager-plugin.gpg").write_bytes(
            key or (SOURCES / "session-manager-plugin.gpg").read_bytes()
        )
        curl = path / "curl"
        curl.write_text(
            '#!/bin/sh\nwhile [ "$1" != --output ]; do shift; done\n'
            f'case "$3" in https://*) cp "{served}/$2" "$2";; *) exit 22;; esac\n'
        )
        curl.chmod(0o755)
        environ = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "NOTED": str(folder / "plugins")}
        done = subprocess.run(
            ["bash", str(sources / "install.sh"), str(target)], capture_output=True, check=False, env=environ, cwd="/"
        )
        return done.returncode, {each.name for each in target.iterdir()}

    def test_what_is_as_it_should_be_is_installed(self, served: Path, tmp_path: Path) -> None:
        digest, key = hashlib.sha256((served / "packer.zip").read_bytes()).hexdigest(), (served / "public.gpg")
        code, installed = self.install(served, tmp_path, packer_sha256=digest, key=key.read_bytes())
        assert (code, installed) == (0, {"packer", "session-manager-plugin"})
        assert subprocess.run([tmp_path / "bin" / "packer"], capture_output=True, check=True).stdout == b"packer\n"
        assert (tmp_path / "plugins").read_text() == "github.com/hashicorp/amazon\n"

    def test_another_packer_is_not(self, served: Path, tmp_path: Path) -> None:
        code, installed = self.install(served, tmp_path, key=(served / "public.gpg").read_bytes())
        assert code != 0
        assert installed == set()

    def test_another_amazon_plugin_is_not(self, served: Path, tmp_path: Path) -> None:
        digest, key = hashlib.sha256((served / "packer.zip").read_bytes()).hexdigest(), (served / "public.gpg")
        code, installed = self.install(served, tmp_path, packer_sha256=digest, amazon=b"another", key=key.read_bytes())
        assert code != 0
        assert installed == {"packer"}
        assert not (tmp_path / "plugins").exists()

    def test_the_amazon_plugin_is_the_one_that_packer_is_asked_for(self) -> None:
        script = (SOURCES / "install.sh").read_text()
        assert re.findall(r"(?m)^amazon_version=(.*)$", script) == [AMAZON_VERSION]
        assert re.search(r"(?m)^amazon_sha256=[0-9a-f]{64}$", script)

    def test_a_plugin_that_aws_did_not_sign_is_not(self, served: Path, tmp_path: Path) -> None:
        digest = hashlib.sha256((served / "packer.zip").read_bytes()).hexdigest()
        code, installed = self.install(served, tmp_path, packer_sha256=digest)
        assert code != 0
        assert installed == {"packer"}

    def test_the_key_is_the_one_that_aws_documents(self, tmp_path: Path) -> None:
        command = ["gpg", "--batch", "--with-colons", "--show-keys", str(SOURCES / "session-manager-plugin.gpg")]
        shown = subprocess.run(
            command, capture_output=True, check=True, text=True, env={**os.environ, "GNUPGHOME": str(tmp_path)}
        ).stdout
        assert re.findall(r"^fpr:+(\w+):", shown, flags=re.MULTILINE) == ["7959637124CE093AD501D47A2C4D4AFF6F6757EE"]
