"""The AMIs that a change of a manifest names by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.check.base import BaseManifest
from gen_infra.check.images import IMAGE_RULE, image_verdicts
from gen_infra.check.policy import NO_POLICY, Policy
from gen_infra.check.privileges import PRIVILEGE_CHECKS
from gen_infra.environment import Environment
from gen_infra.manifest import load_with_warnings
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "ami-0123456789abcdef0", "ami-0fedcba9876543210"
KEYS: list[tuple[dict[str, Any], str]] = [
    ({"image": {"id": NEW}}, "image.id"),
    ({"image": {"source": NEW}}, "image.source"),
    ({"compute__spot__image": {"id": NEW}}, "compute.spot.image.id"),
]


def findings(folder: Path, base: BaseManifest | None, policy: Policy = NO_POLICY, **changes: Any) -> list[str]:
    environment = Environment(load_with_warnings(write(folder, changed(**changes))), folder / "build")
    return [each.where for check in image_verdicts(environment, policy, base) for each in check.findings]


@pytest.mark.parametrize(("manifest", "key"), KEYS)
def test_a_new_id_fails_at_its_place_until_the_policy_file_has_it(
    manifest: dict[str, Any], key: str, tmp_path: Path
) -> None:
    base = BaseManifest.of(accept(tmp_path, image={"id": OLD}))
    [found] = findings(tmp_path, base, **manifest)
    assert found.startswith(f"{key} (")
    assert "test.yaml:" in found
    assert findings(tmp_path, BaseManifest(), **manifest) == [found]
    assert findings(tmp_path, base, Policy(images=(NEW,)), **manifest) == []
    assert findings(tmp_path, None, **manifest) == []
    assert IMAGE_RULE.id in PRIVILEGE_CHECKS


def test_ids_of_the_base_and_parameters_are_accepted(tmp_path: Path) -> None:
    base = BaseManifest.of(accept(tmp_path, image={"id": OLD}))
    assert findings(tmp_path, base, image={"id": OLD}) == []
    assert findings(tmp_path, base, compute__spot__image={"id": OLD}) == []
    assert findings(tmp_path, BaseManifest(), image={"parameter": "/lab/ami", "source": "/lab/base"}) == []
