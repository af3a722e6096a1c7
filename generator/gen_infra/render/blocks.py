"""Compute the values in the templates from the manifest, with one small function for each kind of block."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import structs

from gen_infra.manifest.instance_policies import clusters, instance_log_groups, pulled_repositories
from gen_infra.manifest.job_policies import job_definition_arns, role_policies
from gen_infra.manifest.lustre import boot_scripts
from gen_infra.manifest.model.resource_names import ENGINE_ROLES
from gen_infra.manifest.model.scheduling import TIME_LIMIT_KEYS
from gen_infra.manifest.model.settings import DEFAULT_LOG_GROUP
from gen_infra.manifest.placements import offered
from gen_infra.manifest.rules.names import repository_label
from gen_infra.manifest.user_data import user_data
from gen_infra.render.containers import container_properties, ecs_properties, node_properties
from gen_infra.render.hcl import Hcl, reference
from gen_infra.tools.versions import terraform_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gen_infra.manifest.job_policies import RolePolicy
    from gen_infra.manifest.model.access import AccessRole
    from gen_infra.manifest.model.image import Image, RootVolume, Scratch
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment, Queue, TimeLimits


def context(manifest: Manifest) -> dict[str, Any]:
    """Return the templates' context: the manifest as ``env``, and the references and functions that blocks share."""
    ids = manifest.network.ids
    return {
        "env": manifest,
        "instance_profile_arn": manifest.iam.instance_profile or reference("module.instance_role.instance_profile_arn"),
        "image_id": image_id,
        "image_parameters": image_parameters(manifest),
        "image_builder_role_arn": reference("data.aws_iam_instance_profile.builder.role_arn")
        if manifest.iam.instance_profile
        else manifest.role_arn(manifest.image_builder_profile),
        "terraform_range": terraform_range(has_bucket=manifest.state != "local"),
        "provider_range": manifest.provider.range,
        "kms_key_arn": kms_key_arn(manifest),
        "security_group_ids": ids.security_groups if ids else reference("module.network.security_group_ids"),
        "subnet_ids": ids.subnets if ids else reference("module.network.subnet_ids"),
        "default_log_group": DEFAULT_LOG_GROUP,
        "needed_roles": needed_roles(manifest),
        "job_queue_arns": [manifest.batch_arn("job-queue", key) for key in manifest.queues],
        "job_definition_arns": job_definition_arns(manifest),
        "queue_names": [manifest.queue_name(key) for key in manifest.queues],
        "alarm_arns": [manifest.alarm_arn(name) for name in manifest.alarms],
        "alarm_emails": {each: getattr(manifest.notifications, each) for each in manifest.notifications.severities},
        "fields": lambda settings: structs.asdict(settings) if settings else None,
        "base_parameter_arn": base_parameter_arn,
        "service_role_arn": service_role_arn,
        "volume": volume,
        "efa_interfaces": efa_interfaces,
        "clusters": clusters,
        "instance_log_groups": instance_log_groups,
        "pulled_repositories": pulled_repositories,
        "boot_scripts": boot_scripts,
        "user_data": user_data,
        "scheduling": scheduling,
        "time_limits": time_limits,
        **(access(manifest) if manifest.access else {}),
        **(engines(manifest) if manifest.engines else {}),
        "role_policies": role_policies,
        "cached": lru_cache(1024)(_call),
        "container_properties": container_properties,
        "ecs_properties": ecs_properties,
        "node_properties": node_properties,
        "job_dependencies": job_dependencies,
        "repository_label": repository_label,
        "mounting_roles": mounting_roles,
        "state_machines": state_machines,
        "step_queues": step_queues,
        "step_jobs": step_jobs,
        "all_else": all_else(manifest),
        **outputs(manifest),
    }


def access(manifest: Manifest) -> dict[str, Any]:
    """Return the context of the roles of people and CI; what it needs is imported only here, for few manifests."""
    from gen_infra.permissions.policies import policies
    from gen_infra.permissions.trust import audience, trust_policy

    return {
        "access_policies": {
            role: policies(manifest, role) for role in (manifest.access.roles if manifest.access else ())
        },
        "audience": audience,
        "oidc_dependencies": oidc_dependencies,
        "oidc_provider_arn": oidc_provider_arn,
        "trust_policy": trust_policy,
    }


