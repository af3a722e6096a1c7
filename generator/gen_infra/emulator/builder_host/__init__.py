"""Provide a host for Packer's provisioners without EC2: sshd in a sandbox, with a blank disk of 1000 GiB as /dev/sdb.

The emulated EC2 launches no instances. With the address, port and key of this host (the template's ``ssh_*``
variables), Packer's provisioners really run: they format, mount and configure, without any effect on this machine.

The sandbox is a Debian root file system in its own mount and pid namespaces. debootstrap creates it once, in the user's
cache folder; each use writes to an overlay in memory. The kernel removes everything (processes, mounts, disk) when the
sandbox's first process ends, which happens when its standard input is closed, even when SIGKILL ends this process.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gen_infra.errors import MissingError
from gen_infra.tools import process
from gen_infra.tools.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USER = "ec2-user"
_ADDRESS = "127.0.0.1"
_MAKE_ROOT = Path(__file__).with_name("make_root.sh")
_RUN = Path(__file__).with_name("run.sh")
_PACKAGES = {
    "debootstrap": "debootstrap",
    "losetup": "mount",
    "mount": "mount",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
}
_LISTENING = "Server listening on"
_PORT_TAKEN = "Address already in use"
_ATTEMPTS = 5  # to find a port that no other process takes before sshd does


class NoBuilderHostError(MissingError):
    """A builder host cannot run on this machine."""


@dataclass(frozen=True, slots=True)
class BuilderHost:
    """A running builder host.

    Attributes:
        address: the address of sshd; always a loopback address.
        port: sshd's port.
        user: the login name; it may use sudo.
        private_key_file: that user's key.
        root: the host's file system, as seen from outside while it runs.
        disk: the device outside that is ``/dev/sdb`` inside.

    """

    address: str
    port: int
    user: str
    private_key_file: Path
    root: Path
    disk: Path


@contextlib.contextmanager
def builder_host(environ: Mapping[str, str] = os.environ, *, disk_gib: int = 1000) -> Iterator[BuilderHost]:
    """Run a builder host during a ``with`` block; the first one on a machine takes minutes to create.

    Args:
        environ: the caller's environment variables; they give the cache folder and the tools.
        disk_gib: size of its blank disk, which is a sparse file.

    Raises:
        NoBuilderHostError: it cannot run on this machine.

    """
    _require_machine(environ)
    root = _cached_root(environ)
    with tempfile.TemporaryDirectory(prefix="gen-infra-builder-") as folder:
        work = Path(folder)
        _make_key(work / "key", environ)
        for _ in range(_ATTEMPTS):
            with _sandbox(root, work, _free_port(), disk_gib, environ) as host:
                if host is not None:
                    yield host
                    return
    raise NoBuilderHostError("cannot start sshd for a builder host: other processes took every port that it was given")


def _require_machine(environ: Mapping[str, str]) -> None:
    if os.geteuid() != 0:
        raise NoBuilderHostError(
            "a builder host needs root, because it mounts and formats", hint="use sudo, or run as root in CI"
        )
    for tool, package in _PACKAGES.items():
        if shutil.which(tool, path=environ.get("PATH")) is None:
            raise NoBuilderHostError(f"a builder host needs {tool}", hint=f"run apt-get install {package}")
    if not Path("/dev/loop-control").exists():
        raise NoBuilderHostError(
            "a builder host needs loop devices, but /dev/loop-control does not exist",
            hint="run modprobe loop; in a container, use docker run --privileged",
        )


# --- the root file system --------------------------------------------------------------------------------------------


def _cached_root(environ: Mapping[str, str]) -> Path:
    """Find the root file system in the user's cache folder, or create it; one process at a time."""
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gen-infra" / "builder-host"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / hashlib.sha256(_MAKE_ROOT.read_bytes()).hexdigest()[:16]
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            _make_root(root, environ)
    return root


def _make_root(root: Path, environ: Mapping[str, str]) -> None:
    unfinished = root.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    argv = ["bash", str(_MAKE_ROOT), str(unfinished)]
    made = process.run(argv, cwd=root.parent, env=child_environment(environ))
    if made.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise NoBuilderHostError(
            f"cannot create the root file system of a builder host: {_last_line(made)}",
            hint="give debootstrap access to deb.debian.org, or set http_proxy",
        )
    unfinished.rename(root)


def _make_key(path: Path, environ: Mapping[str, str]) -> None:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "gen-infra builder", "-f", str(path)]
    made = process.run(argv, cwd=path.parent, env=child_environment(environ))
    if made.returncode != 0:
        raise NoBuilderHostError(f"ssh-keygen failed: {_last_line(made)}")


# --- the sandbox -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _sandbox(
    root: Path, work: Path, port: int, disk_gib: int, environ: Mapping[str, str]
) -> Iterator[BuilderHost | None]:
    """Start the sandbox; None when another process took the port first."""
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    argv += ["bash", str(_RUN), str(root), str(work), str(port), str(disk_gib)]
    with subprocess.Popen(  # noqa: S603 - no shell; argv is our own
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=child_environment(environ),
        text=True,
        start_new_session=True,  # Ctrl-C is for Packer, which needs its host while it stops
    ) as child:
        assert child.stdin is not None  # noqa: S101 - asked for above
        assert child.stdout is not None  # noqa: S101
        try:
            yield _host(_first_words(child.stdout), port, work / "key")
        finally:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()


def _first_words(output: IO[str]) -> list[str]:
    """Read the sandbox's output until sshd listens or an error ends it."""
    lines = []
    for line in output:
        lines.append(line.rstrip())
        if line.startswith(_LISTENING):
            break
    return lines or ["no output"]


def _host(output: list[str], port: int, key: Path) -> BuilderHost | None:
    """Interpret the sandbox's output; None: its port was taken."""
    if not output[-1].startswith(_LISTENING):
        if any(_PORT_TAKEN in line for line in output):
            return None
        raise NoBuilderHostError(f"cannot start a builder host: {output[-1]}")
    about = json.loads(next(line for line in output if line.startswith("{")))
    return BuilderHost(_ADDRESS, port, USER, key, Path(f"/proc/{about['pid']}/root"), Path(about["disk"]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


def _last_line(answer: process.Completed) -> str:
    return (answer.stdout + answer.stderr).strip().rpartition("\n")[2] or f"exit code {answer.returncode}"
