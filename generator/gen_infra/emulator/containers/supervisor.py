"""Run one attempt of a job: ``python -m gen_infra.emulator.containers.supervisor PLAN.json``.

It is process 1 of its own mount and pid namespaces. Each node has a thread, with a network and a disk; each container
of a node has another, which waits for those that it depends on, lets the image's runtime wrapper create the container,
and waits for its end. Standard output has one line of JSON for each event:

    {"event": "started", "node": 0, "container": "default"}
    {"event": "failed", "node": 0, "container": "default", "reason": "CannotStartContainerError: …"}
    {"event": "ended", "node": 0, "container": "default", "code": 137, "out_of_memory": true}

``stop`` on standard input stops the containers: SIGTERM, and SIGKILL after some seconds. Its end ends everything.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from gen_infra.emulator.containers import disk
from gen_infra.emulator.containers.network import Relay, Switch, enter_new_network
from gen_infra.emulator.containers.plan import AttemptPlan, ContainerPlan, NodePlan
from gen_infra.tools import container_host

_CREATED, _STARTED = "created", "started"
_REMOVAL_SECONDS = 10.0  # for the wrapper to remove a scratch folder, which it does in the background
_END_SECONDS = 3.0  # to delete containers, of which the kernel otherwise leaves empty cgroups
_EVENTS = threading.Lock()


class Runtime:
    """The runtime wrapper of the machine image, with runc behind it.

    Args:
        plan: the attempt.
        node: where the containers are.
    """

    def __init__(self, plan: AttemptPlan, node: NodePlan) -> None:
        self._folder = Path(node.folder)
        self._disk = self._folder / "disk"
        self._scratch = self._disk / plan.scratch
        settings = self._folder / "scratch.conf"
        settings.write_text(f"SCRATCH_MOUNT={self._scratch}\n", encoding="utf-8")
        self._environ = {**os.environ, "GEN_INFRA_SETTINGS": str(settings)}
        self._argv = ["bash", plan.wrapper, "runc", "--root", str(self._folder / "runc")]

    def create(self, container: ContainerPlan) -> int:
        """Create a container, and return the id of its first process.

        Raises:
            RuntimeFailedError: runc refused.
        """
        bundle = self._folder / container.name
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(container.config), encoding="utf-8")
        disk.mount_root(Path(container.image), self._disk / "layers" / container.name, bundle / "root")
        pid_file, log = bundle / "pid", bundle / "runc.log"
        argv = ["--log", str(log), "--log-format", "json", "create", "--bundle", str(bundle)]
        try:
            self._run([*argv, "--pid-file", str(pid_file), container.id], output=container.output)
        except subprocess.CalledProcessError:
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            raise RuntimeFailedError(json.loads(lines[-1])["msg"] if lines else "no message") from None
        finally:
            os.close(container.output)
        return int(pid_file.read_text(encoding="utf-8"))

    def start(self, container: ContainerPlan) -> None:
        """Start a container that was created."""
        self._run(["start", container.id])

    def kill(self, container: ContainerPlan, signal: str) -> None:
        """Send a signal to a container, which may have ended."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run(["kill", container.id, signal])

    def delete(self, container: ContainerPlan) -> bool:
        """Delete a container that has ended, and return whether its scratch folder is removed within some seconds."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run(["delete", "--force", container.id])
        ends = time.monotonic() + _REMOVAL_SECONDS
        while (is_left := (self._scratch / container.id).exists()) and time.monotonic() < ends:
            time.sleep(0.01)
        return not is_left

    def _run(self, argv: list[str], output: int = subprocess.DEVNULL) -> None:
        subprocess.run(  # noqa: S603 - argv is our own
            [*self._argv, *argv], check=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environ
        )


class RuntimeFailedError(Exception):
    """The container cannot be created."""


class NodeRun:
    """One node of the attempt.

    Args:
        plan: the attempt.
        node: this node.
        relay: forwards to the emulator.
        switch: connects the nodes; None for a single one.
    """

    def __init__(self, plan: AttemptPlan, node: NodePlan, relay: Relay, switch: Switch | None) -> None:
        self.plan = node
        self._attempt, self._relay, self._switch = plan, relay, switch
        self._changed = threading.Condition()
        self._states: dict[str, str | int | None] = {each.name: None for each in node.containers}
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=f"node-{node.index}", daemon=True)

    def start(self) -> None:
        """Start to run the containers."""
        self._thread.start()

    def wait(self) -> None:
        """Wait until all containers have ended."""
        self._thread.join()

    def wait_until_started(self) -> None:
        """Wait until a container has started, or all have ended."""
        with self._changed:
            self._changed.wait_for(lambda: any(state is not None for state in self._states.values()))

    def stop(self, seconds: float | None = None) -> None:
        """Stop the containers, without waiting for their end; none starts from now on.

        Args:
            seconds: the time between SIGTERM and SIGKILL, if not the attempt's.
        """
        with self._changed:
            if self._is_stopping:
                return
            self._is_stopping = True
            self._changed.notify_all()
        threading.Thread(
            target=self._stop, args=(self._attempt.stop_seconds if seconds is None else seconds,), daemon=True
        ).start()

    def _stop(self, seconds: float) -> None:
        self._signal("TERM")
        with self._changed:
            self._changed.wait_for(lambda: not self._running(), seconds)
        self._signal("KILL")

    def _signal(self, name: str) -> None:
        for container in self._running():
            self._runtime.kill(container, name)

    def _running(self) -> list[ContainerPlan]:
        return [each for each in self.plan.containers if self._states[each.name] in (_CREATED, _STARTED)]

    def _run(self) -> None:
        try:
            self._prepare()
        except (OSError, subprocess.CalledProcessError) as error:
            detail = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
            for each in self.plan.containers:
                self._fail(each, f"CannotStartContainerError: the emulator failed: {error} {detail}".rstrip())
            return
        threads = [threading.Thread(target=self._run_container, args=(each,)) for each in self.plan.containers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _prepare(self) -> None:
        enter_new_network()
        self._relay.listen()
        if self._switch is not None:
            self._switch.connect(self.plan.index)
        folder = Path(self.plan.folder)
        disk.mount_disk(folder / "disk.ext4", folder / "disk", size_mib=self.plan.disk_mib)
        for name, mode in self.plan.folders.items():
            made = folder / "disk" / name
            made.mkdir(parents=True, exist_ok=True)
            made.chmod(mode)
        self._runtime = Runtime(self._attempt, self.plan)

    def _run_container(self, container: ContainerPlan) -> None:
        if not self._may_start(container):
            os.close(container.output)
            self._set(container, -1)
            return
        try:
            process = self._runtime.create(container)
        except (RuntimeFailedError, OSError, subprocess.CalledProcessError) as error:
            self._fail(
                container,
                "CannotStartContainerError: Error response from daemon: failed to create task for container: failed to "
                f"create shim task: OCI runtime create failed: {error}: unknown",
            )
            self._runtime.delete(container)
            return
        self._set(container, _CREATED)
        with contextlib.suppress(subprocess.CalledProcessError):  # it was stopped meanwhile
            self._runtime.start(container)
        self._set(container, _STARTED)
        _report("started", self.plan, container)
        if self._is_stopping:  # it was created too late for the signals
            self._runtime.kill(container, "KILL")
        _, status = os.waitpid(process, 0)  # runc has ended, so process 1 is its parent
        code = os.waitstatus_to_exitcode(status)
        kills = container_host.out_of_memory_kills(container.config["linux"]["cgroupsPath"])
        is_clean = self._runtime.delete(container)
        code = code if code >= 0 else 128 - code
        self._set(container, code)
        _report("ended", self.plan, container, code=code, out_of_memory=kills > 0, left_scratch=not is_clean)
        if container.essential:
            self.stop()

    def _may_start(self, container: ContainerPlan) -> bool:
        """Wait for the containers that this one depends on; return whether it may start."""

        def is_known() -> bool:
            return self._is_stopping or all(self._allows(*each) is not None for each in container.waits_for.items())

        with self._changed:
            self._changed.wait_for(is_known)
            return not self._is_stopping and all(self._allows(*each) for each in container.waits_for.items())

    def _allows(self, name: str, condition: str) -> bool | None:
        """Return whether a container's state allows another to start; None while that is not known."""
        state = self._states[name]
        if isinstance(state, int):
            return state == 0 if condition == "SUCCESS" else True
        return True if condition == "START" and state == _STARTED else None

    def _fail(self, container: ContainerPlan, reason: str) -> None:
        self._set(container, -1)
        _report("failed", self.plan, container, reason=reason)
        self.stop()

    def _set(self, container: ContainerPlan, state: str | int) -> None:
        with self._changed:
            self._states[container.name] = state
            self._changed.notify_all()


