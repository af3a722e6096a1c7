"""Documented limits of IAM and KMS: the sizes, forms and principals of policies."""

from __future__ import annotations

from gen_infra.emulator.validation import policies
from gen_infra.emulator.validation.limit import Limit, between, limit, matches, never_starts

IAM_QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
KEY_POLICIES = "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html"

GRAMMAR = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"
_IDENTITY = (
    ("CreatePolicy", "PolicyDocument"),
    ("CreatePolicyVersion", "PolicyDocument"),
    ("PutRolePolicy", "PolicyDocument"),
)
_TRUST = (("CreateRole", "AssumeRolePolicyDocument"), ("UpdateAssumeRolePolicy", "PolicyDocument"))

LIMITS: tuple[Limit, ...] = (
    # IAM
    limit(
        "iam",
        "CreatePolicy CreatePolicyVersion",
        "PolicyDocument",
        lambda text: policies.size(text) <= 6144,
        "LimitExceeded",
        "Cannot exceed quota for PolicySize: 6144",
        IAM_QUOTAS,
        409,
    ),
    limit(
        "iam",
        "PutRolePolicy",
        "PolicyDocument",
        lambda text: policies.size(text) <= 10_240,
        "LimitExceeded",
        "Maximum policy size of 10240 bytes exceeded for role",
        IAM_QUOTAS,
        409,
    ),
    limit(
        "iam",
        "CreateRole",
        "AssumeRolePolicyDocument",
        lambda text: policies.size(text) <= 2048,
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
        IAM_QUOTAS,
        409,
    ),
    limit(
        "iam",
        "UpdateAssumeRolePolicy",
        "PolicyDocument",
        lambda text: policies.size(text) <= 2048,
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
        IAM_QUOTAS,
        409,
    ),
    limit(
        "iam",
        "CreateRole",
        "AssumeRolePolicyDocument",
        policies.is_policy,
        "MalformedPolicyDocument",
        "This policy contains invalid Json",
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
    ),
    limit(
        "iam",
        "CreateRole",
        "AssumeRolePolicyDocument",
        lambda text: not policies.unknown_service(text),
        "MalformedPolicyDocument",
        'Invalid principal in policy: "SERVICE":"{value}"',
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
        show=policies.unknown_service,
    ),
    limit(
        "iam",
        "UpdateAssumeRolePolicy",
        "PolicyDocument",
        lambda text: not policies.unknown_service(text),
        "MalformedPolicyDocument",
        'Invalid principal in policy: "SERVICE":"{value}"',
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
        show=policies.unknown_service,
    ),
    *(
        limit("iam", action, path, holds, "MalformedPolicyDocument", words, source)
        for actions, holds, words, source in (
            (_IDENTITY, policies.has_no_principals, "Policy document should not specify a principal.", GRAMMAR),
            (_IDENTITY, policies.has_plain_sids, "Statement IDs (SID) must be alpha-numeric.", GRAMMAR),
            (_TRUST, policies.has_no_resources, "Has prohibited field Resource", GRAMMAR),
            (_TRUST, policies.has_principals, "Missing required field Principal", GRAMMAR),
            (
                _TRUST,
                policies.assumes_roles_only,
                "AssumeRole policy may only specify STS AssumeRole actions.",
                GRAMMAR,
            ),
        )
        for action, path in actions
    ),
    # KMS
    limit(
        "kms",
        "CreateKey PutKeyPolicy",
        "Policy",
        lambda text: len(text.encode()) <= 32 * 1024,
        "LimitExceededException",
        "The key policy document exceeds 32768 bytes.",
        "https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html",
    ),
    limit(
        "kms",
        "CreateKey PutKeyPolicy",
        "Policy",
        policies.is_policy,
        "MalformedPolicyDocumentException",
        "The policy document is not valid JSON or has an unknown version.",
        KEY_POLICIES,
    ),
    limit(
        "kms",
        "CreateKey PutKeyPolicy",
        "",
        policies.lets_its_policy_change,
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
        KEY_POLICIES,
    ),
    limit(
        "kms",
        "CreateAlias",
        "AliasName",
        matches(r"alias/[a-zA-Z0-9/_-]+"),
        "ValidationException",
        'Alias must start with the prefix "alias/". Please see '
        "http://docs.aws.amazon.com/kms/latest/developerguide/programming-aliases.html",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html",
    ),
    limit(
        "kms",
        "CreateAlias",
        "AliasName",
        never_starts("alias/aws/"),
        "NotAuthorizedException",
        "",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html",
    ),
    limit(
        "kms",
        "ScheduleKeyDeletion",
        "PendingWindowInDays",
        between(7, 30),
        "ValidationException",
        "PendingWindowInDays must be between 7 and 30, not {value}",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html",
    ),
)
