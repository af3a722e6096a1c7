"""Which KMS keys a call uses, with the permissions of its caller: keys that the account's users have made.

A service calls KMS for the caller, with ``kms:ViaService`` and an encryption context. AWS's own keys (``alias/aws/…``)
allow that to every principal of the account, and are not evaluated.
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from gen_infra.iam.reference import Location

ContextValues = dict[str, tuple[str, ...]]
_ID_LENGTH = 36  # moto writes the id of the key before what it encrypts
ENCRYPT = ("kms:GenerateDataKey", "kms:Decrypt")
DECRYPT = ("kms:Decrypt",)
# https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html#ebs-encryption-permissions
VOLUME = (
    *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
)


# https://docs.aws.amazon.com/efs/latest/ug/EFSKMSPolicy.html
FILE_SYSTEM = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext")


class KeyUse(NamedTuple):
    """The use of a key by a service, for the one who called it.

    Args:
        key: the key's ARN.
        actions: what is done with it.
        via: the service, as ``kms:ViaService`` has it; empty for one that uses the key under its own name.
        encryption: the encryption context.
    """

    key: str
    actions: Sequence[str]
    via: str
    encryption: Mapping[str, str]

    def context(self, action: str, account: str) -> ContextValues:
        """Return the condition keys of one of its actions; ``account`` is the caller's."""
        values = key_context(self.key, account) | encryption_context(self.encryption)
        if self.via:
            values["kms:viaservice"] = (self.via,)
        if action == "kms:CreateGrant":
            values["kms:grantisforawsresource"] = ("true",)
        return values


def key_id(name: str, place: Location) -> str:
    """Return the id of a key, by its id, ARN, alias or the ARN of its alias; the name itself if it does not exist."""
    from moto.kms.models import kms_backends

    kms = kms_backends[place.account][place.region]
    alias = name.rpartition(":")[2]
    if alias.startswith("alias/"):
        return kms.get_key_id_from_alias(alias) or name
    return name.rpartition("/")[2]


def customer_key(name: str | None, place: Location) -> str:
    """Return the ARN of a key that the account's users have made; empty for AWS's own, and for none."""
    from moto.kms.models import kms_backends

    if not name or "alias/aws/" in name:
        return ""
    found = kms_backends[place.account][place.region].keys.get(key_id(name, place))
    is_own = any(alias.startswith("alias/aws/") for alias in found.aliases) if found else True
    return "" if found is None or is_own else str(found.arn)


def key_context(arn: str, account: str) -> ContextValues:
    """Return the condition keys that a key has; ``account`` is the caller's."""
    from moto.kms.models import kms_backends

    values: ContextValues = {"kms:calleraccount": (account,)}
    parts = arn.split(":", 5)
    key = kms_backends[parts[4]][parts[3]].keys.get(parts[5].removeprefix("key/")) if len(parts) == 6 else None
    if key:
        values |= {
            "kms:keyorigin": (str(key.origin),),
            "kms:keyspec": (str(key.key_spec),),
            "kms:keyusage": (str(key.key_usage),),
            "kms:multiregion": (str(bool(key.multi_region)).lower(),),
        }
        if key.aliases:
            values["kms:resourcealiases"] = tuple(key.aliases)
    return values


def encryption_context(pairs: Mapping[str, str]) -> ContextValues:
    """Return the condition keys of an encryption context."""
    values: ContextValues = {f"kms:encryptioncontext:{name.lower()}": (str(value),) for name, value in pairs.items()}
    return values | ({"kms:encryptioncontextkeys": tuple(pairs)} if pairs else {})


def direct_context(action: str, arn: str, parameters: Mapping[str, Any], account: str) -> ContextValues:
    """Return the condition keys of a call of KMS itself; ``account`` is the caller's."""
    constraints = parameters.get("Constraints") or {}
    pairs: Mapping[str, str] = parameters.get("EncryptionContext") or next(iter(constraints.values()), {})
    values = key_context(arn, account) | encryption_context(pairs)
    if str(name := parameters.get("KeyId", "")).rpartition(":")[2].startswith("alias/"):
        values["kms:requestalias"] = (str(name).rpartition(":")[2],)
    if action in ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"):
        values["kms:grantisforawsresource"] = ("false",)
    if action == "kms:CreateGrant":
        values["kms:grantoperations"] = tuple(parameters.get("Operations") or ())
        for member in ("GranteePrincipal", "RetiringPrincipal"):
            if member in parameters:
                values[f"kms:{member.lower()}"] = (str(parameters[member]),)
        if constraints:
            values["kms:grantconstrainttype"] = tuple(constraints)
    return values


