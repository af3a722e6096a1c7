"""The names and ARNs of an environment's resources; most are known before the resources exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gen_infra.manifest.model.engine import ENGINES
from gen_infra.manifest.model.existing import Existing
from gen_infra.manifest.model.file_system import LUSTRE_FOLDER
from gen_infra.manifest.model.keys import ManifestKeys
from gen_infra.manifest.model.notifications import ALARMS, EXPLAINED_ALARMS
from gen_infra.manifest.model.settings import DEFAULT_LOG_GROUP

if TYPE_CHECKING:
    from gen_infra.manifest.model.access import AccessName
    from gen_infra.manifest.model.engine import Engine, EngineName

_NOTHING = Existing()
ENGINE_ROLES: tuple[Literal["worker", "head"], ...] = ("worker", "head")


class ResourceNames(ManifestKeys, frozen=True, kw_only=True, dict=True):
    """A manifest's keys, with the names of what it describes."""

    @property
    def adopted(self) -> Existing:
        """Return what existed before the manifest; without such a section, nothing."""
        return self.existing or _NOTHING

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

    def suffixed(self, key: str) -> str:
        """Add the environment's name, ``isaac`` -> ``isaac-prod``: for all names but those of the methods below."""
        return f"{key}-{self.name}"

    def queue_name(self, key: str) -> str:
        """Name the queue: ``main`` -> ``main-prod``, or the name that it had before the manifest."""
        return self.adopted.queues.get(key) or self.suffixed(key)

    def scheduling_policy_name(self, queue: str) -> str:
        """Name the scheduling policy of a queue: ``main`` -> ``main-prod``, or the name that it had before."""
        return self.adopted.scheduling_policies.get(queue) or self.suffixed(queue)

    def definition_name(self, key: str) -> str:
        """Name the job definition: ``isaac`` -> ``isaac-prod``, or the name that it had before the manifest."""
        return self.adopted.jobs.get(key, "").partition(":")[0] or self.suffixed(key)

    def batch_arn(self, kind: Literal["job-queue", "job-definition"], key: str) -> str:
        """Return the ARN (without revision) of a queue or job definition."""
        name = self.queue_name(key) if kind == "job-queue" else self.definition_name(key)
        return f"arn:{self.partition}:batch:{self.region}:{self.account}:{kind}/{name}"

    def repository_name(self, repository: str) -> str:
        """Name the ECR repository: ``isaac`` -> ``prod/isaac``, or the name that it had before the manifest."""
        return self.adopted.repositories.get(repository) or f"{self.name}/{repository}"

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

    @property
    def state_key(self) -> str:
        """Return the key of the Terraform state in the state bucket."""
        return f"gen-infra/{self.name}/terraform.tfstate"

    @property
    def vpc_name(self) -> str:
        """Return the name of the VPC that ``network.create`` creates; its parts are named ``batch-prod/…``."""
        return f"batch-{self.name}"

    def lustre_folder(self, key: str) -> str:
        """Return the folder of the hosts where an FSx for Lustre file system is mounted."""
        return f"{LUSTRE_FOLDER}/{key}"

    def file_system_security_group(self, key: str) -> str:
        """Name the security group of a created file system: ``refs`` -> ``batch-prod/file-systems/refs``."""
        return f"{self.vpc_name}/file-systems/{key}"

    def job_log_group(self, job: str) -> str:
        """Name the job's log group: ``isaac`` -> ``/aws/batch/prod/isaac``."""
        return f"/aws/batch/{self.name}/{job}"

    @property
    def rebuild_log_group(self) -> str:
        """Return the log group of the image's rebuilds."""
        return f"/aws/codebuild/{self.suffixed('batchImageRebuild')}"

    @property
    def log_group_patterns(self) -> list[str]:
        """Return the environment's log groups, as patterns for CloudWatch Logs' encryption context."""
        functions = [f"/aws/lambda/{self.suffixed(name)}" for name in ("batchSubmitJob", "batchGetJobStatus")]
        functions += [f"/aws/lambda/{self.suffixed('batchMeasure')}"] if self.notifications.measures else []
        functions += [f"/aws/lambda/{topic}" for topic in self.budget_topics]  # the function has the topic's name
        flow_logs = [f"/aws/vpc/{self.vpc_name}"] if self.network.create else []
        rebuilds = [self.rebuild_log_group] if self.image.rebuild else []
        default = [DEFAULT_LOG_GROUP] if self.logs.default_group else []
        workflows = [self.workflow_log_group(self.suffixed("*"))] if self.workflows else []
        return [self.job_log_group("*"), *functions, *flow_logs, *rebuilds, *default, *workflows]

    @property
    def rebuild_source_key(self) -> str:
        """Return the key of the image's source archive in the bucket of ``image.rebuild``."""
        return f"gen-infra/{self.name}/image-rebuild.zip"

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
    def alarm_topics(self) -> list[str]:
        """Return the names of the SNS topics for this environment's alarms."""
        return [self.suffixed("batchImageRebuild")] if self.image.rebuild else []

    @property
    def event_topics(self) -> list[str]:
        """Return the names of the SNS topics for this environment's EventBridge rules."""
        blocked = [self.suffixed("batchQueueBlocked")] if self.notifications.blocked_queues else []
        failed = [self.workflow_topic(key) for key, workflow in self.workflows.items() if workflow.on_failure]
        return [*blocked, *self._alarm_event_topics, *failed]

    @property
    def _alarm_event_topics(self) -> list[str]:
        """Return the names of the topics of the alarms' severities, to which rules publish that an alarm changed."""
        return [self.suffixed(f"batchAlarms{each.capitalize()}") for each in self.notifications.severities]

    @property
    def measuring_rules(self) -> list[str]:
        """Return the names of the EventBridge rules that call the function which measures the environment."""
        names = ["batchMeasure", "batchJobsEnded", "batchHostsLost"] if self.notifications.measures else []
        names += ["batchExplain"] if any(getattr(self.notifications, key) for key in EXPLAINED_ALARMS) else []
        return [self.suffixed(name) for name in names]

    @property
    def notifying_rules(self) -> list[str]:
        """Return the names of the EventBridge rules that publish to topics of blocked queues and failed runs."""
        return [name for name in self.event_topics if name not in self._alarm_event_topics]

    @property
    def event_rules(self) -> list[str]:
        """Return the names of all EventBridge rules: a topic's rule has its name."""
        cleared = [self.suffixed(f"batchAlarms{each.capitalize()}Cleared") for each in self.notifications.severities]
        return [*self.event_topics, *cleared, *self.measuring_rules]

    @property
    def dead_letter_queues(self) -> list[str]:
        """Return the names of the queues with events that functions gave up."""
        names = {"batchFunctions": bool(self.jobs), "batchMeasure": self.notifications.measures}
        # The queue of the function that stops the queues has its topic's name.
        return [*(self.suffixed(name) for name, exists in names.items() if exists), *self.budget_topics]

    @property
    def image_build_alarms(self) -> list[str]:
        """Return the names of the alarms of the image's rebuilds."""
        names = ("batchImageRebuildFailed", "batchImageRebuildNotStarted") if self.image.rebuild else ()
        return [self.suffixed(name) for name in names]

    @property
    def alarms(self) -> list[str]:
        """Return the names of this environment's alarms."""
        asked = self.notifications
        names = [self.suffixed(name) for key, name in ALARMS.items() if getattr(asked, key)]
        if asked.dead_letters:
            names += [f"batchDeadLetters-{queue}" for queue in self.dead_letter_queues]
            names += [f"batchRuleFailed-{rule}" for rule in self.event_rules]
        return [*self.image_build_alarms, *names]

    def alarm_arn(self, name: str) -> str:
        """Return the ARN of an alarm of this environment."""
        return f"arn:{self.partition}:cloudwatch:{self.region}:{self.account}:alarm:{name}"

    @property
    def dashboards(self) -> list[str]:
        """Return the name of the dashboard, if there is one."""
        return [f"batch-{self.name}"] if self.notifications.dashboard else []

    @property
    def budget_topics(self) -> list[str]:
        """Return the names of the SNS topics for this environment's budget."""
        budget = self.notifications.budget
        return [self.suffixed("batchQueueStop")] if budget and budget.stop_queues_at else []

    def role_arn(self, role_name: str) -> str:
        """Return the ARN of a role of this environment, known before the role exists."""
        return f"arn:{self.partition}:iam::{self.account}:role{self.iam.path}{role_name}"

    def job_role_name(self, job: str) -> str:
        """Name the job's role: ``isaac`` -> ``isaac-prod-job``."""
        return f"{job}-{self.name}-job"

    def job_role_arn(self, job: str) -> str:
        """Return the ARN of the role that a job runs as: the created one, or the existing one that it names."""
        return self.jobs[job].role or self.role_arn(self.job_role_name(job))

    def execution_role_name(self, job: str) -> str:
        """Name the job's execution role: ``isaac`` -> ``isaac-prod-execution``."""
        return f"{job}-{self.name}-execution"

    def access_role_name(self, role: AccessName) -> str:
        """Name the role of people and CI: ``apply`` -> ``batchAccessApply-prod``."""
        return self.suffixed(f"batchAccess{role.capitalize()}")

    @property
    def image_builder_profile(self) -> str:
        """Return the name of the image builder's instance profile: a new one, or the instances' existing one."""
        if self.iam.instance_profile:
            return self.iam.instance_profile.rpartition("/")[2]
        return self.suffixed("batchImageBuilder")

    @property
    def image_builder_profile_arn(self) -> str:
        """Return the ARN of the image builder's instance profile, known before the profile exists."""
        created = (
            f"arn:{self.partition}:iam::{self.account}:instance-profile{self.iam.path}{self.image_builder_profile}"
        )
        return self.iam.instance_profile or created

    def state_machine_name(self, workflow: str) -> str:
        """Name the state machine of one run of a workflow: ``germline`` -> ``germline-prod``."""
        return self.suffixed(workflow)

    def many_machine_name(self, workflow: str) -> str:
        """Name the state machine that runs a workflow for a list: ``germline`` -> ``germline-many-prod``."""
        return f"{workflow}-many-{self.name}"

    def machines_of(self, workflow: str) -> list[str]:
        """Return the names of a workflow's state machines: for one run, and for a list."""
        many = [self.many_machine_name(workflow)] if self.workflows[workflow].many else []
        return [self.state_machine_name(workflow), *many]

    @property
    def state_machines(self) -> list[str]:
        """Return the names of all state machines."""
        return [name for key in self.workflows for name in self.machines_of(key)]

    def state_machine_arn(self, name: str) -> str:
        """Return the ARN of a state machine of this environment."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{name}"

    def workflow_log_group(self, state_machine: str) -> str:
        """Name the log group of a state machine: ``germline-prod`` -> ``/aws/vendedlogs/states/germline-prod``."""
        return f"/aws/vendedlogs/states/{state_machine}"

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

    def definition_names(self, engine: EngineName) -> list[str]:
        """Return the names of the job definitions that an engine registers, with ``*`` for any rest."""
        given, name = self.given_engines[engine], ENGINES[engine].definitions
        if given.jobs:
            return []
        return [name.format(name=self.name)] if name else [f"{task}-*" for task in given.tasks]

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


def image_repository(image: str) -> str:
    """Return the repository of an image: ``isaac:1.0`` or ``isaac@sha256:…`` -> ``isaac``."""
    return image.partition("@")[0].partition(":")[0]
