"""What unit tests may use; nothing here reaches a network."""

from __future__ import annotations

import os

import pytest

from gen_infra.aws import session
from tests.unit.recorded import Account


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
