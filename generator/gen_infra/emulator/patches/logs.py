"""CloudWatch Logs: the KMS keys of log groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.kms.models import kms_backends
from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.models import LogsBackend
from moto.logs.responses import LogsResponse

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch

if TYPE_CHECKING:
    from moto.logs.models import LogGroup


@moto_patch(
    moto="5.2.5 accepts any text as the key of a log group",
    aws="accepts a key that exists, is enabled, and lets CloudWatch Logs use it for that log group",
)
def log_group_keys() -> None:
    """Look up the key and read its policy before the log group is created.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """

    @around(LogsBackend, "create_log_group")
    def create_log_group(
        original: Any, backend: LogsBackend, log_group_name: str, tags: dict[str, str], **kwargs: Any
    ) -> Any:
        if (key := kwargs.get("kmsKeyId")) and log_group_name not in backend.groups:
            _check(backend, key, log_group_name)
        return original(backend, log_group_name, tags, **kwargs)


@moto_patch(
    moto="5.2.5 has no AssociateKmsKey and no DisassociateKmsKey",
    aws="sets the key of a log group that exists, with the conditions of CreateLogGroup, and removes it",
)
def associated_keys() -> None:
    """Add both operations: Terraform calls them where ``kms_key_id`` of a log group changes.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
    """

    @instead_of(LogsResponse, "associate_kms_key")
    def associate_kms_key(response: LogsResponse) -> str:
        group = _group(response)
        key = response._get_param("kmsKeyId")
        _check(response.logs_backend, key, group.name)
        group.kms_key_id = key
        return ""

    @instead_of(LogsResponse, "disassociate_kms_key")
    def disassociate_kms_key(response: LogsResponse) -> str:
        _group(response).kms_key_id = None
        return ""


def _group(response: LogsResponse) -> LogGroup:
    name = response._get_param("logGroupName")
    if name not in response.logs_backend.groups:
        raise ResourceNotFoundException
    return response.logs_backend.groups[name]


def _check(backend: LogsBackend, key: str, group: str) -> None:
    """Refuse a key that CloudWatch Logs may not use for a log group, which it names in the encryption context."""
    region = backend.region_name
    arn = f"arn:{backend.partition}:logs:{region}:{backend.account_id}:log-group:{group}"
    found = kms_backends[backend.account_id][region].keys.get(key.rpartition("/")[2])
    domain = "amazonaws.com.cn" if backend.partition == "aws-cn" else "amazonaws.com"  # as CDK's region-info has it
    service = acts.service(f"logs.{region}.{domain}", region)
    if (
        found is None
        or found.key_state != "Enabled"
        or acts.key_refusal(service, found.arn, ("kms:GenerateDataKey",), {"aws:logs:arn": arn})
    ):
        raise JsonRESTError(
            "AccessDeniedException",
            f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'",
        )


PATCHES: tuple[MotoPatch, ...] = (log_group_keys, associated_keys)
