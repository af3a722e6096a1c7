"""Stop or kill a gen-infra process at an exact moment, and assert what must hold afterwards."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.cli import clean_environ, command, gen_infra
from tests.emulator.small import HEAD
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Site as PreparedSite

SMALL = f"""{HEAD}\
compute: {{spot: {{max_vcpus: 64}}}}
queues: {{main: {{priority: 2, compute: [spot]}}, second: {{priority: 1, compute: [spot]}}}}
jobs: {{one: {{image: quay.io/x/y, vcpus: 1, memory_mib: 512, attempts: 3}}}}
"""
OWN_NETWORK = SMALL.replace(
    "  lookup: {vpc: {Name: genomics}, subnets: {Tier: private}, security_groups: {Name: genomics-batch}}\n",
    "  create: {cidr: 10.50.0.0/20, nat: one}\ntags: {Project: genomics}\n",
)
QUEUES = {"main-small", "second-small"}
_TIMEOUT = 600.0  # seconds for any wait
_POLL = 5.0  # seconds between two looks at whether gen-infra still runs

Killed = Literal["gen-infra", "everything"]


class Run:
    """A running ``gen-infra ARGUMENTS``; a thread reads its stderr."""

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
        self.stderr = ""
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
            self.stderr += line
            self._ended = ended
            self._changed.notify_all()

    def wait_for(self, text: str) -> None:
        """Wait until stderr contains the text."""
        with self._changed:
            self._changed.wait_for(lambda: text in self.stderr or self._ended, _TIMEOUT)
        assert text in self.stderr, self.stderr

    def end(self) -> int:
        """Wait for the process and return its exit code."""
        code = self.process.wait(_TIMEOUT)
        self._reader.join(_TIMEOUT)
        return code

    def interrupt(self) -> str:
        """Send SIGINT, as Ctrl-C does; return stderr, which has one error and one hint."""
        self.process.send_signal(signal.SIGINT)
        assert self.end() == 4, self.stderr
        assert_one_error(self.stderr)
        return self.stderr

    def kill(self, what: Killed) -> list[int]:
        """Send SIGKILL; return the ids of the processes that it had started."""
        started = list(_descendants(self.process.pid))
        for pid in [self.process.pid, *(started if what == "everything" else [])]:
            os.kill(pid, signal.SIGKILL)
        self.end()
        return started


class Site:
    """The folder of one environment's manifest, and the account that it is applied to.

    Args:
        prepared: the folder and the account, which no other test uses. The terraform of runs that end by themselves
            finds its provider running.
        manifest: the manifest's text.
    """

    def __init__(self, prepared: PreparedSite, manifest: str = SMALL) -> None:
        self.folder, self.aws, self.uninterrupted = prepared.folder, prepared.aws, prepared.environ
        self.manifest = self.folder / "small.yaml"
        self.manifest.write_text(manifest)
        self.terraform = self.folder / "build/small/terraform"
        self.environ = clean_environ(**self.aws.environ)
        self.batch = self.aws.client("batch")

    # --- runs ---------------------------------------------------------------------------------------------------------

    def start(self) -> Run:
        """Start an apply."""
        return Run(["apply", self.manifest, "--yes"], self.folder, self.environ)

    def start_until(self, action: str, *, after: int = 0) -> Run:
        """Start an apply and return when AWS has received this call and holds it."""
        self.aws.hold(action, after=after, seconds=_TIMEOUT)
        run = self.start()
        while run.process.poll() is None:
            try:
                self.aws.wait_until_held(action, within=_POLL)
            except TimeoutError:
                continue
            return run
        run.end()
        raise AssertionError(run.stderr)

    def interrupt_at(self, action: str, *, after: int = 0) -> str:
        """Press Ctrl-C during a call, which AWS carries out nevertheless; return stderr."""
        stderr = self.start_until(action, after=after).interrupt()
        self.release(action)
        self.assert_readable()
        return stderr

    def kill_at(self, action: str, what: Killed, *, after: int = 0) -> None:
        """Send SIGKILL during a call; if only gen-infra is killed, Terraform finishes its run."""
        started = self.start_until(action, after=after).kill(what)
        self.release(action)
        wait_for_end(started)
        self.assert_readable()

    def release(self, action: str) -> None:
        """Release a held call and return when AWS has carried it out."""
        (*_, held) = (call for call in self.aws.calls() if call.action == action and not call.status)
        self.aws.heal()
        wait_until(
            lambda: next(call.status for call in self.aws.calls() if call.number == held.number), seconds=_TIMEOUT
        )

    def expire(self) -> None:
        """Release held calls; every later call fails because the credentials have expired."""
        self.aws.heal()
        message = "The security token included in the request is expired"
        self.aws.fail("*", code="ExpiredTokenException", status=403, message=message, times=None)

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return gen_infra(name, self.manifest, *arguments, environ=self.uninterrupted, cwd=self.folder)

    def finish(self) -> list[dict[str, str]]:
        """Run the same command again: it succeeds and settles; return the orphans that it lists."""
        orphans: list[dict[str, str]] = self.finish_with_answer()["strays"]
        return orphans

    def finish_with_answer(self) -> dict[str, Any]:
        """Do the same, and return all that it prints."""
        done = self.run("apply", "--yes", "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        self.assert_settled({orphan["name"] for orphan in answer["strays"]})
        for orphan in answer["strays"]:
            assert f"warning: not in Terraform's state: {orphan['kind']} {orphan['name']}" in done.stderr
        return answer

    def type(self, line: str) -> None:
        """Run the command lines of a hint or a warning: terraform's and the AWS CLI's."""
        for one in line.strip().split(" && "):
            words = shlex.split(one)
            if words[0] == "terraform":
                subprocess.run(
                    words, check=True, capture_output=True, cwd=self.folder, env=self.uninterrupted, input=b"yes\n"
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
        """Assert that the state can be read and that each queue has an environment that runs jobs."""
        self.state()
        environments = {each["computeEnvironmentArn"]: each for each in self.environments()}
        for queue in QUEUES & set(self.orders()):
            stands = {(environments[arn]["status"], environments[arn]["state"]) for arn in self.orders()[queue]}
            assert ("VALID", "ENABLED") in stands, queue

    def assert_settled(self, orphans: Iterable[str] = ()) -> None:
        """Assert that a plan is empty and that no resource exists twice."""
        planned = self.run("plan", "--detailed-exitcode")
        assert planned.returncode == 0, planned.stdout + planned.stderr
        self.assert_readable()
        names = {each["computeEnvironmentName"] for each in self.environments()} - set(orphans)
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


def assert_one_error(stderr: str) -> str:
    """Return the error and its hint; there is one of each, and no traceback."""
    assert "Traceback" not in stderr, stderr
    assert stderr.count("error: ") == 1, stderr
    assert stderr.count("hint: ") == 1, stderr
    return stderr[stderr.index("error: ") :]


def wait_for_end(pids: Iterable[int]) -> None:
    """Wait for processes that are not children of this one."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([descriptor], [], [], _TIMEOUT)[0], f"{pid} has not ended"
        finally:
            os.close(descriptor)


def _descendants(pid: int) -> Iterable[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from _descendants(child)


def call(aws: Emulator, service: str, operation: str, *options: str) -> None:
    """Make the call of ``aws SERVICE OPERATION --option value``."""
    client, method = aws.client(service), operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    members = {re.sub(r"(?<!^)(?=[A-Z])", "-", member).lower(): member for member in shape.members}
    names = [members[option.removeprefix("--")] for option in options[::2]]
    getattr(client, method)(**dict(zip(names, options[1::2], strict=True)))
