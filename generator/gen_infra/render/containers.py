"""Write the containers of a job definition in the API's spelling.

https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.manifest.model.job import DEFAULT_CONTAINER
from gen_infra.render.hcl import reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.manifest.model.container import Container, EfsVolume, Linux
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest

SCRATCH_VOLUME = "scratch"
_FARGATE_VERSION = "LATEST"


def container_properties(manifest: Manifest, key: str) -> dict[str, object]:
    """Return the container properties of a job, for EC2 or Fargate, with the manifest's ``container_properties``."""
    job = manifest.jobs[key]
    container = job.all_containers[DEFAULT_CONTAINER]
    roles = {"jobRoleArn": manifest.job_role_arn(key), "executionRoleArn": _execution_role_arn(manifest, key)}
    properties = _container(manifest, key, container, roles)
    optional = {
        "volumes": _volumes(manifest, job),
        **(
            {"fargatePlatformConfiguration": {"platformVersion": _FARGATE_VERSION}, **_fargate(job)}
            if manifest.is_on_fargate(job)
            else {}
        ),
    }
    return _with_extras(properties | _present(optional), job.container_properties)


def ecs_properties(manifest: Manifest, key: str) -> dict[str, object]:
    """Return the ECS properties of a job of several containers: one task, whose volumes and roles they share.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_EcsTaskProperties.html
    """
    job = manifest.jobs[key]
    containers = [
        {"name": name, "essential": container.essential}
        | _container(manifest, key, container)
        | _present(
            {
                "dependsOn": [
                    {"containerName": other, "condition": condition}
                    for other, condition in sorted(container.depends_on.items())
                ]
            }
        )
        for name, container in sorted(job.containers.items())
    ]
    task = {
        "containers": containers,
        "taskRoleArn": manifest.job_role_arn(key),
        "executionRoleArn": _execution_role_arn(manifest, key),
        "volumes": _volumes(manifest, job),
        **({"platformVersion": _FARGATE_VERSION, **_fargate(job)} if manifest.is_on_fargate(job) else {}),
    }
    return {"taskProperties": [_present(task) | job.task_properties]}


def node_properties(manifest: Manifest, key: str) -> dict[str, object]:
    """Return the node properties of a multi-node job: the same container on each node; the first is the main node.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_NodeProperties.html
    """
    every_node = {"targetNodes": "0:", "container": container_properties(manifest, key)}
    return {"numNodes": manifest.jobs[key].nodes, "mainNode": 0, "nodeRangeProperties": [every_node]}


def _container(
    manifest: Manifest, key: str, container: Container, roles: Mapping[str, str | None] | None = None
) -> dict[str, object]:
    """Return the properties of a container; a job's only one has the roles, which are the task's for several."""
    roles = roles or {}
    properties: dict[str, object] = {
        "image": manifest.image_uri(container.image),
        "command": container.command,
        **({"jobRoleArn": roles["jobRoleArn"]} if roles else {}),
        "resourceRequirements": _resources(container),
        "environment": [{"name": name, "value": value} for name, value in sorted(container.environment.items())],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": manifest.job_log_group(key),
                "awslogs-region": manifest.region,
                "awslogs-stream-prefix": key,
            },
        },
    }
    credentials = container.repository_credentials
    optional = {
        "executionRoleArn": roles.get("executionRoleArn"),
        "repositoryCredentials": {"credentialsParameter": credentials} if credentials else None,
        "secrets": [{"name": name, "valueFrom": secret.arn} for name, secret in sorted(container.secrets.items())],
        "user": container.user,
        "readonlyRootFilesystem": container.readonly_root,
        "ulimits": [
            {"name": name, "softLimit": limit.soft, "hardLimit": limit.hard}
            for name, limit in sorted(container.ulimits.items())
        ],
        "linuxParameters": _linux_parameters(container.linux) if container.linux else None,
        "mountPoints": list(_mounts(container)),
    }
    return properties | _present(optional)


def _execution_role_arn(manifest: Manifest, key: str) -> str | None:
    if not manifest.needs_execution_role(manifest.jobs[key]):
        return None
    return manifest.role_arn(manifest.execution_role_name(key))


