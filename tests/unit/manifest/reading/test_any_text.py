"""Whatever a file holds, the loader answers or refuses; `make fuzz` looks further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen_infra.manifest import load
from gen_infra.manifest.reading.loader import ManifestError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEMO = (ROOT / "envs" / "demo.yaml").read_text()
_PIECES = ["&a ", "*a", "!!str ", "<<: ", "---\n", "...\n",
           "- ", "? ", ": ", "{", "[", "}", "]", "|\n", ">-\n", '"', "'",
           "\\u200b", "\\", "\n", "\n  ", "\t", "#", "%", "NO", "0x1F", "null",
           "extends: base.yaml\n", "PASSWORD: x",
           "\u202e", "e\u0301", "\x00", "\ud7ff", "9" * 30, "checkov:skip=X"]  # fmt: skip

pieces = st.one_of(st.sampled_from(_PIECES), st.text(max_size=8))
# a real manifest with pieces put in, each over some of what was there
edits = st.lists(st.tuples(st.integers(0, len(DEMO)), pieces, st.integers(0, 30)), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=edits)
def test_a_damaged_manifest_is_accepted_or_refused(tmp_path: Path, edits: list[tuple[int, str, int]]) -> None:
    text = DEMO
    for position, piece, length in edits:
        text = text[:position] + piece + text[position + length :]
    _load(tmp_path, text.encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=30).map(lambda found: "".join(found).encode()))
)
def test_any_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    _load(tmp_path, content)


def _load(folder: Path, content: bytes) -> None:
    path = folder / "m.yaml"
    path.write_bytes(content)
    try:
        load(path)
    except ManifestError as error:
        refusal = error
    else:
        return
    assert refusal.problems
    assert all(problem.line > 0 and problem.column > 0 for problem in refusal.problems)
    assert str(refusal.problems[0]) in refusal.on_terminal()
