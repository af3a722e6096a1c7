"""Make the OCI runtime configuration of a container, as the ECS agent and Docker make it.

https://github.com/opencontainers/runtime-spec/blob/main/config.md and
https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html

Two properties differ from AWS: a ``privileged`` container gets the rights of any other, because it could reach this
machine's disks, and devices are limited to those of `devices`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.containers.devices import device_node
from gen_infra.emulator.validation.containers import requested

if TYPE_CHECKING:
    from gen_infra.emulator.containers.users import ProcessUser

MIB = 1024 * 1024
PROCESSES = 1024  # of one container; AWS sets no limit, and this machine must survive a container that forks
INIT = "/sbin/docker-init"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHARED_MEMORY_MIB = 64  # Docker's
_OPEN_FILES = (32768, 65536)  # soft and hard: of Docker on the ECS-optimized AMIs
# https://github.com/moby/moby/blob/master/daemon/pkg/oci/caps/defaults.go
_CAPABILITIES = (
    *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID"),
    *("CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL"),
    "CAP_AUDIT_WRITE",
)
_MASKED = (
    *("/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list"),
    *("/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"),
)
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_KERNEL = (
    ("/proc", "proc", "proc", ("nosuid", "noexec", "nodev")),
    ("/dev", "tmpfs", "tmpfs", ("nosuid", "strictatime", "mode=755", "size=65536k")),
    ("/dev/pts", "devpts", "devpts", ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")),
    ("/sys", "sysfs", "sysfs", ("nosuid", "noexec", "nodev", "ro")),
    ("/sys/fs/cgroup", "cgroup", "cgroup", ("nosuid", "noexec", "nodev", "relatime", "ro")),
    ("/dev/mqueue", "mqueue", "mqueue", ("nosuid", "noexec", "nodev")),
)


class NoCommandError(Exception):
    """Neither the job nor its image says what to run."""


@dataclass(frozen=True)
class ContainerPlace:
    """Where a container runs.

    Args:
        root: where its root file system will be mounted.
        hostname: its host name.
        cgroup: the path of its cgroup.
        user: whose process it is.
        variables: environment variables, which have priority over the image's.
        volumes: the folder of each volume of the job.
        files: files that replace those of the image, such as ``/etc/hosts``.
        controllers: the limits that can be set.
        limits_swap: whether swap can be limited.
        fargate: whether vCPUs are a limit, and not a share.
        most_open_files: this machine's limit for a process, which may be lower than the instance's.
    """

    root: Path
    hostname: str
    cgroup: str
    user: ProcessUser
    variables: Mapping[str, str]
    volumes: Mapping[str, Path]
    files: Mapping[str, Path] = field(default_factory=dict)
    controllers: frozenset[str] = frozenset()
    limits_swap: bool = True
    fargate: bool = False
    most_open_files: int = _OPEN_FILES[1]


def runtime_config(container: Mapping[str, Any], image: Mapping[str, Any], place: ContainerPlace) -> dict[str, Any]:
    """Return the runtime configuration of a container.

    Args:
        container: the container of a job, as DescribeJobs shows it: with overrides and parameters applied.
        image: ``config`` of the OCI image configuration.
        place: where it runs.

    Raises:
        NoCommandError: there is nothing to run.
        UnknownDeviceError: a device is not on the host.
    """
    return {
        "ociVersion": "1.0.2",
        "hostname": place.hostname,
        "root": {"path": str(place.root), "readonly": bool(container.get("readonlyRootFilesystem"))},
        "process": _process(container, image, place),
        "mounts": _mounts(container, place),
        "linux": {
            "cgroupsPath": place.cgroup,
            "namespaces": [
                {"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup")
            ],  # network: supervisor's
            "resources": _resources(container, place),
            "devices": [node for node, _ in _devices(container)],
            "maskedPaths": list(_MASKED),
            "readonlyPaths": list(_READ_ONLY),
        },
    }


def arguments(container: Mapping[str, Any], image: Mapping[str, Any]) -> list[str]:
    """Return the command line: the image's entry point, with the job's command or else the image's.

    Raises:
        NoCommandError: there is none.
    """
    argv = [*(image.get("Entrypoint") or ()), *(container.get("command") or image.get("Cmd") or ())]
    if not argv:
        raise NoCommandError("no command specified")
    return argv


def _process(container: Mapping[str, Any], image: Mapping[str, Any], place: ContainerPlace) -> dict[str, Any]:
    argv = arguments(container, image)
    if _linux(container).get("initProcessEnabled"):
        argv = [INIT, "--", *argv]
    capabilities = list(_CAPABILITIES)
    # As Docker: a process of another user than root has none, but may gain these from files.
    effective = [] if place.user.uid else capabilities
    return {
        "terminal": False,
        "user": {
            "uid": place.user.uid,
            "gid": place.user.gid,
            "additionalGids": list(place.user.additional_gids),
        },
        "args": argv,
        "env": _environ(image, place),
        "cwd": posixpath.normpath("/" + (image.get("WorkingDir") or "")),
        "capabilities": {"bounding": capabilities, "effective": effective, "permitted": effective},
        "rlimits": _ulimits(container.get("ulimits") or (), place.most_open_files),
    }


def _environ(image: Mapping[str, Any], place: ContainerPlace) -> list[str]:
    given = dict(each.partition("=")[::2] for each in (_PATH, f"HOME={place.user.home}", *(image.get("Env") or ())))
    return [f"{name}={value}" for name, value in {**given, "HOSTNAME": place.hostname, **place.variables}.items()]


def _ulimits(given: Sequence[Mapping[str, Any]], most_open_files: int) -> list[dict[str, Any]]:
    soft, hard = (min(limit, most_open_files) for limit in _OPEN_FILES)
    found: dict[str, dict[str, Any]] = {"RLIMIT_NOFILE": {"type": "RLIMIT_NOFILE", "soft": soft, "hard": hard}}
    for each in given:
        kind = f"RLIMIT_{each['name'].upper()}"
        found[kind] = {"type": kind, "soft": _limit(each["softLimit"]), "hard": _limit(each["hardLimit"])}
    return list(found.values())


def _limit(number: int) -> int:
    return number if number >= 0 else 2**64 - 1  # -1 is no limit


def _mounts(container: Mapping[str, Any], place: ContainerPlace) -> list[dict[str, Any]]:
    linux = _linux(container)
    found = [_mount(target, kind, source, options) for target, kind, source, options in _KERNEL]
    size = int(linux.get("sharedMemorySize") or _SHARED_MEMORY_MIB)
    shared = ("nosuid", "noexec", "nodev", "mode=1777", f"size={size}m")
    found.append(_mount("/dev/shm", "tmpfs", "shm", shared))  # noqa: S108 - of the container
    for target, source in place.files.items():
        found.append(_mount(target, "bind", str(source), ("bind", "rprivate", "ro")))
    for each in linux.get("tmpfs") or ():
        options = ("nosuid", "nodev", "noexec", f"size={each['size']}m", *(each.get("mountOptions") or ()))
        found.append(_mount(each["containerPath"], "tmpfs", "tmpfs", options))
    for each in container.get("mountPoints") or ():
        access = "ro" if each.get("readOnly") else "rw"
        folder = place.volumes[each["sourceVolume"]]
        found.append(_mount(each["containerPath"], "bind", str(folder), ("rbind", "rprivate", access)))
    return found


def _mount(target: str, kind: str, source: str, options: Sequence[str]) -> dict[str, Any]:
    return {"destination": target, "type": kind, "source": source, "options": list(options)}


def _resources(container: Mapping[str, Any], place: ContainerPlace) -> dict[str, Any]:
    """Return the limits: https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html."""
    allowed = [rule for _, rule in _devices(container)]
    found: dict[str, Any] = {"devices": [{"allow": False, "access": "rwm"}, *allowed]}
    vcpus, memory = requested(container, "VCPU"), requested(container, "MEMORY")
    if vcpus is not None and "cpu" in place.controllers:
        found["cpu"] = {"shares": max(2, int(vcpus * 1024))}
        if place.fargate:
            found["cpu"] |= {"period": 100_000, "quota": int(vcpus * 100_000)}
    if memory is not None and "memory" in place.controllers:
        found["memory"] = {"limit": int(memory) * MIB}
        if place.limits_swap:
            found["memory"]["swap"] = (int(memory) + int(_linux(container).get("maxSwap") or 0)) * MIB
    if "pids" in place.controllers:
        found["pids"] = {"limit": PROCESSES}
    return found


def _devices(container: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [device_node(each) for each in _linux(container).get("devices") or ()]


def _linux(container: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = container.get("linuxParameters") or {}
    return found
