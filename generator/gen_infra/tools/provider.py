"""Where the AWS provider comes from (skeleton)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ProviderSource:
    """``plugin_dir`` goes to ``Terraform.init(plugin_dir=)``; None: terraform finds the provider by itself."""

    kind: Literal["named", "configured", "implied", "found", "registry"]
    plugin_dir: Path | None
    description: str


def find_provider(environ: Mapping[str, str], *, flavour: Literal["terraform", "opentofu"]) -> ProviderSource:
    raise NotImplementedError
