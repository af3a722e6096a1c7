"""The folder below the writer, when others work in it at the same moment."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from gen_infra.render.folder import Folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_deleted_folder_is_not_replaced_by_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    with Folder(tmp_path / "root") as folder, folder.staging() as staging:
        staging.put("new", b"new")
        with pytest.raises(FileNotFoundError):
            staging.move("new", "gone/new")
        folder.remove("gone/empty/file")

    assert {path.name for path in tmp_path.iterdir()} == {"root", "empty"}


def test_a_lock_that_its_last_holder_just_removed_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    taken: list[int] = []

    def flock_after_removal(descriptor: int, operation: int) -> None:
        if not taken:
            (tmp_path / ".gen-infra.lock").unlink()
        taken.append(descriptor)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock_after_removal)

    with Folder(tmp_path) as folder, folder.lock():
        assert f"process {os.getpid()} on " in (tmp_path / ".gen-infra.lock").read_text()
    assert len(taken) == 2
