"""Validate requests as AWS does, before moto receives them.

`shapes` checks a request against botocore's model of the service, and `limits` against what AWS documents beyond it;
`errors` has the error codes and the words. `problem` combines them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.emulator.validation import errors, limits, shapes
from gen_infra.emulator.validation.parameters import parameters

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from gen_infra.emulator.operations import Operation
    from gen_infra.emulator.validation.errors import ErrorAnswer


def model_problem(operation: Operation, environ: WSGIEnvironment) -> ErrorAnswer | None:
    """Return AWS's error for a request that botocore's model of the service forbids, or None."""
    if operation.service not in errors.CODES or not operation.action:
        return None
    found = parameters(operation, environ)
    return None if found is None else errors.of_violations(operation.service, shapes.violations(operation, found))


def limit_problem(operation: Operation, environ: WSGIEnvironment) -> ErrorAnswer | None:
    """Return AWS's error for a request beyond a documented limit, or None."""
    rows = limits.of(operation.service, operation.action)
    found = parameters(operation, environ) if rows else None
    return None if found is None else next(filter(None, (row.problem(found) for row in rows)), None)
