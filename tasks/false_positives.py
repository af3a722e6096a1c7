"""Count the findings in honest files: ``python -m tasks.false_positives FOLDER…``.

The folders have checkouts of public repositories. Every manifest, template, job definition and engine configuration in
them is searched for secrets and switches of scanners, as `render` does and as `check` does. Each finding is printed
with its file and line, without the value, for a person to judge: some of these files do contain passwords.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.manifest.reading.secrets import secrets, secrets_in_value
from gen_infra.manifest.reading.text import scanner_switches
from gen_infra.tools.checkov.adapter import find_checkov
from gen_infra.tools.checkov.secrets import detect_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SUFFIXES = frozenset({".config", ".json", ".template", ".tf", ".yaml", ".yml"})
_LARGEST = 1_000_000  # larger files are data


class FoundSecret(NamedTuple):
    """A finding: the file, the line, and the message without the value."""

    file: Path
    line: int
    message: str


def files(folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield every file that may be a manifest of some kind, with its text."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SUFFIXES and path.is_file() and path.stat().st_size <= _LARGEST:
                yield path, path.read_text(errors="replace")


def found_secrets(texts: Sequence[tuple[Path, str]]) -> Iterator[FoundSecret]:
    """Yield what `render` refuses, then what only `check` finds."""
    for path, text in texts:
        for found in (*secrets(text), *secrets_in_value(text), *scanner_switches(text)):
            yield FoundSecret(path, text.count("\n", 0, found.position) + 1, found.message.partition(";")[0])
    places = {line: (path, number) for path, text in texts for number, line in enumerate(text.splitlines(), 1)}
    for line, kinds in detect_secrets(find_checkov(os.environ), places, os.environ).items():
        yield FoundSecret(*places[line], f"detect-secrets: {', '.join(kind.kind for kind in kinds)}")


def main(folders: Sequence[str]) -> None:
    """Print each finding, and the counts."""
    texts = list(files([Path(folder) for folder in folders]))
    found = list(found_secrets(texts))
    for each in found:
        sys.stdout.write(f"{each.file}:{each.line}: {each.message}\n")
    sys.stdout.write(f"{len(texts)} files, {len(found)} findings\n")


if __name__ == "__main__":
    main(sys.argv[1:])
