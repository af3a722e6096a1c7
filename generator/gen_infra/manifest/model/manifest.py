"""The manifest's types: frozen structs whose field descriptions are also in the JSON Schema and the documentation.

Only these structs define defaults. Keys are AWS's or Terraform's terms, with the unit in the name.
Limits of a single value are here; rules between values are in `gen_infra.manifest.rules`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, structs

from gen_infra.manifest.model.access import Access, AccessName
from gen_infra.manifest.model.base import (
    AccountId,
    EnvironmentName,
    ImageTag,
    Key,
    Model,
    Region,
    RepositoryName,
    TagKey,
    TagValue,
    about,
)
from gen_infra.manifest.model.engine import ENGINES, Engines
from gen_infra.manifest.model.existing import Existing
from gen_infra.manifest.model.file_system import LUSTRE_FOLDER, FileSystem
from gen_infra.manifest.model.image import Image
from gen_infra.manifest.model.job import Job
from gen_infra.manifest.model.network import Network
from gen_infra.manifest.model.scheduling import ComputeEnvironment, Queue
from gen_infra.manifest.model.settings import (
    DEFAULT_LOG_GROUP,
    Bucket,
    Encryption,
    Hosts,
    Iam,
    Logs,
    Notifications,
    StateBucket,
    Suppression,
    TerraformSettings,
)
from gen_infra.manifest.model.workflow import Workflow
from gen_infra.versions import AWS_PROVIDERS, AwsProvider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.container import Container, EfsVolume
    from gen_infra.manifest.model.engine import Engine, EngineName
    from gen_infra.manifest.model.host_script import HostScript

_NOTHING = Existing()
ENGINE_ROLES: tuple[Literal["worker", "head"], ...] = ("worker", "head")


class Manifest(Model, frozen=True, kw_only=True, dict=True):
    """One environment, with ``extends`` resolved."""

    name: Annotated[EnvironmentName, about("The environment's name, the suffix of its resources' names.")]
    account: Annotated[AccountId, about("The id of the only AWS account that Terraform may change.")]
    region: Annotated[Region, about("The AWS region of all resources.")]
    tags: Annotated[
        dict[TagKey, TagValue], Meta(max_length=40), about("Tags of every resource that supports tags.")
    ] = {}
    state: Annotated[Literal["local"] | StateBucket, about("`local`, or the S3 bucket of the Terraform state.")]
    terraform: TerraformSettings = TerraformSettings()
    network: Network
    encryption: Encryption = Encryption()
    iam: Iam = Iam()
    access: Annotated[
        Access | None, about("Roles for people and CI, each with the rights of its commands; default: none.")
    ] = None
    logs: Logs = Logs()
    notifications: Notifications = Notifications()
    buckets: Annotated[dict[Key, Bucket], about("Buckets that jobs may use, by a name of your choice.")] = {}
    file_systems: Annotated[
        dict[Key, FileSystem],
        about("File systems that jobs share, by a name of your choice; jobs mount them by `efs` or `fsx`."),
    ] = {}
    repositories: Annotated[tuple[RepositoryName, ...], about("ECR repositories to create, each under `<name>/`.")] = ()
    image_tags: Annotated[
        dict[RepositoryName, ImageTag],
        about("The tag or digest of each repository's image, for jobs whose `image` has none; also `--image-tag`."),
    ] = {}
    image: Image = Image()
    hosts: Hosts = Hosts()
    compute: Annotated[
        dict[Key, ComputeEnvironment],
        Meta(min_length=1),
        about("Compute environments; `spot` becomes `spot-<name>-…`."),
    ]
    queues: Annotated[dict[Key, Queue], Meta(min_length=1), about("Job queues; `main` becomes `main-<name>`.")]
    jobs: Annotated[dict[Key, Job], about("Job definitions; `isaac` becomes `isaac-<name>`.")] = {}
    workflows: Annotated[
        dict[Key, Workflow],
        about("Step Functions state machines that run jobs in order; `germline` becomes `germline-<name>`."),
    ] = {}
    engines: Annotated[
        Engines | None, about("Workflow engines that submit jobs themselves, each with its roles; default: none.")
    ] = None
    existing: Annotated[
        Existing | None, about("Resources that existed before this manifest; `gen-infra adopt` writes this section.")
    ] = None
    suppressions: Annotated[
        tuple[Suppression, ...], about("Findings of `gen-infra check` to accept, each until a date.")
    ] = ()

    # Names and ARNs that several files use.

    @property
    def partition(self) -> str:
        """Return the ARN partition of the region."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")

    @property
    def dns_suffix(self) -> str:
        """Return the domain of the partition's regional endpoints."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def key_alias(self) -> str:
        """Return the alias of the key that ``encryption.key: create`` creates."""
        return f"alias/batch-{self.name}"

    @property
    def provider(self) -> AwsProvider:
        """Return the version of the AWS provider that the files are rendered for."""
        return AWS_PROVIDERS[self.terraform.aws_provider]

    def suffixed(self, key: str) -> str:
        """Add the environment's name, ``isaac`` -> ``isaac-prod``: for all names but those of the methods below."""
        return f"{key}-{self.name}"

    @property
    def adopted(self) -> Existing:
        """Return what existed before the manifest; without such a section, nothing."""
        return self.existing or _NOTHING

    def queue_name(self, key: str) -> str:
        """Name the queue: ``main`` -> ``main-prod``, or the name that it had before the manifest."""
        return self.adopted.queues.get(key) or self.suffixed(key)

    def scheduling_policy_name(self, queue: str) -> str:
        """Name the scheduling policy of a queue: ``main`` -> ``main-prod``, or the name that it had before."""
        return self.adopted.scheduling_policies.get(queue) or self.suffixed(queue)

    def definition_name(self, key: str) -> str:
        """Name the job definition: ``isaac`` -> ``isaac-prod``, or the name that it had before the manifest."""
        return self.adopted.jobs.get(key, "").partition(":")[0] or self.suffixed(key)

    @property
    def kept_jobs(self) -> dict[str, str]:
        """Return the job definitions that stay as they are: key -> revision."""
        named = {key: existing.partition(":") for key, existing in self.adopted.jobs.items()}
        return {key: revision for key, (_, _, revision) in named.items() if revision}

    @property
    def own_jobs(self) -> dict[str, Job]:
        """Return the jobs whose definitions are registered as the manifest describes them."""
        kept = self.kept_jobs
        return {key: job for key, job in self.jobs.items() if key not in kept} if kept else self.jobs

    @property
    def own_compute(self) -> dict[str, ComputeEnvironment]:
        """Return the compute environments that are created as the manifest describes them."""
        kept = self.adopted.compute
        return {key: compute for key, compute in self.compute.items() if key not in kept} if kept else self.compute

    @property
    def own_repositories(self) -> tuple[str, ...]:
        """Return the repositories that are created."""
        return tuple(repository for repository in self.repositories if repository not in self.adopted.repositories)

    @property
    def needs_key(self) -> bool:
        """Return whether it has resources that its key encrypts; what existed before keeps its own encryption."""
        return bool(
            self.own_compute
            or self.own_jobs
            or self.own_repositories
            or self.logs.default_group
            or self.network.create
            or self.image.rebuild
            or self.notifications.blocked_queues
            or self.workflows
            or self.given_engines
            or self.created_file_systems
        )

    @property
    def creates_key(self) -> bool:
        """Return whether it creates its key."""
        return self.encryption.key == "create" and self.needs_key

    @property
    def resource_tags(self) -> dict[str, str]:
        """Return the tags that the provider gives each resource: the manifest's, and whose it is.

        What existed before the manifest is imported unchanged, so that such an environment has the manifest's alone.
        """
        return self.tags if self.existing else {**self.tags, "gen-infra:environment": self.name}

    def merged_tags(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return the tags of a resource that has own tags: they win over the environment's."""
        return {**self.tags, **own}

    @property
    def state_key(self) -> str:
        """Return the key of the Terraform state in the state bucket."""
        return f"gen-infra/{self.name}/terraform.tfstate"

    @property
    def uses_spot(self) -> bool:
        """Return whether any compute environment that it creates runs on Spot."""
        return any(compute.type == "SPOT" for compute in self.own_compute.values())

    @property
    def uses_ec2(self) -> bool:
        """Return whether any compute environment that it creates has instances."""
        return not all(compute.is_fargate for compute in self.own_compute.values())

    def image_of(self, key: str) -> Image:
        """Return the image of a compute environment: the environment's, or its own with the same volumes."""
        own = self.compute[key].image
        if own is None:
            return self.image
        return structs.replace(
            self.image, base=own.base or self.image.base, source=None, id=own.id, parameter=own.parameter, rebuild=None
        )

    def images(self) -> dict[str, Image]:
        """Return the image of each compute environment with instances."""
        return {key: self.image_of(key) for key, compute in self.compute.items() if not compute.is_fargate}

    def own_images(self) -> dict[str, Image]:
        """Return the image of each compute environment with instances that the environment creates."""
        return {key: image for key, image in self.images().items() if key in self.own_compute}

    def host_scripts(self) -> Iterator[tuple[KeyPath, HostScript]]:
        """Yield every script that runs as root on the hosts, with its path in the manifest."""
        for index, script in enumerate(self.image.build_scripts):
            yield ("image", "scripts", index), script
        for key, compute in self.compute.items():
            for index, script in enumerate(compute.boot_scripts):
                yield ("compute", key, "user_data", index), script

    def named_images(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield every id of an AMI, with its path in the manifest."""
        named: dict[KeyPath, str | None] = {("image", "id"): self.image.id, ("image", "source"): self.image.source}
        named |= {("compute", key, "image", "id"): each.image.id for key, each in self.compute.items() if each.image}
        yield from ((place, ami) for place, ami in named.items() if ami and ami.startswith("ami-"))

    def base_key(self, key: str) -> str:
        """Return the key that names the base image of a compute environment, for messages."""
        own = self.compute[key].image
        return f"compute.{key}.image.base" if own and own.base else "image.base"

    @property
    def runs_image(self) -> bool:
        """Return whether any compute environment runs the environment's image, not its own."""
        return any(compute.image is None and not compute.is_fargate for compute in self.own_compute.values())

    @property
    def mounts_efs(self) -> bool:
        """Return whether the environment has an EFS file system, or a job mounts one."""
        return (
            any(each.efs for each in self.file_systems.values())
            or any(container.efs for _, _, container in self.containers())
            or any(engine.efs for engine in self.given_engines.values())
            or any(
                "efsVolumeConfiguration" in volume
                for job in self.jobs.values()
                for volume in job.container_properties.get("volumes", [])
            )
        )

    @property
    def created_file_systems(self) -> dict[str, FileSystem]:
        """Return the file systems that the environment creates, by name."""
        return {key: each for key, each in self.file_systems.items() if each.is_created}

    @property
    def lustre_file_systems(self) -> dict[str, FileSystem]:
        """Return the FSx for Lustre file systems, by name."""
        return {key: each for key, each in self.file_systems.items() if each.fsx}

    def lustre_folder(self, key: str) -> str:
        """Return the folder of the hosts where an FSx for Lustre file system is mounted."""
        return f"{LUSTRE_FOLDER}/{key}"

    @property
    def job_folders(self) -> tuple[str, ...]:
        """Return the folders of the hosts that every job may mount: scratch, and FSx for Lustre file systems."""
        return (self.image.scratch.mount, *map(self.lustre_folder, self.lustre_file_systems))

    def file_system_of(self, volume: EfsVolume) -> FileSystem:
        """Return what a volume mounts: a file system of ``file_systems``, or the one with the volume's id."""
        named = self.file_systems.get(volume.file_system)
        return named or FileSystem(efs=volume.file_system, access_point=volume.access_point)

    def file_system_security_group(self, key: str) -> str:
        """Name the security group of a created file system: ``refs`` -> ``batch-prod/file-systems/refs``."""
        return f"{self.vpc_name}/file-systems/{key}"

    def job_mounts(self, key: str) -> dict[str, bool]:
        """Return the jobs that mount a created file system and have a created role, and whether they may write."""
        mounts: dict[str, bool] = {}
        for name, job in self.jobs.items():
            volumes = [volume for each in job.all_containers.values() for volume in each.efs.values()]
            if used := [volume for volume in volumes if volume.file_system == key and not job.role]:
                mounts[name] = not all(volume.read_only for volume in used)
        return mounts

    def engine_mounts(self, key: str) -> dict[EngineName, bool]:
        """Return the engines that mount a created file system, and whether they may write."""
        mounts: dict[EngineName, bool] = {}
        for name, engine in self.given_engines.items():
            if used := [volume for volume in engine.efs.values() if volume.file_system == key]:
                mounts[name] = not all(volume.read_only for volume in used)
        return mounts

    @property
    def nodes_talk(self) -> bool:
        """Return whether instances must reach each other: for the nodes of a job, and by EFA."""
        return any(job.nodes for job in self.jobs.values()) or any(compute.efa for compute in self.compute.values())

    def containers(self) -> Iterator[tuple[KeyPath, Job, Container]]:
        """Yield every container of every job, with its path in the manifest."""
        for key, job in self.jobs.items():
            for name, container in job.all_containers.items():
                yield ("jobs", key, *(("containers", name) if job.containers else ())), job, container

    def queue_of(self, job: Job) -> str:
        """Return the queue of a job; a submission may choose another one."""
        return job.queue or next(iter(self.queues))

    def is_on_fargate(self, job: Job) -> bool:
        """Return whether the job's queue is on Fargate; False for an unknown queue, which a rule reports."""
        return self.queue_of(job) in self._fargate_queues

    @cached_property
    def _fargate_queues(self) -> frozenset[str]:
        """Return the queues whose first compute environment is on Fargate; a rule reports unknown ones."""
        first = {
            key: next((self.compute[name] for name in queue.compute if name in self.compute), None)
            for key, queue in self.queues.items()
        }
        return frozenset(key for key, compute in first.items() if compute is not None and compute.is_fargate)

    def needs_execution_role(self, job: Job) -> bool:
        """Return whether ECS needs a role to start the job: always on Fargate, on an instance only for secrets."""
        return self.is_on_fargate(job) or any(
            container.secrets or container.repository_credentials for container in job.all_containers.values()
        )

    @property
    def log_group_patterns(self) -> list[str]:
        """Return the environment's log groups, as patterns for CloudWatch Logs' encryption context."""
        functions = [f"/aws/lambda/{self.suffixed(name)}" for name in ("batchSubmitJob", "batchGetJobStatus")]
        flow_logs = [f"/aws/vpc/{self.vpc_name}"] if self.network.create else []
        rebuilds = [self.rebuild_log_group] if self.image.rebuild else []
        default = [DEFAULT_LOG_GROUP] if self.logs.default_group else []
        workflows = [f"/aws/vendedlogs/states/{self.suffixed('*')}"] if self.workflows else []
        return [self.job_log_group("*"), *functions, *flow_logs, *rebuilds, *default, *workflows]

    @property
    def image_builder_profile_arn(self) -> str:
        """Return the ARN of the image builder's instance profile, known before the profile exists."""
        created = (
            f"arn:{self.partition}:iam::{self.account}:instance-profile{self.iam.path}{self.image_builder_profile}"
        )
        return self.iam.instance_profile or created

    @property
    def rebuild_log_group(self) -> str:
        """Return the log group of the image's rebuilds."""
        return f"/aws/codebuild/{self.suffixed('batchImageRebuild')}"

    @property
    def rebuild_source_key(self) -> str:
        """Return the key of the image's source archive in the bucket of ``image.rebuild``."""
        return f"gen-infra/{self.name}/image-rebuild.zip"

    @property
    def alarm_topics(self) -> list[str]:
        """Return the names of the SNS topics for this environment's alarms."""
        return [self.suffixed("batchImageRebuild")] if self.image.rebuild else []

    @property
    def image_parameter(self) -> str:
        """Return the SSM parameter that receives the id of a newly built image."""
        return self.image.parameter or f"/gen-infra/{self.name}/ami"

    @property
    def packer_key(self) -> str:
        """Return the key of the image's volumes: the created key by its alias, which is known before the key exists."""
        if self.encryption.key != "create":
            return self.encryption.key
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:{self.key_alias}"

    @property
    def image_builder_profile(self) -> str:
        """Return the name of the image builder's instance profile: a new one, or the instances' existing one."""
        if self.iam.instance_profile:
            return self.iam.instance_profile.rpartition("/")[2]
        return self.suffixed("batchImageBuilder")

    @property
    def event_topics(self) -> list[str]:
        """Return the names of the SNS topics for this environment's EventBridge rules."""
        blocked = [self.suffixed("batchQueueBlocked")] if self.notifications.blocked_queues else []
        failed = [self.workflow_topic(key) for key, workflow in self.workflows.items() if workflow.on_failure]
        return [*blocked, *failed]

    @property
    def vpc_name(self) -> str:
        """Return the name of the VPC that ``network.create`` creates; its parts are named ``batch-prod/…``."""
        return f"batch-{self.name}"

    def repository_name(self, repository: str) -> str:
        """Name the ECR repository: ``isaac`` -> ``prod/isaac``, or the name that it had before the manifest."""
        return self.adopted.repositories.get(repository) or f"{self.name}/{repository}"

    def job_role_name(self, job: str) -> str:
        """Name the job's role: ``isaac`` -> ``isaac-prod-job``."""
        return f"{job}-{self.name}-job"

    def execution_role_name(self, job: str) -> str:
        """Name the job's execution role: ``isaac`` -> ``isaac-prod-execution``."""
        return f"{job}-{self.name}-execution"

    def access_role_name(self, role: AccessName) -> str:
        """Name the role of people and CI: ``apply`` -> ``batchAccessApply-prod``."""
        return self.suffixed(f"batchAccess{role.capitalize()}")

    def job_log_group(self, job: str) -> str:
        """Name the job's log group: ``isaac`` -> ``/aws/batch/prod/isaac``."""
        return f"/aws/batch/{self.name}/{job}"

    def state_machine_name(self, workflow: str) -> str:
        """Name the state machine of one run of a workflow: ``germline`` -> ``germline-prod``."""
        return self.suffixed(workflow)

    def many_machine_name(self, workflow: str) -> str:
        """Name the state machine that runs a workflow for a list: ``germline`` -> ``germline-many-prod``."""
        return f"{workflow}-many-{self.name}"

    @property
    def resource_keys(self) -> list[str]:
        """Return what the names of its resources have before the environment's name: ``isaac`` of ``isaac-prod``."""
        named = [*self.state_machines, *map(self.workflow_topic, self.workflows)]
        workflows = [name.removesuffix(f"-{self.name}") for name in named]
        return [*self.compute, *self.queues, *self.jobs, *self.created_file_systems, *workflows]

    @property
    def state_machines(self) -> list[str]:
        """Return the names of all state machines."""
        return [name for key in self.workflows for name in self.machines_of(key)]

    def machines_of(self, workflow: str) -> list[str]:
        """Return the names of a workflow's state machines: for one run, and for a list."""
        many = [self.many_machine_name(workflow)] if self.workflows[workflow].many else []
        return [self.state_machine_name(workflow), *many]

    def state_machine_arn(self, name: str) -> str:
        """Return the ARN of a state machine of this environment."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{name}"

    def workflow_role_name(self, state_machine: str) -> str:
        """Name the role of a state machine: ``germline-prod`` -> ``germline-prod-workflow``."""
        return f"{state_machine}-workflow"

    def workflow_topic(self, workflow: str) -> str:
        """Name the topic and the rule for failed runs of a workflow: ``germline`` -> ``germline-failed-prod``."""
        return f"{workflow}-failed-{self.name}"

    @property
    def given_engines(self) -> dict[EngineName, Engine]:
        """Return the workflow engines by name."""
        return self.engines.given if self.engines else {}

    def engine_role_name(self, engine: EngineName, role: Literal["worker", "head"]) -> str:
        """Name a role of an engine: ``nextflow-prod-worker`` of its tasks, ``nextflow-prod-head`` of itself."""
        return f"{engine}-{self.name}-{role}"

    def engine_role_arn(self, engine: EngineName, role: Literal["worker", "head"]) -> str:
        """Return the ARN of a role of an engine, known before the role exists."""
        return self.role_arn(self.engine_role_name(engine, role))

    @property
    def engine_role_names(self) -> list[str]:
        """Return the names of the roles of all engines."""
        return [self.engine_role_name(key, role) for key in self.given_engines for role in ENGINE_ROLES]

    def work_bucket(self, engine: EngineName) -> Bucket:
        """Return the bucket of an engine's intermediate files, limited to their prefix."""
        work = self.given_engines[engine].work
        declared = self.buckets.get(work.bucket)
        return Bucket(
            name=declared.name if declared else work.bucket,
            access="work",
            prefix=work.prefix,
            kms_key=declared.kms_key if declared else work.kms_key,
        )

    def definition_names(self, engine: EngineName) -> list[str]:
        """Return the names of the job definitions that an engine registers, with ``*`` for any rest."""
        given, name = self.given_engines[engine], ENGINES[engine].definitions
        if given.jobs:
            return []
        return [name.format(name=self.name)] if name else [f"{task}-*" for task in given.tasks]

    @property
    def existing_job_roles(self) -> list[str]:
        """Return the ARNs of the roles of jobs that the environment does not create."""
        own = set(map(self.role_arn, self.engine_role_names))
        return sorted({job.role for job in self.jobs.values() if job.role} - own)

    def job_role_arn(self, job: str) -> str:
        """Return the ARN of the role that a job runs as: the created one, or the existing one that it names."""
        return self.jobs[job].role or self.role_arn(self.job_role_name(job))

    def role_arn(self, role_name: str) -> str:
        """Return the ARN of a role of this environment, known before the role exists."""
        return f"arn:{self.partition}:iam::{self.account}:role{self.iam.path}{role_name}"

    def own_role_patterns(self, iam_path: str | None = None) -> tuple[str, ...]:
        """Return patterns of the ARNs of this environment's roles and instance profiles.

        All below ``iam.path``, which is for such roles alone; those that the environment creates where there is no
        path, or another than ``iam_path``.
        """
        names = ["*"]
        if self.iam.path == "/" or iam_path not in {None, self.iam.path}:
            created = ("batchInstance", "batchService", "batchSpotFleet")
            jobs = [self.job_role_name(key) for key, job in self.jobs.items() if not job.role]
            executions = [self.execution_role_name(key) for key in self.jobs]
            names = [*map(self.suffixed, created), *jobs, *executions, *self.engine_role_names]
        return tuple(
            f"arn:{self.partition}:iam::{self.account}:{kind}{self.iam.path}{name}"
            for kind in ("role", "instance-profile")
            for name in names
        )

    def batch_arn(self, kind: Literal["job-queue", "job-definition"], key: str) -> str:
        """Return the ARN (without revision) of a queue or job definition."""
        name = self.queue_name(key) if kind == "job-queue" else self.definition_name(key)
        return f"arn:{self.partition}:batch:{self.region}:{self.account}:{kind}/{name}"

    def image_uri(self, image: str) -> str:
        """Return the URI of a container's image: in one of the manifest's repositories, or the URI that it is."""
        repository = image_repository(image)
        if repository not in self.repositories:
            return image
        registry = f"{self.account}.dkr.ecr.{self.region}.{self.dns_suffix}"
        tag = self.image_tags.get(repository, "") if image == repository else ""
        separator = "@" if tag.startswith("sha256:") else ":"
        name = f"{self.repository_name(repository)}{image.removeprefix(repository)}"
        return f"{registry}/{name}{separator if tag else ''}{tag}"


def image_repository(image: str) -> str:
    """Return the repository of an image: ``isaac:1.0`` or ``isaac@sha256:…`` -> ``isaac``."""
    return image.partition("@")[0].partition(":")[0]
