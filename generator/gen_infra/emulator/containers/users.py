"""Look up the user of a container in the image's own ``/etc/passwd`` and ``/etc/group``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class ProcessUser(NamedTuple):
    """The user and the group ids of a container's process."""

    uid: int
    gid: int
    additional_gids: tuple[int, ...] = ()
    home: str = "/"


class UnknownUserError(Exception):
    """The image does not have the user or the group."""


def find_user(root: Path, text: str) -> ProcessUser:
    """Return the user for ``user``, ``uid``, ``user:group`` or ``uid:gid``; root for an empty text.

    Raises:
        UnknownUserError: a name is not in the image.
    """
    name, _, group = text.partition(":")
    accounts, groups = _entries(root, "passwd"), _entries(root, "group")
    name = name or "0"
    found = next((each for each in accounts if len(each) > 5 and name in (each[0], each[2])), None)
    if found is None and not _is_id(name):
        raise UnknownUserError(f"unable to find user {name}: no matching entries in passwd file")
    uid, gid, home = (int(found[2]), int(found[3]), found[5] or "/") if found else (int(name), 0, "/")
    if group:
        gid = _group_id(groups, group)
        return ProcessUser(uid, gid, (), home)
    member = found[0] if found else name
    others = (each for each in groups if len(each) > 3 and member in each[3].split(","))
    return ProcessUser(uid, gid, tuple(int(each[2]) for each in others if _is_id(each[2])), home)


def _group_id(groups: list[list[str]], group: str) -> int:
    found = next((each[2] for each in groups if len(each) > 2 and group in (each[0], each[2])), group)
    if not _is_id(found):
        raise UnknownUserError(f"unable to find group {group}: no matching entries in group file")
    return int(found)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < 2**31


def _entries(root: Path, name: str) -> list[list[str]]:
    """Return the fields of each line of a file in ``/etc``; a symbolic link may lead outside, and counts as empty."""
    try:
        etc = os.open(root / "etc", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=etc)
        finally:
            os.close(etc)
    except OSError:
        return []
    with os.fdopen(file, encoding="utf-8", errors="replace") as lines:
        entries = [line.rstrip("\n").split(":") for line in lines]
    return [each for each in entries if len(each) > 2 and _is_id(each[2])]
