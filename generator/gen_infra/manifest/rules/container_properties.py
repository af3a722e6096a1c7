"""Rules for a job's own ``container_properties``: AWS's model of them, and what the AWS provider registers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from gen_infra.manifest.rules.provider_members import NEWER, NO_CONSUMABLES, PROVIDER, keeps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

Shape: TypeAlias = Any  # a botocore.model.Shape, whose kinds differ in their attributes

# Members that a job has keys for.
_INSTEAD = {
    "command": "command",
    "environment": "environment",
    "ephemeralStorage": "ephemeral_storage_gib",
    "image": "image",
    "jobRoleArn": "role",
    "linuxParameters": "linux",
    "memory": "memory_mib",
    "readonlyRootFilesystem": "readonly_root",
    "repositoryCredentials": "repository_credentials",
    "resourceRequirements": "vcpus, memory_mib and gpus",
    "secrets": "secrets",
    "ulimits": "ulimits",
    "user": "user",
    "vcpus": "vcpus",
}
_MADE_HERE = {
    "consumableResourceProperties": NO_CONSUMABLES,
    "executionRoleArn": "gen-infra makes the execution role where a job needs one",
    "logConfiguration": "gen-infra makes a log group for each job",
    "privileged": "a privileged container is root on its host; linux.devices gives a device by itself",
}
# Members of a task that a job has no keys for.
TASK_MEMBERS = ("enableExecuteCommand", "ipcMode", "pidMode", "platformVersion", "runtimePlatform")
_NAMESPACES = {"ipcMode": ("task", "none"), "pidMode": ("task",)}
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "text"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "long": ((int,), "a whole number"),
}


def container_properties_are_valid(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check against botocore's https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html."""
    for key, job in manifest.jobs.items():
        path = ("jobs", key, "container_properties")
        for name, value in job.container_properties.items():
            if name in _INSTEAD:
                yield (*path, name), f"is the job's own {_INSTEAD[name]}; give it there"
            elif name in _MADE_HERE:
                yield (*path, name), _MADE_HERE[name]
            elif name not in container_shape().members:
                known = {member for member in container_shape().members if keeps(member)} - {*_INSTEAD, *_MADE_HERE}
                yield (*path, name), _unknown(name, sorted(known))
            else:
                yield from _misfits(value, container_shape().members[name], (*path, name), (name,))


def task_properties_are_valid(manifest: Manifest) -> Iterable[ManifestFinding]:
    """https://docs.aws.amazon.com/batch/latest/APIReference/API_EcsTaskProperties.html, as botocore has it.

    With the host's namespaces, a container could signal and trace every process of its instance.
    """
    for key, job in manifest.jobs.items():
        path = ("jobs", key, "task_properties")
        if job.task_properties and not job.containers:
            yield path, "task_properties are for a job of several containers; use container_properties"
        for name, value in job.task_properties.items():
            if name not in TASK_MEMBERS:
                yield (*path, name), _unknown(name, TASK_MEMBERS)
            elif name in _NAMESPACES and value not in _NAMESPACES[name]:
                yield (*path, name), f"{value} is not one of {', '.join(_NAMESPACES[name])}"
            else:
                yield from _misfits(value, task_shape().members[name], (*path, name), (name,))


