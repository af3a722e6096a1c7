"""gen-infra as a process that is stopped or killed at an exact moment, and what is asserted when it has ended."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.cli import clean_environ, command, gen_infra

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.emulator import Emulator

SMALL = """\
name: small
account: "123456789012"
region: us-east-1
state: local
network:
  lookup: {vpc: {Name: genomics}, subnets: {Tier: private}, security_groups: {Name: genomics-batch}}
compute: {spot: {max_vcpus: 64}}
queues: {main: {priority: 2, compute: [spot]}, second: {priority: 1, compute: [spot]}}
jobs: {one: {image: quay.io/x/y, vcpus: 1, memory_mib: 512, attempts: 3}}
"""
QUEUES = {"main-small", "second-small"}
_LONGEST = 600.0  # seconds that anything here may take
_LOOK_AGAIN = 5.0  # seconds after which it is asked whether gen-infra still runs

Killed = Literal["gen-infra", "everything"]


class Run:
    """``gen-infra ARGUMENTS``, running; its stderr is read as it comes."""

    def __init__(self, arguments: Iterable[str | Path], folder: Path, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command(*arguments),
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        with self.process.stderr as stream:
            for line in stream:
                self._note(line)
        self._note("", ended=True)

    def _note(self, line: str, *, ended: bool = False) -> None:
        with self._changed:
            self.said += line
            self._ended = ended
            self._changed.notify_all()

    def wait_for(self, text: str) -> None:
        """Until it has said this."""
        with self._changed:
            self._changed.wait_for(lambda: text in self.said or self._ended, _LONGEST)
        assert text in self.said, self.said

    def end(self) -> int:
        """Wait for its end; its exit code."""
        code = self.process.wait(_LONGEST)
        self._reader.join(_LONGEST)
        return code

    def interrupt(self) -> str:
        """What Ctrl-C does, and what it says then: one error, and what to do."""
        self.process.send_signal(signal.SIGINT)
        assert self.end() == 4, self.said
        assert_one_error(self.said)
        return self.said

    def kill(self, what: Killed) -> list[int]:
        """SIGKILL; the processes that it had started."""
        started = list(_descendants(self.process.pid))
        for pid in [self.process.pid, *(started if what == "everything" else [])]:
            os.kill(pid, signal.SIGKILL)
        self.end()
        return started


class Site:
    """The folder of one environment's manifest, and the account that it is applied to.

    Args:
        folder: where the manifest goes.
        aws: the account, of nobody else.
        manifest: what it says.
    """

    def __init__(self, folder: Path, aws: Emulator, manifest: str = SMALL) -> None:
        self.folder, self.aws = folder, aws
        self.manifest = folder / "small.yaml"
        self.manifest.write_text(manifest)
        self.terraform = folder / "build/small/terraform"
        self.environ = clean_environ(**aws.environ)
        self.batch = aws.client("batch")

    # --- runs ---------------------------------------------------------------------------------------------------------

    def start(self) -> Run:
        """An apply."""
        return Run(["apply", self.manifest, "--yes"], self.folder, self.environ)

    def start_until(self, action: str, *, after: int = 0) -> Run:
        """An apply that waits for AWS's answer to this call, which has arrived there."""
        self.aws.hold(action, after=after, seconds=_LONGEST)
        run = self.start()
        while run.process.poll() is None:
            try:
                self.aws.wait_until_held(action, within=_LOOK_AGAIN)
            except TimeoutError:
                continue
            return run
        run.end()
        raise AssertionError(run.said)

    def interrupt_at(self, action: str, *, after: int = 0) -> str:
        """Ctrl-C while a call is under way, which AWS carries out all the same; what gen-infra says."""
        said = self.start_until(action, after=after).interrupt()
        self.go_on(action)
        self.assert_readable()
        return said

    def kill_at(self, action: str, what: Killed, *, after: int = 0) -> None:
        """The same with SIGKILL; where only gen-infra is killed, Terraform brings its run to an end."""
        started = self.start_until(action, after=after).kill(what)
        self.go_on(action)
        wait_for_end(started)
        self.assert_readable()

    def go_on(self, action: str) -> None:
        """AWS carries out what it has held, and has done so on return."""
        (*_, held) = (call for call in self.aws.calls() if call.action == action and not call.status)
        self.aws.heal()
        deadline = time.monotonic() + _LONGEST
        while not next(call.status for call in self.aws.calls() if call.number == held.number):
            assert time.monotonic() < deadline

    def expire(self) -> None:
        """What is held goes on, and from then on the credentials are too old for everything."""
        self.aws.heal()
        said = "The security token included in the request is expired"
        self.aws.fail("*", code="ExpiredTokenException", status=403, message=said, times=None)

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return gen_infra(name, self.manifest, *arguments, environ=self.environ, cwd=self.folder)

    def adopt(self) -> None:
        """The same command once more: it fails, and what its hint says mends that."""
        done = self.run("apply", "--yes")
        assert done.returncode == 4, done.stderr
        error = assert_one_error(done.stderr)
        assert "these exist in AWS and are not in Terraform's state: " in error
        self.type(error.partition("run the same command again: ")[2])

    def finish(self) -> list[dict[str, str]]:
        """The same command once more: it succeeds, and nothing is left to do; what it says is not in the state."""
        done = self.run("apply", "--yes", "--json")
        assert done.returncode == 0, done.stderr
        strays: list[dict[str, str]] = json.loads(done.stdout)["strays"]
        self.assert_settled({stray["name"] for stray in strays})
        for stray in strays:
            assert f"warning: not in Terraform's state: {stray['kind']} {stray['name']}; " in done.stderr
        return strays

    def type(self, line: str) -> None:
        """Run the command lines of a hint or a warning: terraform's, and the AWS CLI's."""
        for one in line.strip().split(" && "):
            words = shlex.split(one)
            if words[0] == "terraform":
                subprocess.run(
                    words, check=True, capture_output=True, cwd=self.folder, env=self.environ, input=b"yes\n"
                )
            elif words[0] == "aws":
                call(self.aws, *words[1:])

    # --- what must hold -----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        words = ["terraform", f"-chdir={self.terraform}", "state", "pull"]
        pulled = subprocess.run(words, capture_output=True, check=True, env=self.environ, text=True)
        found: dict[str, Any] = json.loads(pulled.stdout or "{}")
        return found

    def assert_readable(self) -> None:
        """Whatever has happened: the state can be read, and the queues that there are have somewhere to run jobs."""
        self.state()
        environments = {each["computeEnvironmentArn"]: each for each in self.environments()}
        for queue in QUEUES & set(self.orders()):
            stands = {(environments[arn]["status"], environments[arn]["state"]) for arn in self.orders()[queue]}
            assert ("VALID", "ENABLED") in stands, queue

    def assert_settled(self, strays: Iterable[str] = ()) -> None:
        """Nothing is left to do, and there is one of each."""
        planned = self.run("plan", "--detailed-exitcode")
        assert planned.returncode == 0, planned.stdout + planned.stderr
        self.assert_readable()
        names = {each["computeEnvironmentName"] for each in self.environments()} - set(strays)
        assert len(names) == 1
        assert set(self.orders()) == QUEUES
        assert not (self.terraform / ".terraform.tfstate.lock.info").exists()

    def environments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.batch.describe_compute_environments()["computeEnvironments"]
        return found

    def orders(self) -> dict[str, list[str]]:
        return {
            queue["jobQueueName"]: [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]]
            for queue in self.batch.describe_job_queues()["jobQueues"]
        }


def assert_one_error(said: str) -> str:
    """The error and the hint."""
    assert "Traceback" not in said, said
    assert said.count("error: ") == 1, said
    assert said.count("hint: ") == 1, said
    return said[said.index("error: ") :]


def wait_for_end(pids: Iterable[int]) -> None:
    """Of processes that are not this one's children."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([descriptor], [], [], _LONGEST)[0], f"{pid} has not ended"
        finally:
            os.close(descriptor)


def _descendants(pid: int) -> Iterable[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from _descendants(child)


def call(aws: Emulator, service: str, operation: str, *options: str) -> None:
    """What ``aws SERVICE OPERATION --option value`` does."""
    client, method = aws.client(service), operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    members = {re.sub(r"(?<!^)(?=[A-Z])", "-", member).lower(): member for member in shape.members}
    names = [members[option.removeprefix("--")] for option in options[::2]]
    getattr(client, method)(**dict(zip(names, options[1::2], strict=True)))
