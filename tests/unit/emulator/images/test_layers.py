"""Layers, also hostile ones: nothing is written or removed outside the root."""

from __future__ import annotations

import gzip
import tarfile
from typing import TYPE_CHECKING

import pytest

from gen_infra.emulator.images.layers import ImageError, unpack_layer
from tests.oci import folder, layer, link, member

if TYPE_CHECKING:
    from pathlib import Path

    Member = tuple[tarfile.TarInfo, bytes]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    made = tmp_path / "outside" / "root"
    made.mkdir()
    return made


def add(root: Path, *members: Member, compressed: bool = False, **limits: int) -> None:
    content = layer(*members)
    archive = root.parent.parent / "layer"
    archive.write_bytes(gzip.compress(content) if compressed else content)
    unpack_layer(archive, root, **limits)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@pytest.mark.parametrize("compressed", [False, True])
def test_files_folders_and_links(root: Path, compressed: bool) -> None:
    add(
        root,
        folder("./"),
        folder("./usr/", 0o711),
        member("usr/bin/tool", b"content", mode=0o4755, mtime=1_000_000_000),
        link("bin", "usr/bin"),
        link("usr/bin/alias", "/usr/bin/tool"),
        link("usr/bin/same", "usr/bin/tool", tarfile.LNKTYPE),
        member("dev/null", type=tarfile.CHRTYPE),
        compressed=compressed,
    )
    tool = (root / "usr/bin/tool").stat()
    assert (root / "usr/bin/same").read_bytes() == b"content"
    assert (tool.st_mode & 0o7777, int(tool.st_mtime), tool.st_nlink) == (0o4755, 1_000_000_000, 2)
    assert (root / "usr").stat().st_mode & 0o7777 == 0o711
    assert (root / "usr/bin/alias").readlink().as_posix() == "/usr/bin/tool"
    assert files(root) == {"usr", "usr/bin", "usr/bin/tool", "usr/bin/alias", "usr/bin/same", "bin", "dev"}


def test_a_later_layer_writes_through_links_below_the_root(root: Path) -> None:
    add(root, folder("usr/lib"), link("lib", "/usr/lib"), link("lib64", "../../usr/./lib"))
    add(root, member("lib/a", b"a"), member("lib64/b", b"b"), link("c", "lib64/b", tarfile.LNKTYPE))
    assert (root / "usr/lib/a").read_bytes() == b"a"
    assert (root / "usr/lib/b").read_bytes() == (root / "c").read_bytes() == b"b"


def test_a_later_layer_replaces(root: Path) -> None:
    add(root, member("file", b"old"), folder("folder"), member("folder/kept", b""), link("link", "file"))
    add(root, member("link", b"new"), folder("folder", 0o700), folder("file"))
    assert (root / "link").read_bytes() == b"new"
    assert (root / "file").is_dir()
    assert (root / "folder/kept").exists()


def test_whiteouts(root: Path) -> None:
    add(root, member("a/gone", b""), member("a/kept", b""), member("b/lower", b""), member("b/deep/lower", b""))
    add(
        root,
        member("a/.wh.gone", b""),
        member("b/deep/upper", b""),
        member("b/.wh..wh..opq", b""),
        member("b/after", b""),
    )
    assert files(root) == {"a", "a/kept", "b", "b/deep", "b/deep/upper", "b/after"}


OUTSIDE: dict[str, list[Member]] = {
    "dots": [member("../secret", b"changed")],
    "absolute": [member("/secret", b"changed")],
    "link to a folder": [link("way", ".."), member("way/secret", b"changed")],
    "absolute link to a folder": [link("way", "/../.."), member("way/secret", b"changed")],
    "chain of links": [link("a", "b/.."), link("b", ".."), member("a/secret", b"changed")],
    "link to a file": [link("secret", "../secret"), member("secret", b"changed")],
    "whiteout": [link("way", ".."), member("way/.wh.secret", b"")],
    "opaque folder": [link("way", ".."), member("way/.wh..wh..opq", b"")],
}


@pytest.mark.parametrize("members", OUTSIDE.values(), ids=OUTSIDE)
def test_what_leads_outside_stays_inside(root: Path, members: list[Member]) -> None:
    for each in members:  # each in a layer of its own, then together
        add(root, each)
    add(root, *members)
    assert files(root.parent) - {f"root/{name}" for name in files(root)} == {"secret", "root"}
    assert (root.parent / "secret").read_text() == "secret"


@pytest.mark.parametrize(
    "members",
    [
        [link("copy", "../secret", tarfile.LNKTYPE)],
        [link("copy", "/secret", tarfile.LNKTYPE)],
        [link("way", ".."), link("copy", "way/secret", tarfile.LNKTYPE)],
        [link("copy", "..", tarfile.LNKTYPE)],
        [member("a/..", b"")],
        [member("a/.wh...", b"")],
        [member("a/.wh.", b"")],
        [link("loop", "loop"), member("loop/file", b"")],
        [member("file", b""), member("file/below", b"")],
    ],
)
def test_an_impossible_entry_is_refused(root: Path, members: list[Member]) -> None:
    with pytest.raises(ImageError):
        add(root, *members)
    assert files(root.parent) - {f"root/{name}" for name in files(root)} == {"secret", "root"}


def test_sizes_are_limited(root: Path) -> None:
    with pytest.raises(ImageError, match="too many or too large"):
        add(root, member("large", b"x" * 1001), most_bytes=1000)
    with pytest.raises(ImageError, match="too many or too large"):
        add(root, member("a", b""), member("b", b""), most_entries=1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x28\xb5\x2f\xfd and more", "compressed with zstd"),
        (gzip.compress(layer(member("a", b"a")), mtime=0)[:-20], "cannot be unpacked"),
        (b"neither" * 100, "cannot be unpacked"),
    ],
)
def test_damaged_layers(root: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "layer").write_bytes(content)
    with pytest.raises(ImageError, match=message):
        unpack_layer(tmp_path / "layer", root)
