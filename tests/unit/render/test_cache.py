"""A render of what has not changed is skipped, with the same answer; whatever changes, it is not skipped."""

from __future__ import annotations

import ast
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gen_infra
from gen_infra.render import cache as cache_module
from gen_infra.render.cache import RenderCache, code_signature
from gen_infra.render.folder import Folder
from gen_infra.render.writer import RECORD, write
from tests.unit.cli.test_cli import run
from tests.unit.manifest.rules.test_rebuild import image
from tests.unit.manifests import changed
from tests.unit.manifests import write as write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

INPUTS = ".gen-infra.cache/inputs.json"
OUT = Path("build")
ROOT = OUT / "test"
NEW_NETWORK = changed(network={"create": {"cidr": "10.0.0.0/16", "nat": "one"}})


class Shell:
    """A folder with a manifest, its parent and its parent's parent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def render(self, *options: str) -> tuple[int, str, str]:
        return run(self.monkeypatch, self.capsys, "render", *(options or ("test.yaml",)))

    def is_unchanged(self, manifest: str = "test.yaml") -> bool:
        return RenderCache().find(Path(manifest), OUT) is not None


@pytest.fixture(name="shell")
def _shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    document = changed(extends="base.yaml", account=None, region=None)
    write_manifest(tmp_path, document)
    write_manifest(tmp_path, 'extends: first.yaml\naccount: "123456789012"\n', "base.yaml")
    write_manifest(tmp_path, "region: us-east-1\n", "first.yaml")
    return Shell(monkeypatch, capsys)


@pytest.fixture(name="rendered")
def _rendered(shell: Shell) -> Shell:
    assert not shell.is_unchanged()
    shell.render()
    assert shell.is_unchanged()
    return shell


class TestTheAnswer:
    @pytest.mark.parametrize("options", [(), ("--json",), ("--quiet",), ("--strict",), ("--force",)])
    @pytest.mark.parametrize("document", [changed(), NEW_NETWORK], ids=["existing network", "new network"])
    def test_is_that_of_a_render(self, shell: Shell, document: dict[str, object], options: tuple[str, ...]) -> None:
        write_manifest(Path(), document)
        shell.render()
        shutil.rmtree(ROOT / ".gen-infra.cache")
        by_rendering = shell.render("test.yaml", *options)
        assert shell.is_unchanged()
        assert shell.render("test.yaml", *options) == by_rendering

    def test_of_several_is_that_of_a_render(self, rendered: Shell) -> None:
        write_manifest(Path(), changed(name="with-warning", compute__spot__min_vcpus=8), "warning.yaml")
        write_manifest(Path(), changed(name="changing"), "changing.yaml")
        write_manifest(Path(), "name: [", "invalid.yaml")
        arguments = ("changing.yaml", "test.yaml", "invalid.yaml", "warning.yaml")
        rendered.render(*arguments)
        for options in ((), ("--json",)):
            for path in OUT.glob("*/.gen-infra.cache"):
                shutil.rmtree(path)
            by_rendering = rendered.render(*arguments, *options)
            assert [rendered.is_unchanged(name) for name in arguments] == [True, True, False, False]
            assert rendered.render(*arguments, *options) == by_rendering
        assert by_rendering[0] == 2

    def test_two_manifests_of_one_name_are_still_refused(self, rendered: Shell) -> None:
        shutil.copy("test.yaml", "copy.yaml")
        code, _, err = rendered.render("test.yaml", "copy.yaml")
        assert (code, 'both have the name "test"' in err) == (2, True)

    def test_check_compares_with_a_render(self, rendered: Shell) -> None:
        """A cache that came with the files, from another machine, must not convince CI."""
        forged = {"terraform/main.tf": b"# forged\n"}
        shutil.rmtree(ROOT)
        write(forged, ROOT)
        rendered.monkeypatch.setattr(RenderCache, "find", None)
        code, out, _ = rendered.render("test.yaml", "--check")
        assert (code, "-# forged" in out) == (1, True)

    def test_warnings_are_printed_each_time_and_strict_fails_each_time(self, shell: Shell) -> None:
        write_manifest(Path(), changed(compute__spot__min_vcpus=8))
        first = shell.render()
        assert "warning: test.yaml:" in first[2]
        for _ in range(2):
            assert shell.render()[2].splitlines()[0] == first[2].splitlines()[0]
            assert shell.render("test.yaml", "--strict")[0] == 2

    def test_another_process_that_writes_is_an_error(self, rendered: Shell) -> None:
        with Folder(ROOT) as folder, folder.lock():
            code, _, err = rendered.render()
        assert (code, "another gen-infra process is writing" in err) == (4, True)

    def test_needs_neither_the_manifest_model_nor_the_templates(self, rendered: Shell) -> None:
        script = (
            "import sys; sys.argv = ['gen-infra', 'render', 'test.yaml']\n"
            "from gen_infra.cli import main\n"
            "try: main()\n"
            "except SystemExit: print([m for m in ('yaml', 'jinja2', 'msgspec', 'difflib') if m in sys.modules])"
        )
        assert rendered.is_unchanged()
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
        assert done.stdout.splitlines() == ["build/test", "[]"]


class TestWhatChanges:
    @pytest.mark.parametrize("name", ["test.yaml", "base.yaml", "first.yaml"])
    def test_a_byte_of_the_manifest_or_of_a_parent(self, rendered: Shell, name: str) -> None:
        before = Path(name).read_bytes()
        Path(name).write_bytes(before + b"#\n")
        assert not rendered.is_unchanged()
        Path(name).write_bytes(before)
        assert rendered.is_unchanged()

    @pytest.mark.parametrize("name", ["test.yaml", "base.yaml", "first.yaml"])
    def test_a_manifest_that_is_gone(self, rendered: Shell, name: str) -> None:
        Path(name).unlink()
        code, out, err = rendered.render()
        assert (code, out, f"{name}" in err) == (2, "", True)

    def test_a_parent_that_is_a_link_now(self, rendered: Shell) -> None:
        Path("base.yaml").rename("elsewhere.yaml")
        Path("base.yaml").symlink_to("elsewhere.yaml")
        assert rendered.render()[0] == 2

    def test_a_parent_of_the_same_name_in_another_folder(self, rendered: Shell) -> None:
        other = Path("other")
        other.mkdir()
        for name in ("test.yaml", "base.yaml", "first.yaml"):
            shutil.copy(name, other)
        assert rendered.is_unchanged("other/test.yaml"), "the same text"
        (other / "first.yaml").write_text("region: eu-west-1\n")
        rendered.render("other/test.yaml")
        assert "eu-west-1" in (ROOT / "terraform/providers.tf").read_text()
        assert not rendered.is_unchanged()

    def test_another_folder(self, rendered: Shell) -> None:
        assert rendered.render("test.yaml", "--out", "other")[1] == "other/test\n"
        assert Path("other/test/terraform/main.tf").is_file()

    def test_a_folder_that_was_moved(self, rendered: Shell) -> None:
        """The text that looks like the name is not the name."""
        text = Path("test.yaml").read_text()
        Path("test.yaml").write_text('tags: {Note: "two\nname: moved"}\n' + text)
        assert rendered.render()[1] == "build/test\n"
        ROOT.rename(OUT / "moved")
        assert rendered.render()[1] == "build/test\n"

    def test_the_code(self, rendered: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "version", "4.0")
        assert not rendered.is_unchanged()

    @pytest.mark.usefixtures("rendered")
    def test_every_rendered_file_edited_gone_or_a_link(self) -> None:
        cache = RenderCache()
        files = [path for path in ROOT.rglob("*") if path.is_file() and not path.name.startswith(".")]
        files = [path for path in files if ".gen-infra.cache" not in path.parts]
        assert len(files) == len(json.loads((ROOT / RECORD).read_text())["files"])
        for file in files:
            content = file.read_bytes()
            file.write_bytes(content + b"\n")
            assert not cache.find(Path("test.yaml"), OUT), file
            file.unlink()
            assert not cache.find(Path("test.yaml"), OUT), file
            Path("target").write_bytes(content)
            file.symlink_to(Path("target").absolute())
            assert not cache.find(Path("test.yaml"), OUT), file
            file.unlink()
            file.write_bytes(content)
            assert cache.find(Path("test.yaml"), OUT), file

    def test_a_file_edited_outside_gen_infra_is_kept_and_reported(self, rendered: Shell) -> None:
        file = ROOT / "terraform/main.tf"
        file.write_text("# mine\n")
        code, _, err = rendered.render()
        assert (code, "terraform/main.tf (changed since it was rendered)" in err) == (2, True)
        assert file.read_text() == "# mine\n"
        assert rendered.render("test.yaml", "--force")[0] == 0
        assert file.read_text() != "# mine\n"

    @pytest.mark.parametrize("name", ["terraform/extra.tf", "terraform/terraform.tfvars", "packer/x.pkr.hcl"])
    def test_a_file_that_the_tools_would_load_too(self, rendered: Shell, name: str) -> None:
        (ROOT / name).write_text("")
        code, _, err = rendered.render()
        assert (code, f"{name} (would be loaded too)" in err) == (2, True)

    def test_the_record_of_another_version(self, rendered: Shell) -> None:
        """An older gen-infra renders other files and leaves the cache as it is."""
        files = {name: (ROOT / name).read_bytes() for name in json.loads((ROOT / RECORD).read_text())["files"]}
        write({**files, "terraform/main.tf": b"# older\n"}, ROOT)
        assert "1 changed" in rendered.render()[2]
        assert (ROOT / "terraform/main.tf").read_bytes() == files["terraform/main.tf"]

    @pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b"\xff", b'{"format": 1, "files": {}}'])
    def test_a_damaged_record(self, rendered: Shell, content: bytes | None) -> None:
        (ROOT / RECORD).unlink() if content is None else (ROOT / RECORD).write_bytes(content)
        assert not rendered.is_unchanged()

    def test_an_interrupted_write(self, rendered: Shell) -> None:
        record = json.loads((ROOT / RECORD).read_text())
        (ROOT / RECORD).write_text(json.dumps({**record, "pending": record["files"]}))
        assert not rendered.is_unchanged()


class TestTheCache:
    @pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{}", b'{"parents": 1}', b"\xff", b"[" * 100_000])
    def test_that_is_damaged_is_not_used_and_renewed(self, rendered: Shell, content: bytes) -> None:
        (ROOT / INPUTS).write_bytes(content)
        assert not rendered.is_unchanged()
        assert rendered.render()[0] == 0
        assert rendered.is_unchanged()

    @pytest.mark.usefixtures("rendered")
    def test_with_any_byte_changed_reports_nothing_else(self) -> None:
        cache, content = RenderCache(), (ROOT / INPUTS).read_bytes()
        answer = cache.find(Path("test.yaml"), OUT)
        chance = random.Random(0)  # noqa: S311 - no secret
        for position in range(len(content)):
            damaged = bytearray(content)
            damaged[position] = chance.randrange(256)
            (ROOT / INPUTS).write_bytes(damaged)
            assert cache.find(Path("test.yaml"), OUT) in {None, answer}

    def test_that_names_other_files_as_parents_is_not_used(self, rendered: Shell) -> None:
        fields = json.loads((ROOT / INPUTS).read_text())
        os.mkfifo("pipe")
        shutil.copy("base.yaml", "copy.yaml")
        for parents in (
            ["copy.yaml", "first.yaml"],
            ["pipe"],
            ["../../../../../etc/passwd"],
            ["\0"],
            [7],
            "base.yaml",
            [*fields["parents"], "x"],
        ):
            (ROOT / INPUTS).write_text(json.dumps({**fields, "parents": parents}))
            assert not rendered.is_unchanged()

    def test_that_states_another_cost_is_not_used(self, rendered: Shell) -> None:
        fields = json.loads((ROOT / INPUTS).read_text())
        (ROOT / INPUTS).write_text(json.dumps({**fields, "cost": "network: free"}))
        assert not rendered.is_unchanged()

    def test_that_cannot_be_written_is_no_error(self, shell: Shell) -> None:
        ROOT.mkdir(parents=True)
        (ROOT / ".gen-infra.cache").write_text("")
        for _ in range(2):
            assert shell.render()[:2] == (0, "build/test\n")
        assert not shell.is_unchanged()

    def test_is_not_for_a_manifest_that_is_valid_until_some_day(self, shell: Shell) -> None:
        for schedule, remembered in (("rate(30 days)", True), ("cron(0 3 ? * SUN *)", False)):
            write_manifest(Path(), changed(**image(schedule=schedule)))
            assert shell.render()[0] == 0
            assert shell.is_unchanged() == remembered

    def test_a_manifest_in_a_pipe_is_left_to_the_reader(self, rendered: Shell) -> None:
        os.mkfifo("pipe.yaml")
        assert not rendered.is_unchanged("pipe.yaml")

    def test_git_ignores_it(self, rendered: Shell) -> None:
        assert rendered.is_unchanged()
        assert (ROOT / ".gen-infra.cache/.gitignore").read_text() == "*\n"


class TestTheCode:
    """A copy of a package, as a checkout has it and as a wheel installs it."""

    @pytest.fixture
    def package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        package = tmp_path / "gen_infra"
        for name in ("render/cache.py", "render/blocks.py", "manifest/deep/down.json"):
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / name).write_text("one")
        for kind in ("templates", "modules", "packer"):
            (tmp_path / kind / "sub").mkdir(parents=True)
            (tmp_path / kind / "sub" / "file").write_text("one")
        monkeypatch.setattr(cache_module, "__file__", str(package / "render/cache.py"))
        monkeypatch.setattr(cache_module, "data_dir", lambda kind: tmp_path / kind)
        return tmp_path

    @pytest.mark.parametrize(
        "name",
        [
            "gen_infra/render/blocks.py",
            "gen_infra/manifest/deep/down.json",
            "templates/sub/file",
            "modules/sub/file",
            "packer/sub/file",
        ],
    )
    @pytest.mark.parametrize("change", ["same size and time", "another size", "gone", "renamed", "replaced"])
    def test_any_file_that_changes(self, package: Path, name: str, change: str) -> None:
        file, before = package / name, code_signature()
        assert code_signature() == before
        times = file.stat().st_atime_ns, file.stat().st_mtime_ns
        actions: dict[str, Callable[[], object]] = {
            "same size and time": lambda: file.write_text("two") and os.utime(file, ns=times),  # type: ignore[func-returns-value]
            "another size": lambda: file.write_text("three"),
            "gone": file.unlink,
            "renamed": lambda: file.rename(file.with_name("renamed")),
            "replaced": lambda: (file.with_name("new").write_text("two"), file.with_name("new").replace(file)),
        }
        actions[change]()
        assert code_signature() != before

    def test_a_new_file(self, package: Path) -> None:
        before = code_signature()
        (package / "modules/sub/new.tf").write_text("")
        assert code_signature() != before

    def test_compiled_python_and_links_to_nothing_do_not_count(self, package: Path) -> None:
        before = code_signature()
        (package / "gen_infra/render/__pycache__").mkdir()
        (package / "gen_infra/render/__pycache__/x.pyc").write_text("")
        (package / "gen_infra/render/.#editing.py").symlink_to("nothing")
        assert code_signature() == before

    @pytest.mark.usefixtures("package")
    def test_another_python_or_library(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        before = code_signature()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "version", "4.0")
            assert code_signature() != before
        (tmp_path / "site/jinja2").mkdir(parents=True)
        (tmp_path / "site/jinja2/__init__.py").write_text("")
        monkeypatch.syspath_prepend(tmp_path / "site")
        assert code_signature() != before

    def test_the_date_decides_in_one_place_only(self) -> None:
        """Another rule that asks for the date has to be in `depends_on_date`."""
        package = Path(gen_infra.__file__).parent
        asking = {
            str(path.relative_to(package))
            for room in ("manifest", "render")
            for path in (package / room).rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "time", "environ", "getenv"}
        }
        assert asking == {"manifest/rules/rebuild.py"}
