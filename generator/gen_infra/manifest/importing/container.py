"""Turn the container of a job definition into keys of a job; what has no key is put into ``container_properties``.

https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html
"""

from __future__ import annotations

import math
import re
from typing import Any

from msgspec import ValidationError, convert

from gen_infra.manifest.host_access import is_system_folder
from gen_infra.manifest.importing.cloudformation import VARIABLE
from gen_infra.manifest.importing.values import (
    ADVICE,
    Note,
    dicts,
    flag,
    holds_a_secret,
    integer,
    is_empty,
    number,
    plain,
    typed,
    whole,
)
from gen_infra.manifest.model.base import ContainerImage, EnvironmentVariable, RoleArn
from gen_infra.manifest.model.container import (
    ContainerUser,
    Device,
    EfsVolume,
    RegistrySecretArn,
    Secret,
    Tmpfs,
    Ulimit,
    UlimitName,
)
from gen_infra.manifest.reading.secrets import secrets
from gen_infra.manifest.rules.container_properties import container_shape
from gen_infra.manifest.rules.provider_members import PROVIDER, keeps

_SCRATCH = "/docker_scratch"
_ROLE_IS_KEPT = "is kept as `role`: gen-infra changes nothing about it; without that key it makes one, for `buckets`"
_PARAMETER_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
# Never carried over, with the reason; the rest without a key of a job is put into container_properties.
_REASONS = {
    "privileged": "a privileged container is root on its host; give it the `linux.devices` and `ulimits` that it needs",
    "executionRoleArn": "gen-infra makes an execution role where a job needs one",
    "logConfiguration": "gen-infra makes a log group for each job",
    "networkConfiguration": "jobs have no public address",
}
_USUAL = {
    "networkConfiguration": {"assignPublicIp": "DISABLED"},
    "fargatePlatformConfiguration": {"platformVersion": "LATEST"},
}
_FARGATE_ONLY = ("fargatePlatformConfiguration", "networkConfiguration", "ephemeralStorage")