def engines(manifest: Manifest) -> dict[str, Any]:
    """Return the context of workflow engines; what it needs is imported only here, for few manifests."""
    from gen_infra.manifest.engine_policies import files_statements
    from gen_infra.manifest.model.engine import ENGINES

    return {
        "engine_jobs": lambda env, key: [env.batch_arn("job-definition", job) for job in env.given_engines[key].jobs],
        "engine_traits": {key: ENGINES[key] for key in manifest.given_engines},
        "files_statements": files_statements,
    }


def _call(macro: Callable[[object], Hcl], argument: object) -> Hcl:
    """Call a template's macro, which ``cached`` does once for equal arguments."""
    return macro(argument)


def modules(manifest: Manifest) -> list[str]:
    """Return the names of the static modules that the environment uses."""
    creates_instance_roles = manifest.uses_ec2 and not manifest.iam.instance_profile
    used = {
        "compute-environment": manifest.uses_ec2,
        "dashboard": manifest.notifications.dashboard,
        "encryption": manifest.creates_key,
        "budget": manifest.notifications.budget,
        "engine": manifest.engines,
        "environment-alarms": manifest.notifications.measures,
        "file-system": manifest.created_file_systems,
        "existing-environment": manifest.adopted.compute,
        "fargate-environment": any(compute.is_fargate for compute in manifest.own_compute.values()),
        "image-builder": creates_instance_roles,
        "image-pipeline": manifest.image.rebuild,
        "instance-role": creates_instance_roles,
        "job-functions": manifest.own_jobs,
        "network": manifest.network.create,
        "network-lookup": manifest.network.lookup,
        "queue-notifications": manifest.notifications.blocked_queues,
        "queue-stop": manifest.stops_queues,
        "repository": manifest.own_repositories,
        "workflow": manifest.workflows,
    }
    roles = [role.replace("_", "-") for role in needed_roles(manifest)]
    return sorted([*roles, *(module for module, is_used in used.items() if is_used)])


def all_else(manifest: Manifest) -> list[Hcl]:
    """Return every module, and the resources of the root module that no other resource depends on."""
    many = {
        *("compute-environment", "existing-environment", "fargate-environment"),
        *("engine", "file-system", "repository", "workflow"),
    }
    once = [module for module in modules(manifest) if module not in many]
    names = [
        *(f"module.{module.removesuffix('-lookup').replace('-', '_')}" for module in once),
        *(f"module.compute_{key}" for key in manifest.compute),
        *(f"module.file_system_{key}" for key in manifest.created_file_systems),
        *(f"module.repository_{repository_label(repository)}" for repository in manifest.own_repositories),
        *existing_resources(manifest),
        *(f"module.workflow_{key}" for key in manifest.workflows),
        *(f"module.engine_{key}" for key in manifest.given_engines),
        *(f"aws_batch_job_queue.{key}" for key in manifest.queues),
        *(f"aws_batch_job_definition.{key}" for key in manifest.jobs),
        *(["aws_cloudwatch_log_group.batch_default"] if manifest.logs.default_group else []),
        *(_access_attachments(manifest) if manifest.access else ()),
    ]
    return [reference(name) for name in names]


def _access_attachments(manifest: Manifest) -> Iterator[str]:
    for role, parts in access(manifest)["access_policies"].items():
        yield from (f"aws_iam_role_policy_attachment.access_{role}_{number + 1}" for number in range(len(parts)))


def needed_roles(manifest: Manifest) -> list[str]:
    """Return the roles that only some compute environments need."""
    computes = manifest.own_compute.values()
    needed = {
        "service_role": any(compute.service_role == "create" for compute in computes),
        "spot_fleet_role": any(compute.needs_spot_fleet_role for compute in computes),
    }
    return [role for role, is_needed in needed.items() if is_needed]