def container_properties_name_their_volumes(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require a volume for each mount point, or the job does not start; refuse two volumes of one name, as Batch does.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_MountPoint.html (sourceVolume)
    """
    for key, job in manifest.jobs.items():
        path = ("jobs", key, "container_properties")
        names = {"scratch"} if job.scratch else set()
        names |= {f"efs-{name}" for name in job.efs}
        names |= {f"fsx-{name}" for name in job.fsx}
        for index, volume in enumerate(_items(job, "volumes")):
            if "name" not in volume:
                yield (*path, "volumes", index), "the key name is missing"
                continue
            name = str(volume["name"])
            if name in names:
                yield (*path, "volumes", index, "name"), f"there is a volume {name} already"
            names.add(name)
        for index, mount in enumerate(_items(job, "mountPoints")):
            if "sourceVolume" not in mount:
                yield (*path, "mountPoints", index), "the key sourceVolume is missing"
            elif (source := str(mount["sourceVolume"])) not in names:
                choose = f"; choose from: {', '.join(sorted(names))}" if names else "; add it to volumes"
                yield (*path, "mountPoints", index, "sourceVolume"), f'unknown volume "{source}"{choose}'


def container_properties_fit_the_host(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse Fargate's settings for a job on EC2, as Batch does, and ``instanceType`` without multiple nodes.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html
    """
    for key, job in manifest.jobs.items():
        path = ("jobs", key, "container_properties")
        on_fargate = manifest.is_on_fargate(job)
        for name in () if on_fargate else ("fargatePlatformConfiguration", "networkConfiguration"):
            if name in job.container_properties:
                yield (*path, name), f"is for jobs on Fargate, and queue {manifest.queue_of(job)} is on EC2"
        if not on_fargate and "platformVersion" in job.task_properties:
            yield (
                ("jobs", key, "task_properties", "platformVersion"),
                f"is for jobs on Fargate, and queue {manifest.queue_of(job)} is on EC2",
            )
        if on_fargate and "instanceType" in job.container_properties:
            yield (*path, "instanceType"), f"is for jobs on EC2, and queue {manifest.queue_of(job)} is on Fargate"


def variables_have_a_value(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse variables without a value: the provider does not register them, so that they would be unset.

    https://github.com/hashicorp/terraform-provider-aws/issues/26960
    """
    for path, _, container in manifest.containers():
        for name, value in container.environment.items():
            if not value:
                yield (
                    (*path, "environment", name),
                    f"{PROVIDER} drops variables that are empty; give it a value or remove it",
                )


def _items(job: Job, name: str) -> list[dict[str, Any]]:
    """Return the mappings of a list; another rule refuses anything else in it."""
    value = job.container_properties.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _misfits(value: object, shape: Shape, path: KeyPath, names: tuple[str, ...]) -> Iterable[ManifestFinding]:
    """Yield where a value is not what the shape says, or is dropped; ``names`` is its path in the container."""
    if not keeps(*names):
        yield path, f"{PROVIDER} drops {names[-1]}, so the job would run without it{NEWER.get(names[-1], '')}"
    elif shape.type_name == "structure":
        yield from _structure(value, shape, path, names)
    elif shape.type_name == "list":
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _misfits(item, shape.member, (*path, index), names)
        if not isinstance(value, list):
            yield path, "should be a list"
    else:
        yield from _scalar(value, shape, path)


def _scalar(value: object, shape: Shape, path: KeyPath) -> Iterable[ManifestFinding]:
    types, says = _TYPES[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield path, f"should be {says}"
    elif (allowed := getattr(shape, "enum", ())) and value not in allowed:
        yield path, f"{value} is not one of {', '.join(allowed)}"


def _structure(value: object, shape: Shape, path: KeyPath, names: tuple[str, ...]) -> Iterable[ManifestFinding]:
    known = [name for name in shape.members if keeps(*names, name)]
    if not isinstance(value, dict):
        yield path, f"should be a mapping of {', '.join(known)}"
        return
    for name, item in value.items():
        if name in shape.members:
            yield from _misfits(item, shape.members[name], (*path, name), (*names, name))
        else:
            yield (*path, name), _unknown(name, known)
    for name in shape.required_members:
        if name not in value:
            yield path, f"the key {name} is missing"


def _unknown(name: str, known: Iterable[str]) -> str:
    import difflib

    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f'unknown key "{name}"; ' + (f'did you mean "{near[0]}"?' if near else f"choose from: {', '.join(known)}")


@cache
def container_shape() -> Shape:
    """Return AWS's own description; read only for a manifest that has such properties, because it takes a while."""
    return _shape("ContainerProperties")


@cache
def task_shape() -> Shape:
    """Return AWS's own description of a task of several containers."""
    return _shape("EcsTaskProperties")


def _shape(name: str) -> Shape:
    import botocore.session

    return botocore.session.get_session().get_service_model("batch").shape_for(name)


ERRORS: tuple[ManifestRule, ...] = (
    container_properties_are_valid,
    task_properties_are_valid,
    container_properties_name_their_volumes,
    container_properties_fit_the_host,
    variables_have_a_value,
)
