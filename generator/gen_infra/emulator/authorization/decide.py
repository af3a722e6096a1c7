"""Decide about one request with the policy of its resource, and count it for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.emulator.authorization.resource_policies import resource_policy
from gen_infra.emulator.iam_report import REPORT
from gen_infra.iam import Decision, evaluate

if TYPE_CHECKING:
    from gen_infra.iam import Principal, Request


def decide(request: Request, principal: Principal, *, is_known: bool = True) -> Decision:
    """Evaluate a request; ``is_known`` says whether its resource is known, or ``*`` stands for it."""
    decision = evaluate(request, principal, resource_policy(request.resource))
    REPORT.add(decision, is_known=is_known)
    return decision
