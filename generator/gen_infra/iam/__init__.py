"""Evaluate IAM policies as AWS does: a pure function of a request, its principal and the policies that apply.

    evaluate(request, principal, resource_policy) -> Decision

The order and its reasons are those of AWS's documentation:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html

1. `Deny`: a statement of any policy that matches and denies ends the evaluation.
2. A resource-based policy that names the user, the session or everyone allows the request by itself within an account;
   one that names the role allows it as far as the role's permissions boundary and session policies do.
3. Otherwise the identity-based policies, the permissions boundary and the session policies must each allow it; from
   another account, the resource-based policy too.

Organizations' policies and VPC endpoint policies are not evaluated: an environment has none.
"""

from gen_infra.iam.decision import Decision, Verdict, evaluate
from gen_infra.iam.policy import InvalidPolicyError, PolicyDocument
from gen_infra.iam.principal import Principal, PrincipalKind
from gen_infra.iam.request import Request

__all__ = [
    "Decision",
    "InvalidPolicyError",
    "PolicyDocument",
    "Principal",
    "PrincipalKind",
    "Request",
    "Verdict",
    "evaluate",
]
