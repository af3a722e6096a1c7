"""The command lines for packer, by its version."""

from __future__ import annotations

import pytest

from gen_infra.tools.packer import Packer, init_argv, validate_argv


@pytest.mark.parametrize(
    ("version", "what"), [((1, 6, 6), "one.pkr.hcl"), ((1, 7, 0), "."), ((1, 11, 2), "."), ((2, 0, 0), ".")]
)
def test_an_old_packer_gets_the_one_file(version: tuple[int, int, int], what: str) -> None:
    assert validate_argv(Packer("/bin/packer", version), "one.pkr.hcl") == ["/bin/packer", "validate", what]


def test_init() -> None:
    assert init_argv(Packer("/bin/packer", (1, 11, 2))) == ["/bin/packer", "init", "."]