def _with_extras(properties: dict[str, Any], extras: dict[str, Any]) -> dict[str, Any]:
    """Append the lists of the extras (volumes and mount points); their other fields are new or replace."""
    lists = {name: [*properties.get(name, []), *value] for name, value in extras.items() if isinstance(value, list)}
    return properties | extras | lists


def _fargate(job: Job) -> dict[str, object]:
    """Return the fields for Fargate; jobs in private subnets need no public address."""
    return {
        "networkConfiguration": {"assignPublicIp": "DISABLED"},
        "ephemeralStorage": {"sizeInGiB": job.ephemeral_storage_gib} if job.ephemeral_storage_gib else None,
    }


def _resources(container: Container) -> list[dict[str, str]]:
    needs = {"VCPU": container.vcpus, "MEMORY": container.memory_mib, "GPU": container.gpus}
    return [{"type": name, "value": str(value)} for name, value in needs.items() if value is not None]


def _mounts(container: Container) -> Iterator[dict[str, Any]]:
    """Yield the mount points of a container."""
    if container.scratch:
        yield {"sourceVolume": SCRATCH_VOLUME, "containerPath": container.scratch, "readOnly": False}
    for key, volume in container.efs.items():
        yield {"sourceVolume": f"efs-{key}", "containerPath": volume.mount, "readOnly": volume.read_only}
    for key, mounted in container.fsx.items():
        yield {"sourceVolume": f"fsx-{key}", "containerPath": mounted.mount, "readOnly": mounted.read_only}
    for key, shared in container.shared_volumes.items():
        yield {"sourceVolume": f"shared-{key}", "containerPath": shared.mount, "readOnly": shared.read_only}


def _volumes(manifest: Manifest, job: Job) -> list[dict[str, Any]]:
    """Return the volumes of a job, each once, in the order of its containers' mount points."""
    volumes: dict[str, dict[str, Any]] = {}
    for container in job.all_containers.values():
        if container.scratch:
            volumes[SCRATCH_VOLUME] = {"host": {"sourcePath": manifest.image.scratch.mount}}
        volumes |= {
            f"efs-{key}": {"efsVolumeConfiguration": _efs(manifest, volume)} for key, volume in container.efs.items()
        }
        volumes |= {f"fsx-{key}": {"host": {"sourcePath": manifest.lustre_folder(key)}} for key in container.fsx}
        volumes |= {f"shared-{key}": {} for key in container.shared_volumes}
    return [{"name": name, **configuration} for name, configuration in volumes.items()]


def _efs(manifest: Manifest, volume: EfsVolume) -> dict[str, object]:
    """Return an EFS volume with TLS and the job's role; an access point requires both."""
    file_system = manifest.file_system_of(volume)
    file_system_id, access_point = file_system.efs, file_system.access_point
    if file_system.is_created:
        module = f"module.file_system_{volume.file_system}"
        file_system_id, access_point = reference(f"{module}.id"), reference(f"{module}.access_point_id")
    return _present(
        {
            "fileSystemId": file_system_id,
            "rootDirectory": volume.directory,
            "transitEncryption": "ENABLED",
            "authorizationConfig": _present({"accessPointId": access_point, "iam": "ENABLED"}),
        }
    )


def _linux_parameters(linux: Linux) -> dict[str, object]:
    return _present(
        {
            "initProcessEnabled": linux.init_process,
            "sharedMemorySize": linux.shared_memory_mib,
            "maxSwap": linux.max_swap_mib,
            "swappiness": linux.swappiness,
            "tmpfs": [
                _present({"containerPath": tmpfs.path, "size": tmpfs.size_mib, "mountOptions": tmpfs.options})
                for tmpfs in linux.tmpfs
            ],
            "devices": [
                {
                    "hostPath": device.host_path,
                    "containerPath": device.container_path or device.host_path,
                    "permissions": device.permissions,
                }
                for device in linux.devices
            ],
        }
    )


def _present(fields: dict[str, Any]) -> dict[str, object]:
    """Leave out fields that are None, False or empty; keep zeros."""
    return {name: value for name, value in fields.items() if value or (value == 0 and value is not False)}
