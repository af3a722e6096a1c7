from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra import emulator
from tests.emulator.probes import Lab
from tests.emulator.probes.state_machines import STATES
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import EmulatorProcess

# https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html#batch-iam
JOBS = ("batch:SubmitJob", "batch:TagResource", "batch:DescribeJobs", "batch:TerminateJob")
RULE = "arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForBatchJobsRule"
READ = {
    "Type": "Pass",
    "Assign": {name: f"{{% $states.input.{name} %}}" for name in ("sample", "definition")},
    "Next": "align",
}
CSV = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
TRUE, FALSE, LONG = ("true",), ("false",), ("sleep", "60")


@pytest.fixture(scope="module")
def aws() -> Iterator[EmulatorProcess]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_INFRA_EMULATOR_JOB_SECONDS", "0.3")
        with emulator.start(seed=False) as running:
            yield running


class Machines:
    """State machines in an emulator whose jobs take 0.3 seconds, with a role that may run jobs and Map Runs."""

    def __init__(self, aws: EmulatorProcess, bucket: str = "lab") -> None:
        self.lab = Lab(aws.endpoint)
        self.client, self.batch, self.s3 = (self.lab.client(each) for each in ("stepfunctions", "batch", "s3"))
        self.queue = self.lab.queue(self.lab.environment())
        self.role, self.bucket = self.lab.role("machines", service=STATES), bucket
        for action in JOBS:
            self.lab.allow("machines", action, "*")
        self.lab.allow("machines", "events:*", RULE)
        self.lab.allow("machines", "states:StartExecution", "arn:aws:states:us-east-1:123456789012:stateMachine:*")
        self.lab.allow("machines", "s3:GetObject", f"arn:aws:s3:::{bucket}/lists/*")
        self.lab.allow("machines", "s3:PutObject", f"arn:aws:s3:::{bucket}/results/*")
        self.s3.create_bucket(Bucket=bucket)

    def definition(self, command: tuple[str, ...], name: str | None = None) -> str:
        """Register a job definition, or a new revision of one; return its name."""
        changes = {"jobDefinitionName": name} if name else {}
        arn = self.lab.definition({"command": list(command)}, **changes)
        return arn.rpartition("/")[2].partition(":")[0]

    def job(self, definition: str = "{% $definition %}", **changes: Any) -> dict[str, Any]:
        arguments = {
            "JobName": "{% $sample & '-align' %}",
            "JobQueue": self.queue,
            "JobDefinition": definition,
            "Parameters": {"sample": "{% $sample %}"},
            "Tags": {"run": "{% $states.context.Execution.Name %}"},
        }
        task = {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync", "Arguments": arguments}
        return task | {"Output": {"job": "{% $states.result.JobId %}"}, "End": True} | changes

    def start(self, states: dict[str, Any], role: str | None = None, **given: Any) -> str:
        """Start an execution of a new state machine; return its ARN."""
        text = json.dumps({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states})
        made = self.client.create_state_machine(name=self.lab.name("m"), definition=text, roleArn=role or self.role)
        started = self.client.start_execution(stateMachineArn=made["stateMachineArn"], input=json.dumps(given))
        arn: str = started["executionArn"]
        return arn

    def ended(self, arn: str) -> Any:
        def found() -> Any:
            described = self.client.describe_execution(executionArn=arn)
            return described if described["status"] != "RUNNING" else None

        return wait_until(found)

    def events(self, arn: str, kind: str = "") -> list[dict[str, Any]]:
        events = self.client.get_execution_history(executionArn=arn)["events"]
        return [each for each in events if each["type"].startswith(kind)]

    def submitted(self, arn: str) -> list[str]:
        """Return the ids of the jobs that an execution has submitted."""
        events = self.events(arn, "TaskSubmitted")
        return [json.loads(each["taskSubmittedEventDetails"]["output"])["JobId"] for each in events]

    def job_described(self, job_id: str) -> Any:
        [job] = self.batch.describe_jobs(jobs=[job_id])["jobs"]
        return job

    def many(self, definition: dict[str, Any], key: str, **changes: Any) -> dict[str, Any]:
        reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": CSV}
        writer = {"Resource": "arn:aws:states:::s3:putObject"}
        processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "read"}
        state = {
            "Type": "Map",
            "Label": "germline",
            "ItemReader": reader | {"Arguments": {"Bucket": self.bucket, "Key": key}},
            "ItemProcessor": processor | {"States": {"read": READ, "align": definition}},
            "ResultWriter": writer | {"Arguments": {"Bucket": self.bucket, "Prefix": "results/"}},
            "End": True,
        }
        return {"each": state | changes}

    def read(self, key: str) -> Any:
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())


