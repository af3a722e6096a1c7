"""The configuration that makes a workflow engine use an environment: a file in the engine's own format.

Values come from the manifest, whose patterns allow no line breaks; each format's encoder writes them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.manifest.model.engine import Engine, EngineName
    from gen_infra.manifest.model.manifest import Manifest


class EngineConfiguration(NamedTuple):
    """An engine's configuration: the name of its file, its text, and the command that uses it."""

    file: str
    text: str
    command: str


def configuration(manifest: Manifest, name: EngineName) -> EngineConfiguration:
    """Return the configuration of one of the manifest's engines."""
    file, comment, lines, command = _FORMATS[name]
    body = [f"{comment} {line}" for line in _introduction(manifest, name)]
    engine = manifest.given_engines[name]
    text = "\n".join([*body, *lines(manifest, engine)])
    return EngineConfiguration(file, f"{text}\n", command.format(root=_shared_files(manifest, engine).root))


def job_tags(manifest: Manifest, name: EngineName) -> dict[str, str]:
    """Return the tags that an engine gives its jobs, by which its head may stop them."""
    return {"gen-infra:engine": f"{name}-{manifest.name}", "gen-infra:environment": manifest.name}


def _introduction(manifest: Manifest, name: EngineName) -> list[str]:
    return [
        f"Makes {name} use the environment {manifest.name}. Run it with the role",
        f"{manifest.engine_role_arn(name, 'head')}.",
    ]


def _queue(manifest: Manifest, engine: Engine) -> str:
    return engine.queue or next(iter(manifest.queues))


def _work(manifest: Manifest, name: EngineName) -> str:
    bucket = manifest.work_bucket(name)
    return f"s3://{bucket.name}/{bucket.prefix}".rstrip("/")


def _groovy(value: object) -> str:
    """Write a string, a list or a map of strings as Groovy; in single quotes, which Groovy does not interpolate."""
    if isinstance(value, dict):
        return "[" + ", ".join(f"{_groovy(key)}: {_groovy(each)}" for key, each in value.items()) + "]"
    if isinstance(value, list):
        return "[" + ", ".join(map(_groovy, value)) + "]"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _nextflow(manifest: Manifest, engine: Engine) -> Iterator[str]:
    """https://docs.seqera.io/nextflow/reference/config (aws, process), https://docs.seqera.io/nextflow/fusion."""
    yield "process.executor = 'awsbatch'"
    yield f"process.queue = {_groovy(manifest.queue_name(_queue(manifest, engine)))}"
    yield "// By these tags of its jobs Nextflow may stop them."
    yield f"process.resourceLabels = {_groovy(job_tags(manifest, 'nextflow'))}"
    yield f"workDir = {_groovy(_work(manifest, 'nextflow'))}"
    yield f"aws.region = {_groovy(manifest.region)}"
    yield "// What tasks run as, and where they log."
    yield f"aws.batch.jobRole = {_groovy(manifest.engine_role_arn('nextflow', 'worker'))}"
    yield f"aws.batch.logsGroup = {_groovy(manifest.job_log_group('nextflow'))}"
    yield "// Run a task again if its Spot instance is lost; Nextflow's default is 0 since 24.10."
    yield "aws.batch.maxSpotAttempts = 5"
    if engine.jobs:
        yield "// The definition of each process, in place of an image; its containers must contain the AWS CLI."
        yield f"process.container = {_groovy(f'job-definition://{manifest.suffixed(engine.jobs[0])}')}"
        return
    if engine.efs:
        yield "// Nextflow gives tasks only folders of their host: the head job alone mounts EFS."
    shared = [
        f"{manifest.lustre_folder(key)}:{volume.mount}{':ro' if volume.read_only else ''}"
        for key, volume in engine.fsx.items()
    ]
    if shared and (engine.fusion or manifest.image.is_stock):
        yield f"aws.batch.volumes = {_groovy(shared)}"
    if engine.fusion:
        yield "// Fusion: tasks use S3 as a file system; Wave adds it to their containers."
        yield "fusion.enabled = true"
        yield "wave.enabled = true"
        return
    if folder := manifest.image.cli_folder:
        yield "// The AWS CLI of the machine image; its folder is mounted into each container."
        yield f"aws.batch.cliPath = {_groovy(f'{folder}/bin/aws')}"
    else:
        yield "// Without image.aws_cli in the manifest each container must contain the AWS CLI."
    if not manifest.image.is_stock:
        yield "// Scratch: the machine image gives each container its own folder of this volume."
        scratch = f"{manifest.image.scratch.mount}:/tmp"
        yield f"aws.batch.volumes = {_groovy([scratch, *shared] if shared else scratch)}"