def _report(event: str, node: NodePlan, container: ContainerPlan, **more: object) -> None:
    line = json.dumps({"event": event, "node": node.index, "container": container.name, **more})
    with _EVENTS:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _obey(stop: Callable[..., None]) -> NoReturn:
    """Read standard input; its end, which comes with that of the emulator, ends the containers and this process."""
    for _ in sys.stdin:
        stop()
    stop(0)
    time.sleep(_END_SECONDS)
    os._exit(1)


def main() -> int:
    """Run the attempt to its end."""
    plan = AttemptPlan.read(Path(sys.argv[1]))
    relay = Relay(plan.port)
    relay.start()
    switch = Switch() if len(plan.nodes) > 1 else None
    if switch is not None:
        switch.start()
    nodes = [NodeRun(plan, each, relay, switch) for each in plan.nodes]
    main_node = nodes[plan.main_node]
    others = [node for node in nodes if node is not main_node]

    def stop(seconds: float = plan.stop_seconds) -> None:
        for node in nodes:
            node.stop(seconds)

    threading.Thread(target=_obey, args=(stop,), daemon=True).start()
    main_node.start()
    main_node.wait_until_started()
    for node in others:
        node.start()
    main_node.wait()
    for node in others:  # the end of the main node ends the job
        node.stop()
    for node in others:
        node.wait()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads that never end must not keep it
