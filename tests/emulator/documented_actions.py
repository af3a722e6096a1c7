"""Compare what commands call with the actions that docs/access.md lists for them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gen_infra.emulator.authorization.actions import actions
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator


def documented(command: str) -> set[str]:
    """Return the actions in the row of a command."""
    text = (ROOT / "docs" / "access.md").read_text()
    [row] = re.findall(rf"^\| `{command}` \| (.*[a-z0-9]+:.*) \|$", text, re.MULTILINE)
    return set(re.findall(r"`([a-z0-9]+:\w+)`", row))


@contextmanager
def calls_exactly(aws: Emulator, command: str, implied: str = "") -> Iterator[None]:
    """Check that what is called inside are the documented actions, each at least once, and one that a call implies."""
    since = max((call.number for call in aws.calls()), default=0)
    yield
    made = aws.calls(since=since)
    called = {action for call in made for action in actions(call.service, call.action, call.parameters)}
    assert (called | {implied}) - {""} == documented(command), sorted(called ^ documented(command))
