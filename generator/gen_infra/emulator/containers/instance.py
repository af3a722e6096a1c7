"""The instance of a node: which folders and containers it has."""

from __future__ import annotations

import re
import resource
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_infra.emulator.containers import settings
from gen_infra.emulator.containers.devices import UnknownDeviceError
from gen_infra.emulator.containers.network import address_of
from gen_infra.emulator.containers.plan import ContainerPlan, NodePlan
from gen_infra.emulator.containers.spec import INIT, ContainerPlace, NoCommandError, runtime_config
from gen_infra.emulator.containers.users import UnknownUserError, find_user
from gen_infra.emulator.containers.values import NoSecretError, fetch_secrets
from gen_infra.emulator.containers.variables import batch_variables, ecs_variables
from gen_infra.emulator.images import ImageError, find_image
from gen_infra.emulator.job import EmulatedJob, node_container
from gen_infra.manifest.model.file_system import LUSTRE_FOLDER
from gen_infra.tools import container_host

_SCRATCH = "scratch"  # the volume of gen-infra's job definitions, at the scratch mount of their image
_SCRATCH_MOUNT = "/docker_scratch"  # the default


@dataclass(frozen=True)
class AttemptServices:
    """What an attempt uses of the account.

    Args:
        endpoint: the emulator's URL.
        region: the region of the job.
        session: makes a session of a role, and returns its environment variables.
        log: appends lines to a log stream of a log group.
    """

    endpoint: str
    region: str
    session: Callable[[str], Mapping[str, str]]
    log: Callable[[str, str, list[str]], None]


class NotPreparedError(Exception):
    """A container cannot start; the message is ECS's reason."""


