"""Turn the containers of an ECS task into ``containers`` of a job.

https://docs.aws.amazon.com/batch/latest/APIReference/API_EcsTaskProperties.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_infra.manifest.importing.container import ContainerImport
from gen_infra.manifest.importing.shapes import Containers, RefusedError, as_container
from gen_infra.manifest.importing.values import Note, dicts, flag, is_empty, typed
from gen_infra.manifest.model.container import Container
from gen_infra.manifest.rules.container_properties import TASK_MEMBERS, task_shape
from gen_infra.manifest.rules.provider_members import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UNREAD = {
    "firelensConfiguration": "gen-infra sends the log of each container to a log group",
    "startTimeout": f"{PROVIDER} drops it",
    "stopTimeout": f"{PROVIDER} drops it",
}
_VOLUME_KEY = 36  # characters, because the rendered name has a prefix


def import_several(
    found: Containers, name: str, place: tuple[str, str], note: Note, *, on_fargate: bool
) -> dict[str, Any]:
    """Return the keys of a job of several containers; those without a value among them.

    Args:
        found: the containers and their task.
        name: the job definition's.
        place: region and account of the definition, if it names them.
        note: called with each change to what the definition says.
        on_fargate: whether the job runs on Fargate.

    Raises:
        RefusedError: a setting has no key in a job of several containers.
    """
    volumes = dicts(found.task.get("volumes"))
    shared = _keys(str(volume.get("name")) for volume in volumes if _is_empty_volume(volume))
    containers = {}
    for each in found.several:
        container_name = str(each.get("name", ""))
        containers[container_name] = _container(each, volumes, shared, name, place, note, on_fargate=on_fargate)
    if len(containers) < len(found.several):
        raise RefusedError("its containers do not each have a name of their own")
    if sum("scratch" in each for each in containers.values()) > 1:
        note("scratch", "is a directory of its own for each container; use `shared_volumes` for what they share")
    mounted = set(_mounted(found.several))
    for volume in volumes:
        if str(volume.get("name")) not in mounted:
            note(f"volumes: {volume.get('name')}", "is not carried over: no mount point names it")
    task = {key: value for key, value in found.task.items() if key != "volumes"}
    own = {key: typed(task.pop(key), task_shape().members[key]) for key in TASK_MEMBERS if not is_empty(task.get(key))}
    if own.get("platformVersion") == "LATEST":
        del own["platformVersion"]
    for key in ("ipcMode", "pidMode"):
        if own.get(key) == "host":
            raise RefusedError(f"its {key} is host: its containers could reach every process of their instance")
    importing = ContainerImport(as_container(task), name, place, note, on_fargate=on_fargate)
    keys = {**importing.of_job(), "containers": containers, "task_properties": own}
    if rest := importing.rest():
        raise RefusedError(f"its {next(iter(rest))} has no key in a job of several containers")
    return keys


def _container(
    given: dict[str, Any],
    volumes: list[dict[str, Any]],
    shared: dict[str, str],
    name: str,
    place: tuple[str, str],
    note: Note,
    *,
    on_fargate: bool,
) -> dict[str, Any]:
    """Return the keys of one container, in the model's order, without those that are not set."""
    container = dict(given)
    container_name = str(container.pop("name", ""))
    essential, dependencies = flag(container.pop("essential", None)), dicts(container.pop("dependsOn", None))
    mounts = dicts(container.get("mountPoints"))
    own = [mount for mount in mounts if str(mount.get("sourceVolume")) not in shared]
    used = {mount.get("sourceVolume") for mount in own}
    container |= {"mountPoints": own, "volumes": [each for each in volumes if each.get("name") in used]}

    def note_here(what: str, message: str) -> None:
        note(f"container {container_name}: {what}", message)

    for key, reason in _UNREAD.items():
        if not is_empty(container.pop(key, None)):
            note_here(key, f"is not carried over: {reason}")
    importing = ContainerImport(container, name, place, note_here, on_fargate=on_fargate)
    settings = importing.settings()
    if rest := {**settings.pop("container_properties"), **importing.rest()}:
        which = f"{next(iter(rest))} of its container {container_name}"
        raise RefusedError(f"{which} has no key in a job of several containers")
    keys = {
        **settings,
        "depends_on": {str(each.get("containerName")): each.get("condition") for each in dependencies},
        "shared_volumes": {
            shared[str(mount.get("sourceVolume"))]: _shared(mount) for mount in mounts if mount not in own
        },
    }
    entry = {key: keys[key] for key in Container.__struct_fields__ if not is_empty(keys.get(key))}
    return {**entry, "essential": False} if essential is False else entry


def _shared(mount: dict[str, Any]) -> dict[str, Any]:
    path = {"mount": str(mount.get("containerPath", ""))}
    return {**path, "read_only": True} if flag(mount.get("readOnly")) else path


def _mounted(containers: list[dict[str, Any]]) -> Iterator[str]:
    for each in containers:
        yield from (str(mount.get("sourceVolume")) for mount in dicts(each.get("mountPoints")))


def _is_empty_volume(volume: dict[str, Any]) -> bool:
    """Return whether Docker makes the volume when the task starts."""
    host = volume.get("host")
    return all(is_empty(value) for key, value in volume.items() if key not in ("name", "host")) and (
        is_empty(host) or (isinstance(host, dict) and is_empty(host.get("sourcePath")))
    )


def _keys(names: Iterable[str]) -> dict[str, str]:
    """Return a key of ``shared_volumes`` for each volume."""
    keys: dict[str, str] = {}
    for name in names:
        key = re.sub("[^A-Za-z0-9_-]", "-", name)[:_VOLUME_KEY]
        key = key if key[:1].isalpha() else f"v{key}"
        keys[name] = key if key not in keys.values() else f"{key}-{len(keys)}"
    return keys
