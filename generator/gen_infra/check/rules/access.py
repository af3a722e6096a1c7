"""Check who can do what: keys, roles and policies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_infra.check.rules.conditions import KEY, TOPIC, TRUST, missing, policy_of
from gen_infra.check.rules.rule import Accepted, Rule, rule, rule_beyond
from gen_infra.terraform.job_definitions import compute_roles, roles
from gen_infra.terraform.policy_documents import (
    accounts,
    allowing,
    conditions,
    has_condition,
    is_bound_to_account,
    is_bound_to_principals,
    is_for_anyone,
    listed,
    may_be_anything,
    named,
    services,
)
from gen_infra.terraform.source import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.terraform.source import Resource

_KEYS = ("aws_kms_key", "aws_kms_key_policy")
_IDENTITY_POLICIES = ("aws_iam_policy", "aws_iam_role_policy")
_KMS = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html"
_DEPUTY = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"
_PRACTICES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"


@rule(
    "GI_KMS_1",
    *_KEYS,
    severity="high",
    title="A key policy for any AWS principal names the account and the principals by conditions",
    remedy='add StringEquals "kms:CallerAccount" and ArnEquals "aws:PrincipalArn" with full ARNs to the statement',
    source=_KMS,
    privilege=True,
)
def key_is_bound(resource: Resource) -> Iterator[str]:
    """Require conditions on account and principal. Without both, other accounts can use the key."""
    for statement in allowing(resource.values.get("policy")):
        if is_for_anyone(statement) and not (is_bound_to_account(statement) and is_bound_to_principals(statement)):
            yield f"{named(statement)} admits any AWS principal"


@rule(
    "GI_KMS_2",
    *_KEYS,
    severity="high",
    title="Grants for a key are for AWS services only",
    remedy='add Bool "kms:GrantIsForAWSResource" = "true" to the statement that allows kms:CreateGrant',
    source="https://docs.aws.amazon.com/kms/latest/developerguide/grants.html",
    privilege=True,
)
def grants_are_for_services(resource: Resource) -> Iterator[str]:
    """Require this condition: a grant without it gives the key to other accounts."""
    for statement in allowing(resource.values.get("policy")):
        grants = {"kms:CreateGrant", "kms:*", "*"}.intersection(map(str, listed(statement.get("Action"))))
        if is_for_anyone(statement) and grants and not has_condition(statement, "kms:grantisforawsresource"):
            yield f"{named(statement)} allows grants of the key to any principal"


@rule(
    "GI_KMS_3",
    *_KEYS,
    severity="medium",
    title="A service uses the key for this account's resources only",
    remedy="add a condition on an encryption context, aws:SourceAccount or aws:SourceArn to the statement",
    source=_DEPUTY,
    privilege=True,
)
def services_use_the_key_for_us(resource: Resource) -> Iterator[str]:
    """Restrict services to this account, because a service acts for every account that calls it."""
    for statement in allowing(resource.values.get("policy")):
        for service in services(statement):
            if service not in KEY:
                yield f"{named(statement)} lets {service} use the key"
        for service, key in missing(statement, KEY):
            yield f"{named(statement)} lets {service} use the key for any account: it has no condition on {key}"


@rule(
    "GI_IAM_1",
    "aws_iam_role",
    severity="high",
    title="A service assumes a role for this account only",
    remedy='add StringEquals "aws:SourceAccount" with this account\'s id, and "aws:SourceArn", to the trust policy',
    source=_DEPUTY,
    privilege=True,
)
def deputies_are_not_confused(resource: Resource) -> Iterator[str]:
    """Check services that send the account and the ARN for which they assume a role; ec2 and lambda do not."""
    for statement in allowing(resource.values.get("assume_role_policy")):
        for service, key in missing(statement, TRUST):
            if key == "aws:sourceaccount":
                yield f"{service} can assume it for any account"
            elif not resource.address.startswith("aws_iam_role.existing["):
                yield f"{service} can assume it without a condition on {key}"


@rule(
    "GI_IAM_2",
    "aws_iam_role",
    "aws_iam_role_policy_attachment",
    "aws_iam_policy_attachment",
    severity="high",
    title="No role has a policy that allows everything in a service",
    remedy="write a policy with the actions and resources that are needed",
    source=_PRACTICES,
    privilege=True,
)
def no_wide_managed_policy(resource: Resource) -> Iterator[str]:
    """Accept the policies of AWS that the roles need; the files have the environment's own policies as references."""
    arns = [resource.values.get("policy_arn"), *listed(resource.values.get("managed_policy_arns"))]
    for arn in arns:
        is_own = resource.line == 0 and _CUSTOMER_POLICY.match(str(arn))
        if isinstance(arn, str) and not is_own and not _NEEDED.fullmatch(arn):
            yield f"{arn.rpartition('/')[2]} is attached"