def with_key(action: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of a call of KMS with the key that one of its actions is for, which may stand elsewhere."""
    if action == "kms:ReEncryptTo":
        return {**parameters, "KeyId": parameters.get("DestinationKeyId")}
    if action in ("kms:Decrypt", "kms:ReEncryptFrom"):
        named = parameters.get("KeyId") or parameters.get("SourceKeyId")
        return {**parameters, "KeyId": named or _key_of_ciphertext(parameters)}
    return parameters


def _key_of_ciphertext(parameters: Mapping[str, Any]) -> str:
    """Return the id of the key that encrypted a text; empty if it is not one of KMS."""
    try:
        return base64.b64decode(str(parameters.get("CiphertextBlob", "")))[:_ID_LENGTH].decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def key_uses(action: str, given: Mapping[str, Any], place: Location) -> Iterator[KeyUse]:
    """Yield the customers' keys that a call uses.

    Args:
        action: the IAM action of the call's own name.
        given: the call's nested parameters.
        place: where it is made.
    """
    if action not in _USES:
        return
    try:
        for name, actions, encryption in _USES[action](given, place):
            if key := customer_key(name, place):
                service, suffix = action.partition(":")[0], ".cn" if place.partition == "aws-cn" else ""
                yield KeyUse(key, actions, f"{service}.{place.region}.amazonaws.com{suffix}", encryption)
    except (KeyError, HTTPException, ServiceException):  # what the call names does not exist
        return


_Use = tuple[str | None, Sequence[str], Mapping[str, str]]


def _put_object(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
    from moto.s3.models import s3_backends

    if "UploadId" in given:
        return
    s3 = s3_backends[place.account][place.partition]
    rule = (s3.get_bucket(given["Bucket"]).encryption or {}).get("Rule", {})
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    if str(given.get("ServerSideEncryption") or default.get("SSEAlgorithm")).startswith("aws:kms"):
        bucket = f"arn:{place.partition}:s3:::{given['Bucket']}"
        arn = bucket if str(rule.get("BucketKeyEnabled")).lower() == "true" else f"{bucket}/{given['Key']}"
        yield given.get("SSEKMSKeyId") or default.get("KMSMasterKeyID"), ENCRYPT, {"aws:s3:arn": arn}
    if source := given.get("CopySource"):
        bucket_name, _, key = str(source).lstrip("/").partition("?")[0].partition("/")
        yield from _get_object({"Bucket": bucket_name, "Key": key}, place)


def _get_object(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
    from moto.s3.models import s3_backends

    s3 = s3_backends[place.account][place.partition]
    found = s3.get_object(given["Bucket"], given["Key"], given.get("VersionId"))
    if found and str(found.encryption).startswith("aws:kms"):
        bucket = f"arn:{place.partition}:s3:::{given['Bucket']}"
        arn = bucket if str(found.bucket_key_enabled).lower() == "true" else f"{bucket}/{given['Key']}"
        yield found.kms_key_id, DECRYPT, {"aws:s3:arn": arn}


def _publish(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
    from moto.sns.models import sns_backends

    topic = sns_backends[place.account][place.region].topics[given["TopicArn"]]
    yield topic.kms_master_key_id, ENCRYPT, {"aws:sns:topicArn": topic.arn}


def _message(actions: Sequence[str]) -> Any:
    def uses(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
        from moto.sqs.models import sqs_backends

        queue: Any = sqs_backends[place.account][place.region].queues[str(given["QueueUrl"]).rpartition("/")[2]]
        yield queue.kms_master_key_id, actions, {"aws:sqs:arn": queue.queue_arn}

    return uses


def _secret(actions: Sequence[str]) -> Any:
    def uses(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
        from moto.secretsmanager.models import secretsmanager_backends

        secret: Any = secretsmanager_backends[place.account][place.region].secrets[given["SecretId"]]
        yield secret.kms_key_id, actions, {"SecretARN": secret.arn}

    return uses


def _parameter(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
    from moto.ssm.models import ssm_backends

    if not given.get("WithDecryption"):
        return
    ssm = ssm_backends[place.account][place.region]
    for name in given.get("Names") or [given["Name"]]:
        found = ssm.get_parameter(str(name).rpartition(":parameter")[2])
        if found and found.parameter_type == "SecureString":
            arn = f"arn:{place.partition}:ssm:{place.region}:{place.account}:parameter/{found.name.lstrip('/')}"
            yield found.keyid, DECRYPT, {"PARAMETER_ARN": arn}


def _put_parameter(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
    if given.get("Type") == "SecureString":
        arn = f"arn:{place.partition}:ssm:{place.region}:{place.account}:parameter/{str(given['Name']).lstrip('/')}"
        yield given.get("KeyId"), ("kms:Encrypt",), {"PARAMETER_ARN": arn}


def _volumes(given: Mapping[str, Any], _place: Location) -> Iterator[_Use]:
    for each in given.get("BlockDeviceMappings") or []:
        yield (each.get("Ebs") or {}).get("KmsKeyId"), VOLUME, {}
    yield given.get("KmsKeyId"), VOLUME, {}


def _repository(given: Mapping[str, Any], _place: Location) -> Iterator[_Use]:
    yield (given.get("encryptionConfiguration") or {}).get("kmsKey"), ("kms:CreateGrant", "kms:DescribeKey"), {}


def _file_system(given: Mapping[str, Any], _place: Location) -> Iterator[_Use]:
    yield given.get("KmsKeyId"), FILE_SYSTEM, {}


def _function(given: Mapping[str, Any], _place: Location) -> Iterator[_Use]:
    yield given.get("KMSKeyArn"), ("kms:CreateGrant", "kms:Encrypt"), {}


def _state_machine(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
    name = given.get("name") or str(given["stateMachineArn"]).rpartition(":")[2]
    arn = f"arn:{place.partition}:states:{place.region}:{place.account}:stateMachine:{name}"
    key = (given.get("encryptionConfiguration") or {}).get("kmsKeyId")
    yield key, ("kms:DescribeKey", *ENCRYPT), {"aws:states:stateMachineArn": arn}


def _run(actions: Sequence[str]) -> Any:
    def uses(given: Mapping[str, Any], place: Location) -> Iterator[_Use]:
        from moto.stepfunctions.models import stepfunctions_backends

        name = str(given.get("stateMachineArn") or given["executionArn"]).split(":")[6].partition("/")[0]
        arn = f"arn:{place.partition}:states:{place.region}:{place.account}:stateMachine:{name}"
        machine = stepfunctions_backends[place.account][place.region].describe_state_machine(arn)
        yield machine.encryptionConfiguration.get("kmsKeyId"), actions, {"aws:states:stateMachineArn": arn}

    return uses


# By action. Each service's page about encryption lists what its callers need; those of functions and repositories:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
# Of state machines: https://github.com/aws-samples/aws-stepfunctions-examples/pull/74
_USES: Mapping[str, Any] = {
    "ec2:CreateVolume": _volumes,
    "ec2:RunInstances": _volumes,
    "ecr:CreateRepository": _repository,
    "elasticfilesystem:CreateFileSystem": _file_system,
    "lambda:CreateFunction": _function,
    "lambda:UpdateFunctionConfiguration": _function,
    "s3:GetObject": _get_object,
    "s3:GetObjectVersion": _get_object,
    "s3:PutObject": _put_object,
    "secretsmanager:GetSecretValue": _secret(DECRYPT),
    "secretsmanager:PutSecretValue": _secret(ENCRYPT),
    "sns:Publish": _publish,
    "sqs:ReceiveMessage": _message(DECRYPT),
    "sqs:SendMessage": _message(ENCRYPT),
    "ssm:GetParameter": _parameter,
    "ssm:GetParameters": _parameter,
    "ssm:PutParameter": _put_parameter,
    "states:CreateStateMachine": _state_machine,
    "states:DescribeExecution": _run(DECRYPT),
    "states:DescribeStateMachine": _run(DECRYPT),
    "states:GetExecutionHistory": _run(DECRYPT),
    "states:RedriveExecution": _run(ENCRYPT),
    "states:StartExecution": _run(ENCRYPT),
    "states:StopExecution": _run(DECRYPT),
    "states:UpdateStateMachine": _state_machine,
}
