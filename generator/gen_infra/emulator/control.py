"""What a test can do to a running emulator from outside: see `faults` and `launches`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen_infra.emulator.calls import Call

_SECONDS = 30.0  # in which the emulator answers for sure


class Control:
    """The part of the emulator's handle that brings about bad luck and tells what was asked."""

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
        """Refuse calls, in the protocol that they are made in, without carrying them out.

        Args:
            action: AWS's name of the operation, such as ``UpdateJobQueue``; ``*`` is any.
            service: boto3's name of the service; empty is any.
            code: of the error.
            status: of the answer.
            message: of the error.
            after: how many calls that match pass first.
            times: how many are refused then; None is all, until `heal`.
        """
        self._arm("fail", action, service, after, times, code=code, status=status, message=message)

    def lose(
        self, action: str, *, service: str = "", carried_out: bool = False, after: int = 0, times: int | None = 1
    ) -> None:
        """Hang up on calls without an answer; with ``carried_out`` after doing what they ask for."""
        self._arm("lose", action, service, after, times, carried_out=carried_out)

    def hold(
        self, action: str, *, service: str = "", after: int = 0, times: int | None = 1, seconds: float = 120
    ) -> None:
        """Let calls wait until `heal`, for ``seconds`` at most; they are carried out then, whoever still listens."""
        self._arm("hold", action, service, after, times, seconds=seconds)

    def wait_until_held(self, action: str = "*", *, service: str = "", within: float = 60) -> Call:
        """The first call that is held, as soon as there is one.

        Raises:
            TimeoutError: none was held within so many seconds.
        """
        from gen_infra.emulator.calls import Call

        held = self._order({"do": "wait", "action": action, "service": service, "within": within}, within)
        if held is None:
            raise TimeoutError(f"no call of {service or 'any service'}, {action}, was held within {within} s")
        return Call(**held)

    def refuse_launches(self, environment: str, message: str) -> None:
        """From now on EC2 starts no instance for the compute environments whose name begins so.

        Args:
            environment: the beginning of their names.
            message: what EC2 or Auto Scaling says, such as ``InsufficientInstanceCapacity: …``.
        """
        self._order({"do": "refuse launches", "environment": environment, "message": message})

    def allow_launches(self, environment: str) -> None:
        """Take that back: EC2 starts their instances again."""
        self._order({"do": "allow launches", "environment": environment})

    def heal(self) -> None:
        """Forget all faults and let held calls go on."""
        self._order({"do": "heal"})

    def calls(self, service: str = "", *, since: int = 0) -> list[Call]:
        """What was asked since the emulator was ready, the oldest first, each attempt for itself; the newest 10,000.

        Args:
            service: boto3's name of the only service that counts; empty is all.
            since: the number of the last call that does not count.
        """
        from gen_infra.emulator.calls import Call
        from gen_infra.emulator.faults import CALLS_PATH

        calls = [Call(**each) for each in self._ask("GET", CALLS_PATH)]
        return [call for call in calls if call.number > since and service in ("", call.service)]

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
            raise ValueError(f"the emulator does not take {method} {path} {body}")
        return json.loads(content)
