from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gen_infra.emulator import images, start
from gen_infra.emulator.images.names import ImageName
from gen_infra.errors import UsageError
from tests import oci


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    before = images.Offered.folder
    images.offer(tmp_path)
    yield tmp_path
    images.Offered.folder = before


def test_a_root_file_system_is_found_by_the_whole_name(folder: Path) -> None:
    root = folder / "public.ecr.aws/docker/library/busybox:stable"
    root.mkdir(parents=True)
    found = images.find_image("public.ecr.aws/docker/library/busybox:stable")
    assert found is not None
    assert (found.root, found.config) == (root, {})
    assert images.find_image("public.ecr.aws/docker/library/busybox:1.36") is None


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "/etc", "a/../../outside", "a//b", "a\n"])
def test_a_name_never_leads_out_of_the_folder(folder: Path, name: str) -> None:
    (folder.parent / "outside").mkdir(exist_ok=True)
    (folder / "a").mkdir()
    assert images.find_image(name) is None


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing is not a folder"):
        start(images=tmp_path / "missing")


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the emulator's folder."""
    made = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


def content(image: images.UnpackedImage | None) -> str:
    assert image is not None
    return (image.root / "etc/version").read_text()


def version(layout: oci.Layout, text: str, **more: Any) -> dict[str, Any]:
    return layout.manifest([oci.layer(oci.member("etc/version", text.encode()))], {"Env": [f"V={text}"]}, **more)


@pytest.mark.usefixtures("scratch")
class TestLayouts:
    """OCI layouts, as skopeo and umoci make them."""

    def test_by_tag_and_by_digest(self, folder: Path) -> None:
        layout = oci.Layout(folder / "quay.io/biocontainers/bwa")
        digest = layout.tag(version(layout, "1"), "1.0")
        layout.tag(version(layout, "latest"), "latest")
        name = "quay.io/biocontainers/bwa"
        found = images.find_image(f"{name}:1.0")
        assert found is not None
        assert (found.config, found.digest) == ({"Env": ["V=1"]}, digest)
        assert [content(images.find_image(name + part)) for part in (":1.0", f"@{digest}", "")] == ["1", "1", "latest"]
        assert images.has_image(f"{name}:1.0")
        assert not images.has_image(f"{name}:2.0")
        assert not images.has_image(f"{name}@sha256:{'0' * 64}")

    def test_in_a_folder_with_the_tag_in_its_name(self, folder: Path) -> None:
        layout = oci.Layout(folder / "bwa:1.0")
        layout.tag(version(layout, "1"), "another")
        assert content(images.find_image("bwa:1.0")) == "1"

    def test_layers_are_unpacked_once_and_in_order(self, folder: Path, scratch: Path) -> None:
        layout = oci.Layout(folder / "tool")
        layers = [oci.layer(oci.member("etc/version", text.encode())) for text in ("lower", "upper")]
        layout.tag(layout.manifest(layers), "1")
        first = images.find_image("tool:1")
        assert first is not None
        assert content(first) == "upper"
        (first.root / "etc/version").write_text("kept")
        assert content(images.find_image("tool:1")) == "kept"
        assert first.root.is_relative_to(scratch)

    @pytest.mark.parametrize(("machine", "expected"), [("x86_64", "amd64"), ("aarch64", "arm64")])
    def test_the_image_for_this_machine(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, machine: str, expected: str
    ) -> None:
        monkeypatch.setattr(platform, "machine", lambda: machine)
        layout = oci.Layout(folder / "tool")
        parts = [
            version(layout, name) | {"platform": {"os": "linux", "architecture": name}} for name in ("arm64", "amd64")
        ]
        layout.tag(layout.index(*parts), "1")
        assert content(images.find_image("tool:1")) == expected

    def test_no_image_for_this_machine(self, folder: Path) -> None:
        layout = oci.Layout(folder / "tool")
        layout.tag(layout.index(version(layout, "1") | {"platform": {"os": "linux", "architecture": "s390x"}}), "1")
        with pytest.raises(
            images.ImageError, match=r"image tool:1: it has no manifest for linux/.*, only for linux/s390x"
        ):
            images.find_image("tool:1")

    def test_damaged_ones(self, folder: Path) -> None:
        layout = oci.Layout(folder / "tool")
        layer = oci.layer(oci.member("a", b""))
        damaged = layout.manifest([layer], compress=bytes)
        layout.tag(damaged, "damaged")
        digest = hashlib.sha256(layer).hexdigest()
        (layout.place / "blobs" / "sha256" / digest).write_bytes(b"other")
        with pytest.raises(images.ImageError, match=f"its blob sha256:{digest} is damaged"):
            images.find_image("tool:damaged")
        (layout.place / "blobs" / "sha256" / digest).unlink()
        with pytest.raises(images.ImageError, match=f"its blob sha256:{digest} is missing"):
            images.find_image("tool:damaged")
        layout.tag(layout.blob(b"[]", oci.MANIFEST), "list")
        with pytest.raises(images.ImageError, match="not a JSON object"):
            images.find_image("tool:list")
        layout.tag(layout.blob(b'{"schemaVersion": 1}', oci.MANIFEST), "old")
        with pytest.raises(images.ImageError, match="is not supported"):
            images.find_image("tool:old")
        outside = {"schemaVersion": 2, "config": {"digest": "sha256:../../../secret"}, "layers": []}
        layout.tag(layout.blob(json.dumps(outside).encode(), oci.MANIFEST), "outside")
        with pytest.raises(images.ImageError, match="is none of SHA-256"):
            images.find_image("tool:outside")
        (layout.place / "index.json").write_text("{")
        assert not images.has_image("tool:old")


@pytest.mark.parametrize(
    ("name", "path", "reference", "repository"),
    [
        ("busybox", "busybox", "latest", None),
        ("localhost:5000/a/b:1", "localhost:5000/a/b", "1", None),
        (f"a:1@sha256:{'0' * 64}", "a", f"sha256:{'0' * 64}", None),
        (
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/prod/isaac:1.4",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/prod/isaac",
            "1.4",
            ("123456789012", "eu-central-1", "prod/isaac"),
        ),
    ],
)
def test_names(name: str, path: str, reference: str, repository: tuple[str, str, str] | None) -> None:
    found = ImageName.read(name)
    assert found is not None
    assert (found.path, found.reference, found.ecr) == (path, reference, repository)
