"""packer's command lines, by its version."""

from __future__ import annotations

import pytest

from gen_infra.errors import UsageError
from gen_infra.tools.packer import Packer, build_argv, image_id, init_argv, validate_argv


@pytest.mark.parametrize(
    ("version", "what"), [((1, 6, 6), "one.pkr.hcl"), ((1, 7, 0), "."), ((1, 11, 2), "."), ((2, 0, 0), ".")]
)
def test_an_old_packer_gets_the_one_file(version: tuple[int, int, int], what: str) -> None:
    assert validate_argv(Packer("/bin/packer", version), "one.pkr.hcl") == ["/bin/packer", "validate", what]


def test_init() -> None:
    assert init_argv(Packer("/bin/packer", (1, 11, 2))) == ["/bin/packer", "init", "."]


@pytest.mark.parametrize(("version", "what"), [((1, 6, 6), "one.pkr.hcl"), ((1, 11, 2), ".")])
def test_a_build_gets_its_variables(version: tuple[int, int, int], what: str) -> None:
    argv = build_argv(Packer("/bin/packer", version), "one.pkr.hcl", {"source_ami": "ami-1", "recipe": "a b"})
    assert argv == ["/bin/packer", "build", "-color=false", "-var", "source_ami=ami-1", "-var", "recipe=a b", what]


def test_a_value_that_packer_would_evaluate_is_refused() -> None:
    with pytest.raises(UsageError, match=r"invalid base_version .* packer would evaluate it"):
        build_argv(Packer("/bin/packer", (1, 11, 2)), "x", {"base_version": "{{env `AWS_SECRET_ACCESS_KEY`}}"})


def test_the_image_is_the_last_one_in_the_manifest() -> None:
    assert image_id('{"builds": [{"artifact_id": "us-east-1:ami-1"}, {"artifact_id": "us-east-1:ami-2"}]}') == "ami-2"
