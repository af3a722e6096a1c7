"""The Lambda functions' own behaviour: which request they make of an event, what they answer, refuse and log."""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from mypy_boto3_batch import BatchClient

QUEUE_ARN = "arn:aws:batch:us-east-1:123456789012:job-queue/highPriority-prod"
DEFINITION_ARN = "arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod"
EVENT = {"jobName": "sample-17", "jobQueue": "highPriority-prod", "jobDefinition": "isaac-prod"}
TAGS = {"tags": {"gen-infra:environment": "prod"}}
SUBMITTED = {"jobName": "sample-17", "jobId": "11111111-2222-3333-4444-555555555555"}
MODULES = ("batch_function", "batch_get_job_status", "batch_submit_job")


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """Yield the functions, freshly imported as Lambda does it, in the environment prod."""
    monkeypatch.syspath_prepend(data_dir("modules") / "job-functions" / "src")
    monkeypatch.setenv("ENVIRONMENT", "prod")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the folder is packaged as it is
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture
def batch(functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Yield what AWS Batch is going to answer; at the end every answer must have been used."""
    client: BatchClient = boto3.client(
        "batch", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    for name in ("batch_submit_job", "batch_get_job_status"):
        monkeypatch.setattr(functions[name], "batch_client", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def errors(functions: dict[str, ModuleType]) -> ModuleType:
    return functions["batch_function"]


def submit(functions: dict[str, ModuleType], event: object) -> dict[str, Any]:
    answer: dict[str, Any] = functions["batch_submit_job"].handler(event, None)
    return answer


def status(functions: dict[str, ModuleType], event: object) -> dict[str, Any]:
    answer: dict[str, Any] = functions["batch_get_job_status"].handler(event, None)
    return answer


def test_submit_returns_the_event_with_the_job_id(functions: dict[str, ModuleType], batch: Stubber) -> None:
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **TAGS})
    event = {**EVENT, "sample": {"id": 17}}
    assert submit(functions, event) == {**event, "jobId": SUBMITTED["jobId"]}
    assert "jobId" not in event


def test_submit_passes_the_optional_fields_on(functions: dict[str, ModuleType], batch: Stubber) -> None:
    optional = {
        "containerOverrides": {
            "command": ["--sample", "17"],
            "environment": [{"name": "THREADS", "value": "32"}],
            "resourceRequirements": [{"type": "MEMORY", "value": "80000"}],
        },
        "dependsOn": [{"jobId": "an-earlier-job"}],
        "parameters": {"sample": "17"},
    }
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **optional, **TAGS})
    submit(functions, {**EVENT, **optional})


@pytest.mark.parametrize("nothing", [{}, {"containerOverrides": None, "dependsOn": None, "parameters": None},
                                     {"containerOverrides": {}, "dependsOn": [], "parameters": {}}])  # fmt: skip
def test_submit_leaves_out_what_is_not_given(
    nothing: dict[str, Any], functions: dict[str, ModuleType], batch: Stubber
) -> None:
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **TAGS})
    submit(functions, {**EVENT, **nothing})


def test_submit_passes_the_overrides_of_each_container(functions: dict[str, ModuleType], batch: Stubber) -> None:
    override = {"name": "align", "command": ["align"], "environment": [{"name": "A", "value": "b"}]}
    event = {**EVENT, "ecsPropertiesOverride": {"taskProperties": [{"containers": [override]}]}}
    batch.add_response("submit_job", SUBMITTED, {**event, **TAGS})
    assert submit(functions, event)["jobId"] == SUBMITTED["jobId"]


@pytest.mark.parametrize("definition", ["isaac-prod", "isaac-prod:3", DEFINITION_ARN, f"{DEFINITION_ARN}:3"])
@pytest.mark.parametrize("queue", ["highPriority-prod", QUEUE_ARN])
def test_submit_takes_names_and_arns(
    queue: str, definition: str, functions: dict[str, ModuleType], batch: Stubber
) -> None:
    event = {**EVENT, "jobQueue": queue, "jobDefinition": definition}
    batch.add_response("submit_job", SUBMITTED, {**event, **TAGS})
    submit(functions, event)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"jobName": None}, "EventValueError", "jobName is missing"),
        ({"jobQueue": ""}, "EventValueError", "jobQueue is missing"),
        ({"jobDefinition": None}, "EventValueError", "jobDefinition is missing"),
        ({"jobName": 17}, "EventTypeError", "jobName must be a string, not a number"),
        ({"jobQueue": ["highPriority-prod"]}, "EventTypeError", "jobQueue must be a string, not an array"),
        ({"jobName": "sample 17"}, "EventValueError", "jobName: 'sample 17' is not"),
        ({"jobName": "sample-17\n"}, "EventValueError", r"jobName: 'sample-17\\n' is not"),
        ({"jobName": "n" * 129}, "EventValueError", "is not 1 to 128 letters"),
        ({"jobQueue": "a/b"}, "EventValueError", "jobQueue: 'a/b' is neither a name nor an ARN"),
        ({"jobQueue": "highPriority-dev"}, "OtherEnvironmentError", "'highPriority-dev' does not belong .* 'prod'"),
        ({"jobQueue": QUEUE_ARN.replace("prod", "dev")}, "OtherEnvironmentError", "jobQueue: "),
        ({"jobDefinition": "isaac"}, "OtherEnvironmentError", "jobDefinition: 'isaac' does not belong"),
        ({"jobDefinition": f"{DEFINITION_ARN}-dev:3"}, "OtherEnvironmentError", "jobDefinition: "),
        ({"containerOverrides": []}, "EventTypeError", "containerOverrides must be an object, not an array"),
        ({"ecsPropertiesOverride": []}, "EventTypeError", "ecsPropertiesOverride must be an object, not an array"),
        (
            {"ecsPropertiesOverride": {"taskProperties": [{"containers": [{"name": "a", "command": [1]}]}]}},
            "EventTypeError",
            r"ecsPropertiesOverride.taskProperties\[0\].containers\[0\].command\[0\] must be a string, not a number",
        ),
        ({"dependsOn": {"jobId": "a"}}, "EventTypeError", "dependsOn must be an array, not an object"),
        ({"dependsOn": ["a"]}, "EventTypeError", r"dependsOn\[0\] must be an object, not a string"),
        ({"dependsOn": [{"jobId": "a"}] * 21}, "EventValueError", "dependsOn: 21 jobs are more than 20"),
        ({"parameters": "sample=17"}, "EventTypeError", "parameters must be an object, not a string"),
        ({"parameters": {"sample": True}}, "EventTypeError", "parameters.sample must be a string, not a boolean"),
    ],
)
def test_submit_refuses(
    change: dict[str, Any],
    error: str,
    message: str,
    functions: dict[str, ModuleType],
    errors: ModuleType,
    batch: Stubber,
) -> None:
    del batch  # with nothing to answer: no request is made
    with pytest.raises(getattr(errors, error), match=message):
        submit(functions, {**EVENT, **change})


@pytest.mark.parametrize("handler", [submit, status])
@pytest.mark.parametrize(("event", "kind"), [([EVENT], "an array"), ("sample-17", "a string"), (None, "null")])
def test_an_event_must_be_an_object(
    handler: Any, event: object, kind: str, functions: dict[str, ModuleType], errors: ModuleType
) -> None:
    with pytest.raises(errors.EventTypeError, match=f"the event must be an object, not {kind}"):
        handler(functions, event)


@pytest.mark.parametrize(
    "overrides",
    [
        {"environment": [{"name": "TOKEN", "value": 815_4711}]},
        {"environment": [{"name": "TOKEN", "value": "8154711", "secret": "8154711"}]},
        {"environment": [{"name": 8_154_711, "value": "TOKEN"}]},
        {"environment": ["8154711"]},
        {"environment": "8154711"},
        {"command": ["--token", 815_4711]},
        {"command": "8154711"},
    ],
)
def test_a_refusal_quotes_no_secret(
    overrides: dict[str, Any], functions: dict[str, ModuleType], batch: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    del batch
    with pytest.raises((TypeError, ValueError), match=r"^containerOverrides\.(command|environment)") as caught:
        submit(functions, {**EVENT, "containerOverrides": overrides})
    assert "8154711" not in str(caught.value)
    assert not capsys.readouterr().out


def test_submit_logs_one_line_of_json_without_values(
    functions: dict[str, ModuleType], batch: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {
        "containerOverrides": {"command": ["hush"], "environment": [{"name": "TOKEN", "value": "hush"}]},
        "parameters": {"token": "hush"},
    }
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **secret, **TAGS})
    submit(functions, {**EVENT, **secret})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"level": "INFO", "message": "job submitted", "jobId": SUBMITTED["jobId"], **EVENT}


def test_what_batch_refuses_keeps_its_own_name(functions: dict[str, ModuleType], batch: Stubber) -> None:
    batch.add_client_error("submit_job", "ClientException", "JobQueue highPriority-prod not found.")
    with pytest.raises(Exception, match=r"JobQueue highPriority-prod not found\.") as caught:
        submit(functions, EVENT)
    assert type(caught.value).__name__ == "ClientException"


def described(**job: object) -> dict[str, Any]:
    """Return what DescribeJobs answers for one job."""
    base = {
        "jobId": "1",
        "jobName": "sample-17",
        "jobQueue": QUEUE_ARN,
        "jobDefinition": DEFINITION_ARN,
        "startedAt": 0,
    }
    return {"jobs": [{**base, **job}]}


@pytest.mark.parametrize(
    ("job", "answer"),
    [
        ({"status": "RUNNABLE"}, {"status": "RUNNABLE"}),
        (
            {"status": "RUNNING", "container": {"image": "isaac", "logStreamName": "isaac/default/1"}},
            {"status": "RUNNING", "logStreamName": "isaac/default/1"},
        ),
        (
            {
                "status": "FAILED",
                "statusReason": "Host EC2 (instance i-1) terminated.",
                "container": {"exitCode": 137, "logStreamName": "isaac/default/2"},
            },
            {
                "status": "FAILED",
                "statusReason": "Host EC2 (instance i-1) terminated.",
                "exitCode": 137,
                "logStreamName": "isaac/default/2",
            },
        ),
        ({"status": "SUCCEEDED", "container": {"exitCode": 0}}, {"status": "SUCCEEDED", "exitCode": 0}),
    ],
)
def test_status_adds_what_the_job_has(
    job: dict[str, Any], answer: dict[str, Any], functions: dict[str, ModuleType], batch: Stubber
) -> None:
    batch.add_response("describe_jobs", described(**job), {"jobs": ["1"]})
    event = {**EVENT, "jobId": "1", "sample": 17}
    assert status(functions, event) == {**event, **answer}


def test_status_replaces_what_an_earlier_look_left(functions: dict[str, ModuleType], batch: Stubber) -> None:
    batch.add_response("describe_jobs", described(status="RUNNABLE"), {"jobs": ["1"]})
    earlier = {"jobId": "1", "status": "FAILED", "statusReason": "gone", "exitCode": 1, "logStreamName": "isaac/1"}
    assert status(functions, earlier) == {"jobId": "1", "status": "RUNNABLE"}


def test_status_of_an_unknown_job(functions: dict[str, ModuleType], errors: ModuleType, batch: Stubber) -> None:
    batch.add_response("describe_jobs", {"jobs": []}, {"jobs": ["1"]})
    with pytest.raises(errors.JobNotFoundError, match="job '1' not found"):
        status(functions, {"jobId": "1"})


@pytest.mark.parametrize(("event", "error"), [({}, "EventValueError"), ({"jobId": 17}, "EventTypeError")])
def test_status_refuses(
    event: dict[str, Any], error: str, functions: dict[str, ModuleType], errors: ModuleType
) -> None:
    with pytest.raises(getattr(errors, error), match="jobId"):
        status(functions, event)


def test_the_client_is_made_once_and_only_when_needed(
    functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = functions["batch_function"].batch_client
    assert client.cache_info().currsize == 0
    assert client() is client()
    retries = client().meta.config.retries
    assert (retries["mode"], retries["total_max_attempts"]) == ("adaptive", 4)
