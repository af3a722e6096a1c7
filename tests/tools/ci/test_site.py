"""The documentation's site: a strict build, and every link in what it built."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
from mkdocs.exceptions import PluginError
from tasks.site_links import on_page_markdown

from tests.conftest import ROOT

REPOSITORY = "https://github.example.org/lab/gen-infra"
PAGES = ("index", "manifest", "how-to", "day-two", "access", "workflows", "machine-image", "security", "architecture")


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--site-dir", site],
        capture_output=True,
        check=False,
        cwd=root,
        env={"PATH": "", "NO_MKDOCS_2_WARNING": "1", "GEN_INFRA_REPOSITORY": REPOSITORY},
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


class Links(HTMLParser):
    """Collects what a page links to, and the places in it that can be linked to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name in {"href", "src"}:
                self.links.add(value)
            elif value and name == "id":
                self.places.add(value)


def test_every_link_leads_to_a_page_a_place_in_it_or_a_file_of_the_repository(site: Path) -> None:
    pages = {page: Links(page) for page in site.rglob("*.html") if page.name != "404.html"}
    for page, found in pages.items():
        for link in found.links:
            parts = urlsplit(link)
            if link.startswith(f"{REPOSITORY}/blob/main/"):
                assert (ROOT / link.removeprefix(f"{REPOSITORY}/blob/main/")).exists(), link
            elif not parts.scheme:
                target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
                target = target / "index.html" if target.is_dir() else target
                assert target.is_file(), f"{page.relative_to(site)} links to {link}"
                is_place = target.suffix == ".html" and parts.fragment
                assert not is_place or parts.fragment in pages[target].places, f"{page.relative_to(site)}: {link}"


def test_all_pages_are_there_and_fetch_nothing_from_other_hosts(site: Path) -> None:
    for name in PAGES:
        assert (site / (f"{name}/index.html" if name != "index" else "index.html")).is_file()
    for page in site.rglob("*.html"):
        assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="https?://(?!github\.example)', page.read_text())


def test_broken_links_stop_the_build(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "tasks").mkdir()
    for name in ("mkdocs.yml", "tasks/site_links.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for page in (tmp_path / "docs").glob("*.md"):
        page.write_text(re.sub(r"\]\(\.\./[^)]*\)", "](index.md)", page.read_text()))
    index = tmp_path / "docs/index.md"
    index.write_text(f"{index.read_text()}\n[a](missing.md) [b](tools.md#missing)\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "'missing.md'" in done.stderr
    assert "'#missing'" in done.stderr


def linked(markdown: str, repository: str) -> str:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    config = SimpleNamespace(docs_dir=str(ROOT / "docs"), repo_url=repository)
    return on_page_markdown(markdown, page=page, config=config)  # type: ignore[arg-type] # all that the hook reads


def test_links_that_leave_docs_lead_to_the_repository_or_are_text() -> None:
    text = "See [the map](../CONTRIBUTING.md#glossary), [tools](tools.md)."
    there = f"See [the map]({REPOSITORY}/blob/main/CONTRIBUTING.md#glossary), [tools](tools.md)."
    assert linked(text, REPOSITORY) == there
    assert linked(text, "") == "See the map, [tools](tools.md)."
    with pytest.raises(PluginError, match=re.escape("index.md links to ../missing.txt, which does not exist")):
        linked("[x](../missing.txt)", REPOSITORY)
