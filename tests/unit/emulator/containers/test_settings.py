from __future__ import annotations

import pytest

from gen_infra.emulator.containers import settings


def test_the_defaults_are_those_of_ecs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (settings.DISK_VARIABLE, settings.STOP_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    settings.check()
    assert (settings.disk_mib(), settings.stop_seconds()) == (20 * 1024, 30)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "ten", "1\n", "٣"])
def test_an_invalid_limit_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(settings.DISK_VARIABLE, text)
    with pytest.raises(ValueError, match="use a whole number of MiB, such as 20480"):
        settings.check()
