"""The model of workflow engines that submit jobs to the environment's queues themselves."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta

from gen_infra.manifest.model.access import PrincipalArn
from gen_infra.manifest.model.base import INT32_MAX, ContainerImage, Key, KmsKeyArn, Model, Prefix, about, text
from gen_infra.manifest.model.container import EfsVolume, FsxVolume

EngineName: TypeAlias = Literal["nextflow", "snakemake", "miniwdl", "redun"]

WdlTask = Annotated[
    str, text("[A-Za-z][A-Za-z0-9_]{0,101}", "the name of a WDL task: letters, digits and '_'", "align")
]


class EngineTraits(NamedTuple):
    """What is known of an engine.

    Args:
        definitions: the name of its job definitions, ``*`` for any rest; ``{name}`` is the environment's. Empty: they
            are named after the workflow's tasks.
        definition_actions: what else it calls for them.
        tags_jobs: whether it can tag its jobs when it submits them.
        head_image: the image of its head job, if its authors publish one that can run on AWS Batch as it is.
        describes_instances: whether it looks up the instances that its jobs run on.
    """

    definitions: str
    definition_actions: tuple[str, ...] = ()
    tags_jobs: bool = True
    head_image: str | None = None
    describes_instances: bool = False


# https://github.com/nextflow-io/nextflow (plugins/nf-amazon, AwsBatchTaskHandler.groovy: normalizeJobDefinitionName),
# https://github.com/snakemake/snakemake-executor-plugin-aws-batch 0.2.1 (batch_job_builder.py),
# https://github.com/miniwdl-ext/miniwdl-aws 0.12.2 (batch_job.py), https://github.com/insitro/redun 0.44.1
# (executors/aws_batch.py)
ENGINES: dict[EngineName, EngineTraits] = {
    "nextflow": EngineTraits(
        "nf-*",
        ("batch:TagResource",),
        head_image="docker.io/nextflow/nextflow:25.04.6",
        describes_instances=True,
    ),
    "snakemake": EngineTraits("snakejob-def-*", ("batch:DeregisterJobDefinition",), tags_jobs=False),
    "miniwdl": EngineTraits("", ("batch:DeregisterJobDefinition",)),
    "redun": EngineTraits("redun-{name}"),
}


class EngineWork(Model, frozen=True, kw_only=True):
    """Where an engine keeps its intermediate files."""

    bucket: Annotated[
        str,
        text(
            "[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "a key of `buckets`, or the name of an S3 bucket", "scratch-123456789012"
        ),
        about("The key of one of `buckets`, or the name of another existing bucket."),
    ]
    prefix: Annotated[
        Prefix,
        about("The prefix in it, which the engine's roles may read, write, tag and delete; for one engine only."),
    ]
    kms_key: Annotated[
        KmsKeyArn | None, about("The customer managed key of a bucket that is not in `buckets`, if any.")
    ] = None


class EngineHead(Model, frozen=True, kw_only=True):
    """The job that runs the engine itself, as the job `nextflow-head`, `snakemake-head` and so on."""

    queue: Annotated[str, about("The key of its queue; use one with On-Demand instances.")]
    vcpus: Annotated[int, Meta(ge=1, le=INT32_MAX), about("Its vCPUs.")] = 2
    memory_mib: Annotated[int, Meta(ge=4, le=INT32_MAX), about("Its memory in MiB.")] = 8000
    image: Annotated[
        ContainerImage | None,
        about("An image with the engine; default: Nextflow's own. The other engines require one."),
    ] = None


class Engine(Model, frozen=True, kw_only=True):
    """One workflow engine: a role for its tasks, a role for itself, and optionally a job that runs it."""

    work: EngineWork
    queue: Annotated[str | None, about("The key of the queue for its tasks; default: the first queue.")] = None
    head: Annotated[EngineHead | None, about("A job that runs the engine; default: it runs elsewhere.")] = None
    principals: Annotated[
        tuple[PrincipalArn, ...],
        about("ARNs of IAM roles and users of this account that may run the engine elsewhere, with its head role."),
    ] = ()
    buckets: Annotated[tuple[str, ...], about("The keys of the buckets that its tasks and its head may use.")] = ()
    efs: Annotated[
        dict[Key, EfsVolume],
        about(
            "EFS file systems for its head job and its tasks, by a name of your choice; the tasks of Nextflow and "
            "Snakemake mount them only by the definitions of `jobs`."
        ),
    ] = {}
    fsx: Annotated[
        dict[Key, FsxVolume],
        about("FSx for Lustre file systems for its head job and its tasks, by their names in `file_systems`."),
    ] = {}
    jobs: Annotated[
        tuple[str, ...],
        about("The keys of jobs whose definitions it submits; with them it may not register any of its own."),
    ] = ()
    tasks: Annotated[
        tuple[WdlTask, ...],
        about("For miniwdl: the names of the workflow's tasks, which the names of its job definitions begin with."),
    ] = ()
    fusion: Annotated[
        bool, about("For Nextflow: use Fusion, whose containers are privileged: they can control their instance.")
    ] = False
    privileged: Annotated[
        bool,
        about("Let it register privileged containers, as Snakemake's plugin does; they can control their instance."),
    ] = False

    @property
    def may_be_privileged(self) -> bool:
        """Return whether the engine may register job definitions whose containers are privileged."""
        return self.privileged or self.fusion


class Engines(Model, frozen=True, kw_only=True):
    """Workflow engines that register and submit jobs themselves."""

    nextflow: Annotated[Engine | None, about("Nextflow with its plugin nf-amazon.")] = None
    snakemake: Annotated[Engine | None, about("Snakemake with its executor plugin for AWS Batch.")] = None
    miniwdl: Annotated[Engine | None, about("miniwdl with miniwdl-aws.")] = None
    redun: Annotated[Engine | None, about("redun with its executor for AWS Batch.")] = None

    @property
    def given(self) -> dict[EngineName, Engine]:
        """Return the engines that the manifest has, by name."""
        engines: dict[EngineName, Engine | None] = {
            "nextflow": self.nextflow,
            "snakemake": self.snakemake,
            "miniwdl": self.miniwdl,
            "redun": self.redun,
        }
        return {name: engine for name, engine in engines.items() if engine}
