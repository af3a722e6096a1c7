"""The data file of instance types can be written again without an account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tasks import instance_data

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gen_infra.emulator import Emulator


def test_the_data_file_is_written_from_the_apis_answer(
    aws: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(instance_data, "DATA_FILE", tmp_path / "instances.json")
    monkeypatch.setattr(instance_data, "REGIONS", ("us-east-1",))
    instance_data.main()
    written = json.loads((tmp_path / "instances.json").read_text())
    assert written["families"]["c7i"]["sizes"]["8xlarge"] == [32, 65536, 0, 0]
    assert "moto" in written["source"]
    assert written["families"].keys() >= {"m7g", "g6", "i4i", "r7i", "x2idn"}