@pytest.fixture(scope="module")
def machines(aws: EmulatorProcess) -> Machines:
    return Machines(aws)


def test_branches_run_side_by_side_after_the_step_before_them(machines: Machines) -> None:
    branches = [{"StartAt": name, "States": {name: machines.job()}} for name in ("call", "stats")]
    both = {"Type": "Parallel", "Branches": branches, "End": True}
    align = machines.job(Next="both")
    del align["End"]
    states = {"read": READ, "align": align, "both": both}

    arn = machines.start(states, sample="HG002", definition=machines.definition(TRUE))
    found = machines.ended(arn)

    first, second, third = (machines.job_described(each) for each in machines.submitted(arn))
    assert found["status"] == "SUCCEEDED"
    assert sorted(each["job"] for each in json.loads(found["output"])) == sorted([second["jobId"], third["jobId"]])
    assert first["stoppedAt"] <= min(second["createdAt"], third["createdAt"])
    assert max(second["createdAt"], third["createdAt"]) < min(second["stoppedAt"], third["stoppedAt"])
    assert (first["jobName"], first["parameters"]) == ("HG002-align", {"sample": "HG002"})
    assert first["tags"]["run"] == found["name"]


def test_a_failed_job_fails_the_run_and_ends_the_jobs_of_other_branches(machines: Machines) -> None:
    branches = [
        {"StartAt": name, "States": {name: machines.job(machines.definition(command))}}
        for name, command in {"fails": FALSE, "lasts": LONG}.items()
    ]
    states = {"read": READ | {"Next": "both"}, "both": {"Type": "Parallel", "Branches": branches, "End": True}}

    arn = machines.start(states, sample="HG002", definition="")
    found = machines.ended(arn)

    cause = json.loads(found["cause"])
    assert (found["status"], found["error"], cause["Status"]) == ("FAILED", "States.TaskFailed", "FAILED")
    assert cause["Attempts"][0]["Container"]["ExitCode"] == 1
    [other] = (machines.job_described(each) for each in machines.submitted(arn) if each != cause["JobId"])
    assert (other["status"], arn in other["statusReason"]) == ("FAILED", True)
    assert [each["type"] for each in machines.events(arn)][-2:] == ["ParallelStateFailed", "ExecutionFailed"]


def test_a_stopped_run_ends_its_job_and_a_redrive_runs_the_step_again(machines: Machines) -> None:
    name = machines.definition(LONG)
    arn = machines.start({"read": READ, "align": machines.job()}, sample="HG002", definition=name)
    wait_until(lambda: machines.submitted(arn))

    machines.client.stop_execution(executionArn=arn, error="Cancelled", cause="wrong sample")
    stopped = machines.client.describe_execution(executionArn=arn)
    [job_id] = machines.submitted(arn)
    machines.definition(TRUE, name)
    machines.client.redrive_execution(executionArn=arn)
    redriven = machines.ended(arn)

    assert (stopped["status"], stopped["error"], stopped["cause"]) == ("ABORTED", "Cancelled", "wrong sample")
    assert (stopped["redriveStatus"], redriven["redriveStatus"]) == ("REDRIVABLE", "NOT_REDRIVABLE")
    assert machines.job_described(job_id)["status"] == "FAILED"
    assert (redriven["status"], redriven["redriveCount"]) == ("SUCCEEDED", 1)
    assert len(machines.submitted(arn)) == 2
    assert len(machines.events(arn, "PassStateEntered")) == len(machines.events(arn, "TaskStateEntered")) == 1


def test_a_step_that_takes_too_long_ends_its_job(machines: Machines) -> None:
    states = {"read": READ, "align": machines.job(TimeoutSeconds=1)}
    arn = machines.start(states, sample="HG002", definition=machines.definition(LONG))

    assert machines.ended(arn)["error"] == "States.Timeout"
    [job_id] = machines.submitted(arn)
    assert machines.job_described(job_id)["status"] == "FAILED"
    assert len(machines.events(arn, "TaskTimedOut")) == 1


