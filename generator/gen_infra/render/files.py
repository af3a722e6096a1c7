"""Render a manifest to the files of its environment, ``{relative path: bytes}``: the same bytes on every machine.

The templates decide the structure. The functions that they call (in :mod:`gen_infra.render.blocks`) return plain
values, which only the HCL encoder writes as text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gen_infra.render import blocks
from gen_infra.render.image_source import image_source
from gen_infra.render.imports import import_ids
from gen_infra.render.package import package
from gen_infra.render.submissions import submissions
from gen_infra.render.templates import packer_environment, terraform_environment
from gen_infra.render.yaml import to_yaml
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gen_infra.manifest import Manifest
    from gen_infra.manifest.job_policies import Statement
    from gen_infra.tools.versions import AwsProvider

_TERRAFORM_FILES = ("versions.tf", "providers.tf", "backend.tf", "main.tf", "queues.tf", "outputs.tf", "record.tf")
_CAUSES = Path(__file__).parents[1] / "why" / "messages.py"  # what `why` knows of AWS's words, for a function
PACKER_TEMPLATE = "genomics.pkr.hcl"


def render(manifest: Manifest, imported: Collection[str] = ()) -> dict[str, bytes]:
    """Render every file of the environment's folder, by its relative path.

    Args:
        manifest: what is rendered.
        imported: the addresses that an apply has imported already: their import blocks are left out.
    """
    files = {f"terraform/{name}": content for name, content in _terraform(manifest).items()}
    pending = {address: id_ for address, id_ in import_ids(manifest).items() if address not in imported}
    if pending:
        files["terraform/imports.tf"] = imports_file(pending)
    for name, content in _state_machines(manifest).items():
        files[f"terraform/workflows/{name}"] = content
    for module in blocks.modules(manifest):
        files |= {
            f"terraform/modules/{module}/{name}": content
            for name, content in _module(module, manifest.provider).items()
        }
    if manifest.own_jobs:
        sources = _function_sources("job-functions") | {"submissions.json": submissions(manifest)}
        files["terraform/job-functions.zip"] = package(sources)
    if manifest.notifications.measures:
        causes = {"gen_infra/why/messages.py": _CAUSES.read_bytes()}
        files["terraform/environment-alarms.zip"] = package(_function_sources("environment-alarms") | causes)
    if manifest.stops_queues:
        queues = {"queues.json": msgspec.json.encode([manifest.queue_name(key) for key in manifest.queues])}
        files["terraform/queue-stop.zip"] = package(_function_sources("queue-stop") | queues)
    if manifest.uses_ec2:
        files |= {f"packer/{name}": content for name, content in packer_folder(manifest).items()}
    resolved = blocks.resolved(manifest)
    files["manifest.resolved.yaml"] = to_yaml(resolved).encode()
    files["terraform/manifest.json"] = msgspec.json.format(msgspec.json.encode(resolved), indent=2) + b"\n"
    if manifest.image.rebuild:
        files["terraform/image-rebuild.zip"] = package(image_source(manifest.name, files))
    return files


def imports_file(imports: Mapping[str, str]) -> bytes:
    """Render ``imports.tf``, which imports ids to addresses."""
    return terraform_environment().get_template("imports.tf.j2").render({"imports": imports}).encode()


def _terraform(manifest: Manifest) -> dict[str, bytes]:
    names = [
        *_TERRAFORM_FILES,
        *(["access.tf"] if manifest.access else []),
        *(["file_systems.tf"] if manifest.created_file_systems else []),
        *(["engines.tf"] if manifest.engines else []),
        *(["existing.tf"] if manifest.existing else []),
        *(["jobs.tf"] if manifest.own_jobs else []),
        *(["repositories.tf"] if manifest.own_repositories else []),
    ]
    environment = terraform_environment()
    context = blocks.context(manifest)
    return {name: environment.get_template(f"{name}.j2").render(context).encode() for name in names}


def permissions_file(manifest: Manifest, roles: Mapping[str, Sequence[Sequence[Statement]]]) -> str:
    """Render the policies of people and CI as Terraform's blocks, for roles that are made elsewhere."""
    template = terraform_environment().get_template("permissions.tf.j2")
    return str(template.render({"env": manifest, "roles": roles}))


def _state_machines(manifest: Manifest) -> dict[str, bytes]:
    """Return the definitions of the workflows' state machines by file name."""
    from gen_infra.manifest.state_machines import definition, many_definition

    machines = {}
    for key, workflow in manifest.workflows.items():
        machines[f"{key}.asl.json"] = definition(manifest, key)
        if workflow.many:
            machines[f"{key}-many.asl.json"] = many_definition(manifest, key, workflow.many)
    return {
        name: msgspec.json.format(msgspec.json.encode(machine), indent=2) + b"\n" for name, machine in machines.items()
    }


def packer_folder(manifest: Manifest, *, modern: bool = False) -> dict[str, bytes]:
    """Render the Packer folder: for any version of Packer, or with ``modern`` for 1.7 and later."""
    folder = data_dir("packer")
    static = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.parent.name != "__pycache__"  # where pip compiles a wheel's Python files
    }
    image = manifest.image
    optional = {
        "files/bundle-aws-cli.py": image.aws_cli,
        "scripts/aws-cli.sh": image.aws_cli,
        "scripts/lustre.sh": manifest.lustre_file_systems,
        "scripts/own.sh": image.scripts,
    }
    static = {path: content for path, content in static.items() if optional.get(path, True)}
    context = {
        "env": manifest,
        "ecs_options": [f"{name}={value}" for name, value in image.ecs.options.items()],
        "modern": modern,
        "network_tags": blocks.network_tags(manifest),
    }
    template = packer_environment().get_template(f"packer/{PACKER_TEMPLATE}.j2")
    own = {
        f"own/{number:02}-{script.file_name}": script.content.encode()
        for number, script in enumerate(image.build_scripts, start=1)
    }
    return {**static, **own, PACKER_TEMPLATE: template.render(context).encode()}


def _module(name: str, provider: AwsProvider) -> dict[str, bytes]:
    folder = data_dir("modules") / name
    return {
        file.name: provider.rewrite(name, file.name, file.read_text(encoding="utf-8")).encode()
        for file in sorted([*folder.glob("*.tf"), folder / "README.md"])
    }


def _function_sources(module: str) -> dict[str, bytes]:
    sources = sorted(Path(data_dir("modules"), module, "src").glob("*.py"))
    return {source.name: source.read_bytes() for source in sources}
