"""The manifest: its keys, the names of its resources, and what follows from the keys."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import structs

from gen_infra.aws.tags import COST_TAG, ENVIRONMENT_TAG
from gen_infra.manifest.model.file_system import FileSystem
from gen_infra.manifest.model.resource_names import ResourceNames
from gen_infra.manifest.model.settings import Bucket
from gen_infra.tools.versions import AWS_PROVIDERS, AwsProvider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.container import Container, EfsVolume
    from gen_infra.manifest.model.engine import EngineName
    from gen_infra.manifest.model.host_script import HostScript
    from gen_infra.manifest.model.image import Image
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.scheduling import ComputeEnvironment


class Manifest(ResourceNames, frozen=True, kw_only=True, dict=True):
    """One environment, with ``extends`` resolved."""

    @property
    def provider(self) -> AwsProvider:
        """Return the version of the AWS provider that the files are rendered for."""
        return AWS_PROVIDERS[self.terraform.aws_provider]

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
            or self.notifications.measures
            or self.stops_queues
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

        What existed before the manifest gets them too, so that no other environment adopts it.
        """
        return {**self.tags, **self.cost_tags, ENVIRONMENT_TAG: self.name}

    @property
    def cost_tags(self) -> dict[str, str]:
        """Return the tag by which Cost Explorer and the budget count what the environment costs.

        Instances lack the tag gen-infra:environment, by which the role of image builds may terminate its builders.
        """
        return {} if self.existing else {COST_TAG: self.name}

    @property
    def billed_tags(self) -> list[str]:
        """Return the keys of the tags that costs can be counted by: what is billed has them, see docs/budgets.md."""
        own = [self.tags, *(compute.tags for compute in self.compute.values())]
        return [*dict.fromkeys(key for tags in (self.cost_tags, *own) for key in tags)]

    @property
    def stops_queues(self) -> bool:
        """Return whether its queues are disabled when its budget is used up."""
        return bool(self.budget_topics)

    def instance_tags(self, compute: ComputeEnvironment) -> dict[str, str]:
        """Return the tags of a compute environment's instances and their volumes, besides their Name."""
        return {**self.merged_tags(compute.tags), **self.cost_tags}

    def merged_tags(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return the tags of a resource that has own tags: they win over the environment's."""
        return {**self.tags, **own}

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

    @property
    def job_folders(self) -> tuple[str, ...]:
        """Return the folders of the hosts that every job may mount: scratch, and FSx for Lustre file systems."""
        return (self.image.scratch.mount, *map(self.lustre_folder, self.lustre_file_systems))

    def file_system_of(self, volume: EfsVolume) -> FileSystem:
        """Return what a volume mounts: a file system of ``file_systems``, or the one with the volume's id."""
        named = self.file_systems.get(volume.file_system)
        return named or FileSystem(efs=volume.file_system, access_point=volume.access_point)

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
    def resource_keys(self) -> list[str]:
        """Return what the names of its resources have before the environment's name: ``isaac`` of ``isaac-prod``."""
        named = [*self.state_machines, *map(self.workflow_topic, self.workflows)]
        workflows = [name.removesuffix(f"-{self.name}") for name in named]
        return [*self.compute, *self.queues, *self.jobs, *self.created_file_systems, *workflows]

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

    @property
    def existing_job_roles(self) -> list[str]:
        """Return the ARNs of the roles of jobs that the environment does not create."""
        own = set(map(self.role_arn, self.engine_role_names))
        return sorted({job.role for job in self.jobs.values() if job.role} - own)
