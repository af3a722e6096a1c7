"""The head job of a workflow engine: a job of the manifest like any other, which runs the engine itself.

It is added when a manifest is read, so that every command knows it: `nextflow-head` for Nextflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gen_infra.manifest.engine_configuration import configuration
from gen_infra.manifest.model.engine import ENGINES
from gen_infra.manifest.model.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_infra.manifest.model.engine import Engine, EngineHead, EngineName
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding

CONFIGURATION_VARIABLE = "GEN_INFRA_ENGINE_CONFIG"
_MINUTES = 14 * 24 * 60

# The pipeline and its revision come as arguments: the shell evaluates no text of a user.
_WRITE = f'printf "%s" "${CONFIGURATION_VARIABLE}" >'
_NEXTFLOW = f'{_WRITE}gen-infra.config && exec nextflow -c gen-infra.config run "$1" -r "$2" "${{@:3}}"'
_CLONE = 'git clone --quiet -- "$1" pipeline && cd pipeline && git checkout --quiet --detach "$2" && shift 2'
_SCRIPTS: dict[EngineName, str] = {
    "nextflow": _NEXTFLOW,
    "snakemake": f"{_CLONE} && mkdir -p .gen-infra && {_WRITE}.gen-infra/config.yaml && "
    'exec snakemake --profile .gen-infra "$@"',
    "miniwdl": f'{_CLONE} && {_WRITE}miniwdl.cfg && exec miniwdl run --cfg miniwdl.cfg "$@"',
    "redun": f'{_CLONE} && mkdir -p .gen-infra && {_WRITE}.gen-infra/redun.ini && exec redun -c .gen-infra run "$@"',
}


def head_job(engine: EngineName) -> str:
    """Return the key of an engine's head job: ``nextflow`` -> ``nextflow-head``."""
    return f"{engine}-head"


def head_command(engine: EngineName, pipeline: str, revision: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the command of a head job that runs a pipeline of a Git repository."""
    return ("bash", "-c", _SCRIPTS[engine], engine, pipeline, revision, *arguments)


def with_heads(manifest: Manifest) -> Manifest:
    """Return the manifest with the head jobs of its engines."""
    heads = {
        head_job(name): _job(manifest, name, engine, engine.head)
        for name, engine in manifest.given_engines.items()
        if engine.head
    }
    return msgspec.structs.replace(manifest, jobs={**manifest.jobs, **heads}) if heads else manifest


def replaced_jobs(manifest: Manifest) -> Iterator[ManifestFinding]:
    """Yield the jobs that have the key of a head job, and are not the same: those of a resolved manifest are."""
    added = with_heads(manifest).jobs
    for key, job in manifest.jobs.items():
        if added[key] != job:
            yield ("jobs", key), f"is the key of the head job of engines.{key.removesuffix('-head')}; rename it"


def _job(manifest: Manifest, name: EngineName, engine: Engine, head: EngineHead) -> Job:
    image = head.image or ENGINES[name].head_image
    return Job(
        image=image,
        vcpus=head.vcpus,
        memory_mib=head.memory_mib,
        queue=head.queue,
        role=manifest.engine_role_arn(name, "head"),
        command=("bash", "-c", 'echo "submit it with gen-infra submit --engine" >&2; exit 2'),
        efs=engine.efs,
        fsx=engine.fsx,
        environment={CONFIGURATION_VARIABLE: configuration(manifest, name).text},
        attempts=1,
        timeout_minutes=_MINUTES,
    )
