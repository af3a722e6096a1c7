"""Inject faults: calls that AWS refuses, answers that are lost, calls that are delayed.

`Faults` is the outermost layer of the emulator's server. It records every call (see `calls`) and applies the first
fault that matches. A test arms faults through the emulator's handle (see `control`), which posts them as JSON to
``/gen-infra/faults`` and reads ``/gen-infra/calls``. These requests need no signature, because the server listens only
on the loopback interface. A signed request to the same path is one to S3, for a bucket of that name.
"""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from gen_infra.emulator import launches
from gen_infra.emulator.calls import LOG, Call
from gen_infra.emulator.iam_report import REPORT
from gen_infra.emulator.operations import Operation, read_operation
from gen_infra.emulator.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

FAULTS_PATH, CALLS_PATH = "/gen-infra/faults", "/gen-infra/calls"
HOLD_SECONDS = 120.0


@dataclass
class Fault:
    """A failure, and the calls that it applies to.

    Args:
        kind: ``fail`` refuses calls, ``lose`` drops their answers, ``hold`` delays them.
        action: AWS's name of the operation; ``*`` is any.
        service: boto3's name of the service; empty is any.
        after: how many matching calls succeed first.
        times: how many calls it applies to then; None is all, until it is healed.
        code: AWS's error code.
        status: the HTTP status.
        message: the error message.
        carried_out: whether a call is executed before its answer is dropped.
        seconds: the longest delay.
        held: the calls that are delayed now.
        healed: whether it has been removed.
    """

    kind: Literal["fail", "lose", "hold"]
    action: str
    service: str = ""
    after: int = 0
    times: int | None = 1
    code: str = ""
    status: int = 400
    message: str = ""
    carried_out: bool = False
    seconds: float = HOLD_SECONDS
    held: list[Call] = field(default_factory=list)
    healed: bool = False

    def matches(self, call: Call) -> bool:
        """Return whether the fault is for this call."""
        return self.action in ("*", call.action) and self.service in ("", call.service)

    def applies(self) -> bool:
        """Count one more matching call, and return whether the fault applies to it."""
        if self.after:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class Faults:
    """WSGI middleware that applies the faults, the oldest first, and records every call."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._faults: list[Fault] = []
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request, or close the connection."""
        if environ["PATH_INFO"] in (FAULTS_PATH, CALLS_PATH) and "HTTP_AUTHORIZATION" not in environ:
            return self._controlled(environ, start_response)
        operation = read_operation(environ)
        call = LOG.add(operation, environ.get("HTTP_USER_AGENT", ""))
        fault = self._fault_for(call)
        if fault is not None and fault.kind == "fail":
            return _refuse(operation, fault, environ, _recording(call, start_response))
        if fault is not None and fault.kind == "lose":
            self._lose(call, environ, carried_out=fault.carried_out)
        if fault is not None:
            self._hold(call, fault)
        return self._app(environ, _recording(call, start_response))

    def _fault_for(self, call: Call) -> Fault | None:
        """Return the fault that applies to this call; each older fault that matches has counted it."""
        with self._changed:
            return next((fault for fault in self._faults if fault.matches(call) and fault.applies()), None)

    def _lose(self, call: Call, environ: WSGIEnvironment, *, carried_out: bool) -> NoReturn:
        """Close the connection; werkzeug ignores the exception, which means that the client has disconnected."""
        if carried_out:
            _drain(self._app(environ, _recording(call, _discarded)))
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError

    def _hold(self, call: Call, fault: Fault) -> None:
        """Wait until the fault is removed; the call continues even if its client has disconnected, as at AWS."""
        with self._changed:
            fault.held.append(call)
            self._changed.notify_all()
            self._changed.wait_for(lambda: fault.healed, fault.seconds)
            fault.held.remove(call)

    def _controlled(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == CALLS_PATH:
            answer: Any = [asdict(call) for call in LOG.all()]
        else:
            order = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            answer = self._orders[order.pop("do")](self, **order)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _arm(self, **fault: Any) -> None:
        with self._changed:
            self._faults.append(Fault(**fault))

    def _heal(self) -> None:
        with self._changed:
            for fault in self._faults:
                fault.healed = True
            self._faults.clear()
            self._changed.notify_all()

    def _wait(self, action: str, service: str, within: float) -> dict[str, Any] | None:
        """Wait for a held call that matches, and return it; None after ``within`` seconds."""
        wanted = Fault("hold", action, service)

        def found() -> Call | None:
            return next((call for fault in self._faults for call in fault.held if wanted.matches(call)), None)

        with self._changed:
            call = self._changed.wait_for(found, within)
        return asdict(call) if call else None

    def _refuse_launches(self, environment: str, message: str) -> None:
        launches.refuse(environment, message)

    def _allow_launches(self, environment: str) -> None:
        launches.allow(environment)

    def _run_schedule(self, region: str, group: str, name: str) -> str:
        from gen_infra.emulator.patches.schedules import run_schedule  # loads moto

        return run_schedule(region, group, name)

    def _run_rule(self, region: str, name: str, time: float) -> None:
        from gen_infra.emulator.patches.events import run_rule  # loads moto

        run_rule(region, name, time)

    def _evaluate_alarms(self, region: str, time: float) -> list[str]:
        from gen_infra.emulator.patches.alarms import evaluate  # loads moto

        return evaluate(region, time)

    _orders: dict[str, Callable[..., Any]] = {  # noqa: RUF012 - never changed
        "arm": _arm,
        "heal": _heal,
        "wait": _wait,
        "refuse launches": _refuse_launches,
        "allow launches": _allow_launches,
        "run schedule": _run_schedule,
        "run rule": _run_rule,
        "evaluate alarms": _evaluate_alarms,
        "report permissions": lambda _faults: REPORT.lines(),
        "report requests": lambda _faults: REPORT.requests(),
    }


def _refuse(
    operation: Operation, fault: Fault, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    headers, body = refusal(operation.protocol, fault.code, fault.message)
    start_response(f"{fault.status} {HTTPStatus(fault.status).phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _recording(call: Call, start_response: StartResponse) -> StartResponse:
    """Wrap `start_response`, so that it also records the status."""

    def start(status: str, headers: list[tuple[str, str]], failure: Any = None, /) -> Any:
        LOG.answered(call, int(status[:3]))
        return start_response(status, headers, failure) if failure else start_response(status, headers)

    return start


def _drain(answer: Iterable[bytes]) -> None:
    for _ in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()


def _discarded(_status: str, _headers: list[tuple[str, str]], _failure: Any = None, /) -> Any:
    """Start an answer that is dropped."""
