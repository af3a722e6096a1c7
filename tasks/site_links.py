"""Let links of the documentation that leave docs/ lead to the repository: mkdocs calls the hook for each page.

Such a link works on GitHub, where the pages are read too. On the site it leads to the repository that ``repo_url``
names, or is plain text if there is none.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.exceptions import PluginError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)\s]*)\)")


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Replace the links of a page that leave docs/.

    Raises:
        PluginError: a link leads to no file of the repository.
    """
    root = Path(config.docs_dir).parent

    def replaced(found: re.Match[str]) -> str:
        target = posixpath.normpath(f"docs/{posixpath.dirname(page.file.src_uri)}/{found[2]}")
        if target.startswith("..") or not (root / target.partition("#")[0]).exists():
            raise PluginError(f"{page.file.src_uri} links to {found[2]}, which does not exist")
        return f"[{found[1]}]({config.repo_url}/blob/main/{target})" if config.repo_url else found[1]

    return _LINK.sub(replaced, markdown)
