"""Honest texts, in which no secret and no switch of a scanner may be found."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

DEFINITIONS = Path(__file__).with_name("honest.yaml")
_PUBLISHED = Path(__file__).parents[1] / "importing" / "corpus"


def honest_jobs() -> dict[str, dict[str, object]]:
    """Jobs in the form of a manifest, by their names."""
    jobs: dict[str, dict[str, object]] = yaml.safe_load(DEFINITIONS.read_text())
    return jobs


def published() -> list[str]:
    """Return the definitions that `import` is tested with, but for one with a token in plain text."""
    return [re.sub(r'"nf-token": "\w+"', "", path.read_text()) for path in sorted(_PUBLISHED.iterdir())]


def honest_texts() -> list[str]:
    """Return every text."""
    return [*published(), DEFINITIONS.read_text()]
