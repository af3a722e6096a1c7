"""The environment variables that a tool sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_infra.tools.child_environment import child_environment

if TYPE_CHECKING:
    from pathlib import Path

SWITCHES = {"GOGC": "400", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TERM",
        "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN",
        "HTTPS_PROXY", "https_proxy", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
        "TF_PLUGIN_CACHE_DIR", "TF_TOKEN_app_terraform_io", "PACKER_PLUGIN_PATH",
    ],
)  # fmt: skip
def test_what_a_tool_needs_is_kept(name: str) -> None:
    assert child_environment({name: "value"}) == {name: "value", **SWITCHES}


@pytest.mark.parametrize(
    "name",
    [
        "TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_VAR_region", "TF_DATA_DIR", "TF_WORKSPACE", "TF_LOG", "TF_LOG_PATH",
        "TF_REATTACH_PROVIDERS", "TF_STATE_PERSIST_INTERVAL", "PKR_VAR_region", "PACKER_LOG", "CKV_SKIP_CHECK",
        "CKV_FRAMEWORK", "BC_API_KEY", "CHECKOV_WORKERS_NUMBER", "PYTHONPATH", "LD_PRELOAD", "BASH_ENV", "SECRET",
    ],
)  # fmt: skip
def test_what_would_control_a_tool_is_removed(name: str) -> None:
    assert child_environment({name: "value"}) == SWITCHES


def test_the_caller_may_set_gogc() -> None:
    assert child_environment({"GOGC": "50"})["GOGC"] == "50"


def test_the_switches_cannot_be_turned_off() -> None:
    assert child_environment({"TF_IN_AUTOMATION": "", "TF_INPUT": "1", "CHECKPOINT_DISABLE": ""}) == SWITCHES


def test_a_configuration_file_is_kept_only_if_it_exists(tmp_path: Path) -> None:
    there = tmp_path / "terraformrc"
    there.touch()

    assert child_environment({"TF_CLI_CONFIG_FILE": str(there)})["TF_CLI_CONFIG_FILE"] == str(there)
    assert "TF_CLI_CONFIG_FILE" not in child_environment({"TF_CLI_CONFIG_FILE": str(tmp_path / "gone")})


def test_an_endpoint_is_that_of_sts_too_unless_that_has_its_own() -> None:
    environ = {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}
    assert child_environment(environ) == environ | {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:5000", **SWITCHES}
    environ["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:6000"
    assert child_environment(environ) == environ | SWITCHES