def existing_resources(manifest: Manifest) -> list[str]:
    """Return the addresses of what existed before the manifest, and is no module, queue or job definition."""
    existing = manifest.adopted
    several = {
        "aws_cloudwatch_log_group.existing": existing.log_groups,
        "aws_iam_role.existing": existing.roles,
        "aws_iam_instance_profile.existing": existing.instance_profiles,
    }
    repositories = (f"aws_ecr_repository.{repository_label(each)}" for each in existing.repositories)
    return [*repositories, *(address for address, names in several.items() if names)]


def kms_key_arn(manifest: Manifest) -> str | None:
    """Return the ARN of the key, or a reference to the created one; None where nothing needs one."""
    if manifest.encryption.key != "create":
        return manifest.encryption.key
    return reference("module.encryption.key_arn") if manifest.needs_key else None


def service_role_arn(compute: ComputeEnvironment) -> str | None:
    """Return the ARN of a custom service role; None for the service-linked role, which is Batch's default."""
    if compute.service_role == "service-linked":
        return None
    return reference("module.service_role.arn") if compute.service_role == "create" else compute.service_role


def oidc_provider_arn(manifest: Manifest, host: str) -> str:
    """Return the ARN of the identity provider of GitHub or GitLab, known before the provider exists."""
    return f"arn:{manifest.partition}:iam::{manifest.account}:oidc-provider/{host}"


def oidc_dependencies(role: AccessRole) -> list[Hcl]:
    """Return the identity providers that must exist before a role can trust them."""
    used = [label for label, subjects in (("github", role.github), ("gitlab", role.gitlab)) if subjects]
    return [reference(f"aws_iam_openid_connect_provider.{label}") for label in used]


def image_id(image: Image, label: str) -> str:
    """Return the id of the AMI to run, or a reference to the SSM parameter that has it."""
    return image.id or reference(f"data.aws_ssm_parameter.{label}.insecure_value")


def image_parameters(manifest: Manifest) -> dict[str, str]:
    """Return the SSM parameters with the ids of the AMIs to run, by the labels of their data sources."""
    images = {"image": manifest.image} if manifest.runs_image else {}
    images |= {f"image_{key}": image for key, image in manifest.own_images().items() if manifest.compute[key].image}
    return {label: image.run_source for label, image in images.items() if not image.id}


def volume(settings: RootVolume | Scratch) -> dict[str, object]:
    """Return an EBS volume as an input of the compute-environment module."""
    fields = {
        "size_gib": settings.size_gib,
        "type": settings.type,
        "iops": settings.iops,
        "throughput": settings.throughput,
    }
    return {name: value for name, value in fields.items() if value is not None}


def efa_interfaces(compute: ComputeEnvironment) -> int:
    """Return how many EFAs each instance gets: as many as the type with the fewest network cards has."""
    return min(instance.efa_interfaces for instance in offered(compute.instance_types)) if compute.efa else 0


def scheduling(queues: Mapping[str, Queue]) -> dict[str, str]:
    """Return how each queue schedules its jobs."""
    return {key: "fair share" if queue.fair_share else "FIFO" for key, queue in queues.items()}


def time_limits(limits: TimeLimits | Literal["none"]) -> list[tuple[str, int]]:
    """Return the reasons that Batch can report for a waiting job, with the minutes until Batch cancels it."""
    return [] if limits == "none" else [(reason, getattr(limits, key)) for reason, key in TIME_LIMIT_KEYS.items()]


def job_dependencies(manifest: Manifest, key: str, policies: Sequence[RolePolicy]) -> list[Hcl]:
    """Return what a job definition depends on: its log group, and the created roles with their policies."""
    job = manifest.jobs[key]
    names = [f"aws_cloudwatch_log_group.{key}"]
    if not job.role and all(policy.role != key for policy in policies):
        names.append(f"aws_iam_role.{key}")
    return [reference(name) for name in (*names, *(f"aws_iam_role_policy.{policy.label}" for policy in policies))]


def mounting_roles(manifest: Manifest, key: str, *, writes: bool) -> dict[str, Hcl] | None:
    """Return the names of the created roles that mount a created file system, by job, or by engine and role."""
    jobs = [job for job, may_write in manifest.job_mounts(key).items() if may_write == writes]
    engines = [engine for engine, may_write in manifest.engine_mounts(key).items() if may_write == writes]
    return {
        **{job: reference(f"aws_iam_role.{job}.name") for job in jobs},
        **{
            f"engine/{engine}/{role}": reference(f"module.engine_{engine}.{role}_role_name")
            for engine in engines
            for role in ENGINE_ROLES
        },
    } or None


