"""Check which folders terraform takes the modules from.

A record in its data folder decides that: ``terraform init`` writes it, and keeps what fits a module's source; all other
commands read each module from the folder that the record names.
"""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Any

from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_RECORD = ".terraform/modules/modules.json"


def require_own_modules(folder: Path) -> None:
    """Refuse a record that takes a module from another folder than that of its source.

    Args:
        folder: of the root module.

    Raises:
        UsageError: it does, or cannot be read; terraform was not started.
    """
    file = folder / _RECORD
    try:
        modules = json.loads(file.read_text(encoding="utf-8"))["Modules"]
        wrong = _first_elsewhere({str(each["Key"]): each for each in modules})
    except FileNotFoundError:
        return
    except (AttributeError, KeyError, OSError, TypeError, ValueError):
        raise UsageError(f"{file} is not terraform's list of modules", hint=f"remove it: rm {file}") from None
    if wrong is not None:
        raise UsageError(
            f'{file} takes the module "{wrong["Key"]}" from "{wrong["Dir"]}", and its source is "{wrong["Source"]}"',
            hint=f"remove it, terraform makes it again: rm {file}",
        )


def _first_elsewhere(modules: dict[str, Any]) -> Any | None:
    """Return the first record whose folder is not that of its source; a source is relative to the calling module."""
    for key, each in modules.items():
        source, parent = str(each["Source"]), key.rpartition(".")[0]
        caller = str(modules[parent]["Dir"]) if key else "."
        is_local = not key or source.startswith(("./", "../"))
        wanted = posixpath.normpath(posixpath.join(caller, source)) if is_local else ""
        if posixpath.normpath(str(each["Dir"])) != wanted:
            return each
    return None
