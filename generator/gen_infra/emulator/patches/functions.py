"""Lambda: settings that moto drops, and invocations that really run."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config
from moto.logs.models import logs_backends

from gen_infra.emulator import functions
from gen_infra.emulator.authorization import acts
from gen_infra.emulator.authorization.callers import credentials
from gen_infra.emulator.patches.deliveries import deliver
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch

if TYPE_CHECKING:
    from gen_infra.emulator.functions import Outcome

ENDPOINT_VARIABLE = "GEN_INFRA_EMULATOR_ENDPOINT"
TAIL_BYTES = 4096
LARGEST_PAYLOAD = 6 * 1024 * 1024  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


@moto_patch(
    moto="5.2.5 drops DeadLetterConfig and LoggingConfig, and updates of KMSKeyArn, TracingConfig and these",
    aws="stores and describes them; the default log group is /aws/lambda/NAME, the default format Text",
)
def function_settings() -> None:
    """Store the settings on the function."""

    @around(LambdaFunction, "__init__")
    def init(original: Any, function: Any, account_id: str, spec: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        original(function, account_id, spec, *args, **kwargs)
        function.dead_letter_config = spec.get("DeadLetterConfig")
        function.logging_config = _logging_config(function, spec.get("LoggingConfig") or {})

    @around(LambdaFunction, "update_configuration")
    def update(original: Any, function: Any, changes: dict[str, Any]) -> dict[str, Any]:
        function.kms_key_arn = changes.get("KMSKeyArn", function.kms_key_arn)
        function.tracing_config = changes.get("TracingConfig", function.tracing_config)
        function.dead_letter_config = changes.get("DeadLetterConfig", function.dead_letter_config)
        if "LoggingConfig" in changes:
            function.logging_config = _logging_config(function, changes["LoggingConfig"])
        if "EphemeralStorage" in changes:
            function.ephemeral_storage = changes["EphemeralStorage"]["Size"]
        described: dict[str, Any] = original(function, changes)
        return described

    @around(LambdaFunction, "get_configuration")
    def describe(original: Any, function: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        described: dict[str, Any] = original(function, *args, **kwargs)
        described["LoggingConfig"] = function.logging_config
        if (function.dead_letter_config or {}).get("TargetArn"):
            described["DeadLetterConfig"] = function.dead_letter_config
        return described


@moto_patch(
    moto="5.2.5 accepts any role for a function",
    aws="refuses a role that does not trust Lambda, or that may not send to the function's dead-letter queue",
)
def function_roles() -> None:
    """Ask the role's trust policy before a function is created.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """

    @around(LambdaBackend, "create_function")
    def create_function(original: Any, backend: LambdaBackend, spec: dict[str, Any]) -> Any:
        actor = _actor(backend, str(spec.get("Role")), str(spec.get("FunctionName")))
        if actor is None:
            raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")
        queue = (spec.get("DeadLetterConfig") or {}).get("TargetArn", "")
        if ":sqs:" in queue and acts.refusal(actor, "sqs:SendMessage", queue):
            raise InvalidParameterValueException(
                "The provided execution role does not have permissions to call SendMessage on SQS"
            )
        return original(backend, spec)


def _actor(backend: LambdaBackend, role: str, session: str) -> acts.Actor | None:
    return acts.role(role, backend.region_name, "lambda.amazonaws.com", session=session)


def _logging_config(function: Any, given: dict[str, Any]) -> dict[str, Any]:
    config = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}"} | given
    if config["LogFormat"] == "JSON":
        config = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"} | config
    return config


@moto_patch(
    moto="5.2.5 without docker returns the payload of an invocation as its result",
    aws="refuses a payload that is larger than 6 MiB or is not JSON, runs the handler,"
    " returns its result or an error with FunctionError, and writes a log stream",
)
def running_functions() -> None:
    """Run the handler of the deployed zip."""
    default_user_config["lambda"]["use_docker"] = False

    @instead_of(LambdaSimpleBackend, "invoke")
    def invoke(
        backend: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        model = backend.get_function(function_name, qualifier)
        payload = body.encode() if isinstance(body, str) else body or b""
        kind = headers.get("X-Amz-Invocation-Type")
        response_headers["x-amz-executed-version"] = str(model.version)
        if kind == "DryRun":
            return b""
        if kind == "Event":
            threading.Thread(target=_invoke_later, args=(backend, model, payload), daemon=True).start()
            return b""
        _check_payload(payload)
        outcome = _invoke(backend, model, payload)
        if outcome.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        tail = "\n".join(outcome.log).encode()[-TAIL_BYTES:]
        response_headers["x-amz-log-result"] = base64.b64encode(tail).decode()
        return outcome.payload


def _check_payload(payload: bytes) -> None:
    """Refuse what Lambda gives to no function: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""
    if len(payload) > LARGEST_PAYLOAD:
        too_large = LambdaClientError(
            "RequestTooLargeException",
            f"Request must be smaller than {LARGEST_PAYLOAD} bytes for the InvokeFunction operation",
        )
        too_large.code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        raise too_large
    try:
        json.loads(payload or b"{}")
    except ValueError as error:
        raise LambdaClientError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from None


def _invoke_later(backend: Any, model: Any, payload: bytes) -> None:
    """Invoke a function without a caller who waits, and set the event aside if the function failed."""
    outcome = _invoke(backend, model, payload)
    queue = (model.dead_letter_config or {}).get("TargetArn")
    if outcome.failed and queue and (actor := _actor(backend, model.role, model.function_name)):
        deliver(actor, queue, payload.decode())


def _invoke(backend: Any, model: Any, payload: bytes) -> Outcome:
    group = model.logging_config["LogGroup"]
    function = functions.Function(
        name=model.function_name,
        arn=model.function_arn,
        version=str(model.version),
        code=model.code_bytes,
        handler=model.handler,
        runtime=model.run_time,
        timeout=int(model.timeout),
        memory=int(model.memory_size),
        region=model.region,
        log_group=group,
        credentials=credentials(model.role, model.function_name, model.region, backend.account_id),
        variables=model.environment_vars,
    )
    outcome = functions.invoke(function, payload, endpoint=os.environ[ENDPOINT_VARIABLE])
    _write_log(backend, model, group, outcome)
    return outcome


def _write_log(backend: Any, model: Any, group: str, outcome: Outcome) -> None:
    """Write the log as far as the function's role may; Lambda drops it otherwise, without an error."""
    logs = logs_backends[backend.account_id][backend.region_name]
    arn = f"arn:{backend.partition}:logs:{backend.region_name}:{backend.account_id}:log-group:{group}:log-stream:"
    needed = ["logs:CreateLogStream", "logs:PutLogEvents"]
    if group not in logs.groups:
        needed.insert(0, "logs:CreateLogGroup")
    actor = _actor(backend, model.role, model.function_name)
    if actor is None or acts.first_refusal(actor, [(action, arn) for action in needed]):
        return
    logs.ensure_log_group(group)
    logs.ensure_log_stream(group, outcome.log_stream)
    now = int(time.time() * 1000)
    logs.put_log_events(group, outcome.log_stream, [{"timestamp": now, "message": line} for line in outcome.log])


PATCHES: tuple[MotoPatch, ...] = (
    function_settings,
    function_roles,
    running_functions,
)