_CUSTOMER_POLICY = re.compile(r"arn:[\w-]+:iam::[0-9]{12}:policy/", re.ASCII)
_NEEDED = re.compile(
    r"arn:[\w-]+:iam::aws:policy/service-role/(?:AWSBatchServiceRole|AmazonEC2SpotFleetTaggingRole)",
    re.ASCII,
)


@rule(
    "GI_IAM_4",
    *_IDENTITY_POLICIES,
    *_KEYS,
    "aws_iam_role",
    "aws_*_policy",
    severity="high",
    title="Policies name their actions",
    remedy="list the actions that are needed",
    source=_PRACTICES,
    privilege=True,
)
def actions_are_named(resource: Resource) -> Iterator[str]:
    """Refuse wildcards, such as ``s3:*`` or ``s3:?*``: they grant future actions too, and checkov accepts them."""
    for statement in allowing(policy_of(resource)):
        named_ones = _NAMES_OF_KEYS if resource.kind in _KEYS else frozenset()
        for action in listed(statement.get("Action")):
            is_wild = isinstance(action, str) and ("*" in action or "?" in action) and action not in named_ones
            is_owner = resource.kind in _KEYS and action == "kms:*" and _is_for_the_account(statement)
            if is_wild and not is_owner:
                yield f"{named(statement)} allows {action}"
        if "NotAction" in statement:
            yield f"{named(statement)} allows everything but some actions"


# For all variants of one action; the account as a whole has the key, so that its policies decide.
_NAMES_OF_KEYS = frozenset({"kms:GenerateDataKey*", "kms:ReEncrypt*"})


