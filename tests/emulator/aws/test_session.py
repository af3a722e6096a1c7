"""Who is calling, and what happens without an answer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gen_infra.aws import session
from gen_infra.aws.errors import TransientAwsError
from gen_infra.errors import MissingError, UsageError

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator


@pytest.fixture
def environment(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
def test_the_endpoint_in_the_environment_is_who_answers() -> None:
    caller = session.require_account(session.clients("us-east-1"), "123456789012")
    assert caller.account == "123456789012"
    assert caller.arn.startswith("arn:aws:")


@pytest.mark.usefixtures("environment")
def test_another_account_than_the_manifests_is_refused() -> None:
    with pytest.raises(UsageError, match=r"999999999999.*123456789012"):
        session.require_account(session.clients("us-east-1"), "999999999999")


@pytest.mark.usefixtures("environment")
def test_without_credentials_nothing_is_sent_and_the_hint_explains_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with pytest.raises(MissingError, match="no AWS credentials") as caught:
        session.identity(session.clients("us-east-1"))
    assert "aws configure" in caught.value.hint


@pytest.mark.usefixtures("environment")
def test_an_endpoint_without_a_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:  # bound, so that no other process gets the port; not listening, so that it refuses
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(TransientAwsError, match=f"no answer from {url}") as caught:
            session.identity(session.clients("us-east-1"))
    assert "gen-infra emulator" in caught.value.hint


def test_boto3_is_not_imported_before_it_is_needed() -> None:
    modules = "console, errors, jobs, leftovers, session, state_bucket"
    imports = f"import sys, gen_infra.doctor.runner; from gen_infra.aws import {modules}"
    code = f"{imports}; print({{'boto3', 'botocore'}} & set(sys.modules))"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert imported.stdout == "set()\n"
