"""CloudTrail: the event history."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from gen_infra.emulator.calls import LOG, Call
from gen_infra.emulator.operations import SIGNING_NAMES
from gen_infra.emulator.patches.moto_patch import MotoPatch, instead_of, moto_patch

if TYPE_CHECKING:
    from collections.abc import Iterator

_READING = (
    *("AssumeRole", "BatchCheck", "BatchGet", "Decode", "Describe", "Filter", "Get", "Head", "List", "Lookup"),
    *("Query", "Scan", "Search", "Select", "Simulate", "Test", "Validate"),
)
# Data events are not in the event history; neither are calls for an S3 object.
_DATA = {"Invoke", "Publish", "PutEvents", "PutLogEvents", "PutMetricData", "SendMessage", "DeleteMessage"}
# Lambda's older operations have their API's date in their event names:
# https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
_DATED = {
    "AddPermission": "AddPermission20150331v2",
    "CreateFunction": "CreateFunction20150331",
    "DeleteFunction": "DeleteFunction20150331",
    "RemovePermission": "RemovePermission20150331v2",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
}
# Only the events of some services name their resources.
_WITH_RESOURCES = {"ec2", "iam"}


class InvalidLookupAttributesError(ServiceException):
    """More than one lookup attribute."""

    code = "InvalidLookupAttributesException"


@moto_patch(
    moto="5.2.5 does not implement LookupEvents",
    aws="keeps management events for 90 days in each region, and looks them up by one attribute, the newest first",
)
def event_history() -> None:
    """Return the recorded calls that changed something."""

    @instead_of(CloudTrailResponse, "lookup_events")
    def lookup_events(response: CloudTrailResponse) -> ActionResult:
        found = [event for event in _events(response) if _is_wanted(event, response._get_param("LookupAttributes"))]
        first, most = int(response._get_param("NextToken") or 0), response._get_param("MaxResults") or 50
        answer: dict[str, Any] = {"Events": found[first : first + most]}
        if len(found) > first + most:
            answer["NextToken"] = str(first + most)
        return ActionResult(answer)


def _events(response: CloudTrailResponse) -> Iterator[dict[str, Any]]:
    for call in reversed(LOG.all()):
        if call.region == response.region and call.status and _is_change(call):
            yield _event(call, response.current_account, response.partition)


def _is_change(call: Call) -> bool:
    is_data = call.action in _DATA or (call.service == "s3" and "Key" in call.parameters)
    return bool(call.action) and not is_data and not call.action.startswith(_READING)


def _is_wanted(event: dict[str, Any], attributes: list[dict[str, str]] | None) -> bool:
    if not attributes:
        return True
    if len(attributes) > 1:
        raise InvalidLookupAttributesError("You can only specify one lookup attribute.")
    key, value = attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]
    if key == "ResourceName":
        return value in [resource["ResourceName"] for resource in event["Resources"]]
    if key == "ResourceType":  # the recorded calls have no resource types
        return False
    return bool(event[key] == value)


def _event(call: Call, account: str, partition: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html."""
    time = datetime.fromtimestamp(int(call.time), UTC)
    name, source = _DATED.get(call.action, call.action), SIGNING_NAMES.get(call.service, call.service)
    username, identity = _identity(call.access_key, account, partition)
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity | {"accountId": account, "accessKeyId": call.access_key},
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": call.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": call.user_agent,
        "requestParameters": _parameters(call),
        "eventID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{account} {call.time} {call.number}")),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if call.status >= 400:
        record["errorCode"] = str(call.status)
    return {
        "EventId": record["eventID"],
        "EventName": name,
        "ReadOnly": "false",
        "AccessKeyId": call.access_key,
        "EventTime": time,
        "EventSource": record["eventSource"],
        "Username": username,
        "Resources": list(_resources(call)),
        "CloudTrailEvent": json.dumps(record),
    }


def _identity(access_key: str, account: str, partition: str) -> tuple[str, dict[str, str]]:
    """Return the owner of the access key; the owner of an unknown key is the root user."""
    if role := sts_backends[account][partition].get_assumed_role_from_access_key(access_key):
        return role.session_name, {"type": "AssumedRole", "principalId": role.user_id, "arn": role.arn}
    if user := iam_backends[account][partition].get_user_from_access_key_id(access_key):
        return user.name, {"type": "IAMUser", "principalId": user.id, "arn": user.arn, "userName": user.name}
    return "root", {"type": "Root", "principalId": account, "arn": f"arn:{partition}:iam::{account}:root"}


def _parameters(call: Call) -> dict[str, Any]:
    """Return the parameters with a lower-case first letter; form fields stay flat, which CloudTrail would nest."""
    return {key[:1].lower() + key[1:]: value for key, value in call.parameters.items() if key != "Version"}


def _resources(call: Call) -> Iterator[dict[str, str]]:
    if call.service in _WITH_RESOURCES:
        for key, value in call.parameters.items():
            if key.endswith(("Arn", "Id", "Name")):
                yield {"ResourceName": value}


PATCHES: tuple[MotoPatch, ...] = (event_history,)
