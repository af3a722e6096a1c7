"""Run scans inside checkov's own Python: JSON request on stdin, JSON answer on stdout.

Request: ``{"hcl": [FOLDER, …]}`` or ``{"plan": [FILE, …]}``. Answer, for each: ``passed``, ``failed``,
``skipped`` (lists of records), ``parsing_errors`` (files) and ``resources`` (addresses).

It uses the same runner as ``checkov --framework terraform --skip-download``, with the same findings in a third of the
time: it imports neither the other frameworks nor the platform client, so it opens no connections and reads no
configuration files; it disables the garbage collector; and it skips the interpreter's teardown.

Of several folders most text is the same: their modules are. So the functions that take most of the time are called
once for each text (`_parse_once`, `_compute_once`, `_Evaluations`). Everything that depends on an environment's values
is done for each: which values a module gets, and every check.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import json
import logging
import marshal
import os
import pickle
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def _scan_hcl(folder: str) -> Any:
    from checkov.runner_filter import RunnerFilter
    from checkov.terraform.runner import Runner

    return Runner().run(
        root_folder=folder, runner_filter=RunnerFilter(framework=["terraform"], show_progress_bar=False)
    )


def _scan_plan(file: str) -> Any:
    from checkov.runner_filter import RunnerFilter
    from checkov.terraform.plan_runner import Runner

    runner_filter = RunnerFilter(framework=["terraform_plan"], show_progress_bar=False)
    return Runner().run(files=[file], runner_filter=runner_filter)


def _parse_once() -> None:
    """Let checkov parse each text once; it changes the result, so each caller gets a copy."""
    import hcl2

    parse: Callable[[Any], Any] = hcl2.load
    known: dict[str, bytes] = {}

    def load(file: Any) -> Any:
        text = file.read()
        if text not in known:
            known[text] = pickle.dumps(parse(io.StringIO(text)))
        return pickle.loads(known[text])  # noqa: S301 - from three lines above

    hcl2.load = load


def _compute_once() -> None:
    """Let checkov call functions once for equal arguments that have no other input, and whose results do not change."""
    from checkov.terraform.graph_builder.variable_rendering import evaluate_terraform

    for name in ("find_brackets_pairs", "remove_interpolation"):
        setattr(evaluate_terraform, name, functools.cache(getattr(evaluate_terraform, name)))
    os.path.realpath = functools.cache(os.path.realpath)  # type: ignore[assignment] # of files that stay as they are


class _Evaluations:
    """Let checkov evaluate each expression once if the result is made of constants, or an error.

    Checkov changes lists, so each caller gets a copy. An expression that looks like an assignment, such as the text
    ``a=1``, adds a name for all later ones. From then on nothing is remembered.
    """

    def __init__(self) -> None:
        from checkov.terraform.graph_builder.variable_rendering import evaluate_terraform, safe_eval_functions

        self._evaluate: Callable[[Any], Any] = evaluate_terraform.evaluate
        self._names: dict[str, object] = safe_eval_functions.SAFE_EVAL_DICT
        self._first_names = dict(self._names)
        self._known: dict[str, tuple[bytes, ValueError | None]] = {}
        evaluate_terraform.evaluate = self._evaluate_once

    def forget_names(self) -> None:
        """Remove the names that were added, so that no scan depends on those before it."""
        self._names.clear()
        self._names.update(self._first_names)

    def _evaluate_once(self, text: Any) -> Any:
        if type(text) is not str or "timestamp" in text or self._has_other_names():
            return self._evaluate(text)
        if text in self._known:
            value, error = self._known[text]
            if error:
                raise error
            return marshal.loads(value)  # noqa: S302 - from below
        try:
            result = self._evaluate(text)
        except ValueError as error:  # how it reports what it cannot evaluate
            self._remember(text, None, ValueError(*error.args))
            raise
        self._remember(text, result, None)
        return result

    def _remember(self, text: str, result: Any, error: ValueError | None) -> None:
        if not self._has_other_names():
            with contextlib.suppress(ValueError):  # something else than constants, and lists and dictionaries of them
                self._known[text] = marshal.dumps(result), error

    def _has_other_names(self) -> bool:
        self._names.pop("print", None)  # each evaluation sets its own
        return self._names != self._first_names


def _answer(report: Any) -> dict[str, Any]:
    return {
        "passed": _records(report.passed_checks),
        "failed": _records(report.failed_checks),
        "skipped": _records(report.skipped_checks),
        "parsing_errors": sorted(report.parsing_errors),
        "resources": sorted(resource.partition(":")[2] for resource in report.resources),  # of "path:address"
    }


def _records(records: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "check_id": record.check_id,
            "check_name": record.check_name,
            "resource": record.resource,
            "file": record.file_path.lstrip("/"),
            "lines": list(record.file_line_range),
        }
        for record in records
    ]


def main() -> None:
    """Answer one request."""
    gc.disable()  # the imports create millions of objects that all stay
    logging.disable(logging.CRITICAL)
    del sys.path[0]  # this folder, so that nothing in it hides a package
    request = json.load(sys.stdin)
    scans: list[tuple[Callable[[str], Any], str]] = [(_scan_hcl, folder) for folder in request.get("hcl", [])]
    scans += [(_scan_plan, file) for file in request.get("plan", [])]
    _parse_once()
    _compute_once()
    evaluations = _Evaluations()
    answers = []
    for scan, path in scans:
        evaluations.forget_names()
        answers.append(_answer(scan(path)))
    sys.stdout.write(json.dumps(answers))  # dump() writes each value by itself, and through colorama
    sys.stdout.flush()


if __name__ == "__main__":
    main()
    os._exit(0)  # after an exception this is not reached: exit code 1
