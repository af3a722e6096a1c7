"""The dependency lock file: which release of the AWS provider is used, and the checksums of its packages.

``gen-infra lock`` writes it beside the manifests of a folder, which share it, and a render copies it into the output.
See https://developer.hashicorp.com/terraform/language/files/dependency-lock.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra.errors import MissingError, UsageError
from gen_infra.tools.versions import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen_infra.terraform.binary import Binary, Flavour
    from gen_infra.tools.versions import AwsProvider

_PLATFORM = re.compile(r"[a-z0-9]+_[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock file, as it was read.

    Attributes:
        path: the file.
        content: all of it.
    """

    path: Path
    content: bytes

    def version(self, flavour: Flavour, provider: AwsProvider) -> str:
        """Return the release of the AWS provider that it chooses, one of the version that is needed.

        Raises:
            UsageError: it is not a lock file, or it chooses none, or one that the rendered files do not allow.
        """
        # A render without a lock file saves 6 ms.
        from gen_infra.terraform.hcl import HclError, Tuple, parse
        from gen_infra.terraform.provider import REGISTRIES

        source = f"{REGISTRIES[flavour]}/hashicorp/aws"
        try:
            blocks = parse(self.content.decode()).blocks
        except (HclError, UnicodeDecodeError) as error:
            raise self._mismatch(f"cannot be read: {error}") from None
        found = [block.body.attributes for block in blocks if (block.kind, block.labels) == ("provider", (source,))]
        if not found:
            raise self._mismatch(f"does not contain {source}")
        version, hashes = found[0].get("version"), found[0].get("hashes")
        if not isinstance(version, str) or not provider.admits(version):
            raise self._mismatch(f'chooses version "{version}" of hashicorp/aws, and {provider.range} is needed')
        if not isinstance(hashes, Tuple) or not hashes.items:
            raise self._mismatch("has no checksums of hashicorp/aws")
        return version

    def _mismatch(self, problem: str) -> UsageError:
        return UsageError(f"{self.path} {problem}", hint="renew it: gen-infra lock --upgrade MANIFEST")


def lock_file_beside(manifest_path: Path) -> LockFile | None:
    """Read the lock file in a manifest's folder, if there is one.

    Raises:
        UsageError: it is a link, or not a file.
    """
    path = manifest_path.parent / LOCK_FILE
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UsageError(f"{path} is not a regular file", hint="replace it by the lock file itself")
    return LockFile(path, path.read_bytes()) if path.exists() else None


def make_lock_file(
    binary: Binary,
    environ: Mapping[str, str],
    provider: AwsProvider,
    platforms: Sequence[str],
    before: LockFile | None = None,
) -> bytes:
    """Let ``terraform providers lock`` write a lock file, from the registry or the mirror that is configured.

    Args:
        binary: the terraform to run.
        environ: the caller's environment.
        provider: the version that is needed.
        platforms: those that get a checksum, such as ``linux_amd64``; empty: this machine's.
        before: the lock file to extend, which keeps its version.

    Raises:
        UsageError: a platform is invalid.
        MissingError: the registry or mirror does not have the provider for a platform.
    """
    from gen_infra.terraform.adapter import Terraform, TerraformError  # renders do without
    from gen_infra.terraform.provider import find_provider, os_arch

    for platform in platforms:
        if not _PLATFORM.fullmatch(platform):
            raise UsageError(f'invalid platform "{platform}": use a system and a processor, such as linux_amd64')
    source = find_provider(environ, flavour=binary.flavour, provider=provider)
    with tempfile.TemporaryDirectory(prefix="gen-infra-lock-") as name:
        folder = Path(name)
        (folder / "versions.tf").write_text(provider.requirement)
        if before:
            before.version(binary.flavour, provider)
            (folder / LOCK_FILE).write_bytes(before.content)
        try:
            Terraform(binary, folder, environ).lock_providers(platforms or [os_arch()], source.mirror)
        except TerraformError as error:
            raise MissingError(
                f"hashicorp/aws {provider.range} cannot be locked from {source.description}: {error.message}",
                hint="name platforms that it has with --platform, or another mirror in GEN_INFRA_PLUGIN_DIR",
            ) from error
        return (folder / LOCK_FILE).read_bytes()
