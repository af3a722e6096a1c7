"""What unit tests may use; nothing here reaches a network."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import pytest
from botocore import loaders

from gen_infra.aws import session
from tests.unit.recorded import Account

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def services() -> Iterator[None]:
    """Let all sessions of botocore share its list of services, which each would make from 400 folders in 10 ms."""
    listed = functools.cache(loaders.create_loader().list_available_services)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders.Loader, "list_available_services", lambda _, type_name: listed(type_name))
        yield


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> session.Clients:
    """Clients with made-up credentials, whatever the machine's own AWS settings are; their answers are stubbed."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return session.clients("us-east-1")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """An AWS whose answers a test sets."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return Account()