def test_refused_submissions_are_retried_as_the_state_says(machines: Machines, aws: EmulatorProcess) -> None:
    retry = {"ErrorEquals": ["Batch.BatchException"], "IntervalSeconds": 5, "MaxAttempts": 2, "JitterStrategy": "FULL"}
    aws.fail("SubmitJob", service="batch", code="TooManyRequestsException", status=429, times=2)
    states = {"read": READ, "align": machines.job(Retry=[retry])}

    arn = machines.start(states, sample="HG002", definition=machines.definition(TRUE))

    assert machines.ended(arn)["status"] == "SUCCEEDED"
    errors = [each["taskSubmitFailedEventDetails"]["error"] for each in machines.events(arn, "TaskSubmitFailed")]
    assert errors == ["Batch.BatchException"] * 2


def test_steps_have_the_permissions_of_the_role(machines: Machines) -> None:
    states = {"read": READ, "align": machines.job()}
    role = machines.lab.role("powerless", service=STATES)
    machines.lab.allow("powerless", "events:*", RULE)

    arn = machines.start(states, role, sample="HG002", definition=machines.definition(TRUE))
    found = machines.ended(arn)

    assert found["error"] == "Batch.BatchException"
    assert "assumed-role/powerless/" in found["cause"]
    assert "is not authorized to perform: batch:SubmitJob" in found["cause"]


def test_expressions_and_arguments_that_fail_name_their_field(machines: Machines) -> None:
    wrong = machines.job() | {"Arguments": {"JobName": 1, "Queue": "q"}}
    cases = {
        "States.QueryEvaluationError": (
            {"align": machines.job()},
            "'Arguments/JobDefinition' failed: returned nothing",
        ),
        "States.Runtime": (
            {"align": wrong},
            "The value for the field 'JobName' must be a STRING, The field 'Queue' is not",
        ),
    }
    for error, (states, words) in cases.items():
        found = machines.ended(machines.start(states))
        assert found["error"] == error
        assert words in found["cause"]


def test_states_choose_wait_iterate_catch_and_call_other_services(machines: Machines) -> None:
    call = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:batch:describeJobQueues"}
    double = {"Type": "Pass", "Output": "{% $states.input * $factor %}", "End": True}
    states = {
        "start": {"Type": "Pass", "Assign": {"factor": 2}, "Next": "pick"},
        "pick": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n > 2 %}", "Next": "map"}],
            "Default": "fail",
        },
        "map": {
            "Type": "Map",
            "Items": "{% [1..$states.input.n] %}",
            "MaxConcurrency": 1,
            "ItemProcessor": {"StartAt": "double", "States": {"double": double}},
            "Next": "wait",
        },
        "wait": {"Type": "Wait", "Seconds": 0, "Assign": {"doubled": "{% $states.input %}"}, "Next": "call"},
        "call": call
        | {
            "Arguments": {},
            "Catch": [
                {
                    "ErrorEquals": ["Batch.BatchException"],
                    "Output": "{% [$doubled, $states.errorOutput.Error] %}",
                    "Next": "end",
                }
            ],
            "Next": "end",
        },
        "end": {"Type": "Succeed"},
        "fail": {"Type": "Fail", "Error": "TooFew", "Cause": "{% $string($states.input.n) %}"},
    }

    enough, few = (machines.ended(machines.start(states, n=n)) for n in (3, 1))

    assert json.loads(enough["output"]) == [2, 4, 6, "Batch.BatchException"]
    assert (few["status"], few["error"], few["cause"]) == ("FAILED", "TooFew", "1")


