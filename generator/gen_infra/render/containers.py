"""Write the container of a job definition in the API's spelling.

https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen_infra.manifest.model.container import EfsVolume, Linux
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest

SCRATCH_VOLUME = "scratch"


def container_properties(manifest: Manifest, key: str) -> dict[str, object]:
    """Return the container properties of a job, for EC2 or Fargate, with the manifest's ``container_properties``."""
    job = manifest.jobs[key]
    needs_execution_role = manifest.needs_execution_role(job)
    mounts, volumes = _volumes(manifest, job)
    properties: dict[str, object] = {
        "image": manifest.image_uri(job),
        "command": job.command,
        "jobRoleArn": manifest.job_role_arn(key),
        "resourceRequirements": _resources(job),
        "environment": [{"name": name, "value": value} for name, value in sorted(job.environment.items())],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": manifest.job_log_group(key),
                "awslogs-region": manifest.region,
                "awslogs-stream-prefix": key,
            },
        },
    }
    optional = {
        "executionRoleArn": manifest.role_arn(manifest.execution_role_name(key)) if needs_execution_role else None,
        "repositoryCredentials": (
            {"credentialsParameter": job.repository_credentials} if job.repository_credentials else None
        ),
        "secrets": [{"name": name, "valueFrom": secret.arn} for name, secret in sorted(job.secrets.items())],
        "user": job.user,
        "readonlyRootFilesystem": job.readonly_root,
        "ulimits": [
            {"name": name, "softLimit": limit.soft, "hardLimit": limit.hard}
            for name, limit in sorted(job.ulimits.items())
        ],
        "linuxParameters": _linux_parameters(job.linux) if job.linux else None,
        "mountPoints": mounts,
        "volumes": volumes,
        **(_fargate(job) if manifest.is_on_fargate(job) else {}),
    }
    return _with_extras(properties | _present(optional), job.container_properties)


def node_properties(manifest: Manifest, key: str) -> dict[str, object]:
    """Return the node properties of a multi-node job: the same container on each node; the first is the main node.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_NodeProperties.html
    """
    every_node = {"targetNodes": "0:", "container": container_properties(manifest, key)}
    return {"numNodes": manifest.jobs[key].nodes, "mainNode": 0, "nodeRangeProperties": [every_node]}


def _with_extras(properties: dict[str, Any], extras: dict[str, Any]) -> dict[str, Any]:
    """Append the lists of the extras (volumes and mount points); their other fields are new or replace."""
    lists = {name: [*properties.get(name, []), *value] for name, value in extras.items() if isinstance(value, list)}
    return properties | extras | lists


def _fargate(job: Job) -> dict[str, object]:
    """Return the fields for Fargate; jobs in private subnets need no public address."""
    return {
        "fargatePlatformConfiguration": {"platformVersion": "LATEST"},
        "networkConfiguration": {"assignPublicIp": "DISABLED"},
        "ephemeralStorage": {"sizeInGiB": job.ephemeral_storage_gib} if job.ephemeral_storage_gib else None,
    }


def _resources(job: Job) -> list[dict[str, str]]:
    needs = {"VCPU": job.vcpus, "MEMORY": job.memory_mib, "GPU": job.gpus}
    return [{"type": name, "value": str(value)} for name, value in needs.items() if value is not None]


def _volumes(manifest: Manifest, job: Job) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the mount points of a job, and their volumes."""
    mounts, volumes = [], []
    if job.scratch:
        mounts.append({"sourceVolume": SCRATCH_VOLUME, "containerPath": job.scratch, "readOnly": False})
        volumes.append({"name": SCRATCH_VOLUME, "host": {"sourcePath": manifest.image.scratch.mount}})
    for key, volume in job.efs.items():
        name = f"efs-{key}"
        mounts.append({"sourceVolume": name, "containerPath": volume.mount, "readOnly": volume.read_only})
        volumes.append({"name": name, "efsVolumeConfiguration": _efs(volume)})
    return mounts, volumes


def _efs(volume: EfsVolume) -> dict[str, object]:
    """Return an EFS volume with TLS and the job's role; an access point requires both."""
    return _present(
        {
            "fileSystemId": volume.file_system,
            "rootDirectory": volume.directory,
            "transitEncryption": "ENABLED",
            "authorizationConfig": _present({"accessPointId": volume.access_point, "iam": "ENABLED"}),
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
