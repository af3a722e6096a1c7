"""Control a running emulator from a test: failures (see `faults`), refused launches, and the recorded calls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen_infra.emulator.calls import Call

_SECONDS = 30.0  # the emulator always answers sooner


@dataclass(frozen=True)
class Control:
    """The part of the emulator's handle that injects faults and returns the recorded calls.

    Args:
        port: the loopback port that the emulator listens on.
    """

    port: int

    def fail(
        self,
        action: str,
        *,
        service: str = "",
        code: str = "ThrottlingException",
        status: int = 400,
        message: str = "Rate exceeded",
        after: int = 0,
        times: int | None = 1,
    ) -> None:
        """Refuse calls with an error in their own protocol, without executing them.

        Args:
            action: AWS's name of the operation, such as ``UpdateJobQueue``; ``*`` is any.
            service: boto3's name of the service; empty is any.
            code: AWS's error code.
            status: the HTTP status.
            message: the error message.
            after: how many matching calls succeed first.
            times: how many calls are refused then; None refuses all until `heal`.
        """
        self._arm("fail", action, service, after, times, code=code, status=status, message=message)

    def lose(
        self, action: str, *, service: str = "", carried_out: bool = False, after: int = 0, times: int | None = 1
    ) -> None:
        """Close the connection without an answer; with ``carried_out`` the call is executed first."""
        self._arm("lose", action, service, after, times, carried_out=carried_out)

    def hold(
        self, action: str, *, service: str = "", after: int = 0, times: int | None = 1, seconds: float = 120
    ) -> None:
        """Delay calls until `heal`, for at most ``seconds``; then execute them, even if the client has disconnected."""
        self._arm("hold", action, service, after, times, seconds=seconds)

    def wait_until_held(self, action: str = "*", *, service: str = "", within: float = 60) -> Call:
        """Wait until a matching call is held, and return it.

        Raises:
            TimeoutError: no call was held within that many seconds.
        """
        from gen_infra.emulator.calls import Call

        held = self._order({"do": "wait", "action": action, "service": service, "within": within}, within)
        if held is None:
            raise TimeoutError(f"no call of {service or 'any service'}, {action}, was held within {within} s")
        return Call(**held)

    def refuse_launches(self, environment: str, message: str) -> None:
        """Make EC2 refuse to launch instances for the compute environments whose name starts with a prefix.

        Args:
            environment: the prefix.
            message: the error of EC2 or Auto Scaling, such as ``InsufficientInstanceCapacity: …``.
        """
        self._order({"do": "refuse launches", "environment": environment, "message": message})

    def allow_launches(self, environment: str) -> None:
        """Let EC2 launch their instances again."""
        self._order({"do": "allow launches", "environment": environment})

    def run_schedule(self, name: str, *, group: str = "default", region: str = "us-east-1") -> str:
        """Run the target of a schedule of EventBridge Scheduler now, a build of CodeBuild, with the schedule's role.

        Returns:
            AWS's message if the role may not; empty if the build has started.
        """
        refused: str = self._order({"do": "run schedule", "region": region, "group": group, "name": name})
        return refused

    def run_rule(self, name: str, *, time: float, region: str = "us-east-1") -> None:
        """Send the event of a rule's schedule to its targets.

        Args:
            name: the rule.
            time: the event's time, in seconds since 1970.
            region: where the rule is.
        """
        self._order({"do": "run rule", "region": region, "name": name, "time": time})

    def evaluate_alarms(self, *, time: float, region: str = "us-east-1") -> list[str]:
        """Evaluate CloudWatch's alarms at a time in seconds since 1970; return the names of those that changed."""
        changed: list[str] = self._order({"do": "evaluate alarms", "region": region, "time": time})
        return changed

    def heal(self) -> None:
        """Remove all faults, and let held calls continue."""
        self._order({"do": "heal"})

    def calls(self, service: str = "", *, since: int = 0) -> list[Call]:
        """Return the calls since the emulator was ready: each attempt, the oldest first, at most the newest 10,000.

        Args:
            service: boto3's name of a service; empty returns the calls of all services.
            since: return only calls with a higher number.
        """
        from gen_infra.emulator.calls import Call
        from gen_infra.emulator.faults import CALLS_PATH

        calls = [Call(**each) for each in self._ask("GET", CALLS_PATH)]
        return [call for call in calls if call.number > since and service in ("", call.service)]

    def iam_report(self) -> list[dict[str, Any]]:
        """Return the evaluated IAM actions: ``action``, ``is_known`` (its resource), ``is_allowed`` and ``count``.

        The administrator's calls are not evaluated. An action whose resource is not known was evaluated on ``*``.
        """
        report: list[dict[str, Any]] = self._order({"do": "report permissions"})
        return report

    def iam_requests(self) -> list[dict[str, Any]]:
        """Return the evaluated requests: the members of `iam_report`, ``caller``, ``resource`` and ``context``.

        Each different one is there once, the oldest first.
        """
        requests: list[dict[str, Any]] = self._order({"do": "report requests"})
        return requests

    def ask_for_copy(self) -> dict[str, int]:
        """Let the emulator copy itself: the process, the port and the lifeline of the copy; see `copies`."""
        from gen_infra.emulator.copies import COPIES_PATH

        copy: dict[str, int] = self._ask("POST", COPIES_PATH, "")
        return copy

    def _arm(self, kind: str, action: str, service: str, after: int, times: int | None, **more: Any) -> None:
        fault = {"kind": kind, "action": action, "service": service, "after": after, "times": times}
        self._order({"do": "arm"} | fault | more)

    def _order(self, order: dict[str, Any], wait: float = 0) -> Any:
        from gen_infra.emulator.faults import FAULTS_PATH

        return self._ask("POST", FAULTS_PATH, json.dumps(order), _SECONDS + wait)

    def _ask(self, method: str, path: str, body: str | None = None, timeout: float = _SECONDS) -> Any:
        from http.client import HTTPConnection

        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(f"the emulator refused {method} {path} {body}")
        return json.loads(content)
