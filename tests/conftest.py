"""Fixtures and helpers for all tests."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

import pytest

import tests.descriptions  # noqa: F401 - for its effect
from gen_infra.emulator.builder_host import BuilderHost, NoBuilderHostError, builder_host
from tests.cli import clean_environ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session

ROOT = Path(__file__).parents[1]

# For the terraform that tests start themselves, as gen-infra has it for its own.
os.environ.setdefault("GOGC", "400")
# In the background of a script Ctrl-C is ignored, and would be by all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# The tests that wait for AWS longest start first, so that nothing long is left for the end. Those before `cases`
# apply environments, which later ones copy, and would wait for if they started at the same time.
_LONGEST = (
    "emulator/pipeline/test_examples.py",
    "emulator/pipeline/test_environments.py::test_demo",
    "emulator/pipeline/test_network.py",
    "emulator/pipeline/test_environments.py::TestDev",
    "emulator/pipeline/test_environments.py::TestProd",
    "emulator/explain/",
    "emulator/pipeline/test_plan.py::test_the_first",
    "emulator/cases/",
    "emulator/drift/",
    "fault_injection/test_live_changes.py::TestServiceRole",
    "fault_injection/test_half_applied.py",
    "fault_injection/test_ctrl_c.py",
    "fault_injection/test_adopt.py",
    "ci/",
    "permissions/",
    "fault_injection/",
    "emulator/pipeline/",
    "emulator/",
    "tools/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests in that order; tests of one file keep their order."""

    def rank(item: pytest.Item) -> int:
        name = item.nodeid.removeprefix("tests/")
        return next((number for number, start in enumerate(_LONGEST) if name.startswith(start)), len(_LONGEST))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Search for garbage rarely: what was imported and collected stays, and searching it takes a ninth of the time."""
    gc.freeze()
    gc.set_threshold(100_000)


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Yield what all workers of this session share."""
    from tests.emulator.session import Session

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    shared = Session(folder)
    yield shared
    shared.end()


@pytest.fixture(scope="session")
def aws(session: Session) -> Iterator[Emulator]:
    """Yield a seeded embedded AWS for all tests of this worker; each test uses its own names in it."""
    with session.seeded() as running:
        yield running


@pytest.fixture(scope="session")
def environ(session: Session, aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment variables for processes that use `aws`; terraform finds its provider running, enough to plan."""
    from tests.emulator.provider import running_provider

    folder = tmp_path_factory.mktemp("aws")
    with running_provider(session.provider(), folder, clean_environ(**aws.environ)) as found:
        yield found


@pytest.fixture
def account(session: Session) -> Iterator[Emulator]:
    """Yield a seeded embedded AWS for one test."""
    with session.seeded() as running:
        yield running


@pytest.fixture(scope="session")
def envs() -> Path:
    """Return the real manifests."""
    return ROOT / "envs"


def require_tool(name: str) -> str:
    """Return the path of a program that a test runs; without it the test is skipped, and in CI it fails."""
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed", "requirements/debian.txt should have brought it")
    return found


def missing(what: str, hint: str) -> NoReturn:
    """Skip the test, which cannot run on this machine; in CI, where it must, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}; {hint}")
    pytest.skip(what)


@pytest.fixture
def builder() -> Iterator[BuilderHost]:
    """Yield a machine for Packer to work on, with a blank disk."""
    with contextlib.ExitStack() as stack:
        try:
            host = stack.enter_context(builder_host())
        except NoBuilderHostError as error:
            missing(error.message, error.hint)
        yield host


def write_terraform(files: Mapping[str, bytes], folder: Path) -> None:
    """Put the terraform part of rendered files into a folder."""
    for path, content in files.items():
        if path.startswith("terraform/"):
            target = folder / PurePosixPath(path).relative_to("terraform")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
