from __future__ import annotations

from pathlib import Path

import pytest

from gen_infra.emulator.containers.users import ProcessUser, UnknownUserError, find_user

PASSWD = "root:x:0:0:root:/root:/bin/sh\nworker:x:1000:100::/home/worker:/bin/sh\nbroken\nodd:x:y:z\n"
GROUP = "root:x:0:\nusers:x:100:\nstaff:x:50:other,worker\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(PASSWD)
    (tmp_path / "etc/group").write_text(GROUP)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("", ProcessUser(0, 0, (), "/root")),
        ("worker", ProcessUser(1000, 100, (50,), "/home/worker")),
        ("1000", ProcessUser(1000, 100, (50,), "/home/worker")),
        ("worker:staff", ProcessUser(1000, 50, (), "/home/worker")),
        ("7", ProcessUser(7, 0)),
        ("7:8", ProcessUser(7, 8)),
    ],
)
def test_users_are_looked_up_in_the_image(root: Path, text: str, user: ProcessUser) -> None:
    assert find_user(root, text) == user


@pytest.mark.parametrize("text", ["nobody", "odd", "worker:nobody", "-1", "4294967296"])
def test_unknown_names_are_refused(root: Path, text: str) -> None:
    with pytest.raises(UnknownUserError, match="unable to find"):
        find_user(root, text)


def test_an_image_without_users_has_ids(tmp_path: Path) -> None:
    assert find_user(tmp_path, "5:6") == ProcessUser(5, 6)


@pytest.mark.parametrize("link", ["etc", "etc/passwd"])
def test_a_link_in_an_image_does_not_lead_outside(
    root: Path, tmp_path_factory: pytest.TempPathFactory, link: str
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "moved"
    (root / link).rename(outside)
    (root / link).symlink_to(outside)
    with pytest.raises(UnknownUserError):
        find_user(root, "worker")
