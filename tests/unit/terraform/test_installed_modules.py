"""From where terraform takes the modules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import UsageError
from gen_infra.terraform.installed_modules import require_own_modules

if TYPE_CHECKING:
    from pathlib import Path

ROOT = {"Key": "", "Source": "", "Dir": "."}


def record(folder: Path, *modules: dict[str, str]) -> None:
    place = folder / ".terraform/modules"
    place.mkdir(parents=True)
    (place / "modules.json").write_text(json.dumps({"Modules": [ROOT, *modules]}))


def test_what_init_writes_is_accepted(tmp_path: Path) -> None:
    require_own_modules(tmp_path)
    record(
        tmp_path,
        {"Key": "network", "Source": "./modules/network", "Dir": "modules/network"},
        {"Key": "network.flow", "Source": "../flow", "Dir": "modules/flow"},
    )
    require_own_modules(tmp_path)


@pytest.mark.parametrize("place", ["../elsewhere", "/srv/modules/network", ".terraform/network", "modules/other", ""])
def test_a_record_that_points_elsewhere_is_refused(tmp_path: Path, place: str) -> None:
    record(tmp_path, {"Key": "network", "Source": "./modules/network", "Dir": place})
    with pytest.raises(UsageError, match='takes the module "network" from') as raised:
        require_own_modules(tmp_path)
    assert raised.value.hint.endswith(f"rm {tmp_path}/.terraform/modules/modules.json")


def test_a_module_from_the_network_is_refused(tmp_path: Path) -> None:
    module = {"Key": "network", "Source": "git::https://example.org/network", "Dir": ".terraform/modules/network"}
    record(tmp_path, module)
    with pytest.raises(UsageError):
        require_own_modules(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"Modules": [{}]}', '{"Modules": [{"Key": "a.b", "Source": "", "Dir": ""}]}']
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    record(tmp_path)
    (tmp_path / ".terraform/modules/modules.json").write_text(text)
    with pytest.raises(UsageError, match="is not terraform's list of modules"):
        require_own_modules(tmp_path)
