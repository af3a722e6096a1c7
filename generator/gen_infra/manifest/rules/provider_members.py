"""The members of ``containerProperties`` that the pinned AWS provider registers.

The provider decodes the JSON into the types that it was built with, and drops every other member silently: the
job would run without it, and the next plan would be empty. A test applies each member of AWS's model with the real
provider and compares what AWS Batch then describes with this table.
"""

from __future__ import annotations

from gen_infra.tools.versions import AWS_PROVIDERS

PROVIDER = AWS_PROVIDERS[5]  # version 6 is not measured yet: for it the same members are allowed
# https://github.com/hashicorp/terraform-provider-aws/issues/41881, open: newer versions cannot either
NO_CONSUMABLES = f"{PROVIDER} cannot register consumable resources, and newer versions cannot either"
# What is known of newer versions about a dropped member. Of S3 Files, 6.41 has the volumes of ECS's task definitions:
# https://github.com/hashicorp/terraform-provider-aws/pull/47363 and the notes of v6.40.0 and v6.41.0.
NEWER = {"s3filesVolumeConfiguration": "; S3 Files need version 6.41 or later, of which gen-infra supports none yet"}

# Each member by its path; items of a list have their list's path.
KEPT = frozenset(
    {
        "command",
        "enableExecuteCommand",
        "environment.name",
        "environment.value",
        "ephemeralStorage.sizeInGiB",
        "executionRoleArn",
        "fargatePlatformConfiguration.platformVersion",
        "image",
        "instanceType",
        "jobRoleArn",
        "linuxParameters.devices.containerPath",
        "linuxParameters.devices.hostPath",
        "linuxParameters.devices.permissions",
        "linuxParameters.initProcessEnabled",
        "linuxParameters.maxSwap",
        "linuxParameters.sharedMemorySize",
        "linuxParameters.swappiness",
        "linuxParameters.tmpfs.containerPath",
        "linuxParameters.tmpfs.mountOptions",
        "linuxParameters.tmpfs.size",
        "logConfiguration.logDriver",
        "logConfiguration.options",
        "logConfiguration.secretOptions.name",
        "logConfiguration.secretOptions.valueFrom",
        "memory",
        "mountPoints.containerPath",
        "mountPoints.readOnly",
        "mountPoints.sourceVolume",
        "networkConfiguration.assignPublicIp",
        "privileged",
        "readonlyRootFilesystem",
        "repositoryCredentials.credentialsParameter",
        "resourceRequirements.type",
        "resourceRequirements.value",
        "runtimePlatform.cpuArchitecture",
        "runtimePlatform.operatingSystemFamily",
        "secrets.name",
        "secrets.valueFrom",
        "ulimits.hardLimit",
        "ulimits.name",
        "ulimits.softLimit",
        "user",
        "vcpus",
        "volumes.efsVolumeConfiguration.authorizationConfig.accessPointId",
        "volumes.efsVolumeConfiguration.authorizationConfig.iam",
        "volumes.efsVolumeConfiguration.fileSystemId",
        "volumes.efsVolumeConfiguration.rootDirectory",
        "volumes.efsVolumeConfiguration.transitEncryption",
        "volumes.efsVolumeConfiguration.transitEncryptionPort",
        "volumes.host.sourcePath",
        "volumes.name",
    }
)
# The members of ``taskProperties`` that its containers and ``containerProperties`` do not have.
KEPT_OF_TASK = frozenset({"ipcMode", "pidMode", "platformVersion"})
_WITH_PARENTS = frozenset(
    ".".join(names[:length])
    for path in KEPT | KEPT_OF_TASK
    for names in [path.split(".")]
    for length in range(1, len(names) + 1)
)


def keeps(*names: str) -> bool:
    """Return whether the provider registers a member, which ``keeps("volumes", "host")`` names by its path."""
    return ".".join(names) in _WITH_PARENTS
