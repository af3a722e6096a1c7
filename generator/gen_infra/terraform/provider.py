"""Where the AWS provider comes from: the registry, or a mirror that is named, configured or found on this machine.

A mirror is a folder that holds ``<registry host>/hashicorp/aws/<version>/<os_arch>/``, or the zip files that
``terraform providers mirror`` writes: ``<registry host>/hashicorp/aws/terraform-provider-aws_<version>_<os_arch>.zip``.
See https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation.
"""

from __future__ import annotations

import os
import platform
import re
import stat
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gen_infra.errors import MissingError
from gen_infra.tools.versions import AWS_PROVIDERS, DEFAULT_MAJOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.terraform.binary import Flavour
    from gen_infra.terraform.hcl import Expression
    from gen_infra.tools.versions import AwsProvider, Major

REGISTRIES: dict[Flavour, str] = {"terraform": "registry.terraform.io", "opentofu": "registry.opentofu.org"}
_SYSTEM_ROOTS = ("/opt", "/usr/local", "/usr/share", "/var/lib", "/srv")  # where site-wide software and data go
_DEPTH = 4  # folders below a root
_MOST_FOLDERS = 20_000  # of the whole search; a number and not a time, so that a busy machine finds as much


@dataclass(frozen=True, slots=True)
class ProviderSource:
    """Where ``terraform init`` takes the AWS provider from.

    Attributes:
        kind: ``named`` by GEN_INFRA_PLUGIN_DIR, ``configured`` in terraform's CLI configuration, in an ``implied``
            mirror that terraform looks into anyway, ``found`` by searching, or the ``registry``.
        plugin_dir: what to give ``Terraform.init``; None where terraform needs no help.
        description: for messages.
        mirror: the folder or the https address of a mirror; None for the registry. ``terraform providers lock`` needs
            it in all cases, because it ignores the CLI configuration.

    """

    kind: Literal["named", "configured", "implied", "found", "registry"]
    plugin_dir: Path | None
    description: str
    mirror: Path | str | None


def find_provider(
    environ: Mapping[str, str],
    *,
    flavour: Flavour,
    provider: AwsProvider = AWS_PROVIDERS[DEFAULT_MAJOR],
    roots: Iterable[Path] | None = None,
) -> ProviderSource:
    """Decide where the provider comes from; uses no network.

    Args:
        environ: the caller's environment.
        flavour: terraform or OpenTofu; each has its own registry.
        provider: the version that is needed.
        roots: where to search for a mirror; None: the usual places of this system and of XDG_DATA_HOME/_DIRS.

    Raises:
        MissingError: GEN_INFRA_PLUGIN_DIR names a folder without a fitting provider.

    """
    host = REGISTRIES[flavour]
    named = environ.get("GEN_INFRA_PLUGIN_DIR")
    if named:
        folder = Path(named).absolute()
        if not _serves(folder, host, provider):
            newer = [each.major for each in AWS_PROVIDERS.values() if each.major > provider.major]
            there = [major for major in newer if _serves(folder, host, AWS_PROVIDERS[major])]
            instead = f", or use what it has: `terraform: {{aws_provider: {there[0]}}}`" if there else ""
            raise MissingError(
                f"GEN_INFRA_PLUGIN_DIR={named} does not contain {host}/hashicorp/aws {provider.range} for {os_arch()}",
                hint=f"fill it: terraform providers mirror FOLDER{instead}",
            )
        return ProviderSource("named", folder, f"{folder} (GEN_INFRA_PLUGIN_DIR)", folder)
    for file in _config_files(environ, flavour):
        if _configures_installation(file):
            return ProviderSource("configured", None, f"as {file} says", _configured_mirror(file, host))
    for folder in _implied_mirrors(environ):
        if _serves(folder, host, provider):
            return ProviderSource("implied", None, str(folder), folder)
    for folder in _search(_usual_roots(environ) if roots is None else roots, host):
        if _serves(folder, host, provider) and _are_trusted(folder, host):
            return ProviderSource("found", folder, str(folder), folder)
    return ProviderSource("registry", None, host, None)


def major_here(environ: Mapping[str, str], *, roots: Iterable[Path] | None = None) -> Major:
    """Return the major version for a new manifest: the default, or another if a mirror here has only that one."""
    folders = None if roots is None else list(roots)
    for provider in AWS_PROVIDERS.values():
        for flavour in REGISTRIES:
            with suppress(MissingError):
                source = find_provider(environ, flavour=flavour, provider=provider, roots=folders)
                if source.plugin_dir or source.kind == "implied":
                    return provider.major
    return DEFAULT_MAJOR


