from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.probes import Lab, zipped

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator


@pytest.fixture
def lab(aws: Emulator) -> Lab:
    return Lab(aws.endpoint)


def invoke(lab: Lab, source: str, event: Any = None, **settings: Any) -> tuple[Any, Any]:
    """Return the payload, and FunctionError or None."""
    name = lab.function(source, **settings)
    answer = lab.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    assert answer["StatusCode"] == 200
    return json.load(answer["Payload"]), answer.get("FunctionError")


def test_the_handler_runs_with_the_functions_variables_and_reaches_the_emulator(lab: Lab) -> None:
    source = """
import os
import boto3

def handler(event, context):
    identity = boto3.client("sts").get_caller_identity()
    return {"account": identity["Account"], "stage": os.environ["STAGE"], "asked": event["n"],
            "name": context.function_name == os.environ["AWS_LAMBDA_FUNCTION_NAME"],
            "left": 0 < context.get_remaining_time_in_millis() <= 20_000}
"""
    payload, error = invoke(lab, source, {"n": 7}, Environment={"Variables": {"STAGE": "prod"}})
    assert payload == {"account": "123456789012", "stage": "prod", "asked": 7, "name": True, "left": True}
    assert error is None


def test_it_does_not_get_the_callers_environment_variables(lab: Lab) -> None:
    source = "import os\ndef handler(event, context):\n    return sorted(os.environ)\n"
    names, _ = invoke(lab, source)
    assert {"MOTO_ACCOUNT_ID", "PYTEST_CURRENT_TEST", "PYTHONPATH"}.isdisjoint(names)


def test_an_exception_is_reported_as_by_aws(lab: Lab) -> None:
    source = "def handler(event, context):\n    raise ValueError(f\"no queue {event['q']}\")\n"
    payload, error = invoke(lab, source, {"q": "high"})
    assert error == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no queue high")
    assert payload["requestId"]
    assert [line.split(",")[0] for line in payload["stackTrace"]] == ['  File "/var/task/main.py"']


@pytest.mark.parametrize(
    ("source", "settings", "kind", "message"),
    [
        ("import not_packaged", {}, "Runtime.ImportModuleError", "Unable to import module 'main': No module named"),
        ("", {}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'main'"),
        ("def handler(e, c): return {1, 2}", {}, "Runtime.MarshalError", "Unable to marshal response"),
        ("import os\ndef handler(e, c): os._exit(3)", {}, "Runtime.ExitError", "exit status 3"),
        (
            "import threading\ndef handler(e, c): threading.Event().wait()",
            {"Timeout": 1},
            "Sandbox.Timedout",
            "Task timed out after 1.00 seconds",
        ),
    ],
)
def test_other_failures_have_the_names_that_aws_uses(
    lab: Lab, source: str, settings: dict[str, Any], kind: str, message: str
) -> None:
    payload, error = invoke(lab, source, **settings)
    assert (error, payload["errorType"]) == ("Unhandled", kind)
    assert message in payload["errorMessage"]


def test_its_output_is_in_the_log_tail_and_the_log_group(lab: Lab) -> None:
    group = f"/aws/lambda/{lab.name('group')}"
    name = lab.function("def handler(e, c): print('submitted 42')", LoggingConfig={"LogGroup": group})
    answer = lab.client("lambda").invoke(FunctionName=name, LogType="Tail")
    assert "submitted 42" in base64.b64decode(answer["LogResult"]).decode()
    logs = lab.client("logs")
    [stream] = logs.describe_log_streams(logGroupName=group)["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    messages = [each["message"] for each in events]
    assert messages[1] == "submitted 42"
    assert [messages[index].split()[0] for index in (0, -2, -1)] == ["START", "END", "REPORT"]


def test_new_code_runs_next(lab: Lab) -> None:
    client, name = lab.client("lambda"), lab.function("def handler(e, c): return 1")
    client.update_function_code(FunctionName=name, ZipFile=zipped("def handler(e, c): return 2"))
    assert json.load(client.invoke(FunctionName=name)["Payload"]) == 2


def test_a_dry_run_runs_nothing(lab: Lab) -> None:
    name = lab.function("def handler(e, c): raise ValueError")
    answer = lab.client("lambda").invoke(FunctionName=name, InvocationType="DryRun")
    assert (answer["StatusCode"], answer.get("FunctionError")) == (204, None)


@pytest.mark.parametrize(
    ("payload", "code", "status"),
    [
        (b"{", "InvalidRequestContentException", 400),
        (b'"' + b"x" * 6 * 1024 * 1024 + b'"', "RequestTooLargeException", 413),
    ],
)
def test_a_payload_that_lambda_refuses_reaches_no_function(lab: Lab, payload: bytes, code: str, status: int) -> None:
    name = lab.function("def handler(event, context):\n    return 1\n")
    with pytest.raises(ClientError) as caught:
        lab.client("lambda").invoke(FunctionName=name, Payload=payload)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_an_event_invocation_runs_asynchronously(lab: Lab) -> None:
    source = """
import boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody="ran")
"""
    sqs = lab.client("sqs")
    queue = sqs.create_queue(QueueName=lab.name("ran"))["QueueUrl"]
    lab.allow("functions", "sqs:SendMessage", f"arn:aws:sqs:us-east-1:123456789012:{queue.rpartition('/')[2]}")
    answer = lab.client("lambda").invoke(
        FunctionName=lab.function(source), InvocationType="Event", Payload=json.dumps({"queue": queue})
    )
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == "ran"


def test_a_function_may_do_what_its_role_allows(lab: Lab) -> None:
    source = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    try:
        boto3.client("ssm").get_parameter(Name="/gen-infra/prod/ami")
    except ClientError as error:
        return error.response["Error"]["Message"]
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
    name = lab.name("function")
    role = lab.role(f"{name}-role")

    def outcome() -> str:
        return str(json.load(lab.client("lambda").invoke(FunctionName=name)["Payload"]))

    lab.function(source, FunctionName=name, Role=role)
    assert outcome() == (
        f"User: arn:aws:sts::123456789012:assumed-role/{name}-role/{name} is not authorized to perform: "
        "ssm:GetParameter on resource: arn:aws:ssm:us-east-1:123456789012:parameter/gen-infra/prod/ami because no "
        "identity-based policy allows the ssm:GetParameter action"
    )
    lab.allow(f"{name}-role", "ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/gen-infra/prod/*")
    assert outcome() == f"arn:aws:sts::123456789012:assumed-role/{name}-role/{name}"
