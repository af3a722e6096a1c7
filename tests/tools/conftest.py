"""The real terraform, for tests that look at what it says rather than at what gen-infra makes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from gen_infra.tools import process
from gen_infra.tools.environment import child_environment
from gen_infra.tools.provider import find_provider
from gen_infra.tools.terraform import Binary, Terraform, find_terraform
from tests.cli import clean_environ


@dataclass(frozen=True)
class Tf:
    """terraform, and where its AWS provider comes from."""

    binary: Binary
    plugin_dir: Path | None
    environ: dict[str, str]

    def init(self, path: Path) -> None:
        """``terraform init`` in that folder, leaving any backend alone; TerraformError if it fails."""
        Terraform(self.binary, path, self.environ).init(backend=False, plugin_dir=self.plugin_dir)

    def run(self, path: Path, *args: str) -> process.Completed:
        """``terraform ARGS`` in that folder, whatever its exit code."""
        return process.run([*self.binary.argv, *args], cwd=path, env=child_environment(self.environ), timeout=280)


@pytest.fixture(scope="session")
def tf(tmp_path_factory: pytest.TempPathFactory) -> Tf:
    """terraform with one provider for all tests: from a mirror, or downloaded once into a cache that they share."""
    binary = find_terraform(os.environ)
    source = find_provider(os.environ, flavour=binary.flavour)
    cache = tmp_path_factory.getbasetemp() / "terraform-plugins"
    cache.mkdir()
    return Tf(binary, source.plugin_dir, clean_environ(TF_PLUGIN_CACHE_DIR=str(cache)))