def base_parameter_arn(manifest: Manifest) -> str | None:
    """Return the ARN of the SSM parameters with the base image's id: AWS's or the account's; None for an image id."""
    parameters = f"arn:{manifest.partition}:ssm:{manifest.region}"
    source = manifest.image.source
    if source is None:
        return f"{parameters}::parameter{manifest.image.base_parameter.removesuffix('image_id')}*"
    return f"{parameters}:{manifest.account}:parameter{source}" if source.startswith("/") else None


def state_machines(manifest: Manifest, key: str) -> dict[str, object]:
    """Return a workflow's state machines as an input of the workflow module."""
    from gen_infra.manifest.state_machines import sample_bucket, sample_folder

    many = manifest.workflows[key].many
    machines: dict[str, object] = {"one": {"name": manifest.state_machine_name(key), "definition": f"{key}.asl.json"}}
    if many:
        bucket = manifest.buckets[sample_bucket(manifest, key, many)]
        samples = {"bucket": bucket.name, "folder": sample_folder(manifest, key, many), "kms_key_arn": bucket.kms_key}
        machines["many"] = {
            "name": manifest.many_machine_name(key),
            "definition": f"{key}-many.asl.json",
            "samples": {name: value for name, value in samples.items() if value},
        }
    return machines


def step_queues(manifest: Manifest, key: str) -> list[str]:
    """Return the ARNs of the queues that a workflow submits to."""
    from gen_infra.manifest.state_machines import queues_of

    return [manifest.batch_arn("job-queue", name) for name in sorted(queues_of(manifest, key))]


def step_jobs(manifest: Manifest, key: str) -> list[str]:
    """Return the ARNs of the job definitions that a workflow runs."""
    from gen_infra.manifest.state_machines import jobs_of

    return [manifest.batch_arn("job-definition", name) for name in sorted(jobs_of(manifest, key))]


def network_tags(manifest: Manifest) -> dict[str, dict[str, str]] | None:
    """Return the tags with which Packer finds the network; None for a network given by ids."""
    network, vpc = manifest.network, manifest.vpc_name
    if network.create:
        return {
            "vpc": {"Name": vpc},
            "subnets": {"Name": f"{vpc}/private/*"},
            "security_groups": {"Name": f"{vpc}/instances"},
        }
    return msgspec.to_builtins(network.lookup) if network.lookup else None


def outputs(manifest: Manifest) -> dict[str, dict[str, Hcl]]:
    """Return the outputs' values, by the manifest's keys."""
    functions = {"submit": "submit_function_name", "status": "status_function_name"} if manifest.own_jobs else {}
    return {
        "compute_environment_names": {key: reference(f"module.compute_{key}.name") for key in manifest.compute},
        "job_definition_arn_prefixes": {
            key: reference(f"aws_batch_job_definition.{key}.arn_prefix") for key in manifest.jobs
        },
        "job_queue_names": {key: reference(f"aws_batch_job_queue.{key}.name") for key in manifest.queues},
        "function_names": {key: reference(f"module.job_functions.{output}") for key, output in functions.items()},
        "file_system_ids": {key: reference(f"module.file_system_{key}.id") for key in manifest.created_file_systems},
        "repository_urls": {
            repository: reference(
                f"aws_ecr_repository.{repository_label(repository)}.repository_url"
                if repository in manifest.adopted.repositories
                else f"module.repository_{repository_label(repository)}.url"
            )
            for repository in manifest.repositories
        },
    }


def resolved(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest as plain values with defaults, without unset keys; the result is a valid manifest."""
    values: dict[str, Any] = msgspec.to_builtins(manifest)
    return {key: _without_none(value) for key, value in values.items() if value is not None}


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: item if type(item) in _SCALARS else _without_none(item)
            for key, item in value.items()
            if item is not None
        }
    return [_without_none(item) for item in value] if isinstance(value, list | tuple) else value


_SCALARS = (str, int, bool)  # most values: asking for them here saves a call for each
