"""Which versions of terraform and of the AWS provider the rendered files need, and what differs between the latter."""

from __future__ import annotations

import re

import pytest

from gen_infra.resources import data_dir
from gen_infra.tools.versions import AWS_PROVIDERS, DEFAULT_MAJOR


@pytest.mark.parametrize(
    ("major", "release", "fits"),
    [
        (5, "5.100.0", True),
        (5, "5.101.3", True),
        (5, "5.99.1", False),
        (5, "6.69.1", False),
        (5, "5.100.0-beta1", False),
        (6, "6.25.0", True),
        (6, "6.69.1", True),
        (6, "6.9.0", False),
        (6, "6.24.9", False),
        (6, "5.100.0", False),
        (6, "7.0.0", False),
        (6, "6.69", False),
    ],
)
def test_a_release_is_in_the_range(major: int, release: str, fits: bool) -> None:
    assert AWS_PROVIDERS[major].admits(release) is fits  # type: ignore[index] # the table is of literals


def test_the_modules_are_written_for_the_default_version() -> None:
    assert DEFAULT_MAJOR == 5
    assert AWS_PROVIDERS[5].rewrites == {}


def test_every_rewritten_file_exists() -> None:
    modules = data_dir("modules")
    for file in AWS_PROVIDERS[6].rewrites:
        assert (modules / file).is_file() or len([*modules.glob(f"*/{file}")]) == len([*modules.iterdir()])


@pytest.mark.parametrize("text", ["nothing of it", '"~> 5.100" "~> 5.100"'])
def test_a_file_that_the_table_does_not_fit_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"network/versions\.tf has .*5\.100.* times"):
        AWS_PROVIDERS[6].rewrite("network", "versions.tf", text)


def test_no_trigger_of_a_replacement_is_in_both_versions() -> None:
    """Its value may change with the version, which would replace the compute environment; a new trigger does not."""
    text = (data_dir("modules") / "compute-environment" / "main.tf").read_text()
    declared, used = re.compile(r'"terraform_data" "(\w+)"'), re.compile(r"terraform_data\.(\w+)")
    assert {*declared.findall(text)} == {*used.findall(text)} == {"replacement", "type"}
    rewritten = AWS_PROVIDERS[6].rewrite("compute-environment", "main.tf", text)
    assert {*declared.findall(rewritten)} == {*used.findall(rewritten)} == {"replacement_trigger", "type_trigger"}
