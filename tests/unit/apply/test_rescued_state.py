"""Which state is put into its place after a run that could not save it, and when none is."""

from __future__ import annotations

import json
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gen_infra.apply.rescued_state import restore_state
from gen_infra.environment import Environment
from gen_infra.errors import GenInfraError, UsageError
from gen_infra.manifest import load_with_warnings
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.manifest import Loaded

OURS, OTHER = "4c0b61e5-0000-4000-8000-000000000001", "4c0b61e5-0000-4000-8000-000000000002"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load_with_warnings(write(tmp_path_factory.mktemp("manifest"), changed()))


class Place:
    """The folder of one environment, and the user's folder for states."""

    def __init__(self, loaded: Loaded, folder: Path) -> None:
        self.environment = Environment(loaded, folder / "build/test")
        self.folder, self.home = self.environment.rescue_folders
        for each in (self.folder, self.home):
            each.mkdir(parents=True)
        self.said: list[str] = []

    def put(self, path: Path, serial: int, lineage: str = OURS, *, cut: bool = False) -> bytes:
        text = json.dumps({"version": 4, "serial": serial, "lineage": lineage, "resources": []}, indent=2).encode()
        content = text[:-20] if cut else text
        path.write_bytes(content)
        return content

    def restore(self) -> None:
        restore_state(self.environment, self.said.append)

    @property
    def state(self) -> Path:
        return self.folder / "terraform.tfstate"

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in [*self.folder.iterdir(), *self.home.iterdir()])


@pytest.fixture
def place(loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Place(loaded, tmp_path)


def test_without_a_rescued_state_nothing_is_done(place: Place) -> None:
    place.restore()
    before = place.put(place.state, 3)
    place.restore()
    assert (place.state.read_bytes(), place.names, place.said) == (before, ["terraform.tfstate"], [])


@pytest.mark.parametrize("where", ["beside the state", "at home"])
def test_a_newer_one_replaces_the_state_which_becomes_its_backup(place: Place, where: str) -> None:
    before = place.put(place.state, 3)
    path = place.folder / "errored.tfstate" if where == "beside the state" else place.home / "rescued-1.tfstate"
    newer = place.put(path, 7)
    place.restore()
    assert place.state.read_bytes() == newer
    assert (place.folder / "terraform.tfstate.backup").read_bytes() == before
    assert place.names == ["terraform.tfstate", "terraform.tfstate.backup"]
    assert place.state.stat().st_mode & 0o777 == 0o600
    assert place.said == [f"restored the state that the last run could not save from {path} (serial 7)"]


def test_the_newest_of_several_is_taken_and_a_cut_one_is_not(place: Place) -> None:
    place.put(place.state, 3)
    place.put(place.folder / "errored.tfstate", 9, cut=True)
    place.put(place.folder / "rescued-1.tfstate", 7)
    newest = place.put(place.home / "rescued-2.tfstate", 8)
    place.restore()
    assert place.state.read_bytes() == newest


def test_the_first_state_may_have_been_written_nowhere_else(place: Place) -> None:
    first = place.put(place.home / "rescued-1.tfstate", 1)
    place.restore()
    assert place.state.read_bytes() == first


@pytest.mark.parametrize(("serial", "lineage"), [(3, OURS), (2, OURS), (9, OTHER)])
def test_an_older_one_and_one_of_another_lineage_stay_where_they_are(place: Place, serial: int, lineage: str) -> None:
    before = place.put(place.state, 3)
    place.put(place.folder / "errored.tfstate", serial, lineage)
    place.restore()
    assert place.state.read_bytes() == before
    assert place.said == []
    assert place.names == ["errored.tfstate", "terraform.tfstate"]


class TestDamaged:
    def test_it_is_kept_aside(self, place: Place) -> None:
        (place.folder / "terraform.tfstate.damaged-1").touch()
        damaged = place.put(place.state, 9, cut=True)
        place.put(place.folder / "terraform.tfstate.backup", 2)
        newest = place.put(place.home / "rescued-1.tfstate", 8)
        place.restore()
        assert place.state.read_bytes() == newest
        assert (place.folder / "terraform.tfstate.damaged-2").read_bytes() == damaged
        assert place.said[0].endswith(" (serial 8); the damaged file is kept as terraform.tfstate.damaged-2")

    def test_its_lineage_counts_if_it_can_be_read(self, place: Place) -> None:
        place.put(place.state, 9, cut=True)
        place.put(place.home / "rescued-1.tfstate", 8, OTHER)
        backup = place.put(place.folder / "terraform.tfstate.backup", 2)
        place.restore()
        assert place.state.read_bytes() == backup
        assert place.said[0].startswith("restored its backup from ")

    @pytest.mark.parametrize("content", [b"", b'{\n  "version": 4,\n'])
    def test_otherwise_that_of_its_backup(self, place: Place, content: bytes) -> None:
        place.state.write_bytes(content)
        place.put(place.folder / "terraform.tfstate.backup", 2)
        place.put(place.home / "rescued-1.tfstate", 8, OTHER)
        newest = place.put(place.home / "rescued-2.tfstate", 7)
        place.restore()
        assert place.state.read_bytes() == newest

    def test_two_histories_are_for_the_user_to_decide(self, place: Place) -> None:
        place.state.write_bytes(b"{")
        place.put(place.home / "rescued-1.tfstate", 8, OTHER)
        place.put(place.home / "rescued-2.tfstate", 7)
        with pytest.raises(UsageError, match=r"rescued states of several histories: .*rescued-1.*, .*rescued-2"):
            place.restore()
        assert place.names == ["rescued-1.tfstate", "rescued-2.tfstate", "terraform.tfstate"]

    def test_without_any_copy_it_is_an_error(self, place: Place) -> None:
        place.put(place.state, 9, cut=True)
        with pytest.raises(UsageError, match="is damaged, and there is no rescued copy or backup of it") as raised:
            place.restore()
        assert raised.value.hint.startswith(f"move {place.state} elsewhere")


def test_where_there_is_no_room_nothing_is_lost(place: Place) -> None:
    damaged = place.put(place.state, 9, cut=True)
    (place.folder / "terraform.tfstate.new").mkdir()  # stands for any error of the system
    rescued = place.put(place.home / "rescued-1.tfstate", 8)
    with pytest.raises(GenInfraError, match=r"cannot restore the state from .*rescued-1\.tfstate: ") as raised:
        place.restore()
    assert "do not remove that file" in raised.value.hint
    assert place.state.read_bytes() == damaged
    assert (place.home / "rescued-1.tfstate").read_bytes() == rescued


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process can grow beyond ``size`` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("tenth", range(10))
def test_a_disk_that_is_full_at_any_size_loses_nothing(place: Place, tenth: int) -> None:
    """Terraform leaves as much of the state as there is room for, and so much there is when it is restored."""
    state = {"version": 4, "serial": 9, "lineage": OURS, "resources": [], "outputs": {"x": {"value": "x" * 9000}}}
    full = json.dumps(state, indent=2).encode()
    size = len(full) * tenth // 10
    place.state.write_bytes(full[:size])
    rescued = place.home / "rescued-1.tfstate"
    rescued.write_bytes(full)

    with pytest.raises(GenInfraError, match="cannot restore the state from") as raised, room_for(size):
        place.restore()
    assert raised.value.hint.startswith("make room on the disk")
    assert (place.state.read_bytes(), rescued.read_bytes()) == (full[:size], full)
    assert place.names == ["rescued-1.tfstate", "terraform.tfstate"]

    place.restore()
    assert place.state.read_bytes() == full
    assert place.names == ["terraform.tfstate", "terraform.tfstate.damaged-1"]
