"""The example manifests that ``gen-infra new`` copies: the files in ``envs/examples``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.errors import UsageError
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from pathlib import Path

_MODELINE = "# yaml-language-server:"  # where these files keep the schema is not where anybody else does


def starters() -> dict[str, Path]:
    """The examples by name, but for those that extend another."""
    examples = sorted((data_dir("envs") / "examples").glob("*.yaml"))
    return {path.stem: path for path in examples if "\nextends:" not in path.read_text(encoding="utf-8")}


def write_starter(path: Path, name: str) -> None:
    """Write the example of this name to a file that does not exist yet.

    Raises:
        UsageError: there is no such example, no such folder, or the file exists.
    """
    known = starters()
    if name not in known:
        raise UsageError(f"there is no example {name}", hint=f"there is {', '.join(known)}")
    lines = known[name].read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(_MODELINE))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists and is left as it is", hint="choose another name") from None
    except FileNotFoundError:
        raise UsageError(f"there is no folder {path.parent}", hint=f"mkdir -p {path.parent}") from None
