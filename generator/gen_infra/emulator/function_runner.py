"""Run one invocation of a Lambda function, as a script in a separate interpreter.

``python function_runner.py CODE_FOLDER HANDLER RESULT_FILE``, with ``{"event": …, "context": …}`` on standard input.
Writes ``{"result": …}`` or ``{"error": {…}}``, with AWS's keys, to the result file; the handler's output goes to
standard output. The script is started by its path and imports nothing of gen-infra, so that the function runs in a
plain interpreter.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

GRACE_SECONDS = 5


class Context:
    """The second argument of a handler: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""

    def __init__(self, deadline: float, **values: Any) -> None:
        self._deadline = deadline
        self.__dict__.update(values)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the invocation times out."""
        return max(0, int((self._deadline - time.time()) * 1000))


def main() -> None:
    """Run the handler, and write its result or error."""
    folder, handler, result_file = sys.argv[1:]
    request = json.load(sys.stdin)
    late = threading.Timer(request["context"]["deadline"] + GRACE_SECONDS - time.time(), os._exit, (1,))
    late.daemon = True  # needed only when the emulator died, which otherwise ends the function
    late.start()
    sys.path.insert(0, folder)
    Path(result_file).write_text(json.dumps(_outcome(folder, handler, request)), encoding="utf-8")


def _outcome(folder: str, handler: str, request: dict[str, Any]) -> dict[str, Any]:
    module_name, _, name = handler.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        return _error("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    except Exception as error:  # noqa: BLE001 - any exception of the function's module is the function's error
        return _raised(error, folder)
    function = getattr(module, name, None)
    if function is None:
        return _error("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")
    try:
        result = function(request["event"], Context(**request["context"]))
    except Exception as error:  # noqa: BLE001 - the same
        return _raised(error, folder)
    try:
        return {"result": json.loads(json.dumps(result))}
    except (TypeError, ValueError) as error:
        return _error("Runtime.MarshalError", f"Unable to marshal response: {error}")


def _raised(error: Exception, folder: str) -> dict[str, Any]:
    trace = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in trace if frame.filename != __file__ and not frame.filename.startswith("<frozen")]
    lines = [line.replace(folder, "/var/task") for line in traceback.format_list(inside)]
    return _error(type(error).__name__, str(error), lines)


def _error(kind: str, message: str, trace: list[str] | None = None) -> dict[str, Any]:
    return {"error": {"errorMessage": message, "errorType": kind, "stackTrace": trace or []}}


if __name__ == "__main__":
    main()
