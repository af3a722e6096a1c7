"""Commands of the pages are in console blocks, and each of these is run by tests/ci/test_docs.py or says why not."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.console_blocks import BLOCKS, PAGES, RUN

_COMMAND = re.compile(r"\$ |(?:\w+=\S+ )?(?:gen-infra|aws|curl|docker|git|make|pip|pipx|sed|skopeo|terraform) \S")


def test_every_command_is_in_a_console_block() -> None:
    others = [block for block in BLOCKS if block.language in {"", "sh", "bash", "shell", "text"}]
    assert len(others) > 10
    assert [block[:2] for block in others if any(map(_COMMAND.match, block.lines))] == []
    console = [block for block in BLOCKS if block.language == "console"]
    assert [block[:2] for block in console if not block.lines[0].startswith("$ ")] == []


def test_every_block_is_run_or_says_why_it_is_not() -> None:
    reasons = [reason for block in BLOCKS for reason in block.marks.values()]
    assert sum(text.count("<!-- not run") for text in PAGES.values()) == len(reasons), "each is above a block"
    assert len(reasons) <= 26, "run the block, or raise the number"
    for reason in reasons:
        tests = re.findall(r"tests/[\w./]+", reason)
        assert tests or len(reason.split()) > 3, reason
        assert all((ROOT / path).exists() for path in tests), reason
    assert sum(block.page == "how-to.md" for block in RUN) >= 10
    assert len(RUN) >= 18
