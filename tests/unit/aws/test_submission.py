"""What SubmitJob is asked for, and what is refused before."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.response import StreamingBody

from gen_infra.aws import session, submission
from gen_infra.aws.submission import SubmitRequest
from gen_infra.errors import AwsError, UsageError
from tests.unit.aws.test_jobs import ID, answers


def request(**changes: Any) -> SubmitRequest:
    return SubmitRequest(**{"name": "wgs-1", "queue": "highPriority-prod", "definition": "isaac-prod", **changes})


def test_a_plain_job_leaves_everything_to_its_definition() -> None:
    assert submission.submit_arguments(request()) == {
        "jobName": "wgs-1",
        "jobQueue": "highPriority-prod",
        "jobDefinition": "isaac-prod",
    }


def test_all_that_a_job_can_be_given() -> None:
    asked = request(
        command=("--working_dir", "/scratch"),
        environment={"THREADS": "32", "EMPTY": ""},
        parameters={"sample": "NA12878"},
        depends_on=("a", "b"),
        array_size=10,
        share_identifier="research",
        vcpus=0.5,
        memory_mib=120_000,
        gpus=2,
        timeout_seconds=7200,
        attempts=5,
        retry_rules=({"action": "EXIT", "onReason": "*"},),
        tags={"Sample": "NA12878"},
    )
    assert submission.submit_arguments(asked) == {
        "jobName": "wgs-1",
        "jobQueue": "highPriority-prod",
        "jobDefinition": "isaac-prod",
        "containerOverrides": {
            "command": ["--working_dir", "/scratch"],
            "environment": [{"name": "THREADS", "value": "32"}, {"name": "EMPTY", "value": ""}],
            "resourceRequirements": [
                {"type": "VCPU", "value": "0.5"}, {"type": "MEMORY", "value": "120000"}, {"type": "GPU", "value": "2"},
            ],
        },
        "dependsOn": [{"jobId": "a"}, {"jobId": "b"}],
        "parameters": {"sample": "NA12878"},
        "arrayProperties": {"size": 10},
        "shareIdentifier": "research",
        "timeout": {"attemptDurationSeconds": 7200},
        "retryStrategy": {"attempts": 5, "evaluateOnExit": [{"action": "EXIT", "onReason": "*"}]},
        "tags": {"Sample": "NA12878"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "job name"),
        ({"name": "-x"}, "job name"),
        ({"name": "wgs 1"}, "job name"),
        ({"name": "wgs-1\n"}, "job name"),
        ({"name": "wgs-\u0661"}, "job name"),
        ({"name": "x" * 129}, "job name"),
        ({"array_size": 1}, "invalid array size 1: use 2 to 10000"),
        ({"array_size": 0}, "array size 0"),
        ({"array_size": 10_001}, "array size 10001"),
        ({"depends_on": ("a",) * 21}, "21 dependencies"),
        ({"command": ("x" * 8192,)}, "are 8208 characters; AWS Batch accepts 8192 at most"),
        ({"environment": {"A": "x" * 9000}}, "AWS Batch accepts 8192 at most"),
        ({"depends_on": ("a:N_TO_N",)}, "N_TO_N is for array jobs"),
        ({"depends_on": ("SEQUENTIAL",)}, "SEQUENTIAL is for array jobs"),
        (
            {"array_size": 2, "depends_on": ("a:SEQUENTIAL",)},
            'invalid dependency "a:SEQUENTIAL": SEQUENTIAL is for the',
        ),
        ({"array_size": 2, "depends_on": ("a:n_to_n",)}, 'invalid dependency "a:n_to_n": use a job id, ID:N_TO_N or'),
        ({"array_size": 2, "depends_on": (":N_TO_N",)}, 'invalid dependency ":N_TO_N"'),
        ({"command": ("x" * 8100,), "vcpus": 2, "memory_mib": 64}, "command, environment and resources are 82"),
        ({"share_identifier": "a-b"}, 'invalid share identifier "a-b": use 1 to 255 letters and digits'),
        ({"memory_mib": 3}, "invalid memory 3 MiB: use 4 to"),
        ({"vcpus": float("nan")}, "invalid number of vCPUs nan: use a whole number from 1"),
        ({"vcpus": float("inf")}, "invalid number of vCPUs inf"),
        ({"gpus": 0}, "invalid number of GPUs 0: use 1 to"),
        ({"timeout_seconds": 59}, "invalid timeout of 59 seconds: use 60 to"),
        ({"attempts": 11}, "invalid number of attempts 11: use 1 to 10"),
        ({"environment": {"": "x"}}, 'environment variable ""'),
        ({"environment": {"2X": "x"}}, '"2X"'),
        ({"environment": {"AWS_BATCH_JOB_ID": "x"}}, '"AWS_BATCH_JOB_ID"'),
    ],
)
def test_a_limit_of_batch_is_reported_before_batch_is_called(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        submission.submit_arguments(request(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 128},
        {"array_size": 2},
        {"array_size": 10_000},
        {"depends_on": ("a",) * 20},
        {"environment": {"AWS_REGION": "x"}},
        {"command": ("x" * 8176,)},
        {"timeout_seconds": 60, "attempts": 10, "memory_mib": 4, "tags": {"k" * 128: "v" * 256}},
        {"tags": {f"k{index}": "" for index in range(50)}},
    ],
)
def test_the_limits_themselves_are_allowed(changes: dict[str, Any]) -> None:
    assert submission.submit_arguments(request(**changes))


def test_arrays_depend_on_each_others_children() -> None:
    asked = request(array_size=2, depends_on=("a:N_TO_N", "SEQUENTIAL", "b", "c:3"))
    assert submission.submit_arguments(asked)["dependsOn"] == [
        {"jobId": "a", "type": "N_TO_N"},
        {"type": "SEQUENTIAL"},
        {"jobId": "b"},
        {"jobId": "c:3"},
    ]


def test_a_submitted_job_has_the_id_that_batch_gave(clients: session.Clients) -> None:
    asked = request(command=("true",))
    with answers(clients.batch) as stub:
        stub.add_response("submit_job", {"jobName": "wgs-1", "jobId": ID}, submission.submit_arguments(asked))
        assert submission.submit(clients, asked) == ID


# --- submit through the function


def invoke(clients: session.Clients, answer: object, asked: SubmitRequest, **response: Any) -> str:
    body = json.dumps(answer).encode()
    with answers(clients.functions) as stub:
        stub.add_response(
            "invoke",
            {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body)), **response},
            {"FunctionName": "batchSubmitJob-prod", "Payload": json.dumps(submission.submit_event(asked)).encode()},
        )
        return submission.submit_via_function(clients, "batchSubmitJob-prod", asked)


def test_the_function_is_sent_the_event_and_answers_with_the_job_id(clients: session.Clients) -> None:
    asked = request(parameters={"sample": "NA12878"})
    assert invoke(clients, {**submission.submit_event(asked), "jobId": ID}, asked) == ID


@pytest.mark.parametrize("kind", ["EventTypeError", "EventValueError", "OtherEnvironmentError"])
def test_an_event_that_the_function_refuses_is_wrong_usage(clients: session.Clients, kind: str) -> None:
    answer = {"errorType": kind, "errorMessage": "jobQueue: 'x' does not belong", "stackTrace": []}
    with pytest.raises(UsageError, match=r"^batchSubmitJob-prod: jobQueue: 'x' does not belong$"):
        invoke(clients, answer, request(), FunctionError="Unhandled")


@pytest.mark.parametrize(
    ("answer", "says"),
    [({"errorType": "ClientException", "errorMessage": "queue is disabled"}, "queue is disabled"), (None, "failed")],
)
def test_a_function_that_fails_is_an_aws_error_that_names_its_log(
    clients: session.Clients, answer: object, says: str
) -> None:
    with pytest.raises(AwsError, match=says) as caught:
        invoke(clients, answer, request(), FunctionError="Unhandled")
    assert caught.value.hint == "its log group is /aws/lambda/batchSubmitJob-prod"


@pytest.mark.parametrize("answer", [{"jobName": "wgs-1"}, ["x"], None])
def test_an_answer_without_a_job_id_is_an_error(clients: session.Clients, answer: object) -> None:
    with pytest.raises(AwsError, match="without a jobId"):
        invoke(clients, answer, request())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attempts": 2, "tags": {"a": "b"}, "timeout_seconds": 60}, "attempts, a timeout"),
        ({"is_multi_node": True, "vcpus": 2}, "overrides of a multi-node job"),
    ],
)
def test_what_the_function_does_not_take_is_not_dropped_silently(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=f"^the submit function does not take {words}$") as caught:
        submission.submit_event(request(**changes))
    assert "--via-function" in caught.value.hint


def test_the_function_takes_a_share_and_tags() -> None:
    event = submission.submit_event(request(share_identifier="research", tags={"Sample": "NA12878"}))
    assert (event["shareIdentifier"], event["tags"]) == ("research", {"Sample": "NA12878"})


def test_a_multi_node_job_is_given_overrides_of_each_node() -> None:
    asked = submission.submit_arguments(request(is_multi_node=True, memory_mib=64, command=("align",)))
    overrides = {"command": ["align"], "resourceRequirements": [{"type": "MEMORY", "value": "64"}]}
    every_node = {"targetNodes": "0:", "containerOverrides": overrides}
    assert asked["nodeOverrides"] == {"nodePropertyOverrides": [every_node]}
    assert "containerOverrides" not in asked
    assert "nodeOverrides" not in submission.submit_arguments(request(is_multi_node=True))


def test_overrides_of_one_of_several_containers_name_it() -> None:
    asked = submission.submit_arguments(request(command=("align",), environment={"A": "b"}, gpus=1, container="main"))
    overrides = {
        "name": "main",
        "command": ["align"],
        "environment": [{"name": "A", "value": "b"}],
        "resourceRequirements": [{"type": "GPU", "value": "1"}],
    }
    assert asked["ecsPropertiesOverride"] == {"taskProperties": [{"containers": [overrides]}]}
    assert "containerOverrides" not in asked
    assert "ecsPropertiesOverride" not in submission.submit_arguments(request(container="main"))
