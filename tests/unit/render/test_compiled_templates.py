"""Compiled templates give what their sources give, are used only for these sources, and output nothing unencoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jinja2 import FileSystemLoader, ModuleLoader
from tasks.compile_templates import compile_templates

from gen_infra.manifest import load
from gen_infra.render import templates
from gen_infra.render.files import render
from gen_infra.resources import data_dir
from tests.golden.renew import manifests

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "compiled"
    compile_templates(folder)
    return folder


@pytest.fixture(autouse=True)
def _fresh_environments() -> None:
    templates.terraform_environment.cache_clear()
    templates.packer_environment.cache_clear()


def test_they_render_the_same_bytes(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = [load(path) for path in manifests()]
    results = []
    for folder, loader in ((compiled, ModuleLoader), (tmp_path, FileSystemLoader)):
        monkeypatch.setattr(templates, "COMPILED", folder)
        templates.terraform_environment.cache_clear()
        templates.packer_environment.cache_clear()
        assert type(templates.terraform_environment().loader) is loader
        assert type(templates.packer_environment().loader) is loader
        results.append([render(manifest) for manifest in loaded])
    assert results[0] == results[1]


def test_they_are_used_only_for_the_sources_that_they_were_compiled_from(
    compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(templates.template_loader(compiled), ModuleLoader)
    for source in data_dir("templates").rglob("*.j2"):
        copy = tmp_path / source.relative_to(data_dir("templates"))
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(source.read_bytes())
    monkeypatch.setattr(templates, "data_dir", lambda _: tmp_path)
    assert isinstance(templates.template_loader(compiled), ModuleLoader)
    (tmp_path / "jobs.tf.j2").write_text("edited")
    loader = templates.template_loader(compiled)
    assert isinstance(loader, FileSystemLoader)
    assert templates.make_environment(loader).get_template("jobs.tf.j2").render() == "edited"


def test_edited_sources_are_compiled_again(compiled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "compiled"
    folder.mkdir()
    (folder / templates.DIGEST).write_text("of older sources")
    (folder / "left.py").write_text("")
    compile_templates(folder)
    names = {file.name for file in compiled.iterdir()} - {"__pycache__"}
    assert {file.name for file in folder.iterdir()} == names


def test_what_is_not_encoded_does_not_leave_a_compiled_template(tmp_path: Path) -> None:
    (tmp_path / "evil.j2").write_text("a = {{ evil }}")
    templates.make_environment(FileSystemLoader(tmp_path)).compile_templates(tmp_path, zip=None, ignore_errors=False)
    template = templates.make_environment(ModuleLoader(tmp_path)).get_template("evil.j2")
    with pytest.raises(templates.UnencodedValueError, match=r"evil\.j2: 'text' was not encoded"):
        template.render(evil="text")
