"""Check what the build of a machine image fetches: packer, its plugin and the other tools are exact and verified."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from gen_infra.check.report import Finding, RuleInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLUGIN_RULE = RuleInfo(
    "GI_PACKER_1",
    "Packer installs one release of the Amazon plugin",
    "require github.com/hashicorp/amazon in plugins.pkr.hcl, with one version such as 1.8.1, and no other plugin",
    "https://developer.hashicorp.com/packer/docs/templates/hcl_templates/blocks/packer",
    "high",
)
INSTALL_RULE = RuleInfo(
    "GI_PACKER_2",
    "A rebuild runs nothing that it has not verified",
    "restore install.sh and buildspec.yml: exact versions from releases.hashicorp.com, checksums and a signature",
    "https://developer.hashicorp.com/packer/docs/plugins/install",
    "high",
)
_PLUGINS = "packer/plugins.pkr.hcl"
_REBUILD = "terraform/image-rebuild.zip"
_VERSION, _SHA256 = r"\d+\.\d+\.\d+", "[0-9a-f]{64}"
_REQUIRED = re.compile(
    r'packer\{required_plugins\{amazon=\{source="github\.com/hashicorp/amazon"version="(' + _VERSION + r')"\}\}\}'
)
# Each line stands in the script once.
_LINES = {
    "the checksum of packer": rf"packer_sha256={_SHA256}",
    "the version of packer": rf"packer_version={_VERSION}",
    "the address of packer": r"packer=https://releases\.hashicorp\.com/packer/\S+",
    "the verification of packer": (
        r"printf '%s  packer\.zip\\n' \"\$packer_sha256\" \| sha256sum --check --strict --quiet"
    ),
    "the checksum of the plugin": rf"amazon_sha256={_SHA256}",
    "the version of the plugin": rf"amazon_version={_VERSION}",
    "the address of the plugin": r"amazon=https://releases\.hashicorp\.com/packer-plugin-amazon/\S+",
    "the verification of the plugin": (
        r"printf '%s  %s\\n' \"\$amazon_sha256\" \"\$amazon_program\" \| sha256sum --check --strict --quiet"
    ),
    "the verification of the Session Manager plugin": r"gpg --batch --quiet --verify plugin\.deb\.sig plugin\.deb",
    "the end at the first error": "set -euo pipefail",
}


def pin_findings(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Find what is not pinned in an environment's files; nothing in one without a machine image."""
    if any(path.startswith("packer/") for path in files):
        yield from _plugins(files)
        yield from _rebuild(files)


def _plugins(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Refuse ranges, other sources and further plugins, in whichever file of the folder."""
    if _PLUGINS not in files:
        yield _finding(PLUGIN_RULE, "is missing", _PLUGINS)
    for path, content in files.items():
        if path.startswith("packer/") and path.endswith((".pkr.hcl", ".pkr.json")):
            text = _without_comments(content.decode())
            if path == _PLUGINS and not _required(text):
                yield _finding(PLUGIN_RULE, "does not require exactly one release of the Amazon plugin", path)
            elif path != _PLUGINS and "required_plugins" in text:
                yield _finding(PLUGIN_RULE, "requires plugins too", path)


def _rebuild(files: Mapping[str, bytes]) -> Iterator[Finding]:
    if _REBUILD not in files:
        return
    with zipfile.ZipFile(io.BytesIO(files[_REBUILD])) as source:
        install, build = (source.read(name).decode() for name in ("install.sh", "buildspec.yml"))
    lines = [line.strip() for line in install.splitlines()]
    for what, pattern in _LINES.items():
        if sum(re.fullmatch(pattern, line) is not None for line in lines) != 1:
            yield _finding(INSTALL_RULE, f"install.sh lacks {what}", _REBUILD)
    required = _required(_without_comments(files.get(_PLUGINS, b"").decode()))
    if required and f"amazon_version={required[1]}" not in lines:
        yield _finding(INSTALL_RULE, f"install.sh installs another release of the plugin than {required[1]}", _REBUILD)
    installs = [line for line in build.replace("\n        --", " --").splitlines() if "pip install" in line]
    if not installs or any("--require-hashes" not in line for line in installs):
        yield _finding(INSTALL_RULE, "buildspec.yml installs Python's packages without hashes", _REBUILD)


def _required(text: str) -> re.Match[str] | None:
    """Match a file that requires one release of the Amazon plugin, and nothing else."""
    return _REQUIRED.fullmatch(re.sub(r"\s+", "", text))


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(("#", "//")))


def _finding(rule: RuleInfo, problem: str, path: str) -> Finding:
    return Finding("failed", f"{rule.id} {rule.title}: {problem}; {rule.remedy}", path, rule, path, file=path)