def test_a_list_runs_as_child_executions_and_a_redrive_finishes_it(machines: Machines) -> None:
    good, bad = machines.definition(TRUE), machines.definition(FALSE)
    rows = [("HG002", good), ("HG003", bad), ("HG004", good)]
    body = "".join(f"{sample},{definition}\n" for sample, definition in [("sample", "definition"), *rows])
    machines.s3.put_object(Bucket=machines.bucket, Key="lists/trio.csv", Body=body)
    states = machines.many(machines.job(), "lists/trio.csv", ToleratedFailurePercentage=0, MaxConcurrency=1)

    arn = machines.start(states)
    failed = machines.ended(arn)
    [run] = machines.client.list_map_runs(executionArn=arn)["mapRuns"]
    first = machines.client.describe_map_run(mapRunArn=run["mapRunArn"])
    machines.definition(TRUE, bad)
    machines.client.redrive_execution(executionArn=arn)
    redriven = machines.ended(arn)
    second = machines.client.describe_map_run(mapRunArn=run["mapRunArn"])

    assert failed["error"] == "States.ExceedToleratedFailureThreshold"
    assert [first["itemCounts"][each] for each in ("succeeded", "failed", "pending", "total")] == [1, 1, 1, 3]
    assert (second["status"], second["redriveCount"], second["itemCounts"]["succeeded"]) == ("SUCCEEDED", 1, 3)
    children = machines.client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert sorted(each["redriveCount"] for each in children) == [0, 0, 1]
    child = machines.client.describe_execution(executionArn=children[-1]["executionArn"])
    assert json.loads(child["input"]) == {"sample": "HG002", "definition": good}
    assert len(machines.submitted(child["executionArn"])) == 1
    output = json.loads(redriven["output"])
    manifest = machines.read(output["ResultWriterDetails"]["Key"])
    assert (output["MapRunArn"], manifest["MapRunArn"]) == (run["mapRunArn"],) * 2
    assert {name: len(files) for name, files in manifest["ResultFiles"].items()} == {
        "SUCCEEDED": 1,
        "FAILED": 0,
        "PENDING": 0,
    }
    results = machines.read(manifest["ResultFiles"]["SUCCEEDED"][0]["Key"])
    assert [json.loads(each["Input"])["sample"] for each in results] == ["HG002", "HG003", "HG004"]


def test_a_list_with_failures_within_the_tolerance_succeeds(machines: Machines) -> None:
    good, bad = machines.definition(TRUE), machines.definition(FALSE)
    body = f"sample,definition\nHG002,{good}\nHG003,{bad}\n"
    machines.s3.put_object(Bucket=machines.bucket, Key="lists/two.csv", Body=body)

    arn = machines.start(machines.many(machines.job(), "lists/two.csv", ToleratedFailurePercentage=50))
    found = machines.ended(arn)

    assert found["status"] == "SUCCEEDED"
    manifest = machines.read(json.loads(found["output"])["ResultWriterDetails"]["Key"])
    [failed] = machines.read(manifest["ResultFiles"]["FAILED"][0]["Key"])
    assert (json.loads(failed["Input"])["sample"], failed["Error"]) == ("HG003", "States.TaskFailed")
    assert failed["RedriveStatus"] == "REDRIVABLE_BY_MAP_RUN"


@pytest.mark.parametrize(
    ("key", "prefix", "error"),
    [
        ("lists/none.csv", "results/", "States.ItemReaderFailed"),
        ("lists/one.csv", "other/", "States.ResultWriterFailed"),
    ],
)
def test_lists_and_results_have_the_permissions_of_the_role(
    machines: Machines, key: str, prefix: str, error: str
) -> None:
    body = f"sample,definition\nHG002,{machines.definition(TRUE)}\n"
    machines.s3.put_object(Bucket=machines.bucket, Key="lists/one.csv", Body=body)
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": machines.bucket, "Prefix": prefix}}

    found = machines.ended(machines.start(machines.many(machines.job(), key, ResultWriter=writer)))

    assert found["error"] == error


def test_a_run_goes_on_in_a_copy_of_the_emulator(machines: Machines, aws: EmulatorProcess) -> None:
    states = {"read": READ, "align": machines.job()}
    arn = machines.start(states, sample="HG002", definition=machines.definition(("sleep", "1")))
    [job_id] = wait_until(lambda: machines.submitted(arn))

    with aws.copy() as copy:
        client = copy.client("stepfunctions")
        wait_until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING")
        found = client.describe_execution(executionArn=arn)
    assert json.loads(found["output"]) == {"job": job_id}
    assert json.loads(machines.ended(arn)["output"]) == {"job": job_id}