@dataclass
class Instance:
    """The instance of a node, for one attempt of a job: the folders on its disk, and its containers.

    Args:
        job: the job.
        index: of this node.
        array_size: the size of the array that the job is a child of, or None.
        services: what it uses of the account.
        folder: where its disk is mounted.
        add_output: returns an open file for the output of the container with that name.
        add_credentials: returns the path of the credentials of a role.
    """

    job: EmulatedJob
    index: int
    array_size: int | None
    services: AttemptServices
    folder: Path
    add_output: Callable[[str], int]
    add_credentials: Callable[[str], str]

    def __post_init__(self) -> None:
        self._folders: dict[str, int] = {}
        self._task: Mapping[str, Any] = self.job.task
        (self.folder / "etc").mkdir(parents=True)

    def plan(self) -> NodePlan:
        """Return the plan of this node.

        Raises:
            NotPreparedError: a container cannot start.
        """
        nodes = self.job.nodes
        containers = {"default": node_container(nodes, self.index)} if nodes else self.job.containers
        plans = [self._container(name, container) for name, container in containers.items()]
        return NodePlan(self.index, str(self.folder), _disk_mib(self.folder), self._folders, plans)

    def _container(self, name: str, container: Mapping[str, Any]) -> ContainerPlan:
        owner = self._task or container
        try:
            image = find_image(container["image"])
        except ImageError as error:
            raise NotPreparedError(f"CannotPullContainerError: Error response from daemon: {error}") from error
        if image is None:
            raise NotPreparedError(not_found(container["image"]))
        identity = secrets.token_hex(32)
        try:
            user = find_user(image.root, container.get("user") or image.config.get("User") or "")
            config = runtime_config(
                container,
                image.config,
                ContainerPlace(
                    root=self.folder / name / "root",
                    hostname=f"ip-{address_of(self.index).replace('.', '-')}",
                    cgroup=f"/{container_host.CGROUP}/{identity}",
                    user=user,
                    variables=self._variables(container, owner),
                    volumes={each["name"]: self._volume(each) for each in owner.get("volumes") or ()},
                    files=self._files(container),
                    controllers=container_host.controllers(),
                    limits_swap=container_host.limits_swap(),
                    fargate=self._is_fargate,
                    most_open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
                ),
            )
        except NoSecretError as error:
            raise NotPreparedError(str(error)) from error
        except (UnknownUserError, UnknownDeviceError, NoCommandError) as error:
            message = f"CannotStartContainerError: Error response from daemon: {error}"
            raise NotPreparedError(message) from error
        return ContainerPlan(
            name=name,
            id=identity,
            image=str(image.root),
            config=config,
            output=self.add_output(name),
            essential=container.get("essential", True),
            waits_for={each["containerName"]: each["condition"] for each in container.get("dependsOn") or ()},
        )

    @property
    def _is_fargate(self) -> bool:
        host = self.job.host
        return host is not None and not host.instances

    def _variables(self, container: Mapping[str, Any], owner: Mapping[str, Any]) -> dict[str, str]:
        """Return the environment variables; the job's own replace those of ECS, and not those of Batch."""
        role = owner.get("taskRoleArn") or owner.get("jobRoleArn")
        credentials = self.add_credentials(role) if role else ""
        main_address = address_of(self.job.main_node)
        execution_role = owner.get("executionRoleArn")
        return {
            **ecs_variables(self.services.region, self.services.endpoint, credentials, fargate=self._is_fargate),
            **{each["name"]: each.get("value", "") for each in container.get("environment") or ()},
            **batch_variables(self.job, node=self.index, array_size=self.array_size, main_address=main_address),
            **fetch_secrets(
                container.get("secrets") or (),
                self.services.session(execution_role) if execution_role else {},
                endpoint=self.services.endpoint,
                region=self.services.region,
            ),
        }

    def _volume(self, volume: Mapping[str, Any]) -> Path:
        """Return the folder of a volume, never a path that the job names."""
        disk = self.folder / "disk"
        if efs := volume.get("efsVolumeConfiguration"):
            point = (efs.get("authorizationConfig") or {}).get("accessPointId", "")
            shared = Path(tempfile.gettempdir()) / "efs" / _safe(efs["fileSystemId"]) / _safe(point)
            shared /= _inside(efs.get("rootDirectory") or "/")
            shared.mkdir(parents=True, exist_ok=True)
            shared.chmod(0o777 if point else 0o755)
            return shared
        source = (volume.get("host") or {}).get("sourcePath")
        if source and source.startswith(f"{LUSTRE_FOLDER}/"):
            shared = Path(tempfile.gettempdir()) / _inside(source)
            shared.mkdir(parents=True, exist_ok=True)
            return shared
        relative = _host_folder(source) if source else f"volumes/{_safe(volume['name'])}"
        self._folders[relative] = 0o1777 if relative == scratch_folder(self.job) else 0o755
        return disk / relative

    def _files(self, container: Mapping[str, Any]) -> dict[str, Path]:
        """Return the files that Docker makes for a container."""
        etc = self.folder / "etc"
        address = address_of(self.index)
        hostname = f"ip-{address.replace('.', '-')}"
        contents = {
            "hosts": f"127.0.0.1 localhost\n{address if self.job.nodes else '127.0.0.1'} {hostname}\n",
            "hostname": f"{hostname}\n",
            "resolv.conf": "",
        }
        for name, content in contents.items():
            (etc / name).write_text(content, encoding="utf-8")
        found = {f"/etc/{name}": etc / name for name in contents}
        if (container.get("linuxParameters") or {}).get("initProcessEnabled"):
            found[INIT] = Path(container_host.find("tini-static") or "")
        return found


def scratch_folder(job: EmulatedJob) -> str:
    """Return where the image's scratch disk is, on the disk of each node of a job."""
    volumes = [volume for task, _ in job.tasks for volume in task.get("volumes") or ()]
    mounts = (each["host"].get("sourcePath") for each in volumes if each["name"] == _SCRATCH and each.get("host"))
    return _host_folder(next(filter(None, mounts), _SCRATCH_MOUNT))


def _host_folder(path: str) -> str:
    return f"host/{_inside(path)}"


def not_found(image: str) -> str:
    """Return ECS's reason for an image that does not exist."""
    return (
        f"CannotPullContainerError: Error response from daemon: pull access denied for {image}, repository does not "
        "exist or may require authorization"
    )


def _disk_mib(folder: Path) -> int:
    """Return the size of a node's disk: what the emulator's caller sets, at most half of what is free."""
    return max(16, min(settings.disk_mib(), shutil.disk_usage(folder).free // 2 // 1024 // 1024))


def _safe(name: str) -> str:
    """Return a name that is one part of a path."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _inside(path: str) -> str:
    """Return an absolute path as one that is relative, and has no ``..``."""
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
