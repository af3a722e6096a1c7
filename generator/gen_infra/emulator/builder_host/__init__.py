"""A machine for Packer to work on where there is no EC2: sshd in a sandbox, with a blank disk of 1000 GiB as /dev/sdb.

The emulated EC2 starts no instances. Given the address, port and key of this host (the template's ``ssh_host`` and its
fellows), Packer's provisioners run for real: they format, mount and configure, and nothing of it touches this machine.

The sandbox is a Debian root in mount and pid namespaces of its own. debootstrap makes that root once, into the user's
cache folder; each use writes to an overlay in memory. The kernel takes everything back (processes, mounts, disk) when
the sandbox's first process ends, and that one ends when its standard input does: also after a SIGKILL of ours.
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
_ATTEMPTS = 5  # to find a port that nobody takes before sshd does


class NoBuilderHostError(MissingError):
    """The machine cannot have a builder host; the message says why."""


@dataclass(frozen=True, slots=True)
class BuilderHost:
    """A running builder host.

    Attributes:
        address: where sshd listens; always a loopback address.
        port: sshd's port.
        user: who may log in, and become root with sudo.
        private_key_file: that user's key.
        root: the host's file system, seen from outside, for as long as it runs.
        disk: the device outside that is its ``/dev/sdb``.

    """

    address: str
    port: int
    user: str
    private_key_file: Path
    root: Path
    disk: Path


@contextlib.contextmanager
def builder_host(environ: Mapping[str, str] = os.environ, *, disk_gib: int = 1000) -> Iterator[BuilderHost]:
    """Run a builder host for the length of a ``with`` block; the first one on a machine takes minutes to make.

    Args:
        environ: the caller's environment; says where the cache folder and the tools are.
        disk_gib: how large its blank disk looks; it takes only what is written.

    Raises:
        NoBuilderHostError: this machine cannot have one.

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
    raise NoBuilderHostError("sshd cannot be started for a builder host: each port that it was given was taken")


def _require_machine(environ: Mapping[str, str]) -> None:
    if os.geteuid() != 0:
        raise NoBuilderHostError("a builder host needs root: it mounts and formats", hint="sudo, or run in CI as root")
    for tool, package in _PACKAGES.items():
        if shutil.which(tool, path=environ.get("PATH")) is None:
            raise NoBuilderHostError(f"a builder host needs {tool}", hint=f"apt-get install {package}")
    if not Path("/dev/loop-control").exists():
        raise NoBuilderHostError(
            "a builder host needs loop devices, and there is no /dev/loop-control",
            hint="modprobe loop; containers: docker run --privileged",
        )


# --- its root --------------------------------------------------------------------------------------------------------


def _cached_root(environ: Mapping[str, str]) -> Path:
    """Find the root in the user's cache folder, and make it if it is not there; one process at a time."""
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
            f"the root of a builder host could not be made: {_last_line(made)}",
            hint="debootstrap needs a way to deb.debian.org, or a proxy in http_proxy",
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
    """Start the sandbox; None when somebody took the port first."""
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    argv += ["bash", str(_RUN), str(root), str(work), str(port), str(disk_gib)]
    with subprocess.Popen(  # noqa: S603 - no shell; argv is our own
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=child_environment(environ),
        text=True,
        start_new_session=True,  # Ctrl-C is Packer's to handle: it needs its host while it stops
    ) as child:
        assert child.stdin is not None  # noqa: S101 - asked for above
        assert child.stdout is not None  # noqa: S101
        try:
            yield _host(_first_words(child.stdout), port, work / "key")
        finally:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()


def _first_words(output: IO[str]) -> list[str]:
    """What the sandbox says until sshd listens, or something has failed."""
    lines = []
    for line in output:
        lines.append(line.rstrip())
        if line.startswith(_LISTENING):
            break
    return lines or ["it said nothing"]


def _host(said: list[str], port: int, key: Path) -> BuilderHost | None:
    """Read what the sandbox said; None: its port was taken."""
    if not said[-1].startswith(_LISTENING):
        if any(_PORT_TAKEN in line for line in said):
            return None
        raise NoBuilderHostError(f"a builder host could not be started: {said[-1]}")
    about = json.loads(next(line for line in said if line.startswith("{")))
    return BuilderHost(_ADDRESS, port, USER, key, Path(f"/proc/{about['pid']}/root"), Path(about["disk"]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


def _last_line(answer: process.Completed) -> str:
    return (answer.stdout + answer.stderr).strip().rpartition("\n")[2] or f"exit code {answer.returncode}"
