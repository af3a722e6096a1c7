from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gen_infra.emulator import images


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
