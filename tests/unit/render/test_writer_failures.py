"""Whatever the system refuses, and whenever: nothing is lost or half-written, and the next run finishes."""

from __future__ import annotations

import errno
import os
import resource
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.errors import GenInfraError
from gen_infra.render.writer import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OLD = {
    "terraform/main.tf": b"old main\n" * 99,
    "terraform/same.tf": b"same\n",
    "gone/away.tf": b"old\n",
    "x.sh": b"old\n",
}
NEW = {
    "terraform/main.tf": b"new main\n" * 99,
    "terraform/same.tf": b"same\n",
    "fresh/new.tf": b"new\n",
    "x.sh": b"new\n",
}
MINE = {"terraform/notes.txt": b"mine"}
CALLS = ("open", "mkdir", "fchmod", "write", "ftruncate", "replace", "unlink", "rmdir", "scandir", "fstat")


class Interruption(BaseException):
    """As KeyboardInterrupt: no code of ours catches it."""


def tree(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file() and path.name != ".gen-infra.json"]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def prepared(root: Path) -> Path:
    write(OLD, root)
    (root / "terraform/notes.txt").write_bytes(b"mine")
    return root


@contextmanager
def failing(call: int, error: BaseException, *, always: bool = False) -> Iterator[list[str]]:
    """Let the system call of that number fail, or that one and every later one; gives the calls that were made."""
    made: list[str] = []

    def wrapped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            made.append(name)
            if len(made) == call or (always and len(made) > call):
                raise error
            return function(*arguments, **options)

        return wrapper

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, wrapped(name, getattr(os, name)))
        yield made


def assert_nothing_is_lost(root: Path) -> None:
    left = {path: content for path, content in tree(root).items() if not path.startswith(".gen-infra")}
    assert MINE.items() <= left.items()
    for path, content in left.items():
        assert content in {OLD.get(path), NEW.get(path), MINE.get(path)}, path
    assert {path for path in OLD if path in NEW} <= left.keys()


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), Interruption()], ids=["error", "interruption"]
)
def test_after_a_failure_of_any_call_the_next_run_finishes(
    tmp_path: Path, error: BaseException, *, always: bool
) -> None:
    call = 0
    failed = 0
    while True:
        call += 1
        root = prepared(tmp_path / str(call))
        with failing(call, error, always=always) as made:
            try:
                write(NEW, root)
            except (GenInfraError, Interruption):
                failed += 1
        if len(made) < call:
            break
        assert_nothing_is_lost(root)

        write(NEW, root)
        assert tree(root) == NEW | MINE
    assert failed > 25


def test_two_failures_in_a_row_lose_nothing(tmp_path: Path) -> None:
    newer = NEW | {"terraform/main.tf": b"newer\n"}
    calls = calls_of_a_write(tmp_path / "count")
    commit = range(calls.index("replace"), len(calls) + 1)
    for first in commit:
        for second in commit:
            root = prepared(tmp_path / f"{first}-{second}")
            for call, files in ((first, NEW), (second, newer)):
                with failing(call, OSError(errno.EIO, "Input/output error")), suppress(GenInfraError):
                    write(files, root)

            write(OLD, root)
            assert tree(root) == OLD | MINE


def calls_of_a_write(root: Path) -> list[str]:
    prepared(root)
    with failing(-1, OSError()) as made:
        write(NEW, root)
    return made


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    root = prepared(tmp_path / "prod")
    record = (root / ".gen-infra.json").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # the system then refuses to write more, as on a full disk
    try:
        with pytest.raises(GenInfraError) as failed:
            write(NEW | {"terraform/big.tf": b"x" * 5000}, root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert failed.value.message == f"cannot write {root}/terraform/big.tf: File too large; nothing was changed"
    assert "free some space" in failed.value.hint
    assert tree(root) == OLD | MINE
    assert (root / ".gen-infra.json").read_bytes() == record
    assert not (root / ".gen-infra.staging").exists()


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.EROFS, "writable"), (errno.EACCES, "writable"), (errno.ENOSPC, "space"), (errno.EIO, "")],
)
def test_the_error_has_cause_place_and_hint(tmp_path: Path, number: int, hint: str) -> None:
    root = prepared(tmp_path / "prod")

    with failing(2, OSError(number, os.strerror(number))), pytest.raises(GenInfraError) as failed:
        write(NEW, root)

    assert failed.value.message == f"cannot write {root}: {os.strerror(number)}; nothing was changed"
    assert hint in failed.value.hint
    assert failed.value.exit_code == 4


def test_a_failure_half_way_says_how_to_finish(tmp_path: Path) -> None:
    calls = calls_of_a_write(tmp_path / "count")
    last_rename = len(calls) - calls[::-1].index("replace")
    root = prepared(tmp_path / "prod")

    with (
        failing(last_rename, OSError(errno.EIO, "Input/output error")),
        pytest.raises(GenInfraError, match="to finish"),
    ):
        write(NEW, root)
