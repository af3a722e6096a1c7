"""All services: requests that AWS refuses in every account."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from gen_infra.emulator import authorization, validation
from gen_infra.emulator.operations import read_operation
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch
from gen_infra.emulator.refusals import refusal
from gen_infra.emulator.validation.errors import ErrorAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from gen_infra.emulator.operations import Operation

    RequestCheck = Callable[[Operation, WSGIEnvironment], ErrorAnswer | None]


_HTML = (b"<!doctype html", b"<html")
_FAILURE = ErrorAnswer("InternalFailure", "The emulator failed; see its log.", 500)
_log = logging.getLogger(__name__)


@moto_patch(
    moto="5.2.5 ignores most of a service's model: required members, types, enums, sizes and patterns",
    aws="refuses a request that its model forbids",
)
def validated_requests() -> None:
    """Check every request against botocore's model of its service."""
    _refuse_if(validation.model_problem)


@moto_patch(
    moto="5.2.5 accepts values beyond most documented limits",
    aws="refuses them, also where its model has no such limit",
)
def documented_limits() -> None:
    """Check every request against the table of limits."""
    _refuse_if(validation.limit_problem)


@moto_patch(
    moto="5.2.5 carries out every call, or evaluates identity-based policies without their limits and conditions",
    aws="refuses what the policies of the caller and of the resource do not allow",
)
def authorized_requests() -> None:
    """Evaluate every call of a user or a role that IAM or STS has created; the administrator may do everything."""
    _refuse_if(authorization.denial)


@moto_patch(
    moto="5.2.5 answers an operation without a route, and a failure of its own, with an HTML page",
    aws="answers every error in the service's protocol",
)
def error_format() -> None:
    """Replace HTML pages by errors in the service's protocol.

    An operation that moto does not have gets status 400, which clients do not retry.
    """

    @around(DomainDispatcherApplication, "__call__")
    def call(
        original: Callable[..., Iterable[bytes]],
        app: WSGIApplication,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        operation = read_operation(environ)
        if not operation.service:
            return original(app, environ, start_response)
        head: list[Any] = []

        def keep(*status_and_headers: Any) -> Any:
            head[:] = status_and_headers

        try:
            body = original(app, environ, keep)
        except ImportError:  # the extra requirements of a service are not installed
            return _answer(operation, _unknown(operation), environ, start_response)
        except Exception:  # noqa: BLE001 - any failure of moto is an error of the service
            _log.exception("%s %s failed", operation.service, operation.action)
            return _answer(operation, _FAILURE, environ, start_response)
        status, headers, *_ = head
        if status < "4":
            start_response(status, headers)
            return body
        content = b"".join(body)
        if not content.lstrip().lower().startswith(_HTML):
            start_response(status, headers)
            return [content]
        problem = _FAILURE if status.startswith("500") else _unknown(operation)
        return _answer(operation, problem, environ, start_response)


def _unknown(operation: Operation) -> ErrorAnswer:
    name = f"{operation.service}:{operation.action}"
    return ErrorAnswer("UnknownOperationException", f"The emulator does not implement {name}.")


def _refuse_if(validate: RequestCheck) -> None:
    @around(DomainDispatcherApplication, "__call__")
    def call(
        original: Callable[..., Iterable[bytes]],
        app: WSGIApplication,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        operation = read_operation(environ)
        if problem := _problem(validate, operation, environ):
            return _answer(operation, problem, environ, start_response)
        return original(app, environ, start_response)


def _problem(validate: RequestCheck, operation: Operation, environ: WSGIEnvironment) -> ErrorAnswer | None:
    try:
        return validate(operation, environ)
    except ValueError as error:  # a number in a form that is not one
        return ErrorAnswer(
            validation.errors.CODES.get(operation.service, "ValidationException"), f"Invalid value: {error}"
        )


def _answer(
    operation: Operation, problem: ErrorAnswer, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    headers, body = refusal(operation.protocol, problem.code, problem.message)
    start_response(f"{problem.status} {HTTPStatus(problem.status).phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


PATCHES: tuple[MotoPatch, ...] = (
    error_format,
    documented_limits,
    validated_requests,  # outside the limits, which so see values of the right types
    authorized_requests,  # outermost: AWS refuses a call without permission before it validates it
)
