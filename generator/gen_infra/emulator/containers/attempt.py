"""One attempt of a job whose containers really run: prepare them, start their supervisor, follow its events."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from gen_infra.emulator.containers import settings
from gen_infra.emulator.containers.credentials import ISSUED
from gen_infra.emulator.containers.instance import AttemptServices, Instance, NotPreparedError, scratch_folder
from gen_infra.emulator.containers.logs import LogReader
from gen_infra.emulator.containers.plan import AttemptPlan
from gen_infra.emulator.job import ContainerResult, EmulatedJob
from gen_infra.resources import data_dir
from gen_infra.tools import container_host

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
LEFT_SCRATCH = "the runtime wrapper of the machine image did not remove the container's scratch folder"
_LOG_SECONDS = 5.0  # after the end of the containers, for the rest of their logs
_log = logging.getLogger(__name__)


@dataclass
class RunningAttempt:
    """The containers of one attempt; a thread of its own prepares and follows them.

    Args:
        job: the job, which is placed, with the names of its log streams.
        services: what it uses of the account.
        array_size: the size of the array that the job is a child of, or None.
    """

    job: EmulatedJob
    services: AttemptServices
    array_size: int | None
    has_started: bool = False
    has_ended: bool = False
    problem: str = ""  # why it could not start
    results: dict[tuple[int, str], ContainerResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._owner = os.getpid()
        self._control, self._supervisors_end = socket.socketpair()
        self._readers: list[LogReader] = []
        self._outputs: list[int] = []
        self._streams: dict[tuple[int, str], tuple[str, str]] = {}
        self._paths: list[str] = []
        threading.Thread(target=self._run, daemon=True, name=f"job-{self.job.id}").start()

    @property
    def is_lost(self) -> bool:
        """Return whether it runs for another process: for the emulator that this one is a copy of."""
        return os.getpid() != self._owner

    def stop(self) -> None:
        """Send SIGTERM to its containers, and SIGKILL after some seconds; it ends when they have ended."""
        if not self.is_lost:
            try:
                self._control.sendall(b"stop\n")
            except OSError:
                _log.debug("the attempt has ended", exc_info=True)

    def _run(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="job-"))
        try:
            with self._supervisors_end, self._control:
                self._follow(self._start(folder))
        except NotPreparedError as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001 - it must not leave the job without an end
            _log.exception("attempt of job %s", self.job.id)
            self.problem = f"CannotStartContainerError: the emulator failed: {type(error).__name__}: {error}"
        finally:
            for output in self._outputs:
                os.close(output)
            for reader in self._readers:
                reader.join(_LOG_SECONDS)
            for path in self._paths:
                ISSUED.remove(path)
            shutil.rmtree(folder, ignore_errors=True)
            self.has_ended = True

    def _start(self, folder: Path) -> subprocess.Popen[str]:
        plan_file = folder / "plan.json"
        self._plan(folder).write(plan_file)
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        argv += [sys.executable, "-P", "-m", "gen_infra.emulator.containers.supervisor", str(plan_file)]
        kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        started = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            argv,
            stdin=self._supervisors_end.fileno(),
            stdout=subprocess.PIPE,
            env={**kept, "PATH": container_host.search_path()},
            pass_fds=self._outputs,
            start_new_session=True,
            text=True,
        )
        self._supervisors_end.close()
        while self._outputs:
            os.close(self._outputs.pop())
        return started

    def _follow(self, supervisor: subprocess.Popen[str]) -> None:
        assert supervisor.stdout is not None  # noqa: S101 - asked for above
        with supervisor:
            for line in supervisor.stdout:
                event = json.loads(line)
                result = self.results[event["node"], event["container"]]
                if event["event"] == "started":
                    self.has_started = True
                    self.services.log(*self._streams[event["node"], event["container"]], [])
                elif event["event"] == "failed":
                    result.reason = event["reason"]
                    if not self.has_started:
                        self.problem = self.problem or result.reason
                else:
                    result.code = event["code"]
                    left = LEFT_SCRATCH if event["left_scratch"] else ""
                    result.reason = OUT_OF_MEMORY if event["out_of_memory"] else left
        if not self.has_started and not self.problem:
            self.problem = f"CannotStartContainerError: the supervisor ended with exit code {supervisor.returncode}"

    def _plan(self, folder: Path) -> AttemptPlan:
        nodes = range(self.job.node_count)
        return AttemptPlan(
            port=int(self.services.endpoint.rpartition(":")[2]),
            folder=str(folder),
            wrapper=str(data_dir("packer") / "files" / "gen-infra-scratch-runtime"),
            scratch=scratch_folder(self.job),
            stop_seconds=settings.stop_seconds(),
            main_node=self.job.main_node,
            nodes=[self._instance(folder / str(index), index).plan() for index in nodes],
        )

    def _instance(self, folder: Path, index: int) -> Instance:
        return Instance(
            self.job,
            index,
            self.array_size,
            self.services,
            folder,
            add_output=lambda name: self._add_output(index, name),
            add_credentials=self._add_credentials,
        )

    def _add_output(self, node: int, name: str) -> int:
        """Return an open file for the output of a container, which is read into its log stream."""
        container = self.job.containers[name]
        known = self.job.outcomes[name] if self.job.task else self.job.runtimes[node]
        group, stream = self.job.log_options(container)["awslogs-group"], known["logStreamName"]
        self._streams[node, name] = group, stream
        reading, writing = os.pipe()
        self._outputs.append(writing)
        reader = LogReader(reading, lambda lines: self.services.log(group, stream, lines))
        self._readers.append(reader)
        reader.start()
        self.results[node, name] = ContainerResult()
        return writing

    def _add_credentials(self, role: str) -> str:
        """Return the path of the credentials of a role."""
        path = ISSUED.add(role, lambda: self.services.session(role))
        self._paths.append(path)
        return path
