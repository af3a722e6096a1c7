from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

from tests.emulator.probes import (
    Lab,
    Probe,
    alarms,
    batch,
    budgets,
    codebuild,
    deliveries,
    ecr,
    file_systems,
    refusals,
    services,
    sessions,
    state_machines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator

PROBES = (
    *batch.PROBES,
    *budgets.PROBES,
    *codebuild.PROBES,
    *deliveries.PROBES,
    *alarms.PROBES,
    *ecr.PROBES,
    *refusals.PROBES,
    *services.PROBES,
    *file_systems.PROBES,
    *sessions.PROBES,
    *state_machines.PROBES,
)
each_probe = pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)


@pytest.fixture(scope="module")
def unpatched() -> Iterator[Lab]:
    """Unpatched moto in this process; the patches are applied only in the emulator's process."""
    from moto.core.config import default_user_config
    from moto.server import ThreadedMotoServer

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(default_user_config, "batch", {"use_docker": False})
        patch.setitem(default_user_config, "lambda", {"use_docker": False})
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield Lab(f"http://{host}:{port}")
        server.stop()


@each_probe
def test_the_emulator_behaves_as_aws_does(probe: Probe, aws: Emulator) -> None:
    assert probe.observe(Lab(aws.endpoint)) == probe.expected


@each_probe
def test_unpatched_moto_still_needs_the_patch(probe: Probe, unpatched: Lab) -> None:
    assert probe.observe(unpatched) != probe.expected, f"moto no longer needs the patch {probe.name}: remove both"


def test_every_patch_has_its_probe_and_names_a_version() -> None:
    from gen_infra.emulator.patches import PATCHES

    assert sorted(probe.name for probe in PROBES) == sorted(each.name for each in PATCHES)
    assert [each.name for each in PATCHES if not each.moto.startswith("5.2.5 ")] == []


def test_every_patch_is_listed_once() -> None:
    from gen_infra.emulator import patches
    from gen_infra.emulator.patches.moto_patch import MotoPatch

    modules = [
        importlib.import_module(each.name) for each in pkgutil.iter_modules(patches.__path__, patches.__name__ + ".")
    ]
    written = [value for module in modules for value in vars(module).values() if isinstance(value, MotoPatch)]

    assert sorted(each.name for each in written) == sorted(each.name for each in patches.PATCHES)
