"""Call other services for Task states: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html.

The names of parameters and results begin with capital letters there, whatever the service's API has. Calls go to the
emulator over HTTP, with the credentials of the state machine's role.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.emulator.operations import SIGNING_NAMES
from gen_infra.emulator.state_machines.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import OperationModel, Shape

SYNC = ".sync"
_SDK = "aws-sdk:"
_BOTO3_NAMES = {"sfn": "stepfunctions", "cloudwatchlogs": "logs", "eventbridge": "events"} | {
    signing: boto3 for boto3, signing in SIGNING_NAMES.items()
}


class TaskResource(NamedTuple):
    """What a Task state calls, such as ``batch`` and ``submitJob.sync``."""

    service: str
    action: str

    @property
    def name(self) -> str:
        """Return the service as the names of errors have it."""
        return self.service.rpartition(":")[2].capitalize()


def resource(arn: str) -> TaskResource:
    """Read the ARN in a Task state's ``Resource``.

    Raises:
        StateError: the emulator cannot call it.
    """
    prefix, _, rest = arn.partition(":states:::")
    service, _, action = rest.rpartition(":")
    is_known = prefix.startswith("arn:") and service and "." not in action.removesuffix(SYNC)
    if not is_known or (action.endswith(SYNC) and (service, action) != ("batch", "submitJob.sync")):
        raise StateError("States.Runtime", f"The emulator cannot run the resource '{arn}'")
    return TaskResource(service, action)


class RoleClients:
    """The boto3 clients of one session of a role.

    Args:
        credentials: the session's environment variables.
        endpoint: the emulator's URL.
        region: of the state machine.
    """

    def __init__(self, credentials: Mapping[str, str], endpoint: str, region: str) -> None:
        import boto3

        self._session = boto3.Session(
            credentials["AWS_ACCESS_KEY_ID"],
            credentials["AWS_SECRET_ACCESS_KEY"],
            credentials["AWS_SESSION_TOKEN"],
            region_name=region,
        )
        self._endpoint = endpoint
        self._made: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the client of a service, made when it is first used."""
        from botocore.config import Config

        if service not in self._made:
            once = Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
            make: Any = self._session.client
            self._made[service] = make(service, endpoint_url=self._endpoint, config=once)
        return self._made[service]

    def call(self, called: TaskResource, arguments: Any) -> dict[str, Any]:
        """Call an operation and return its result, both with Step Functions' names.

        Raises:
            StateError: the service refuses the call, or the arguments do not fit it.
        """
        from botocore.exceptions import ClientError, ParamValidationError

        service = called.service.removeprefix(_SDK)
        client = self.client(_BOTO3_NAMES.get(service, service))
        model = client.meta.service_model.operation_model(_capital(called.action.removesuffix(SYNC)))
        found = list(_problems(arguments, model.input_shape))
        if found:
            cause = (
                f"The Parameters '{json.dumps(arguments)}' could not be used to start the Task: [{', '.join(found)}]"
            )
            raise StateError("States.Runtime", cause)
        method = getattr(client, _snake(client, model.name))
        try:
            answer = method(**_to_service(arguments, model.input_shape))
        except ParamValidationError as error:
            raise StateError("States.Runtime", str(error)) from error
        except ClientError as error:
            raise _refused(called, error.response, model) from error
        sent = answer.pop("ResponseMetadata")
        result: dict[str, Any] = _from_service(answer, model.output_shape)
        return result | {
            "SdkHttpMetadata": {"HttpStatusCode": sent["HTTPStatusCode"]},
            "SdkResponseMetadata": {"RequestId": sent.get("RequestId", "")},
        }


def without_metadata(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without what Step Functions adds about the call."""
    return {name: value for name, value in result.items() if not name.startswith("Sdk")}


def _refused(called: TaskResource, answer: Mapping[str, Any], model: OperationModel) -> StateError:
    """Name an error as Step Functions does: by its exception, or by its service for one that the model lacks."""
    code, sent = answer["Error"]["Code"], answer["ResponseMetadata"]
    is_modelled = any(shape.name == code for shape in model.error_shapes)
    place = f"Service: {called.name}, Status Code: {sent['HTTPStatusCode']}, Request ID: {sent.get('RequestId', '')}"
    name = code if is_modelled else f"{called.name}Exception"
    return StateError(f"{called.name}.{name}", f"{answer['Error']['Message']} ({place})")


def _snake(client: Any, operation: str) -> str:
    names: Mapping[str, str] = client.meta.method_to_api_mapping
    return next(method for method, name in names.items() if name == operation)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _members(shape: Any) -> dict[str, tuple[str, Shape]]:
    """Map Step Functions' names of a structure's members to the service's, and their shapes."""
    return {_capital(name): (name, member) for name, member in shape.members.items()}


def _problems(value: Any, shape: Any, field: str = "Arguments") -> Iterator[str]:
    """Yield what Step Functions refuses before it calls the service."""
    kind = shape.type_name if shape is not None else "structure"
    if kind == "structure" and isinstance(value, dict):
        members = _members(shape) if shape is not None else {}
        for name, each in value.items():
            if name in members:
                yield from _problems(each, members[name][1], name)
            else:
                yield f"The field '{name}' is not supported by Step Functions"
    elif kind == "map" and isinstance(value, dict):
        for name, each in value.items():
            yield from _problems(each, shape.value, name)
    elif kind == "list" and isinstance(value, list):
        for each in value:
            yield from _problems(each, shape.member, field)
    elif (kind == "string" and not isinstance(value, str)) or kind in ("structure", "map", "list"):
        yield f"The value for the field '{field}' must be a {kind.upper()}"


def _to_service(value: Any, shape: Any) -> Any:
    if shape is None:
        return {}
    if shape.type_name == "structure":
        members = _members(shape)
        return {members[name][0]: _to_service(each, members[name][1]) for name, each in value.items()}
    if shape.type_name == "map":
        return {name: _to_service(each, shape.value) for name, each in value.items()}
    if shape.type_name == "list":
        return [_to_service(each, shape.member) for each in value]
    if shape.type_name == "blob" and not isinstance(value, str):
        return json.dumps(value).encode()
    return value


def _from_service(value: Any, shape: Any) -> Any:
    if shape is None:
        return {}
    if shape.type_name == "structure":
        return {_capital(name): _from_service(each, shape.members[name]) for name, each in value.items()}
    if shape.type_name == "map":
        return {name: _from_service(each, shape.value) for name, each in value.items()}
    if shape.type_name == "list":
        return [_from_service(each, shape.member) for each in value]
    if shape.type_name == "blob":
        text = (value if isinstance(value, bytes) else value.read()).decode(errors="replace")
        return _json(text)
    return value.isoformat() if isinstance(value, datetime) else value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
