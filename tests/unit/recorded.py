"""An AWS that answers from a table, in the shapes of the real one: for what no emulator does, such as lacking capacity.

Requests are checked by botocore itself, and so are the answers: what the API does not have cannot be answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import local
from typing import Any, NamedTuple

from botocore.validate import ParamValidator

from gen_infra.aws import session

Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]


class Refusal(NamedTuple):
    """An error code, and what AWS says with it."""

    code: str
    message: str = "no"


class _Http(NamedTuple):
    status_code: int


class Account:
    """The answers by operation, which a test may exchange: a dict, a function of the request, or a refusal."""

    def __init__(self) -> None:
        self.answers: Mapping[str, Answer | Refusal] = {}
        self.clients = session.clients("us-east-1")
        self._sent = local()
        events: Any = self.clients._session.events
        events.register("provide-client-params", self._remember)
        events.register("before-call", self._answer)

    def _remember(self, params: dict[str, Any], **_: Any) -> None:
        self._sent.request = params  # calls of several threads may overlap

    def _answer(self, model: Any, **_: Any) -> tuple[_Http, dict[str, Any]]:
        assert model.name in self.answers, f"no answer to {model.name}"
        answer = self.answers[model.name]
        if isinstance(answer, Refusal):
            return _Http(400), {"Error": {"Code": answer.code, "Message": answer.message}}
        found = answer(self._sent.request) if callable(answer) else answer
        report = ParamValidator().validate(found, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return _Http(200), found