class ContainerImport:
    """Import one container.

    Args:
        container: its properties, in the API's spelling.
        name: the job definition's.
        place: region and account of the definition, if it names them.
        note: called with each change to what the definition says.
        on_fargate: whether the job runs on Fargate.
    """

    def __init__(
        self, container: dict[str, Any], name: str, place: tuple[str, str], note: Note, *, on_fargate: bool
    ) -> None:
        self.left = dict(container)
        self.name = name
        self.place = place
        self.note = note
        self.on_fargate = on_fargate

    def entry(self) -> dict[str, Any]:
        """Return keys of a job; those without a value among them."""
        entry = {**self.of_job(), **self.settings()}
        entry["container_properties"] = {**entry["container_properties"], **self.rest()}
        return entry

    def of_job(self) -> dict[str, Any]:
        """Return the keys that a job has also if it has several containers."""
        size = whole(self._mapping("ephemeralStorage").get("sizeInGiB"))
        return {"role": self._role(), "ephemeral_storage_gib": size or None}

    def settings(self) -> dict[str, Any]:
        """Return the keys of a container; those without a value among them."""
        return {
            "image": self._image(),
            **self._resources(),
            "command": self._command(),
            "environment": self._environment(),
            "secrets": self._secrets(),
            "repository_credentials": self._repository_credentials(),
            **self._mounts(),
            "user": self._user(),
            "readonly_root": flag(self.left.pop("readonlyRootFilesystem", None)) is True,
            "ulimits": self._ulimits(),
            "linux": self._linux(),
        }

    def _repository_credentials(self) -> str | None:
        arn = self._mapping("repositoryCredentials").get("credentialsParameter")
        if arn is None or not self._accepts(RegistrySecretArn, arn, f"repositoryCredentials {arn}"):
            return None
        return str(arn)

    def _dicts(self, key: str) -> list[dict[str, Any]]:
        return self._mappings(self.left.pop(key, None), key)

    def _mappings(self, value: object, what: str) -> list[dict[str, Any]]:
        """Return the mappings of a list; note where something else is in its place."""
        found = dicts(value)
        if not is_empty(value) and len(found) != (len(value) if isinstance(value, list) else None):
            self.note(what, "is not given as a list of mappings, and is not carried over as a whole; write it")
        return found

    def _mapping(self, key: str) -> dict[str, Any]:
        """Return a mapping; note where something else is in its place."""
        value = self.left.pop(key, None)
        if not is_empty(value) and not isinstance(value, dict):
            self.note(key, "is not given as a mapping, and is not carried over; write it")
        return dict(value) if isinstance(value, dict) else {}

    def _command(self) -> list[str]:
        command = self.left.pop("command", None)
        if isinstance(command, str) and command:
            self.note("command", "is given as text; its words are split at spaces")
            command = command.split()
        given = _list(command)
        words = [plain(word) for word in given if word is not None]
        if len(words) < len(given):
            self.note("command", "holds null, which is left out")
        for word in words:
            self._has_variable("command", word)
        return words

    def _has_variable(self, what: str, value: str) -> None:
        if found := VARIABLE.search(value):
            self.note(what, f"holds {found.group()}, a variable of the template or script; replace it")

    def _accepts(self, kind: Any, value: object, what: str) -> bool:
        """Return whether a manifest accepts the value; note where it does not."""
        accepted = _is_accepted(kind, value)
        if not accepted:
            self.note(what, "is left out: a manifest does not accept it")
        return accepted

    def _image(self) -> str:
        image = self.left.pop("image", None)
        if not isinstance(image, str) or not image:
            self.note("image", "is not given as text; write it")
            return ""
        if "$" in image or "<" in image:
            self.note(f"image {image}", "holds a variable of the template or script; replace it")
            return image
        if "/" not in image:
            self.note(f"image {image}", "is on Docker Hub, so it is written with its full name")
            image = f"docker.io/library/{image}"
        if not _is_accepted(ContainerImage, image):
            self.note(f"image {image}", "is not accepted by a manifest; replace it")
        return image

    def _resources(self) -> dict[str, float]:
        """Return memory and vCPUs, at the top level, as before 2021, or as requirements; GPUs as a requirement only."""
        found = {"VCPU": self.left.pop("vcpus", None), "MEMORY": self.left.pop("memory", None), "GPU": None}
        for requirement in self._dicts("resourceRequirements"):
            kind = str(requirement.get("type"))
            if kind in found:
                found[kind] = requirement.get("value")
            else:
                self.note(f"resourceRequirements {kind}", "is not carried over: the manifest has no key for it")
        entry: dict[str, float] = {}
        for kind, key in (("VCPU", "vcpus"), ("MEMORY", "memory_mib"), ("GPU", "gpus")):
            amount = number(found[kind])
            if amount is None:
                if kind != "GPU":
                    self.note(key, "is not given; write it")
            elif self.on_fargate and kind == "VCPU" and amount in (0.25, 0.5):
                entry[key] = amount
            else:
                entry[key] = math.ceil(amount)
                if entry[key] != amount:
                    self.note(f"{key} {amount:g}", f"becomes {entry[key]}: a job on EC2 has a whole number")
        if "gpus" in entry:
            self.note("gpus", "needs `image: {base: ecs-al2023-gpu}`")
        return entry

    def _role(self) -> str | None:
        """Return the job's role, unless gen-infra made it, or it is the execution role.

        What the role allows is unknown here, and a new one would allow nothing: the job would start, and fail.
        """
        arn = str(self.left.pop("jobRoleArn", None) or "")
        if not arn or arn.endswith(f"/{self.name}-job"):
            return None
        if arn == self.left.get("executionRoleArn"):
            self.note("jobRoleArn", "is not carried over: it is the execution role; gen-infra makes one for the job")
        elif _is_accepted(RoleArn, arn):
            self.note("jobRoleArn", _ROLE_IS_KEPT)
            return arn
        else:
            self.note(
                "jobRoleArn", "is not carried over: it is not the ARN of a role; gen-infra makes one, for `buckets`"
            )
        return None

    def _environment(self) -> dict[str, str]:
        entry = {}
        for variable in self._dicts("environment"):
            name, value = str(variable.get("name", "")), plain(variable.get("value"))
            if holds_a_secret(name, value):
                shown = "a variable" if any(secrets(name)) else name
                self.note(f"environment: {shown}", f"looks like a secret and is left out; {ADVICE}")
            elif self._accepts(EnvironmentVariable, name, f"environment: {name}"):
                self._has_variable(f"environment: {name}", value)
                if value:
                    entry[name] = value
                else:
                    self.note(f"environment: {name}", f"has no value and is left out: {PROVIDER} drops such variables")
        return entry

    def _secrets(self) -> dict[str, dict[str, str]]:
        entry = {}
        for variable in self._dicts("secrets"):
            name = str(variable.get("name", ""))
            what = f"secrets: {name}"
            arn = self._secret_arn(variable.get("valueFrom"), what)
            if (
                arn
                and self._accepts(EnvironmentVariable, name, what)
                and self._accepts(Secret, {"arn": arn}, f"{what}: its ARN")
            ):
                entry[name] = {"arn": arn}
        if entry:
            self.note("secrets", "need `kms_key` beside `arn` where a customer key encrypts them")
        return entry

    def _secret_arn(self, value: object, what: str) -> str | None:
        """Return the ARN of an SSM parameter that is given by its name, which ECS looks up in the job's own region.

        None, with a note, if the definition does not say where that is.
        """
        if not isinstance(value, str) or not value:
            self.note(what, "is left out: its valueFrom is not text; write the ARN of a secret")
            return None
        if not _PARAMETER_NAME.fullmatch(value) or any(secrets(value)):
            return value
        region, account = self.place
        partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
        arn = f"arn:{partition}:ssm:{region or 'REGION'}:{account or 'ACCOUNT'}:parameter/{value.lstrip('/')}"
        if region and account:
            self.note(what, f"names an SSM parameter, and becomes {arn}")
            return arn
        self.note(what, f"names an SSM parameter, and is left out; write its ARN: {arn}")
        return None

    def _mounts(self) -> dict[str, Any]:
        """Return EFS file systems; the host's scratch folder; other volumes as they are."""
        volumes = {str(volume.get("name")): volume for volume in self._dicts("volumes")}
        unused = dict.fromkeys(volumes)
        scratch: str | None = None
        efs: dict[str, dict[str, Any]] = {}
        points: list[dict[str, Any]] = []
        for mount in self._dicts("mountPoints"):
            name, path = str(mount.get("sourceVolume")), str(mount.get("containerPath", ""))
            volume = volumes.get(name, {})
            host = _host(volume)
            unused.pop(name, None)
            read_only = flag(mount.get("readOnly")) is True
            if isinstance(volume.get("efsVolumeConfiguration"), dict):
                self._efs(name, volume["efsVolumeConfiguration"], mount, efs)
            elif not volume:
                self.note(f"mountPoints: {path}", "is not carried over: its volume is missing")
            elif dropped := [key for key in volume if not keeps("volumes", key)]:
                self.note(f"mountPoints: {path}", f"is not carried over: {_dropped(dropped[0])}")
            elif host and is_system_folder(host):
                self.note(f"mountPoints: {path}", f"is not carried over: {host} is a system folder of the host")
            elif host.rstrip("/") == _SCRATCH and not scratch and not read_only:
                scratch = path
            else:
                self.note(f"mountPoints: {path}", "is carried over as it is, in `container_properties`")
                points.append({**mount, "readOnly": read_only} if "readOnly" in mount else mount)
        for name in unused:
            self.note(f"volumes: {name}", "is not carried over: no mount point names it")
        taken = {"scratch"} | {f"efs-{key}" for key in efs}
        raw = _renamed(volumes, points, taken) if points else {}
        return {"scratch": scratch, "efs": efs, "container_properties": raw}

    def _efs(self, name: str, volume: dict[str, Any], mount: dict[str, Any], found: dict[str, dict[str, Any]]) -> None:
        """Add a file system to ``found``."""
        given = volume.get("authorizationConfig")
        authorization = given if isinstance(given, dict) else {}
        directory = volume.get("rootDirectory")
        entry = {
            "file_system": str(volume.get("fileSystemId", "")),
            "mount": str(mount.get("containerPath", "")),
            "access_point": authorization.get("accessPointId"),
            "directory": None if authorization.get("accessPointId") or directory in ("/", "") else directory,
            "read_only": flag(mount.get("readOnly")) is True,
        }
        entry = {key: value for key, value in entry.items() if not is_empty(value)}
        if not self._accepts(EfsVolume, entry, f"mountPoints: {mount.get('containerPath')}: its volume {name}"):
            return
        if volume.get("transitEncryption") != "ENABLED" or authorization.get("iam") != "ENABLED":
            self.note(f"volumes: {name}", "is mounted through TLS and with the job's role")
        if volume.get("transitEncryptionPort"):
            self.note(f"volumes: {name}", "loses its transitEncryptionPort: the mount helper chooses one")
        key = re.sub("[^A-Za-z0-9_-]", "-", name.removeprefix("efs-"))[:36]
        key = key if key[:1].isalpha() else f"fs{key}"
        found[key if key not in found else f"{key}-{len(found)}"] = entry

    def _user(self) -> str | None:
        user = self.left.pop("user", None)
        return str(user) if not is_empty(user) and self._accepts(ContainerUser, str(user), "user") else None

    def _ulimits(self) -> dict[str, dict[str, Any]]:
        entry = {}
        for limit in self._dicts("ulimits"):
            name = str(limit.get("name"))
            pair: dict[str, Any] = {"soft": integer(limit.get("softLimit")), "hard": integer(limit.get("hardLimit"))}
            if self._accepts(UlimitName, name, f"ulimits: {name}") and self._accepts(Ulimit, pair, f"ulimits: {name}"):
                entry[name] = pair
        return entry

    def _linux(self) -> dict[str, Any]:
        left = self._mapping("linuxParameters")
        all_tmpfs = self._mappings(left.pop("tmpfs", None), "linuxParameters.tmpfs")
        all_devices = self._mappings(left.pop("devices", None), "linuxParameters.devices")
        entry = {
            "init_process": flag(left.pop("initProcessEnabled", None)) is True,
            "shared_memory_mib": whole(left.pop("sharedMemorySize", None)) or None,
            "max_swap_mib": integer(left.pop("maxSwap", None)),
            "swappiness": integer(left.pop("swappiness", None)),
            "tmpfs": [tmpfs for item in all_tmpfs if (tmpfs := self._tmpfs(item))],
            "devices": [device for item in all_devices if (device := self._device(item))],
        }
        for key, value in left.items():
            if not is_empty(value):
                self.note(f"linuxParameters.{key}", "is not carried over: the manifest has no key for it")
        if entry["swappiness"] is not None and entry["max_swap_mib"] is None:
            self.note("linuxParameters.swappiness", "is left out: without maxSwap it has no effect")
            entry["swappiness"] = None
        return {key: value for key, value in entry.items() if not is_empty(value)}

    def _tmpfs(self, item: dict[str, Any]) -> dict[str, Any] | None:
        entry = {"path": item.get("containerPath"), "size_mib": integer(item.get("size"))}
        if options := _list(item.get("mountOptions")):
            entry["options"] = options
        return entry if self._accepts(Tmpfs, entry, f"linuxParameters.tmpfs: {entry['path']}") else None

    def _device(self, item: dict[str, Any]) -> dict[str, Any] | None:
        entry = {"host_path": item.get("hostPath")}
        what = f"linuxParameters.devices: {entry['host_path']}"
        if item.get("containerPath") not in (None, "", entry["host_path"]):
            entry["container_path"] = item["containerPath"]
        if permissions := _list(item.get("permissions")):
            entry["permissions"] = permissions
        if not self._accepts(Device, entry, what):
            return None
        if not permissions:
            self.note(what, "can be read and written; add `permissions` if the job has to make nodes of it")
        return entry

    def rest(self) -> dict[str, Any]:
        """Return properties that no key of a job stands for, without those that must not be carried over."""
        carried = {}
        for key, given in self.left.items():
            members = container_shape().members
            value = typed(given, members[key]) if key in members else given
            if is_empty(value) or value == _USUAL.get(key):
                continue
            reason = _REASONS.get(key, "")
            if not reason and key not in members:
                reason = "AWS Batch has no such container property"
            elif not reason and not keeps(key):
                reason = _dropped(key)
            if reason:
                self.note(key, f"is not carried over: {reason}")
            else:
                self.note(key, "is carried over as it is, in `container_properties`")
                carried[key] = value
        return carried


def needs_fargate(container: dict[str, Any]) -> bool:
    """Return whether a container has settings that only Fargate has."""
    return any(container.get(key) for key in _FARGATE_ONLY)


def _dropped(member: str) -> str:
    return f"{PROVIDER} drops {member}"


def _renamed(volumes: dict[str, Any], points: list[dict[str, Any]], taken: set[str]) -> dict[str, Any]:
    """Return the volumes of these mount points; a volume whose name gen-infra uses itself gets another."""
    used = dict.fromkeys(str(point.get("sourceVolume")) for point in points)
    names = {name: f"{name}-as-it-is" if name in taken else name for name in used}
    return {
        "volumes": [{**volumes[name], "name": names[name]} for name in used],
        "mountPoints": [{**point, "sourceVolume": names[str(point.get("sourceVolume"))]} for point in points],
    }


def _is_accepted(kind: Any, value: object) -> bool:
    try:
        convert(value, kind)
    except ValidationError:
        return False
    return True


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _host(volume: dict[str, Any]) -> str:
    host = volume.get("host")
    return str(host.get("sourcePath") or "") if isinstance(host, dict) else ""