def _snakemake(manifest: Manifest, engine: Engine) -> Iterator[str]:
    """https://github.com/snakemake/snakemake-executor-plugin-aws-batch (0.2.1: README, __init__.py)."""
    yield "executor: aws-batch"
    yield f"aws-batch-region: {json.dumps(manifest.region)}"
    yield f"aws-batch-job-queue: {json.dumps(manifest.batch_arn('job-queue', _queue(manifest, engine)))}"
    yield "# What tasks run as."
    yield f"aws-batch-job-role: {json.dumps(manifest.engine_role_arn('snakemake', 'worker'))}"
    yield "# The plugin's default ends a task after five minutes."
    yield "aws-batch-task-timeout: 86400"
    definitions = [manifest.batch_arn("job-definition", job) for job in engine.jobs]
    if definitions:
        yield "# Submits this definition, whose containers are not privileged; for plugins newer than 0.2.1."
        yield f"aws-batch-job-definition: {json.dumps(definitions[0])}"
    else:
        yield "# The plugin registers privileged containers: set engines.snakemake.privileged in the manifest."
        yield "# To avoid them, name a job in engines.snakemake.jobs, and use a plugin newer than 0.2.1."
    yield "# Tasks exchange files through the work prefix."
    yield "default-storage-provider: s3"
    yield f"default-storage-prefix: {json.dumps(_work(manifest, 'snakemake'))}"
    yield f"storage-s3-region: {json.dumps(manifest.region)}"


def _miniwdl(manifest: Manifest, engine: Engine) -> Iterator[str]:
    """https://github.com/miniwdl-ext/miniwdl-aws 0.12.2 (README, batch_job.py).

    Its backend for EFS mounts without the task's role, which a created file system refuses.
    """
    container = {
        "jobRoleArn": manifest.engine_role_arn("miniwdl", "worker"),
        "logConfiguration": _logs(manifest, "miniwdl"),
    }
    shared = _shared_files(manifest, engine)
    yield "[scheduler]"
    if shared.is_on_hosts:
        yield "# Tasks get the folder where the hosts have mounted FSx for Lustre."
    yield f"container_backend = {'aws_batch_job_no_efs' if shared.is_on_hosts else 'aws_batch_job'}"
    yield ""
    yield "[file_io]"
    yield "# Where the file system is mounted, for the head and for tasks."
    yield f"root = {shared.root}"
    yield ""
    yield "[aws]"
    yield f"region = {manifest.region}"
    yield f"task_queue = {manifest.queue_name(_queue(manifest, engine))}"
    if not shared.is_on_hosts:
        yield "# The file system that the head and its tasks share, and its access point."
        yield f"fs = {shared.id}" if shared.id else "# fs = fs-…"
        yield f"fsap = {shared.access_point}" if shared.access_point else "# fsap = fsap-…"
    yield "# What tasks run as, and where they log."
    yield f"container_properties = {json.dumps(container)}"
    yield "# By these tags of its jobs miniwdl may stop them."
    yield f"job_tags = {json.dumps(job_tags(manifest, 'miniwdl'))}"
    yield ""
    yield "[s3_progressive_upload]"
    yield f"uri_prefix = {_work(manifest, 'miniwdl')}"


class _SharedFiles(NamedTuple):
    """The file system that the head of miniwdl and its tasks share: where it is mounted, and the ids of EFS."""

    root: str
    is_on_hosts: bool = False
    id: str | None = None
    access_point: str | None = None


