"""The doctor on the tools: which ones are found, and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra.doctor.diagnosis import ok, warning, wrong
from gen_infra.errors import MissingError
from gen_infra.terraform.provider import find_provider, major_here
from gen_infra.tools import container_host, process
from gen_infra.tools.checkov.adapter import find_checkov
from gen_infra.tools.child_environment import child_environment
from gen_infra.tools.packer import find_packer
from gen_infra.tools.versions import AWS_PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.terraform.adapter import Binary
    from gen_infra.tools.versions import AwsProvider

_PROBE_SECONDS = 30.0
_CHECKOV = (3, 3)  # the release whose output `check` reads


def terraform(
    find: Callable[[], Binary], environ: Mapping[str, str], provider: AwsProvider | None = None
) -> list[Diagnosis]:
    """Check whether there is a terraform, which, and where it gets its provider.

    Args:
        find: looks for one that is new enough.
        environ: the caller's environment.
        provider: the version that a manifest names; None: the one that a new manifest would name here.
    """
    try:
        binary = find()
    except MissingError as missing:
        return [wrong("terraform", missing.message, missing.hint)]
    lines = [ok("terraform", f"{binary.flavour} {binary.version}, {binary.argv[-1]}")]
    here = AWS_PROVIDERS[major_here(environ)]
    needed = provider or here
    try:
        source = find_provider(environ, flavour=binary.flavour, provider=needed)
    except MissingError as missing:
        return [*lines, wrong("provider", missing.message, missing.hint)]
    kind = "the registry" if source.kind == "registry" else f"a mirror, {source.kind}"
    why = "the manifest's version" if provider else "the version of new manifests here"
    message = f"hashicorp/aws {needed.range}, {why}, from {kind}: {source.description}"
    if source.kind == "registry" and needed is not here:
        advice = (
            f"unless the registry can be reached, set `terraform: {{aws_provider: {here.major}}}` in the manifest"
            if here.major > needed.major
            else "unless the registry can be reached, add that version: terraform providers mirror FOLDER"
        )
        return [*lines, warning("provider", f"{message}; the mirrors on this machine have only {here.range}", advice)]
    return [*lines, ok("provider", message)]


def packer(environ: Mapping[str, str]) -> list[Diagnosis]:
    """Check whether there is a packer; only building images needs it."""
    found = find_packer(environ)
    if found is None:
        message = "not found on PATH: `check` skips its template, and images cannot be built"
        return [warning("packer", message, "apt-get install packer, or https://developer.hashicorp.com/packer/install")]
    return [ok("packer", f"{found.version_text}, {found.executable}")]


def checkov(environ: Mapping[str, str]) -> list[Diagnosis]:
    """Check whether there is a checkov, of the release that `check` was made for."""
    try:
        found = find_checkov(environ)
    except MissingError as missing:
        return [wrong("checkov", missing.message, missing.hint)]
    question = "from importlib.metadata import version; print(version('checkov'))"
    answer = process.run(
        [found.python, "-I", "-c", question],
        cwd=Path(found.python).parent,
        env=child_environment(environ),
        timeout=_PROBE_SECONDS,
    )
    version = answer.stdout.strip()
    if answer.returncode != 0 or not version:
        return [wrong("checkov", f"{found.python} cannot import it", "pipx reinstall checkov")]
    if not version.startswith(".".join(map(str, _CHECKOV)) + "."):
        return [warning("checkov", f"{version}; tested with 3.3", "pipx install --force 'checkov>=3.3.30,<3.4'")]
    return [ok("checkov", f"{version}, {found.python}")]


def runc(environ: Mapping[str, str]) -> list[Diagnosis]:
    """Check whether the embedded AWS can run the containers of jobs on this machine; nothing else needs that."""
    lacking, hint = container_host.missing(environ)
    if lacking == container_host.ROOT:
        return [ok("runc", f"not used without root: the embedded AWS simulates jobs ({hint})")]
    if lacking:
        return [warning("runc", f"the embedded AWS simulates jobs, because containers need {lacking}", hint)]
    unlimited = [name for name in container_host.LIMITS if name not in container_host.offered_controllers()]
    if unlimited:
        message = f"containers of the embedded AWS have no limit of {', '.join(unlimited)}: the cgroups lack it"
        return [warning("runc", message, "enable these cgroup controllers, or accept that jobs are not limited")]
    return [ok("runc", f"{container_host.find('runc', environ)}; the embedded AWS runs the containers of jobs")]