def _is_for_the_account(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    owners = listed(principal.get("AWS")) if isinstance(principal, dict) and list(principal) == ["AWS"] else []
    return bool(owners) and all(isinstance(each, Unknown) or str(each).endswith(":root") for each in owners)


@rule(
    "GI_IAM_5",
    *_IDENTITY_POLICIES,
    severity="high",
    title="Policies name their resources",
    remedy="name the account and the resource in the ARN",
    source=_PRACTICES,
    privilege=True,
)
def resources_are_named(resource: Resource) -> Iterator[str]:
    """Refuse an ARN with a wildcard for the account or for the whole name: it allows as much as a star.

    A wildcard name is accepted where conditions choose among the names, or where the call creates the resource.
    """
    for statement in allowing(resource.values.get("policy")):
        for arn in listed(statement.get("Resource")):
            if not isinstance(arn, str):
                continue
            if _ANYWHERE.match(arn) or (_ANY_NAME.match(arn) and not _is_narrowed(statement, arn)):
                yield f"{named(statement)} allows {arn}"
        if "NotResource" in statement:
            yield f"{named(statement)} allows everything but some resources"


# A wildcard before the resource's name, or in the name of a bucket.
_ANYWHERE = re.compile(r"\*[*?]|\?|arn:(?:[^:]*:){0,3}[^:*?]*[*?][^:]*:|arn:[^:]*:s3:[^:]*:[^:]*:[^/]*[*?]", re.ASCII)
# A name of which at most one letter is given.
_ANY_NAME = re.compile(r"arn:[^:]*:(?!s3:)[^:]*:[^:]*:[^:]*:(?:[\w-]+[:/])?\w?[*?]*\*[*?]*\w?(?:/|$)", re.ASCII)

# Condition keys that choose among resources, and what a call makes.
_CHOOSING = (
    *("aws:requesttag/", "aws:resourcetag/", "ec2:createaction", "ec2:subnet", "ecs:cluster", "ecs:createaction"),
    "ssm:resourcetag/",
)
_MADE_BY = {
    "ec2:CreateImage": frozenset({"image", "snapshot"}),
    "ec2:CreateNetworkInterface": frozenset({"network-interface"}),
    "ec2:RunInstances": frozenset({"instance", "network-interface", "volume"}),
}


def _is_narrowed(statement: dict[str, Any], arn: str) -> bool:
    kind = arn.split(":", 5)[5].partition("/")[0]
    makes = all(kind in _MADE_BY.get(str(action), ()) for action in listed(statement.get("Action")))
    return makes or _stops_untagged_jobs(statement) or any(has_condition(statement, key) for key in _CHOOSING)


def _stops_untagged_jobs(statement: dict[str, Any]) -> bool:
    """Return whether it allows to stop jobs without a certain tag: those of engines that cannot tag their jobs."""
    return listed(statement.get("Action")) == ["batch:TerminateJob"] and any(
        operator == "Null" and key.startswith("aws:resourcetag/") and list(values) == ["true"]
        for operator, key, values in conditions(statement)
    )


@rule_beyond(
    "GI_IAM_6",
    "aws_s3_bucket_policy",
    "aws_sqs_queue_policy",
    "aws_sns_topic_policy",
    "aws_ecr_repository_policy",
    "aws_ecr_registry_policy",
    "aws_secretsmanager_secret_policy",
    "aws_efs_file_system_policy",
    "aws_cloudwatch_log_resource_policy",
    severity="high",
    title="A resource policy admits this account only",
    remedy="name the principals, or add a condition on aws:PrincipalAccount or aws:PrincipalOrgID to the statement",
    source=_PRACTICES,
)
def resource_policies_are_bound(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Require these conditions: without them the policy makes the resource public, or another account's, too."""
    policy = resource.values.get("policy", resource.values.get("policy_document"))
    for statement in allowing(policy):
        if is_for_anyone(statement) and not is_bound_to_account(statement):
            yield f"{named(statement)} admits any principal"
        if services(statement) and not any(has_condition(statement, key) for key in _SOURCES):
            yield f"{named(statement)} admits {', '.join(services(statement))} for any account"
        elif resource.kind == "aws_sns_topic_policy":
            for service, key in missing(statement, TOPIC):
                yield f"{named(statement)} admits {service} without a condition on {key}"
        for account in sorted(accounts(statement) - {accepted.account} if accepted.account else ()):
            yield f"{named(statement)} admits account {account}"


_SOURCES = ("aws:sourceaccount", "aws:sourcearn")


@rule(
    "GI_IAM_7",
    *_IDENTITY_POLICIES,
    severity="high",
    title="Policies name the secrets and keys that they give access to",
    remedy="give the ARN of each secret, parameter or key",
    source="https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies-best-practices.html",
    privilege=True,
)
def secrets_are_named(resource: Resource) -> Iterator[str]:
    """Require named resources: a condition such as kms:ViaService does not limit what can be read."""
    for statement in allowing(resource.values.get("policy")):
        opening = [action for action in listed(statement.get("Action")) if _OPENS.match(str(action))]
        if opening and "*" in listed(statement.get("Resource")):
            yield f"{named(statement)} allows {opening[0]} on everything"


_OPENS = re.compile(
    r"kms:(?:Decrypt|ReEncrypt|GenerateDataKey|CreateGrant)|secretsmanager:Get|ssm:GetParameter", re.IGNORECASE
)


@rule(
    "GI_IAM_8",
    "aws_iam_instance_profile",
    severity="high",
    title="Instances use the role that is made for them",
    remedy="put the role of the profile's own name into it, as the instance-role module does",
    source="https://docs.aws.amazon.com/batch/latest/userguide/instance_IAM_role.html",
    privilege=True,
)
def profiles_hold_their_own_role(resource: Resource) -> Iterator[str]:
    """Allow no other role in the profile: every job on an instance can use the profile's role."""
    name, role = resource.values.get("name"), resource.values.get("role")
    if isinstance(name, str) and isinstance(role, str) and role != name:
        yield f"it holds the role {role}"


@rule_beyond(
    "GI_IAM_9",
    "aws_batch_job_definition",
    "aws_batch_compute_environment",
    severity="high",
    title="Jobs and instances use the environment's own roles",
    remedy="leave the role out, use one below iam.path, or let an owner of the policy file add its ARN to roles",
    source=_PRACTICES,
)
def roles_are_accepted(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Refuse other roles: every user who may submit a job can do all that its role may do."""
    for label, arn in dict.fromkeys(_used_roles(resource)):
        of_batch = label == "service role" and _OF_BATCH.fullmatch(arn)  # what no service role means, once imported
        if not of_batch and not accepted.accepts_role(arn):
            yield f"its {label} is {arn}"


_OF_BATCH = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/aws-service-role/batch\.amazonaws\.com/AWSServiceRoleForBatch")


def _used_roles(resource: Resource) -> Iterator[tuple[str, str]]:
    is_job = resource.kind == "aws_batch_job_definition"
    return roles(resource.values) if is_job else compute_roles(resource.values)


@rule(
    "GI_IAM_12",
    *_IDENTITY_POLICIES,
    severity="high",
    title="Only images that the environment made are changed, and none is shared",
    remedy="limit ec2:ModifyImageAttribute and ec2:CreateTags as modules/image-pipeline/build_role.tf does",
    source="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html#attribute-key",
    privilege=True,
)
def images_stay_as_made(resource: Resource) -> Iterator[str]:
    """Require conditions on the attribute and on tags: without them a build could share any image, or take it over."""
    for statement in allowing(resource.values.get("policy")):
        actions = [str(action) for action in listed(statement.get("Action"))]
        keys = {key for operator, key, _ in conditions(statement) if operator in _ON_TAGS}
        is_known = not may_be_anything(statement)
        if "ec2:ModifyImageAttribute" in actions and is_known:
            if not any(has_condition(statement, f"ec2:attribute/{name}") for name in ("description", "imdssupport")):
                yield f"{named(statement)} allows to share images with other accounts"
            if not has_condition(statement, "aws:resourcetag/"):
                yield f"{named(statement)} allows changes of images that the environment did not make"
        if "ec2:CreateTags" in actions and is_known and not any(key.startswith(_OF_OWN) for key in keys):
            yield f"{named(statement)} allows tags on what the environment did not make"


_ON_TAGS = frozenset({"StringEquals", "StringEqualsIfExists", "StringLike", "Null"})
_OF_OWN = ("aws:resourcetag/", "ec2:createaction", "ec2:resourcetag/")


@rule(
    "GI_LAMBDA_1",
    "aws_lambda_function",
    severity="medium",
    title="A function has its own concurrency limit",
    remedy="set reserved_concurrent_executions to a number above 0",
    source="https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
)
def functions_are_limited(resource: Resource) -> Iterator[str]:
    """Refuse -1, which means no limit; checkov accepts it."""
    limit = resource.values.get("reserved_concurrent_executions")
    if limit is None or (isinstance(limit, int) and limit < 0):
        yield "it can use up the concurrency of the whole account"


@rule_beyond(
    "GI_LAMBDA_2",
    "aws_lambda_function_url",
    "aws_lambda_permission",
    severity="high",
    title="Functions are called only with IAM permissions",
    remedy="use AWS_IAM for the URL, and a source_account or source_arn for a service",
    source="https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
    privilege=True,
)
def functions_are_not_public(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Refuse functions that the public or another account can call: one that submits jobs spends money."""
    values = resource.values
    bound = values.get("source_account") is not None or values.get("source_arn") is not None
    if values.get("authorization_type") == "NONE" or (resource.kind == "aws_lambda_permission" and not bound):
        yield "any principal can call the function"
    _, _, _, _, owner, *_ = f"{values.get('source_arn')}:::::".split(":")
    callers = {each for each in (owner, values.get("source_account")) if isinstance(each, str) and each.isdecimal()}
    for account in sorted(callers - {accepted.account} if accepted.account else ()):
        yield f"a service can call the function for account {account}"


RULES: tuple[Rule, ...] = (
    key_is_bound,
    grants_are_for_services,
    services_use_the_key_for_us,
    deputies_are_not_confused,
    no_wide_managed_policy,
    actions_are_named,
    resources_are_named,
    resource_policies_are_bound,
    secrets_are_named,
    profiles_hold_their_own_role,
    roles_are_accepted,
    images_stay_as_made,
    functions_are_limited,
    functions_are_not_public,
)