def os_arch() -> str:
    """Name this platform as terraform does, such as ``linux_amd64``."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"


def _serves(mirror: Path, host: str, provider: AwsProvider) -> bool:
    aws = mirror / host / "hashicorp" / "aws"
    try:
        names = os.listdir(aws)  # noqa: PTH208 - names are all that is needed
    except OSError:
        return False
    packed = re.compile(rf"terraform-provider-aws_(.+)_{os_arch()}\.zip")
    for name in names:
        match = packed.fullmatch(name)
        if provider.admits(match[1] if match else name) and (match or (aws / name / os_arch()).is_dir()):
            return True
    return False


def _config_files(environ: Mapping[str, str], flavour: str) -> Iterator[Path]:
    """Name terraform's CLI configuration files, the one in force first; only one is read when the variable is set."""
    named = environ.get("TF_CLI_CONFIG_FILE")
    if named and Path(named).is_file():
        yield Path(named)
        return
    home = Path(environ.get("HOME", "~")).expanduser()
    if flavour == "opentofu":
        yield home / ".tofurc"
        yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "opentofu" / "tofurc"
    yield home / ".terraformrc"


def _configures_installation(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(r"^\s*provider_installation\b", text, flags=re.MULTILINE) is not None


def _configured_mirror(file: Path, host: str) -> Path | str | None:
    """Return the first mirror for the AWS provider in a CLI configuration file; None: the registry, or not readable."""
    from gen_infra.terraform.hcl import HclError, parse  # 4 ms that a render saves

    try:
        (installation,) = (each for each in parse(file.read_text()).blocks if each.kind == "provider_installation")
    except (HclError, OSError, ValueError):
        return None
    for method in installation.body.blocks:
        values = method.body.attributes
        if not _applies(values, host):
            continue
        if method.kind == "direct":
            return None
        if method.kind == "filesystem_mirror" and isinstance(path := values.get("path"), str):
            return Path(path).expanduser()
        if method.kind == "network_mirror" and isinstance(url := values.get("url"), str):
            return url
    return None


def _applies(method: Mapping[str, Expression], host: str) -> bool:
    """Return whether an installation method is for the AWS provider, by its ``include`` and ``exclude``."""
    from gen_infra.terraform.hcl import Tuple

    def mentions(key: str) -> bool:
        patterns = method.get(key)
        texts = [each for each in patterns.items if isinstance(each, str)] if isinstance(patterns, Tuple) else []
        whole = (each if each.count("/") == 2 else f"{host}/{each}" for each in texts)
        return any(fnmatchcase(f"{host}/hashicorp/aws", each) for each in whole)

    return not mentions("exclude") and ("include" not in method or mentions("include"))


def _implied_mirrors(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME", "~")).expanduser()
    yield home / ".terraform.d" / "plugins"
    for data in _data_folders(environ):
        yield data / "terraform" / "plugins"


def _data_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME", "~")).expanduser()
    yield Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    for folder in (environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        if folder:
            yield Path(folder)


def _usual_roots(environ: Mapping[str, str]) -> list[Path]:
    return [*_data_folders(environ), *map(Path, _SYSTEM_ROOTS)]


def _search(roots: Iterable[Path], host: str) -> Iterator[Path]:
    """Yield the folders that contain one named like the registry: shallow ones first, no links, a limited number."""
    looked_at = 0
    queue = deque((root, 0) for root in dict.fromkeys(roots))
    while queue and looked_at < _MOST_FOLDERS:
        folder, depth = queue.popleft()
        looked_at += 1
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            continue
        if host in names:
            yield folder
        elif depth < _DEPTH:
            queue.extend((folder / name, depth + 1) for name in names)


def _are_trusted(mirror: Path, host: str) -> bool:
    """Return whether only root or this user can write to the providers of a mirror, which will be executed."""
    names = mirror / host / "hashicorp" / "aws"
    inside = (Path(folder) / name for folder, folders, files in os.walk(names) for name in (*folders, *files))
    try:
        return all(map(_is_trusted, (names, *inside)))
    except OSError:
        return False


def _is_trusted(path: Path) -> bool:
    """Return whether only root or this user can change or replace a path, links and all folders above it included."""
    real = path.resolve(strict=True)
    return all(map(_is_own, {path.absolute(), *path.absolute().parents, real, *real.parents}))


def _is_own(path: Path) -> bool:
    """Return whether only root or this user can write to a path; in a sticky folder only owners replace what is there.

    A link's own mode says nothing.
    """
    status = path.lstat()
    by_all = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX and not stat.S_ISLNK(status.st_mode)
    return status.st_uid in {0, os.geteuid()} and not by_all
