"""Run Lambda functions: the handler of the deployed zip, in a child process of the same Python interpreter.

That interpreter is used for every runtime. The function gets its own environment variables, and ``AWS_ENDPOINT_URL``
of the emulator and the credentials of a session of its role, whose permissions are enforced.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUNNER = Path(__file__).with_name("function_runner.py")
_PASSED = ("PATH", "HOME", "LANG", "SYSTEMROOT")


@dataclass(frozen=True)
class Function:
    """The part of a function that an invocation needs.

    Args:
        code: the deployed zip.
        handler: ``module.function``.
        timeout: seconds.
        memory: MiB; shown to the function, not enforced.
        credentials: the environment variables of its role's session.
    """

    name: str
    arn: str
    version: str
    code: bytes
    handler: str
    runtime: str
    timeout: int
    memory: int
    region: str
    log_group: str
    credentials: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The result of an invocation.

    Args:
        payload: JSON: the handler's result, or an error with ``errorType`` and ``errorMessage``.
        failed: whether the payload is an error, which AWS marks as ``FunctionError: Unhandled``.
        log: the lines for the log stream, from START to REPORT.
        log_stream: the name of that stream.
    """

    payload: bytes
    failed: bool
    log: list[str]
    log_stream: str


def invoke(function: Function, payload: bytes, *, endpoint: str) -> Outcome:
    """Run the function once, until it ends or times out."""
    request_id = str(uuid.uuid4())
    stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{function.version}]{uuid.uuid4().hex}"
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gen-infra-function-") as scratch:
        outcome, printed = _run(function, payload, Path(scratch), _environ(function, stream, endpoint), request_id)
    duration = (time.monotonic() - began) * 1000
    log = [
        f"START RequestId: {request_id} Version: {function.version}",
        *printed.splitlines(),
        f"END RequestId: {request_id}",
        f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\tMemory Size: {function.memory} MB",
    ]
    error = outcome.get("error")
    answer = outcome.get("result") if error is None else error | {"requestId": request_id}
    return Outcome(json.dumps(answer).encode(), error is not None, log, stream)


def _run(
    function: Function, payload: bytes, scratch: Path, environ: dict[str, str], request_id: str
) -> tuple[dict[str, Any], str]:
    code, result = scratch / "task", scratch / "result.json"
    with zipfile.ZipFile(io.BytesIO(function.code)) as archive:
        archive.extractall(code)
    request = {"event": json.loads(payload or b"{}"), "context": _context(function, request_id)}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-P", str(RUNNER), str(code), function.handler, str(result)],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=code,
            env=environ | {"LAMBDA_TASK_ROOT": str(code), "TMPDIR": str(scratch)},
            timeout=function.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        message = f"RequestId: {request_id} Error: Task timed out after {function.timeout:.2f} seconds"
        return _error("Sandbox.Timedout", message), _text(late.stdout)
    if done.returncode != 0 or not result.exists():
        message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {done.returncode}"
        return _error("Runtime.ExitError", message), _text(done.stdout)
    outcome: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return outcome, _text(done.stdout)


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"errorType": kind, "errorMessage": message}}


def _text(printed: bytes | None) -> str:
    return (printed or b"").decode(errors="replace")


def _context(function: Function, request_id: str) -> dict[str, Any]:
    return {
        "deadline": time.time() + function.timeout,
        "aws_request_id": request_id,
        "function_name": function.name,
        "function_version": function.version,
        "invoked_function_arn": function.arn,
        "memory_limit_in_mb": str(function.memory),
        "log_group_name": function.log_group,
    }


def _environ(function: Function, stream: str, endpoint: str) -> dict[str, str]:
    """Build the environment variables: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html."""
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    own = {
        "_HANDLER": function.handler,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_REGION": function.region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
    }
    return kept | function.variables | own | function.credentials