def _shared_files(manifest: Manifest, engine: Engine) -> _SharedFiles:
    """Return the first file system of the engine; else the first FSx for Lustre one, which the hosts have mounted."""
    lustre = [*engine.fsx] or ([] if engine.efs else [*manifest.lustre_file_systems])
    if lustre:
        return _SharedFiles(manifest.lustre_folder(lustre[0]), is_on_hosts=True)
    for volume in engine.efs.values():
        system = manifest.file_system_of(volume)
        return _SharedFiles(volume.mount, id=system.efs, access_point=system.access_point)
    return _SharedFiles("/mnt/efs")


def _redun(manifest: Manifest, engine: Engine) -> Iterator[str]:
    """https://insitro.github.io/redun/config.html#aws-batch-executor and redun/executors/aws_batch.py of 0.44.1."""
    yield "[executors.batch]"
    yield "type = aws_batch"
    yield "# An image that contains redun and what the tasks need."
    yield "image = …"
    yield f"queue = {manifest.queue_name(_queue(manifest, engine))}"
    yield f"s3_scratch = {_work(manifest, 'redun')}/"
    yield f"aws_region = {manifest.region}"
    if engine.jobs:
        yield "# Submits this definition, and registers none."
        yield f"job_def_name = {manifest.suffixed(engine.jobs[0])}"
        yield "autocreate_job_def = False"
    else:
        (definition,) = manifest.definition_names("redun")
        yield "# What tasks run as, and where they log."
        yield f"role = {manifest.engine_role_arn('redun', 'worker')}"
        container = {"logConfiguration": _logs(manifest, "redun"), **_volumes(manifest, engine)}
        yield f"job_def_extra = {json.dumps({'containerProperties': container})}"
        yield "# The only name of job definitions that redun may register."
        yield f"job_def_name = {definition}"
    yield "# By these tags of its jobs redun may stop them."
    yield f"batch_tags = {json.dumps(job_tags(manifest, 'redun'))}"


def _volumes(manifest: Manifest, engine: Engine) -> dict[str, object]:
    """Return the properties of a container that mounts an engine's file systems, in the API's spelling."""
    volumes: list[dict[str, object]] = []
    mounts: list[dict[str, object]] = []
    for name, volume in engine.efs.items():
        system = manifest.file_system_of(volume)
        access = {"iam": "ENABLED"} | ({"accessPointId": system.access_point} if system.access_point else {})
        efs = {"fileSystemId": system.efs, "transitEncryption": "ENABLED", "authorizationConfig": access}
        efs |= {"rootDirectory": volume.directory} if volume.directory else {}
        volumes.append({"name": f"efs-{name}", "efsVolumeConfiguration": efs})
        mounts.append({"sourceVolume": f"efs-{name}", "containerPath": volume.mount, "readOnly": volume.read_only})
    for name, lustre in engine.fsx.items():
        volumes.append({"name": f"fsx-{name}", "host": {"sourcePath": manifest.lustre_folder(name)}})
        mounts.append({"sourceVolume": f"fsx-{name}", "containerPath": lustre.mount, "readOnly": lustre.read_only})
    return {"volumes": volumes, "mountPoints": mounts} if volumes else {}


def _logs(manifest: Manifest, name: EngineName) -> dict[str, object]:
    options = {"awslogs-group": manifest.job_log_group(name), "awslogs-region": manifest.region}
    return {"logDriver": "awslogs", "options": options}


class _Format(NamedTuple):
    """How an engine is configured: its file, its mark of comments, its lines, and the command that reads the file.

    In the command, ``{root}`` is the folder of the file system that head and tasks share.
    """

    file: str
    comment: str
    lines: Callable[[Manifest, Engine], Iterator[str]]
    command: str


_FORMATS: dict[EngineName, _Format] = {
    "nextflow": _Format("nextflow.config", "//", _nextflow, "nextflow -c nextflow.config run PIPELINE -r REVISION"),
    "snakemake": _Format(
        "config.yaml", "#", _snakemake, "snakemake --profile . --container-image IMAGE  # in the folder of config.yaml"
    ),
    "miniwdl": _Format("miniwdl.cfg", "#", _miniwdl, "miniwdl run --cfg miniwdl.cfg --dir {root} WORKFLOW.wdl"),
    "redun": _Format("redun.ini", "#", _redun, "redun -c . run WORKFLOW.py TASK  # in the folder of redun.ini"),
}
